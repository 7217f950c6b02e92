"""The content weight at which one network keeps as much of the content as another did."""

import math
from collections.abc import Callable
from dataclasses import dataclass
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


def search(
    paint: Callable[[float], Measurement], wanted: float, *, start: float, kept: Kept = "structure_kept"
) -> tuple[Measurement, int]:
    """The measurement that is nearest to the style of those that keep as much as `wanted`; the runs it took.

    What is kept need not grow with the content weight: random networks' structure was seen to rise, to fall
    and to rise again. So weights are tried over `TRIED`, and wherever two neighbours lie on either side of
    `wanted` what lies between them is halved until both are within EQUAL. Of all that are the one of least
    texture error is taken; where there is none, the nearest.
    """
    found = {weight: paint(weight) for weight in (start * times for times in TRIED)}
    for low, high in pairwise(sorted(found)):
        _refine(paint, found, (low, high), lambda each: getattr(each, kept) - wanted)
    apart = {weight: abs(getattr(each, kept) - wanted) for weight, each in found.items()}
    equal = [each for weight, each in found.items() if apart[weight] <= EQUAL]
    if equal:
        return min(equal, key=lambda each: each.texture_error), len(found)
    return found[min(apart, key=lambda weight: apart[weight])], len(found)


def _refine(
    paint: Callable[[float], Measurement],
    found: dict[float, Measurement],
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
