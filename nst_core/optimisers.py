"""How the picture is moved: Adam, or L-BFGS, each asked where to look and told what was found there."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from threadpoolctl import ThreadpoolController

from nst_core.canvas import Canvas
from nst_core.lbfgs import Floats, search

BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-8  # Adam (Kingma and Ba 2015), a shorter memory of squares than theirs
SLICE = 1 << 21  # values that Adam moves at a time: its temporaries stay small however large the picture


class Descent(Protocol):
    """An optimiser at work on a canvas' parameters.

    `position` is where the loss and its gradient are wanted next, or None when the optimiser has ended by
    itself, for the reason in `ended`. `advance` answers the last position; a position whose loss is not
    finite must not be answered. `close` lets go of everything, at any time.
    """

    ended: str

    def position(self) -> Floats | None:
        """Parameters at which to evaluate next."""

    def advance(self, total: float, gradient: Floats) -> None:
        """The loss and its gradient with respect to the parameters, at the last position."""

    def close(self) -> None:
        """End now."""


class Adam:
    """Adam with bias correction; parameters are brought back into the canvas' range after each move."""

    ended = ""

    def __init__(self, canvas: Canvas, parameters: Floats, rate: float) -> None:
        self._canvas = canvas
        self._parameters = parameters
        self._first, self._second = np.zeros((2, np.size(parameters)), np.float32)
        self._count = 0
        self._rate = rate
        self._held = ONE_THREAD.hold()

    def position(self) -> Floats:
        """The parameters as they stand; Adam never ends by itself."""
        return self._parameters

    def advance(self, total: float, gradient: Floats) -> None:
        """One move against the gradient; the loss itself does not count."""
        self._count += 1
        numbers = tf.constant([self._count, self._rate], tf.float32)
        before, slopes = self._parameters.ravel(), gradient.ravel()
        after = np.empty_like(before)
        for start in range(0, before.size, SLICE):
            part = slice(start, start + SLICE)
            moved, self._first[part], self._second[part] = _adam()(
                before[part], slopes[part], self._first[part], self._second[part], numbers
            )
            after[part] = self._canvas.project(np.asarray(moved))
        self._parameters = after.reshape(self._parameters.shape)

    def close(self) -> None:
        """Let matrix products have their threads again."""
        self._held.close()


@lru_cache(maxsize=1)
def _adam() -> Any:
    def move(parameters: Any, gradient: Any, first: Any, second: Any, numbers: Any) -> tuple[Any, Any, Any]:
        count, rate = numbers[0], numbers[1]
        first = BETA1 * first + (1 - BETA1) * gradient
        second = BETA2 * second + (1 - BETA2) * tf.square(gradient)
        step = (first / (1 - BETA1**count)) / (tf.sqrt(second / (1 - BETA2**count)) + EPSILON)
        return parameters - rate * step, first, second

    values = tf.TensorSpec([None], tf.float32)
    return tf.function(move, input_signature=[values] * 4 + [tf.TensorSpec([2])], autograph=False)


class LBFGS:
    """L-BFGS within the canvas' bounds where it has some, see nst_core.lbfgs."""

    def __init__(self, canvas: Canvas, parameters: Floats) -> None:
        self.ended = ""
        self._shape = parameters.shape
        self._wanted: Floats | None = parameters
        self._search = search(np.asarray(parameters, np.float32).ravel(), canvas.bounds)
        next(self._search)
        self._held = ONE_THREAD.hold()

    def position(self) -> Floats | None:
        """The next point along a line; None when the search has ended."""
        return self._wanted

    def advance(self, total: float, gradient: Floats) -> None:
        """Tell the search what is there, and ask it where to go on."""
        self._wanted = None
        try:
            wanted = self._search.send((total, gradient.ravel()))
        except StopIteration as end:
            self.ended = end.value
        else:
            self._wanted = wanted.reshape(self._shape)

    def close(self) -> None:
        """Forget the search, and let matrix products have their threads again."""
        self._held.close()
        self._search.close()
        self._wanted, self.ended = None, self.ended or "closed"


class OneThread:
    """Keeps NumPy's matrix products, L-BFGS' and the canvas', to one thread as long as any optimiser works.

    OpenBLAS' threads go on spinning after each product, on the cores that the next evaluation needs: a step
    of the small networks took up to 1.6 times as long. Their number is the process', so those who hold it are
    counted: the first one sets it, the last one puts it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.holders = 0
        self._limit = ExitStack()

    def hold(self) -> ExitStack:
        """Keep to one thread until what is given back is closed; to close it again does nothing."""
        held = ExitStack()
        held.enter_context(self)
        return held

    def __enter__(self) -> None:
        with self._lock:
            if not self.holders:
                self._limit.enter_context(ThreadpoolController().limit(limits=1, user_api="blas"))
            self.holders += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.holders -= 1
            if not self.holders:
                self._limit.close()


ONE_THREAD = OneThread()
