"""The content weight at which one network keeps as much of the content as another did."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Kept = Literal["content_kept", "structure_kept", "edges_kept"]

NEAR, EQUAL = 0.01, 0.02  # of what is kept: the search ends at the first, a row says so beyond the second
MOST_RUNS = 6
LIGHTEST, HEAVIEST = 1e-4, 1e3  # content weights


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
    """The measurement whose `kept` is nearest to `wanted`, and how many runs that took.

    What is kept grows with the content weight. From `start` the weight moves by tens until two runs lie
    on either side, then to where a line between the nearest two, over log10 of the weight, meets `wanted`
    (regula falsi). It ends within NEAR, after MOST_RUNS, or at LIGHTEST or HEAVIEST.
    """
    found: list[tuple[float, float]] = []
    measurements: list[Measurement] = []
    weight: float | None = start
    while weight is not None and len(found) < MOST_RUNS:
        measurements.append(paint(weight))
        found.append((getattr(measurements[-1], kept), weight))
        weight = _next_weight(found, wanted)
    return min(measurements, key=lambda each: abs(getattr(each, kept) - wanted)), len(found)


def _next_weight(found: Sequence[tuple[float, float]], wanted: float) -> float | None:
    """The content weight to try after these pairs of (kept, content weight); None when there is none."""
    last, reached = found[-1]
    if abs(last - wanted) <= NEAR:
        return None
    below = [pair for pair in found if pair[0] < wanted]
    above = [pair for pair in found if pair[0] >= wanted]
    if not below or not above:
        weight = reached / 10 if above else reached * 10
        return weight if LIGHTEST <= weight <= HEAVIEST else None
    low, high = max(below), min(above)
    share = (wanted - low[0]) / (high[0] - low[0])
    ends = math.log10(low[1]), math.log10(high[1])
    # Never right beside an end that was tried already.
    return float(10 ** (ends[0] + min(max(share, 0.05), 0.95) * (ends[1] - ends[0])))
