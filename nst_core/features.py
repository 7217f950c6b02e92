"""From a picture to feature maps: all layers in a single pass, cut off after the deepest one needed."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nst_core.architectures import INPUT, Layer
from nst_core.backbones import BGR_MEANS, COLOURS
from nst_core.config import Padding, Pooling
from nst_core.networks import Network

# For one row or column of padding SYMMETRIC repeats the border, as replication does; the three rows of
# ResNet50's stem then mirror instead, which leaves no visible border either.
_PAD_MODES = {"zero": "CONSTANT", "reflect": "REFLECT", "replicate": "SYMMETRIC"}


class Extractor:
    """Feature maps of chosen layers; holds the network's arrays as tensors, and nothing that changes.

    Calling it with a picture, float32 [H, W, 3] in 0..1 (RGB), gives {layer: [1, h, w, N]}. Each side must
    be at least the backbone's `smallest_side`.
    """

    def __init__(
        self,
        network: Network,
        layers: tuple[str, ...],
        *,
        padding: Padding = "zero",
        pooling: Pooling = "max",
    ) -> None:
        self.names = layers
        self.padding: Padding = padding
        self.pooling: Pooling = pooling
        deep = tuple(name for name in layers if name != COLOURS)
        self.layers = network.architecture.up_to(deep) if deep else ()
        self._arrays = {
            layer.name: tuple(tf.convert_to_tensor(array) for array in network.arrays[layer.name])
            for layer in self.layers
            if layer.kind == "convolution"
        }

    def __call__(self, picture: Any) -> dict[str, Any]:
        maps = {INPUT: preprocess(picture)[tf.newaxis]}
        for layer in self.layers:
            maps[layer.name] = self._apply(layer, [maps[name] for name in layer.inputs])
        if COLOURS in self.names:
            maps[COLOURS] = colours(picture)[tf.newaxis]
        return {name: maps[name] for name in self.names}

    def _apply(self, layer: Layer, inputs: list[Any]) -> Any:
        match layer.kind:
            case "convolution":
                return self._convolve(layer, inputs[0])
            case "relu":
                return tf.nn.relu(inputs[0])
            case "add":
                return inputs[0] + inputs[1]
            case "pad":
                return self._pad(inputs[0], layer.padding)
            case "max_pool":
                return self._pool(layer, inputs[0])
            case "batch_norm":
                raise ValueError(f"{layer.name} is not folded into its convolution")

    def _convolve(self, layer: Layer, maps: Any) -> Any:
        kernel, bias = self._arrays[layer.name]
        inside = "VALID"
        if layer.padding and self.padding == "zero":
            inside = "SAME"
        elif layer.padding:
            maps = self._pad(maps, layer.padding)
        maps = tf.nn.bias_add(tf.nn.conv2d(maps, kernel, layer.stride, inside), bias)
        return tf.nn.relu(maps) if layer.relu else maps

    def _pad(self, maps: Any, amount: int) -> Any:
        sides = [[0, 0], [amount, amount], [amount, amount], [0, 0]]
        return tf.pad(maps, sides, _PAD_MODES[self.padding])

    def _pool(self, layer: Layer, maps: Any) -> Any:
        if self.pooling == "max":
            return tf.nn.max_pool2d(maps, layer.kernel, layer.stride, "VALID")
        return _average_pool(maps, layer.kernel, layer.stride)


def _average_pool(maps: Any, kernel: int, stride: int) -> Any:
    if kernel == stride:
        return _average_cells(maps, kernel)
    # A sum of shifted views: on CPU the gradient of tf.nn.avg_pool2d costs more than the convolutions.
    height = (tf.shape(maps)[1] - kernel) // stride * stride + 1
    width = (tf.shape(maps)[2] - kernel) // stride * stride + 1
    views = [
        maps[:, row : row + height : stride, column : column + width : stride]
        for row in range(kernel)
        for column in range(kernel)
    ]
    return tf.add_n(views) / float(kernel * kernel)


def _average_cells(maps: Any, side: int) -> Any:
    """Means of cells of side x side positions; rows and columns that fill no cell are left out."""
    shape = tf.shape(maps)
    rows, columns = shape[1] // side, shape[2] // side
    whole = maps[:, : rows * side, : columns * side]
    cells = tf.reshape(whole, [shape[0], rows, side, columns, side, maps.shape[-1]])
    return tf.reduce_mean(cells, [2, 4])


def preprocess(picture: Any) -> Any:
    """Keras' "caffe" preprocessing of [H, W, 3] RGB in 0..1: to BGR in 0..255 less the ImageNet means.

    A copy: `keras.applications`' own function changes a float array in place.
    """
    return picture[..., ::-1] * 255.0 - tf.constant(BGR_MEANS, tf.float32)


def colours(picture: Any) -> Any:
    """[H, W, 4]: RGB in 0..1 and a constant 0.5; the Gram matrix is colour's mean and covariance."""
    return tf.concat([picture, tf.fill(tf.shape(picture[..., :1]), 0.5)], axis=-1)
