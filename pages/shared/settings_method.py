"""Settings of the optimiser and of the network, folded away. `base` holds the preset's values."""

from typing import Any

import streamlit as st

from nst_core.backbones import find_backbone
from nst_core.choices import LEARNING_RATES, MOST_JITTER
from nst_core.config import TransferConfig
from nst_core.imagenet import imagenet_state
from nst_core.weights import choose_source, sketch_path
from pages.shared.settings_widgets import number, select, switch, whole
from pages.shared.settings_words import (
    AVERAGING_WORDS,
    CANVAS_WORDS,
    OPTIMISER_WORDS,
    PADDING_WORDS,
    POOLING_WORDS,
    PRECISION_WORDS,
    SEEN_BY_WORDS,
    SMOOTHING_WORDS,
    WEIGHTS_WORDS,
)


def optimiser_settings(base: TransferConfig) -> dict[str, Any]:
    """What is changed at each step, and how."""
    canvas = select(
        "canvas",
        "Paint with",
        CANVAS_WORDS,
        "Frequencies leave no grain (Mordvintsev et al. 2018); pixels hold finer detail.",
        base.canvas,
    )
    optimiser = select(
        "optimiser",
        "Optimiser",
        OPTIMISER_WORDS,
        "**L-BFGS** remembers how the loss curves and comes as low in fewer steps (Zhu et al. 1997; Gatys et"
        " al. used it too).  \n**Adam** bears noise, such as that of jitter and of half precision, and needs"
        " far less memory (Kingma and Ba 2015).",
        base.optimiser,
    )
    finish = switch(
        "finish",
        "Finish on pixels with L-BFGS",
        base.finish == "lbfgs",
        "Small sizes as set above, for large forms; the last one on pixels with L-BFGS, for sharp detail.",
    )
    fields = {"canvas": canvas, "optimiser": optimiser, "finish": "lbfgs" if finish else "none"}
    if optimiser == "adam":
        fields |= _adam_settings(base, canvas)
    fields["averaging"] = select(
        "averaging",
        "Running average",
        AVERAGING_WORDS,
        "Of the pictures, taken where its loss is lower than the best single one's: evens out noise between"
        " steps (Polyak and Juditsky 1992).",
        base.averaging,
    )
    return fields


def _adam_settings(base: TransferConfig, canvas: str) -> dict[str, Any]:
    """What L-BFGS has no use for: it finds the length of its steps itself, and bears no noise."""
    rate = base.learning_rate if base.canvas == canvas else None
    return {
        "learning_rate": number(
            f"learning_rate.{canvas}",
            "Learning rate",
            rate or LEARNING_RATES[canvas],
            "How far each of Adam's steps goes.",
            least=1e-4,
        ),
        "jitter": whole(
            "jitter",
            "Jitter, pixels",
            base.jitter,
            0,
            MOST_JITTER,
            "Shifts the picture to and fro between steps, against patterns that follow a network's grid, as"
            " ResNet50's do (Mordvintsev et al. 2015). A few pixels are enough; each shift's targets take"
            " memory.",
        ),
    }


def network_settings(base: TransferConfig) -> dict[str, Any]:
    """What looks at the pictures."""
    fields: dict[str, Any] = {"weights": _choose_weights(base.backbone)}
    # Becomes content layers, which differ from network to network: see method_choice.
    select(
        "content_by",
        "Content seen by",
        SEEN_BY_WORDS,
        "Whose feature maps hold the content's structure; the style stays with the network chosen. A mix"
        " tells apart what a network does to style and to content.",
    )
    smoothing = select(
        "smoothing",
        "Smooth activations",
        SMOOTHING_WORDS,
        "Softmax over each layer's activations, against the few high peaks that residual connections leave:"
        " for ResNet50 (Wang, Li and Vasconcelos 2021).",
        base.smoothing,
    )
    fields["smoothing"] = smoothing
    if smoothing == "softmax":
        fields["temperature"] = number(
            "temperature",
            "Temperature of smoothing",
            base.temperature,
            "Higher is smoother; the paper has 1.",
            least=1e-3,
            most=1e6,
        )
    return fields | _seeing_settings(base)


def _seeing_settings(base: TransferConfig) -> dict[str, Any]:
    return {
        "pooling": select(
            "pooling",
            "Pooling",
            POOLING_WORDS,
            "How maps are made smaller. Networks learn with the maximum; the average leaves less grain in the"
            " picture (Gatys et al. 2015).",
            base.pooling,
        ),
        "padding": select(
            "padding",
            "Beyond the border",
            PADDING_WORDS,
            "What the network sees outside. Networks learn with black, which can darken the picture's edges.",
            base.padding,
        ),
        "precision": select(
            "precision",
            "Precision",
            PRECISION_WORDS,
            "Of the convolutions. Half is quicker only where the processor computes in it, and is rougher."
            " Automatic is half on such processors, and full on others, on GPUs and with ResNet50's sketch.",
            base.precision,
        ),
    }


def _choose_weights(backbone: str) -> str:
    """Those that are on disk for this network."""
    row = find_backbone(backbone)
    here = ["auto", *(["sketch"] if sketch_path(row).is_file() else []), "random"]
    if imagenet_state(row) == "present":
        here.insert(1, "imagenet")
    if st.session_state.get("settings.weights") not in (None, *here):
        del st.session_state["settings.weights"]
    words = {name: WEIGHTS_WORDS[name] for name in here}
    words["auto"] = f"Automatic ({WEIGHTS_WORDS[choose_source(row)[0]]})"
    return str(select("weights", "Weights", words, "What the network learnt from."))
