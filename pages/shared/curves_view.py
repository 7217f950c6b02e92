"""The Curves page: a table of runs to tick, what to draw of them, and the figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.comparison import run_labels
from nst_core.figures import Axis, loss_figure
from nst_core.lanes import Lane
from nst_core.records import RunRecord
from nst_core.series import DASHES, PART_LABELS, By, Relative, Series, series_of
from nst_core.tables import steps_csv
from nst_core.wording import network_words
from pages.shared.hover import show_hovered
from pages.shared.stage import CHART, ENDINGS

RELATIVE_WORDS = {
    "raw": "as they are",
    "first": "relative to the first step",
    "share": "as shares of the total",
}
AXIS_WORDS = {"log": "logarithmic", "linear": "linear"}
BY_WORDS = {"step": "by step", "seconds": "by second"}
SHOWN_WHOLE = 7  # runs; a longer table scrolls
SHOWN_AT_FIRST = 3  # the newest runs: a comparison's columns


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is drawn of the chosen runs."""

    parts: tuple[str, ...]
    by: By
    axis: Axis
    relative: Relative
    smoothing: float
    marks: bool
    split: bool


def choose_runs(runs: Mapping[str, Lane]) -> list[Lane]:
    """A table of finished runs, newest first; the ticked ones, at first the newest."""
    import pandas as pd

    lanes = list(runs.values())[::-1]
    first: Any = {"selection": {"rows": list(range(min(SHOWN_AT_FIRST, len(lanes))))}}
    chosen = st.dataframe(
        pd.DataFrame([_row(record_of(lane)) for lane in lanes]),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default=first,
        # A new run renumbers the rows, so its table is another table.
        key=f"curves.runs.{len(lanes)}.{record_of(lanes[0]).id}",
        height="content" if len(lanes) <= SHOWN_WHOLE else 300,
        column_config=dict.fromkeys(("Least loss", "Seconds"), st.column_config.NumberColumn(format="%.3g")),
    )
    return [lanes[index] for index in chosen["selection"]["rows"] if index < len(lanes)]


def record_of(lane: Lane) -> RunRecord:
    """The record of a finished lane."""
    if lane.run is None:
        raise ValueError("a lane without a run is not among the finished ones")
    return lane.run.record


def _row(record: RunRecord) -> dict[str, Any]:
    return {
        "Network": network_words(record.config),
        "Weights": record.weights.label.removesuffix(" weights"),
        "Content": record.content.name,
        "Style": record.style.name,
        "Size reached": f"{record.steps[-1].size[0]} × {record.steps[-1].size[1]}",
        "Steps": len(record.steps),
        "Ended": ENDINGS[record.ending].split(",")[0],
        "Least loss": record.best.total if record.best else None,
        "Seconds": record.seconds,
        "Started": f"{record.started[:19].replace('T', ' ')} UTC",
    }


def choose_view(lanes: Sequence[Lane]) -> View:
    """The choices above the figure."""
    layers = dict.fromkeys(name for lane in lanes for name in record_of(lane).steps[0].layers)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        parts = st.multiselect(
            "Losses",
            [*PART_LABELS, *layers],
            default=["total"],
            format_func=lambda name: PART_LABELS.get(name, name),
            key="curves.parts",
            width=360,
        )
        relative = _choice("Values", RELATIVE_WORDS, "relative")
        axis = _choice("Scale", AXIS_WORDS, "axis")
        by = _choice("Along", BY_WORDS, "by")
        smoothing = st.slider("Smoothing", 0.0, 0.95, 0.0, 0.05, key="curves.smoothing", width=160)
        marks = st.toggle(
            "Marks", value=True, key="curves.marks", help="Best step, and where the size changes."
        )
        split = st.toggle("One figure a network", value=False, key="curves.split")
    return View(
        parts=tuple(parts) or ("total",),
        by=by,
        axis=axis,
        relative=relative,
        smoothing=smoothing,
        marks=marks,
        split=split,
    )


def _choice(label: str, words: Mapping[str, str], name: str) -> Any:
    return st.selectbox(
        label, list(words), format_func=lambda value: words[value], key=f"curves.{name}", width=190
    )


def show_curves(lanes: Sequence[Lane], view: View) -> None:
    """The figures, the pictures under the pointer, and the numbers to take away."""
    groups: dict[str, list[Lane]] = {"": list(lanes)}
    if view.split:
        groups = {
            row.label: own
            for row in BACKBONES.values()
            if (own := [lane for lane in lanes if record_of(lane).config.backbone == row.name])
        }
    for column, (label, own) in zip(st.columns(len(groups)), groups.items(), strict=True):
        with column:
            title = f"How do the losses of {label} fall?" if label else "How do the losses fall?"
            st.plotly_chart(_figure(own, view, title), key=f"curves.figure.{label}", config=CHART)
    pairs = {_pair(record_of(lane)) for lane in lanes}
    show_hovered(lanes, _names(lanes) if len(pairs) == 1 else _labels(lanes), key="curves.hover")
    records = [record_of(lane) for lane in lanes]
    with st.container(horizontal=True):
        st.download_button(
            "Steps (CSV)",
            lambda: steps_csv(records),
            "steps.csv",
            "text/csv",
            icon=":material/table:",
            on_click="ignore",
        )
        st.download_button(
            "Figure (HTML)",
            lambda: _figure(lanes, view, "Loss curves").to_html(),
            "curves.html",
            "text/html",
            icon=":material/show_chart:",
            on_click="ignore",
            help="Interactive; opens without this program.",
        )


def _figure(lanes: Sequence[Lane], view: View, title: str) -> Any:
    return loss_figure(
        _series(lanes),
        parts=view.parts,
        title=title,
        by=view.by,
        axis=view.axis,
        relative=view.relative,
        smoothing=view.smoothing,
        marks=view.marks,
    )


def _series(lanes: Sequence[Lane]) -> list[Series]:
    """One series a run; runs of one backbone share its colour and differ in their dash, the oldest solid."""
    seen: dict[str, int] = {}
    lines: list[Series] = []
    for lane, label in zip(reversed(lanes), reversed(_labels(lanes)), strict=True):
        record = record_of(lane)
        count = seen[record.config.backbone] = seen.get(record.config.backbone, -1) + 1
        lines.append(series_of(record, label, DASHES[count % len(DASHES)]))
    return lines[::-1]


def _labels(lanes: Sequence[Lane]) -> list[str]:
    """Each run's name and pictures."""
    return [f"{name} · {_pair(record_of(lane))}" for name, lane in zip(_names(lanes), lanes, strict=True)]


def _names(lanes: Sequence[Lane]) -> list[str]:
    """What each run was called, and where several of one pair would have one name, what else differs.

    lanes: the newest first; equal runs are numbered from the oldest.
    """
    names = [lane.request.label for lane in lanes]
    groups: dict[tuple[str, str], list[int]] = {}
    for index in range(len(lanes) - 1, -1, -1):
        groups.setdefault((names[index], _pair(record_of(lanes[index]))), []).append(index)
    for twins in groups.values():
        configs = [record_of(lanes[index]).config for index in twins]
        alike = len({network_words(config) for config in configs}) == 1
        told = run_labels([record_of(lanes[index]) for index in twins])
        for index, config, words in zip(twins, configs, told, strict=True):
            known = network_words(config) if alike else find_backbone(config.backbone).label
            names[index] += words.removeprefix(known)
    return names


def _pair(record: RunRecord) -> str:
    return f"{record.content.name} × {record.style.name}"
