"""The compiled objective: a picture in, its losses and their gradient out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from nst_core.backbones import COLOURS, split_layer
from nst_core.backward import gradient_along, pull_back
from nst_core.choices import Balance
from nst_core.compiled import Compiled
from nst_core.config import TransferConfig
from nst_core.features import Extractor
from nst_core.losses import VARIATIONS, Targets, content_distance, nothing_of, smooth, weigh_targets
from nst_core.networks import Network
from nst_core.precision import find_precision
from nst_core.shifts import STILL, Shift, moved_back, shifted
from nst_core.statistics import STATISTICS
from nst_core.tiles import Route

Factors = tuple[float, float, float]  # alpha, beta, gamma


@dataclass(frozen=True, slots=True)
class Losses:
    """Unweighted losses of one picture; `layers` are the style layers' shares, in order."""

    content: float
    style: float
    variation: float
    layers: tuple[float, ...]

    def total(self, factors: Factors) -> float:
        """alpha * content + beta * style + gamma * variation."""
        alpha, beta, gamma = factors
        return alpha * self.content + beta * self.style + gamma * self.variation


class Engine:
    """The losses and their gradient for some networks, one choice of layers and one kind of loss.

    One graph serves every picture size, loss weight, balance, canvas and optimiser: they are arguments or
    lie outside, so that nothing is traced twice and memory does not grow with the number of shapes.

    networks: of each backbone whose layers are named; config: resolved, see `material.resolve`.
    extractors: of each network, with which of its layers each layer's key means.
    """

    def __init__(self, networks: Mapping[str, Network], config: TransferConfig) -> None:
        self.style_layers = tuple(name for name, _ in config.style_layers or ())
        self.content_layers = tuple(name for name, _ in config.content_layers or ())
        self.precision = find_precision(
            config.precision,
            {name: network.architecture.width for name, network in networks.items()},
            gpu=bool(tf.config.list_physical_devices("GPU")),
        )
        self.statistic = config.statistic
        self.variation = VARIATIONS[config.variation]
        self._statistic = STATISTICS[config.statistic]
        self.smoothed = config.smoothing == "softmax"
        self._temperature = config.temperature
        self.extractors = _extractors(
            networks, self.style_layers + self.content_layers, config, self.precision
        )
        picture = tf.TensorSpec([None, None, 3], tf.float32)
        targets = self.targets_spec = self._targets_spec(networks, config.backbone)
        everything = Compiled(self._everything, [picture, targets, tf.TensorSpec([3])])
        self._aims = everything.part("aims", 1)
        self._measure = everything.part("numbers", 2)
        self._evaluate = everything.part("step", 3)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The layers of each network in use, shallow to deep, and which of them each key means."""
        return tuple((extractor.layers, keys) for extractor, keys in self.extractors)

    def _targets_spec(self, networks: Mapping[str, Network], backbone: str) -> tuple[Any, ...]:
        def channels(key: str) -> int:
            owner, name = split_layer(key, backbone)
            return 4 if name == COLOURS else networks[owner].architecture.layer(name).channels

        styles = tuple(tf.TensorSpec([None, channels(key)]) for key in self.style_layers)
        maps = tuple(tf.TensorSpec([1, None, None, channels(key)]) for key in self.content_layers)
        return styles, tf.TensorSpec([len(styles)]), maps, tf.TensorSpec([len(maps)])

    def targets(
        self,
        content: npt.NDArray[np.float32],
        style: npt.NDArray[np.float32],
        *,
        style_weights: tuple[float, ...],
        content_weights: tuple[float, ...],
        balance: Balance,
    ) -> Targets:
        """Targets of the two pictures, each [H, W, 3] in 0..1; weights in the order of the layers."""
        styles, _ = self._aims(style)
        _, contents = self._aims(content)
        keys = self.style_layers + self.content_layers
        return weigh_targets(
            styles,
            contents,
            style_weights=style_weights,
            content_weights=content_weights,
            balance=balance,
            statistic=self._statistic,
            nothings=[nothing_of(key, smoothed=self.smoothed) for key in keys],
        )

    def evaluate(
        self, picture: Any, targets: Targets, factors: Factors, shift: Shift = STILL
    ) -> tuple[Losses, npt.NDArray[np.float32]]:
        """The losses of a picture [H, W, 3] in 0..1, and the gradient [H, W, 3] of their weighted mean.

        The gradient is of alpha * content + beta * style + gamma * variation over alpha + beta + gamma: with
        weights that add up to 1 very small or large ones neither sink below Adam's epsilon nor leave the
        range of float32. shift: see `shifted`; the targets must be of the content shifted likewise.
        """
        shares = np.array(weight_shares(factors), np.float32)
        moved = shifted(picture, shift) if any(shift) else picture
        numbers, gradient = self._evaluate(moved, _packed(targets), shares)
        return _losses_of(numbers), np.asarray(moved_back(gradient, shift)) if any(shift) else gradient

    def errors(self, picture: npt.NDArray[np.float32], targets: Targets) -> Losses:
        """The losses of a picture as it is, float32 [H, W, 3] in 0..1 of the targets' size."""
        return _losses_of(self._measure(picture, _packed(targets)))

    def _everything(self, picture: Any, targets: Any, shares: Any) -> dict[str, Any]:
        """All that an engine computes of a picture, of the same maps.

        aims: what is wanted of others if it is the style, or the content; numbers: its losses; step: these
        and their gradient.
        """
        maps = self.raw_maps(picture)
        seen = self._smoothed(maps)
        terms, variation = self._terms(seen, targets), self.variation(picture)
        numbers = self._weighed(terms, variation, targets)
        gradient = self._gradient(picture, maps, terms, targets, shares)
        gradient += gradient_along(picture, [(variation, shares[2])])
        return {"aims": self._aimed_at(seen), "numbers": numbers, "step": (numbers, gradient)}

    def _gradient(
        self, picture: Any, maps: dict[str, Any], terms: list[Any], targets: Any, shares: Any
    ) -> Any:
        """Of the weighted style and content losses."""
        _, style_scales, _, content_scales = targets
        slopes = tf.unstack(tf.concat([shares[1] * style_scales, shares[0] * content_scales], 0))
        keys = self.style_layers + self.content_layers
        return pull_back(picture, self.routes, maps, tuple(zip(keys, terms, slopes, strict=True)))

    def _weighed(self, terms: list[Any], variation: Any, targets: Any) -> Any:
        _, style_scales, _, content_scales = targets
        errors, distances = terms[: len(self.style_layers)], terms[len(self.style_layers) :]
        content = tf.reduce_sum(tf.stack(distances) * content_scales)
        return tf.concat([[content, variation], tf.stack(errors) * style_scales], 0)

    def raw_maps(self, picture: Any) -> dict[str, Any]:
        """Each layer's feature maps [1, h, w, N], by its key, before any smoothing."""
        maps = {}
        for extractor, keys in self.extractors:
            found = extractor(picture)
            maps.update({key: found[name] for key, name in keys.items()})
        return maps

    def _aimed_at(self, maps: dict[str, Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Statistics of the style layers, wanted of the style picture, and maps of the content layers."""
        return (
            tuple(self._statistic.measure(maps[name]) for name in self.style_layers),
            tuple(tf.cast(maps[name], tf.float32) for name in self.content_layers),
        )

    def _smoothed(self, maps: dict[str, Any]) -> dict[str, Any]:
        if not self.smoothed:
            return maps
        return {key: maps[key] if key == COLOURS else smooth(maps[key], self._temperature) for key in maps}

    def _terms(self, maps: dict[str, Any], targets: Any) -> list[Any]:
        """Unscaled distances: of the style layers, then of the content layers."""
        styles, _, contents, _ = targets
        errors = [
            self._statistic.distance(maps[name], target)
            for name, target in zip(self.style_layers, styles, strict=True)
        ]
        return errors + [
            content_distance(maps[name], target)
            for name, target in zip(self.content_layers, contents, strict=True)
        ]


def _extractors(
    networks: Mapping[str, Network],
    keys: tuple[str, ...],
    config: TransferConfig,
    precision: Literal["float32", "bfloat16"],
) -> list[tuple[Extractor, dict[str, str]]]:
    """For each network its extractor, and which of its layers each key means."""
    owned: dict[str, dict[str, str]] = {}
    for key in keys:
        owner, name = split_layer(key, config.backbone)
        owned.setdefault(owner, {})[key] = name
    return [
        (
            Extractor(
                networks[owner],
                tuple(dict.fromkeys(names.values())),
                padding=config.padding,
                pooling=config.pooling,
                precision=precision,
            ),
            names,
        )
        for owner, names in owned.items()
    ]


def weight_shares(factors: Factors) -> Factors:
    """The three weights as shares of their sum."""
    whole = sum(factors) or 1.0
    alpha, beta, gamma = factors
    return alpha / whole, beta / whole, gamma / whole


def _packed(targets: Targets) -> tuple[Any, ...]:
    return targets.styles, targets.style_scales, targets.contents, targets.content_scales


def _losses_of(numbers: Any) -> Losses:
    content, variation, *layers = (float(number) for number in numbers)
    return Losses(content, sum(layers), variation, tuple(layers))
