"""The content weight at which a network keeps as much of the content as is wanted, and paints best."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

Kept = Literal["content_kept", "structure_kept", "edges_kept"]

EQUAL = 0.02  # two that differ in what is kept by more than this are not equal
# Where content weights are tried first, times the start: by thirds over five decades. By whole ones what a
# network keeps was seen to jump over levels that it keeps in between.
TRIED = tuple(10.0 ** (third / 3) for third in range(-9, 7))
REFINEMENTS = 3  # runs between two that lie on either side, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One painted picture: its content weight, and four of nst_core.metrics."""

    content_weight: float
    structure_kept: float
    edges_kept: float
    texture_error: float
    patch_distance: float

    @property
    def content_kept(self) -> float:
        """The mean of structure and edges kept, which style strength goes by too (nst_core.strength)."""
        return (self.structure_kept + self.edges_kept) / 2


Paint = Callable[[float], Measurement]
Found = dict[float, Measurement]  # content weight -> what it gave


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One pair under sketch weights and under random weights, at content weights that keep as much."""

    content: str
    style: str
    sketch: Measurement
    random: Measurement
    kept: Kept
    runs: int

    @property
    def equal(self) -> bool:
        """Whether both could be made to keep as much."""
        return bool(abs(getattr(self.random, self.kept) - getattr(self.sketch, self.kept)) <= EQUAL)

    @property
    def gain(self) -> float:
        """By how much the sketch's texture error is lower."""
        return self.random.texture_error - self.sketch.texture_error

    @property
    def winner(self) -> str:
        """Whose texture error is lower."""
        return "sketch" if self.gain > 0 else "random"


def survey(paint: Paint, *, start: float) -> Found:
    """The measurements at all weights of TRIED."""
    return {weight: paint(weight) for weight in (start * times for times in TRIED)}


def search(paint: Paint, found: Found, *wanted: float, kept: Kept = "structure_kept") -> Measurement:
    """The measurement that is nearest to the style of those that keep as much as each of `wanted`.

    found: of `survey`; what is measured here is added. What is kept need not grow with the content weight:
    random networks' structure was seen to rise, to fall and to rise again. So wherever two neighbours lie on
    either side of a wanted level what lies between them is halved, at most REFINEMENTS times, until both are
    within EQUAL. Of all that are within EQUAL of every level the one of least texture error is taken, or one
    half way to its neighbours if that is better still; where there is none, the nearest.
    """
    for level in wanted:
        for low, high in pairwise(sorted(found)):
            _refine(paint, found, (low, high), partial(_excess, kept=kept, level=level))
    best = _best(found, wanted, kept)
    for low, high in pairwise(sorted(found)):
        if best in (low, high):
            between = math.sqrt(low * high)
            found[between] = paint(between)
    return found[_best(found, wanted, kept)]


def _best(found: Found, wanted: Sequence[float], kept: Kept) -> float:
    """The weight of least texture error within EQUAL of all that is wanted, or else the nearest."""
    apart = {
        weight: max(abs(getattr(each, kept) - level) for level in wanted) for weight, each in found.items()
    }
    equal = [weight for weight in found if apart[weight] <= EQUAL]
    if equal:
        return min(equal, key=lambda weight: found[weight].texture_error)
    return min(apart, key=lambda weight: apart[weight])


def _excess(each: Measurement, *, kept: Kept, level: float) -> float:
    return float(getattr(each, kept) - level)


def _refine(
    paint: Paint,
    found: Found,
    ends: tuple[float, float],
    excess: Callable[[Measurement], float],
) -> None:
    """Measure between two weights, nearer and nearer to where `excess` is nothing, if that lies there."""
    low, high = ends
    for _ in range(REFINEMENTS):
        below, above = excess(found[low]), excess(found[high])
        if below * above > 0 or max(abs(below), abs(above)) <= EQUAL:
            return
        weight = math.sqrt(low * high)
        found[weight] = paint(weight)
        low, high = (weight, high) if excess(found[weight]) * below > 0 else (low, weight)
