"""The losses of Gatys, Ecker and Bethge (2015, 2016) as pure functions of feature maps, and their targets.

Feature maps are [1, h, w, N] float32: N channels, M = h * w positions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from nst_core.backbones import COLOURS
from nst_core.choices import Balance
from nst_core.statistics import StatisticRow

# Keeps a term finite when its target is zero everywhere (a black style picture, a dead layer).
SMALLEST_NORM = 1e-12
SMOOTH_ABSOLUTE = 1e-3  # of the 0..1 range: below it an absolute difference is rounded off to a square


def content_distance(features: Any, target: Any) -> Any:
    """Sum of squared differences between feature maps and a target of their shape, which is a constant."""

    def distance(maps: Any) -> tuple[Any, Callable[[Any], Any]]:
        apart = tf.cast(maps, tf.float32) - target

        # Written out: TensorFlow subtracts once more, and spreads the slope over all values beforehand.
        def gradient(upstream: Any) -> Any:
            return tf.cast(2.0 * upstream * apart, maps.dtype)

        return 2.0 * tf.nn.l2_loss(apart), gradient

    return tf.custom_gradient(distance)(features)


def smooth(features: Any, temperature: float) -> Any:
    """Softmax over all channels and positions of [1, h, w, N] maps, times their number: the mean is 1.

    Wang, Li and Vasconcelos (CVPR 2021, equation 8) at temperature 1, against the peaks that residual
    connections leave. The factor is ours: shares of a whole are about 1e-7, their Gram matrix's squares 1e-28
    and below what float32 holds; a constant cancels in relative losses.
    """
    maps = tf.cast(features, tf.float32) / temperature
    shares = tf.exp(maps - tf.stop_gradient(tf.reduce_max(maps)))
    return shares / tf.reduce_mean(shares)


def total_variation(picture: Any) -> Any:
    """Squared differences between neighbours, [H, W, 3] in 0..1, averaged over the picture's values.

    Each value counts once to its right and once downward neighbour: 0 for a flat picture, 2 for a black and
    white checkerboard without end. Gatys et al. have no such term; later work adds it against grain.
    """
    return _neighbours(picture, tf.square)


def absolute_variation(picture: Any) -> Any:
    """The same of absolute differences (Rudin, Osher and Fatemi 1992), rounded off near 0; edges stay."""
    return _neighbours(
        picture, lambda change: tf.sqrt(tf.square(change) + SMOOTH_ABSOLUTE**2) - SMOOTH_ABSOLUTE
    )


def power_variation(picture: Any) -> Any:
    """The same of sqrt(right^2 + down^2)^2.5, as Mahendran and Vedaldi (2015, equation 4) with beta = 2.5."""
    right = tf.square(picture[:-1, 1:] - picture[:-1, :-1])
    down = tf.square(picture[1:, :-1] - picture[:-1, :-1])
    return tf.reduce_sum(tf.pow(right + down, 1.25)) / tf.cast(tf.size(picture), tf.float32)


def _neighbours(picture: Any, count: Callable[[Any], Any]) -> Any:
    # As rows of values, and by tf.slice: the gradients of strided slices of [H, W, 3] are slow.
    rows, width = tf.shape(picture)[0], 3 * tf.shape(picture)[1]
    flat = tf.reshape(picture, [rows, width])
    right = tf.reduce_sum(count(tf.slice(flat, [0, 3], [-1, -1]) - tf.slice(flat, [0, 0], [-1, width - 3])))
    down = tf.reduce_sum(count(tf.slice(flat, [1, 0], [-1, -1]) - tf.slice(flat, [0, 0], [rows - 1, -1])))
    return (right + down) / tf.cast(tf.size(picture), tf.float32)


VARIATIONS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"squared": total_variation, "absolute": absolute_variation, "power": power_variation}
)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What the picture is pulled towards, computed once for each size.

    styles          [rows, N] statistics of the style picture (Gram matrices: [N, N]), one a style layer
    style_scales    [layers] factors: w_l * factor * distance is layer l's style loss
    contents        [1, h, w, N] of the content picture, one a content layer
    content_scales  [layers] likewise for content_distance
    """

    styles: tuple[Any, ...]
    style_scales: Any
    contents: tuple[Any, ...]
    content_scales: Any


def nothing_of(key: str, *, smoothed: bool) -> float:
    """What a layer's maps are everywhere when they say nothing: 0, or smoothed, as `smooth` gives them, 1."""
    return 1.0 if smoothed and key != COLOURS else 0.0


def style_factor(
    target: Any, balance: Balance, distance: Callable[[Any, Any], Any], nothing: float = 0.0
) -> float:
    """The factor before a statistic's distance.

    paper: E_l = 1 / (4 N^2 M^2) * sum (G - A)^2 (Gatys et al. 2015, equation 4); the Gram matrices here are
    divided by M already, so 1 / (4 N^2) is left, and stands before the other statistics too. relative: E_l
    divided by its value for maps of `nothing`, 0 unless smoothed, which for Gram matrices is
    1 / (4 N^2 M^2) * sum A^2, so that 1 means "nothing of the style".
    """
    channels = int(target.shape[-1])
    if balance == "paper":
        return 1.0 / (4.0 * channels**2)
    return 1.0 / max(float(distance(tf.fill([1, 1, 1, channels], nothing), target)), SMALLEST_NORM)


def content_factor(target: Any, balance: Balance, nothing: float = 0.0) -> float:
    """The factor before `content_distance`.

    paper: 1/2 * sum (F - P)^2 (Gatys et al. 2015, equation 1). relative: that divided by its value for maps
    of `nothing`, 1/2 * sum P^2 unless smoothed.
    """
    if balance == "paper":
        return 0.5
    return 1.0 / max(float(tf.reduce_sum(tf.square(target - nothing))), SMALLEST_NORM)


def weigh_targets(
    styles: tuple[Any, ...],
    contents: tuple[Any, ...],
    *,
    style_weights: tuple[float, ...],
    content_weights: tuple[float, ...],
    balance: Balance,
    statistic: StatisticRow,
    nothings: Sequence[float] = (),
) -> Targets:
    """Targets of the style's statistics and the content's maps, one a layer, in the order of the weights.

    nothings: what the maps of the style layers, then of the content layers, are when they say nothing; 0 if
    left out.
    """
    nothings = nothings or [0.0] * (len(styles) + len(contents))
    style_scales = [
        weight * style_factor(target, balance, statistic.distance, nothing)
        for target, weight, nothing in zip(styles, style_weights, nothings[: len(styles)], strict=True)
    ]
    content_scales = [
        weight * content_factor(maps, balance, nothing)
        for maps, weight, nothing in zip(contents, content_weights, nothings[len(styles) :], strict=True)
    ]
    return Targets(
        styles,
        tf.constant(style_scales, tf.float32),
        contents,
        tf.constant(content_scales, tf.float32),
    )
