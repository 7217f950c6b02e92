"""Style strength: one number from faithful to wild, even to the eye on every backbone."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from nst_core.choices import LOSS_WEIGHTS, usual_variation_weight
from nst_core.config import TransferConfig

# log10 of the content weight (relative balance) at the strengths of KNOTS, for each backbone and kind of
# weights. From knot to knot the mean of structure and edges kept falls by equal steps, from about 0.71 to
# 0.43 on both VGGs and from 0.76 to 0.48 on ResNet50, which below that loses content and comes no nearer to
# the style (`python -m tests.bench.strength --fit`). "": weights that were not measured, after both VGGs.
KNOTS = (0.0, 25.0, 50.0, 75.0, 100.0)
CURVES: Mapping[tuple[str, str], tuple[float, ...]] = MappingProxyType(
    {
        ("", ""): (0.45, 0.2, -0.1, math.log10(0.2), -2.1),
        ("vgg16", "sketch"): (0.24, 0.0, -0.38, -0.89, -1.71),
        ("vgg19", "sketch"): (0.26, 0.06, -0.31, -0.98, -2.13),
        ("resnet50", "sketch"): (0.03, -0.25, -0.56, -1.05, -1.67),
    }
)

# Gamma over the usual one of its alpha, where that is another: chosen over the sample pairs, by eye and with
# random weights beside (`python -m assets.sketch.against_random`).
SMOOTHER: Mapping[tuple[str, str], float] = MappingProxyType(
    {("vgg16", "sketch"): 1.2, ("vgg19", "sketch"): 1.1, ("resnet50", "sketch"): 1.5}
)


def content_weight_at(strength: float, backbone: str, source: str) -> float:
    """Alpha for a style strength of 0 (faithful) to 100 (wild) in the relative balance, with beta = 1.

    A line between measured knots, over log10 of alpha. source: imagenet, sketch, random or file.
    """
    curve = CURVES.get((backbone, source), CURVES["", ""])
    return float(10 ** np.interp(strength, KNOTS, curve))


def loss_weights(config: TransferConfig, source: str) -> tuple[float, float, float]:
    """alpha, beta and gamma as a run with weights of this source uses them."""
    resolved = config.resolved()
    alpha, gamma = resolved.content_weight, resolved.variation_weight
    if alpha is None:
        at_strength = content_weight_at(config.strength, config.backbone, source)
        alpha = at_strength if config.balance == "relative" else LOSS_WEIGHTS[config.balance][0]
    usual = _usual_variation_weight(config, alpha, source)
    return alpha, resolved.style_weight or 0.0, usual if gamma is None else gamma


def smooths_as_usual(config: TransferConfig, source: str) -> bool:
    """Whether gamma is what alpha makes of it, or will be, and was not chosen by itself."""
    if config.variation_weight is None or config.content_weight is None:
        return config.variation_weight is None
    usual = _usual_variation_weight(config, config.content_weight, source)
    return math.isclose(config.variation_weight, usual, rel_tol=1e-6)


def _usual_variation_weight(config: TransferConfig, alpha: float, source: str) -> float:
    times = SMOOTHER.get((config.backbone, source), 1.0)
    return times * usual_variation_weight(config.balance, alpha)


def is_of_strength(config: TransferConfig, source: str) -> bool:
    """Whether alpha is what the style strength makes of it, or will be, and was not chosen by itself."""
    if config.balance != "relative":
        return False
    alpha = content_weight_at(config.strength, config.backbone, source)
    return config.content_weight is None or math.isclose(config.content_weight, alpha, rel_tol=1e-6)
