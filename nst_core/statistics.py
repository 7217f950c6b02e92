"""What of the style's feature maps is matched: the Gram matrix, or other statistics, with one interface.

Each statistic is two pure functions: `measure` makes a target [rows, N] of feature maps [1, h, w, N], and
`distance` says how far other maps are from a target. All are averages over positions, so that the two sets
of maps may differ in size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from nst_core.operations import mixed

# Added to the diagonal of a covariance, as a share of its mean: keeps its root differentiable where fewer
# positions than channels leave it without full rank.
RIDGE = 1e-4
# Keeps a deviation's root differentiable where a channel is constant.
SMALLEST_VARIANCE = 1e-8
# Of bfloat16 maps: with more channels the groups' sums would cost more than the copy that they save.
PARTS, FEW_CHANNELS = 8, 512
SMALLEST_SHARE = {"float32": 1e-7, "float64": 1e-14}


def positions_of(features: Any) -> Any:
    """Feature maps [1, h, w, N] as float32 [h w, N], a position a row."""
    return tf.reshape(tf.cast(features, tf.float32), [-1, features.shape[-1]])


def gram_matrix(features: Any) -> Any:
    """Channel co-activations averaged over positions, [N, N]: (1/M) sum_k F_ik F_jk.

    Gatys et al. (2015, equation 3) sum over positions and divide by M^2 inside the loss. The style picture is
    used at its own size, so its M differs from the canvas'; averaging each over its own positions is equal to
    their formula where the sizes agree, and stays meaningful where they do not.
    """
    return _mean_products(positions_of(features))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _mean_products(flat: Any) -> tuple[Any, Callable[[Any], Any]]:
    # Both factors are the same: their two gradients are one product, which TensorFlow does not see.
    positions = tf.cast(tf.shape(flat)[0], tf.float32)

    def gradient(upstream: Any) -> Any:
        return tf.matmul(flat, (upstream + tf.transpose(upstream)) / positions)

    return tf.matmul(flat, flat, transpose_a=True) / positions, gradient


def gram_distance(features: Any, target: Any) -> Any:
    """Sum of squared differences between the Gram matrix of [1, h, w, N] features and a target [N, N].

    The target must be symmetric, as Gram matrices are; it is not differentiated.
    """

    def distance(maps: Any) -> tuple[Any, Callable[[Any], Any]]:
        flat = tf.reshape(maps, [-1, maps.shape[-1]])
        positions = tf.cast(tf.shape(flat)[0], tf.float32)
        apart = _summed_products(flat) / positions - target

        # Equation 6 of Gatys et al. (2015), F (G - A): one product, and nothing turned round. In the maps'
        # own precision, which the gradient would be rounded to anyhow.
        def gradient(upstream: Any) -> Any:
            return mixed(maps, tf.cast((4.0 * upstream / positions) * apart, maps.dtype))

        return tf.reduce_sum(tf.square(apart)), gradient

    return tf.custom_gradient(distance)(features)


def _summed_products(flat: Any) -> Any:
    """F^T F of positions [M, N], float32 [N, N].

    Of bfloat16 maps of up to `FEW_CHANNELS` channels each of `PARTS` groups of positions adds up in float32,
    is rounded once, and the groups are added in float32: a few 10^-4 off, and without a copy of the maps in
    float32, which takes as long as the product itself.
    """
    if flat.dtype == tf.float32 or flat.shape[-1] > FEW_CHANNELS:
        exact = tf.cast(flat, tf.float32)
        return tf.matmul(exact, exact, transpose_a=True)
    each = tf.shape(flat)[0] // PARTS
    groups = tf.reshape(flat[: each * PARTS], [PARTS, each, flat.shape[-1]])
    sums = tf.cast(tf.matmul(groups, groups, transpose_a=True), tf.float32)
    rest = tf.cast(flat[each * PARTS :], tf.float32)
    return tf.reduce_sum(sums, 0) + tf.matmul(rest, rest, transpose_a=True)


def moments(features: Any) -> Any:
    """Mean and standard deviation of each channel, [2, N]."""
    mean, variance = tf.nn.moments(positions_of(features), axes=[0])
    return tf.stack([mean, tf.sqrt(variance + SMALLEST_VARIANCE)])


def moments_distance(features: Any, target: Any) -> Any:
    """Sum of squared differences of means and of standard deviations (Li et al. 2017, equation 11)."""
    return tf.reduce_sum(tf.math.squared_difference(moments(features), target))


def gaussian(features: Any) -> Any:
    """Mean [1, N] above the symmetric root of the covariance [N, N], together [N + 1, N], float32."""
    return gaussian_target(*_mean_and_covariance(features))


def gaussian_target(mean: Any, covariance: Any) -> Any:
    """`gaussian` of a mean [N] and a covariance [N, N], both float64."""
    values, vectors = tf.linalg.eigh(covariance)
    root = tf.matmul(vectors * tf.sqrt(tf.maximum(values, 0.0)), vectors, transpose_b=True)
    return tf.cast(tf.concat([mean[tf.newaxis], root], axis=0), tf.float32)


def gaussian_distance(features: Any, target: Any) -> Any:
    """`gaussian_apart` of these maps; `target` is `gaussian` of the other ones."""
    return gaussian_apart(*_mean_and_covariance(features), target)


def gaussian_apart(mean: Any, covariance: Any, target: Any) -> Any:
    """Squared 2-Wasserstein distance of the Gaussians with means m, n [N] and covariances C, D [N, N].

    |m - n|^2 + tr(C + D - 2 (D^1/2 C D^1/2)^1/2) (Dowson and Landau 1982, equation 4); `target` is n above
    D^1/2, together [N + 1, N]. Never below 0.
    """
    target = tf.cast(target, tf.float64)
    root = target[1:]
    spread = tf.linalg.trace(covariance) + tf.reduce_sum(tf.square(root))
    inner = tf.matmul(root, tf.matmul(covariance, root))
    shared = trace_of_root((inner + tf.transpose(inner)) / 2)
    apart = tf.reduce_sum(tf.square(mean - target[0])) + tf.maximum(spread - 2.0 * shared, 0.0)
    return tf.cast(apart, tf.float32)


def _mean_and_covariance(features: Any) -> tuple[Any, Any]:
    # On in float64: roots of a product of covariances whose small eigenvalues float32 does not tell from 0
    # would outweigh the distance itself where channels are many and positions few.
    flat = positions_of(features)
    mean = tf.reduce_mean(flat, axis=0)
    centred = flat - mean
    covariance = tf.matmul(centred, centred, transpose_a=True) / tf.cast(tf.shape(flat)[0], tf.float32)
    return tf.cast(mean, tf.float64), ridged(tf.cast(covariance, tf.float64))


def ridged(covariance: Any) -> Any:
    """A covariance [N, N], float64, with a little more on its diagonal, so that it has full rank."""
    channels = covariance.shape[-1]
    ridge = RIDGE * tf.linalg.trace(covariance) / float(channels) + SMALLEST_VARIANCE
    return covariance + ridge * tf.eye(channels, dtype=tf.float64)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def trace_of_root(matrix: Any) -> tuple[Any, Callable[[Any], Any]]:
    """tr(X^1/2) of a symmetric matrix X without negative eigenvalues; its gradient is X^-1/2 / 2.

    TensorFlow's own gradient of the eigenvalues' vectors divides by their differences, which may be 0.
    """
    values, vectors = tf.linalg.eigh(matrix)
    # Below this share of the largest, rounding does not tell an eigenvalue from 0.
    values = tf.maximum(values, SMALLEST_SHARE[matrix.dtype.name] * tf.maximum(values[-1], 1e-30))
    roots = tf.sqrt(values)

    def gradient(upstream: Any) -> Any:
        return upstream * 0.5 * tf.matmul(vectors / roots, vectors, transpose_b=True)

    return tf.reduce_sum(roots), gradient


@dataclass(frozen=True, slots=True)
class StatisticRow:
    """One statistic.

    measure   [1, h, w, N] -> target [rows, N]
    distance  ([1, h, w, N], target) -> how far, 0 or more
    label     in words
    """

    measure: Callable[[Any], Any]
    distance: Callable[[Any, Any], Any]
    label: str


STATISTICS: Mapping[str, StatisticRow] = MappingProxyType(
    {
        "gram": StatisticRow(gram_matrix, gram_distance, "Gram matrix"),
        "moments": StatisticRow(moments, moments_distance, "mean and deviation"),
        "wasserstein": StatisticRow(gaussian, gaussian_distance, "Gaussian Wasserstein"),
    }
)
