"""How runs of one backbone are told apart: all in its colour, each with another dash."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from nst_core.backbones import find_backbone
from nst_core.lanes import Lane
from nst_core.series import DASHES

# Of the bar over a column, for each of DASHES.
_BARS = ("solid", "dashed", "dotted", "double", "ridge")


def place(lanes: Sequence[Lane], lane: Lane) -> int:
    """How many lanes before this one share its backbone, and so its colour."""
    backbone = lane.request.config.backbone
    return sum(other.request.config.backbone == backbone for other in lanes[: lanes.index(lane)])


def dash(lanes: Sequence[Lane], lane: Lane) -> str:
    """The dash of the lane's curve among the others."""
    return DASHES[place(lanes, lane) % len(DASHES)]


def tint(lanes: Sequence[Lane], lane: Lane) -> str:
    """The backbone's colour, #RRGGBB, lighter for each lane before this one that has it too."""
    colour = find_backbone(lane.request.config.backbone).colour
    share = 0.7 ** place(lanes, lane)
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02X}" for part in parts)


def heading(lanes: Sequence[Lane], lane: Lane) -> None:
    """The column's name under a bar of its backbone's colour."""
    colour = find_backbone(lane.request.config.backbone).colour
    bar = f"4px {_BARS[place(lanes, lane) % len(_BARS)]} {colour}"
    look = f"border-top:{bar};padding-top:.35rem;font-weight:600"
    st.html(f'<div style="{look}">{escape(lane.request.label)}</div>')
