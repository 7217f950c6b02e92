"""VGG and ResNet50 as data: every layer by its Keras name, at any width, without TensorFlow.

The layers and their order are those of `keras.applications`; at width 1 a network built from these rows
computes the same numbers (a test copies the weights across and compares every output).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from nst_core.errors import ConfigError

Kind = Literal["convolution", "batch_norm", "relu", "max_pool", "pad", "add"]

INPUT = "input"  # the picture, as a layer's input


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer. `padding` is the rows and columns added on each side before the window slides."""

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    channels: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    relu: bool = False


def output_side(layer: Layer, side: int) -> int:
    """Rows (or columns) of a layer's map when its input has `side` of them."""
    padded = side + 2 * layer.padding
    return padded if layer.kind == "pad" else (padded - layer.kernel) // layer.stride + 1


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network's layers in order; each reads only layers before it, or the picture (`INPUT`)."""

    name: str
    width: float
    layers: tuple[Layer, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all layers, shallow to deep."""
        return tuple(layer.name for layer in self.layers)

    def layer(self, name: str) -> Layer:
        """The layer of this name; ConfigError if there is none."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ConfigError(
            f"{self.name} has no layer named {name!r}; choose one of {', '.join(self.names[:3])}, …"
            f" {self.names[-1]} (the Method page lists them all)."
        )

    def up_to(self, wanted: tuple[str, ...]) -> tuple[Layer, ...]:
        """Only the layers that the wanted ones depend on, in order."""
        needed = {self.layer(name).name for name in wanted}
        for layer in reversed(self.layers):
            if layer.name in needed:
                needed.update(layer.inputs)
        return tuple(layer for layer in self.layers if layer.name in needed)

    def folded(self) -> "Architecture":
        """The same network with each batch normalisation merged into the convolution before it."""
        source = {layer.name: layer.inputs[0] for layer in self.layers if layer.kind == "batch_norm"}
        kept = tuple(
            replace(layer, inputs=tuple(source.get(name, name) for name in layer.inputs))
            for layer in self.layers
            if layer.kind != "batch_norm"
        )
        return Architecture(self.name, self.width, kept)


def scaled(channels: int, width: float) -> int:
    """A channel count at a width multiplier, at least 1."""
    return max(1, round(channels * width))


@lru_cache(maxsize=32)
def vgg(blocks: tuple[int, ...] = (2, 2, 4, 4, 4), width: float = 1.0) -> Architecture:
    """VGG (Simonyan and Zisserman 2015): `blocks` says how many 3x3 convolutions each block has.

    (2, 2, 3, 3, 3) is VGG16 and (2, 2, 4, 4, 4) VGG19.
    """
    layers: list[Layer] = []
    previous = INPUT
    for block, count in enumerate(blocks, start=1):
        channels = scaled(min(64 * 2 ** (block - 1), 512), width)
        for index in range(1, count + 1):
            name = f"block{block}_conv{index}"
            layers.append(
                Layer(
                    name=name,
                    kind="convolution",
                    inputs=(previous,),
                    channels=channels,
                    kernel=3,
                    padding=1,
                    relu=True,
                )
            )
            previous = name
        name = f"block{block}_pool"
        layers.append(
            Layer(name=name, kind="max_pool", inputs=(previous,), channels=channels, kernel=2, stride=2)
        )
        previous = name
    return Architecture(f"vgg{sum(blocks) + 3}", width, tuple(layers))


def _convolution(name: str, source: str, channels: int, kernel: int = 1, stride: int = 1) -> list[Layer]:
    # The stem convolution has its own padding layer, as in Keras; the others pad to keep the size.
    padding = 0 if stride == 2 else kernel // 2
    return [
        Layer(
            name=f"{name}_conv",
            kind="convolution",
            inputs=(source,),
            channels=channels,
            kernel=kernel,
            stride=stride,
            padding=padding,
        ),
        Layer(name=f"{name}_bn", kind="batch_norm", inputs=(f"{name}_conv",), channels=channels),
    ]


def _relu(name: str, source: str, channels: int) -> Layer:
    return Layer(name=name, kind="relu", inputs=(source,), channels=channels)


def _residual_block(name: str, source: str, *, channels: int, stride: int, project: bool) -> list[Layer]:
    layers: list[Layer] = []
    shortcut = source
    if project:
        layers += _convolution(f"{name}_0", source, 4 * channels, 1, stride)
        shortcut = f"{name}_0_bn"
    layers += _convolution(f"{name}_1", source, channels, 1, stride)
    layers.append(_relu(f"{name}_1_relu", f"{name}_1_bn", channels))
    layers += _convolution(f"{name}_2", f"{name}_1_relu", channels, 3)
    layers.append(_relu(f"{name}_2_relu", f"{name}_2_bn", channels))
    layers += _convolution(f"{name}_3", f"{name}_2_relu", 4 * channels, 1)
    added = Layer(name=f"{name}_add", kind="add", inputs=(shortcut, f"{name}_3_bn"), channels=4 * channels)
    return [*layers, added, _relu(f"{name}_out", f"{name}_add", 4 * channels)]


@lru_cache(maxsize=32)
def resnet50(width: float = 1.0) -> Architecture:
    """ResNet50, first version (He et al. 2016), as in Keras: strides sit in the first 1x1 convolution."""
    stem = scaled(64, width)
    layers = [Layer(name="conv1_pad", kind="pad", inputs=(INPUT,), channels=3, padding=3)]
    layers += _convolution("conv1", "conv1_pad", stem, 7, 2)
    layers.append(_relu("conv1_relu", "conv1_bn", stem))
    layers.append(Layer(name="pool1_pad", kind="pad", inputs=("conv1_relu",), channels=stem, padding=1))
    layers.append(
        Layer(name="pool1_pool", kind="max_pool", inputs=("pool1_pad",), channels=stem, kernel=3, stride=2)
    )
    previous = "pool1_pool"
    for stage, (channels, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=2):
        for block in range(1, count + 1):
            name = f"conv{stage}_block{block}"
            stride = 2 if block == 1 and stage > 2 else 1
            layers += _residual_block(
                name, previous, channels=scaled(channels, width), stride=stride, project=block == 1
            )
            previous = f"{name}_out"
    return Architecture("resnet50", width, tuple(layers))
