"""A made-up city of boxes, and rays to see it by. Lengths are metres; axes are right, up and forward."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .canvas import Field, smoothstep
from .noise import perlin

BLOCK = 62.0
YAW = np.radians(27.0)  # of the streets against our line of sight, so that each tower shows two sides
SHORE = 470.0  # where land begins, forward of us


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Blocks aligned with the streets: low and high corners [N, 3] in the city's frame, and looks [N]."""

    low: Field
    high: Field
    facade: np.ndarray  # index of a material
    storey: Field  # height of a row of windows
    bay: Field  # width of a column of windows
    shade: Field  # brightness against its material


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """For each ray: distance (infinite for none), box, and the face met: axis 0..2, sign of its normal."""

    distance: Field
    box: np.ndarray
    axis: np.ndarray
    sign: np.ndarray


def to_city(right: Field, forward: Field) -> tuple[Field, Field]:
    """Our axes turned to the streets'."""
    cosine, sine = np.cos(YAW), np.sin(YAW)
    return cosine * right + sine * forward, cosine * forward - sine * right


def from_city(x: Field, z: Field) -> tuple[Field, Field]:
    """The streets' axes turned to ours."""
    cosine, sine = np.cos(YAW), np.sin(YAW)
    return cosine * x - sine * z, sine * x + cosine * z


def _tower(x: float, z: float, height: float, random: np.random.Generator) -> list[tuple[float, ...]]:
    """Stacked boxes (x, z, half width, half depth, bottom, top): a base, setbacks, plant room or spire."""
    wide, deep = random.uniform(15, 24, 2)
    storeys: list[tuple[float, ...]] = [(x, z, wide, deep, 0.0, height)]
    if height > 70 and random.random() < 0.65:
        waist = height * random.uniform(0.45, 0.75)
        slim = random.uniform(0.62, 0.82)
        storeys = [(x, z, wide, deep, 0.0, waist), (x, z, wide * slim, deep * slim, waist, height)]
        if height > 130:
            crown = height * random.uniform(1.05, 1.14)
            storeys.append((x, z, wide * slim * 0.6, deep * slim * 0.6, height, crown))
    top, (_, _, wide, deep, _, _) = storeys[-1][5], storeys[-1]
    if height > 215:
        storeys += [(x, z, 2.6, 2.6, top, top + 26), (x, z, 1.1, 1.1, top + 26, top + 62)]
    elif height > 185:
        storeys.append((x, z, 4.0, 4.0, top, top + 14))
    elif wide > 7:
        shift = random.uniform(-0.3, 0.3, 2)
        storeys.append((x + wide * shift[0], z + deep * shift[1], wide * 0.4, deep * 0.35, top, top + 5))
    return storeys


def _height(right: float, forward: float, random: np.random.Generator) -> float:
    """Two clusters of towers, mid-rise between them, low houses at the edges."""
    middle = 225 * np.exp(-(((right - 70) / 150) ** 2) - ((forward - 850) / 260) ** 2)
    second = 150 * np.exp(-(((right + 290) / 95) ** 2) - ((forward - 900) / 260) ** 2)
    base = 24 + 22 * np.exp(-((right / 500) ** 2))
    return float(base * random.uniform(0.6, 1.7) + (middle + second) * random.uniform(0.35, 1.12))


def build(seed: int) -> Boxes:
    """The city: a block to each crossing of two streets, where there is land in view."""
    random = np.random.default_rng(seed)
    rows, looks = [], []
    for i in range(-24, 34):
        for k in range(-8, 34):
            x, z = i * BLOCK + random.uniform(-7, 7), k * BLOCK + random.uniform(-7, 7)
            right, forward = (float(value) for value in from_city(np.asarray(x), np.asarray(z)))
            height, look = (
                _height(right, forward, random),
                (
                    random.integers(6),
                    random.uniform(4.6, 7.5),
                    random.uniform(4.2, 8.0),
                    random.uniform(0.8, 1.15),
                ),
            )
            tower = _tower(x, z, height, random)
            if SHORE + 42 < forward < 1500 and abs(right) < 0.56 * forward + 60:
                rows += tower
                looks += [look] * len(tower)
    x, z, wide, deep, bottom, top = np.array(rows).T
    facade, storey, bay, shade = (np.array(column) for column in zip(*looks, strict=True))
    low, high = np.stack([x - wide, bottom, z - deep], axis=1), np.stack([x + wide, top, z + deep], axis=1)
    return Boxes(low=low, high=high, facade=facade, storey=storey, bay=bay, shade=shade)


