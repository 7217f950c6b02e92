"""From a picture to feature maps: all layers in a single pass, cut off after the deepest one needed."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from nst_core.architectures import INPUT, Layer
from nst_core.backbones import BGR_MEANS, COLOURS
from nst_core.choices import Padding, Pooling
from nst_core.networks import Network
from nst_core.operations import convolve, mirrored_frame, onednn_computes, padded, summed, turned

# What borders show, by the layer that first had the size, and how many rows and columns are added.
Frames = dict[tuple[str, int], tuple[Any, Any]]


class Extractor:
    """Feature maps of chosen layers; holds the network's arrays as tensors, and nothing that changes.

    Calling it with a picture, float32 [H, W, 3] in 0..1 (RGB), gives {layer: [1, h, w, N]}. Each side must
    be at least the backbone's `smallest_side`. With precision="bfloat16" kernels and maps are rounded, those
    that are given back too: were they copies in float32, the deeper layers would not depend on them, and a
    gradient could not go through them.
    """

    def __init__(
        self,
        network: Network,
        layers: tuple[str, ...],
        *,
        padding: Padding = "zero",
        pooling: Pooling = "max",
        precision: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        self.names = layers
        self.padding: Padding = padding
        self.pooling: Pooling = pooling
        self._type = tf.as_dtype(precision)
        deep = tuple(name for name in layers if name != COLOURS)
        self.layers = network.architecture.up_to(deep) if deep else ()
        self._grids = _grids(self.layers)
        self._arrays = _tensors(network, self.layers, self._type)

    def __call__(self, picture: Any) -> dict[str, Any]:
        maps = {INPUT: tf.cast(tf.expand_dims(preprocess(picture), 0), self._type)}
        frames: Frames = {}
        for layer in self.layers:
            inputs = [maps[name] for name in layer.inputs]
            if layer.padding and (self.padding != "zero" or layer.kind == "pad"):
                inputs = [self._pad(inputs[0], layer, frames)]
            maps[layer.name] = self._apply(layer, inputs)
        if COLOURS in self.names:
            maps[COLOURS] = tf.expand_dims(colours(picture), 0)
        return {name: maps[name] for name in self.names}

    def _apply(self, layer: Layer, inputs: list[Any]) -> Any:
        match layer.kind:
            case "convolution":
                return self._convolve(layer, inputs[0])
            case "relu":
                return tf.nn.relu(inputs[0])
            case "add":
                return summed(*inputs)
            case "pad":
                return inputs[0]  # padded before, as those of convolutions
            case "max_pool":
                return self._pool(layer, inputs[0])
            case "batch_norm":
                raise ValueError(f"{layer.name} is not folded into its convolution")

    def _convolve(self, layer: Layer, maps: Any) -> Any:
        kernel, bias, back = self._arrays[layer.name]
        inside = "SAME" if layer.padding and self.padding == "zero" else "VALID"
        return convolve(maps, kernel, bias, stride=layer.stride, inside=inside, relu=layer.relu, back=back)

    def _pad(self, maps: Any, layer: Layer, frames: Frames) -> Any:
        if self.padding == "zero":
            return padded(maps, layer.padding, None)
        key = (self._grids[layer.inputs[0]], layer.padding)
        if key not in frames:
            # Replication mirrors with the border twice, which for one row or column is to repeat it; the
            # three rows of ResNet50's stem then mirror, which leaves no visible border either.
            height, width = tf.unstack(tf.shape(maps)[1:3])
            frames[key] = mirrored_frame(
                height, width, layer.padding, border_twice=self.padding == "replicate"
            )
        return padded(maps, layer.padding, frames[key])

    def _pool(self, layer: Layer, maps: Any) -> Any:
        pool = tf.nn.max_pool2d if self.pooling == "max" else tf.nn.avg_pool2d
        return pool(maps, layer.kernel, layer.stride, "VALID")


def _grids(layers: tuple[Layer, ...]) -> dict[str, str]:
    """Of each layer the first one whose maps have its height and width, whatever the picture's."""
    grids = {INPUT: INPUT}
    for layer in layers:
        kept = layer.kind != "pad" and layer.stride == 1 and layer.kernel == 2 * layer.padding + 1
        grids[layer.name] = grids[layer.inputs[0]] if kept else layer.name
    return grids


def _tensors(network: Network, layers: tuple[Layer, ...], kind: tf.DType) -> dict[str, tuple[Any, Any, Any]]:
    """Of each convolution the kernel, the bias, and the kernel for the way back or None.

    Kernels that see colours take them as RGB, not BGR. Where these have no stride, and where 1x1 kernels have
    one, the way back is TensorFlow's own, which is faster there. So it is always with oneDNN, but where the
    gradient through a 1x1 kernel meets a shortcut's: oneDNN adds them at once, see `mixed`.
    """
    coloured = {INPUT}
    readers = Counter(name for layer in layers for name in layer.inputs)
    tensors = {}
    for layer in layers:
        sees_colours = layer.inputs[0] in coloured
        if layer.kind != "convolution":
            coloured |= {layer.name} if sees_colours else set()
            continue
        kernel, bias = (np.asarray(array) for array in network.arrays[layer.name])
        kernel = kernel[:, :, ::-1] if sees_colours else kernel
        strided = layer.stride > 1 and not layer.padding  # as `convolve` wants it for a way back
        if onednn_computes():
            own = layer.kernel > 1 or layer.stride > 1 or readers[layer.inputs[0]] == 1
        else:
            own = sees_colours != strided if layer.kernel > 1 else strided
        back = None if own else tf.cast(turned(kernel, layer.stride), kind)
        tensors[layer.name] = (tf.cast(kernel, kind), tf.cast(bias, kind), back)
    return tensors


def preprocess(picture: Any) -> Any:
    """Keras' "caffe" preprocessing of [H, W, 3] RGB in 0..1, but left in RGB: 0..255 less the ImageNet means.

    Keras turns the colours to BGR. Here the first kernel is turned instead, once: turning a picture and its
    gradient costs as much as a thin convolution.
    """
    return picture * 255.0 - tf.constant(BGR_MEANS[::-1], tf.float32)


def colours(picture: Any) -> Any:
    """[H, W, 4]: RGB in 0..1 and a constant 0.5; the Gram matrix is colour's mean and covariance."""
    return tf.concat([picture, tf.fill(tf.concat([tf.shape(picture)[:-1], [1]], 0), 0.5)], axis=-1)
