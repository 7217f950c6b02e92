"""A finished comparison: all pictures in one viewer, their making, their curves, their numbers."""

from typing import cast

import streamlit as st

from nst_core.figures import loss_figure
from nst_core.images import Pixels
from nst_core.jobs import Job
from nst_core.lanes import Lane
from nst_core.series import series_of
from nst_core.timeline import Moment, nearest_thumbnail, steps_at
from pages.shared.dress import dash, heading, tint
from pages.shared.numbers import show_exports, show_numbers
from pages.shared.stage import CHART, jpeg_of
from pages.shared.viewer import Panel, synchronised_viewer

SCRUB_WORDS = {"step": "the same step", "second": "the same second", "loss": "the same loss"}


def finished_lanes(job: Job) -> list[Lane]:
    """The job's lanes that have a picture."""
    return [lane for lane in job.lanes if lane.run is not None and lane.run.picture is not None]


def show_comparison(job: Job) -> None:
    """Everything about a finished comparison, pictures first."""
    for lane in job.lanes:
        if lane.state == "failed":
            st.error(f"{lane.request.label}: {lane.message}")
    lanes = finished_lanes(job)
    if not lanes:
        st.info("No column has a picture; press Run all to start again.")
        return
    show_pictures(job, lanes)
    if job.outcome is not None:
        show_exports(job.outcome, key=job.id)
    st.subheader("How did they get there?")
    st.fragment(scrub)(job, lanes)
    lines = [
        series_of(lane.run.record, lane.request.label, dash(lanes, lane))
        for lane in lanes
        if lane.run is not None
    ]
    figure = loss_figure(lines, title="Which fell fastest, and how far?")
    st.plotly_chart(figure, key=f"curves.{job.id}", config=CHART)
    if job.outcome is not None:
        st.subheader("What do the numbers say?")
        show_numbers(job.outcome)


def show_pictures(job: Job, lanes: list[Lane]) -> None:
    """Content, style and all results in one viewer that zooms and moves them together."""
    request = job.lanes[0].request
    st.caption(f"{request.content.name} × {request.style.name}")
    panels = [
        Panel(label="Content", picture=_source_jpeg(request.content.sha256, request.content.pixels)),
        Panel(label="Style", picture=_source_jpeg(request.style.sha256, request.style.pixels)),
    ]
    for lane in lanes:
        if lane.run is None or lane.run.picture is None:
            continue
        record = lane.run.record
        panels.append(
            Panel(
                label=f"{lane.request.label}, {record.weights.label}",
                picture=jpeg_of(record.id, lane.run.picture),
                colour=tint(lanes, lane),
            )
        )
    synchronised_viewer(panels, key=f"viewer.{job.id}")


def _source_jpeg(digest: str, pixels: Pixels) -> bytes:
    return jpeg_of(f"source.{digest}", pixels)


def scrub(job: Job, lanes: list[Lane]) -> None:
    """Every column at the same step, second or loss, from kept thumbnails."""
    by = st.segmented_control(
        "Show every column at",
        list(SCRUB_WORDS),
        format_func=lambda name: SCRUB_WORDS[name],
        default="step",
        required=True,
        key=f"scrub.by.{job.id}",
    )
    share = st.slider("From start to end", 0, 100, 100, format="%d %%", key=f"scrub.at.{job.id}")
    places = steps_at([lane.steps for lane in lanes], cast("Moment", by), share / 100)
    for column, lane, place in zip(st.columns(len(lanes)), lanes, places, strict=True):
        index, thumbnail = nearest_thumbnail(lane.thumbnails, place)
        step = lane.steps[index - 1]
        with column:
            heading(lanes, lane)
            caption = f"Step {index} · {step.seconds:.3g} s · loss {step.total:.3g}"
            st.image(thumbnail, width="stretch", caption=caption)
