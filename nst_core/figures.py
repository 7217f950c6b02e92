"""Steps and records as Plotly figures and table rows; no TensorFlow, no Streamlit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from nst_core.backbones import find_backbone
from nst_core.records import RunRecord, Step

By = Literal["step", "seconds"]
Relative = Literal["raw", "first", "share"]
Axis = Literal["log", "linear"]

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


def loss_figure(
    lines: Sequence[Series],
    *,
    parts: Sequence[str] = ("total",),
    title: str,
    by: By = "step",
    axis: Axis = "log",
    relative: Relative = "raw",
    smoothing: float = 0.0,
    marks: bool = True,
) -> Any:
    """Loss curves of any runs; with several parts each has its own dash, and each run its own colour.

    Marks: a thin line where a single run changes size, a dot at each run's best step.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for line in lines:
        x = [step.index if by == "step" else step.seconds for step in line.steps]
        for index, part in enumerate(parts):
            y = smoothed(values(line, part, relative), smoothing)
            name = _trace_name(line, part, alone=len(lines) == 1, single=len(parts) == 1)
            dash = line.dash if len(parts) == 1 else DASHES[index % len(DASHES)]
            figure.add_scatter(
                x=x,
                y=y,
                mode="lines",
                name=name,
                meta=line.run_id,  # by which a page finds the run's pictures
                line={"color": line.colour, "dash": dash, "width": 2 if part == "total" else 1.4},
                hovertemplate="%{y:.3g}<extra>" + name + "</extra>",
            )
            if marks and part == parts[0] and line.best_step:
                _mark_best(figure, line, x, y)
    if marks and len(lines) == 1:
        _mark_sizes(figure, lines[0], by)
    _lay_out(figure, title=title, by=by, axis=axis, relative=relative)
    if axis == "log":
        figure.update_yaxes(range=_decades([number for trace in figure.data for number in trace.y]))
    return figure


def _decades(numbers: Sequence[float]) -> list[float] | None:
    """The axis' range, in powers of ten: at most three decades, because a loss may start from nothing."""
    positive = [number for number in numbers if 0 < number < math.inf]
    if not positive:
        return None
    highest = math.log10(max(positive))
    return [max(math.log10(min(positive)), highest - 3) - 0.1, highest + 0.1]


def _trace_name(line: Series, part: str, *, alone: bool, single: bool) -> str:
    words = PART_LABELS.get(part, part)
    if alone:
        return words
    return line.label if single else f"{line.label}, {words.lower() if part in PART_LABELS else words}"


def _mark_best(figure: Any, line: Series, x: Sequence[float], y: Sequence[float]) -> None:
    index = line.best_step - 1
    figure.add_scatter(
        x=[x[index]],
        y=[y[index]],
        mode="markers",
        marker={"color": line.colour, "size": 9, "line": {"color": "white", "width": 1.5}},
        name="best step",
        hovertemplate=f"best, step {line.best_step}: %{{y:.3g}}<extra></extra>",
        showlegend=False,
    )


def _mark_sizes(figure: Any, line: Series, by: By) -> None:
    for before, step in zip(line.steps, line.steps[1:], strict=False):
        if step.scale != before.scale:
            figure.add_vline(
                x=step.index if by == "step" else step.seconds,
                line={"width": 1, "color": "rgba(128,128,128,0.5)"},
                annotation={"text": f"{step.size[0]} × {step.size[1]}", "font": {"size": 11}},
                annotation_position="top right",
            )


def _lay_out(figure: Any, *, title: str, by: By, axis: Axis, relative: Relative) -> None:
    unit = {"raw": "loss", "first": "loss relative to the first step", "share": "share of the total"}
    figure.update_layout(
        title={"text": title, "font": {"size": 15}},
        xaxis_title="step" if by == "step" else "seconds",
        yaxis={
            "type": axis,
            "title": unit[relative],
            "dtick": "D2" if axis == "log" else None,
            "tickformat": "~g",
        },
        hovermode="x unified",
        legend={"orientation": "h", "y": -0.25},
        margin={"l": 60, "r": 12, "t": 48, "b": 40},
        height=340,
    )
