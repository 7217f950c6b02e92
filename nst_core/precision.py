"""What networks are computed in where nothing else is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from nst_core.backbones import find_backbone
from nst_core.choices import Precision
from nst_core.system import computes_bfloat16


def find_precision(
    chosen: Precision, widths: Mapping[str, float], *, gpu: bool = False
) -> Literal["float32", "bfloat16"]:
    """The precision of the convolutions of a run.

    widths: of each network in use, by its backbone's name, the width multiplier. `auto` is bfloat16 on
    processors that compute in it, where a step of a full network takes half the time or less, unless one of
    the networks bears it less, see `Backbone`. On GPUs nothing was measured, so that they stay with float32;
    gpu: whether TensorFlow has one. It is not asked here: foretelling a run's time and memory must not wait
    for its import.
    """
    if chosen != "auto":
        return chosen
    borne = all(width >= find_backbone(name).bfloat16_from_width for name, width in widths.items())
    return "bfloat16" if borne and computes_bfloat16() and not gpu else "float32"
