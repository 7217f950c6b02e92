"""Activation statistics on the page: asked for by a press, watched, shown, and put into words."""

from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

import streamlit as st

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.config import TransferConfig
from nst_core.depth_figures import Profile, statistics_figure
from nst_core.errors import NSTError
from nst_core.images import Picture
from nst_core.weights import weights_identity
from pages.shared.method_bench import Measurement, bench, measure
from pages.shared.method_layers import working_size
from pages.shared.stage import CHART, REFRESH
from pages.shared.state import workshop

LARGEST = 512  # pixels, longest side: keeps a measurement to seconds
RESIDUAL = "resnet50"


def show_activations(picture: Picture) -> None:
    """The button, the wait, or the figures: whatever is next for this picture."""
    size = min(working_size(), LARGEST)
    weights = str(st.session_state.get("settings.weights", "auto"))
    configs = [TransferConfig(backbone=name, weights=weights, size=size, ladder=False) for name in BACKBONES]
    keys = [_key(config, picture) for config in configs]
    futures = [future for key in keys if (future := bench().find(key)) is not None]
    errors = [error for future in futures if future.done() and (error := future.exception()) is not None]
    for error in errors:
        if not isinstance(error, NSTError):
            raise error
        st.error(str(error))
    if len(futures) < len(keys) or errors:
        _offer(configs, keys, picture)
    elif all(future.done() for future in futures):
        _show([future.result() for future in futures], picture)
    else:
        st.fragment(_wait, run_every=REFRESH)(futures)


def _key(config: TransferConfig, picture: Picture) -> str:
    identity = weights_identity(find_backbone(config.backbone), config.weights)
    return f"{identity}:{picture.sha256}:{config.size}"


def _offer(configs: Sequence[TransferConfig], keys: Sequence[str], picture: Picture) -> None:
    pressed = st.button("Measure", type="primary", icon=":material/monitoring:", key="method.measure")
    st.caption(
        f"Sends {picture.name}, at {configs[0].size} pixels, once through each network: some seconds for all,"
        " more the first time."
    )
    if pressed:
        models = workshop().models
        for config, key in zip(configs, keys, strict=True):
            bench().ask(key, partial(measure, models, config, picture))
        st.rerun()


def _wait(futures: Sequence[Future[Measurement]]) -> None:
    done = sum(future.done() for future in futures)
    if done == len(futures):
        st.rerun()
    st.progress(done / len(futures), text=f"{done} of {len(futures)} networks measured")


def _show(measurements: Sequence[Measurement], picture: Picture) -> None:
    profiles = [
        Profile(
            label=find_backbone(row.backbone).label,
            colour=find_backbone(row.backbone).colour,
            depths=row.depths,
            statistics=row.statistics,
        )
        for row in measurements
    ]
    st.markdown(finding(measurements, picture.name))
    st.plotly_chart(statistics_figure(profiles, "peak_over_mean"), key="method.peak", config=CHART)
    left, right = st.columns(2)
    left.plotly_chart(statistics_figure(profiles, "entropy"), key="method.entropy", config=CHART)
    right.plotly_chart(statistics_figure(profiles, "gram_entropy"), key="method.gram", config=CHART)
    with st.expander("What is measured"):
        st.markdown(FORMULAS)


FORMULAS = r"""
Measured after the ReLU, where activations $a$ are 0 or more: at each convolution of a VGG, and in ResNet50 at
the end of the stem and of each residual block.

- **Peak over mean** is $\max a \,/\, \operatorname{mean} a$.
- **Entropy** takes each activation as a share of all in the layer, $p = a / \sum a$ over channels and
  positions, and is $-\sum p \ln p$ divided by the logarithm of their number: 1 when all are equal, 0 when one
  holds everything.
- **Entropy of the Gram matrix** is the same of its entries, $q = G / \sum G$, divided by $\ln N^2$.
"""


def finding(measurements: Sequence[Measurement], name: str) -> str:
    """What the measurement shows, with the weights it was made with, in two sentences."""
    told = ", ".join(
        f"{row.statistics[-1].peak_over_mean:.3g} in {find_backbone(row.backbone).label} ({row.source.label})"
        for row in measurements
    )
    width, height = measurements[0].size
    trained = all(row.source.source == "imagenet" for row in measurements)
    caution = (
        "" if trained else ", but not all of these are ImageNet weights, so this does not test their claim"
    )
    return (
        f"For {name} at {width} × {height} pixels, the largest activation in the deepest layer is this many"
        f" times the mean: {told}. Wang, Li and Vasconcelos (2021) found that trained residual networks grow"
        " peaky and lose entropy with depth, and blame their shortcuts for weaker styles; here ResNet50 ends"
        f" {_place(measurements)}{caution}."
    )


def _place(measurements: Sequence[Measurement]) -> str:
    ends = {row.backbone: row.statistics[-1].peak_over_mean for row in measurements}
    residual = ends.pop(RESIDUAL)
    if all(residual > end for end in ends.values()):
        return "peakier than both VGGs"
    if all(residual < end for end in ends.values()):
        return "less peaky than both VGGs"
    return "between the two VGGs"
