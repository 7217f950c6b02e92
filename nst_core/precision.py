"""What networks are computed in where nothing else is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from nst_core.backbones import find_backbone
from nst_core.choices import Precision
from nst_core.system import computes_bfloat16


def find_precision(
    chosen: Precision, backbones: Iterable[str], *, gpu: bool = False
) -> Literal["float32", "bfloat16"]:
    """The precision of the convolutions of a run on these backbones.

    `auto` is bfloat16 for the VGGs on processors that compute in it: a step of a full network takes about
    half the time there, one of a thin one two thirds. ResNet50 gains less and bears it less, see
    `Backbone`. On GPUs nothing was measured, so that they stay with float32; gpu: whether TensorFlow has one.
    It is not asked here: foretelling a run's time and memory must not wait for its import.
    """
    if chosen != "auto":
        return chosen
    borne = all(find_backbone(name).bears_bfloat16 for name in backbones)
    return "bfloat16" if borne and computes_bfloat16() and not gpu else "float32"
