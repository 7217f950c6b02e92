"""The settings of a run as widgets, in words before symbols."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import streamlit as st

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.config import (
    LARGEST_SIZE,
    LEARNING_RATES,
    LOSS_WEIGHTS,
    MOST_STEPS,
    PRESETS,
    SMALLEST_SIZE,
    TransferConfig,
    find_preset,
)
from nst_core.errors import ImageError
from nst_core.images import Picture
from nst_core.plan import make_plan
from nst_core.weights import choose_source, expected_width, imagenet_state, sketch_path
from pages.shared.method_choice import own_layers
from pages.shared.state import workshop

CANVAS_WORDS: Mapping[str, str] = MappingProxyType(
    {"fourier": "Frequencies (smooth)", "pixel": "Pixels (sharp)"}
)
BALANCE_WORDS: Mapping[str, str] = MappingProxyType(
    {"relative": "Relative (same on every network)", "paper": "As in the paper"}
)
START_WORDS: Mapping[str, str] = MappingProxyType(
    {"content": "The content", "noise": "Noise", "style": "The style"}
)
PADDING_WORDS: Mapping[str, str] = MappingProxyType(
    {"zero": "Black (as trained)", "reflect": "Mirror image", "replicate": "Border repeated"}
)
WEIGHTS_WORDS: Mapping[str, str] = MappingProxyType(
    {"auto": "Automatic", "imagenet": "ImageNet", "sketch": "Sketch", "random": "Random"}
)


def choose_backbone() -> str:
    """The network to look through."""
    return str(
        st.segmented_control(
            "Network",
            list(BACKBONES),
            format_func=lambda name: find_backbone(name).label,
            required=True,
            key=_remember("backbone", "vgg19"),
            persist_state="session",
        )
    )


def choose_preset(seconds: Mapping[str, float]) -> str:
    """Draft, standard or fine, each with the time that it will take here."""
    chosen = st.segmented_control(
        "Quality",
        list(PRESETS),
        format_func=lambda name: f"{name.capitalize()} · ≈ {words_for(seconds[name])}",
        required=True,
        key=_remember("preset", "draft"),
        persist_state="session",
        on_change=_forget_size,
        help="  \n".join(
            f"**{row.name.capitalize()}**: {row.size} pixels, {row.steps} steps; {row.purpose}"
            for row in PRESETS.values()
        ),
    )
    return str(chosen)


def _forget_size() -> None:
    preset = find_preset(st.session_state["settings.preset"])
    st.session_state["settings.size"], st.session_state["settings.steps"] = preset.size, preset.steps


def words_for(seconds: float) -> str:
    """A waiting time in round numbers: 8 s, 25 s, 3 min."""
    if math.isinf(seconds):
        return "too small for these pictures"
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def preset_seconds(
    columns: Sequence[Mapping[str, Any]], content: Picture, style: Picture
) -> dict[str, float]:
    """How long each preset would take here for these columns' settings; infinite where one cannot run."""
    weights = str(st.session_state.get("settings.weights", "auto"))
    seconds = {}
    for row in PRESETS.values():
        shared = {"weights": weights, "size": row.size, "steps": row.steps}
        configs = [TransferConfig(**{**shared, **changes}) for changes in columns]
        seconds[row.name] = sum(estimate(config, content, style) for config in configs)
    return seconds


def estimate(config: TransferConfig, content: Picture, style: Picture) -> float:
    """Seconds of a run here; infinite when the pictures are too narrow for its size."""
    backbone = find_backbone(config.backbone)
    try:
        plan = make_plan(config, content, style)
    except ImageError:
        return math.inf
    architecture = backbone.architecture(expected_width(backbone, config.weights))
    layers = (*backbone.style_layers, backbone.content_layer)
    return workshop().speeds.seconds(architecture, layers, plan)


def choose_settings(backbone: str, preset: str) -> TransferConfig:
    """All other settings, folded away, with what matters of them written below the fold."""
    row = find_preset(preset)
    state = st.session_state
    size, steps = state.get("settings.size", row.size), state.get("settings.steps", row.steps)
    summary = f"{size} pixels, {steps} steps, {WEIGHTS_WORDS[state.get('settings.weights', 'auto')]} weights"
    own = own_layers(backbone)
    summary += ", own layers" if own else ""
    # A fold whose name changes is another one to Streamlit, and closed; so what matters stands below it.
    with st.expander("More settings", icon=":material/tune:"):
        first, second = st.columns(2)
        with first:
            settings = _strength_settings() | _start_settings()
        with second:
            settings |= _size_settings(row.size, row.steps) | _method_settings(backbone)
    st.caption(summary)
    return TransferConfig(backbone=backbone, **settings, **own)


