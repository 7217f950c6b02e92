"""Daylight skies: a gradient from zenith to horizon, a glow about the sun, lit clouds on a level ceiling."""

from dataclasses import dataclass

import numpy as np

from .canvas import Field, Stops, colour, mix, ramp, smoothstep
from .noise import fractal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """Directions are (right, up, forward); elevation is the sine of the angle above the horizon."""

    gradient: Stops  # by elevation
    sun: tuple[float, float, float]
    glow: str
    lit: str
    shaded: str
    cover: float  # -0.4 clear .. 0.4 overcast
    seed: int
    scale: float = 1.0  # of the clouds: larger is smaller clouds


def _density(across: Field, ahead: Field, sky: Sky) -> Field:
    warp = 0.35 * fractal(across * 0.7, ahead * 0.7, seed=sky.seed + 30, octaves=2)
    return fractal(across + warp, ahead - warp, seed=sky.seed, octaves=6, gain=0.55) + sky.cover


def shine(sky: Sky, right: Field, up: Field, forward: Field) -> Field:
    """Colour of the sky [..., 3] in unit directions [...]; below the horizon it is that of the horizon."""
    towards = np.asarray(sky.sun) / np.linalg.norm(sky.sun)
    near_sun = np.clip(right * towards[0] + up * towards[1] + forward * towards[2], 0, 1)
    picture = ramp(np.clip(up, 0, 1), sky.gradient)
    haze = 0.55 * near_sun**10 + 0.35 * near_sun**60
    picture = mix(picture, colour(sky.glow), haze)
    climb = np.clip(up, 0.012, 1) + 0.06
    across, ahead = right / climb * 0.5 * sky.scale, forward / climb * 0.5 * sky.scale
    density = _density(across, ahead, sky)
    # Light crosses less cloud on the sun's side: compare with the density a step that way.
    shifted = _density(across + 0.10 * towards[0], ahead + 0.10 * towards[2] - 0.03, sky)
    light = np.clip(0.62 + 1.5 * (density - shifted) - 0.35 * smoothstep(0.1, 0.7, density), 0, 1)
    cloud = mix(np.broadcast_to(colour(sky.shaded), picture.shape), colour(sky.lit), light)
    cloud = mix(cloud, colour(sky.glow), 0.5 * near_sun**12)
    cover = smoothstep(0.0, 0.38, density) * smoothstep(0.005, 0.10, up)
    return mix(picture, cloud, 0.94 * cover)
