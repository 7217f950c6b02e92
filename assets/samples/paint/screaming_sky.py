"""A burning evening over black-blue water: wavy bands of fire, dark headlands, two sailing boats."""

import numpy as np

from .canvas import Field, Stops, blur, colour, grid, mix, ramp, shape_of, smoothstep
from .flow import streaks
from .noise import fractal
from .strokes import Brush, oil

SEED = 1893
ASPECT = 1.0 / 1.12
HORIZON = 0.545
FIRE: Stops = (
    (0.0, "#7c1410"), (0.14, "#b8230f"), (0.30, "#de4413"), (0.46, "#f06d1a"), (0.60, "#f79a2b"),
    (0.74, "#fbc64d"), (0.86, "#f6dd8d"), (0.94, "#d9cfa0"), (1.0, "#8fb0b0"),
)  # fmt: skip
WATER: Stops = (
    (0.0, "#050c1c"), (0.3, "#0b1f3d"), (0.52, "#15395c"), (0.70, "#2b6478"), (0.84, "#7a7f6a"),
    (0.93, "#dd8a3a"), (1.0, "#ffc861"),
)  # fmt: skip
LAND: Stops = ((0.0, "#070b16"), (0.35, "#14233a"), (0.6, "#2a3f4a"), (0.8, "#5d3b35"), (1.0, "#c0561f"))
BRUSHES = (
    Brush(width=0.024, length=0.22, coverage=2.4, brightness=0.035, hue=0.03, wander=0.05),
    Brush(width=0.012, length=0.15, coverage=2.6, brightness=0.05, hue=0.035, wander=0.05),
    Brush(width=0.007, length=0.085, coverage=2.2, brightness=0.05, hue=0.035, only_where=0.06),
    Brush(width=0.0045, length=0.022, coverage=2.4, brightness=0.03, hue=0.02, only_where=0.14),
)


def _along(field: Field) -> Field:
    """Directions that keep ``field`` constant: strokes then run along its bands."""
    down, right = np.gradient(blur(field, 0.004))
    return np.asarray(np.arctan2(-right, down))


def _sky(x: Field, y: Field) -> tuple[Field, Field]:
    """Bands that swing like a banner in slow wind, narrower towards the horizon."""
    swing = 0.062 * np.sin(x * 6.6 + 1.2 + 3.0 * y) + 0.034 * np.sin(x * 14.5 - 6 * y + 0.4)
    height = y + (swing + 0.10 * fractal(x * 2.3, y * 2.0, seed=SEED, octaves=2)) * smoothstep(
        HORIZON + 0.02, 0.18, y
    )
    angle = _along(height)
    bands = 0.5 + 0.5 * np.sin(
        height * (34 + 26 * y) + 2.2 * fractal(x * 1.5, height * 5, seed=SEED + 1, octaves=2)
    )
    value = 0.10 + 0.50 * bands + 0.30 * smoothstep(0.1, HORIZON, y) - 0.14 * smoothstep(0.16, 0.0, y)
    value += 0.055 * streaks(angle, length=0.3, grain=0.010, seed=SEED)
    cool = smoothstep(0.80, 0.98, np.sin(height * 17 + 0.9)) * smoothstep(0.42, 0.25, y)
    picture = mix(ramp(value, FIRE), colour("#2e6f88"), 0.75 * cool)
    sun = np.hypot(x - 0.33, (y - HORIZON + 0.075) * 1.05)
    glow = smoothstep(0.19, 0.02, sun)
    picture = mix(picture, colour("#ffe9a6"), 0.7 * glow)
    # Near the sun the strokes go round it.
    angle = np.where(
        (sun < 0.075) & (sun > 0.018), np.arctan2(y - HORIZON + 0.075, x - 0.33) + np.pi / 2, angle
    )
    return mix(picture, colour("#fffbe2"), smoothstep(0.046, 0.040, sun)), angle


