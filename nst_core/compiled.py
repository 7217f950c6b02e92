"""Functions that TensorFlow compiles once and computes in the thread that calls them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
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
class Traced:
    """What a compiled function computes.

    graph: TensorFlow's; inputs: its tensors that stand for the arguments, in a row, and then those for what
    was captured; captured: the values of these, a network's kernels; outputs: tensors in the function's own
    structure.
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
        self._source = _Source(function, tuple(signature))
        self._choose: Callable[[Any], Any] = lambda outputs: outputs
        self._signature = tuple(signature)
        self._lock = threading.Lock()
        self._call: Callable[..., Any] | None = None

    def part(self, name: str, arguments: int) -> Compiled:
        """What this function gives under a name, computed of its first few arguments, which must suffice.

        The function is traced once for all its parts, most of which need the same maps, and tracing is what
        the first step of a run waits for; each part computes only what it gives.
        """
        part = copy(self)
        part._choose = lambda outputs: self._choose(outputs)[name]
        part._signature = self._signature[:arguments]
        part._lock, part._call = threading.Lock(), None
        return part

    def __call__(self, *arguments: Any) -> Any:
        """What the function gives for these arrays or tensors."""
        if self._call is None:
            with self._lock:
                self._call = self._call or self._made()
        return self._call(*arguments)

    @property
    def called(self) -> bool:
        """Whether it is ready, as it is from the first call on."""
        return self._call is not None

    @property
    def traces(self) -> int:
        """How often the function has been traced, for all its parts together."""
        return self._source.traces

    def traced(self) -> Traced:
        """What is computed; the function is traced now if it was not yet."""
        concrete = self._source.concrete
        captured = tuple(concrete.captured_inputs)
        held = concrete.inputs[len(concrete.inputs) - len(captured) :]
        given = concrete.inputs[: len(tf.nest.flatten(self._signature))]
        return Traced(
            graph=concrete.graph,
            inputs=(*given, *held),
            captured=captured,
            outputs=self._choose(concrete.structured_outputs),
        )

    def _made(self) -> Callable[..., Any]:
        traced = self.traced()
        if tf.config.list_physical_devices("GPU"):
            function = _imported(traced, self._signature)
            return lambda *arguments: tf.nest.map_structure(np.asarray, function(*arguments))
        run = _callable(self._source.session, traced)
        # Views of the tensors that the graph captured, a network's kernels: TensorFlow reads them in place.
        captured = [np.asarray(tensor) for tensor in traced.captured]

        def call(*arguments: Any) -> Any:
            given = [np.asarray(argument) for argument in tf.nest.flatten(arguments)]
            found = run(*given, *captured)
            for array in found:
                if isinstance(array, np.ndarray):  # a scalar is a number of NumPy's
                    array.flags.writeable = False
            return tf.nest.pack_sequence_as(traced.outputs, found)

        return call


class _Source:
    """A function traced once, and one session for all that is computed of it."""

    def __init__(self, function: Callable[..., Any], signature: tuple[Any, ...]) -> None:
        self._function = tf.function(function, input_signature=signature, autograph=False)
        self._lock = threading.Lock()
        self._concrete: Any = None
        self._session: Any = None

    @property
    def traces(self) -> int:
        return int(self._function.experimental_get_tracing_count())

    @property
    def concrete(self) -> Any:
        with self._lock:
            self._concrete = self._concrete or _without_register(self._function.get_concrete_function())
            return self._concrete

    @property
    def session(self) -> Any:
        graph = self.concrete.graph
        with self._lock:
            self._session = self._session or session_of(graph)
            return self._session


def _without_register(concrete: Any) -> Any:
    """The concrete function, without what `tf.custom_gradient` entered in TensorFlow's register of gradients.

    That would stay there for ever, and with it the graph and all arrays that the graph holds. `tf.gradients`
    looks there while the function is traced, and nobody afterwards.
    """
    for operation in concrete.graph.get_operations():
        if operation.type == "IdentityN":
            name = operation.node_def.attr["_gradient_op_type"].s.decode()
            gradient_registry._registry.pop(name, None)  # there is no public way
    return concrete


def session_of(graph: Any) -> Any:
    """A session on a traced graph, in which what it captured is an argument like the others."""
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=NO_POOL)
    # TensorFlow rewrites a graph, and then once more. Of a step's the second time was seen to find nothing,
    # on each backbone with oneDNN and without; nor do layouts, memory and functions, a GPU's affairs or not
    # in our graphs. Together they are most of the time.
    rewriting = config.graph_options.rewrite_options
    rewriting.meta_optimizer_iterations = RewriterConfig.ONE
    rewriting.memory_optimization = RewriterConfig.NO_MEM_OPT
    rewriting.layout_optimizer = rewriting.implementation_selector = RewriterConfig.OFF
    rewriting.disable_tfg_optimizer = True
    return tf.compat.v1.Session(graph=graph, config=config)


def _callable(session: Any, traced: Traced) -> Callable[..., list[Any]]:
    """A function of what is traced: of its inputs, it gives its outputs in a row."""
    # Not `make_callable`, whose feeding of a hundred arrays in Python takes longer than all else around it.
    names = CallableOptions(
        feed=[tensor.name for tensor in traced.inputs],
        fetch=[tensor.name for tensor in tf.nest.flatten(traced.outputs)],
    )
    run: Callable[..., list[Any]] = session._make_callable_from_options(names)
    return run


def _imported(traced: Traced, signature: tuple[Any, ...]) -> Any:
    """A tf.function of the arguments, in which what was captured stays where TensorFlow has it."""

    def function(*arguments: Any) -> Any:
        names = [tensor.name for tensor in traced.inputs]
        given = [*tf.nest.flatten(arguments), *(tf.identity(tensor) for tensor in traced.captured)]
        found = tf.graph_util.import_graph_def(
            traced.graph.as_graph_def(),
            dict(zip(names, given, strict=True)),
            [tensor.name for tensor in tf.nest.flatten(traced.outputs)],
            name="",
        )
        return tf.nest.pack_sequence_as(traced.outputs, found)

    return tf.function(function, input_signature=signature, autograph=False)
