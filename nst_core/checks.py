"""Whether settings are what they may be; ConfigError says in one sentence what to change."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from numbers import Real
from types import MappingProxyType
from typing import Any, get_args

from nst_core.architectures import INPUT
from nst_core.backbones import BACKBONES, COLOURS, find_backbone, split_layer
from nst_core.choices import (
    LARGEST_SIZE,
    LEARNING_RATES,
    MOST_AVERAGING,
    MOST_JITTER,
    MOST_STEPS,
    PLAIN_TEMPERATURE,
    SMALLEST_SIZE,
    STYLE_SCALES,
    Balance,
    Canvas,
    Finish,
    LayerWeights,
    Optimiser,
    Padding,
    Pooling,
    Precision,
    Smoothing,
    Start,
    Statistic,
    Variation,
)
from nst_core.errors import ConfigError

_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "backbone": tuple(BACKBONES),
        "canvas": get_args(Canvas),
        "balance": get_args(Balance),
        "optimiser": get_args(Optimiser),
        "finish": get_args(Finish),
        "init": get_args(Start),
        "variation": get_args(Variation),
        "statistic": get_args(Statistic),
        "smoothing": get_args(Smoothing),
        "padding": get_args(Padding),
        "pooling": get_args(Pooling),
        "precision": get_args(Precision),
    }
)
# name: (what it is called, lowest, highest, unit)
_WHOLES: Mapping[str, tuple[str, int, int, str]] = MappingProxyType(
    {
        "size": ("The size", SMALLEST_SIZE, LARGEST_SIZE, " pixels"),
        "steps": ("The number of steps", 1, MOST_STEPS, ""),
        "seed": ("The seed", 0, 2**31 - 1, ""),
        "jitter": ("The jitter", 0, MOST_JITTER, " pixels"),
    }
)
_RANGES: Mapping[str, tuple[str, float, float]] = MappingProxyType(
    {
        "strength": ("The style strength", 0.0, 100.0),
        "temperature": ("The temperature", 1e-3, 1e6),
        "style_scale": ("The style scale", *STYLE_SCALES),
        "averaging": ("The averaging", 0.0, MOST_AVERAGING),
    }
)


def plain(value: Any) -> Any:
    """A number of NumPy, as loops over arange and linspace give, as Python's own, which JSON carries."""
    return value.item() if isinstance(value, Real) and hasattr(value, "item") else value


def check_choices(config: Any) -> None:
    """Everything that is one of some names."""
    for name, choices in _CHOICES.items():
        if (value := getattr(config, name)) not in choices:
            raise ConfigError(f"The {name} must be one of {', '.join(choices)}; received {value!r}.")
    if not isinstance(config.weights, str) or not config.weights.strip():
        raise ConfigError(
            "The weights must be auto, imagenet, sketch, random or the path of a file; received"
            f" {config.weights!r}."
        )
    if not isinstance(config.ladder, bool):
        raise ConfigError(f"Ladder must be true or false; received {config.ladder!r}.")


def check_numbers(config: Any) -> None:
    """Everything that is a number."""
    for name, (what, low, high, unit) in _WHOLES.items():
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ConfigError(
                f"{what} must be a whole number from {low} to {high}{unit}; received {value!r}."
            )
    for name, (what, least, most) in _RANGES.items():
        value = getattr(config, name)
        if not _is_number(value) or not least <= value <= most:
            raise ConfigError(f"{what} must be a number from {least:g} to {most:g}; received {value!r}.")
    for name in ("content_weight", "style_weight", "variation_weight"):
        if (weight := getattr(config, name)) is not None:
            check_weight(f"The {name.replace('_', ' ')}", weight)
    if config.learning_rate is not None:
        check_weight("The learning rate", config.learning_rate, above_zero=True)
    if config.content_weight == 0 and config.style_weight == 0:
        raise ConfigError("The content and style weights are both 0; raise one of them above 0.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_weight(what: str, value: object, *, above_zero: bool = False) -> None:
    """A weight of a loss or a layer, or a rate."""
    # The ceiling keeps a squared weight finite in float32; NaN fails every comparison.
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e15
    if not number or (above_zero and value == 0):
        rule = "above 0" if above_zero else "0 or more"
        raise ConfigError(f"{what} must be a number {rule} and at most 1e15; received {value!r}.")


def without_effect(config: Any) -> tuple[str, ...]:
    """A sentence for each setting that was chosen and that the others leave nothing to do."""
    told = []
    if config.optimiser == "lbfgs" and config.learning_rate not in (None, LEARNING_RATES[config.canvas]):
        told.append("The learning rate is Adam's and has no effect on L-BFGS.")
    if config.optimiser == "lbfgs" and config.jitter:
        told.append("Jitter goes between Adam's steps and has no effect on L-BFGS.")
    if config.smoothing == "none" and config.temperature != PLAIN_TEMPERATURE:
        told.append("The temperature is that of smoothed activations and has no effect without them.")
    return tuple(told)


def checked_layers(name: str, layers: object, backbone: str) -> LayerWeights:
    """(layer, weight) pairs as tuples, a layer of the run's own backbone without its name before it."""
    what = name.replace("_", " ")
    if not isinstance(layers, list | tuple):
        raise ConfigError(f"The {what} must be pairs of a layer and its weight; received {layers!r}.")
    if not layers:
        raise ConfigError(f"The {what} must name at least one layer; received {layers!r}.")
    checked = []
    for item in layers:
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise ConfigError(f"The {what} must be pairs of a layer and its weight; received {item!r}.")
        key, weight = item[0], plain(item[1])
        check_weight(f"The weight of {key}", weight)
        checked.append((_checked_layer(key, backbone), float(weight)))
    if len({layer for layer, _ in checked}) < len(checked):
        raise ConfigError(f"The {what} name a layer twice; name each once.")
    if not any(weight for _, weight in checked):
        raise ConfigError(f"The {what} all weigh 0; give at least one a weight above 0.")
    return tuple(checked)


def _checked_layer(key: object, backbone: str) -> str:
    owner, layer = split_layer(key, backbone) if isinstance(key, str) else (backbone, key)
    known = (*find_backbone(owner).architecture().folded().names, COLOURS)
    if layer not in known or layer == INPUT:
        near = get_close_matches(str(layer), known, n=3, cutoff=0.5) or find_backbone(owner).style_layers
        raise ConfigError(f"{owner} has no layer named {layer!r}; it has {', '.join(near)} and others.")
    return str(layer) if owner == backbone or layer == COLOURS else f"{owner}:{layer}"
