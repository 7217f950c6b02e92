"""What networks are computed in where nothing else is asked for."""

from __future__ import annotations

from typing import Literal

from nst_core.choices import Precision
from nst_core.system import computes_bfloat16, uses_gpu

FULL_WIDTH = 1.0


def find_precision(chosen: Precision, width: float) -> Literal["float32", "bfloat16"]:
    """The precision of a run's convolutions; width: the least multiplier of its networks.

    `auto` is bfloat16 for full networks on processors that compute in it, where a step takes about half the
    time and ends at the same losses (`python -m tests.bench.precision`). Thin networks win next to nothing,
    and on GPUs nothing was measured: both stay with float32.
    """
    if chosen != "auto":
        return chosen
    pays = width >= FULL_WIDTH and computes_bfloat16() and not uses_gpu()
    return "bfloat16" if pays else "float32"