def _water(x: Field, y: Field) -> tuple[Field, Field]:
    """Black-blue eddies that turn round a bay, with the fire lying on them in broken ribbons."""
    depth = np.clip(y - HORIZON, 0, None)
    bend = 0.075 * np.sin(x * 5.0 - 0.8 + 6 * depth) * smoothstep(0, 0.3, depth)
    level = (
        depth + bend + 0.06 * fractal(x * 3, y * 3.5, seed=SEED + 2, octaves=2) * smoothstep(0, 0.2, depth)
    )
    angle = _along(level + 1e-3 * depth)
    bands = 0.5 + 0.5 * np.sin(
        80 * level / (1 + 1.5 * depth) + 3 * fractal(x * 2, y * 2, seed=SEED + 3, octaves=2)
    )
    value = 0.08 + 0.52 * bands + 0.05 * streaks(angle, length=0.25, grain=0.009, seed=SEED + 4)
    path = np.exp(-(((x - 0.33 - 0.5 * bend) / (0.035 + 0.32 * depth)) ** 2))
    value += path * (0.28 + 0.55 * bands) * (1 - 0.9 * depth) + 0.16 * smoothstep(0.05, 0, depth)
    return ramp(value, WATER), angle


def _headlands(picture: Field, angle: Field, x: Field, y: Field) -> tuple[Field, Field]:
    """Hills that slide into the bay from both sides, contour on contour."""
    rough = 0.020 * fractal(x * 7, x * 0, seed=SEED + 5, octaves=3)
    for crest, base in (
        (
            HORIZON - 0.085 * smoothstep(0.45, 0.95, x) - 0.020 * np.sin(x * 16) * smoothstep(0.5, 0.8, x),
            HORIZON + 0.004,
        ),
        (HORIZON + 0.012 - 0.075 * smoothstep(0.24, 0.0, x), HORIZON + 0.030 * smoothstep(0.25, 0, x)),
        (
            HORIZON + 0.045 - 0.13 * smoothstep(0.68, 1.0, x),
            HORIZON + 0.006 + 0.13 * smoothstep(0.60, 1.0, x),
        ),
    ):
        crest = crest + rough
        inside = smoothstep(0, 0.003, y - crest) * smoothstep(0, 0.003, base - y)
        below = (y - crest) / 0.10
        tone = 0.20 + 0.28 * np.sin(below * 9 + x * 12 + 3 * rough * 60) + 0.75 * np.exp(-below * 6)
        picture = mix(picture, ramp(tone, LAND), inside)
        angle = np.where(
            inside > 0.5, np.arctan(np.gradient(crest, axis=1) * max(x.shape)) * (1 - 0.3 * below), angle
        )
    return picture, angle


def _boat(picture: Field, angle: Field, *, left: float, water: float, size: float) -> tuple[Field, Field]:
    """A sailing boat, dark against the light, and its broken reflection; strokes rise with the sails."""
    rows, columns = angle.shape
    x, y = grid((rows, columns))
    u, up = (x - left) / size, (water - y) / size
    hull = (up > -0.08) & (up < 0.10 + 0.10 * u**2) & (np.abs(u) < 0.48 + 0.35 * up)
    main = (up > 0.15) & (u > 0.02) & (u < 0.42 * (1 - (up - 0.15) / 1.0))
    fore = (up > 0.18) & (u < -0.02) & (u > -0.40 * (1 - (up - 0.18) / 0.78))
    picture = mix(picture, colour("#4a1712"), (main | fore).astype(float))
    picture = mix(picture, colour("#d8531c"), ((main & (u > 0.12)) | (fore & (u > -0.12))) * 0.75)
    picture = mix(
        picture, colour("#0a0c14"), (hull | ((np.abs(u) < 0.016) & (up > 0) & (up < 1.2))).astype(float)
    )
    shadow = (up < -0.08) & (up > -0.9) & (np.abs(u + 0.08 * np.sin(up * 26)) < 0.36 * (1 + up))
    angle = np.where(main | fore, -np.pi / 2 + 0.30 * np.sign(u), angle)
    angle = np.where(hull, 0.2 * u, angle)
    return mix(picture, colour("#070d1c"), shadow * 0.75), angle


def paint(longest_side: int) -> Field:
    """The picture, [H, W, 3] in [0, 1]."""
    x, y = grid(shape_of(longest_side, aspect=ASPECT))
    (sky, sky_angle), (water, water_angle) = _sky(x, y), _water(x, y)
    below = smoothstep(-0.001, 0.001, y - HORIZON)
    picture, angle = mix(sky, water, below), np.where(below > 0.5, water_angle, sky_angle)
    picture, angle = _headlands(picture, angle, x, y)
    picture, angle = _boat(picture, angle, left=0.57, water=0.675, size=0.17)
    picture, angle = _boat(picture, angle, left=0.185, water=0.583, size=0.06)
    return oil(np.clip(picture, 0, 1).astype(np.float32), angle, BRUSHES, seed=SEED)
