"""A comparison as a table of plain rows: what was measured of each run, and which run is ahead."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from nst_core.comparison import Comparison
from nst_core.metrics import METRICS, Metric
from nst_core.records import RunRecord
from nst_core.strength import loss_weights
from nst_core.wording import large_number, three_digits

Better = Literal["higher", "lower", ""]
Value = float | None

PICTURE = "The picture, measured without any network"
EXAMINED = "The picture, seen by the other networks"
LOSSES = "The loss at the best step, in the run's own network"
COST = "What it took"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; `values`, `texts` and `best` have an entry a run.

    better: which direction is better, "" where none is. noise: the difference that means nothing, in the
    row's unit, None where it is not known. best: see `best_of`.
    """

    name: str
    group: str
    label: str
    help: str
    better: Better = ""
    noise: float | None = None
    unit: str = ""
    values: tuple[Value, ...]
    texts: tuple[str, ...]
    best: tuple[bool, ...]


def best_of(values: Sequence[Value], *, better: Better, noise: float | None) -> tuple[bool, ...]:
    """Which value is best: one that is ahead of every other by more than the noise, or none at all.

    None is marked where the first two lie within the noise, where the noise is not known, where no
    direction is better, and where fewer than two runs have a number.
    """
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not better or noise is None or len(finite) < 2:
        return (False,) * len(values)
    first, second, *_ = sorted(finite, reverse=better == "higher")
    if abs(first - second) <= noise:
        return (False,) * len(values)
    return tuple(value == first for value in values)


def comparison_rows(comparison: Comparison) -> tuple[Row, ...]:
    """The whole table in the order to show: metrics, verdicts of the other networks, losses, cost."""
    records = comparison.records
    return (
        *(_metric_row(metric, records) for metric in METRICS.values()),
        *_verdict_rows(comparison),
        *_loss_rows(records),
        *_cost_rows(records),
    )


def _metric_row(metric: Metric, records: Sequence[RunRecord]) -> Row:
    values = tuple(record.metrics.get(metric.name) for record in records)
    return Row(
        name=metric.name,
        group=PICTURE,
        label=metric.label,
        help=f"{metric.help} {metric.blind_spot}",
        better=metric.better,
        noise=metric.noise,
        unit=metric.unit,
        values=values,
        texts=tuple(three_digits(value) for value in values),
        best=best_of(values, better=metric.better, noise=metric.noise),
    )


def _plain_row(
    group: str,
    name: str,
    label: str,
    help: str,
    values: tuple[Value, ...],
    *,
    unit: str = "",
    better: Better = "",
    text: Callable[[Value], str] = three_digits,
) -> Row:
    """A row whose noise is not known, so that none of it is best."""
    return Row(
        name=name,
        group=group,
        label=label,
        help=help,
        better=better,
        unit=unit,
        values=values,
        texts=tuple(text(value) for value in values),
        best=(False,) * len(values),
    )


def _verdict_rows(comparison: Comparison) -> tuple[Row, ...]:
    if not any(not verdict.own for verdict in comparison.verdicts):
        return ()
    told = "mean over the networks of another architecture; 0 is equal, 1 is nothing of it."
    style, content = (_by_others(comparison, name) for name in ("style_error", "content_error"))
    return (
        _plain_row(EXAMINED, "style_error", "Style error", f"Relative, {told}", style, better="lower"),
        _plain_row(EXAMINED, "content_error", "Content error", f"Relative, {told}", content, better="lower"),
    )


def _by_others(comparison: Comparison, error: str) -> tuple[Value, ...]:
    marks = [
        [
            float(getattr(verdict, error))
            for verdict in comparison.verdicts
            if verdict.picture == label and not verdict.own
        ]
        for label in comparison.labels
    ]
    return tuple(fmean(given) if given else None for given in marks)


def _loss_rows(records: Sequence[RunRecord]) -> tuple[Row, ...]:
    parts = {
        "total": ("Total loss", "Content, style and smoothing losses times their weights."),
        "content": ("Content loss", "Unweighted."),
        "style": ("Style loss", "Unweighted, the sum over the style layers."),
    }
    scale = "Networks measure on scales of their own: compare the course of one, not one with another."
    losses = tuple(
        _plain_row(
            LOSSES,
            f"{part}_loss",
            label,
            f"{help} {scale}",
            tuple(getattr(record.best, part) if record.best else None for record in records),
        )
        for part, (label, help) in parts.items()
    )
    return losses + _weight_rows(records)


def _weight_rows(records: Sequence[RunRecord]) -> tuple[Row, ...]:
    alphas, _, gammas = zip(*(loss_weights(r.config, r.weights.source) for r in records), strict=True)
    strength = "One style strength is another α on each network, by which both VGGs' sketches keep as much."
    return (
        _plain_row(LOSSES, "content_weight", "Content weight α", f"In the total loss. {strength}", alphas),
        _plain_row(LOSSES, "variation_weight", "Smoothing weight γ", "In the total loss.", gammas),
    )


def _cost_rows(records: Sequence[RunRecord]) -> tuple[Row, ...]:
    def row(
        name: str, label: str, help: str, values: list[Value], *, unit: str = "", whole: bool = False
    ) -> Row:
        text = large_number if whole else three_digits
        return _plain_row(COST, name, label, help, tuple(values), unit=unit, text=text)

    return (
        row("seconds", "Time", "The whole run, compiling included.", [r.seconds for r in records], unit="s"),
        row(
            "seconds_a_step",
            "Time a step, last size",
            "Its first step left out; steps at smaller sizes take less.",
            [seconds_a_step(record) for record in records],
            unit="s",
        ),
        row(
            "peak_memory",
            "Peak memory",
            "Of the whole program until the run's end; runs before it count too.",
            [record.peak_memory_mb for record in records],
            unit="MB",
        ),
        row(
            "parameters",
            "Parameters",
            "Numbers in the run's networks, none of them changed by a run.",
            [_parameters(record) for record in records],
            whole=True,
        ),
        row(
            "best_step",
            "Best step",
            "The step of least total loss at the last size; its picture is the result.",
            [record.best_step or None for record in records],
            whole=True,
        ),
    )


def _parameters(record: RunRecord) -> float:
    return sum(source.parameters for source in (record.weights, *record.other_weights.values()))


def seconds_a_step(record: RunRecord) -> float | None:
    """Mean seconds of a step at the last size, without its first step; None with fewer than two there.

    The first step at a size also pays for compiling and for making room.
    """
    last = [step for step in record.steps if step.scale == record.steps[-1].scale]
    if len(last) < 2:
        return None
    return (last[-1].seconds - last[0].seconds) / (len(last) - 1)
