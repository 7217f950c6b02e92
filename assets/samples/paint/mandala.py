"""A mandala on indigo cloth: inked rings of petals, scallops and beads; a quarter of one in each corner."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .canvas import Field, colour, grid, mix, ramp, shape_of, shrink, smoothstep
from .noise import fractal

SEED = 108
SUPERSAMPLING = 2
INK = "#1a0f2b"
LINE = 0.0022  # width of an ink line, longest sides


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """``count`` equal figures about the centre between two radii, or a plain disc where ``count`` is 0."""

    figure: str  # petal, lotus, bead, scallop or disc
    count: int
    inner: float
    outer: float
    tints: Sequence[str]  # nested fills, outermost first
    half_turn: bool = False  # between the figures of its neighbours
    width: float = 1.0  # of a petal, against its share of the circle


RINGS = (
    Ring(
        figure="lotus",
        count=24,
        inner=0.33,
        outer=0.492,
        tints=("#0e6b78", "#16a39a", "#8be0c4", "#0e6b78"),
        width=1.5,
    ),
    Ring(
        figure="lotus",
        count=24,
        inner=0.33,
        outer=0.455,
        tints=("#b3123f", "#f2456b", "#ffd0b8"),
        half_turn=True,
        width=1.1,
    ),
    Ring(figure="disc", count=0, inner=0, outer=0.388, tints=("#f5b93b",)),
    Ring(figure="bead", count=72, inner=0.366, outer=0.384, tints=("#7a1f5e", "#fff3d6")),
    Ring(figure="disc", count=0, inner=0, outer=0.362, tints=("#3b1a6e",)),
    Ring(
        figure="scallop",
        count=36,
        inner=0.30,
        outer=0.358,
        tints=("#ef6c1f", "#ffc24a", "#fff0c2", "#c2304f"),
    ),
    Ring(figure="disc", count=0, inner=0, outer=0.318, tints=("#123a7a",)),
    Ring(
        figure="petal",
        count=18,
        inner=0.185,
        outer=0.316,
        tints=("#fff0cf", "#f59bb0", "#d6286a", "#ffd24d"),
        width=1.15,
    ),
    Ring(
        figure="petal",
        count=18,
        inner=0.225,
        outer=0.318,
        tints=("#1fb5a8", "#0b5f73", "#f9e2a0"),
        half_turn=True,
        width=0.7,
    ),
    Ring(figure="disc", count=0, inner=0, outer=0.222, tints=("#f5b93b",)),
    Ring(figure="disc", count=0, inner=0, outer=0.214, tints=("#8c1250",)),
    Ring(figure="bead", count=36, inner=0.188, outer=0.211, tints=("#ffd76a", "#fff7e0")),
    Ring(
        figure="lotus",
        count=12,
        inner=0.075,
        outer=0.186,
        tints=("#f4f0d8", "#ffb347", "#ef5a24", "#7c1a56"),
        width=1.45,
    ),
    Ring(
        figure="lotus",
        count=12,
        inner=0.075,
        outer=0.152,
        tints=("#144a9c", "#3d9be0", "#d5f0ff"),
        half_turn=True,
        width=1.3,
    ),
    Ring(figure="disc", count=0, inner=0, outer=0.088, tints=("#f5b93b",)),
    Ring(figure="bead", count=24, inner=0.072, outer=0.085, tints=("#6b1552", "#ff9db0")),
    Ring(figure="disc", count=0, inner=0, outer=0.070, tints=("#17306e",)),
    Ring(
        figure="petal", count=8, inner=0.012, outer=0.068, tints=("#ffe9a8", "#f78f2d", "#c81e5a"), width=1.1
    ),
    Ring(figure="bead", count=8, inner=0.046, outer=0.062, tints=("#25b8b0", "#eafff4"), half_turn=True),
    Ring(figure="disc", count=0, inner=0, outer=0.021, tints=("#fff3c4", "#e8872a", "#fff3c4")),
)


def _figure(ring: Ring, radius: Field, angle: Field) -> Field:
    """Depth inside the ring's figures, in longest sides: positive within, 0 on the outline."""
    if not ring.count:
        return np.asarray(ring.outer - radius)
    share = 2 * np.pi / ring.count
    folded = (angle + share * (0.5 if ring.half_turn else 0.0) + share / 2) % share - share / 2
    along, across = radius * np.cos(folded) - ring.inner, np.abs(radius * np.sin(folded))
    length = ring.outer - ring.inner
    if ring.figure == "bead":
        return np.asarray(length / 2 - np.hypot(along - length / 2, across))
    half = share * (ring.inner + ring.outer) / 4
    if ring.figure == "scallop":
        return np.asarray(np.minimum(half - np.hypot(along - length + half, across), along))
    t = np.clip(along / length, 0, 1)
    # A lotus petal is widest near its tip and ends in a point; a plain one is widest in its middle.
    outline = t**0.8 * np.sqrt(1 - t) * 1.9 if ring.figure == "lotus" else np.sin(np.pi * t**0.85)
    depth = half * ring.width * outline - across
    return np.asarray(np.where((along > 0) & (along < length), depth * 0.8, -np.abs(along)))


