"""The network with its heads, the loss and the learning rate, on Keras' backends TensorFlow and JAX."""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from assets.sketch.atlas import Atlas
from assets.sketch.crops import SPOILINGS, Cutter
from assets.sketch.initialisation import initialise
from nst_core.architectures import Architecture
from nst_core.backbones import Backbone
from nst_core.networks import keras_model

SMOOTHING = 0.1
HEADS = 5  # one at the end of each stage
SIDE_HEADS = 0.3  # what the loss of each but the last counts
GRAM_HEADS = 2  # of the shallowest stages: what their Gram matrices tell is what style transfer will use


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to train: everything that decides the result beside the pictures."""

    steps: int
    seed: int = 0
    batch: int = 96
    crop: int = 48
    large_crop: int = 80
    large_batch: int = 48
    large_from: float = 0.85  # share of the steps done with the small crops
    learning_rate: float = 2e-3
    weight_decay: float = 5e-2
    warm_up: float = 0.04  # share of the steps
    settling: int = 192  # batches over which the batch statistics are averaged at the end
    evaluation: int = 16  # batches that the accuracy is measured on
    tail: float = 0.5  # share of the steps, at the end, in which the rate falls as a cosine

    def rate(self, step: Any) -> Any:
        """Learning rate at a step: up in a line, level, down as half a cosine wave."""
        done = (ops.cast(step, "float32") + 1) / self.steps
        fall = ops.maximum(0.0, (done - (1 - self.tail)) / self.tail)
        risen = ops.minimum(1.0, done / self.warm_up)
        return self.learning_rate * risen * (0.5 + 0.5 * ops.cos(math.pi * fall))

    def shape(self, step: int) -> tuple[int, int]:
        """Side (pixels) and count of the crops at a step."""
        small = step < self.large_from * self.steps
        return (self.crop, self.batch) if small else (self.large_crop, self.large_batch)

    def same_shape_until(self, step: int) -> int:
        """The first step after this one whose crops have another shape, or the end."""
        change = math.ceil(self.large_from * self.steps)
        return change if step < change else self.steps


def head_layers(backbone: Backbone, architecture: Architecture) -> tuple[str, ...]:
    """The last layer of each of the five stages."""
    pooled = tuple(layer.inputs[0] for layer in architecture.layers if layer.kind == "max_pool")
    return pooled if len(pooled) > 1 else backbone.style_layers


def with_heads(
    backbone: Backbone, architecture: Architecture, *, classes: int, pictures: int
) -> tuple[Any, Any]:
    """The bare model, and one with a head a stage.

    Its outputs are logits: of looks [B, pictures * SPOILINGS], and in the end of classes [B, classes].
    """
    body = keras_model(architecture, normalised=True)
    initialise(body)
    outputs = []
    for number, name in zip(range(HEADS), head_layers(backbone, architecture), strict=True):
        pooling = Gram if number < GRAM_HEADS else keras.layers.GlobalAveragePooling2D
        pooled = pooling(name=f"head{number}_pool")(body.output[name])
        normal = keras.layers.BatchNormalization(name=f"head{number}_bn")(pooled)
        size = classes if number == HEADS - 1 else pictures * SPOILINGS
        outputs.append(keras.layers.Dense(size, name=f"head{number}")(normal))
    return body, keras.Model(body.input, outputs, name="with_heads")


class Gram(keras.layers.Layer):  # type: ignore[misc]
    """The upper half of the Gram matrix of activations [B, h, w, C], a mean over positions; of each its root.

    Roots, for products have long tails.
    """

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return input_shape[0], len(upper_half(input_shape[-1]))

    def call(self, activations: Any) -> Any:
        """The roots [B, C (C + 1) / 2]; activations are not negative."""
        _, height, width, channels = ops.shape(activations)
        flat = ops.reshape(activations, (-1, height * width, channels))
        gram = ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / ops.cast(height * width, flat.dtype)
        half = ops.take(ops.reshape(gram, (-1, channels**2)), upper_half(channels), axis=1)
        return ops.sqrt(half + 1e-4)


def upper_half(side: int) -> npt.NDArray[np.int32]:
    """Where a matrix, read row by row, holds its diagonal and what is right of it: [side (side + 1) / 2]."""
    rows, columns = np.triu_indices(side)
    return (rows * side + columns).astype(np.int32)


def cutting(atlas: Atlas, model: Any) -> Any:
    """The model behind the cutter: from the numbers of `Sampler.batch` to the heads' logits."""
    whole, pair, three = ((None,), "float32"), ((2,), "float32"), ((3,), "float32")
    number: tuple[tuple[int, ...], str] = ((), "int32")
    shapes: dict[str, tuple[tuple[int | None, ...], str]] = {"rows": whole, "columns": whole, "turn": pair}
    shapes |= {"centre": pair, "balance": three, "tone": three}
    shapes |= {"noise": number, "picture": number, "spoiling": number}
    inputs = {name: keras.Input(shape, dtype=kind, name=name) for name, (shape, kind) in shapes.items()}
    logits = model(Cutter(atlas)(inputs))
    # Keras calls each loss after the layer that it comes from.
    named = [keras.layers.Identity(name=f"head{number}")(each) for number, each in enumerate(logits)]
    return keras.Model(inputs, named)


def smoothed_loss(labels: Any, logits: Any) -> Any:
    """Cross-entropy [B] with label smoothing (Szegedy et al. 2016), in nats."""
    logarithms = ops.log_softmax(logits)
    right = ops.take_along_axis(logarithms, ops.cast(labels, "int32")[:, None], axis=-1)[:, 0]
    return -((1 - SMOOTHING) * right + SMOOTHING * ops.mean(logarithms, axis=-1))


class Rate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A plan's learning rate, for an optimiser to ask."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __call__(self, step: Any) -> Any:
        return self.plan.rate(step)


def adam_w(plan: Plan, model: Any) -> Any:
    """AdamW (Loshchilov and Hutter 2019) for the model; biases and batch normalisations do not decay."""
    optimizer = keras.optimizers.AdamW(Rate(plan), weight_decay=plan.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)
    return optimizer


def compile_for(model: Any, optimizer: Any) -> None:
    """Make Keras train the model of `cutting`: what it minimises and what it reports."""
    model.compile(
        optimizer,
        loss=[smoothed_loss] * HEADS,
        loss_weights=[*[SIDE_HEADS] * (HEADS - 1), 1.0],
        metrics=[*[[]] * (HEADS - 1), [keras.metrics.SparseCategoricalAccuracy(name="right")]],
        # TensorFlow's own kernels convolve faster on processors than XLA's.
        jit_compile=keras.backend.backend() != "tensorflow",
    )
