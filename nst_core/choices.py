"""What a setting can be: the names to choose from, the limits, and the values that stand for "not chosen"."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Canvas = Literal["fourier", "pixel"]
Balance = Literal["relative", "paper"]
Start = Literal["content", "noise", "style"]
Padding = Literal["zero", "reflect", "replicate"]
Pooling = Literal["average", "max"]
Optimiser = Literal["adam", "lbfgs"]
Finish = Literal["none", "lbfgs"]
Statistic = Literal["gram", "moments", "wasserstein"]
Smoothing = Literal["none", "softmax"]
Variation = Literal["squared", "absolute", "power"]
Precision = Literal["auto", "float32", "bfloat16"]
WEIGHTS_SOURCES = ("auto", "imagenet", "sketch", "random")

SMALLEST_SIZE, LARGEST_SIZE = 64, 4096  # pixels, longest side
MOST_STEPS = 100_000
MOST_JITTER = 64  # pixels
JITTERS = 8  # shifts that are gone through in turn; the content's maps are kept for each
STYLE_SCALES = (0.25, 4.0)  # the style picture's longest side over the canvas'
MOST_AVERAGING = 0.999
PLAIN_TEMPERATURE = 1.0  # of smoothed activations: Wang et al. (2021), and where none is chosen

# Adam's step for each canvas: pixels live in [0, 1]; Fourier coefficients are scaled to about 1.
LEARNING_RATES: Mapping[str, float] = MappingProxyType({"pixel": 0.02, "fourier": 0.2})
# (content, style) for each balance. Relative: by eye and by the metrics over the sample pairs.
# Paper: the ratio 1e-3 of Gatys et al. (2016), figure 4.
LOSS_WEIGHTS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"relative": (0.2, 1.0), "paper": (1.0, 1000.0)}
)
# Gamma over the root of alpha, for each balance; the paper has no variation term. The content's gradient
# brings the grain that smoothing takes away: a gamma of its own blurs bold pictures and leaves grain in
# faithful ones (`python -m tests.bench.strength --gamma 1`), one in proportion to alpha blurs the faithful.
VARIATION_OVER_ROOT: Mapping[str, float] = MappingProxyType({"relative": 2.3, "paper": 0.0})

# What the shallowest of several content layers weighs. It lets the style's forms grow large without losing
# the content's; with a third of the weight it keeps light and shade where the style should change them.
SHALLOWEST = 0.05

STRENGTH = 75.0  # the style strength where none is chosen

LayerWeights = tuple[tuple[str, float], ...]


def usual_variation_weight(balance: str, content_weight: float) -> float:
    """Gamma where none is chosen, at this alpha, from 0 upwards. Our own: the paper has no such term."""
    return VARIATION_OVER_ROOT[balance] * math.sqrt(content_weight)


def weigh_alike(layers: tuple[str, ...]) -> LayerWeights:
    """The layers with equal weights that add up to 1."""
    return tuple((name, 1.0 / len(layers)) for name in layers)


def weigh_content(layers: tuple[str, ...]) -> LayerWeights:
    """The usual content layers, shallowest first, with weights that add up to 1: the others alike."""
    if len(layers) == 1:
        return weigh_alike(layers)
    shallowest, *others = layers
    weight = (1.0 - SHALLOWEST) / len(others)
    return ((shallowest, SHALLOWEST), *((name, weight) for name in others))
