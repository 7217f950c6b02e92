"""A job on the page: waiting, forming, done. It is watched here and computed elsewhere."""

import numpy as np
import streamlit as st

from nst_core.backbones import find_backbone
from nst_core.figures import loss_figure
from nst_core.images import Picture, Pixels, encode_jpeg, encode_png, resize_longest
from nst_core.jobs import Job
from nst_core.lanes import Lane
from nst_core.records import RunRecord
from nst_core.series import Series, series_of
from nst_core.strength import loss_weights
from nst_core.weights import expected_source
from nst_core.wording import network_words
from pages.shared.embedding import embed
from pages.shared.settings_times import words_for
from pages.shared.slider import before_after
from pages.shared.state import workshop

REFRESH = 0.5  # seconds between two looks at a running job
SHOWN = 1024  # pixels, longest side of the pictures in the slider
# A plot is zoomed by dragging and set right by two clicks; more buttons would cover the title on a telephone.
CHART = {"displaylogo": False, "modeBarButtons": [["toImage", "resetScale2d"]]}
PARTS = ("total", "style", "content")
ENDINGS = {
    "finished": "Finished",
    "stopped": "Stopped, best picture kept",
    "recovered": "Recovered from a loss that was not finite",
    "failed": "Failed",
}


def show_forming(job: Job) -> None:
    """The job until it is done; runs again by itself, and the whole page once when it ends."""
    st.fragment(_forming, run_every=REFRESH)(job)


def _forming(job: Job) -> None:
    job.touch()
    if job.state == "done":
        st.rerun()
    lane = job.lanes[0]
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        share, text = progress_words(job, lane)
        st.progress(share, text=text)
    if right.button("Stop", icon=":material/stop_circle:", width="stretch", key=f"stop.{job.id}"):
        job.stop()
        st.toast("Stopping after this step; the best picture is kept.")
    _show_preview(lane)
    if len(lane.steps) > 1:
        figure = loss_figure([forming_series(lane)], parts=PARTS, title="How fast do the losses fall?")
        st.plotly_chart(figure, key=f"curve.{job.id}", config=CHART)


def progress_words(job: Job, lane: Lane) -> tuple[float, str]:
    """How far a lane is, 0 to 1, and that in words."""
    if job.state == "waiting":
        return 0.0, f"Waiting: {workshop().queue.place(job)} before this one"
    if lane.state == "waiting":
        return 0.0, "Waiting for the one before"
    if lane.state == "failed":
        return 1.0, "Failed"
    if not lane.steps:
        return 0.0, "Getting ready: loading the network and looking at both pictures"
    done, step = len(lane.steps), lane.steps[-1]
    share = min(1.0, done / lane.planned)
    if lane.over:
        return share, f"Done after {done} steps, {step.seconds:.3g} s"
    left = "" if lane.seconds_left is None else f" · ≈ {words_for(lane.seconds_left)} left"
    rate = f" · {speed_words(lane)}" if done > 2 else ""
    return share, f"Step {done} of {lane.planned} · {step.size[0]} × {step.size[1]}{rate}{left}"


def speed_words(lane: Lane) -> str:
    """Steps a second over the last few steps."""
    recent = lane.steps[-12:]
    seconds = recent[-1].seconds - recent[0].seconds
    return f"{(len(recent) - 1) / seconds:.3g} steps a second" if seconds > 0 else ""


def _show_preview(lane: Lane) -> None:
    told = (
        "The content picture, until the first preview" if lane.preview is None else "The picture as it forms"
    )
    st.image(forming_picture(lane), width="stretch", caption=told)


def forming_picture(lane: Lane) -> str:
    """The newest preview, or the content while there is none, as a data URL.

    A file of its own would be gone when the next preview comes, and a slow browser would ask for it in vain.
    """
    if lane.preview is None:
        return embed(encode_jpeg(resize_longest(lane.request.content.pixels, 512), quality=85)).url
    return embed(encode_jpeg(lane.preview.astype(np.float32) / np.float32(255), quality=90)).url


def forming_series(lane: Lane, dash: str = "solid") -> Series:
    """The curve of a run that is still going."""
    config = lane.request.config
    # A copy: the job's thread goes on adding steps while the figure is drawn.
    return Series(
        label=lane.request.label,
        colour=find_backbone(config.backbone).colour,
        steps=tuple(lane.steps),
        weights=loss_weights(config, expected_source(find_backbone(config.backbone), config.weights)),
        dash=dash,
    )


def show_result(lane: Lane, content: Picture) -> None:
    """A finished run: the picture against its content, what to do with it, its numbers and its curves."""
    if lane.state == "failed" or lane.run is None or lane.run.picture is None:
        st.error(
            lane.message
            or " ".join(lane.run.record.notes if lane.run else ())
            or "Stopped before the first picture."
        )
        return
    record, pixels = lane.run.record, lane.run.picture
    before_after(
        jpeg_of(f"content.{record.id}", content.pixels),
        jpeg_of(record.id, pixels),
        before_label="Content",
        after_label=f"{network_words(record.config)}, {record.weights.label}",
        key=f"slider.{record.id}",
        aspect=pixels.shape[1] / pixels.shape[0],
    )
    _offer_download(record, pixels)
    show_numbers(record, pixels)
    figure = loss_figure([series_of(record)], parts=PARTS, title="How fast did the losses fall?")
    st.plotly_chart(figure, key=f"curve.{record.id}", config=CHART)


@st.cache_data(max_entries=64, show_spinner=False)
def jpeg_of(key: str, _pixels: Pixels) -> bytes:  # noqa: ARG001  the key stands for the pixels
    """The picture at the size that pages show, encoded; `key` names it for the cache."""
    small = resize_longest(_pixels, SHOWN) if max(_pixels.shape) > SHOWN else _pixels
    return encode_jpeg(small, quality=92)


def _offer_download(record: RunRecord, pixels: Pixels) -> None:
    name = f"{record.content.name}-{record.style.name}-{record.config.backbone}".replace(" ", "-")
    with st.container(horizontal=True):
        st.download_button(
            "Picture (PNG)",
            data=lambda: encode_png(pixels, settings=record.settings()),
            file_name=f"{name}.png",
            mime="image/png",
            icon=":material/download:",
            on_click="ignore",
            key=f"png.{record.id}",
            help="Full size, with its settings inside.",
        )
        st.download_button(
            "Record (JSON)",
            data=record.to_json,
            file_name=f"{name}.json",
            mime="application/json",
            icon=":material/data_object:",
            on_click="ignore",
            key=f"json.{record.id}",
            help="Settings, versions and the losses of every step: enough to repeat the run.",
        )


def show_numbers(record: RunRecord, pixels: Pixels) -> None:
    """How the run ended, and what it took."""
    best, (height, width) = record.best, pixels.shape[:2]
    cells = {
        "Ended": ENDINGS[record.ending].split(",")[0],
        "Best step": f"{record.best_step} of {len(record.steps)}",
        "Loss there": f"{best.total:.3g}" if best else "–",
        "Time": f"{record.seconds:.3g} s",
        "Size": f"{width} × {height}",
    }
    with st.container(horizontal=True):
        for label, value in cells.items():
            st.metric(label, value, width="content")
    st.caption(
        f"{record.content.name} × {record.style.name}: {network_words(record.config)}"
        f" with {record.weights.label}"
        f"{f' ({record.weights.note})' if record.weights.note else ''}, {record.precision}, {record.device}."
    )
    for note in record.notes:
        st.info(note)
