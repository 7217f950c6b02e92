"""A comb of golden wax: jittered hexagonal cells with depth, some full of honey, some capped."""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from .canvas import Field, Stops, grid, mix, ramp, relief, shape_of, shrink, smoothstep
from .noise import fractal

SEED = 12
SUPERSAMPLING = 2
CELL = 0.105  # distance between cell centres, longest sides
WAX: Stops = ((0.0, "#5a2806"), (0.25, "#9a5310"), (0.5, "#d4902a"), (0.75, "#f2c45c"), (1.0, "#ffedb0"))
PIT: Stops = ((0.0, "#2a1003"), (0.4, "#6b3308"), (0.75, "#b06a16"), (1.0, "#e0a53a"))
HONEY: Stops = ((0.0, "#7a2f02"), (0.35, "#c25f04"), (0.65, "#f09a0c"), (0.9, "#ffc93f"), (1.0, "#ffe38a"))
ROUND = 0.032  # radius of the corners, in cells
EMPTY, FULL, CAPPED = 0, 1, 2


def _centres(random: np.random.Generator) -> Field:
    """Cell centres (x, y) on a jittered hexagonal lattice that overhangs the picture; [cells, 2]."""
    rows = np.arange(-2, 1 / (CELL * np.sqrt(0.75)) + 2)
    columns = np.arange(-2, 1 / CELL + 2)
    x = (columns[None] + 0.5 * (rows[:, None] % 2)) * CELL
    y = np.broadcast_to(rows[:, None] * CELL * np.sqrt(0.75), x.shape)
    centres = np.stack([x.ravel(), y.ravel()], axis=1)
    return centres + random.normal(0, 0.035 * CELL, centres.shape)


def _cells(x: Field, y: Field, centres: Field) -> tuple[np.ndarray, Field, Field, Field]:
    """For each pixel: its cell, distance to the nearest wall and offset from the centre, in cells."""
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    distance, which = cKDTree(centres).query(points, k=3, workers=1)
    own = centres[which[:, 0]]
    walls = []
    for other in (1, 2):
        apart = np.hypot(*(centres[which[:, other]] - own).T)
        walls.append((distance[:, other] ** 2 - distance[:, 0] ** 2) / (2 * apart))
    # A smooth minimum rounds the corners where three walls meet.
    wall = -ROUND * np.log(np.exp(-walls[0] / CELL / ROUND) + np.exp(-walls[1] / CELL / ROUND))
    offset = (points - own) / CELL
    return (
        which[:, 0].reshape(x.shape),
        wall.reshape(x.shape),
        offset[:, 0].reshape(x.shape),
        offset[:, 1].reshape(x.shape),
    )


def _kinds(centres: Field, random: np.random.Generator) -> np.ndarray:
    """Honey gathers in drifts, caps in the corner that was filled first, as on a real frame."""
    drift = fractal(centres[:, 0] * 2.4, centres[:, 1] * 2.4, seed=SEED, octaves=2) + random.normal(
        0, 0.10, len(centres)
    )
    corner = centres[:, 0] * 0.8 - centres[:, 1] + random.normal(0, 0.07, len(centres))
    return np.where(corner > 0.40, CAPPED, np.where(drift > -0.04, FULL, EMPTY))


def _rims(wall: Field, x: Field, y: Field) -> tuple[Field, Field]:
    """Mask of the wax walls and their rounded, slightly lumpy height."""
    width = 0.082 + 0.03 * fractal(x * 14, y * 14, seed=SEED + 3, octaves=2)
    rim = smoothstep(0.012, -0.012, wall - width)
    height = np.sqrt(np.clip(1 - (wall / (width + 0.05)) ** 2, 0, 1))
    return rim, height + 0.10 * fractal(x * 60, y * 60, seed=SEED + 4, octaves=3)


