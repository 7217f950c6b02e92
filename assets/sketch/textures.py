"""Families of generated textures: each maps (generator, palette) to a picture [SIZE, SIZE, 3] in 0..1."""

import numpy as np
from scipy import ndimage

from assets.sketch.fields import (
    Array,
    Generator,
    colourise,
    coordinates,
    directions,
    nearest,
    noise,
    relief,
    smear,
    smooth,
    stretch,
)

SIZE = 256


def ground(generator: Generator, palette: Array) -> Array:
    """Blots of the palette's colours, smooth or with hard borders."""
    values = smooth(generator, SIZE, generator.uniform(6, 30))
    if generator.random() < 0.5:
        values = np.floor(values * 4.999) / 4
    return colourise(values, palette)


def flow_strokes(generator: Generator, palette: Array) -> Array:
    """Thick paint: blots and noise smeared along a field, lit from one side."""
    angle = directions(generator, SIZE)
    grain = smooth(generator, SIZE, generator.uniform(0.6, 2.5))
    length = int(generator.integers(6, 22))
    lines = stretch(smear(grain, angle, length))
    base = smear(ground(generator, palette), angle, length)
    mixed = 0.55 * base + 0.45 * colourise(lines, palette)
    return relief(mixed, lines, generator.uniform(0.0, 0.35))


def flow_lines(generator: Generator, palette: Array) -> Array:
    """Noise smeared far along a field and coloured by its value: hair, grain, water."""
    angle = directions(generator, SIZE)
    grain = smooth(generator, SIZE, generator.uniform(0.7, 3.0))
    return colourise(stretch(smear(grain, angle, int(generator.integers(12, 30)))), palette)


def pink_noise(generator: Generator, palette: Array) -> Array:
    """Noise of one exponent, each colour by itself or all through the palette."""
    power = generator.uniform(0.6, 2.2)
    if generator.random() < 0.5:
        return colourise(noise(generator, SIZE, power=power, coarsest=generator.choice([1, 4, 10])), palette)
    layers = np.stack([noise(generator, SIZE, power=power) for _ in range(3)], axis=-1)
    return np.asarray(np.clip(palette[2] + 0.9 * (layers - 0.5) @ (palette[[0, 1, 3]] - palette[2]), 0, 1))


def glass(generator: Generator, palette: Array) -> Array:
    """Voronoi cells, each of one colour, with leading between them."""
    points = generator.uniform(0, SIZE, (int(generator.integers(30, 500)), 2))
    distance, index = nearest(points, SIZE)
    picture = palette[generator.integers(0, len(palette), len(points))][index[..., 0]]
    picture = picture * (0.8 + 0.4 * generator.random(len(points)))[index[..., 0]][..., None]
    border = distance[..., 1] - distance[..., 0] < generator.uniform(1, 4)
    return np.asarray(np.where(border[..., None], palette[generator.choice([0, -1])], np.clip(picture, 0, 1)))


def cells(generator: Generator, palette: Array) -> Array:
    """Distance to the nearest of scattered points, shaded: pebbles and foam."""
    points = generator.uniform(0, SIZE, (int(generator.integers(40, 400)), 2))
    distance, _ = nearest(points, SIZE)
    values = distance[..., 0] / (distance[..., 1] + 1e-6) if generator.random() < 0.5 else distance[..., 0]
    return colourise(stretch(values), palette)


def rings(generator: Generator, palette: Array) -> Array:
    """Rings about a few centres, bent."""
    rows, columns = coordinates(SIZE)
    bend = generator.uniform(0, 20) * smooth(generator, SIZE, 15)
    centres = generator.uniform(0, SIZE, (int(generator.integers(1, 7)), 2))
    radius = np.min([np.hypot(rows - y, columns - x) for y, x in centres], axis=0) + bend
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * radius / generator.uniform(6, 28))
    if generator.random() < 0.5:
        wave = (wave > 0.5) * 1.0
    return colourise(0.75 * wave + 0.25 * smooth(generator, SIZE, 20), palette)


def lattice(generator: Generator, palette: Array) -> Array:
    """Two, three or four sets of parallel waves: squares, triangles, hexagons."""
    rows, columns = coordinates(SIZE)
    count, start = int(generator.integers(2, 5)), generator.uniform(0, np.pi)
    period = generator.uniform(8, 30)
    waves = [
        np.cos(2 * np.pi / period * (np.cos(a) * rows + np.sin(a) * columns))
        for a in start + np.arange(count) * np.pi / count
    ]
    total = np.max(waves, axis=0) if generator.random() < 0.5 else np.sum(waves, axis=0)
    values = stretch(total)
    if generator.random() < 0.4:
        values = (values > generator.uniform(0.3, 0.7)) * 1.0
    return colourise(values, palette)


