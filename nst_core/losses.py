"""The losses of Gatys, Ecker and Bethge (2015, 2016) as pure functions of feature maps, and their targets.

Feature maps are [1, h, w, N] float32: N channels, M = h * w positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from nst_core.config import Balance

# Keeps a term finite when its target is zero everywhere (a black style picture, a dead layer).
SMALLEST_NORM = 1e-12


def gram_matrix(features: Any) -> Any:
    """Channel co-activations averaged over positions, [N, N]: (1/M) sum_k F_ik F_jk.

    Gatys et al. (2015, equation 3) sum over positions and divide by M^2 inside the loss. The style picture is
    used at its own size, so its M differs from the canvas'; averaging each over its own positions is equal to
    their formula where the sizes agree, and stays meaningful where they do not.
    """
    channels = features.shape[-1]
    flat = tf.reshape(tf.cast(features, tf.float32), [-1, channels])
    positions = tf.cast(tf.shape(flat)[0], tf.float32)
    return tf.matmul(flat, flat, transpose_a=True) / positions


def style_distance(features: Any, target: Any) -> Any:
    """Sum of squared differences between the Gram matrix of [1, h, w, N] features and a target [N, N]."""
    return tf.reduce_sum(tf.math.squared_difference(gram_matrix(features), target))


def content_distance(features: Any, target: Any) -> Any:
    """Sum of squared differences between two feature maps of one shape."""
    return tf.reduce_sum(tf.math.squared_difference(tf.cast(features, tf.float32), target))


def total_variation(picture: Any) -> Any:
    """Squared differences between neighbours, [H, W, 3] in 0..1, averaged over the picture's values.

    Each value counts once to its right and once downward neighbour: 0 for a flat picture, 2 for a black and
    white checkerboard without end. Gatys et al. have no such term; later work adds it against grain.
    """
    right = tf.reduce_sum(tf.math.squared_difference(picture[:, 1:], picture[:, :-1]))
    down = tf.reduce_sum(tf.math.squared_difference(picture[1:], picture[:-1]))
    return (right + down) / tf.cast(tf.size(picture), tf.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What the picture is pulled towards, computed once for each size.

    grams           [N, N] of the style picture, one a style layer
    style_scales    [layers] factors: w_l * factor * style_distance is layer l's style loss
    contents        [1, h, w, N] of the content picture, one a content layer
    content_scales  [layers] likewise for content_distance
    """

    grams: tuple[Any, ...]
    style_scales: Any
    contents: tuple[Any, ...]
    content_scales: Any


def style_factor(target: Any, balance: Balance) -> float:
    """The factor before `style_distance`.

    paper: E_l = 1 / (4 N^2 M^2) * sum (G - A)^2 (Gatys et al. 2015, equation 4); the Gram matrices here are
    divided by M already, so 1 / (4 N^2) is left. relative: E_l divided by its value for G = 0, which is
    1 / (4 N^2 M^2) * sum A^2, so that 1 means "nothing of the style".
    """
    if balance == "paper":
        return 1.0 / (4.0 * int(target.shape[0]) ** 2)
    return 1.0 / max(float(tf.reduce_sum(tf.square(target))), SMALLEST_NORM)


def content_factor(target: Any, balance: Balance) -> float:
    """The factor before `content_distance`.

    paper: 1/2 * sum (F - P)^2 (Gatys et al. 2015, equation 1). relative: that divided by 1/2 * sum P^2.
    """
    if balance == "paper":
        return 0.5
    return 1.0 / max(float(tf.reduce_sum(tf.square(target))), SMALLEST_NORM)


def make_targets(
    style_features: dict[str, Any],
    content_features: dict[str, Any],
    *,
    style_layers: tuple[tuple[str, float], ...],
    content_layers: tuple[tuple[str, float], ...],
    balance: Balance,
) -> Targets:
    """Targets of one style and one content picture's feature maps; the pairs are (layer, weight)."""
    grams = tuple(gram_matrix(style_features[name]) for name, _ in style_layers)
    contents = tuple(tf.cast(content_features[name], tf.float32) for name, _ in content_layers)
    style_scales = [
        weight * style_factor(gram, balance) for gram, (_, weight) in zip(grams, style_layers, strict=True)
    ]
    content_scales = [
        weight * content_factor(maps, balance)
        for maps, (_, weight) in zip(contents, content_layers, strict=True)
    ]
    return Targets(
        grams,
        tf.constant(style_scales, tf.float32),
        contents,
        tf.constant(content_scales, tf.float32),
    )
