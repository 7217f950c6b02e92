"""Functions that TensorFlow compiles once and computes in the thread that calls them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import CallableOptions
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.python.framework.ops import gradient_registry

# Threads of a session: none of TensorFlow's pool, so that whoever calls computes its operations one by one.
# A single one, as a convolution, still uses every core.
NO_POOL = -1


class Compiled:
    """A function of tensors, traced at its first call and never again; it takes and gives NumPy arrays.

    signature: of the arguments, each a tf.TensorSpec or a tuple of them; their types are checked, their
    shapes only by the operations. What is given is the function's own structure of arrays, which are not to
    be written to, as they may share memory with what the function holds. Where there is a GPU an ordinary
    tf.function is called.

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
        concrete = _traced(self._function)
        if tf.config.list_physical_devices("GPU"):
            return lambda *arguments: tf.nest.map_structure(np.asarray, self._function(*arguments))
        run = _callable(concrete)
        # Views of the tensors that the graph captured, a network's kernels: TensorFlow reads them in place.
        captured = [np.asarray(tensor) for tensor in concrete.captured_inputs]
        structure = concrete.structured_outputs

        def call(*arguments: Any) -> Any:
            given = [np.asarray(argument) for argument in tf.nest.flatten(arguments)]
            found = run(*given, *captured)
            for array in found:
                if isinstance(array, np.ndarray):  # a scalar is a number of NumPy's
                    array.flags.writeable = False
            return tf.nest.pack_sequence_as(structure, found)

        return call


def _traced(function: Any) -> Any:
    """The concrete function, without what `tf.custom_gradient` entered in TensorFlow's register of gradients.

    That would stay there for ever, and with it the graph and all arrays that the graph holds. Only those who
    differentiate a finished graph look there; our gradients are in it already.
    """
    concrete = function.get_concrete_function()
    for operation in concrete.graph.get_operations():
        if operation.type == "IdentityN":
            name = operation.node_def.attr["_gradient_op_type"].s.decode()
            gradient_registry._registry.pop(name, None)  # there is no public way
    return concrete


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
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=NO_POOL)
    # TensorFlow rewrites a graph twice; of ours the second time finds nothing and takes as long as the first.
    config.graph_options.rewrite_options.meta_optimizer_iterations = RewriterConfig.ONE
    return tf.compat.v1.Session(graph=concrete.graph, config=config)
