"""A canvas of one size, compiled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from nst_core.canvas import CANVASES, Canvas
from nst_core.tensors import tensor_of

_PICTURE = tf.TensorSpec([None, None, 3], tf.float32)
_SCALE = tf.TensorSpec([None, None], tf.float32)


@dataclass(frozen=True)
class Easel:
    """A canvas and a size: name is one of CANVASES, size = (width, height)."""

    name: str
    size: tuple[int, int]

    @cached_property
    def _sides(self) -> Any:
        return tf.constant(self.size[::-1])

    @cached_property
    def _scale(self) -> Any:
        return tensor_of(self.canvas.scale(*self.size[::-1]))

    @property
    def canvas(self) -> Canvas:
        """What the parameters mean."""
        return CANVASES[self.name]

    def paint(self, parameters: Any) -> Any:
        """The parameters' picture, a tensor [H, W, 3] in 0..1."""
        if self.name == "pixel":
            return parameters
        return _decoder(self.name)(parameters, self._sides, self._scale)

    def pull_back(self, picture: Any, gradient: Any) -> Any:
        """The gradient with respect to the parameters that were painted as `picture`, of one [H, W, 3] with
        respect to that picture."""
        if self.name == "pixel":
            return gradient
        return _puller(self.name)(picture, gradient, self._scale)

    def picture(self, parameters: Any) -> npt.NDArray[np.float32]:
        """The parameters' picture as an array, float32 [H, W, 3] in 0..1."""
        return np.asarray(np.clip(self.paint(parameters), 0.0, 1.0))


# One of each for all runs: TensorFlow warns of retracing when the same function is compiled again and again.
@lru_cache(maxsize=len(CANVASES))
def _decoder(name: str) -> Any:
    canvas = CANVASES[name]
    signature = [tf.TensorSpec([None] * canvas.rank, tf.float32), tf.TensorSpec([2], tf.int32), _SCALE]
    return tf.function(canvas.decode, input_signature=signature, autograph=False)


@lru_cache(maxsize=len(CANVASES))
def _puller(name: str) -> Any:
    signature = [_PICTURE, _PICTURE, _SCALE]
    return tf.function(CANVASES[name].pull_back, input_signature=signature, autograph=False)
