"""How long a run would take with the settings as they stand, and waiting times in words."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nst_core.config import TransferConfig
from nst_core.errors import ImageError
from nst_core.images import Picture
from nst_core.plan import make_plan
from nst_core.presets import PRESETS
from pages.shared.settings_widgets import held
from pages.shared.state import workshop


def words_for(seconds: float) -> str:
    """A waiting time in round numbers: 8 s, 25 s, 3 min."""
    if math.isinf(seconds):
        return "too small for these pictures"
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def preset_seconds(
    columns: Sequence[Mapping[str, Any]], content: Picture, style: Picture
) -> dict[str, float]:
    """How long each preset would take here for these columns' settings; infinite where one cannot run."""
    weights = str(held("weights", "auto"))
    seconds = {}
    for row in PRESETS.values():
        shared = {"weights": weights, **row.settings()}
        configs = [TransferConfig(**{**shared, **changes}) for changes in columns]
        seconds[row.name] = sum(estimate(config, content, style) for config in configs)
    return seconds


def estimate(config: TransferConfig, content: Picture, style: Picture) -> float:
    """Seconds of a run here; infinite when the pictures are too narrow for its size."""
    try:
        plan = make_plan(config, content, style)
    except ImageError:
        return math.inf
    return workshop().speeds.seconds(config, plan)
