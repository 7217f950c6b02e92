"""The layers of a network as a drawing and a table, and the choice of style and content layers in both."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from nst_core.anatomy import LayerFacts, colours_facts, layer_facts, stations
from nst_core.anatomy_figures import anatomy_figure
from nst_core.architectures import Architecture
from nst_core.backbones import Backbone, find_backbone
from nst_core.choices import LayerWeights
from nst_core.images import Picture
from nst_core.plan import fit
from nst_core.presets import PRESETS
from nst_core.samples import SAMPLES
from nst_core.weights import expected_width
from pages.shared.choosing import sample_picture
from pages.shared.method_choice import (
    apply_edits,
    content_layers,
    even_out,
    forget,
    own_layers,
    style_layers,
    toggle_content,
    toggle_style,
)
from pages.shared.stage import CHART
from pages.shared.state import uploads

KIND_WORDS = {
    "convolution": "convolution",
    "relu": "ReLU",
    "max_pool": "max pooling",
    "pad": "padding",
    "add": "sum with shortcut",
    "colours": "raw colours",
}
CLICKS = {"style": "Style layers", "content": "Content layers"}


def working_size() -> int:
    """Longest side of the picture in the settings as they stand, pixels."""
    preset = PRESETS[st.session_state.get("settings.preset", "draft")]
    return int(st.session_state.get("settings.size", preset.size))


def architecture_in_use(backbone: Backbone) -> Architecture:
    """The folded network at the width of the weights that a run would use."""
    weights = str(st.session_state.get("settings.weights", "auto"))
    return backbone.architecture(expected_width(backbone, weights)).folded()


def content_now() -> Picture:
    """The content picture chosen on whichever page, without a picker."""
    chosen = str(st.session_state.get("pair.content", ""))
    own = uploads().get(chosen.removeprefix("own:"))
    return own or sample_picture(chosen if chosen in SAMPLES else next(iter(SAMPLES)))


def show_layers(name: str) -> None:
    """Drawing, choice and table of one network, for the content picture at the working size."""
    backbone, picture = find_backbone(name), content_now()
    size = fit(picture, working_size())
    architecture = architecture_in_use(backbone)
    facts = (colours_facts(size), *layer_facts(architecture, size))
    show_drawing(backbone, architecture, facts)
    show_choice(backbone)
    with st.expander(f"All {len(facts) - 1} layers, to tick and to weigh", icon=":material/table_rows:"):
        show_table(backbone, facts)
    narrow = "" if architecture.width == 1 else f", at {architecture.width:g} of the published width"
    folded = " Batch normalisation is merged into the convolutions before it, which changes no output."
    st.caption(
        f"{backbone.label}{narrow}: {sum(row.parameters for row in facts):,} parameters. Map sizes are for"
        f" {picture.name} at {size[0]} × {size[1]} pixels, as the settings stand."
        f"{folded if backbone.name == 'resnet50' else ''}"
    )


def show_drawing(backbone: Backbone, architecture: Architecture, facts: tuple[LayerFacts, ...]) -> None:
    """The network as boxes; a click on one chooses its layer."""
    click = st.segmented_control(
        "A click on a box chooses",
        list(CLICKS),
        format_func=lambda kind: CLICKS[kind],
        default="style",
        required=True,
        key="method.click",
    )
    drawn = {row.name for row in facts if row.kind in ("max_pool", "colours")} | set(stations(architecture))
    figure = anatomy_figure(
        backbone,
        facts,
        drawn=drawn,
        style=[layer for layer, _ in style_layers(backbone.name)],
        content=[layer for layer, _ in content_layers(backbone.name)],
    )
    key = f"method.drawing.{backbone.name}"
    st.plotly_chart(
        figure,
        key=key,
        config={**CHART, "displayModeBar": False},
        on_select=lambda: _accept_click(backbone.name, key, str(click)),
        selection_mode="points",
    )
    st.caption("Taller boxes hold larger maps, wider ones more channels. Point at one for its numbers.")


def _accept_click(backbone: str, key: str, click: str) -> None:
    points = st.session_state[key].selection.points
    if not points:
        return
    layer = _layer_of(points[0])
    if click == "content":
        toggle_content(backbone, layer)
    else:
        toggle_style(backbone, layer)
    _renew(backbone)


def _layer_of(point: Any) -> str:
    named = point["customdata"]
    return str(named if isinstance(named, str) else named[0])


def _renew(backbone: str) -> None:
    """Let the table start anew: it would lay its old edits over a choice made elsewhere."""
    key = f"method.table.{backbone}.version"
    st.session_state[key] = st.session_state.get(key, 0) + 1


def _equal(layers: LayerWeights) -> bool:
    return len({weight for _, weight in layers}) == 1


def _told(layers: LayerWeights) -> list[str]:
    equal = _equal(layers)
    return [f"`{layer}`" if equal else f"`{layer}` × {weight:.3g}" for layer, weight in layers]


def show_choice(backbone: Backbone) -> None:
    """The chosen layers in words, and the way back."""
    style, content = style_layers(backbone.name), content_layers(backbone.name)
    equal = _equal(style)
    each = f", each at weight {style[0][1]:.3g}" if equal and len(style) > 1 else ""
    *others, last = _told(content)
    seen = f"{', '.join(others)} and {last}" if others else last
    st.markdown(f"**Style** from {', '.join(_told(style))}{each}; **content** from {seen}.")
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, action, disabled in (
            ("Back to the usual layers", forget, not own_layers(backbone.name)),
            ("Equal weights", even_out, equal),
        ):
            st.button(
                label,
                on_click=_press,
                args=(action, backbone.name),
                disabled=disabled,
                key=f"method.{action.__name__}.{backbone.name}",
            )
        # A page that was started by itself, as its own app, knows no other page.
        with suppress(StreamlitAPIException):
            st.page_link("pages/transfer.py", label="Run with these layers", icon=":material/brush:")


def _press(action: Callable[[str], None], backbone: str) -> None:
    action(backbone)
    _renew(backbone)


def show_table(backbone: Backbone, facts: tuple[LayerFacts, ...]) -> None:
    """Every layer with its facts; style layers can be ticked and weighed, content layers ticked."""
    names = tuple(row.name for row in facts)
    weights = dict(style_layers(backbone.name))
    content = {layer for layer, _ in content_layers(backbone.name)}
    version = st.session_state.get(f"method.table.{backbone.name}.version", 0)
    key = f"method.table.{backbone.name}.{version}"
    st.data_editor(
        {
            "Style": [name in weights for name in names],
            "Weight": [weights.get(name) for name in names],
            "Content": [name in content for name in names],
            "Layer": names,
            "Kind": [_kind_words(row) for row in facts],
            "Channels": [row.channels for row in facts],
            "Map": [f"{row.size[0]} × {row.size[1]}" for row in facts],
            "Sees": [row.receptive_field for row in facts],
            "Stride": [row.stride for row in facts],
            "Parameters": [row.parameters for row in facts],
        },
        column_config=_columns(),
        disabled=["Layer", "Kind", "Channels", "Map", "Sees", "Stride", "Parameters"],
        hide_index=True,
        height=420,
        placeholder="",
        key=key,
        on_change=lambda: _accept_edits(backbone.name, names, key),
    )


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "Weight": column.NumberColumn(
            min_value=0.0, format="%.3g", help="w, this layer's share of the style loss."
        ),
        "Content": column.CheckboxColumn(help="What holds the content's forms; more than one weigh alike."),
        "Map": column.TextColumn(help="Width × height of the feature map, positions."),
        "Sees": column.NumberColumn(format="%d px", help="Receptive field: side of the square seen."),
        "Stride": column.NumberColumn(format="%d px", help="Pixels between neighbouring positions."),
        "Parameters": column.NumberColumn(format="localized"),
    }


def _kind_words(row: LayerFacts) -> str:
    words = KIND_WORDS[row.kind]
    return f"{words}, ReLU" if row.kind == "convolution" and row.rectified else words


def _accept_edits(backbone: str, names: tuple[str, ...], key: str) -> None:
    edits = st.session_state[key]["edited_rows"]
    if apply_edits(backbone, names, edits):
        _renew(backbone)
