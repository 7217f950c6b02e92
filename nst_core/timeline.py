"""Where several runs stand at the same moment, by step, by second or by loss."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

from nst_core.records import Step

Moment = Literal["step", "second", "loss"]


def steps_at(runs: Sequence[Sequence[Step]], by: Moment, share: float) -> tuple[int, ...]:
    """For each run the index (from 1) of the step that it had reached at a share, 0 to 1, of the longest run.

    step: the same step. second: the same second. loss: the first step at or below the same total loss, the
    levels spaced evenly in its logarithm from the highest first to the lowest least loss. A run that ended
    earlier, or never got so low, stays at its last or its best step.
    """
    if by == "step":
        wanted = round(share * max(map(len, runs)))
        return tuple(min(max(1, wanted), len(steps)) for steps in runs)
    if by == "second":
        moment = share * max(steps[-1].seconds for steps in runs)
        return tuple(max(1, bisect_right([step.seconds for step in steps], moment)) for steps in runs)
    highest = max(steps[0].total for steps in runs)
    lowest = min(_best(steps).total for steps in runs)
    # A hair above, so that rounding in the logarithm does not pass over the step that has this very loss.
    level = _between(highest, lowest, share) * (1 + 1e-9)
    return tuple(
        next((step.index for step in steps if step.total <= level), _best(steps).index) for steps in runs
    )


def _best(steps: Sequence[Step]) -> Step:
    return min(steps, key=lambda step: step.total if math.isfinite(step.total) else math.inf)


def _between(highest: float, lowest: float, share: float) -> float:
    if not 0 < lowest < highest:
        return highest + share * (lowest - highest)
    return math.exp(math.log(highest) + share * (math.log(lowest) - math.log(highest)))


def nearest_thumbnail(thumbnails: Sequence[tuple[int, bytes]], index: int) -> tuple[int, bytes]:
    """The last kept thumbnail at or before a step, else the first one; there must be one."""
    place = bisect_right([kept for kept, _ in thumbnails], index) - 1
    return thumbnails[max(0, place)]
