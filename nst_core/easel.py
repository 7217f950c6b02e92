"""A canvas of one size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nst_core.canvas import CANVASES, Canvas

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Easel:
    """A canvas and a size: name is one of CANVASES, size = (width, height)."""

    name: str
    size: tuple[int, int]

    @cached_property
    def _scale(self) -> Array:
        return self.canvas.scale(*self.size[::-1])

    @property
    def canvas(self) -> Canvas:
        """What the parameters mean."""
        return CANVASES[self.name]

    def paint(self, parameters: Array) -> Array:
        """The parameters' picture, float32 [H, W, 3] in 0..1; on pixels the very parameters."""
        return self.canvas.decode(parameters, self.size[::-1], self._scale)

    def pull_back(self, picture: Array, gradient: Array) -> Array:
        """The gradient with respect to the parameters that were painted as `picture`, of one [H, W, 3] with
        respect to that picture."""
        return self.canvas.pull_back(picture, gradient, self._scale)
