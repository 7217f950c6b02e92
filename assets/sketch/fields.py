"""What textures are made of: palettes, scalar and direction fields, smearing along a field."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

Array = npt.NDArray[np.floating[Any]]
Generator = np.random.Generator

# Few palettes for many textures: a palette shared by a dozen textures cannot give away which one it is.
PALETTES = tuple(
    np.array([[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in row.split()])
    for row in (
        "0b1d3a 1f4e8c 5b8fc7 c9d8a6 f2d34b",
        "1b1b1b 5a2a1a b5471f e8a33d f6e7c1",
        "12263a 06bcc1 c5d8d1 f4edea f4d1ae",
        "2b2d42 8d99ae edf2f4 ef233c d90429",
        "243b24 4f772d 90a955 ecf39e 31572c",
        "f7f3e9 d9cbb0 a38560 5c4a36 221a12",
        "10002b 3c096c 7b2cbf c77dff e0aaff",
        "fefae0 dda15e bc6c25 606c38 283618",
        "e63946 f1faee a8dadc 457b9d 1d3557",
        "000000 444444 888888 cccccc ffffff",
        "03071e 6a040f d00000 f48c06 ffba08",
        "edede9 d6ccc2 b7a7a9 7a6c7d 3d3549",
        "004b23 007200 38b000 9ef01a ccff33",
        "22223b 4a4e69 9a8c98 c9ada7 f2e9e4",
        "ff595e ffca3a 8ac926 1982c4 6a4c93",
        "fdf0d5 003049 669bbc 780000 c1121f",
        "0d1b2a 1b263b 415a77 778da9 e0e1dd",
        "fff1e6 fde2e4 bee1e6 99c1de 7a8fb5",
        "3d2c1e 8a5a2b c98f4a 4a6670 a9c0b8",
        "101820 ffffff f2aa4c 2a6f6b d1495b",
    )
)


def colourise(values: Array, palette: Array) -> Array:
    """Colours [..., 3] of values in 0..1, linear between the palette's colours."""
    stops = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(values, stops, palette[:, i]) for i in range(3)], axis=-1)


def coordinates(size: int) -> tuple[Array, Array]:
    """Row and column of each pixel, two arrays [size, size]."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float64)
    return rows, columns


def stretch(values: Array) -> Array:
    """Values shifted and scaled so that their 1st and 99th percentiles are 0 and 1, then clipped."""
    low, high = np.percentile(values, (1, 99))
    return np.asarray(np.clip((values - low) / max(high - low, 1e-9), 0, 1))


def noise(generator: Generator, size: int, *, power: float = 1.5, coarsest: float = 1.0) -> Array:
    """Noise in 0..1, amplitude frequency^-power from `coarsest` cycles a picture upward."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]) * size
    amplitude = np.where(frequency >= coarsest, np.maximum(frequency, 1e-9) ** -power, 0)
    phase = np.exp(2j * np.pi * generator.random(amplitude.shape))
    return stretch(np.fft.irfft2(amplitude * phase, (size, size)))


def smooth(generator: Generator, size: int, sigma: float) -> Array:
    """White noise blurred by `sigma` pixels, in 0..1, periodic."""
    return stretch(ndimage.gaussian_filter(generator.standard_normal((size, size)), sigma, mode="wrap"))


def directions(generator: Generator, size: int) -> Array:
    """An angle (radians) for each pixel: straight, bent by smooth noise, or turning about a few centres."""
    kind = generator.integers(3)
    straight = generator.uniform(0, np.pi)
    if kind == 0:
        return straight + 0.25 * (smooth(generator, size, size / 12) - 0.5)
    if kind == 1:
        return straight + generator.uniform(2, 7) * (
            smooth(generator, size, size / generator.uniform(8, 16)) - 0.5
        )
    rows, columns = coordinates(size)
    field = np.full((size, size), np.exp(2j * straight) * 0.3)
    for _ in range(generator.integers(2, 7)):
        y, x = generator.uniform(0, size, 2)
        radius = generator.uniform(size / 12, size / 4)
        around = np.arctan2(rows - y, columns - x) + np.pi / 2 + generator.uniform(-0.4, 0.4)
        field += np.exp(2j * around) * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * radius**2)) * 2
    return np.asarray(np.angle(field) / 2)


def smear(picture: Array, angle: Array, length: int) -> Array:
    """Line integral convolution (Cabral and Leedom 1993): the mean of `picture` along the field's lines.

    picture [S, S] or [S, S, C]; angle [S, S] radians; `length` steps of one pixel each way.
    """
    size = len(angle)
    total = picture.astype(np.float64).copy()
    for sign in (1.0, -1.0):
        y, x = coordinates(size)
        heading_y, heading_x = sign * np.sin(angle), sign * np.cos(angle)
        for _ in range(length):
            y, x = (y + heading_y) % size, (x + heading_x) % size
            row, column = y.astype(int) % size, x.astype(int) % size
            total += picture[row, column]
            next_y, next_x = np.sin(angle[row, column]), np.cos(angle[row, column])
            # A direction has no sign: keep going the way we came.
            turn = np.where(next_y * heading_y + next_x * heading_x < 0, -1.0, 1.0)
            heading_y, heading_x = turn * next_y, turn * next_x
    return total / (2 * length + 1)


def relief(picture: Array, height: Array, strength: float) -> Array:
    """The picture lit from the upper left as if `height` were thick paint."""
    slope = ndimage.sobel(height, 0, mode="wrap") + ndimage.sobel(height, 1, mode="wrap")
    return np.asarray(np.clip(picture * (1 + strength * slope[..., None]), 0, 1))


def nearest(points: Array, size: int, count: int = 2) -> tuple[Array, Array]:
    """Distances and indices [S, S, count] of the points [n, 2] (row, column) nearest to each pixel."""
    rows, columns = coordinates(size)
    distance, index = cKDTree(points).query(np.stack([rows, columns], axis=-1), k=count)
    return distance, index
