"""TensorFlow's "Neural style transfer" tutorial, plainly, on this program's networks: a yardstick.

https://www.tensorflow.org/tutorials/generative/style_transfer: the picture's pixels are a variable, one
compiled step takes the losses' gradient, moves the pixels by Adam and clips them; the last picture is the
result. Layers are computed one by one as Keras' would be, but for batch normalisation, which is folded
into the convolutions here and so costs the tutorial nothing.

A step is compiled for one picture size and TensorFlow never frees it: for measuring, not for an app.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from nst_core.architectures import INPUT, Layer
from nst_core.backbones import BGR_MEANS, Backbone
from nst_core.networks import Network

Pixels = npt.NDArray[np.float32]

STYLE_WEIGHT, CONTENT_WEIGHT, VARIATION_WEIGHT = 1e-2, 1e4, 30.0
LEARNING_RATE, BETA1, BETA2, EPSILON = 0.02, 0.99, 0.999, 0.1
# The tutorial has no ResNet50; the end of the last stage stands as deep as block 5 does in a VGG.
CONTENT_LAYERS = {"vgg16": "block5_conv2", "vgg19": "block5_conv2", "resnet50": "conv5_block3_out"}


class TutorialLosses(NamedTuple):
    """The weighted losses of a picture; `total` is their sum."""

    total: float
    style: float
    content: float
    variation: float


class Tutorial:
    """The tutorial's optimisation of one picture, step by step.

    content and style are float32 [H, W, 3] in 0..1, each side at least the backbone's `smallest_side`; their
    sizes may differ. The picture starts from the content.
    """

    def __init__(self, network: Network, backbone: Backbone, *, content: Pixels, style: Pixels) -> None:
        self.style_layers = backbone.style_layers
        self.content_layers = (CONTENT_LAYERS[backbone.name],)
        self._layers = network.architecture.up_to((*self.style_layers, *self.content_layers))
        self._arrays = {
            name: tuple(tf.convert_to_tensor(array) for array in pair)
            for name, pair in network.arrays.items()
        }
        self._grams = self._describe(tf.constant(style)[tf.newaxis])[0]
        self._contents = self._describe(tf.constant(content)[tf.newaxis])[1]
        self._image = tf.Variable(tf.constant(content)[tf.newaxis])
        self._first = tf.Variable(tf.zeros_like(self._image))
        self._second = tf.Variable(tf.zeros_like(self._image))
        self._count = tf.Variable(0.0)
        self._train_step = tf.function(self._step, autograph=False)

    @property
    def picture(self) -> Pixels:
        """The picture as it stands, float32 [H, W, 3] in 0..1."""
        pixels: Pixels = self._image.numpy()[0]
        return pixels

    def advance(self) -> TutorialLosses:
        """One step; the losses are those of the picture before it."""
        return TutorialLosses(*(float(number) for number in self._train_step().numpy()))

    def _step(self) -> Any:
        with tf.GradientTape() as tape:
            losses = self._losses(self._image)
            total = tf.add_n(losses)
        self._adam(tape.gradient(total, self._image))
        self._image.assign(tf.clip_by_value(self._image, 0.0, 1.0))
        return tf.stack([total, *losses])

    def _losses(self, image: Any) -> list[Any]:
        grams, contents = self._describe(image)
        style = tf.add_n(
            [tf.reduce_mean((gram - goal) ** 2) for gram, goal in zip(grams, self._grams, strict=True)]
        )
        content = tf.add_n(
            [tf.reduce_mean((maps - goal) ** 2) for maps, goal in zip(contents, self._contents, strict=True)]
        )
        return [
            style * (STYLE_WEIGHT / len(grams)),
            content * (CONTENT_WEIGHT / len(contents)),
            VARIATION_WEIGHT * tf.reduce_sum(tf.image.total_variation(image)),
        ]

    def _adam(self, gradient: Any) -> None:
        """Adam as Keras has it: epsilon is added to the root of the uncorrected second moment."""
        self._count.assign_add(1.0)
        self._first.assign_add((gradient - self._first) * (1 - BETA1))
        self._second.assign_add((tf.square(gradient) - self._second) * (1 - BETA2))
        rate = LEARNING_RATE * tf.sqrt(1 - BETA2**self._count) / (1 - BETA1**self._count)
        self._image.assign_sub(rate * self._first / (tf.sqrt(self._second) + EPSILON))

    def _describe(self, image: Any) -> tuple[list[Any], list[Any]]:
        """Gram matrices [1, N, N] of the style layers and maps [1, h, w, N] of the content layers."""
        maps = {INPUT: image[..., ::-1] * 255.0 - tf.constant(BGR_MEANS, tf.float32)}
        for layer in self._layers:
            maps[layer.name] = _apply(
                layer, [maps[name] for name in layer.inputs], self._arrays.get(layer.name)
            )
        return [_gram(maps[name]) for name in self.style_layers], [maps[name] for name in self.content_layers]


def _gram(maps: Any) -> Any:
    shape = tf.shape(maps)
    return tf.einsum("bijc,bijd->bcd", maps, maps) / tf.cast(shape[1] * shape[2], tf.float32)


def _apply(layer: Layer, inputs: list[Any], arrays: tuple[Any, ...] | None) -> Any:
    match layer.kind:
        case "convolution" if arrays is not None:
            inside = "SAME" if layer.padding else "VALID"
            maps = tf.nn.bias_add(tf.nn.conv2d(inputs[0], arrays[0], layer.stride, inside), arrays[1])
            return tf.nn.relu(maps) if layer.relu else maps
        case "relu":
            return tf.nn.relu(inputs[0])
        case "add":
            return inputs[0] + inputs[1]
        case "pad":
            amount = layer.padding
            return tf.pad(inputs[0], [[0, 0], [amount, amount], [amount, amount], [0, 0]])
        case "max_pool":
            return tf.nn.max_pool2d(inputs[0], layer.kernel, layer.stride, "VALID")
    raise ValueError(f"{layer.name} is not a layer of a folded network")


def tutorial_steps(
    network: Network, backbone: Backbone, *, content: Pixels, style: Pixels
) -> Iterator[tuple[TutorialLosses, Pixels]]:
    """The tutorial without end: after each step the losses before it and the picture after it."""
    tutorial = Tutorial(network, backbone, content=content, style=style)
    while True:
        yield tutorial.advance(), tutorial.picture
