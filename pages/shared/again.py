"""Runs that differ from a finished one in one setting, a press each."""

from dataclasses import replace
from typing import Any

import streamlit as st

from nst_core.backbones import BACKBONES, COLOURS, Backbone, find_backbone
from nst_core.choices import LARGEST_SIZE, MOST_STEPS, LayerWeights
from nst_core.imagenet import imagenet_state
from nst_core.lanes import Request
from pages.shared.method_choice import own_layers

_ASKED = "transfer.again"


def offer_again(request: Request, source: str) -> None:
    """Buttons for the same pictures and settings through another network, for longer, or larger.

    source: what weights the run had in the end, imagenet, sketch, random or file.
    """
    config = request.config
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Run again with")
        for row in BACKBONES.values():
            if row.name != config.backbone:
                _offer(network_label(row, source), request, backbone=row.name)
        if 2 * config.steps <= MOST_STEPS:
            _offer("twice the steps", request, steps=2 * config.steps)
        if 2 * config.size <= LARGEST_SIZE:
            _offer("twice the size", request, size=2 * config.size)


def network_label(backbone: Backbone, source: str) -> str:
    """What another network's button says: its name, and where it has no weights of that source here."""
    return f"{backbone.label} on sketch weights" if _lacks(backbone, source) else backbone.label


def _lacks(backbone: Backbone, source: str) -> bool:
    """Whether these weights are ImageNet's and this network's are not here."""
    return source == "imagenet" and imagenet_state(backbone) != "present"


def _offer(label: str, request: Request, **settings: Any) -> None:
    st.button(label, on_click=_ask, args=(request, settings))


def _ask(request: Request, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        st.session_state[f"settings.{name}"] = value  # what the page shows goes along
    st.session_state[_ASKED] = request, settings


def take_asked() -> Request | None:
    """The run that the last press asked for, once; ConfigError says what does not go together.

    It has the pictures of the run beside whose picture the button stood: after a reload, or when others were
    picked since, the page's own choice is another one.
    """
    asked = st.session_state.pop(_ASKED, None)
    if asked is None:
        return None
    request: Request = asked[0]
    settings: dict[str, Any] = asked[1]
    if "backbone" in settings:
        settings = settings | _of_another_network(request, settings["backbone"])
    config = replace(request.config, **settings)
    return replace(request, config=config, label=find_backbone(config.backbone).label)


def _of_another_network(request: Request, backbone: str) -> dict[str, Any]:
    """What has to change with the network: layers that are its own, and weights that it may not have here."""
    config, own = request.config, own_layers(backbone)
    return {
        "style_layers": _lent(config.style_layers) or own.get("style_layers"),
        "content_layers": _lent(config.content_layers) or own.get("content_layers"),
        "weights": "sketch" if _lacks(find_backbone(backbone), config.weights) else config.weights,
    }


def _lent(layers: LayerWeights | None) -> LayerWeights | None:
    """The layers if all of them are named as other networks' than the run's, which stay what they are."""
    return layers if layers and all(":" in name or name == COLOURS for name, _ in layers) else None