def _inlay(picture: Field, ring: Ring, depth: Field, radius: Field) -> Field:
    """Fill nested bands inside the figures, shade them towards the centre, and ink every outline."""
    thickest = float(depth.max())
    shade = 0.80 + 0.28 * np.clip((radius - ring.inner) / (ring.outer - ring.inner), 0, 1)
    drop = smoothstep(-0.012, 0.0, depth) * (depth < 0)
    picture = picture * (1 - 0.42 * drop)[..., None]
    for i, tint in enumerate(ring.tints):
        inside = depth - thickest * 0.30 * i
        swell = 0.90 + 0.16 * np.clip(inside / thickest, 0, 1)
        picture = mix(picture, colour(tint) * (shade * swell)[..., None], smoothstep(-0.0004, 0.0004, inside))
        weight = LINE * (1.0 if i == 0 else 0.55)
        picture = mix(picture, colour(INK), smoothstep(weight, weight * 0.45, np.abs(inside)))
    return picture


def _wheel(picture: Field, x: Field, y: Field, rings: Sequence[Ring], *, scale: float) -> Field:
    """Every ring about the origin, from the rim inwards, ``scale`` times its size."""
    radius, angle = np.hypot(x, y) / scale, np.arctan2(y, x)
    rows, columns = np.nonzero(radius < 0.52)
    window = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    part, radius, angle = picture[window], radius[window], angle[window]
    for ring in rings:
        near = np.abs(radius - (ring.inner + ring.outer) / 2) < (ring.outer - ring.inner) / 2 + 0.015
        depth = _figure(ring, radius[near], angle[near])
        part[near] = _inlay(part[near], ring, depth, radius[near])
    picture[window] = part
    return picture


def _cloth(x: Field, y: Field) -> Field:
    """Indigo cloth with overlapping fans and a printed dot in each."""
    size = 0.052
    picture = np.broadcast_to(colour("#241a52"), (*x.shape, 3)).copy()
    tone = 0.5 + fractal(x * 3, y * 3, seed=SEED, octaves=3)
    picture = mix(picture, colour("#3a2478"), np.clip(tone, 0, 1) * 0.8)
    for row in range(-1, int(2 / size) + 2):
        strip = slice(*np.searchsorted(y[:, 0], ((row / 2 - 0.5) * size, (row / 2 + 0.5) * size)))
        across = (x[strip] + size / 2 * (row % 2)) % size - size / 2
        away = np.hypot(across, y[strip] - row * size / 2) / size
        fan = ramp(np.cos(away * 2 * np.pi * 6), ((0.25, "#2a1d5e"), (0.6, "#6a4db3")))
        picture[strip] = mix(picture[strip], fan, away < 0.5)
        picture[strip] = mix(picture[strip], colour("#f0b64a"), smoothstep(0.075, 0.055, away))
    return picture


def paint(longest_side: int) -> Field:
    """The picture, [H, W, 3] in [0, 1]."""
    x, y = grid(shape_of(longest_side * SUPERSAMPLING, aspect=1.0))
    picture = _cloth(x, y)
    # The hand that inks is not quite steady.
    x = x + 0.0011 * fractal(x * 24, y * 24, seed=SEED + 1, octaves=2)
    y = y + 0.0011 * fractal(x * 24, y * 24, seed=SEED + 2, octaves=2)
    for corner_x in (0.0, 1.0):
        for corner_y in (0.0, 1.0):
            picture = _wheel(picture, x - corner_x, y - corner_y, RINGS[7:], scale=0.62)
    picture = _wheel(picture, x - 0.5, y - 0.5, RINGS, scale=0.995)
    grain = (
        1
        + 0.05 * fractal(x * 160, y * 160, seed=SEED + 3, octaves=2)
        + 0.07 * fractal(x * 6, y * 6, seed=SEED + 4, octaves=2)
    )
    return np.asarray(np.clip(shrink(picture * grain[..., None], SUPERSAMPLING), 0, 1))
