"""Everything that decides a run, apart from the two pictures: one frozen, checked record."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from nst_core.checks import check_choices, check_numbers, checked_layers, plain
from nst_core.choices import (
    LEARNING_RATES,
    LOSS_WEIGHTS,
    PLAIN_TEMPERATURE,
    STRENGTH,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferConfig:
    """The settings of one run; checked on creation, ConfigError says what is out of range.

    weights         auto, imagenet, sketch, random, or the path of a file in Keras' format
    size            longest side of the picture made, pixels
    steps           evaluations of the picture in all, shared out over the ladder
    finish          lbfgs: the last size is worked on pixels with L-BFGS, whatever came before
    strength        of the style, 0 (faithful) to 100 (wild); sets alpha where content_weight is None
    content_weight  alpha; None is the strength's, or with balance="paper" the balance's default
    style_weight    beta; None is the balance's default
    variation_weight  gamma, on the total variation; None follows alpha (choices.usual_variation_weight)
    variation       how neighbours' differences count: squared, absolute, or to the power 1.25
    learning_rate   of Adam; None is the canvas' default
    ladder          start small and carry the picture upward; False works at `size` alone
    style_layers    (layer, w_l) pairs; None is the weights' and backbone's default. "vgg16:block1_conv1" is
                    a layer of another backbone than this run's
    content_layers  (layer, weight) pairs; None is the backbone's default
    statistic       what of the style's feature maps is matched: see nst_core.statistics
    smoothing       softmax: over each layer's activations, for residual networks (Wang et al. 2021)
    temperature     of that softmax; 1 in the paper
    style_scale     the style picture's longest side over the canvas': smaller gives finer strokes
    jitter          pixels by which the picture is shifted to and fro between Adam's steps
    averaging       decay of a running average of the pictures, 0 for none
    pooling         how maps are made smaller
    precision       of the convolutions; auto is bfloat16 where that pays, see `find_precision`
    """

    backbone: str = "vgg19"
    weights: str = "auto"
    size: int = 384
    steps: int = 150
    seed: int = 0
    canvas: Canvas = "fourier"
    balance: Balance = "relative"
    optimiser: Optimiser = "lbfgs"
    finish: Finish = "none"
    init: Start = "content"
    ladder: bool = True
    strength: float = STRENGTH
    content_weight: float | None = None
    style_weight: float | None = None
    variation_weight: float | None = None
    variation: Variation = "squared"
    learning_rate: float | None = None
    style_layers: LayerWeights | None = None
    content_layers: LayerWeights | None = None
    statistic: Statistic = "gram"
    smoothing: Smoothing = "none"
    temperature: float = PLAIN_TEMPERATURE
    style_scale: float = 1.0
    jitter: int = 0
    averaging: float = 0.0
    padding: Padding = "reflect"
    pooling: Pooling = "average"
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, plain(getattr(self, field.name)))
        check_choices(self)
        check_numbers(self)
        for name in ("style_layers", "content_layers"):
            if (layers := getattr(self, name)) is not None:
                object.__setattr__(self, name, checked_layers(name, layers, self.backbone))

    def resolved(self) -> "TransferConfig":
        """The same settings without any None but those of alpha, gamma and layers, which wait for weights."""
        _, style = LOSS_WEIGHTS[self.balance]
        return replace(
            self,
            style_weight=style if self.style_weight is None else self.style_weight,
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
