"""Flat forms for animated-film pictures: curves in, a filled, shaded and outlined cel out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from .canvas import Field, Stops, colour, mix, ramp

INK = "#2b1a33"


def oval(x: float, y: float, wide: float, tall: float, *, power: float = 2.0, tilt: float = 0.0) -> Field:
    """A superellipse about (x, y), [96, 2]: power 2 is an ellipse, 4 a cushion; tilt in radians clockwise."""
    turn = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    across = wide * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / power)
    down = tall * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / power)
    cosine, sine = np.cos(tilt), np.sin(tilt)
    return np.stack([x + cosine * across - sine * down, y + sine * across + cosine * down], axis=1)


def smooth(points: Sequence[tuple[float, float]], *, closed: bool = True) -> Field:
    """A Catmull-Rom curve through points, twelve steps for each."""
    knots = np.array(points)
    before, after = (knots[-1:], knots[:2]) if closed else (knots[:1], knots[-1:])
    padded = np.concatenate([before, knots, after])
    t = np.linspace(0, 1, 12, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))
    return np.concatenate(pieces if closed else [*pieces, knots[-1:]])


def tube(points: Sequence[tuple[float, float]], *, start: float, end: float) -> Field:
    """A limb along a curve, from one half width to another."""
    spine = smooth(points, closed=False)
    step = np.gradient(spine, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.linalg.norm(step, axis=1, keepdims=True)
    half = np.linspace(start, end, len(spine))[:, None]
    return np.concatenate([spine + normal * half, (spine - normal * half)[::-1]])


def road(points: Sequence[tuple[float, float]], *, start: float, end: float) -> Field:
    """A level band that comes towards us along a curve; half widths are measured across the picture."""
    spine = smooth(points, closed=False)
    half = start + (end - start) * np.linspace(0, 1, len(spine))[:, None] ** 1.7
    return np.concatenate([spine - half * (1, 0), (spine + half * (1, 0))[::-1]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cel:
    """How a form is coloured: a ramp downwards, shadow at the lower right, light at the upper left."""

    tints: Sequence[str]
    shadow: float = 0.022  # width of the shadow, longest sides; 0 for none
    light: float = 0.0
    line: float = 0.0032  # width of the outline; 0 for none
    ink: str = INK
    dark: str = "#5a3f86"


def flat(*tints: str) -> Cel:
    """A form without shadow or outline."""
    return Cel(tints=tints, shadow=0.0, line=0.0)


def _window(outlines: Sequence[Field], picture: Field) -> tuple[slice, slice]:
    points = np.concatenate(outlines) * max(picture.shape)
    low, high = np.floor(points.min(axis=0)).astype(int) - 2, np.ceil(points.max(axis=0)).astype(int) + 3
    rows, columns = picture.shape[:2]
    return slice(max(low[1], 0), min(max(high[1], 1), rows)), slice(
        max(low[0], 0), min(max(high[0], 1), columns)
    )


def stencil(outlines: Sequence[Field], picture: Field, window: tuple[slice, slice]) -> np.ndarray:
    """True inside any of the outlines, for the window's pixels."""
    rows, columns = window
    plate = Image.new("1", (columns.stop - columns.start, rows.stop - rows.start))
    pen = ImageDraw.Draw(plate)
    for outline in outlines:
        place = outline * max(picture.shape) - (columns.start, rows.start)
        pen.polygon([(float(x), float(y)) for x, y in place], fill=1)
    return np.asarray(plate)


def _moved(mask: np.ndarray, pixels: int) -> np.ndarray:
    """The mask pushed towards the upper left (or lower right, if negative); outside counts as inside."""
    grown = np.pad(mask, abs(pixels), mode="edge")
    start = abs(pixels) + pixels
    return grown[start : start + mask.shape[0], start : start + mask.shape[1]]


def lay(picture: Field, cel: Cel, *outlines: Field) -> None:
    """Paint the union of the outlines (points in longest sides) onto the picture [H, W, 3], in place."""
    window, longest = _window(outlines, picture), max(picture.shape)
    mask = stencil(outlines, picture, window)
    if not mask.any():
        return
    down = np.linspace(0, 1, mask.shape[0])[:, None] * np.ones(mask.shape)
    stops: Stops = [(i / max(len(cel.tints) - 1, 1), tint) for i, tint in enumerate(cel.tints)]
    paint = ramp(down, stops)
    if cel.shadow:
        shaded = mask & ~_moved(mask, round(cel.shadow * longest * 0.7))
        paint = mix(paint, paint * colour(cel.dark) * 1.25, 0.75 * shaded)
    if cel.light:
        lit = mask & ~_moved(mask, -round(cel.light * longest * 0.7))
        paint = mix(paint, np.ones(3, np.float32), 0.38 * lit)
    if cel.line:
        depth = ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1]
        paint = mix(paint, colour(cel.ink), mask & (depth < cel.line * longest))
    picture[window] = mix(picture[window], paint, mask.astype(np.float32))
