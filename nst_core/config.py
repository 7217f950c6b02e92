"""Everything that decides a run, apart from the two pictures: one frozen, checked record."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

from nst_core.architectures import INPUT
from nst_core.backbones import BACKBONES, COLOURS, find_backbone
from nst_core.errors import ConfigError

Canvas = Literal["fourier", "pixel"]
Balance = Literal["relative", "paper"]
Start = Literal["content", "noise", "style"]
Padding = Literal["zero", "reflect", "replicate"]
Pooling = Literal["max", "average"]
Optimiser = Literal["adam"]
WEIGHTS_SOURCES = ("auto", "imagenet", "sketch", "random")

SMALLEST_SIZE, LARGEST_SIZE = 64, 4096  # pixels, longest side
MOST_STEPS = 100_000
LADDER_BOTTOM = 128  # pixels: below it the content layer has too few positions to hold the content's forms

# Adam's step for each canvas: pixels live in [0, 1]; Fourier coefficients are scaled to about 1.
LEARNING_RATES: Mapping[str, float] = MappingProxyType({"pixel": 0.02, "fourier": 0.2})
# (content, style, variation) for each balance. Relative: by eye and by the metrics over the sample pairs.
# Paper: the ratio 1e-3 of Gatys et al. (2016), figure 4, and no variation term.
LOSS_WEIGHTS: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {"relative": (0.2, 1.0, 1.0), "paper": (1.0, 1000.0, 0.0)}
)

LayerWeights = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferConfig:
    """The settings of one run; checked on creation, ConfigError says what is out of range.

    weights         auto, imagenet, sketch, random, or the path of a file in Keras' format
    size            longest side of the picture made, pixels
    steps           updates of the picture in all, shared out over the ladder
    content_weight  alpha; None is the balance's default
    style_weight    beta; None is the balance's default
    variation_weight  gamma, on the total variation; None is the balance's default
    learning_rate   of Adam; None is the canvas' default
    ladder          start small and carry the picture upward; False works at `size` alone
    style_layers    (layer, w_l) pairs; None is the weights' and backbone's default
    content_layers  (layer, weight) pairs; None is the backbone's default
    """

    backbone: str = "vgg19"
    weights: str = "auto"
    size: int = 384
    steps: int = 150
    seed: int = 0
    canvas: Canvas = "fourier"
    balance: Balance = "relative"
    optimiser: Optimiser = "adam"
    init: Start = "content"
    ladder: bool = True
    content_weight: float | None = None
    style_weight: float | None = None
    variation_weight: float | None = None
    learning_rate: float | None = None
    style_layers: LayerWeights | None = None
    content_layers: LayerWeights | None = None
    padding: Padding = "reflect"
    pooling: Pooling = "average"

    def __post_init__(self) -> None:
        _check_choice("backbone", self.backbone, tuple(BACKBONES))
        if not isinstance(self.weights, str) or not self.weights.strip():
            raise ConfigError(
                "The weights must be auto, imagenet, sketch, random or the path of a file; received"
                f" {self.weights!r}."
            )
        _check_whole("The size", self.size, SMALLEST_SIZE, LARGEST_SIZE, " pixels")
        _check_whole("The number of steps", self.steps, 1, MOST_STEPS, "")
        _check_whole("The seed", self.seed, 0, 2**31 - 1, "")
        for name, choices in _CHOICES.items():
            _check_choice(name, getattr(self, name), choices)
        for name in ("content_weight", "style_weight", "variation_weight"):
            if (weight := getattr(self, name)) is not None:
                _check_weight(f"The {name.replace('_', ' ')}", weight)
        if self.learning_rate is not None:
            _check_weight("The learning rate", self.learning_rate, above_zero=True)
        if not isinstance(self.ladder, bool):
            raise ConfigError(f"Ladder must be true or false; received {self.ladder!r}.")
        if self.content_weight == 0 and self.style_weight == 0:
            raise ConfigError("The content and style weights are both 0; raise one of them above 0.")
        for name in ("style_layers", "content_layers"):
            if (layers := getattr(self, name)) is not None:
                object.__setattr__(self, name, _checked_layers(name, layers, self.backbone))

    def resolved(self) -> "TransferConfig":
        """The same settings with every None replaced by what will be used, but for the layers."""
        content, style, variation = LOSS_WEIGHTS[self.balance]
        return replace(
            self,
            content_weight=content if self.content_weight is None else self.content_weight,
            style_weight=style if self.style_weight is None else self.style_weight,
            variation_weight=variation if self.variation_weight is None else self.variation_weight,
            learning_rate=LEARNING_RATES[self.canvas] if self.learning_rate is None else self.learning_rate,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON carries without loss."""
        return asdict(self)

    def to_json(self) -> str:
        """One line of JSON; `from_json` gives an equal config."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "TransferConfig":
        """A config from plain data; unknown names are refused, missing ones take their default."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise ConfigError(f"Unknown setting {unknown[0]!r}; the settings are {', '.join(sorted(known))}.")
        return cls(**data)

    @classmethod
    def from_json(cls, text: str) -> "TransferConfig":
        """The config that `to_json` wrote; ConfigError when the text is not one."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError("These settings are not valid JSON; export them again.") from error
        if not isinstance(data, dict):
            raise ConfigError("These settings are not a JSON object; export them again.")
        return cls.from_dict(data)


_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "canvas": get_args(Canvas),
        "balance": get_args(Balance),
        "optimiser": get_args(Optimiser),
        "init": get_args(Start),
        "padding": get_args(Padding),
        "pooling": get_args(Pooling),
    }
)


def weigh_alike(layers: tuple[str, ...]) -> LayerWeights:
    """The layers with equal weights that add up to 1."""
    return tuple((name, 1.0 / len(layers)) for name in layers)


def _check_whole(what: str, value: object, low: int, high: int, unit: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{what} must be a whole number from {low} to {high}{unit}; received {value!r}.")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"The {name} must be one of {', '.join(choices)}; received {value!r}.")


def _check_weight(what: str, value: object, *, above_zero: bool = False) -> None:
    # The ceiling keeps a squared weight finite in float32; NaN fails every comparison.
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e15
    if not number or (above_zero and value == 0):
        rule = "above 0" if above_zero else "0 or more"
        raise ConfigError(f"{what} must be a number {rule} and at most 1e15; received {value!r}.")


def _checked_layers(name: str, layers: object, backbone: str) -> LayerWeights:
    what = name.replace("_", " ")
    if not isinstance(layers, list | tuple) or not layers:
        raise ConfigError(f"The {what} must name at least one layer; received {layers!r}.")
    known = (*find_backbone(backbone).architecture().folded().names, COLOURS)
    checked = []
    for item in layers:
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise ConfigError(f"The {what} must be pairs of a layer and its weight; received {item!r}.")
        layer, weight = item
        if layer not in known or layer == INPUT:
            raise ConfigError(f"{backbone} has no layer named {layer!r}; the Method page lists its layers.")
        _check_weight(f"The weight of {layer}", weight)
        checked.append((layer, float(weight)))
    if len({layer for layer, _ in checked}) < len(checked):
        raise ConfigError(f"The {what} name a layer twice; name each once.")
    if not any(weight for _, weight in checked):
        raise ConfigError(f"The {what} all weigh 0; give at least one a weight above 0.")
    return tuple(checked)


def ladder_sizes(config: TransferConfig) -> tuple[int, ...]:
    """Longest sides, small to large: doublings from at least `LADDER_BOTTOM` pixels up to `config.size`."""
    sizes = [config.size]
    while config.ladder and sizes[0] >= 2 * LADDER_BOTTOM:
        sizes.insert(0, math.ceil(sizes[0] / 2))
    return tuple(sizes)


def ladder_steps(steps: int, rungs: int) -> tuple[int, ...]:
    """How many of the steps each rung gets: equal shares, the remainder to the last rungs.

    Equal shares spend most of the seconds at the last size and make most of the large moves where they are
    cheap. With fewer steps than rungs the smallest rungs get none.
    """
    share, rest = divmod(steps, rungs)
    return tuple(share + (index >= rungs - rest) for index in range(rungs))


@dataclass(frozen=True, slots=True)
class Preset:
    """A named choice of size and steps; `purpose` is shown beside it."""

    name: str
    size: int
    steps: int
    purpose: str


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset("draft", 256, 120, "a first look"),
            Preset("standard", 512, 240, "a picture to show"),
            Preset("fine", 1024, 400, "a picture to print"),
        )
    }
)


def find_preset(name: str) -> Preset:
    """The preset of this name; ConfigError naming the choices if there is none."""
    try:
        return PRESETS[name]
    except KeyError as error:
        raise ConfigError(f"The preset must be one of {', '.join(PRESETS)}; received {name!r}.") from error
