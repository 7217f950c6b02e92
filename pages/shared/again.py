"""Runs that differ from a finished one in one setting, a press each."""

from dataclasses import replace
from typing import Any

import streamlit as st

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.lanes import Request
from pages.shared.method_choice import layer_settings

_ASKED = "transfer.again"
MOST_SIZE = 4096  # pixels that a press may ask for; more is for who sets it by hand


def offer_again(request: Request) -> None:
    """Buttons for the same pictures and settings through another network, for longer, or larger."""
    config = request.config
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Run again with")
        for row in BACKBONES.values():
            if row.name != config.backbone:
                _offer(row.label, request, backbone=row.name)
        _offer("twice the steps", request, steps=2 * config.steps)
        if 2 * config.size <= MOST_SIZE:
            _offer("twice the size", request, size=2 * config.size)


def _offer(label: str, request: Request, **settings: Any) -> None:
    st.button(label, on_click=_ask, args=(request, settings))


def _ask(request: Request, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        st.session_state[f"settings.{name}"] = value  # what the page shows goes along
    st.session_state[_ASKED] = request, settings


def take_asked() -> Request | None:
    """The run that the last press asked for, once.

    It has the pictures of the run beside whose picture the button stood: after a reload, or when others were
    picked since, the page's own choice is another one.
    """
    asked = st.session_state.pop(_ASKED, None)
    if asked is None:
        return None
    request: Request = asked[0]
    settings: dict[str, Any] = asked[1]
    if "backbone" in settings:  # layers belong to a network
        own = {"style_layers": None, "content_layers": None}
        settings = {**settings, **own, **layer_settings(settings["backbone"])}
    config = replace(request.config, **settings)
    return replace(request, config=config, label=find_backbone(config.backbone).label)