def _pit(wall: Field, across: Field, down: Field, tone: Field) -> Field:
    """An empty cell: six sloping sides lit from the upper left, darkening to a floor of three facets."""
    depth = smoothstep(0.10, 0.46, wall)
    side = 0.5 + 0.9 * (across * 0.6 + down * 0.8)
    facet = np.cos(3 * (np.arctan2(down, across) + 0.5)) * 0.10 * smoothstep(0.28, 0.34, wall)
    return ramp(np.clip(side * (1 - 0.72 * depth) + 0.12 * depth + facet + tone, 0, 1), PIT)


def _honey(wall: Field, across: Field, down: Field, tone: Field) -> Field:
    """A cell of honey: lit through from below, a bright meniscus at the wall, a window's glint."""
    glow = 0.46 + 0.42 * (across * 0.5 + down * 0.85) + tone
    meniscus = smoothstep(0.20, 0.12, wall)
    picture = ramp(np.clip(glow + 0.22 * meniscus * smoothstep(-0.3, 0.5, down), 0, 1), HONEY)
    shadow = smoothstep(0.26, 0.10, wall) * smoothstep(0.1, -0.4, across * 0.5 + down)
    picture = picture * (1 - 0.55 * shadow)[..., None]
    # The lamp stands elsewhere for every cell of an uneven comb, so glints differ as tones do.
    bend, shift = down + 0.8 * across**2 + 0.4 * tone, across + 0.05 + 0.7 * tone
    glint = smoothstep(0.075, 0.035, np.abs(bend + 0.20 + 0.25 * across)) * smoothstep(
        0.20, 0.11, np.abs(shift)
    )
    spark = smoothstep(0.05, 0.02, np.hypot(across - 0.18 - 0.5 * tone, down - 0.21 + 0.4 * tone))
    return np.asarray(picture + (0.62 * glint + 0.5 * spark)[..., None] * np.array([1.0, 0.95, 0.78]))


def _cap(wall: Field, x: Field, y: Field, tone: Field) -> Field:
    """A capped cell: a dull, dented lid of pale wax."""
    dome = smoothstep(0.05, 0.34, wall) * 0.55 + 0.22 * fractal(x * 38, y * 38, seed=SEED + 7, octaves=3)
    lambert, _ = relief(dome, towards=(-0.55, -0.75, 0.9), depth=0.020)
    return ramp(0.05 + 0.95 * lambert + 0.6 * tone, WAX)


def paint(longest_side: int) -> Field:
    """The picture, [H, W, 3] in [0, 1]."""
    random = np.random.default_rng(SEED)
    x, y = grid(shape_of(longest_side * SUPERSAMPLING, aspect=1.0))
    centres = _centres(random)
    bent_x = x + 0.012 * fractal(x * 4, y * 4, seed=SEED + 1, octaves=2)
    bent_y = y + 0.012 * fractal(x * 4, y * 4, seed=SEED + 2, octaves=2)
    which, wall, across, down = _cells(bent_x, bent_y, centres)
    kind, tone = _kinds(centres, random)[which], random.normal(0, 0.07, len(centres))[which]
    picture = _pit(wall, across, down, tone)
    picture = mix(picture, _honey(wall, across, down, tone), (kind == FULL).astype(float))
    picture = mix(picture, _cap(wall, x, y, tone), (kind == CAPPED).astype(float))
    rim, height = _rims(wall, x, y)
    lambert, mirror = relief(
        ndimage.gaussian_filter(height, longest_side / 700), towards=(-0.55, -0.75, 0.9), depth=0.012
    )
    wax = ramp(0.04 + 0.92 * lambert + 0.10 * fractal(x * 5, y * 5, seed=SEED + 5, octaves=3), WAX)
    picture = mix(picture, wax + 0.30 * (mirror**30)[..., None], rim * np.where(kind == CAPPED, 0.85, 1.0))
    lamp = 1.10 - 0.42 * np.hypot(x - 0.36, y - 0.34) + 0.10 * fractal(x * 2, y * 2, seed=SEED + 6, octaves=2)
    return np.clip(shrink(picture * lamp[..., None], SUPERSAMPLING), 0, 1)
