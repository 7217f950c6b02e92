"""One network with the layers that sketches use, ready to paint pair after pair under fixed settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nst_core.backbones import find_backbone
from nst_core.choices import Pooling, weigh_alike, weigh_content
from nst_core.config import TransferConfig
from nst_core.images import Picture
from nst_core.networks import Network
from nst_core.presets import PRESETS
from nst_core.records import WeightsSource
from nst_core.strength import loss_weights
from nst_core.weights import expected_width, load_network

if TYPE_CHECKING:
    from nst_core.engine import Engine
    from nst_core.transfer import Run

DRAFT = PRESETS["draft"]
USUAL_POOLING = TransferConfig().pooling


@dataclass(frozen=True, slots=True, eq=False)
class Painter:
    """Resolved settings, a network and its compiled step."""

    config: TransferConfig
    network: Network
    source: WeightsSource
    engine: Engine

    def paint(self, content: Picture, style: Picture, *, content_weight: float | None = None) -> Run:
        """The whole run; content_weight replaces the default one."""
        from nst_core.material import prepare
        from nst_core.transfer import run

        config = self.config
        if content_weight is not None:
            config = replace(config, content_weight=content_weight)
        material = prepare(
            config, content, style, loaded={config.backbone: (self.network, self.source)}, engine=self.engine
        )
        return run(material)


def make_painter(
    name: str,
    weights: str,
    *,
    size: int = DRAFT.size,
    steps: int = DRAFT.steps,
    seed: int = 0,
    pooling: Pooling = USUAL_POOLING,
) -> Painter:
    """A painter with the backbone of this name under sketch, random or ImageNet weights.

    Random weights get the sketch's width, layers and loss weights, so that nothing but training tells the two
    apart. `seed` draws the random weights. WeightsError when the weights cannot be had.
    """
    from nst_core.material import make_engine, resolve

    backbone = find_backbone(name)
    network, source = load_network(backbone, weights, seed=seed, width=expected_width(backbone, "sketch"))
    layers = "sketch" if source.source == "random" else source.source
    asked = TransferConfig(
        backbone=name,
        weights=weights,
        size=size,
        steps=steps,
        seed=seed,
        pooling=pooling,
        style_layers=weigh_alike(backbone.usual_style_layers(layers)),
        content_layers=weigh_content(backbone.usual_content_layers(layers)),
    )
    alpha, _, gamma = loss_weights(asked, layers)
    config = resolve(replace(asked, content_weight=alpha, variation_weight=gamma), source)
    return Painter(config, network, source, make_engine(config, {name: (network, source)}))
