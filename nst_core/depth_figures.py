"""Activations along a network's depth, as a Plotly figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from nst_core.activations import LayerStatistics
from nst_core.plotting import graph_objects

Quantity = Literal["peak_over_mean", "entropy", "gram_entropy"]

# What each figure asks, and what its vertical axis counts.
QUESTIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "peak_over_mean": ("Where do activations turn peaky?", "largest activation over the mean"),
        "entropy": ("Where do few activations hold most of the total?", "entropy of activations, 0 to 1"),
        "gram_entropy": ("Where do few channel pairs hold the style?", "entropy of the Gram matrix, 0 to 1"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One network's statistics along its depth: `depths` are shares of its longest path, 0 to 1."""

    label: str
    colour: str
    depths: Sequence[float]
    statistics: Sequence[LayerStatistics]
    dash: str = "solid"


def statistics_figure(profiles: Sequence[Profile], quantity: Quantity) -> Any:
    """One quantity of several networks over relative depth, each in its backbone's colour.

    Peak over mean has a logarithmic axis. A layer that is 0 everywhere leaves a gap.
    """
    go = graph_objects()
    title, axis = QUESTIONS[quantity]
    figure = go.Figure()
    for profile in profiles:
        figure.add_scatter(
            x=list(profile.depths),
            y=[getattr(row, quantity) for row in profile.statistics],
            mode="lines+markers",
            name=profile.label,
            text=[row.name for row in profile.statistics],
            line={"color": profile.colour, "dash": profile.dash, "width": 2},
            marker={"size": 6},
            hovertemplate="%{text}: %{y:.3g}<extra>" + profile.label + "</extra>",
        )
    log = quantity == "peak_over_mean"
    figure.update_layout(
        title={"text": title, "font": {"size": 15}},
        xaxis={
            "title": "depth: share of the network's convolutions",
            "tickformat": ".0%",
            "range": [0, 1.02],
        },
        # Of themselves Plotly's ticks between powers of ten are labelled by their first digit alone.
        yaxis={"type": "log", "title": axis, "dtick": "D2", "tickformat": "~g"}
        if log
        else {"type": "linear", "title": axis, "nticks": 6},
        hovermode="closest",
        legend={"orientation": "h", "y": -0.25},
        margin={"l": 60, "r": 12, "t": 48, "b": 40},
        height=340,
    )
    return figure
