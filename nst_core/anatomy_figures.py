"""A network drawn as boxes, as a Plotly figure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

from nst_core.anatomy import LayerFacts
from nst_core.backbones import Backbone
from nst_core.plotting import graph_objects

Span = tuple[LayerFacts, float, float]  # a box: its facts, its left and its right edge

GAP = 1.2  # between boxes, in the unit of their widths
OTHERS = "rgba(128,128,128,0.28)"
LINES = "rgba(128,128,128,0.7)"
# What a box may be, and its hatching.
KINDS = {"style layer": "", "content layer": "/", "content and style layer": "x", "other layers": ""}


def anatomy_figure(
    backbone: Backbone,
    facts: Sequence[LayerFacts],
    *,
    drawn: Collection[str],
    style: Collection[str],
    content: Collection[str],
) -> Any:
    """The network from left to right; a click on a box reports its layer's name as `customdata`.

    facts: of all layers. drawn: those that get a box. style, content: those chosen; one without a box of its
    own is marked on none. A box is as high as the square root of its map's longer side and as wide as the
    logarithm of its channels, so that all of them can be seen; the true numbers are in its hover.
    """
    go = graph_objects()
    spans = _spans([row for row in facts if row.name in drawn])
    figure = go.Figure()
    _add_shortcuts(figure, facts, spans)
    # (style, content) of each box, in the order of KINDS
    kinds: dict[tuple[bool, bool], list[Span]]
    kinds = {(True, False): [], (False, True): [], (True, True): [], (False, False): []}
    for span in spans:
        kinds[span[0].name in style, span[0].name in content].append(span)
    for (label, shape), chosen in zip(KINDS.items(), kinds.values(), strict=True):
        colour = OTHERS if label == "other layers" else backbone.colour
        figure.add_bar(**_boxes(chosen, name=label, colour=colour, shape=shape))
    for span in spans:
        if span[0].name in {*style, *content}:
            _add_label(figure, span)
    _lay_out(figure, backbone, spans)
    return figure


def _spans(drawn: Sequence[LayerFacts]) -> list[Span]:
    spans, left = [], 0.0
    for row in drawn:
        right = left + 1 + math.log2(row.channels) / 2
        spans.append((row, left, right))
        left = right + GAP
    return spans


def _height(row: LayerFacts) -> float:
    return math.sqrt(max(row.size))


def _boxes(spans: Sequence[Span], *, name: str, colour: str, shape: str) -> dict[str, Any]:
    heights = [_height(row) for row, _, _ in spans]
    marker = {"color": colour, "line": {"width": 1, "color": LINES}}
    if shape:
        marker["pattern"] = {
            "shape": shape,
            "bgcolor": colour,
            "fgcolor": "white",
            "size": 7,
            "solidity": 0.3,
        }
    return {
        "x": [(left + right) / 2 for _, left, right in spans],
        "width": [right - left for _, left, right in spans],
        "y": heights,
        "base": [-height / 2 for height in heights],
        "customdata": [row.name for row, _, _ in spans],
        "hovertext": [describe(row) for row, _, _ in spans],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "name": name,
        "marker": marker,
        # A click chooses a layer; it is not to fade the others.
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "showlegend": bool(spans),
    }


def describe(row: LayerFacts) -> str:
    """A layer's facts in three short lines of HTML."""
    return (
        f"<b>{row.name}</b><br>{row.channels} channels of {row.size[0]} × {row.size[1]}"
        f"<br>sees {row.receptive_field} × {row.receptive_field} pixels"
    )


def _add_shortcuts(figure: Any, facts: Sequence[LayerFacts], spans: Sequence[Span]) -> None:
    places = {row.name: place for place, row in enumerate(facts)}
    x: list[float | None] = []
    y: list[float | None] = []
    for (before, first, second), (row, left, right) in pairwise(spans):
        between = facts[places[before.name] : places[row.name]]
        if any(other.kind == "add" for other in between):
            # Off the middle, so that one shortcut does not run into the next.
            start, end = second - (second - first) / 4, left + (right - left) / 4
            low = -max(_height(before), _height(row)) / 2 - 1.2
            x += [start, start, end, end, None]
            y += [-_height(before) / 2, low, low, -_height(row) / 2, None]
    if x:
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": LINES, "width": 1.2},
            hoverinfo="skip",
            name="shortcut around a residual block",
        )


def _add_label(figure: Any, span: Span) -> None:
    row, left, right = span
    figure.add_annotation(
        x=(left + right) / 2,
        y=_height(row) / 2,
        text=row.name,
        textangle=-90,
        yanchor="bottom",
        showarrow=False,
        yshift=4,
        font={"size": 10},
    )


def _lay_out(figure: Any, backbone: Backbone, spans: Sequence[Span]) -> None:
    groups: dict[str, list[float]] = {}
    for row, left, right in spans:
        if row.kind not in ("max_pool", "colours"):
            groups.setdefault(row.name.split("_")[0], []).extend((left, right))
    tallest = max(_height(row) for row, _, _ in spans)
    figure.update_layout(
        title={"text": f"Which layers of {backbone.label} does a run compare?", "font": {"size": 15}},
        barmode="overlay",
        bargap=0,
        xaxis={
            "tickvals": [(min(edges) + max(edges)) / 2 for edges in groups.values()],
            "ticktext": [name[-1] for name in groups],
            "tickangle": 0,
            "title": {"text": "stage" if backbone.name == "resnet50" else "block", "font": {"size": 12}},
            "range": [-0.5, spans[-1][2] + 0.5],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        # Room above the boxes for the names of the chosen layers, and below for shortcuts.
        yaxis={"visible": False, "fixedrange": True, "range": [-0.62 * tallest, 0.95 * tallest]},
        legend={"orientation": "h", "y": -0.2},
        hovermode="closest",
        clickmode="event+select",
        dragmode=False,
        margin={"l": 8, "r": 8, "t": 48, "b": 40},
        height=400,
    )
