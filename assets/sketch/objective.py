"""The network with its heads, the loss, the learning rate and one step of training."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from assets.sketch.crops import Sampler
from nst_core.architectures import Architecture
from nst_core.backbones import Backbone
from nst_core.networks import keras_model

SMOOTHING = 0.1
SIDE_HEADS = 0.3


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
    settling: int = 64  # batches over which the batch statistics are averaged at the end
    evaluation: int = 16  # batches that the accuracy is measured on
    tail: float = 0.5  # share of the steps, at the end, in which the rate falls as a cosine

    def rate(self, step: int) -> float:
        """Learning rate at a step: up in a line, level, down as half a cosine wave."""
        done = (step + 1) / self.steps
        fall = max(0.0, (done - (1 - self.tail)) / self.tail)
        return self.learning_rate * min(1.0, done / self.warm_up) * (0.5 + 0.5 * math.cos(math.pi * fall))

    def shape(self, step: int) -> tuple[int, int]:
        """Side (pixels) and count of the crops at a step."""
        small = step < self.large_from * self.steps
        return (self.crop, self.batch) if small else (self.large_crop, self.large_batch)


def head_layers(backbone: Backbone, architecture: Architecture) -> tuple[str, ...]:
    """The last layer of the three deepest stages: blocks 3, 4 and 5."""
    pooled = tuple(layer.inputs[0] for layer in architecture.layers if layer.kind == "max_pool")
    return (pooled if len(pooled) > 1 else backbone.style_layers)[-3:]


def with_heads(
    backbone: Backbone, architecture: Architecture, *, classes: int, pictures: int
) -> tuple[Any, Any]:
    """The bare model, and one with three outputs: logits of picture, picture and class, shallow to deep."""
    import keras

    body = keras_model(architecture, normalised=True)
    outputs = []
    for number, (name, size) in enumerate(
        zip(head_layers(backbone, architecture), (pictures, pictures, classes), strict=True)
    ):
        pooled = keras.layers.GlobalAveragePooling2D(name=f"head{number}_pool")(body.output[name])
        normal = keras.layers.BatchNormalization(name=f"head{number}_bn")(pooled)
        outputs.append(keras.layers.Dense(size, name=f"head{number}")(normal))
    return body, keras.Model(body.input, outputs, name="with_heads")


def smoothed_loss(logits: Any, labels: Any) -> Any:
    """Cross-entropy with label smoothing (Szegedy et al. 2016), mean over the batch, in nats."""
    import tensorflow as tf

    logarithms = tf.nn.log_softmax(logits)
    right = tf.gather(logarithms, labels, batch_dims=1)
    return -tf.reduce_mean((1 - SMOOTHING) * right + SMOOTHING * tf.reduce_mean(logarithms, axis=-1))


def training_step(model: Any, optimizer: Any, sampler: Sampler) -> Callable[[Any, int, int], tuple[Any, Any]]:
    """A compiled function (step, side, count) -> (loss, share right) that updates the model once."""
    import tensorflow as tf

    def train(step: Any, side: int, count: int) -> tuple[Any, Any]:
        crops, classes, pictures = sampler.batch(step, side=side, count=count)
        with tf.GradientTape() as tape:
            low, middle, high = model(crops, training=True)
            loss = smoothed_loss(high, classes)
            total = loss + SIDE_HEADS * (smoothed_loss(low, pictures) + smoothed_loss(middle, pictures))
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        right = tf.reduce_mean(tf.cast(tf.argmax(high, axis=-1, output_type=tf.int32) == classes, tf.float32))
        return loss, right

    compiled: Callable[[Any, int, int], tuple[Any, Any]] = tf.function(train)
    return compiled
