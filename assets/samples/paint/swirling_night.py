"""A windy night over a lake: two counter-turning whirls, a crescent moon, a lit village, tall pines."""

import numpy as np

from .canvas import Field, Stops, blur, colour, grid, mix, ramp, shape_of, smoothstep
from .flow import Whirl, heading, streaks
from .noise import fractal
from .strokes import Brush, oil

SEED = 1889
ASPECT = 1.28
SHORE = 0.565  # far edge of the lake, in longest sides from the top
SKY: Stops = (
    (0.0, "#0a1238"), (0.22, "#122a6b"), (0.42, "#1f4fa3"), (0.58, "#3f7fc4"),
    (0.74, "#7fb3d5"), (0.88, "#c9dcc6"), (1.0, "#f3e7a4"),
)  # fmt: skip
GLOW: Stops = (
    (0.0, "#fffbe0"),
    (0.2, "#fff0a0"),
    (0.38, "#ffd23f"),
    (0.58, "#e9a92c"),
    (0.78, "#a9b978"),
    (1.0, "#3f7fc4"),
)
WHIRLS = (
    Whirl(x=0.47, y=0.245, radius=0.175, turn=1, tightness=8, pull=3.5),
    Whirl(x=0.715, y=0.345, radius=0.115, turn=-1, tightness=7, pull=3.5),
    Whirl(x=0.165, y=0.405, radius=0.085, turn=-1, tightness=6, pull=3.5),
)
MOON = (0.165, 0.16, 0.065)
STARS = (
    (0.345, 0.060, 0.017), (0.64, 0.070, 0.024), (0.76, 0.175, 0.013), (0.835, 0.080, 0.030),
    (0.30, 0.365, 0.016), (0.040, 0.315, 0.014), (0.965, 0.19, 0.018), (0.56, 0.43, 0.013),
    (0.035, 0.040, 0.016), (0.43, 0.445, 0.010), (0.49, 0.030, 0.009), (0.955, 0.035, 0.010),
    (0.25, 0.030, 0.008), (0.83, 0.25, 0.010),
)  # fmt: skip
BRUSHES = (
    Brush(width=0.026, length=0.12, coverage=2.2, brightness=0.04, hue=0.02),
    Brush(width=0.013, length=0.070, coverage=2.4, brightness=0.055, hue=0.025, only_where=0.02),
    Brush(width=0.0075, length=0.040, coverage=1.5, brightness=0.055, hue=0.03, only_where=0.07),
    Brush(width=0.0045, length=0.016, coverage=2.5, brightness=0.035, hue=0.02, only_where=0.13),
)


def _lamps(x: Field, y: Field) -> tuple[Field, Field]:
    """How near a moon or star is, in its halo's radii (1 is the edge), and the angle of its rings."""
    nearest, ring = np.full(x.shape, 9.0), np.zeros(x.shape)
    for left, top, radius in (MOON, *STARS):
        distance = np.hypot(x - left, y - top) / (radius * 2.3)
        ring = np.where(distance < nearest, np.arctan2(y - top, x - left) + np.pi / 2, ring)
        nearest = np.minimum(nearest, distance)
    return nearest, ring


def _sky(x: Field, y: Field, angle: Field) -> Field:
    """Blues in streaks and spiral arms, paler towards the horizon, with haloes round every light."""
    value = (
        0.24 + 0.36 * smoothstep(0.15, SHORE, y) + 0.075 * streaks(angle, length=0.16, grain=0.012, seed=SEED)
    )
    value += sum(0.40 * whirl.bands(x, y) + 0.12 * np.exp(-(whirl.polar(x, y)[0] ** 2)) for whirl in WHIRLS)
    value += 0.10 * fractal(x * 5, y * 9, seed=SEED, octaves=3)
    near, _ = _lamps(x, y)
    rings = near + 0.035 * np.cos(near * 26)
    sky = mix(ramp(value, SKY), ramp(rings, GLOW), 1 - smoothstep(0.5, 1.05, near))
    left, top, radius = MOON
    sky = mix(sky, colour("#e08a1e"), smoothstep(1.0, 0.9, np.hypot(x - left, y - top) / radius))
    return mix(sky, colour("#fff7cf"), _crescent(x, y))


def _crescent(x: Field, y: Field) -> Field:
    left, top, radius = MOON
    disc = np.hypot(x - left, y - top) - radius
    bite = radius * 0.86 - np.hypot(x - left - 0.55 * radius, y - top + 0.22 * radius)
    return smoothstep(0.004, -0.004, np.maximum(disc, bite))


def _hills(picture: Field, x: Field, y: Field, angle: Field) -> tuple[Field, Field]:
    """Three ranges above the shore, each darker than the one behind it; strokes follow their slopes."""
    for i, (top, swing, dark, light) in enumerate(
        [
            (0.475, 0.045, "#2a4f8f", "#6f9cc4"),
            (0.512, 0.034, "#17336b", "#3f6aa0"),
            (0.545, 0.020, "#0c1f47", "#2a4d6e"),
        ]
    ):
        crest = top + swing * 1.6 * fractal(x * (3.2 + 2 * i), x * 0 + 3.7 * i, seed=SEED + 7 * i, octaves=3)
        inside = smoothstep(-0.002, 0.002, y - crest)
        slope = np.arctan(np.gradient(crest, axis=1) * x.shape[1])
        shade = np.clip((y - crest) / 0.05 + 0.35 * np.sin((y - crest) * 190 + x * 14), 0, 1)
        picture = mix(picture, ramp(shade, ((0, light), (1, dark))), inside)
        angle = np.where(inside > 0.5, slope, angle)
    return picture, angle


