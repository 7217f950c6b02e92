"""Settings of the picture and of its style, folded away. `base` holds the preset's values."""

from typing import Any

import streamlit as st

from nst_core.backbones import find_backbone
from nst_core.choices import LARGEST_SIZE, LOSS_WEIGHTS, MOST_STEPS, SMALLEST_SIZE, STRENGTH
from nst_core.config import TransferConfig
from nst_core.strength import content_weight_at
from nst_core.weights import expected_source
from pages.shared.settings_widgets import held, number, number_or_none, select, slide, switch, whole
from pages.shared.settings_words import (
    BALANCE_WORDS,
    START_WORDS,
    STATISTIC_WORDS,
    STROKES,
    VARIATION_WORDS,
    stroke_words,
)


def picture_settings(base: TransferConfig) -> dict[str, Any]:
    """How large, how long, and from where."""
    return {
        "size": whole(
            "size", "Longest side, pixels", base.size, SMALLEST_SIZE, LARGEST_SIZE, "Of the picture made."
        ),
        "steps": whole(
            "steps", "Steps", base.steps, 1, MOST_STEPS, "Updates in all, shared out over the sizes."
        ),
        "ladder": switch(
            "ladder",
            "Grow from small to large",
            base.ladder,
            "A ladder of sizes brings out the style's large forms (Gatys et al. 2017).",
        ),
        "init": select(
            "init", "Start from", START_WORDS, "What the picture is before the first step.", base.init
        ),
        "seed": whole(
            "seed", "Seed", base.seed, 0, 2**31 - 1, "The same seed and settings give the same picture."
        ),
    }


def style_settings(base: TransferConfig) -> dict[str, Any]:
    """What is taken of the style, and how it is weighed against the content and against grain."""
    fields = {
        "style_scale": slide(
            "style_scale",
            "Stroke size",
            STROKES,
            stroke_words,
            "How large the style picture is looked at, beside the picture made: smaller gives finer strokes"
            " (Gatys et al. 2017). Coarser takes more time and memory.",
            value=base.style_scale,
        ),
        "statistic": select(
            "statistic",
            "Style statistics",
            STATISTIC_WORDS,
            "What of the style's feature maps is matched.  \n**Gram matrix**: which channels go together"
            " (Gatys et al. 2015).  \n**Mean and deviation**: each channel alone; looser, quicker (Li et"
            " al. 2017).  \n**Whole distribution**: means and covariances, compared as Gaussians"
            " (Wasserstein distance; Dowson and Landau 1982); for palette and contrast, at a higher price a"
            " step.",
            base.statistic,
        ),
    }
    balance = str(held("balance", base.balance))
    fields["variation_weight"] = number_or_none(
        f"variation_weight.{balance}",
        "Smooth the picture",
        "Gamma, the weight of the total variation; 0 is off. More where the picture is grainy. Empty: none on"
        " the paper's loss scale; else as much as the style strength asks for, which the record tells.",
        otherwise="none" if balance == "paper" else "by strength",
    )
    fields["variation"] = select(
        "variation",
        "Kind of smoothing",
        VARIATION_WORDS,
        "How differences between neighbours count: squared; absolute, which keeps edges (Rudin et al."
        " 1992); or to the power 1.25 (Mahendran and Vedaldi 2015).",
        base.variation,
    )
    return fields | _loss_weights(base)


def weighs_by_hand() -> bool:
    """Whether alpha and beta are set by hand, which leaves the style strength without effect."""
    return bool(held("own_weights", False)) or held("balance", "relative") == "paper"


def _loss_weights(base: TransferConfig) -> dict[str, Any]:
    balance = select(
        "balance",
        "Loss scale",
        BALANCE_WORDS,
        "Relative: each loss as a share of its size at the target, so that one setting serves all networks."
        " As in the paper: raw sums (Gatys et al. 2015), which weights of their own go with.",
        base.balance,
    )
    if balance == "relative":
        switch(
            "own_weights",
            "Set the loss weights myself",
            base.content_weight is not None,
            "Alpha and beta by hand, in place of the style strength; alpha begins where that stands.",
            on_change=_begin_at_strength,
        )
    if not weighs_by_hand():
        return {"balance": balance}
    content, style = LOSS_WEIGHTS[balance]
    return {
        "balance": balance,
        "content_weight": number(
            f"content_weight.{balance}",
            "Keep the content's structure",
            content,
            "Alpha, the weight of the content loss.",
        ),
        "style_weight": number(
            f"style_weight.{balance}", "Take on the style", style, "Beta, the weight of the style loss."
        ),
    }


def _begin_at_strength() -> None:
    name = str(held("backbone", "vgg19"))
    source = expected_source(find_backbone(name), str(held("weights", "auto")))
    alpha = content_weight_at(float(held("strength", STRENGTH)), name, source)
    st.session_state["settings.content_weight.relative"] = float(f"{alpha:.3g}")
