"""A river canyon late in the day: a height field cut by water, terraced by hard beds, seen from its rim."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .canvas import Field, Stops, colour, mix, ramp, shape_of, shrink, smoothstep
from .noise import fractal, perlin, ridged
from .sky import Sky, shine

SEED = 31
ASPECT = 1.3333
SUPERSAMPLING = 2
CELLS = 1536  # of the height field, a side; the land is a unit square
RIVER = 0.012  # height of the water, in sides of the land
SUN = (-0.78, 0.46, -0.05)  # right, up, forward
BEDS = ((0.0, 0.0), (0.10, 0.022), (0.13, 0.055), (0.28, 0.078), (0.315, 0.125), (0.46, 0.146), (0.49, 0.176),
        (0.62, 0.196), (0.655, 0.245), (0.80, 0.262), (0.83, 0.292), (1.0, 0.300))  # fmt: skip
ROCK: Stops = (
    (0.000, "#4a2a22"), (0.030, "#6d3a2a"), (0.055, "#8f4a2e"), (0.075, "#b26a42"), (0.085, "#7d3a28"),
    (0.118, "#b5502c"), (0.126, "#d98a55"), (0.146, "#a84a2a"), (0.160, "#d8814a"), (0.176, "#efc28e"),
    (0.190, "#b7603a"), (0.210, "#dc8850"), (0.232, "#f0bd85"), (0.246, "#c4683e"), (0.262, "#e2a06a"),
    (0.278, "#f3d8ae"), (0.292, "#e8c090"), (0.305, "#c79a68"),
)  # fmt: skip
SKY = Sky(
    gradient=((0.0, "#e9dccb"), (0.03, "#d3d9e2"), (0.09, "#a3c3e3"), (0.22, "#5f97d4"), (0.6, "#2a5da8")),
    sun=SUN, glow="#ffe7bf", lit="#fffaf0", shaded="#a9aec2", cover=0.05, seed=SEED + 4, scale=1.3,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Height [CELLS, CELLS] (rows run away from us), slopes, sunlight and openness to the sky (0..1)."""

    height: Field
    down: Field
    right: Field
    sunlit: Field
    open_sky: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Where we stand (right, away, up), in sides of the land; focal length and horizon in picture widths."""

    right: float = 0.50
    away: float = 0.010
    up: float = 0.365
    focal: float = 0.95
    horizon: float = 0.20


def _carve() -> Field:
    """How far each place is from the water: 0 on the river, 1 on the plateau; side canyons branch out."""
    y, x = np.mgrid[0:CELLS, 0:CELLS].astype(np.float32) / CELLS
    bent = x + 0.05 * fractal(x * 3, y * 3, seed=SEED, octaves=4)
    course = 0.47 + 0.11 * np.sin(y * 9.0 - 0.4) + 0.035 * np.sin(y * 21 + 1.4)
    distance = np.abs(bent - course) / (0.30 + 0.16 * y)
    branches = ridged(x * 4.2 + 3, y * 4.2, seed=SEED + 8, octaves=5, gain=0.45)
    rough = fractal(x * 11, y * 11, seed=SEED + 17, octaves=5)
    raw = 1.25 * distance**0.85 - 0.55 * (branches - 0.30) * smoothstep(0.06, 0.45, distance) + 0.075 * rough
    return np.asarray(np.clip(raw - 0.045, 0, 1), np.float32)


def _sunlight(height: Field) -> Field:
    """1 where no rock stands between a place and the sun, smooth at the edge of the shade."""
    coarse = height[::2, ::2]
    step = np.array([SUN[2], SUN[0]]) / np.hypot(SUN[0], SUN[2])
    rise = SUN[1] / np.hypot(SUN[0], SUN[2]) / len(coarse)
    over = np.full_like(coarse, -1.0)
    for reach in np.arange(1, 0.30 / rise, 1.5):
        over = np.maximum(over, _moved(coarse, reach * step) - reach * rise)
    shade = smoothstep(-0.001, 0.004, over - coarse)
    return np.asarray(ndimage.zoom(ndimage.gaussian_filter(1 - shade, 0.7), 2, order=1))


def _moved(values: Field, step: Field) -> Field:
    """The values found ``step`` (rows, columns) cells further on; edges repeat."""
    rows = np.clip(np.arange(values.shape[0]) + round(float(step[0])), 0, values.shape[0] - 1)
    columns = np.clip(np.arange(values.shape[1]) + round(float(step[1])), 0, values.shape[1] - 1)
    return values[rows][:, columns]


def _land() -> Land:
    y, x = np.mgrid[0:CELLS, 0:CELLS].astype(np.float32) / CELLS
    raw = _carve()
    height = np.interp(raw, *np.transpose(BEDS)).astype(np.float32)
    height += 0.0022 * fractal(x * 50, y * 50, seed=SEED + 40, octaves=4) * smoothstep(0.02, 0.1, raw)
    height = np.maximum(height, RIVER)
    down, right = np.gradient(height * CELLS)
    hollow = sum(ndimage.gaussian_filter(height, size) - height for size in (6, 24, 60)) * 30
    return Land(
        height=height,
        down=down,
        right=right,
        sunlit=_sunlight(height),
        open_sky=np.clip(0.85 - hollow, 0.15, 1.2),
    )


def _sample(values: Field, right: Field, away: Field) -> Field:
    # Beyond its edges the land goes on as its mirror image, which haze and distance hide.
    place = np.stack([away * CELLS, right * CELLS])
    return np.asarray(ndimage.map_coordinates(values, place, order=1, mode="mirror"))


def _first_hits(land: Land, camera: Camera, shape: tuple[int, int]) -> Field:
    """Distance away [H, W] at which each pixel's ray meets the land; infinite for the sky."""
    rows, columns = shape
    away = np.geomspace(0.012, 7.0, 1700).astype(np.float32)
    across = (np.arange(columns) + 0.5) / columns - 0.5
    right = camera.right + away[:, None] * across / camera.focal
    height = _sample(land.height, right, np.broadcast_to(camera.away + away[:, None], right.shape))
    seen = np.maximum.accumulate((height - camera.up) / away[:, None], axis=0)
    rise = (camera.horizon - (np.arange(rows) + 0.5) / columns) / camera.focal
    hits = np.empty(shape, np.float32)
    for column in range(columns):
        line = seen[:, column]
        index = np.searchsorted(line, rise)
        known = np.clip(index, 1, len(away) - 1)
        before, after = line[known - 1], line[known]
        part = np.clip((rise - before) / np.maximum(after - before, 1e-9), 0, 1)
        found = away[known - 1] + part * (away[known] - away[known - 1])
        hits[:, column] = np.where(index < len(away), found, np.inf)
    return hits


