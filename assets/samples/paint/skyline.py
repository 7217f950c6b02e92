"""A harbour city in low evening sun: ray-traced towers, windows and shadows, mirrored in rippled water."""

import numpy as np
from scipy import ndimage

from .canvas import Field, colour, mix, ramp, shape_of, shrink, smoothstep
from .city import SHORE, Boxes, Hits, Shade, build, cast, to_city, trace, weathering
from .noise import fractal, perlin
from .sky import Sky, shine

SEED = 2026
ASPECT = 1.3333
SUPERSAMPLING = 2
FOCAL, HORIZON = 1.02, 0.515  # in picture widths, from the top
EYE = np.array([0.0, 9.0, 0.0])
SUN = (-0.80, 0.27, -0.30)
SKY = Sky(
    gradient=((0.0, "#fbc78c"), (0.06, "#f6c8a2"), (0.15, "#d3c3c8"), (0.26, "#8fabd3"),
              (0.45, "#5683c0"), (0.8, "#2f5a9d")),
    sun=(-0.66, 0.10, 0.74), glow="#ffdca6", lit="#ffe9d2", shaded="#9a93b0",
    cover=0.06, seed=SEED, scale=1.25,
)  # fmt: skip
# Wall, glass, and how much of a storey and of a bay is glass.
FACADES = (
    ("#d9c3a3", "#41566b", 0.55, 0.52), ("#a9633f", "#33424f", 0.52, 0.46),
    ("#8fa3b3", "#27506f", 0.84, 0.90),
    ("#e6e0d4", "#3d5f7c", 0.60, 0.80), ("#5b5f68", "#1d3448", 0.78, 0.86),
    ("#b98f6a", "#3a4856", 0.56, 0.50),
)  # fmt: skip


def _paint_walls(boxes: Boxes, hits: Hits, points: Field, directions: Field) -> Field:
    """Colours [N, 3] of walls, windows and roofs before light; the sky lies on the glass."""
    box, axis = hits.box, hits.axis
    table = np.array([[*colour(wall), *colour(glass), tall, wide] for wall, glass, tall, wide in FACADES])[
        boxes.facade[box]
    ]
    along = np.where(axis == 0, points[:, 2] - boxes.low[box, 2], points[:, 0] - boxes.low[box, 0])
    up = points[:, 1] - boxes.low[box, 1]
    storey, bay = up / boxes.storey[box], along / boxes.bay[box]
    left = boxes.high[box, 1] - points[:, 1]
    glazed = (np.abs(storey % 1 - 0.5) < table[:, 6] / 2) & (np.abs(bay % 1 - 0.5) < table[:, 7] / 2)
    glazed &= (axis != 1) & (left > 2.5) & (boxes.high[box, 0] - boxes.low[box, 0] > 8)
    walls = table[:, :3] * (boxes.shade[box] * weathering(along + 40 * box, points[:, 1]))[:, None]
    walls = np.where((axis == 1)[:, None], np.array([0.42, 0.40, 0.40]), walls)
    bounced = directions.copy()
    np.put_along_axis(
        bounced,
        axis[:, None].astype(np.intp),
        -np.take_along_axis(directions, axis[:, None].astype(np.intp), 1),
        1,
    )
    wobble = 0.05 * perlin(np.floor(storey) * 7.31 + box * 1.7, np.floor(bay) * 3.77 + 0.5, seed=SEED)
    mirrored = ramp(np.clip(np.abs(bounced[:, 1]) + 0.10 + wobble, 0, 1), SKY.gradient)
    panes = table[:, 3:6] * 0.55 + 0.42 * mirrored
    return mix(walls, panes, glazed.astype(float))


