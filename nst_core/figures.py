"""Loss curves as Plotly figures; no TensorFlow, no Streamlit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from nst_core.plotting import graph_objects
from nst_core.series import DASHES, PART_LABELS, By, Relative, Series, smoothed, values

Axis = Literal["log", "linear"]


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
    """Loss curves of any runs in their colours; with several parts each part has its own dash.

    Marks: a dot at each run's best step, and where runs change size a thin line, if it is at the same place
    for all that come so far, or else a diamond on each run's curve.
    """
    go = graph_objects()
    figure = go.Figure()
    shared = _shared_changes(lines, by)
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
            if marks and part == parts[0] and shared is None:
                _mark_own_sizes(figure, line, x, y)
    if marks and shared:
        _mark_sizes(figure, shared)
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


def _changes(line: Series, by: By) -> dict[float, str]:
    """Where a run goes over to another size: the first step or second of it, and the size in words."""
    return {
        float(step.index if by == "step" else step.seconds): f"{step.size[0]} × {step.size[1]}"
        for before, step in pairwise(line.steps)
        if step.scale != before.scale
    }


def _shared_changes(lines: Sequence[Series], by: By) -> dict[float, str] | None:
    """The changes of size of all runs as far as they have come, None where some differ."""
    lines = [line for line in lines if line.steps]
    found = [list(_changes(line, by).items()) for line in lines]
    longest = max(found, key=len, default=[])
    reached = [line.steps[-1].index if by == "step" else line.steps[-1].seconds for line in lines]
    same = all(
        changes == [change for change in longest if change[0] <= last]
        for changes, last in zip(found, reached, strict=True)
    )
    return dict(longest) if same else None


def _mark_sizes(figure: Any, changes: Mapping[float, str]) -> None:
    for place, size in changes.items():
        figure.add_vline(
            x=place,
            line={"width": 1, "color": "rgba(128,128,128,0.5)"},
            annotation={"text": size, "font": {"size": 11}},
            annotation_position="top right",
        )


def _mark_own_sizes(figure: Any, line: Series, x: Sequence[float], y: Sequence[float]) -> None:
    places = [(x[index], y[index], step) for index, step in enumerate(line.steps)]
    changed = [after for before, after in pairwise(places) if after[2].scale != before[2].scale]
    if changed:
        figure.add_scatter(
            x=[place for place, _, _ in changed],
            y=[value for _, value, _ in changed],
            text=[f"{step.size[0]} × {step.size[1]}" for _, _, step in changed],
            mode="markers",
            marker={"color": line.colour, "size": 8, "symbol": "diamond-open"},
            name="another size",
            hovertemplate="from here %{text}<extra></extra>",
            showlegend=False,
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
