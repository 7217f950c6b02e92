"""What each layer sees and holds: map sizes, receptive fields, strides, parameters, from the rows alone."""

from dataclasses import dataclass
from typing import Literal

from nst_core.architectures import INPUT, Architecture, Kind, Layer, output_side
from nst_core.backbones import COLOURS
from nst_core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """One layer of a network that looks at a picture of a given size.

    size             (width, height) of its map, positions
    receptive_field  side of the square of the picture that one position depends on, pixels
    stride           pixels of the picture between neighbouring positions
    parameters       kernel and bias, or batch normalisation's four numbers a channel, as Keras counts them
    depth            convolutions on the longest path from the picture, this layer included
    rectified        whether nothing in its map can be below 0 because a ReLU comes last
    """

    name: str
    kind: Kind | Literal["colours"]
    channels: int
    size: tuple[int, int]
    receptive_field: int
    stride: int
    parameters: int
    depth: int
    rectified: bool


def layer_facts(architecture: Architecture, size: tuple[int, int]) -> tuple[LayerFacts, ...]:
    """Facts of all layers, shallow to deep, for a picture of size = (width, height) in pixels.

    Receptive fields follow the standard recurrence (Dumoulin and Visin 2016): a window of k positions that
    lie j pixels apart widens the field by (k - 1) j, and a stride of s makes the distance s j. Where paths
    meet, the widest field counts, which is that of the longest path. The field is that of the layers without
    borders: near an edge of the picture a part of it falls outside.

    Raises ConfigError when a map would have no position left.
    """
    known = {INPUT: _unseen(INPUT, size, 3)}
    for layer in architecture.layers:
        inputs = [known[name] for name in layer.inputs]
        known[layer.name] = facts = _facts(layer, inputs)
        if min(facts.size) < 1:
            raise ConfigError(
                f"A picture of {size[0]} x {size[1]} pixels is too small for {architecture.name}: nothing is"
                f" left of it at {layer.name}; choose a larger size."
            )
    return tuple(known[name] for name in architecture.names)


def colours_facts(size: tuple[int, int]) -> LayerFacts:
    """The pseudo layer of raw colours, red, green, blue and a constant, as a layer of any network."""
    return _unseen(COLOURS, size, 4)


def _unseen(name: str, size: tuple[int, int], channels: int) -> LayerFacts:
    """The picture before any layer of a network has seen it."""
    return LayerFacts(
        name=name,
        kind="colours",
        channels=channels,
        size=size,
        receptive_field=1,
        stride=1,
        parameters=0,
        depth=0,
        rectified=True,
    )


def _facts(layer: Layer, inputs: list[LayerFacts]) -> LayerFacts:
    width, height = inputs[0].size
    stride = max(facts.stride for facts in inputs)
    return LayerFacts(
        name=layer.name,
        kind=layer.kind,
        channels=layer.channels,
        size=(output_side(layer, width), output_side(layer, height)),
        receptive_field=max(facts.receptive_field for facts in inputs) + (layer.kernel - 1) * stride,
        stride=stride * layer.stride,
        parameters=_parameters(layer, inputs[0].channels),
        depth=max(facts.depth for facts in inputs) + (layer.kind == "convolution"),
        rectified=_is_rectified(layer, inputs),
    )


def _parameters(layer: Layer, channels: int) -> int:
    match layer.kind:
        case "convolution":
            return (layer.kernel**2 * channels + 1) * layer.channels
        case "batch_norm":
            return 4 * layer.channels
    return 0


def _is_rectified(layer: Layer, inputs: list[LayerFacts]) -> bool:
    if layer.kind in ("pad", "max_pool"):
        # The picture itself, centred on 0 by the preprocessing, is not.
        return inputs[0].name != INPUT and inputs[0].rectified
    return layer.kind == "relu" or layer.relu


def trunk(architecture: Architecture) -> tuple[str, ...]:
    """Names of the layers that every path from the picture to the last layer passes.

    In a VGG these are all layers, in ResNet50 the stem and, of each residual block, its addition and its
    output: the layers inside a block are bypassed by its shortcut.
    """
    places = {INPUT: -1} | {name: place for place, name in enumerate(architecture.names)}
    bypassed: set[int] = set()
    for place, layer in enumerate(architecture.layers):
        for name in layer.inputs:
            bypassed.update(range(places[name] + 1, place))
    return tuple(name for name in architecture.names if places[name] not in bypassed)


def stations(architecture: Architecture) -> tuple[str, ...]:
    """Trunk layers that end in a ReLU: each VGG convolution; ResNet50's stem and residual blocks.

    The layers at which networks are compared along their depth.
    """
    facts = {row.name: row for row in layer_facts(architecture, (512, 512))}
    return tuple(
        name
        for name in trunk(architecture)
        if facts[name].rectified and facts[name].kind in ("convolution", "relu")
    )


def relative_depth(facts: tuple[LayerFacts, ...]) -> dict[str, float]:
    """How deep each layer is, as a share of the network's longest path: convolutions passed, 0 to 1."""
    deepest = max(row.depth for row in facts)
    return {row.name: row.depth / deepest for row in facts}