def _lamps(boxes: Boxes, hits: Hits, points: Field) -> Field:
    """Light [N, 3] of rooms where somebody is at home."""
    box = hits.box
    along = np.where(hits.axis == 0, points[:, 2] - boxes.low[box, 2], points[:, 0] - boxes.low[box, 0])
    storey, bay = (points[:, 1] - boxes.low[box, 1]) / boxes.storey[box], along / boxes.bay[box]
    pane = (np.abs(storey % 1 - 0.5) < 0.27) & (np.abs(bay % 1 - 0.5) < 0.27) & (hits.axis != 1)
    lot = (
        np.sin(np.floor(storey) * 127.1 + np.floor(bay) * 311.7 + box * 74.7 + hits.axis * 19.3) * 43758.5453
    ) % 1
    return np.asarray(
        (pane & (lot < 0.06))[:, None] * np.array([0.95, 0.68, 0.32]) * (0.5 + 9 * lot[:, None])
    )


def _light(colours: Field, hits: Hits, points: Field, shade: Shade) -> Field:
    """Orange sun where it reaches, blue sky elsewhere, darker near the streets."""
    x, z = to_city(np.asarray(SUN[0]), np.asarray(SUN[2]))
    sun = np.array([x, SUN[1], z]) / np.linalg.norm(SUN)
    facing = np.clip(sun[hits.axis] * hits.sign, 0, 1)
    off = 5.0 * hits.sign  # look beside the wall, not into it
    reached = shade.sunlit(
        points[:, 0] + off * (hits.axis == 0), points[:, 1] + 2.0, points[:, 2] + off * (hits.axis == 2)
    )
    open_sky = 0.45 + 0.55 * smoothstep(0, 70, points[:, 1])
    warm = 2.15 * (facing * reached)[:, None] * np.array([1.0, 0.70, 0.42])
    cool = (0.50 * open_sky * np.where(hits.axis == 1, 1.25, 1.0))[:, None] * np.array([0.78, 0.88, 1.12])
    return np.asarray(colours * (warm + cool))


def _scene(boxes: Boxes, shade: Shade, *, eye: Field, across: Field, rise: Field, focal: float) -> Field:
    """Sky and city [H, W, 3] for rays that go ``across`` [W] and ``rise`` [H] for each unit forward."""
    right, up = np.meshgrid(across, rise)
    length = np.sqrt(1 + right**2 + up**2)
    x, z = to_city(right, np.ones_like(right))
    directions = np.stack([x, up, z], axis=-1)
    centre = (
        float(np.interp(0, -rise, np.arange(len(rise)))),
        float(np.interp(0, across, np.arange(len(across)))),
    )
    hits = trace(boxes, directions, eye=eye, focal=focal, centre=centre)
    picture = shine(SKY, right / length, up / length, 1 / length)
    solid = np.isfinite(hits.distance)
    seen = Hits(
        distance=hits.distance[solid], box=hits.box[solid], axis=hits.axis[solid], sign=hits.sign[solid]
    )
    start = np.array([*to_city(eye[0], eye[2])])
    rays = directions[solid]
    points = np.array([start[0], eye[1], start[1]]) + rays * seen.distance[:, None]
    walls = _light(_paint_walls(boxes, seen, points, rays / length[solid][:, None]), seen, points, shade)
    walls = 1.06 * (1 - np.exp(-1.5 * walls)) + _lamps(boxes, seen, points) * 0.55
    haze = 0.92 * (1 - np.exp(-np.clip(seen.distance - 420, 0, None) / 1000))
    air = ramp(points[:, 1], ((0, "#dcb9a5"), (120, "#c9bcc6"), (300, "#b3bdd6")))
    picture[solid] = mix(walls, air, haze)
    return picture


