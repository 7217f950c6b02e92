"""More families, drawn stroke by stroke: (generator, palette) to a picture [SIZE, SIZE, 3] in 0..1."""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from assets.sketch.fields import (
    Array,
    Generator,
    coordinates,
    directions,
    nearest,
    noise,
    smear,
    smooth,
    stretch,
)
from assets.sketch.textures import SIZE, ground

Colour = tuple[int, int, int]


def _ink(colour: Array) -> Colour:
    red, green, blue = (round(255 * float(np.clip(value, 0, 1))) for value in colour)
    return red, green, blue


def _canvas(colour: Array) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (SIZE, SIZE), _ink(colour))
    return image, ImageDraw.Draw(image)


def _picture(image: Image.Image) -> Array:
    return np.asarray(image, np.float64) / 255


def brush_marks(generator: Generator, palette: Array) -> Array:
    """Short strokes laid along a field, coloured by the blots under them."""
    base, angle = ground(generator, palette), directions(generator, SIZE)
    image, draw = _canvas(palette[int(generator.integers(len(palette)))])
    length, width = generator.uniform(6, 26), generator.uniform(2, 7)
    for y, x in generator.uniform(0, SIZE, (int(90000 / (length * width)), 2)):
        turn, colour = angle[int(y), int(x)], base[int(y), int(x)] + generator.normal(0, 0.06)
        reach = length * generator.uniform(0.6, 1.4)
        dx, dy = reach / 2 * np.cos(turn), reach / 2 * np.sin(turn)
        draw.line((x - dx, y - dy, x + dx, y + dy), _ink(colour), max(1, int(width)))
    return _picture(image)


def long_strokes(generator: Generator, palette: Array) -> Array:
    """Long curved strokes that follow a field, each of one colour with a darker edge."""
    base, angle = ground(generator, palette), directions(generator, SIZE)
    image, draw = _canvas(palette[0])
    width = int(generator.integers(3, 10))
    for y, x in generator.uniform(0, SIZE, (int(3200 / width), 2)):
        colour = base[int(y), int(x)] + generator.normal(0, 0.05)
        path = [(x, y)]
        for _ in range(int(generator.integers(6, 24))):
            turn = angle[int(y) % SIZE, int(x) % SIZE]
            x, y = x + 4 * np.cos(turn), y + 4 * np.sin(turn)
            path.append((x, y))
        draw.line(path, _ink(colour * 0.7), width + 2, joint="curve")
        draw.line(path, _ink(colour), width, joint="curve")
    return _picture(image)


def dots(generator: Generator, palette: Array) -> Array:
    """Pointillism: round touches of pure colour."""
    base = ground(generator, palette)
    image, draw = _canvas(palette[-1])
    radius = generator.uniform(1.2, 5)
    for y, x in generator.uniform(0, SIZE, (int(60000 / (3 * radius**2)), 2)):
        colour = (
            palette[int(generator.integers(len(palette)))]
            if generator.random() < 0.3
            else base[int(y), int(x)]
        )
        r = radius * generator.uniform(0.7, 1.3)
        draw.ellipse((x - r, y - r, x + r, y + r), _ink(colour))
    return _picture(image)


def dead_leaves(generator: Generator, palette: Array) -> Array:
    """Discs, boxes or leaves of power-law sizes, one over another (Lee, Mumford and Huang 2001)."""
    image, draw = _canvas(palette[0])
    kind, smallest = generator.integers(3), generator.uniform(3, 8)
    for _ in range(1500):
        y, x = generator.uniform(-10, SIZE + 10, 2)
        r = min(smallest / np.sqrt(generator.random() + 1e-3), 70)
        colour = _ink(palette[int(generator.integers(len(palette)))] * generator.uniform(0.75, 1.2))
        edge = _ink(palette[0] * 0.5) if kind == 2 else None
        turn, ratio = generator.uniform(0, np.pi), generator.uniform(0.3, 1.0)
        around = np.linspace(0, 2 * np.pi, 5 if kind == 1 else 18)[:-1]
        u, v = r * np.cos(around), r * ratio * np.sin(around)
        points = np.stack(
            [x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)], 1
        )
        draw.polygon([(float(a), float(b)) for a, b in points], colour, edge)
    return _picture(image)


