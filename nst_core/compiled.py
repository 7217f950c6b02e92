"""Functions that TensorFlow compiles once and computes in the thread that calls them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import CallableOptions
from tensorflow.python.framework.ops import gradient_registry

# Of a session's threads: its operations are computed by whoever asks. Products still use every core.
CALLERS_OWN = -1


class Compiled:
    """A function of tensors, traced at its first call and never again; it takes and gives NumPy arrays.

    signature: of the arguments, each a tf.TensorSpec or a tuple of them. What is given is the function's own
    structure of arrays. Where there is a GPU an ordinary tf.function is called.

    A tf.function is computed by TensorFlow's pool, and each of the pool's threads keeps the kernels that
    oneDNN made for every shape of map that it has seen, a thousand of each kind, as long as the process
    lives. Here the calling thread keeps them, so that they end with it; runs of the dashboard have a thread
    each. And a step is not handed from thread to thread.
    """

    def __init__(self, function: Callable[..., Any], signature: Sequence[Any]) -> None:
        self._function = tf.function(function, input_signature=signature, autograph=False)
        self._lock = threading.Lock()
        self._call: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        """What the function gives for these arrays or tensors."""
        if self._call is None:
            with self._lock:
                self._call = self._call or self._made()
        return self._call(*arguments)

    @property
    def traces(self) -> int:
        """How often the function has been traced."""
        return int(self._function.experimental_get_tracing_count())

    def _made(self) -> Callable[..., Any]:
        with _gradients_forgotten():
            concrete = self._function.get_concrete_function()
        if tf.config.list_physical_devices("GPU"):
            return lambda *arguments: tf.nest.map_structure(np.asarray, self._function(*arguments))
        run = _callable(concrete)
        # As the tensors that they share their memory with; TensorFlow reads both in place.
        captured = [np.asarray(tensor) for tensor in concrete.captured_inputs]
        structure = concrete.structured_outputs

        def call(*arguments: Any) -> Any:
            given = [np.asarray(argument) for argument in tf.nest.flatten(arguments)]
            return tf.nest.pack_sequence_as(structure, run(*given, *captured))

        return call


@contextmanager
def _gradients_forgotten() -> Iterator[None]:
    """Take what `tf.custom_gradient` enters in TensorFlow's register of gradients out of it again.

    It would stay there for ever, and with it the graph and all arrays that the graph holds. Nobody asks for
    it: tapes know their gradients themselves.
    """
    before = set(gradient_registry.list())
    try:
        yield
    finally:
        for name in set(gradient_registry.list()) - before:
            gradient_registry._registry.pop(name, None)


def _callable(concrete: Any) -> Callable[..., list[Any]]:
    """A function of the concrete function's arguments and of what it captured."""
    # Not `make_callable`, whose feeding of a hundred arrays in Python takes longer than all else around it.
    names = CallableOptions(
        feed=[tensor.name for tensor in concrete.inputs],
        fetch=[tensor.name for tensor in concrete.outputs],
    )
    run: Callable[..., list[Any]] = session_of(concrete)._make_callable_from_options(names)
    return run


def session_of(concrete: Any) -> Any:
    """A session on a concrete function's graph, in which what it captured is an argument like the others."""
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=CALLERS_OWN)
    return tf.compat.v1.Session(graph=concrete.graph, config=config)
