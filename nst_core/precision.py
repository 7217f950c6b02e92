"""What networks are computed in where nothing else is asked for."""

from __future__ import annotations

from typing import Literal

from nst_core.choices import Precision
from nst_core.system import computes_bfloat16, uses_gpu


def find_precision(chosen: Precision) -> Literal["float32", "bfloat16"]:
    """The precision of a run's convolutions.

    `auto` is bfloat16 on processors that compute in it, where a step of a full network takes about half the
    time, and one of a thin VGG two thirds, and runs end at the same losses (`python -m
    tests.bench.precision`). On GPUs nothing was measured, so that they stay with float32.
    """
    if chosen != "auto":
        return chosen
    return "bfloat16" if computes_bfloat16() and not uses_gpu() else "float32"
