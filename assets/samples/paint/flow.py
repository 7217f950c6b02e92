"""Direction fields that strokes follow: whirls, and noise smeared along the directions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .canvas import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Whirl:
    """A spiral of ``arms`` arms; ``turn`` is +1 clockwise as seen, -1 against; lengths in longest sides."""

    x: float
    y: float
    radius: float
    turn: int = 1
    arms: int = 2
    tightness: float = 8.0  # radians of arm for each e-fold of the radius
    pull: float = 2.5  # against a drift of speed 1

    def polar(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Distance in radii and angle in radians about the centre."""
        return np.hypot(x - self.x, y - self.y) / self.radius, np.arctan2(y - self.y, x - self.x)

    def velocity(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Along the arms, fading to nothing about two radii out."""
        distance, angle = self.polar(x, y)
        speed = self.pull * np.exp(-(distance**2.5))
        heading = angle + self.turn * (np.pi / 2 - np.arctan(self.arms / self.tightness))
        return speed * np.cos(heading), speed * np.sin(heading)

    def bands(self, x: Field, y: Field) -> Field:
        """Light and dark arms: -1..1, fading outwards."""
        distance, angle = self.polar(x, y)
        phase = self.arms * angle * self.turn + self.tightness * np.log(distance + 0.12)
        return np.asarray(np.cos(phase) * np.exp(-(distance**2.5)))


def heading(x: Field, y: Field, *, drift: Field, whirls: Sequence[Whirl]) -> Field:
    """Direction [H, W] in radians of a drift (angles, speed 1) with whirls in it."""
    right, down = np.cos(drift), np.sin(drift)
    for whirl in whirls:
        step = whirl.velocity(x, y)
        right, down = right + step[0], down + step[1]
    return np.arctan2(down, right)


def streaks(angle: Field, *, length: float, grain: float, seed: int) -> Field:
    """White noise averaged along the directions (line integral convolution, Cabral and Leedom 1993).

    ``length`` and ``grain`` (the streaks' width) are in longest sides. Zero mean, unit variance.
    """
    longest = max(angle.shape)
    noise = np.random.default_rng(seed).normal(size=angle.shape)
    noise = ndimage.gaussian_filter(noise, grain * longest / 2, mode="reflect")
    vectors = (np.sin(angle), np.cos(angle))
    start = np.mgrid[0 : angle.shape[0], 0 : angle.shape[1]].astype(np.float32)
    stride = max(grain * longest / 2, 1.0)
    total = noise.copy()
    for side in (-stride, stride):
        place = start.copy()
        for _ in range(int(length * longest / 2 / stride)):
            nearest = [np.clip(place[i], 0, angle.shape[i] - 1).astype(np.int32) for i in (0, 1)]
            place += side * np.stack([vector[nearest[0], nearest[1]] for vector in vectors])
            total += ndimage.map_coordinates(noise, place, order=1, mode="reflect")
    return np.asarray((total - total.mean()) / total.std())
