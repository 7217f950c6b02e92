"""The style's statistics from sums over positions, which tiles can add up.

Each row says the same as its namesake in `statistics`. The sums are of F - o, for a centre o near the mean of
F, and of its products: covariances are differences of large numbers otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from nst_core.statistics import SMALLEST_VARIANCE, gaussian_apart, gaussian_target, positions_of, ridged

Sums = tuple[Any, Any]  # of F - o [N], and of its products [N, N] or squares [N]


@tf.custom_gradient  # type: ignore[untyped-decorator]
def products(flat: Any) -> tuple[Any, Callable[[Any], Any]]:
    """F^T F of positions [M, N]; its gradient takes one product where TensorFlow's own takes two."""

    def gradient(upstream: Any) -> Any:
        return tf.matmul(flat, upstream + tf.transpose(upstream))

    return tf.matmul(flat, flat, transpose_a=True), gradient


def all_sums(features: Any, centre: Any) -> Sums:
    """Sums of F - o and of its products, of maps [1, h, w, N] and o [N]."""
    flat = positions_of(features) - centre
    return tf.reduce_sum(flat, 0), products(flat)


def square_sums(features: Any, centre: Any) -> Sums:
    """Sums of F - o and of its squares."""
    flat = positions_of(features) - centre
    return tf.reduce_sum(flat, 0), tf.reduce_sum(tf.square(flat), 0)


def product_sums(features: Any, centre: Any) -> Sums:
    """Sums of products alone; the Gram matrix's centre is 0."""
    return tf.zeros_like(centre), products(positions_of(features))


def _gram(sums: Sums, _centre: Any, count: Any) -> Any:
    return sums[1] / count


def _mean_and_variance(sums: Sums, centre: Any, count: Any) -> tuple[Any, Any]:
    shift = sums[0] / count
    return centre + shift, tf.maximum(sums[1] / count - tf.square(shift), 0.0)


def _moments(sums: Sums, centre: Any, count: Any) -> Any:
    mean, variance = _mean_and_variance(sums, centre, count)
    return tf.stack([mean, tf.sqrt(variance + SMALLEST_VARIANCE)])


def _mean_and_covariance(sums: Sums, centre: Any, count: Any) -> tuple[Any, Any]:
    shift, centre = (tf.cast(numbers, tf.float64) for numbers in (sums[0] / count, centre))
    products = tf.cast(sums[1] / count, tf.float64)
    return centre + shift, ridged(products - shift[:, tf.newaxis] * shift)


def _gaussian(sums: Sums, centre: Any, count: Any) -> Any:
    return gaussian_target(*_mean_and_covariance(sums, centre, count))


def _gaussian_distance(sums: Sums, centre: Any, count: Any, target: Any) -> Any:
    return gaussian_apart(*_mean_and_covariance(sums, centre, count), target)


def _apart(measure: Callable[[Sums, Any, Any], Any]) -> Callable[[Sums, Any, Any, Any], Any]:
    def distance(sums: Sums, centre: Any, count: Any, target: Any) -> Any:
        return tf.reduce_sum(tf.math.squared_difference(measure(sums, centre, count), target))

    return distance


@dataclass(frozen=True, slots=True)
class SummedRow:
    """One statistic.

    gather    ([1, h, w, N], centre) -> sums over these positions
    measure   (sums, centre, count of positions) -> target [rows, N]
    distance  (sums, centre, count, target) -> how far, 0 or more
    centred   whether the centre is the mean, the first row of a target; else it is 0
    squares   whether the second sums are [N], not [N, N]
    """

    gather: Callable[[Any, Any], Sums]
    measure: Callable[[Sums, Any, Any], Any]
    distance: Callable[[Sums, Any, Any, Any], Any]
    centred: bool
    squares: bool = False

    def centre(self, target: Any) -> Any:
        """The centre for maps that are compared with a target."""
        return target[0] if self.centred else tf.zeros_like(target[0])


SUMMED: Mapping[str, SummedRow] = MappingProxyType(
    {
        "gram": SummedRow(product_sums, _gram, _apart(_gram), centred=False),
        "moments": SummedRow(square_sums, _moments, _apart(_moments), centred=True, squares=True),
        "wasserstein": SummedRow(all_sums, _gaussian, _gaussian_distance, centred=True),
    }
)