def _strength_settings() -> dict[str, Any]:
    balance = _select(
        "balance",
        "Loss scale",
        BALANCE_WORDS,
        "Relative: each loss as a fraction, so one setting serves all networks.",
    )
    content, style, variation = LOSS_WEIGHTS[balance]
    return {
        "balance": balance,
        "content_weight": _number(
            f"content_weight.{balance}",
            "Keep the content's structure",
            content,
            "Alpha, the weight of the content loss.",
        ),
        "style_weight": _number(
            f"style_weight.{balance}", "Take on the style", style, "Beta, the weight of the style loss."
        ),
        "variation_weight": _number(
            f"variation_weight.{balance}",
            "Smooth the picture",
            variation,
            "Gamma, the weight of the total variation; 0 is off.",
        ),
    }


def _start_settings() -> dict[str, Any]:
    return {
        "init": _select("init", "Start from", START_WORDS, "What the picture is before the first step."),
        "seed": _whole("seed", "Seed", 0, 0, 2**31 - 1, "The same seed and settings give the same picture."),
    }


def _size_settings(size: int, steps: int) -> dict[str, Any]:
    return {
        "size": _whole(
            "size", "Longest side, pixels", size, SMALLEST_SIZE, LARGEST_SIZE, "Of the picture made."
        ),
        "steps": _whole("steps", "Steps", steps, 1, MOST_STEPS, "Updates in all, shared out over the sizes."),
        "ladder": st.toggle(
            "Grow from small to large",
            key=_remember("ladder", True),
            persist_state="session",
            help="A ladder of sizes brings out the style's large forms.",
        ),
    }


def _method_settings(backbone: str) -> dict[str, Any]:
    canvas = _select(
        "canvas", "Paint with", CANVAS_WORDS, "Frequencies leave no grain; pixels hold finer detail."
    )
    return {
        "weights": _choose_weights(backbone),
        "canvas": canvas,
        "learning_rate": _number(
            f"learning_rate.{canvas}",
            "Learning rate",
            LEARNING_RATES[canvas],
            "How far each step goes.",
            least=1e-4,
        ),
        "padding": _select("padding", "Beyond the border", PADDING_WORDS, "What the network sees outside."),
    }


def _choose_weights(backbone: str) -> str:
    row = find_backbone(backbone)
    here = ["auto", *(["sketch"] if sketch_path(row).is_file() else []), "random"]
    if imagenet_state(row) == "present":
        here.insert(1, "imagenet")
    if st.session_state.get("settings.weights") not in (None, *here):
        del st.session_state["settings.weights"]
    words = {name: WEIGHTS_WORDS[name] for name in here}
    words["auto"] = f"Automatic ({WEIGHTS_WORDS[choose_source(row)[0]]})"
    return _select("weights", "Weights", words, "What the network learnt from.")


def _remember(name: str, value: Any) -> str:
    """The widget's key, holding `value` until something else is chosen.

    Widgets get no default of their own: Streamlit objects to one when code has set their state as well.
    """
    key = f"settings.{name}"
    st.session_state.setdefault(key, value)
    return key


def _select(name: str, label: str, words: Mapping[str, str], line: str) -> str:
    key = _remember(name, next(iter(words)))
    chosen = st.selectbox(
        label,
        list(words),
        format_func=lambda value: words[value],
        key=key,
        help=line,
        persist_state="session",
    )
    return str(chosen)


def _number(name: str, label: str, value: float, line: str, least: float = 0.0) -> float:
    number = st.number_input(
        label,
        min_value=least,
        max_value=1e15,
        step=value / 5 or 0.1,
        format="%g",
        key=_remember(name, value),
        help=line,
        persist_state="session",
    )
    return float(number)


def _whole(name: str, label: str, value: int, low: int, high: int, line: str) -> int:
    key = _remember(name, value)
    number = st.number_input(
        label, min_value=low, max_value=high, key=key, help=line, persist_state="session"
    )
    return int(number)
