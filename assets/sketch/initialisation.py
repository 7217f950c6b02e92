"""What a network starts from where Keras' own start serves style badly."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

Kernels = npt.NDArray[np.float32]

SOFTENINGS = 2  # of the grains' noise; less of it gave more grain in the pictures


def initialise(body: Any) -> None:
    """Set the kernels of large convolutions and the scales of residual branches.

    Large convolutions, ResNet50's first, see waves and grains, half of each, and keep them: noise answers to
    little but the mean of what it sees, and trained kernels grew into tints of slow forms, blind to fine
    detail without colour (a first layer that is not learned: Oyallon, Belilovsky and Zagoruyko 2017).
    Residual branches start at nothing (Goyal et al. 2017, section 5.1), so that what the first layer saw is
    handed on and the branches add to it.
    """
    for layer in body.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size[0] > 3:
            kernel, *rest = layer.get_weights()
            kernel[..., ::2] = waves(kernel[..., ::2].shape)
            kernel[..., 1::2] = grains(kernel[..., 1::2].shape)
            layer.set_weights([kernel, *rest])
            layer.trainable = False
        if layer.name.endswith("_3_bn"):
            layer.gamma.assign(ops.zeros_like(layer.gamma))


def waves(shape: tuple[int, int, int, int], seed: int = 0) -> Kernels:
    """Kernels [k, k, 3, N]: waves of length 5 to 16 pixels, tinted about grey, in a Gaussian window.

    None is shorter than two of the stride's steps, so that fine hatching cannot pass for coarse forms.
    """
    side, _, colours, count = shape
    generator = np.random.default_rng(seed)
    rows, columns = np.indices((side, side)) - (side - 1) / 2
    # Directions and lengths are dealt evenly, in unlike order, so that few channels leave no gap.
    turns = np.pi * (np.arange(count) + generator.random(count)) / count
    lengths = 5 * (16 / 5) ** generator.permutation(np.linspace(0, 1, count))
    kernels = np.empty(shape)
    for index, (turn, length) in enumerate(zip(turns, lengths, strict=True)):
        along = rows * np.sin(turn) + columns * np.cos(turn)
        wave = window(side) * np.cos(2 * np.pi * (along / length + generator.random()))
        kernels[..., index] = wave[:, :, None] * tint(generator, colours)
    return scaled(kernels)


def grains(shape: tuple[int, int, int, int], seed: int = 1) -> Kernels:
    """Kernels [k, k, 3, N]: softened noise of mean nothing, tinted about grey, in a Gaussian window.

    They tell apart, as waves do not, what has no direction: dots, corners, crumbs.
    """
    side, _, colours, count = shape
    generator = np.random.default_rng(seed)
    kernels = np.empty(shape)
    for index in range(count):
        noise = window(side) * softened(generator.standard_normal([side + 2 * SOFTENINGS] * 2))
        noise -= noise.sum() * window(side) / window(side).sum()
        kernels[..., index] = noise[:, :, None] * tint(generator, colours)
    return scaled(kernels)


def window(side: int) -> npt.NDArray[np.float64]:
    """A Gaussian [side, side] whose standard deviation is a quarter of the side."""
    rows, columns = np.indices((side, side)) - (side - 1) / 2
    return np.asarray(np.exp(-(rows**2 + columns**2) / (2 * (side / 4) ** 2)))


def softened(noise: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Noise [n, n] weighed 1, 2, 1 along both axes, SOFTENINGS times, less the borders that it spoils."""
    for _ in range(SOFTENINGS):
        for axis in (0, 1):
            noise = (np.roll(noise, 1, axis) + 2 * noise + np.roll(noise, -1, axis)) / 4
    return noise[SOFTENINGS:-SOFTENINGS, SOFTENINGS:-SOFTENINGS]


def tint(generator: np.random.Generator, colours: int) -> npt.NDArray[np.float64]:
    """How strongly a kernel sees each colour."""
    return 1 + 0.7 * generator.standard_normal(colours)


def scaled(kernels: npt.NDArray[np.float64]) -> Kernels:
    """Kernels [k, k, 3, N] as strong as He et al. (2015) draw theirs: a mean square of 2 over the inputs."""
    inputs = kernels[..., 0].size
    kernels = kernels * np.sqrt(2 / inputs / np.mean(kernels**2, axis=(0, 1, 2)))
    return kernels.astype(np.float32)
