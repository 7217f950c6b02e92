"""Runs' losses as series of numbers, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from nst_core.backbones import find_backbone
from nst_core.records import RunRecord, Step

By = Literal["step", "seconds"]
Relative = Literal["raw", "first", "share"]

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
PART_LABELS: Mapping[str, str] = MappingProxyType(
    {"total": "Total", "content": "Content", "style": "Style", "variation": "Variation"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One run's curve: its steps, and how it is drawn. `weights` are alpha, beta, gamma."""

    label: str
    colour: str
    steps: Sequence[Step]
    weights: tuple[float, float, float]
    dash: str = "solid"
    best_step: int = 0
    run_id: str = ""


def series_of(record: RunRecord, label: str = "", dash: str = "solid") -> Series:
    """The series of a finished run, in its backbone's colour."""
    backbone, config = find_backbone(record.config.backbone), record.config
    return Series(
        label=label or backbone.label,
        colour=backbone.colour,
        steps=record.steps,
        weights=(config.content_weight or 0.0, config.style_weight or 0.0, config.variation_weight or 0.0),
        dash=dash,
        best_step=record.best_step,
        run_id=record.id,
    )


def values(series: Series, part: str, relative: Relative = "raw") -> list[float]:
    """One loss at each step, weighted as it enters the total; `part` is total, content, style, variation or a
    style layer's name.

    raw: as it is. first: divided by its own value at the first step. share: divided by the step's total.
    """
    numbers = [_weighted(step, part, series.weights) for step in series.steps]
    if relative == "first":
        first = next((number for number in numbers if number), 1.0)
        return [number / first for number in numbers]
    if relative == "share":
        return [
            number / step.total if step.total else 0.0
            for number, step in zip(numbers, series.steps, strict=True)
        ]
    return numbers


def _weighted(step: Step, part: str, weights: tuple[float, float, float]) -> float:
    alpha, beta, gamma = weights
    match part:
        case "total":
            return step.total
        case "content":
            return alpha * step.content
        case "style":
            return beta * step.style
        case "variation":
            return gamma * step.variation
    return beta * step.layers.get(part, float("nan"))


def smoothed(numbers: Sequence[float], share: float) -> list[float]:
    """Exponential average; share 0 leaves the numbers as they are, 0.9 keeps nine tenths of the past."""
    result: list[float] = []
    for number in numbers:
        result.append(number if not result else share * result[-1] + (1 - share) * number)
    return result