def _window(
    low: Field, high: Field, *, eye: Field, focal: float, centre: tuple[float, float], shape: tuple[int, int]
) -> tuple[slice, slice]:
    """The rows and columns of pixels in which a box can appear."""
    corners = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    right, forward = from_city(corners[:, 0], corners[:, 2])
    columns = centre[1] + focal * (right - eye[0]) / (forward - eye[2])
    rows = centre[0] - focal * (corners[:, 1] - eye[1]) / (forward - eye[2])
    return (
        slice(max(int(rows.min()) - 1, 0), max(min(int(rows.max()) + 2, shape[0]), 0)),
        slice(max(int(columns.min()) - 1, 0), max(min(int(columns.max()) + 2, shape[1]), 0)),
    )


def trace(boxes: Boxes, directions: Field, *, eye: Field, focal: float, centre: tuple[float, float]) -> Hits:
    """First box met by each ray of a pinhole camera (slab test of Kay and Kajiya 1986).

    directions: [H, W, 3] in the city's frame. eye: (right, up, forward). focal, centre (row, column): pixels.
    """
    shape = directions.shape[:2]
    x, z = to_city(eye[0], eye[2])
    start = np.array([x, eye[1], z])
    with np.errstate(divide="ignore"):
        inverse = (1 / directions).astype(np.float32)
    distance, box = np.full(shape, np.inf, np.float32), np.full(shape, -1, np.int32)
    axis = np.zeros(shape, np.int8)
    for index in range(len(boxes.low)):
        window = _window(
            boxes.low[index], boxes.high[index], eye=eye, focal=focal, centre=centre, shape=shape
        )
        part = inverse[window]
        if not part.size:
            continue
        one, two = (boxes.low[index] - start) * part, (boxes.high[index] - start) * part
        entries = np.minimum(one, two)
        near = entries.max(axis=-1)
        hit = (near <= np.maximum(one, two).min(axis=-1)) & (near > 0) & (near < distance[window])
        distance[window] = np.where(hit, near, distance[window])
        box[window] = np.where(hit, index, box[window])
        axis[window] = np.where(hit, entries.argmax(axis=-1), axis[window])
    heading = np.take_along_axis(directions, axis[..., None].astype(np.intp), axis=-1)[..., 0]
    return Hits(distance=distance, box=box, axis=axis, sign=-np.sign(heading))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """Height [rows z, columns x] under which the sun is hidden; cells of ``cell`` metres from ``origin``."""

    height: Field
    origin: tuple[float, float]  # x, z of the first cell
    cell: float = 4.0

    def sunlit(self, x: Field, y: Field, z: Field) -> Field:
        """1 where the sun reaches the points, 0 where it does not."""
        place = np.stack([(z - self.origin[1]) / self.cell, (x - self.origin[0]) / self.cell])
        hidden = ndimage.map_coordinates(self.height, place, order=1, mode="nearest")
        return smoothstep(-3.0, 3.0, y - hidden)


def cast(boxes: Boxes, sun: Field) -> Shade:
    """Slide every roof away from the sun, sinking with distance, and keep the highest (sun: city's frame)."""
    cell, margin = 4.0, 60.0
    origin = (float(boxes.low[:, 0].min()) - margin, float(boxes.low[:, 2].min()) - margin)
    columns, rows = (
        int((boxes.high[:, a].max() + margin - o) / cell) for a, o in zip((0, 2), origin, strict=True)
    )
    roofs = np.zeros((rows, columns), np.float32)
    for low, high in zip(boxes.low, boxes.high, strict=True):
        left, right = (int((value - origin[0]) / cell + 0.5) for value in (low[0], high[0]))
        near, far = (int((value - origin[1]) / cell + 0.5) for value in (low[2], high[2]))
        roofs[near:far, left:right] = np.maximum(roofs[near:far, left:right], high[1])
    flat = np.hypot(sun[0], sun[2])
    hidden = np.zeros_like(roofs)
    for reach in np.arange(1.0, roofs.max() * flat / sun[1] / cell, 1.0):
        away = np.clip(np.arange(rows) + round(reach * sun[2] / flat), 0, rows - 1)
        aside = np.clip(np.arange(columns) + round(reach * sun[0] / flat), 0, columns - 1)
        hidden = np.maximum(hidden, roofs[away][:, aside] - reach * cell * sun[1] / flat)
    return Shade(height=hidden, origin=origin, cell=cell)


def weathering(x: Field, y: Field) -> Field:
    """Streaks and patches of walls, about 1."""
    return 1 + 0.10 * perlin(x * 0.05, y * 0.02, seed=3) + 0.05 * perlin(x * 0.4, y * 0.07, seed=4)
