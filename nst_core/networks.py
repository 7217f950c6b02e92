"""Networks as Keras models (to read and train weights) and as folded arrays (to compute with)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nst_core.architectures import INPUT, Architecture, Layer

Array = npt.NDArray[np.float32]
Arrays = Mapping[str, tuple[Array, Array]]

# keras.applications' ResNet50 uses this, not Keras' default.
BATCH_NORM_EPSILON = 1.001e-5


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A folded architecture and, for each convolution, kernel [k, k, in, out] and bias [out] (float32)."""

    architecture: Architecture
    arrays: Arrays

    @property
    def parameters(self) -> int:
        """How many numbers the network has."""
        # By shape: the arrays may have become tensors.
        return sum(math.prod(array.shape) for pair in self.arrays.values() for array in pair)


def keras_model(architecture: Architecture, *, normalised: bool = False, every_output: bool = True) -> Any:
    """A Keras functional model with Keras' layer names, from [B, H, W, 3] to {layer name: [B, h, w, C]}.

    Without `every_output` it gives the last layer's map alone; Keras orders the layers of such a model as in
    `keras.applications`, which its weight files rely on.

    `normalised` puts a batch normalisation, named `<layer>_bn`, between each convolution that has its own
    ReLU (VGG's) and that ReLU: only training needs it, and `fold` takes it away again.
    """
    import keras

    picture = keras.Input((None, None, 3), name="picture")
    maps = {INPUT: picture}
    for layer in architecture.layers:
        inputs = [maps[name] for name in layer.inputs]
        maps[layer.name] = _keras_layer(layer, inputs, normalised=normalised)
    outputs = {layer.name: maps[layer.name] for layer in architecture.layers}
    last = outputs[architecture.layers[-1].name]
    return keras.Model(picture, outputs if every_output else last, name=architecture.name)


def _keras_layer(layer: Layer, inputs: list[Any], *, normalised: bool) -> Any:
    from keras import layers

    match layer.kind:
        case "convolution":
            return _keras_convolution(layer, inputs[0], normalised=normalised and layer.relu)
        case "batch_norm":
            return layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=layer.name)(inputs[0])
        case "relu":
            return layers.ReLU(name=layer.name)(inputs[0])
        case "pad":
            return layers.ZeroPadding2D(layer.padding, name=layer.name)(inputs[0])
        case "add":
            return layers.Add(name=layer.name)(inputs)
        case "max_pool":
            return layers.MaxPooling2D(layer.kernel, layer.stride, name=layer.name)(inputs[0])


def _keras_convolution(layer: Layer, source: Any, *, normalised: bool) -> Any:
    from keras import layers

    convolution = layers.Conv2D(
        layer.channels,
        layer.kernel,
        layer.stride,
        padding="same" if layer.padding else "valid",
        activation="relu" if layer.relu and not normalised else None,
        name=layer.name,
    )(source)
    if not normalised:
        return convolution
    normal = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=f"{layer.name}_bn")(convolution)
    return layers.ReLU(name=f"{layer.name}_relu")(normal)


def fold(model: Any, architecture: Architecture) -> dict[str, tuple[Array, Array]]:
    """Kernels and biases of a `keras_model`, each batch normalisation merged into the convolution before it.

    With moving mean m and variance v, scale g, shift b and s = g / sqrt(v + epsilon): the kernel becomes
    kernel * s and the bias (bias - m) * s + b.
    """
    names = {layer.name for layer in model.layers}
    arrays = {}
    for layer in architecture.layers:
        if layer.kind != "convolution":
            continue
        kernel, bias = (np.asarray(array, np.float64) for array in model.get_layer(layer.name).get_weights())
        norm = f"{layer.name}_bn" if layer.relu else layer.name.removesuffix("_conv") + "_bn"
        if norm in names:
            gamma, beta, mean, variance = model.get_layer(norm).get_weights()
            scale = gamma / np.sqrt(variance.astype(np.float64) + BATCH_NORM_EPSILON)
            kernel, bias = kernel * scale, (bias - mean) * scale + beta
        arrays[layer.name] = (kernel.astype(np.float32), bias.astype(np.float32))
    return arrays


def random_network(architecture: Architecture, seed: int) -> Network:
    """He-normal kernels (He et al. 2015) and zero biases, the same for the same seed on every machine.

    Residual branches end in a convolution scaled down by the square root of the number of blocks, as
    batch normalisation would keep them from growing (Zhang et al. 2019 scale them so too).
    """
    generator = np.random.default_rng(seed)
    folded = architecture.folded()
    branches = max(1, sum(layer.kind == "add" for layer in folded.layers))
    channels = {INPUT: 3} | {layer.name: layer.channels for layer in folded.layers}
    arrays = {}
    for layer in folded.layers:
        if layer.kind != "convolution":
            continue
        shape = (layer.kernel, layer.kernel, channels[layer.inputs[0]], layer.channels)
        deviation = np.sqrt(2.0 / np.prod(shape[:3])) / (
            np.sqrt(branches) if layer.name.endswith("_3_conv") else 1
        )
        kernel = generator.standard_normal(shape, np.float32) * np.float32(deviation)
        arrays[layer.name] = (kernel, np.zeros(layer.channels, np.float32))
    return Network(folded, arrays)