def _trees(picture: Field, across: Field, rise: Field) -> Field:
    """A quay wall with a row of trees and lamps in front of the first houses."""
    right, up = np.meshgrid(across * SHORE, EYE[1] + rise * SHORE)
    crowns = (
        10
        + 5.5 * np.abs(perlin(right / 11, right * 0, seed=SEED)) * 2
        + 2.5 * perlin(right / 2.6, up / 3, seed=SEED + 1)
    )
    crowns *= smoothstep(-0.32, -0.05, perlin(right / 90, right * 0 + 3, seed=SEED + 2))
    leaves = (
        0.5
        + 0.9 * fractal(right / 5, up / 4, seed=SEED + 3, octaves=3)
        + (up - 8) / 18
        - 0.25 * np.sin(right / 5.5)
    )
    picture = mix(
        picture,
        ramp(leaves, ((0, "#1c2a22"), (0.5, "#3e4a2c"), (1.0, "#8f7a3c"), (1.3, "#c99a4c"))),
        (up > 0) & (up < crowns),
    )
    quay = ramp(
        up + 0.7 * perlin(right / 6, up / 1.2, seed=SEED + 4),
        ((0, "#4b433f"), (2.5, "#7d6a5b"), (3.6, "#c59f7c")),
    )
    return mix(picture, quay, (up >= -30) & (up < 3.8))


def _water(above: Field, mirrored: Field, rise: Field, across: Field) -> Field:
    """The mirrored scene seen in ripples: shaken sideways little, up and down much, and darkened near us."""
    rows = np.flatnonzero(rise < EYE[1] / -SHORE)
    forward = EYE[1] / -rise[rows][:, None]
    right = across * forward
    swell = fractal(right / 5.5, forward / 16, seed=SEED + 5, octaves=3) + 0.8 * perlin(
        right / 40, forward / 75, seed=SEED + 6
    )
    chop = fractal(right / 1.5, forward / 5, seed=SEED + 7, octaves=2)
    pixels = mirrored.shape[1]
    fading = np.clip(90 / forward, 0.10, 1.0)
    lift = (0.030 * swell + 0.014 * chop) * (0.25 + fading) * pixels
    slide = 0.007 * chop * pixels
    place = np.stack([rows[:, None] + lift, np.arange(pixels) + slide])
    soft = ndimage.gaussian_filter(mirrored, (pixels / 380, pixels / 900, 0))
    seen = np.stack(
        [ndimage.map_coordinates(soft[..., i], place, order=1, mode="nearest") for i in range(3)], axis=-1
    )
    tilt = np.clip(0.5 + 0.9 * swell + 0.6 * chop, 0, 1)
    deep = ramp(tilt, ((0, "#0f2a3d"), (1, "#2e5a72")))
    near = smoothstep(240, 18, forward) * np.ones_like(tilt)
    water = mix(seen * np.array([0.88, 0.90, 0.93]), deep, 0.16 + near * (0.20 + 0.42 * tilt))
    above[rows] = water
    return above


def paint(longest_side: int) -> Field:
    """The picture, [H, W, 3] in [0, 1]."""
    rows, columns = (side * SUPERSAMPLING for side in shape_of(longest_side, aspect=ASPECT))
    across = ((np.arange(columns) + 0.5) / columns - 0.5) / FOCAL
    rise = (HORIZON - (np.arange(rows) + 0.5) / columns) / FOCAL
    boxes = build(SEED)
    x, z = to_city(np.asarray(SUN[0]), np.asarray(SUN[2]))
    shade = cast(boxes, np.array([x, SUN[1], z]) / np.linalg.norm(SUN))
    horizon = int(np.searchsorted(-rise, 0.03))
    above: Field = np.zeros((rows, columns, 3))
    above[:horizon] = _scene(boxes, shade, eye=EYE, across=across, rise=rise[:horizon], focal=FOCAL * columns)
    above = _trees(above, across, rise)
    # What the water mirrors is the scene above turned over about the horizon; we stand low, so that
    # the difference to a second camera under the water is less than its ripples.
    mirror_rows = np.clip(2 * HORIZON * columns - np.arange(rows) - 1, 0, rows - 1).astype(int)
    picture = _water(above.copy(), above[mirror_rows], rise, across)
    return np.clip(shrink(picture, SUPERSAMPLING), 0, 1)
