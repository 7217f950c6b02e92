"""One compiled update of the picture: losses, gradient, Adam."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from nst_core.canvas import CANVASES
from nst_core.config import Balance, TransferConfig
from nst_core.features import Extractor
from nst_core.losses import Targets, content_distance, make_targets, style_distance, total_variation
from nst_core.networks import Network

BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-8  # Adam (Kingma and Ba 2015), a shorter memory of squares than theirs


class State(NamedTuple):
    """What an update reads and gives back: the canvas' parameters and Adam's two moments."""

    parameters: Any
    first: Any
    second: Any
    count: Any


@dataclass(frozen=True, slots=True)
class Losses:
    """Unweighted losses of one picture; `layers` are the style layers' shares, in order."""

    content: float
    style: float
    variation: float
    layers: tuple[float, ...]


class Engine:
    """The compiled step for one network, one choice of layers and one canvas.

    One graph serves every picture size, loss weight, balance and learning rate: they are arguments, not
    constants, so that nothing is traced twice and memory does not grow with the number of shapes.
    """

    def __init__(
        self,
        network: Network,
        *,
        style_layers: tuple[str, ...],
        content_layers: tuple[str, ...],
        config: TransferConfig,
    ) -> None:
        self.style_layers = style_layers
        self.content_layers = content_layers
        self.precision = "float32"
        self.canvas = CANVASES[config.canvas]
        names = tuple(dict.fromkeys((*style_layers, *content_layers)))
        self.extractor = Extractor(network, names, padding=config.padding, pooling=config.pooling)
        picture = tf.TensorSpec([None, None, 3], tf.float32)
        self._features = tf.function(self.extractor.__call__, input_signature=[picture], autograph=False)
        signature = self._signature(network)
        self._advance = tf.function(self._update, input_signature=signature, autograph=False)
        self._measure = tf.function(self._numbers, input_signature=[picture, signature[2]], autograph=False)
        self._decode = _decoder(config.canvas)

    def _parameters_spec(self) -> Any:
        return tf.TensorSpec([None] * self.canvas.rank, tf.float32)

    def _signature(self, network: Network) -> list[Any]:
        channels = {layer.name: layer.channels for layer in network.architecture.layers}
        parameters = self._parameters_spec()
        grams = tuple(tf.TensorSpec([channels.get(name, 4)] * 2) for name in self.style_layers)
        maps = tuple(tf.TensorSpec([1, None, None, channels.get(name, 4)]) for name in self.content_layers)
        targets = (
            grams,
            tf.TensorSpec([len(grams)]),
            maps,
            tf.TensorSpec([len(maps)]),
        )
        return [
            State(parameters, parameters, parameters, tf.TensorSpec([])),
            tf.TensorSpec([2], tf.int32),
            targets,
            tf.TensorSpec([4]),
        ]

    def targets(
        self,
        content: npt.NDArray[np.float32],
        style: npt.NDArray[np.float32],
        *,
        style_weights: tuple[float, ...],
        content_weights: tuple[float, ...],
        balance: Balance,
    ) -> Targets:
        """Targets of the two pictures, each [H, W, 3] in 0..1; weights in the order of the layers."""
        return make_targets(
            self._features(style),
            self._features(content),
            style_layers=tuple(zip(self.style_layers, style_weights, strict=True)),
            content_layers=tuple(zip(self.content_layers, content_weights, strict=True)),
            balance=balance,
        )

    def start(self, picture: npt.NDArray[np.float32]) -> State:
        """The state whose picture is `picture`, with Adam's moments at zero."""
        return restart(State(self.canvas.encode(picture), None, None, None))

    def picture(self, state: State, size: tuple[int, int]) -> npt.NDArray[np.float32]:
        """The state's picture, float32 [H, W, 3] in 0..1; size = (width, height)."""
        width, height = size
        pixels = self._decode(state.parameters, tf.constant([height, width])).numpy()
        return np.asarray(np.clip(pixels, 0.0, 1.0))

    def advance(
        self,
        state: State,
        size: tuple[int, int],
        targets: Targets,
        factors: tuple[float, float, float, float],
    ) -> tuple[State, Losses]:
        """The losses at the state's picture, and the state after one update.

        factors: alpha, beta, gamma and the learning rate. Only the ratios of the first three count: Adam's
        step does not depend on the scale of the loss, and with weights that add up to 1 very small or large
        ones neither sink below its epsilon nor leave the range of float32.
        """
        width, height = size
        whole = sum(factors[:3]) or 1.0
        scaled = (*(factor / whole for factor in factors[:3]), factors[3])
        state, numbers = self._advance(
            state, tf.constant([height, width]), _packed(targets), tf.constant(scaled, tf.float32)
        )
        return state, _losses_of(numbers)

    def errors(self, picture: npt.NDArray[np.float32], targets: Targets) -> Losses:
        """The losses of a picture as it is, float32 [H, W, 3] in 0..1 of the targets' size; nothing moves."""
        return _losses_of(self._measure(picture, _packed(targets)))

    def _update(self, state: State, size: Any, targets: Any, factors: Any) -> tuple[State, Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(state.parameters)
            content, layers, variation = self._losses(self.canvas.decode(state.parameters, size), targets)
            total = factors[0] * content + factors[1] * tf.reduce_sum(layers) + factors[2] * variation
        gradient = tape.gradient(total, state.parameters)
        return self._adam(state, gradient, factors[3]), tf.concat([[content, variation], layers], 0)

    def _numbers(self, picture: Any, targets: Any) -> Any:
        content, layers, variation = self._losses(picture, targets)
        return tf.concat([[content, variation], layers], 0)

    def _losses(self, picture: Any, targets: Any) -> tuple[Any, Any, Any]:
        grams, style_scales, contents, content_scales = targets
        maps = self.extractor(picture)
        styles = [
            style_distance(maps[name], gram) for name, gram in zip(self.style_layers, grams, strict=True)
        ]
        distances = [
            content_distance(maps[name], target)
            for name, target in zip(self.content_layers, contents, strict=True)
        ]
        content = tf.reduce_sum(tf.stack(distances) * content_scales)
        return content, tf.stack(styles) * style_scales, total_variation(picture)

    def _adam(self, state: State, gradient: Any, rate: Any) -> State:
        count = state.count + 1.0
        first = BETA1 * state.first + (1 - BETA1) * gradient
        second = BETA2 * state.second + (1 - BETA2) * tf.square(gradient)
        move = (first / (1 - BETA1**count)) / (tf.sqrt(second / (1 - BETA2**count)) + EPSILON)
        return State(self.canvas.project(state.parameters - rate * move), first, second, count)


def _packed(targets: Targets) -> tuple[Any, ...]:
    return targets.grams, targets.style_scales, targets.contents, targets.content_scales


def _losses_of(numbers: Any) -> Losses:
    content, variation, *layers = (float(number) for number in numbers.numpy())
    return Losses(content, sum(layers), variation, tuple(layers))


@lru_cache(maxsize=len(CANVASES))
def _decoder(canvas: str) -> Any:
    # One for all engines: TensorFlow warns of retracing when the same function is compiled again and again.
    parameters = tf.TensorSpec([None] * CANVASES[canvas].rank, tf.float32)
    signature = [parameters, tf.TensorSpec([2], tf.int32)]
    return tf.function(CANVASES[canvas].decode, input_signature=signature, autograph=False)


def restart(state: State) -> State:
    """The same picture with Adam's moments forgotten."""
    zeros = tf.zeros_like(state.parameters)
    return State(state.parameters, zeros, zeros, tf.constant(0.0))