def _rock(height: Field, slope: Field, right: Field, away: Field) -> Field:
    """Bedded rock on cliffs, scree on slopes, scrub on ledges and on the rim."""
    wave = 0.006 * fractal(right * 6, away * 6, seed=SEED + 50, octaves=2)
    grain = fractal(right * 140, away * 140 + height * 300, seed=SEED + 51, octaves=3)
    bed = height + wave + 0.0016 * grain
    picture = ramp(bed, ROCK)
    fine = perlin(bed * 620, right * 9, seed=SEED + 52) + 0.7 * perlin(bed * 1700, right * 20, seed=SEED + 53)
    picture = picture * (1 + 0.34 * fine * smoothstep(0.3, 1.2, slope))[..., None]
    streak = perlin(right * 420, away * 420 + height * 6, seed=SEED + 54)
    picture = picture * (1 + 0.16 * streak * smoothstep(0.8, 2.0, slope))[..., None]
    scree = mix(picture, colour("#b98a60"), np.full(height.shape, 0.45))
    picture = mix(scree, picture, smoothstep(0.35, 1.1, slope))
    bushes = smoothstep(0.05, 0.35, fractal(right * 230, away * 230, seed=SEED + 55, octaves=2))
    patch = smoothstep(
        -0.25, 0.3, fractal(right * 22, away * 22, seed=SEED + 56, octaves=3) + 1.4 * (height - 0.25)
    )
    return mix(picture, colour("#5d6238"), 0.85 * bushes * patch * smoothstep(0.75, 0.25, slope))


def _lit(land: Land, picture: Field, right: Field, away: Field) -> Field:
    """Warm sunlight where the sun reaches, blue skylight everywhere, light thrown back from lit walls."""
    down, across = _sample(land.down, right, away), _sample(land.right, right, away)
    towards = np.asarray(SUN) / np.linalg.norm(SUN)
    facing = (towards[1] - towards[0] * across - towards[2] * down) / np.sqrt(1 + down**2 + across**2)
    sun = np.clip(facing, 0, 1) * _sample(land.sunlit, right, away)
    open_sky = _sample(land.open_sky, right, away)
    light = 1.62 * sun[..., None] * np.array([1.0, 0.86, 0.66]) + 0.40 * open_sky[..., None] * np.array(
        [0.80, 0.90, 1.18]
    )
    bright = picture * (light + 0.10 * np.array([1.0, 0.62, 0.42]))
    grey = bright.mean(axis=-1, keepdims=True)
    vivid = np.clip(grey + 1.38 * (bright - grey), 0, None) ** 1.12
    # A soft shoulder keeps bedding visible on walls that face the sun.
    return np.asarray(1.10 * (1 - np.exp(-1.30 * vivid)))


def paint(longest_side: int) -> Field:
    """The picture, [H, W, 3] in [0, 1]."""
    rows, columns = (side * SUPERSAMPLING for side in shape_of(longest_side, aspect=ASPECT))
    camera, land = Camera(), _land()
    hits = _first_hits(land, camera, (rows, columns))
    across = np.broadcast_to((np.arange(columns) + 0.5) / columns - 0.5, hits.shape) / camera.focal
    rise = np.broadcast_to(
        ((camera.horizon - (np.arange(rows) + 0.5) / columns) / camera.focal)[:, None], hits.shape
    )
    solid = np.isfinite(hits)
    picture = np.empty((rows, columns, 3), np.float32)
    length = np.sqrt(1 + across**2 + rise**2)[~solid]
    picture[~solid] = shine(SKY, across[~solid] / length, rise[~solid] / length, 1 / length)
    far = hits[solid]
    right, away, height = camera.right + far * across[solid], camera.away + far, camera.up + far * rise[solid]
    slope = np.hypot(_sample(land.down, right, away), _sample(land.right, right, away))
    ground = _lit(land, _rock(height, slope, right, away), right, away)
    wet = smoothstep(RIVER + 0.0012, RIVER + 0.0002, height)
    ripple = 0.06 * fractal(right * 90, away * 200, seed=SEED + 60, octaves=2)
    ground = mix(ground, ramp(0.5 + ripple * 4, ((0.2, "#2f6f6c"), (0.8, "#7fb5a6"))), wet)
    haze = 0.95 - 0.95 * np.exp(-np.clip(far - 0.15, 0, None) * 0.62)
    picture[solid] = mix(ground, colour("#c3cddf"), haze)
    return np.clip(shrink(picture, SUPERSAMPLING), 0, 1)
