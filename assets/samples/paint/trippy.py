"""Psychedelic contours: a warped plane of saturated rainbow bands, ink between them, and five blooms."""

import numpy as np

from .canvas import Field, Stops, grid, mix, ramp, relief, shape_of, shrink, smoothstep
from .noise import fractal

SEED = 1967
SUPERSAMPLING = 2
RAINBOW: Stops = (
    (0.00, "#ff2e88"), (0.13, "#ff5a1f"), (0.26, "#ffc400"), (0.40, "#9be61e"), (0.52, "#00c9a0"),
    (0.64, "#12a5ff"), (0.76, "#4a35f0"), (0.88, "#b01fe0"), (1.00, "#ff2e88"),
)  # fmt: skip
BLOOMS = ((0.30, 0.33, 0.20), (0.76, 0.22, 0.13), (0.68, 0.70, 0.23), (0.19, 0.82, 0.14), (0.95, 0.93, 0.11))


def _warp(x: Field, y: Field) -> tuple[Field, Field]:
    """Push the plane about by noise, twice (Quilez, "Domain warping")."""
    for scale, push, seed in ((2.0, 0.16, SEED), (4.5, 0.045, SEED + 20)):
        right = fractal(x * scale, y * scale, seed=seed, octaves=3, gain=0.4)
        down = fractal(x * scale, y * scale, seed=seed + 9, octaves=3, gain=0.4)
        x, y = x + push * right, y + push * down
    return x, y


def _bloom(x: Field, y: Field) -> Field:
    """Height of petalled rings about each centre, strongest there."""
    total = np.zeros_like(x)
    for left, top, radius in BLOOMS:
        distance = np.hypot(x - left, y - top) / radius
        angle = np.arctan2(y - top, x - left)
        petals = 0.10 * np.cos(angle * 8 + 2.5 * distance) * smoothstep(0.15, 0.8, distance)
        total += 2.1 * np.exp(-((distance + petals) ** 2) * 0.9)
    return total


def _ink(phase: Field, width: float) -> Field:
    """Lines of even width, in pixels, where ``phase`` crosses a whole number."""
    down, right = np.gradient(phase)
    pixels = np.abs((phase + 0.5) % 1 - 0.5) / (np.hypot(down, right) + 1e-6)
    return smoothstep(width + 0.8, width - 0.8, pixels)


def _bands(x: Field, y: Field, height: Field) -> Field:
    """Colour by height; each band shaded like a tube, every third one carrying a second pattern."""
    phase = height * 5.0
    tube, kind = phase % 1, np.floor(phase) % 3
    hue = (np.floor(phase) * 0.137 + height * 0.11 + 0.10 * tube) % 1
    sheen = (1 - np.abs(2 * tube - 1)) ** 0.7
    inner = smoothstep(0.18, 0.30, sheen)
    cells = fractal(x * 7, y * 7, seed=SEED + 60, octaves=1)
    stripes = smoothstep(-0.25, 0.25, np.sin(cells * 40 + tube * 6))
    picture = mix(ramp(hue, RAINBOW), ramp((hue + 0.42) % 1, RAINBOW), stripes * inner * (kind == 0))
    fine = smoothstep(-0.2, 0.3, np.sin(tube * 2 * np.pi * 4))
    picture = mix(picture, ramp((hue + 0.22) % 1, RAINBOW), fine * inner * (kind == 1))
    picture = picture * (0.62 + 0.42 * sheen)[..., None]
    return np.asarray(picture + 0.10 * smoothstep(0.7, 0.95, sheen)[..., None])


def paint(longest_side: int) -> Field:
    """The picture, [H, W, 3] in [0, 1]."""
    x, y = grid(shape_of(longest_side * SUPERSAMPLING, aspect=1.0))
    warped_x, warped_y = _warp(x, y)
    height = (
        _bloom(warped_x, warped_y)
        + 1.1 * fractal(warped_x * 2.2, warped_y * 2.2, seed=SEED + 40, octaves=2)
        + 1.5
    )
    picture = _bands(warped_x, warped_y, height)
    lambert, mirror = relief(
        np.abs(2 * ((height * 5) % 1) - 1) ** 2 * -1, towards=(-0.6, -0.7, 0.9), depth=0.008
    )
    picture = picture * (0.74 + 0.38 * lambert)[..., None] + 0.14 * (mirror**30)[..., None]
    # Ink is 1/400 of the side whatever the size.
    ink = _ink(height * 5.0, max(x.shape) / 800)
    return np.clip(shrink(picture * (1 - 0.94 * ink)[..., None], SUPERSAMPLING), 0, 1)
