"""What every painter shares: coordinates, colour ramps, compositing, light on relief.

Pictures are float arrays [H, W, 3] of sRGB values in [0, 1]; masks and height maps are [H, W].
Lengths are fractions of the picture's longest side, so that one script paints any size.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Field = npt.NDArray[np.floating]
Stops = Sequence[tuple[float, str]]


def shape_of(longest_side: int, *, aspect: float) -> tuple[int, int]:
    """Pixel rows and columns of a picture whose width is ``aspect`` times its height."""
    if aspect >= 1:
        return round(longest_side / aspect), longest_side
    return longest_side, round(longest_side * aspect)


def grid(shape: tuple[int, int]) -> tuple[Field, Field]:
    """Pixel centres x (to the right) and y (down), each [H, W], in longest sides from the top left."""
    rows, columns = shape
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    return (x + 0.5) / max(shape), (y + 0.5) / max(shape)


def colour(code: str) -> Field:
    """``#rrggbb`` as three values in [0, 1]."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def ramp(values: Field, stops: Stops) -> Field:
    """Colours [..., 3] read off a ramp of (position, colour) stops; constant beyond its ends."""
    positions = [position for position, _ in stops]
    colours = np.stack([colour(code) for _, code in stops])
    channels = [np.interp(values, positions, colours[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def smoothstep(low: float, high: float, values: Field) -> Field:
    """0 below ``low``, 1 above ``high``, a smooth cubic between; ``low > high`` runs downwards."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def mix(base: Field, over: Field, mask: Field) -> Field:
    """``over`` laid on ``base`` where ``mask`` [H, W] is 1."""
    return np.asarray(base + (over - base) * mask[..., None])


def blur(values: Field, radius: float) -> Field:
    """Gaussian blur of [H, W] or [H, W, 3]; ``radius`` is sigma in longest sides."""
    sigma = radius * max(values.shape[:2])
    return np.asarray(ndimage.gaussian_filter(values, (sigma, sigma) + (0,) * (values.ndim - 2)))


def relief(height: Field, *, towards: tuple[float, float, float], depth: float) -> tuple[Field, Field]:
    """Lambert and mirror light on a height map: two fields [H, W] in [0, 1].

    ``height`` and ``depth`` multiply to longest sides; ``towards`` points to the light as (right, down, up).
    """
    down, right = np.gradient(height * (depth * max(height.shape)))
    length = np.sqrt(1 + down**2 + right**2)
    light = np.asarray(towards) / np.linalg.norm(towards)
    lambert = np.clip((light[2] - light[0] * right - light[1] * down) / length, 0, 1)
    between = light + np.array([0.0, 0.0, 1.0])  # the light and the eye, which looks straight down
    half = between / np.linalg.norm(between)
    mirror = np.clip((half[2] - half[0] * right - half[1] * down) / length, 0, 1)
    return lambert, mirror


def shrink(picture: Field, factor: int) -> Field:
    """Average blocks of ``factor`` × ``factor`` pixels: how supersampled pictures lose their jagged edges."""
    rows, columns = (side // factor for side in picture.shape[:2])
    blocks = picture[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor, -1)
    return np.asarray(blocks.mean(axis=(1, 3)))
