"""Functions that TensorFlow compiles once and computes in the thread that calls them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import CallableOptions
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.python.framework.ops import gradient_registry

# Threads of a session: none of TensorFlow's pool, so that whoever calls computes its operations one by one.
# A single one, as a convolution, still uses every core.
NO_POOL = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """What a compiled function computes.

    inputs: tensors of the graph, the arguments in a row and then those that stand for what it captured;
    captured: the values of these, a network's kernels; outputs: tensors in the function's own structure.
    """

    graph: Any
    inputs: tuple[Any, ...]
    captured: tuple[Any, ...]
    outputs: Any


class Compiled:
    """A function of tensors, traced at its first call and never again; it takes and gives NumPy arrays.

    signature: of the arguments, each a tf.TensorSpec or a tuple of them; their types are checked, their
    shapes only by the operations. What is given is the function's own structure of arrays, which are not to
    be written to, as they may share memory with what the function holds. Where there is a GPU a tf.function
    is called.

    A tf.function is computed by TensorFlow's pool, and each of the pool's threads keeps the kernels that
    oneDNN made for every shape of map that it has seen, a thousand of each kind, as long as the process
    lives. Here the calling thread keeps them, so that they end with it; runs of the dashboard have a thread
    each. And a step is not handed from thread to thread.
    """

    def __init__(self, function: Callable[..., Any], signature: Sequence[Any]) -> None:
        self._function = tf.function(function, input_signature=signature, autograph=False)
        self._signature = tuple(signature)
        self._chosen: Callable[[Any], Any] = lambda found: found
        self._lock = threading.Lock()
        self._call: Callable[..., Any] | None = None

    def part(self, name: str, arguments: int) -> Compiled:
        """What the function gives under a name, computed of its first few arguments, which must suffice.

        The function is traced once for all its parts, most of which need the same maps, and tracing is what
        the first step of a run waits for; each part computes only what it gives.
        """
        part = Compiled.__new__(Compiled)
        part._function = self._function
        part._signature = self._signature[:arguments]
        part._chosen = itemgetter(name)
        part._lock, part._call = threading.Lock(), None
        return part

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

    def graph(self) -> Graph:
        """What is computed; the function is traced now if it was not yet."""
        concrete = _traced(self._function)
        captured = tuple(concrete.captured_inputs)
        held = concrete.inputs[len(concrete.inputs) - len(captured) :]
        given = concrete.inputs[: len(tf.nest.flatten(self._signature))]
        return Graph(
            graph=concrete.graph,
            inputs=(*given, *held),
            captured=captured,
            outputs=self._chosen(concrete.structured_outputs),
        )

    def _made(self) -> Callable[..., Any]:
        graph = self.graph()
        if tf.config.list_physical_devices("GPU"):
            function = _imported(graph, self._signature)
            return lambda *arguments: tf.nest.map_structure(np.asarray, function(*arguments))
        run = _callable(graph)
        # Views of the tensors that the graph captured, a network's kernels: TensorFlow reads them in place.
        captured = [np.asarray(tensor) for tensor in graph.captured]

        def call(*arguments: Any) -> Any:
            given = [np.asarray(argument) for argument in tf.nest.flatten(arguments)]
            found = run(*given, *captured)
            for array in found:
                if isinstance(array, np.ndarray):  # a scalar is a number of NumPy's
                    array.flags.writeable = False
            return tf.nest.pack_sequence_as(graph.outputs, found)

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


def _callable(graph: Graph) -> Callable[..., list[Any]]:
    """A function of the graph's inputs that gives its outputs in a row."""
    # Not `make_callable`, whose feeding of a hundred arrays in Python takes longer than all else around it.
    names = CallableOptions(
        feed=[tensor.name for tensor in graph.inputs],
        fetch=[tensor.name for tensor in tf.nest.flatten(graph.outputs)],
    )
    run: Callable[..., list[Any]] = session_of(graph)._make_callable_from_options(names)
    return run


def session_of(graph: Graph) -> Any:
    """A session on a graph, in which what it captured is an argument like the others."""
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=NO_POOL)
    # TensorFlow rewrites a graph twice; of ours the second time finds nothing and takes as long as the first.
    config.graph_options.rewrite_options.meta_optimizer_iterations = RewriterConfig.ONE
    return tf.compat.v1.Session(graph=graph.graph, config=config)


def _imported(graph: Graph, signature: tuple[Any, ...]) -> Any:
    """A tf.function of the arguments, in which what the graph captured stays where TensorFlow has it."""
    definition = graph.graph.as_graph_def()
    names = [tensor.name for tensor in graph.inputs]
    wanted = [tensor.name for tensor in tf.nest.flatten(graph.outputs)]

    def function(*arguments: Any) -> Any:
        given = [*tf.nest.flatten(arguments), *(tf.identity(tensor) for tensor in graph.captured)]
        return tf.nest.pack_sequence_as(
            graph.outputs,
            tf.graph_util.import_graph_def(definition, dict(zip(names, given, strict=True)), wanted, name=""),
        )

    return tf.function(function, input_signature=signature, autograph=False)
