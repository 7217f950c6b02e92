"""The settings of a run: the main ones in front, the others in a fold, with what was changed below it."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import streamlit as st

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.choices import LOSS_WEIGHTS
from nst_core.config import TransferConfig
from nst_core.presets import PRESETS, find_preset
from pages.shared.method_choice import OWN, layer_settings, own_layers
from pages.shared.settings_method import network_settings, optimiser_settings
from pages.shared.settings_picture import picture_settings, style_settings, weighs_by_hand
from pages.shared.settings_times import words_for
from pages.shared.settings_widgets import held, put, remember, slide
from pages.shared.settings_words import WEIGHTS_WORDS, change_words, strength_words

_PRESET_APPLIED = "preset.applied"  # whose settings are the ones shown, as far as nobody changed them


def choose_backbone() -> str:
    """The network to look through."""
    return str(
        st.segmented_control(
            "Network",
            list(BACKBONES),
            format_func=lambda name: find_backbone(name).label,
            required=True,
            key=remember("backbone", TransferConfig().backbone),
            persist_state="session",
        )
    )


def choose_preset(seconds: Mapping[str, float]) -> str:
    """Draft, standard or fine, each with the time that it will take here."""
    chosen = st.segmented_control(
        "Quality",
        list(PRESETS),
        format_func=lambda name: f"{name.capitalize()}{_times(seconds[name])}",
        required=True,
        key=remember("preset", "draft"),
        persist_state="session",
        on_change=_apply_preset,
        help="  \n".join(
            f"**{row.name.capitalize()}**: {row.size} pixels, {row.steps} steps; {row.purpose}"
            for row in PRESETS.values()
        ),
    )
    st.session_state[_PRESET_APPLIED] = chosen or _preset_applied()
    return _preset_applied()


def _times(seconds: float) -> str:
    return f" ≈ {words_for(seconds)}" if seconds else ""


def _preset_applied() -> str:
    return str(st.session_state.get(_PRESET_APPLIED, "draft"))


def _apply_preset() -> None:
    """Set what any preset has a say in; whatever else was chosen stays.

    A browser knows the choices by their words. When the times in these change it has been seen to report
    that nothing is chosen any more; then, as with what is applied already, nothing was asked for.
    """
    chosen, before = st.session_state["settings.preset"], _preset_applied()
    if chosen is None:
        st.session_state["settings.preset"] = before
    if chosen in (None, before):
        return
    st.session_state[_PRESET_APPLIED] = chosen
    preset = find_preset(chosen)
    touched = dict.fromkeys(name for row in PRESETS.values() for name in row.settings())
    put(TransferConfig(**preset.settings()), list(touched))


def choose_strength(preset: str) -> None:
    """How far the style may go, from faithful to wild; without effect where the weights are set by hand."""
    by_hand = weighs_by_hand()
    slide(
        "strength",
        "Style strength, faithful to wild",
        range(101),
        strength_words,
        "The weights of content and style are set by hand under More settings, so this has no effect."
        if by_hand
        else "0 keeps the content's structure, 100 gives the style free rein. It sets alpha, the weight of"
        " the content loss; beta, that of the style, stays 1.",
        value=_base("vgg19", preset).strength,
        disabled=by_hand,
    )


def choose_settings(backbone: str, preset: str, *, columns: int = 2) -> TransferConfig:
    """All other settings, folded away in so many columns, with what matters of them below the fold."""
    base = _base(backbone, preset)
    groups = {
        "Picture": picture_settings,
        "Style": style_settings,
        "Optimiser": optimiser_settings,
        "Network": network_settings,
    }
    settings: dict[str, Any] = {"strength": float(held("strength", base.strength))}
    # A fold whose name changes is another one to Streamlit, and closed; so what matters stands below it.
    with st.expander("More settings", icon=":material/tune:"):
        places = st.columns(columns, gap="medium")
        for index, (title, group) in enumerate(groups.items()):
            with places[index * columns // len(groups)]:
                st.markdown(f"**{title}**")
                settings |= group(base)
    config = TransferConfig(backbone=backbone, **settings)
    st.caption(_summary(config, preset))
    return TransferConfig(backbone=backbone, **settings, **layer_settings(backbone))


def _base(backbone: str, preset: str) -> TransferConfig:
    return TransferConfig(backbone=backbone, **find_preset(preset).settings()).resolved()


def _summary(config: TransferConfig, preset: str) -> str:
    """Size, steps and weights, and what was changed from the preset, in a few words each."""
    told = f"{config.size} pixels, {config.steps} steps, {WEIGHTS_WORDS[config.weights].lower()} weights"
    changes = _changes(config, find_preset(preset).settings())
    if (seen_by := held("content_by", OWN)) not in (OWN, config.backbone):
        changes.append(f"content seen by {find_backbone(seen_by).label}")
    if own_layers(config.backbone):
        changes.append("own layers")
    return f"{told}. Changed: {', '.join(changes)}" if changes else told


def _changes(config: TransferConfig, preset: Mapping[str, Any]) -> list[str]:
    chosen, base = config.resolved(), TransferConfig(**preset).resolved()
    # What a loss scale or a canvas brings with it is no change of its own.
    scaled = TransferConfig(**{**preset, "balance": config.balance, "canvas": config.canvas}).resolved()
    if config.balance == "paper" and scaled.content_weight is None:
        scaled = replace(scaled, content_weight=LOSS_WEIGHTS["paper"][0])
    changes = []
    for field in fields(TransferConfig):
        name = field.name
        usual = scaled if name.endswith("_weight") or name == "learning_rate" else base
        if getattr(chosen, name) != getattr(usual, name):
            changes.append(change_words(name, chosen))
    return [words for words in changes if words]
