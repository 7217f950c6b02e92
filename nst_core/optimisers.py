"""How the picture is moved: Adam, or L-BFGS-B, each asked where to look and told what was found there."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from functools import lru_cache
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from threadpoolctl import ThreadpoolController

from nst_core.canvas import Canvas
from nst_core.tensors import tensor_of

BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-8  # Adam (Kingma and Ba 2015), a shorter memory of squares than theirs
SLICE = 1 << 21  # values that Adam moves at a time: its temporaries stay small however large the picture
CORRECTIONS = 5  # pairs of moves and gradient changes that L-BFGS remembers, each two pictures in float64

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


class Descent(Protocol):
    """An optimiser at work on a canvas' parameters.

    `position` is where the loss and its gradient are wanted next, or None when the optimiser has ended by
    itself, for the reason in `ended`. `advance` answers the last position; a position whose loss is not
    finite must not be answered. `close` lets go of everything, at any time.
    """

    ended: str

    def position(self) -> Any | None:
        """Parameters at which to evaluate next."""

    def advance(self, total: float, gradient: Any) -> None:
        """The loss and its gradient with respect to the parameters, at the last position."""

    def close(self) -> None:
        """End now."""


class Adam:
    """Adam with bias correction; parameters are brought back into the canvas' range after each move."""

    ended = ""

    def __init__(self, canvas: Canvas, parameters: Any, rate: float) -> None:
        self._canvas = canvas
        self._parameters = parameters
        self._first, self._second = np.zeros((2, np.size(parameters)), np.float32)
        self._count = 0
        self._rate = rate

    def position(self) -> Any:
        """The parameters as they stand; Adam never ends by itself."""
        return self._parameters

    def advance(self, total: float, gradient: Any) -> None:
        """One move against the gradient; the loss itself does not count."""
        self._count += 1
        numbers = tf.constant([self._count, self._rate], tf.float32)
        before, slopes = np.asarray(self._parameters).ravel(), np.asarray(gradient).ravel()
        after = []
        for start in range(0, before.size, SLICE):
            part = slice(start, start + SLICE)
            moved, self._first[part], self._second[part] = _adam()(
                before[part], slopes[part], self._first[part], self._second[part], numbers
            )
            after.append(self._canvas.project(moved))
        self._parameters = tf.reshape(tf.concat(after, 0), self._parameters.shape)

    def close(self) -> None:
        """Nothing to let go of."""


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
    """SciPy's L-BFGS-B (Byrd et al. 1995; Zhu et al. 1997), within the canvas' bounds where it has some.

    SciPy calls the function that it minimises; here the caller evaluates it. So SciPy works in a thread of
    its own that waits for each answer, and touches nothing but its own arrays.
    """

    def __init__(self, canvas: Canvas, parameters: Any, corrections: int = CORRECTIONS) -> None:
        self.ended = ""
        self._shape = parameters.shape
        self._bounds = canvas.bounds
        self._corrections = corrections
        self._asked: SimpleQueue[Floats | None] = SimpleQueue()
        self._told: SimpleQueue[tuple[float, Floats] | None] = SimpleQueue()
        start = np.asarray(parameters, np.float64).ravel()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._minimise, args=(start,), name="l-bfgs", daemon=True)
        with ExitStack() as stack:
            stack.enter_context(_ONE_THREAD)
            self._thread.start()
            self._wanted = self._next()
            self._held = stack.pop_all()

    def position(self) -> Any | None:
        """The next point of the line search; None when SciPy has ended."""
        return self._wanted

    def advance(self, total: float, gradient: Any) -> None:
        """Answer SciPy and wait for its next question; whatever went wrong in its thread is raised here."""
        self._told.put((total, np.asarray(gradient).ravel()))
        self._wanted = self._next()

    def _next(self) -> Any | None:
        wanted = self._asked.get()
        if self._failure is not None:
            raise self._failure
        return None if wanted is None else tensor_of(wanted.reshape(self._shape))

    def close(self) -> None:
        """End SciPy's thread, which may be waiting for an answer."""
        self._told.put(None)
        self._thread.join()
        self._held.close()

    def _minimise(self, start: Doubles) -> None:
        from scipy import optimize

        # It is stopped from outside; only a line search that finds nothing lower ends it from within.
        options = {
            "maxcor": self._corrections,
            "maxiter": 10**9,
            "maxfun": 10**9,
            "ftol": 0.0,
            "gtol": 0.0,
        }
        bounds = optimize.Bounds(*self._bounds) if self._bounds else None
        with ExitStack() as stack:
            stack.push(self._leave)
            found = optimize.minimize(
                self._loss, start, jac=self._slopes, method="L-BFGS-B", bounds=bounds, options=options
            )
            self.ended = str(found.message)

    def _leave(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        """Wake the caller, who waits for a question and would wait for ever after an error here."""
        if isinstance(error, _ClosedError):
            self.ended = "closed"
        else:
            self._failure = error
        self._asked.put(None)
        return True

    def _loss(self, point: Doubles) -> float:
        self._asked.put(point.astype(np.float32))
        answer = self._told.get()
        if answer is None:
            raise _ClosedError
        total, self._gradient = answer
        return total

    def _slopes(self, _point: Doubles) -> Floats:
        """The gradient at the point whose loss was asked last: SciPy asks for one after the other.

        With jac=True, for both in one, SciPy would keep a copy of the point and compare it twice a step.
        """
        return self._gradient


class _OneThread:
    """Keeps matrix products to one thread as long as any L-BFGS works.

    OpenBLAS' threads go on spinning after each product, on the cores that the next evaluation needs: a step
    of the small networks took up to 1.6 times as long. Their number is the process', so the searches are
    counted: the first one sets it, the last one puts it back. threadpoolctl listens to the thread that set it
    alone, so searches are made and closed by the thread that asks them, not by SciPy's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._searches = 0
        self._limit = ExitStack()

    def __enter__(self) -> None:
        import scipy.optimize  # noqa: F401 - brings a BLAS of its own

        with self._lock:
            if not self._searches:
                self._limit.enter_context(ThreadpoolController().limit(limits=1, user_api="blas"))
            self._searches += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._searches -= 1
            if not self._searches:
                self._limit.close()


_ONE_THREAD = _OneThread()


class _ClosedError(Exception):
    """Ends SciPy's loop from within the function that it minimises."""