def _warped(generator: Generator) -> tuple[Array, Array]:
    # Turned and bent coordinates, in pixels.
    rows, columns = coordinates(SIZE)
    angle, bend = generator.uniform(0, np.pi), generator.uniform(0, 25)
    rows = rows + bend * smooth(generator, SIZE, 18)
    columns = columns + bend * smooth(generator, SIZE, 18)
    return (
        np.cos(angle) * rows - np.sin(angle) * columns,
        np.sin(angle) * rows + np.cos(angle) * columns,
    )


def checker(generator: Generator, palette: Array) -> Array:
    """A bent checkerboard."""
    u, v = _warped(generator)
    side = generator.uniform(6, 30)
    parity = (np.floor(u / side) + np.floor(v / side)) % 2
    return colourise(0.8 * parity + 0.2 * smooth(generator, SIZE, 10), palette)


def stripes(generator: Generator, palette: Array) -> Array:
    """Bent stripes of several colours and unequal widths."""
    u, _ = _warped(generator)
    bands = np.floor(u / generator.uniform(4, 20)).astype(int)
    return np.asarray(palette[generator.integers(0, len(palette), 1024)][bands % 1024])


def engraving(generator: Generator, palette: Array) -> Array:
    """Lines whose thickness follows the tone, once or crossed: hatching and engraving."""
    tone = smooth(generator, SIZE, generator.uniform(10, 30))
    ink = np.zeros((SIZE, SIZE), bool)
    period = generator.uniform(4, 10)
    for layer in range(int(generator.integers(1, 4))):
        u, _ = _warped(generator)
        ink |= (u / period) % 1.0 < tone - 0.25 * layer
    blurred = ndimage.gaussian_filter(ink.astype(float), 0.6)
    return np.asarray(palette[-1] + blurred[..., None] * (palette[0] - palette[-1]))


def contours(generator: Generator, palette: Array) -> Array:
    """Flat bands of a smooth field with drawn outlines: woodcut prints."""
    values = noise(generator, SIZE, power=generator.uniform(1.8, 2.6))
    levels = np.floor(values * generator.integers(3, 12)).astype(int)
    picture = palette[(levels * int(generator.integers(1, 4))) % len(palette)]
    edge = ndimage.morphological_gradient(levels, size=int(generator.integers(2, 5))) > 0
    return np.asarray(np.where(edge[..., None] & (generator.random() < 0.8), palette[0] * 0.5, picture))


def marble(generator: Generator, palette: Array) -> Array:
    """Waves bent by noise: marble when bent much, wood when little."""
    u, v = _warped(generator)
    bend = generator.uniform(2, 40) * noise(generator, SIZE, power=1.8)
    wave = 0.5 + 0.5 * np.sin((u + bend) * 2 * np.pi / generator.uniform(12, 50))
    fine = smear(smooth(generator, SIZE, 1), np.full((SIZE, SIZE), 0.0), 8)
    return colourise(stretch(wave ** generator.uniform(0.5, 2) + 0.25 * fine + 0 * v), palette)


def halftone(generator: Generator, palette: Array) -> Array:
    """Dots on a turned grid whose size follows the tone."""
    u, v = _warped(generator)
    tone, period = smooth(generator, SIZE, generator.uniform(12, 40)), generator.uniform(6, 16)
    distance = np.hypot((u / period) % 1 - 0.5, (v / period) % 1 - 0.5)
    dot = 1 / (1 + np.exp(12 * (distance - 0.15 - 0.45 * tone) * period / 6))
    return np.asarray(palette[-1] + dot[..., None] * (colourise(tone, palette) - palette[-1]))


def bricks(generator: Generator, palette: Array) -> Array:
    """Courses of bricks, or square tiles when the offset is nought, each of its own colour."""
    u, v = _warped(generator)
    height, ratio = generator.uniform(8, 26), generator.choice([1.0, 2.0, 3.0])
    row = np.floor(u / height)
    shift = generator.choice([0.0, 0.5]) * (row % 2)
    column = np.floor(v / (height * ratio) + shift)
    number = ((row * 73 + column * 151) % 997).astype(int)
    picture = colourise(generator.random(997)[number], palette)
    gap = generator.uniform(0.05, 0.2)
    mortar = ((u / height) % 1 < gap) | ((v / (height * ratio) + shift) % 1 < gap / ratio)
    return np.where(mortar[..., None], palette[generator.choice([0, -1])], picture)


def scales(generator: Generator, palette: Array) -> Array:
    """Overlapping arcs: roof tiles, fish, seigaiha waves."""
    u, v = _warped(generator)
    width = generator.uniform(14, 40)
    picture, done = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE), bool)
    for step in range(3):
        row = np.floor(u / (width / 2)) - step
        x = (v / width + 0.5 * (row % 2)) % 1 - 0.5
        y = u / width - row / 2
        radius = np.hypot(x, y)
        here = ~done & (radius < 0.71)
        picture = np.where(here, 0.5 + 0.5 * np.cos(radius * 2 * np.pi * 3), picture)
        done |= here
    return colourise(stretch(picture + 0.3 * smooth(generator, SIZE, 20)), palette)
