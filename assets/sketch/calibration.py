"""Scale every channel to a mean activation of 1 without changing what the network computes.

ReLU, max pooling, padding and addition are positively homogeneous, so a channel's positive scale can pass
through them and be undone in the next kernel. Gatys et al. (2016) scaled their VGG19 so.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nst_core.architectures import INPUT, Architecture
from nst_core.networks import Arrays, keras_model

Array = npt.NDArray[np.float32]

# A channel that is active less than this share of its layer's median is scaled as if it were this active:
# otherwise the quietest channels would be made the loudest.
QUIETEST = 0.05


def groups(architecture: Architecture) -> dict[str, str]:
    """The group whose scales each layer shares: identity shortcuts tie a stage's blocks."""
    group = {INPUT: INPUT}
    for layer in architecture.layers:
        if layer.kind == "convolution":
            group[layer.name] = layer.name
            continue
        first, *others = (group[name] for name in layer.inputs)
        group[layer.name] = first
        for other in others:
            group = {name: first if held == other else held for name, held in group.items()}
    return group


def measured_layers(architecture: Architecture) -> dict[str, str]:
    """For each group, the layer whose mean activation becomes 1: the deepest with a ReLU."""
    group = groups(architecture)
    return {
        group[layer.name]: layer.name for layer in architecture.layers if layer.relu or layer.kind == "relu"
    }


def folded_model(architecture: Architecture, arrays: Arrays) -> Any:
    """A Keras model of the folded architecture that holds these arrays."""
    model = keras_model(architecture)
    for name, (kernel, bias) in arrays.items():
        model.get_layer(name).set_weights([kernel, bias])
    return model


def mean_activations(architecture: Architecture, arrays: Arrays, pictures: Array) -> dict[str, Array]:
    """Mean activation [C] of each group's measured layer over preprocessed pictures [B, H, W, 3]."""
    model = folded_model(architecture, arrays)
    wanted = measured_layers(architecture)
    sums = {group: np.zeros(1, np.float64) for group in wanted}
    for start in range(0, len(pictures), 8):
        outputs = model(pictures[start : start + 8])
        for group, layer in wanted.items():
            sums[group] = sums[group] + np.asarray(outputs[layer]).mean(axis=(1, 2)).sum(axis=0)
    return {group: np.asarray(total / len(pictures), np.float32) for group, total in sums.items()}


def scales_of(means: Mapping[str, Array]) -> dict[str, Array]:
    """The factor [C] of each channel of each group; 1 for channels that are never active."""
    scales = {}
    for group, mean in means.items():
        floor = QUIETEST * np.median(mean[mean > 0]) if np.any(mean > 0) else 1.0
        scales[group] = np.where(mean > 0, 1 / np.maximum(mean, floor), 1).astype(np.float32)
    return scales


def calibrated(architecture: Architecture, arrays: Arrays, pictures: Array) -> dict[str, tuple[Array, Array]]:
    """The arrays of the same network with mean activations of 1 over preprocessed pictures [B, H, W, 3].

    Architecture and arrays are the folded ones.
    """
    group = groups(architecture)
    scales = scales_of(mean_activations(architecture, arrays, pictures)) | {INPUT: np.ones(3, np.float32)}
    result = {}
    for layer in architecture.layers:
        if layer.kind == "convolution":
            kernel, bias = arrays[layer.name]
            before, after = scales[group[layer.inputs[0]]], scales[group[layer.name]]
            result[layer.name] = (kernel / before[:, None] * after, bias * after)
    return result
