"""Oil paint: a reference picture becomes thousands of curved, bristly, lit brush strokes.

The order of work, large brushes first and small ones where detail is missing, follows Hertzmann (1998),
"Painterly rendering with curved brush strokes of multiple sizes". Strokes are arcs rather than splines.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .canvas import Field, blur, relief

ACROSS, ALONG, BRUSHES = 48, 128, 12
LEAVES = 0.45  # sum of three sRGB differences at which a stroke has left its object


@dataclass(frozen=True, slots=True, kw_only=True)
class Brush:
    """One pass of strokes: sizes in longest sides, variation as standard deviations of sRGB values."""

    width: float
    length: float
    coverage: float  # painted area over picture area, before strokes overlap
    brightness: float = 0.05
    hue: float = 0.02
    wander: float = 0.08  # radians off the flow
    only_where: float = 0.0  # least difference from the reference that asks for a stroke


@dataclass(slots=True)
class Paint:
    """The wet canvas: colour [H, W, 3] and thickness of paint [H, W] (0..1)."""

    colour: Field
    thickness: Field


def bristles(random: np.random.Generator) -> tuple[Field, Field]:
    """Opacity and thickness of ``BRUSHES`` brush marks, each [BRUSHES, ACROSS, ALONG] in [0, 1]."""
    across, along = np.linspace(-1, 1, ACROSS)[:, None], np.linspace(-1, 1, ALONG)
    hairs = random.normal(size=(BRUSHES, ACROSS, ALONG))
    hairs = ndimage.gaussian_filter(hairs, (0, 0.9, 26), mode=("nearest", "nearest", "nearest"))
    hairs /= hairs.std(axis=(1, 2), keepdims=True)
    ragged = 0.16 * ndimage.gaussian_filter1d(random.normal(size=(BRUSHES, ACROSS, 1)), 1.2, axis=1)
    body = np.clip((1 - np.abs(across)) * 5, 0, 1) * np.clip((1 - np.abs(along) + ragged - 0.1) * 7, 0, 1)
    # A brush runs dry towards its end: thin hairs stop covering first.
    dry = np.clip(1.35 + 0.5 * hairs - 0.75 * (along + 1) / 2, 0, 1)
    ridge = 0.5 + 0.16 * hairs + 0.22 * np.abs(across) ** 3
    return (body * dry).astype(np.float32), np.clip(body * ridge, 0, 1).astype(np.float32)


def _stamp(
    paint: Paint, mark: tuple[Field, Field], *, at: Field, size: Field, turn: Field, tint: Field
) -> None:
    """Lay one arc, in pixels: ``at`` (x, y), ``size`` (length, width), ``turn`` (angle, curvature)."""
    rows, columns = paint.thickness.shape
    reach = int(np.hypot(*size) / 2) + 2
    x, y = int(at[0]), int(at[1])
    left, right, top, bottom = (
        max(x - reach, 0),
        min(x + reach, columns),
        max(y - reach, 0),
        min(y + reach, rows),
    )
    if left >= right or top >= bottom:
        return
    dx = np.arange(left, right, dtype=np.float32) - at[0]
    dy = np.arange(top, bottom, dtype=np.float32)[:, None] - at[1]
    cosine, sine = np.cos(turn[0]), np.sin(turn[0])
    u = cosine * dx + sine * dy
    v = cosine * dy - sine * dx - 0.5 * turn[1] * u * u
    column = ((u / size[0] + 0.5) * ALONG).astype(np.int32)
    row = ((v / size[1] + 0.5) * ACROSS).astype(np.int32)
    inside = (np.abs(u) < size[0] / 2) & (np.abs(v) < size[1] / 2)
    index = np.where(inside, row * ALONG + column, 0)
    alpha = mark[0].ravel()[index] * inside
    thick = mark[1].ravel()[index]
    window = (slice(top, bottom), slice(left, right))
    paint.colour[window] += (tint - paint.colour[window]) * alpha[..., None]
    paint.thickness[window] += (thick - paint.thickness[window]) * alpha


def _positions(shape: tuple[int, int], brush: Brush, random: np.random.Generator) -> Field:
    """Stroke centres (x, y) in pixels: a jittered grid, so that no patch stays bare, in random order."""
    longest = max(shape)
    step = np.sqrt(brush.width * brush.length / brush.coverage) * longest
    y, x = np.mgrid[0 : shape[0] + step : step, 0 : shape[1] + step : step]
    centres = np.stack([x.ravel(), y.ravel()], axis=1)
    centres += random.uniform(-0.7, 0.7, centres.shape) * step
    return np.asarray(random.permutation(centres))


def _curvature(angle: Field) -> Field:
    """How fast a direction field turns along itself, 1/pixel; a direction and its opposite are one."""
    # Doubling the angle makes opposite directions equal, so that derivatives do not jump.
    double = np.stack([np.cos(2 * angle), np.sin(2 * angle)])
    down, right = np.gradient(double, axis=1), np.gradient(double, axis=2)
    along = right * np.cos(angle) + down * np.sin(angle)
    return np.asarray((double[0] * along[1] - double[1] * along[0]) / 2)


def _shorten(lengths: Field, picture: Field, centres: Field, angles: Field) -> Field:
    """Halve, up to twice, the strokes whose ends would leave the colour that they start from."""
    limits = np.array([picture.shape[1] - 1, picture.shape[0] - 1])
    heading = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def seen(offset: Field | float) -> Field:
        x, y = np.clip(centres + heading * np.reshape(offset, (-1, 1)), 0, limits).astype(int).T
        return np.asarray(picture[y, x])

    for _ in range(2):
        ends = [np.abs(seen(side * lengths) - seen(0.0)).sum(axis=-1) for side in (-0.4, 0.4)]
        lengths = np.where(np.maximum(*ends) > LEAVES, lengths / 2, lengths)
    return lengths


def lay(paint: Paint, reference: Field, angle: Field, brush: Brush, *, random: np.random.Generator) -> None:
    """One pass of one brush over the whole canvas, following ``angle`` [H, W] in radians."""
    shape = angle.shape
    longest = max(shape)
    marks = bristles(random)
    wanted = blur(reference, brush.width * 0.25)
    missing = np.abs(paint.colour - wanted).sum(axis=-1)
    curve = ndimage.gaussian_filter(_curvature(angle), brush.width * longest * 0.5)
    centres = _positions((shape[0], shape[1]), brush, random)
    columns = np.clip(centres[:, 0].astype(int), 0, shape[1] - 1)
    rows = np.clip(centres[:, 1].astype(int), 0, shape[0] - 1)
    count = len(centres)
    sizes = np.array([brush.length, brush.width]) * longest * random.uniform(0.65, 1.25, (count, 2))
    sizes[:, 0] = _shorten(sizes[:, 0], wanted, centres, angle[rows, columns])
    bend = np.clip(curve[rows, columns], -1.6 / sizes[:, 0], 1.6 / sizes[:, 0])
    turns = np.stack([angle[rows, columns] + brush.wander * random.normal(size=count), bend], axis=1)
    tints = wanted[rows, columns] + brush.brightness * random.normal(size=(count, 1))
    tints = np.clip(tints + brush.hue * random.normal(size=(count, 3)), 0, 1)
    which = random.integers(BRUSHES, size=count)
    for i in np.flatnonzero(missing[rows, columns] >= brush.only_where):
        mark = (marks[0][which[i]], marks[1][which[i]])
        _stamp(paint, mark, at=centres[i], size=sizes[i], turn=turns[i], tint=tints[i])


def lit(paint: Paint, *, depth: float = 0.004) -> Field:
    """The painting under a lamp at the upper left: ridges of paint catch light and cast shade."""
    lambert, mirror = relief(
        ndimage.gaussian_filter(paint.thickness, 0.6), towards=(-0.5, -0.7, 1.0), depth=depth
    )
    flat = 1.0 / np.sqrt(0.5**2 + 0.7**2 + 1)
    shade = 1 + 0.62 * (lambert - flat)
    gloss = 0.16 * (mirror**24 - 0.3) * (mirror > 0.5)
    return np.asarray(np.clip(paint.colour * shade[..., None] + gloss[..., None], 0, 1))


def oil(reference: Field, angle: Field, brushes: tuple[Brush, ...], *, seed: int) -> Field:
    """The reference [H, W, 3] painted along ``angle`` [H, W], largest brush first."""
    random = np.random.default_rng(seed)
    # A soft underpainting, so that gaps between strokes never show a foreign colour.
    paint = Paint(blur(reference, 0.012), np.zeros(angle.shape, np.float32))
    for brush in brushes:
        lay(paint, reference, angle, brush, random=random)
    return lit(paint)
