"""A comparison while it runs: one column a run, each with its picture, its progress and its own Stop."""

import streamlit as st

from nst_core.figures import loss_figure
from nst_core.jobs import Job
from nst_core.lanes import Lane
from pages.shared.dress import dash, heading
from pages.shared.stage import CHART, REFRESH, forming_picture, forming_series, progress_words


def show_race(job: Job) -> None:
    """The job until it is done; runs again by itself, and the whole page once when it ends."""
    st.fragment(_race, run_every=REFRESH)(job)


def _race(job: Job) -> None:
    job.touch()
    if job.state == "done":
        st.rerun()
    for column, lane in zip(st.columns(len(job.lanes)), job.lanes, strict=True):
        with column:
            _show_lane(job, lane)
    racing = [lane for lane in job.lanes if len(lane.steps) > 1]
    if racing:
        figure = loss_figure(
            [forming_series(lane, dash(job.lanes, lane)) for lane in racing],
            title="Which falls fastest, and how far?",
        )
        st.plotly_chart(figure, key=f"race.{job.id}", config=CHART)


def _show_lane(job: Job, lane: Lane) -> None:
    heading(job.lanes, lane)
    share, text = progress_words(job, lane)
    st.progress(share, text=text)
    st.image(forming_picture(lane), width="stretch")
    index = job.lanes.index(lane)
    stopping = lane.halt.is_set()
    if st.button(
        "Stopping" if stopping else "Stop this one",
        key=f"stop.{job.id}.{index}",
        disabled=lane.over or stopping,
        icon=":material/stop_circle:",
        type="tertiary",
    ):
        lane.halt.set()
        st.rerun(scope="fragment")
