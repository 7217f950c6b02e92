"""Simple painted scenes (sky, sun, hills, trees, houses, water), for large forms beside small strokes."""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from assets.sketch.drawings import _ink
from assets.sketch.fields import Array, Generator, coordinates, directions, relief, smear, smooth, stretch
from assets.sketch.textures import SIZE


def _sky(generator: Generator, palette: Array) -> Image.Image:
    rows, columns = coordinates(SIZE)
    fade = (rows / SIZE)[..., None]
    sky = palette[1] * (1 - fade) + palette[3] * fade
    y, x, radius = generator.uniform(20, 100), generator.uniform(20, SIZE - 20), generator.uniform(8, 30)
    distance = np.hypot(rows - y, columns - x)
    glow = np.exp(-np.maximum(distance - radius, 0) / 18)[..., None]
    return Image.fromarray((255 * np.clip(sky + (palette[-1] - sky) * glow, 0, 1)).astype(np.uint8))


def _hill(generator: Generator, draw: ImageDraw.ImageDraw, level: float, colour: Array) -> Array:
    columns = np.arange(-4, SIZE + 5)
    waves = [
        generator.uniform(2, 14) * np.sin(columns / generator.uniform(12, 60) + generator.uniform(0, 6))
        for _ in range(3)
    ]
    ridge = level + np.sum(waves, axis=0)
    outline = [(float(x), float(y)) for x, y in zip(columns, ridge, strict=True)]
    draw.polygon([*outline, (SIZE + 5, SIZE + 5), (-5, SIZE + 5)], _ink(colour))
    return np.asarray(ridge)


def _tree(generator: Generator, draw: ImageDraw.ImageDraw, x: float, y: float, palette: Array) -> None:
    tall = generator.uniform(15, 60)
    draw.line((x, y, x, y - tall), _ink(palette[0] * 0.6), int(generator.integers(2, 6)))
    if generator.random() < 0.4:
        half = tall / 3
        draw.polygon(
            [(x - half, y - tall / 4), (x + half, y - tall / 4), (x, y - tall * 1.3)], _ink(palette[0])
        )
        return
    for _ in range(12):
        r, u, v = generator.uniform(4, 12), *generator.normal(0, tall / 5, 2)
        colour = palette[int(generator.integers(0, 3))] * generator.uniform(0.7, 1.2)
        draw.ellipse((x + u - r, y - tall + v - r, x + u + r, y - tall + v + r), _ink(colour))


def _house(generator: Generator, draw: ImageDraw.ImageDraw, x: float, y: float, palette: Array) -> None:
    w, h = generator.uniform(14, 46), generator.uniform(14, 60)
    draw.rectangle((x, y - h, x + w, y), _ink(palette[int(generator.integers(2, 5))] * 0.9))
    if generator.random() < 0.7:
        draw.polygon([(x - 3, y - h), (x + w + 3, y - h), (x + w / 2, y - h - w / 2)], _ink(palette[0] * 0.9))
    for row in np.arange(y - h + 5, y - 6, 11):
        for column in np.arange(x + 4, x + w - 6, 11):
            draw.rectangle((column, row, column + 5, row + 6), _ink(palette[int(generator.choice([0, -1]))]))


def landscape(generator: Generator, palette: Array) -> Array:
    """Sky, sun and hills with trees and houses, plainly painted or brushed along a field."""
    image = _sky(generator, palette)
    draw = ImageDraw.Draw(image)
    for depth, level in enumerate(np.sort(generator.uniform(90, 220, 4))):
        ridge = _hill(generator, draw, level, palette[depth % len(palette)] * generator.uniform(0.8, 1.1))
        for _ in range(int(generator.integers(1, 5))):
            x = int(generator.integers(0, SIZE - 20))
            place = _tree if generator.random() < 0.5 else _house
            place(generator, draw, float(x), float(ridge[x]) + 6, palette)
    return _finish(generator, np.asarray(image, np.float64) / 255)


def town(generator: Generator, palette: Array) -> Array:
    """Rows of houses under a sky."""
    image = _sky(generator, palette)
    draw = ImageDraw.Draw(image)
    for y in np.arange(generator.uniform(90, 130), SIZE + 40, generator.uniform(26, 50)):
        for x in np.arange(-10, SIZE, generator.uniform(22, 48)):
            _house(generator, draw, x + generator.uniform(-4, 4), y + generator.uniform(-8, 8), palette)
    return _finish(generator, np.asarray(image, np.float64) / 255)


def waves(generator: Generator, palette: Array) -> Array:
    """Water: crests one before another, with foam and lines along them."""
    image = _sky(generator, palette)
    draw = ImageDraw.Draw(image)
    for level in np.arange(70, SIZE + 20, generator.uniform(14, 30)):
        ridge = _hill(generator, draw, level, palette[int(generator.integers(0, 3))])
        crest = [(float(x), float(ridge[x])) for x in range(0, SIZE, 3)]
        draw.line(crest, _ink(palette[-1]), int(generator.integers(1, 5)))
        for below in range(4, 14, 4):
            draw.line([(x, y + below) for x, y in crest], _ink(palette[0]), 1)
    return _finish(generator, np.asarray(image, np.float64) / 255)


def _finish(generator: Generator, picture: Array) -> Array:
    # Half of the scenes are brushed, so that the same forms come with and without strokes.
    if generator.random() < 0.5:
        return np.asarray(ndimage.gaussian_filter(picture, (0.5, 0.5, 0)))
    angle, length = directions(generator, SIZE), int(generator.integers(3, 9))
    lines = stretch(smear(smooth(generator, SIZE, 1.2), angle, 2 * length))
    return relief(smear(picture, angle, length), lines, generator.uniform(0.1, 0.4))
