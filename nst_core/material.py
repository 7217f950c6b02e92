"""What a run is made from: resolved settings, two pictures, a network and its compiled step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig, weigh_alike
from nst_core.engine import Engine
from nst_core.images import Picture, resize
from nst_core.losses import Targets
from nst_core.networks import Network
from nst_core.plan import Plan, fit, make_plan, usable_sizes
from nst_core.records import WeightsSource
from nst_core.weights import load_network

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that a run is made from: resolved settings, the pictures, the network and its compiled step."""

    config: TransferConfig
    content: Picture
    style: Picture
    engine: Engine
    source: WeightsSource
    sizes: tuple[int, ...]

    notes: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """For each rung the picture's (width, height) and how many steps it gets."""
        return make_plan(self.config, self.content, self.style)

    def at(self, longest_side: int) -> tuple[Pixels, Pixels]:
        """Content and style as float32 [H, W, 3] arrays with this longest side each."""
        content, style = (
            resize(picture.pixels, fit(picture, longest_side)) for picture in (self.content, self.style)
        )
        return content, style

    def targets(self, content: Pixels, style: Pixels) -> Targets:
        """Targets of the two arrays under these settings."""
        return self.engine.targets(
            content,
            style,
            style_weights=tuple(weight for _, weight in self.config.style_layers or ()),
            content_weights=tuple(weight for _, weight in self.config.content_layers or ()),
            balance=self.config.balance,
        )

    def factors(self, learning_rate: float) -> tuple[float, float, float, float]:
        """alpha, beta, gamma and the learning rate, as the engine takes them."""
        config = self.config
        return (
            config.content_weight or 0.0,
            config.style_weight or 0.0,
            config.variation_weight or 0.0,
            learning_rate,
        )


def resolve(config: TransferConfig, source: WeightsSource | None = None) -> TransferConfig:
    """Settings without any None: the usual layers of the backbone and its weights, weighing alike."""
    backbone, kind = find_backbone(config.backbone), source.source if source else ""
    return replace(
        config.resolved(),
        style_layers=config.style_layers or weigh_alike(backbone.usual_style_layers(kind)),
        content_layers=config.content_layers or weigh_alike(backbone.usual_content_layers(kind)),
    )


def make_engine(config: TransferConfig, network: Network) -> Engine:
    """The compiled step for resolved settings; only its layers, canvas, padding and pooling are built in."""
    return Engine(
        network,
        style_layers=tuple(name for name, _ in config.style_layers or ()),
        content_layers=tuple(name for name, _ in config.content_layers or ()),
        config=config,
    )


def prepare(
    config: TransferConfig,
    content: Picture,
    style: Picture,
    *,
    network: Network | None = None,
    source: WeightsSource | None = None,
    engine: Engine | None = None,
) -> Material:
    """Everything that must be right before the first step; ImageError when a picture is too narrow.

    A network, its source and a compiled engine may be handed in to save their making.
    """
    sizes = usable_sizes(config, content, style)
    if network is None or source is None:
        network, source = load_network(find_backbone(config.backbone), config.weights, seed=config.seed)
    config = resolve(config, source)
    return Material(
        config=config,
        content=content,
        style=style,
        engine=engine or make_engine(config, network),
        source=source,
        sizes=sizes,
        notes=(*content.notes, *style.notes),
    )
