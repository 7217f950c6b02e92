"""Arrays as tensors that hold their numbers once."""

from typing import Any

import numpy.typing as npt
import tensorflow as tf


def tensor_of(array: npt.NDArray[Any]) -> Any:
    """The array's numbers as a tensor of its own.

    A tensor that TensorFlow made of an array holds them twice as long as it lives; what an operation gives,
    be it the same, holds them once.
    """
    return tf.identity(tf.constant(array))
