"""Plotly, loaded so that threads that draw for several people do not disturb each other."""

from __future__ import annotations

from typing import Any


def graph_objects() -> Any:
    """The module `plotly.graph_objects`, pandas being whole.

    Plotly takes pandas as it finds it among the loaded modules, and fails while another thread is still
    importing it; whoever imports it too waits until it is there.
    """
    import pandas  # noqa: F401
    import plotly.graph_objects

    return plotly.graph_objects