def scribbles(generator: Generator, palette: Array) -> Array:
    """Pen lines that wander, over paper or a wash."""
    base = (
        ground(generator, palette)
        if generator.random() < 0.5
        else np.broadcast_to(palette[-1], (SIZE, SIZE, 3))
    )
    image = Image.fromarray((255 * base).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    curl, width = generator.uniform(0.05, 0.6), int(generator.integers(1, 4))
    for _ in range(int(generator.integers(15, 60))):
        turns = generator.uniform(0, 7) + np.cumsum(generator.normal(0, curl, 80))
        path = generator.uniform(0, SIZE, 2) + np.cumsum(4 * np.stack([np.cos(turns), np.sin(turns)], 1), 0)
        colour = palette[int(generator.integers(0, 3))]
        draw.line([(float(x), float(y)) for x, y in path], _ink(colour), width, joint="curve")
    return _picture(image)


def facets(generator: Generator, palette: Array) -> Array:
    """A plane cut again and again by lines, each piece shaded across: cubism."""
    rows, columns = coordinates(SIZE)
    number, shade = np.zeros((SIZE, SIZE), int), np.zeros((SIZE, SIZE))
    for cut in range(int(generator.integers(5, 12))):
        y, x = generator.uniform(0, SIZE, 2)
        turn = generator.uniform(0, 2 * np.pi)
        side = (rows - y) * np.cos(turn) + (columns - x) * np.sin(turn)
        number = number * 2 + (side > 0)
        shade += np.exp(-np.abs(side) / 30) * np.sign(side) * 0.35 / np.sqrt(cut + 1)
    colours = palette[(number * 7919 % 10007) % len(palette)]
    return np.asarray(np.clip(colours * (1 + shade[..., None]), 0, 1))


def mosaic(generator: Generator, palette: Array) -> Array:
    """Small stones on a jittered grid, coloured by the picture under them, grout between."""
    side = generator.uniform(6, 16)
    grid = np.stack(np.meshgrid(*[np.arange(side / 2, SIZE, side)] * 2, indexing="ij"), -1).reshape(-1, 2)
    points = np.clip(grid + generator.normal(0, side * generator.uniform(0.03, 0.2), grid.shape), 0, SIZE - 1)
    distance, index = nearest(points, SIZE)
    base = ground(generator, palette)[points[:, 0].astype(int), points[:, 1].astype(int)]
    base = np.clip(base + generator.normal(0, 0.06, (len(points), 1)), 0, 1)
    grout = distance[..., 1] - distance[..., 0] < generator.uniform(0.8, 2)
    return np.asarray(np.where(grout[..., None], palette[generator.choice([0, -1])], base[index[..., 0]]))


def spots(generator: Generator, palette: Array) -> Array:
    """Noise of one wavelength, cut in two: spots, mazes, zebra stripes (after Turing 1952)."""
    sigma, angle = generator.uniform(1.5, 6), directions(generator, SIZE)
    field = smooth(generator, SIZE, sigma) - 0.5
    if generator.random() < 0.6:
        field = smear(field, angle, int(4 * sigma))
    band = field - ndimage.gaussian_filter(field, 1.8 * sigma, mode="wrap")
    mask = 1 / (1 + np.exp(-12 * (band / band.std() + generator.uniform(-0.5, 0.5))))[..., None]
    return np.asarray(ground(generator, palette) * (1 - mask) + palette[generator.choice([0, -1])] * mask)


def weave(generator: Generator, palette: Array) -> Array:
    """Threads over and under."""
    rows, columns = coordinates(SIZE)
    side, twill = generator.uniform(5, 16), int(generator.integers(2, 5))
    i, j = np.floor(rows / side), np.floor(columns / side)
    over = (i + j) % twill == 0
    across, along = np.abs((rows / side) % 1 - 0.5), np.abs((columns / side) % 1 - 0.5)
    shade = 1 - np.where(over, across, along) * 1.3
    warp = palette[generator.integers(0, len(palette), 64)]
    colour = np.where(over[..., None], warp[i.astype(int) % 64], warp[::-1][j.astype(int) % 64])
    return np.asarray(
        np.clip(colour * shade[..., None] + 0.05 * (smooth(generator, SIZE, 1)[..., None] - 0.5), 0, 1)
    )


def glyphs(generator: Generator, palette: Array) -> Array:
    """Rows of drawn signs: writing."""
    image, draw = _canvas(palette[-1])
    side = int(generator.integers(10, 26))
    signs = generator.uniform(0.1, 0.9, (12, 5, 2))
    for top in range(0, SIZE, int(side * 1.3)):
        for left in range(0, SIZE, side):
            sign = signs[int(generator.integers(12))] * side + (left, top)
            draw.line([(float(x), float(y)) for x, y in sign], _ink(palette[0]), max(1, side // 9))
    return _picture(image)


def grass(generator: Generator, palette: Array) -> Array:
    """Blades that grow from the ground and bend with one wind."""
    image, draw = _canvas(palette[0])
    wind, tall = generator.uniform(-0.8, 0.8), generator.uniform(15, 50)
    for y in np.sort(generator.uniform(0, SIZE + tall, int(40000 / tall))):
        x, bend = generator.uniform(-10, SIZE + 10), wind + generator.normal(0, 0.25)
        path = [(x + bend * tall * t * t, y - tall * t) for t in np.linspace(0, 1, 5)]
        draw.line(path, _ink(palette[int(generator.integers(len(palette)))] * generator.uniform(0.7, 1.2)), 2)
    return _picture(image)


def clouds(generator: Generator, palette: Array) -> Array:
    """A graded sky with soft clouds, or with swirls smeared through it."""
    rows, _ = coordinates(SIZE)
    height = (rows / SIZE)[..., None]
    sky = palette[1] * (1 - height) + palette[-1] * height
    cover = np.clip(stretch(noise(generator, SIZE, power=generator.uniform(1.3, 2.0))) * 2 - 0.9, 0, 1)
    if generator.random() < 0.5:
        cover = smear(cover, directions(generator, SIZE), 10)
    return np.asarray(sky * (1 - cover[..., None]) + np.clip(palette[3] * 1.2, 0, 1) * cover[..., None])
