"""The visitor's own style and content layers of each backbone; without them the usual ones hold."""

from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st

from nst_core.backbones import COLOURS, find_backbone
from nst_core.choices import LayerWeights, weigh_alike, weigh_content
from nst_core.weights import expected_source

OWN = "own"  # the content is seen by the same network as the style


def layer_settings(backbone: str) -> dict[str, Any]:
    """The layers of a run as settings: the visitor's own, and another network's content layers if wanted.

    Empty when all layers are the usual ones.
    """
    seen_by = str(st.session_state.get("settings.content_by", OWN))
    if seen_by in (OWN, backbone):
        return own_layers(backbone)
    return own_layers(backbone) | {"content_layers": of_network(seen_by, content_layers(seen_by))}


def of_network(backbone: str, layers: LayerWeights) -> LayerWeights:
    """The same layers for a run of whichever network: each with its own network's name before it."""
    return tuple((name if name == COLOURS else f"{backbone}:{name}", weight) for name, weight in layers)


def own_layers(backbone: str) -> dict[str, Any]:
    """The visitor's own choices as settings of a run; empty when all layers are the usual ones."""
    kept = {
        "style_layers": st.session_state.get(f"layers.{backbone}.style"),
        "content_layers": st.session_state.get(f"layers.{backbone}.content"),
    }
    return {name: layers for name, layers in kept.items() if layers is not None}


def style_layers(backbone: str) -> LayerWeights:
    """(layer, w_l) pairs as they stand: the visitor's own, else the usual ones of the weights in use."""
    own: LayerWeights | None = st.session_state.get(f"layers.{backbone}.style")
    return own or usual_style_layers(backbone)


def usual_style_layers(backbone: str) -> LayerWeights:
    """The style layers of a run that names none."""
    return weigh_alike(find_backbone(backbone).usual_style_layers(_source(backbone)))


def _source(backbone: str) -> str:
    """The kind of weights in use: imagenet, sketch or random."""
    return expected_source(find_backbone(backbone), str(st.session_state.get("settings.weights", "auto")))


def content_layers(backbone: str) -> LayerWeights:
    """(layer, weight) pairs as they stand: the visitor's own, else the usual ones of the weights in use."""
    own: LayerWeights | None = st.session_state.get(f"layers.{backbone}.content")
    return own or weigh_content(find_backbone(backbone).usual_content_layers(_source(backbone)))


def set_style(backbone: str, weights: Mapping[str, float]) -> None:
    """Keep these style layers, shallow to deep. The last one stays: a run needs at least one."""
    chosen = tuple((name, float(weights[name])) for name in _in_order(backbone) if name in weights)
    if not any(weight for _, weight in chosen):
        st.toast("A run needs at least one style layer with a weight above 0; this one stays.")
        return
    st.session_state[f"layers.{backbone}.style"] = chosen


def toggle_style(backbone: str, layer: str) -> None:
    """Add the layer to the style layers, at the mean of their weights, or take it away."""
    weights = dict(style_layers(backbone))
    if layer in weights:
        del weights[layer]
    else:
        weights[layer] = round(sum(weights.values()) / len(weights), 6)
    set_style(backbone, weights)


def set_content(backbone: str, layers: Collection[str]) -> None:
    """Keep these content layers at equal weights, shallow to deep. The last one stays: a run needs one."""
    chosen = tuple(name for name in _in_order(backbone) if name in layers)
    if not chosen:
        st.toast("A run needs at least one content layer; this one stays.")
        return
    st.session_state[f"layers.{backbone}.content"] = weigh_alike(chosen)


def toggle_content(backbone: str, layer: str) -> None:
    """Add the layer to the content layers, or take it away."""
    set_content(backbone, {name for name, _ in content_layers(backbone)} ^ {layer})


def _in_order(backbone: str) -> tuple[str, ...]:
    return (COLOURS, *find_backbone(backbone).architecture().folded().names)


def even_out(backbone: str) -> None:
    """Give every style layer the same weight, 1 in all."""
    names = [name for name, _ in style_layers(backbone)]
    set_style(backbone, {name: 1 / len(names) for name in names})


def forget(backbone: str) -> None:
    """Back to the usual layers."""
    for kind in ("style", "content"):
        st.session_state.pop(f"layers.{backbone}.{kind}", None)


def apply_edits(backbone: str, names: tuple[str, ...], edits: Mapping[int, Mapping[str, Any]]) -> bool:
    """Take over what was edited in the table, whose rows are `names`; True when the table must start anew.

    An edit holds, for one row, some of Style (ticked or not), Weight and Content. The table reports all its
    edits each time and goes on showing them, so it starts anew when one of them is no longer true.
    """
    weights = dict(style_layers(backbone))
    share = round(sum(weights.values()) / len(weights), 6)
    for row, cells in edits.items():
        layer, weight = names[row], cells.get("Weight")
        if cells.get("Style") is False:
            weights.pop(layer, None)
        elif cells.get("Style") or weight is not None:
            weights[layer] = weights.get(layer, share) if weight is None else weight
    if weights != dict(style_layers(backbone)):  # or else the usual layers would become chosen ones
        set_style(backbone, weights)
    seen = {layer for layer, _ in content_layers(backbone)}
    ticks = {names[row]: cells["Content"] for row, cells in edits.items() if "Content" in cells}
    wanted = (seen | {layer for layer, tick in ticks.items() if tick}) - {
        layer for layer, tick in ticks.items() if not tick
    }
    if wanted != seen:
        set_content(backbone, wanted)
    return any(
        cells[cell] != shown
        for row, cells in edits.items()
        for cell, shown in _shown(backbone, names[row]).items()
        if cell in cells
    )


def _shown(backbone: str, layer: str) -> dict[str, Any]:
    """What the table's cells of a layer ought to say."""
    weights = dict(style_layers(backbone))
    content = dict(content_layers(backbone))
    return {"Style": layer in weights, "Weight": weights.get(layer), "Content": layer in content}