def _village(picture: Field, x: Field, y: Field) -> Field:
    """Houses along the far shore, windows lit, and a round tower with a pointed roof."""
    random = np.random.default_rng(SEED)
    for left in np.arange(0.27, 0.78, 0.042) + random.uniform(-0.012, 0.012, 13):
        width, wall = random.uniform(0.017, 0.024), random.uniform(0.024, 0.038)
        tower = abs(left - 0.60) < 0.021
        wall, roof = (0.085, 0.060) if tower else (wall, random.uniform(0.018, 0.028))
        dx, up = np.abs(x - left), SHORE + 0.004 - y
        picture = mix(
            picture,
            colour(random.choice(["#1b2c5c", "#243a6b", "#33456e"])),
            (dx < width) & (up > 0) & (up < wall),
        )
        inside_roof = (up >= wall) & (up < wall + roof * (1 - dx / (width * 1.25)))
        picture = mix(picture, colour(random.choice(["#0a1028", "#5a2f3a", "#0f1a3c"])), inside_roof)
        for across in (-0.45, 0.45):
            pane = (np.abs(x - left - across * width) < 0.0042) & (np.abs(up - wall * 0.55) < 0.0062)
            picture = mix(picture, colour(random.choice(["#ffd65a", "#ffb52e", "#ffe9a0"])), pane)
    return picture


def _lake(picture: Field, x: Field, y: Field) -> Field:
    """The scene above the shore turned over, darker, broken into level ripples that widen towards us."""
    depth = np.clip(y - SHORE, 0, None)
    sway = 0.030 * fractal(x * 7, y * 60, seed=SEED + 5, octaves=2) * (0.3 + depth * 6)
    rows = np.clip((SHORE - depth * 1.7) * max(x.shape), 0, x.shape[0] - 1).astype(int)
    columns = np.clip((x + sway) * max(x.shape), 0, x.shape[1] - 1).astype(int)
    mirrored = blur(picture, 0.004)[rows, columns]
    water = mirrored * 0.72 + colour("#0b1c52") * 0.30
    ripple = smoothstep(0.15, 0.5, fractal(x * 6, y * 46, seed=SEED + 9, octaves=3))
    water = mix(water, colour("#8fbfdc"), 0.34 * ripple)
    return mix(picture, water, smoothstep(-0.001, 0.001, y - SHORE))


def _pines(picture: Field, x: Field, y: Field, angle: Field) -> tuple[Field, Field]:
    """Dark flame-shaped trees on the near bank at the right, and the bank itself."""
    bank = 0.735 - 0.085 * smoothstep(0.45, 1.0, x) + 0.012 * fractal(x * 9, x * 0, seed=SEED + 3, octaves=3)
    inside = smoothstep(-0.002, 0.003, y - bank)
    grass = ramp(
        0.5 + 0.9 * fractal(x * 30, y * 18, seed=SEED + 4, octaves=2),
        ((0, "#060d1f"), (0.6, "#12303a"), (1, "#3f6b4a")),
    )
    picture, angle = mix(picture, grass, inside), np.where(inside > 0.5, -1.25 + 0.5 * np.sin(x * 40), angle)
    for left, top, width in (
        (0.965, 0.30, 0.036),
        (0.825, 0.405, 0.030),
        (0.895, 0.215, 0.047),
        (0.765, 0.53, 0.02),
    ):
        t = np.clip((y - top) / (0.75 - top), 0, 1)
        lean = 0.016 * np.sin(t * 9 + left * 30) * (1 - t)
        edge = (
            width
            * t**0.62
            * (1 - 0.45 * t**4)
            * (1 + 0.35 * fractal(x * 26, y * 34, seed=SEED + 6, octaves=2))
        )
        side = (x - left - lean) / np.maximum(edge, 1e-4)
        tree = smoothstep(1.06, 0.94, np.abs(side)) * (y > top)
        tone = (
            0.34
            - 0.30 * side
            + 0.42 * np.sin(side * 5 + t * 30 + 3 * fractal(x * 12, y * 12, seed=SEED, octaves=2))
        )
        picture = mix(
            picture, ramp(tone, ((0, "#050b18"), (0.5, "#0d2530"), (0.85, "#1f4a40"), (1.2, "#5f8a4a"))), tree
        )
        angle = np.where(tree > 0.5, -np.pi / 2 + 0.55 * side + 0.3 * np.sin(t * 22), angle)
    return picture, angle


def paint(longest_side: int) -> Field:
    """The picture, [H, W, 3] in [0, 1]."""
    x, y = grid(shape_of(longest_side, aspect=ASPECT))
    drift = 0.32 * np.sin(x * 7.5 + 0.6) + 0.5 * fractal(x * 3, y * 3, seed=SEED, octaves=2)
    angle = heading(x, y, drift=drift, whirls=WHIRLS)
    near, ring = _lamps(x, y)
    angle = np.where(near < 1.05, ring, angle)
    picture, angle = _hills(_sky(x, y, angle), x, y, angle)
    picture = _lake(_village(picture, x, y), x, y)
    angle = np.where((np.abs(y - SHORE + 0.02) < 0.024) & (np.abs(x - 0.52) < 0.27), np.pi / 2, angle)
    angle = np.where((np.abs(y - SHORE + 0.06) < 0.07) & (np.abs(x - 0.60) < 0.02), np.pi / 2, angle)
    angle = np.where(y > SHORE, 0.12 * fractal(x * 8, y * 30, seed=SEED, octaves=2), angle)
    picture, angle = _pines(picture, x, y, angle)
    return oil(np.clip(picture, 0, 1).astype(np.float32), angle, BRUSHES, seed=SEED)
