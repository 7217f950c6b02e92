"""How much memory a run will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nst_core.architectures import INPUT, Layer
from nst_core.backbones import COLOURS, find_backbone, split_layer
from nst_core.choices import JITTERS, WEIGHTS_SOURCES
from nst_core.config import TransferConfig
from nst_core.plan import rung_method
from nst_core.precision import find_precision
from nst_core.system import has_amx
from nst_core.tiles import Route, crop_sizes, largest_crop, map_sides
from nst_core.weights import expected_source, expected_width

FLOAT, BFLOAT16 = 4, 2  # bytes
# Layers whose maps are held until their gradients are known, beside convolutions with a ReLU of their own:
# sums and ReLUs take over their input's memory, paddings are let go.
KEPT = ("relu", "max_pool")
# Maps as large as the largest one that are there besides, while its layer is computed or its gradient. This
# and what follows were measured, see tests.bench.memory_peaks.
WORKING_MAPS = 1
# TensorFlow's graphs and threads, whatever the picture.
STARTING = 75_000_000  # bytes
TILING = 30_000_000  # bytes, of the graphs that tiles have of their own
# oneDNN's programs for AMX, of which each size of crop has its own: bytes a convolution, and a weight.
AMX_CONVOLUTION, AMX_WEIGHT = 580_000, 1.4
# As kernels, and turned for the way back.
WEIGHT_COPIES = 2
# Content and style as given, and at their size while targets are made; the parameters now and at their best,
# the gradient, Adam's moments, and what comes and goes. A Fourier transform makes complex numbers on its way.
ADAM_PICTURES = 11
FOURIER_PICTURES = 1
# Instead of Adam's. 2 m for m = 10 corrections are 20; the rest are points, gradients and directions, and on
# pixels which of them are held at their bounds.
LBFGS_PICTURES = {"fourier": 38, "pixel": 42}


@dataclass(frozen=True, slots=True)
class Need:
    """Estimated bytes of one run: what it holds as long as it lives, and what one step takes besides."""

    held: int
    step: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.held + self.step


def step_values(layers: Sequence[Layer], size: tuple[int, int]) -> int:
    """How many numbers a step on (width, height) pixels holds at most: maps kept and working ones."""
    columns, rows = (map_sides(layers, side) for side in size)
    values = {layer: rows[layer.name] * columns[layer.name] * layer.channels for layer in layers}
    kept = sum(count for layer, count in values.items() if layer.relu or layer.kind in KEPT)
    return 3 * size[0] * size[1] + kept + WORKING_MAPS * max(values.values(), default=0)


def weight_values(layers: Sequence[Layer]) -> int:
    """How many numbers the kernels and biases of a folded network's layers hold."""
    channels = {INPUT: 3} | {layer.name: layer.channels for layer in layers}
    return sum(
        (layer.kernel**2 * channels[layer.inputs[0]] + 1) * layer.channels
        for layer in layers
        if layer.kind == "convolution"
    )


def run_need(config: TransferConfig, size: tuple[int, int] | None = None, tile: int = 0) -> Need:
    """The memory of a run whose picture is (width, height) at the last rung; by default a full square.

    tile: side of the cells when it is worked in tiles, 0 for the whole picture. held: the weights of all
    networks whose layers are used, the pictures, the content's maps and compiled graphs. step: the maps of a
    tile or of the picture. What the process holds before, Python and TensorFlow, is not counted.
    """
    size = size or (config.size, config.size)
    routes, weights, widths = [], 0, widths_of(config)
    for name, keys in keys_by_backbone(config).items():
        architecture = find_backbone(name).architecture(widths[name]).folded()
        deep = tuple(layer for layer in keys.values() if layer != COLOURS)
        routes.append((architecture.up_to(deep) if deep else (), keys))
        weights += weight_values(architecture.layers)  # all, as they are all loaded
    config = replace(config, precision=find_precision(config.precision, widths))
    return need_of(config, routes, weights, size, tile)


def need_of(
    config: TransferConfig, routes: Sequence[Route], weights: int, size: tuple[int, int], tile: int = 0
) -> Need:
    """`run_need` of the layers in use themselves, and of how many weights their networks have.

    config: its precision is the one that is computed in; `auto` counts as float32.
    """
    each = BFLOAT16 if config.precision == "bfloat16" else FLOAT
    crop = largest_crop(routes, size, tile) if tile else size
    held = kept_pictures(config) * 3 * size[0] * size[1]
    held += (JITTERS if config.jitter else 1) * _content_values(config, routes, size)
    step = sum(step_values(layers, crop) for layers, _ in routes)
    held = FLOAT * held + each * WEIGHT_COPIES * weights + STARTING
    if tile:
        held += TILING + _amx_programs(config, routes, crop_sizes(routes, size, tile))
    return Need(held=held, step=each * step)


def _amx_programs(config: TransferConfig, routes: Sequence[Route], sizes: int) -> int:
    """Bytes that so many sizes of crops take where convolutions run on AMX."""
    if config.precision != "bfloat16" or not has_amx():
        return 0
    convolutions = sum(layer.kind == "convolution" for layers, _ in routes for layer in layers)
    weights = sum(weight_values(layers) for layers, _ in routes)
    return sizes * round(AMX_CONVOLUTION * convolutions + AMX_WEIGHT * weights)


def kept_pictures(config: TransferConfig) -> int:
    """How many pictures' worth of float32 numbers a run holds at its last rung."""
    canvas, optimiser = rung_method(config, last=True)
    pictures = LBFGS_PICTURES[canvas] if optimiser == "lbfgs" else ADAM_PICTURES
    return pictures + (FOURIER_PICTURES if canvas == "fourier" else 0) + (1 if config.averaging else 0)


def _content_values(config: TransferConfig, routes: Sequence[Route], size: tuple[int, int]) -> int:
    wanted, values = contents_of(config), 0
    for layers, keys in routes:
        columns, rows = (map_sides(layers, side) for side in size)
        channels = {layer.name: layer.channels for layer in layers} | {COLOURS: 4}
        names = [name for key, name in keys.items() if key in wanted]
        values += sum(rows[name] * columns[name] * channels[name] for name in names)
    return values


def styles_of(config: TransferConfig) -> tuple[str, ...]:
    """The style layers, by default those of the weights that the backbone would get."""
    if config.style_layers:
        return tuple(name for name, _ in config.style_layers)
    backbone = find_backbone(config.backbone)
    return backbone.usual_style_layers(expected_source(backbone, config.weights))


def contents_of(config: TransferConfig) -> tuple[str, ...]:
    """The content layers, by default those of the weights that the backbone would get."""
    if config.content_layers:
        return tuple(name for name, _ in config.content_layers)
    backbone = find_backbone(config.backbone)
    return backbone.usual_content_layers(expected_source(backbone, config.weights))


def keys_by_backbone(config: TransferConfig) -> dict[str, dict[str, str]]:
    """Of each backbone the layers that a run needs, by what the settings call them; the run's own first."""
    needed: dict[str, dict[str, str]] = {config.backbone: {}}
    for key in (*styles_of(config), *contents_of(config)):
        owner, layer = split_layer(key, config.backbone)
        needed.setdefault(owner, {})[key] = layer
    return needed


def layers_by_backbone(config: TransferConfig) -> dict[str, tuple[str, ...]]:
    """The layers that a run needs of each backbone, by its name; the run's own first."""
    return {name: tuple(keys.values()) for name, keys in keys_by_backbone(config).items()}


def weights_of(config: TransferConfig, backbone: str) -> str:
    """A file holds one backbone's weights; the others then get what `auto` finds."""
    return config.weights if backbone == config.backbone or config.weights in WEIGHTS_SOURCES else "auto"


def widths_of(config: TransferConfig) -> dict[str, float]:
    """The width multiplier that each network of a run would have, by its backbone's name."""
    return {
        name: expected_width(find_backbone(name), weights_of(config, name))
        for name in keys_by_backbone(config)
    }


def together_need(needs: Sequence[Need]) -> int:
    """Bytes of runs that advance in turns: all that they hold, and one step, of the largest, at a time."""
    return sum(need.held for need in needs) + max((need.step for need in needs), default=0)
