"""What a run is made from: resolved settings, two pictures, networks and the compiled objective."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from nst_core.backbones import find_backbone, split_layer
from nst_core.checks import without_effect
from nst_core.choices import LARGEST_SIZE, WEIGHTS_SOURCES, weigh_alike, weigh_content
from nst_core.config import TransferConfig
from nst_core.engine import Engine, Factors
from nst_core.images import Picture, resize
from nst_core.losses import Targets
from nst_core.networks import Network
from nst_core.plan import Plan, fit, make_plan, usable_sizes
from nst_core.records import WeightsSource
from nst_core.room import Room, find_room
from nst_core.strength import loss_weights
from nst_core.system import available_memory
from nst_core.tiled import TiledEngine
from nst_core.tiles import largest_crop
from nst_core.weights import load_network

Pixels = npt.NDArray[np.float32]
Objective = Engine | TiledEngine
Loaded = Mapping[str, tuple[Network, WeightsSource]]  # by the backbone's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that a run is made from: resolved settings, the pictures and the compiled objective.

    source: of the run's own backbone's weights; other_sources: of those that lend it layers, by their names;
    lbfgs_up_to: the longest side, pixels, at which there is memory for L-BFGS.
    """

    config: TransferConfig
    content: Picture
    style: Picture
    engine: Objective
    source: WeightsSource
    other_sources: Mapping[str, WeightsSource] = field(default_factory=dict)
    sizes: tuple[int, ...]
    lbfgs_up_to: float = math.inf
    notes: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """For each rung the picture's (width, height) and how many steps it gets."""
        return make_plan(self.config, self.content, self.style)

    def at(self, longest_side: int) -> tuple[Pixels, Pixels]:
        """Content and style as float32 [H, W, 3] arrays; the content's longest side, the style's scaled."""
        sides = (longest_side, self._style_side(longest_side))
        content, style = (
            resize(picture.pixels, fit(picture, side))
            for picture, side in zip((self.content, self.style), sides, strict=True)
        )
        return content, style

    def _style_side(self, longest_side: int) -> int:
        # Never so small that the network's deepest layer has nothing to see.
        needed = find_backbone(self.config.backbone).smallest_side
        least = -(-needed * max(self.style.size) // min(self.style.size))
        return min(LARGEST_SIZE, max(round(longest_side * self.config.style_scale), least))

    def targets(self, content: Pixels, style: Pixels) -> Targets:
        """Targets of the two arrays under these settings."""
        return self.engine.targets(
            content,
            style,
            style_weights=tuple(weight for _, weight in self.config.style_layers or ()),
            content_weights=tuple(weight for _, weight in self.config.content_layers or ()),
            balance=self.config.balance,
        )

    @property
    def factors(self) -> Factors:
        """alpha, beta and gamma, as the engine takes them."""
        config = self.config
        return config.content_weight or 0.0, config.style_weight or 0.0, config.variation_weight or 0.0


def resolve(config: TransferConfig, source: WeightsSource | None = None) -> TransferConfig:
    """Settings without any None: alpha of the strength, gamma of alpha, layers of backbone and weights."""
    backbone, kind = find_backbone(config.backbone), source.source if source else ""
    alpha, _, gamma = loss_weights(config, kind)
    return replace(
        config.resolved(),
        content_weight=alpha,
        variation_weight=gamma,
        style_layers=config.style_layers or weigh_alike(backbone.usual_style_layers(kind)),
        content_layers=config.content_layers or weigh_content(backbone.usual_content_layers(kind)),
    )


def backbones_of(config: TransferConfig) -> tuple[str, ...]:
    """The run's own backbone, then those whose layers it borrows."""
    keys = (name for name, _ in (*(config.style_layers or ()), *(config.content_layers or ())))
    return tuple(dict.fromkeys((config.backbone, *(split_layer(key, config.backbone)[0] for key in keys))))


def lender(config: TransferConfig, backbone: str) -> TransferConfig:
    """Settings under which the network of a backbone is loaded that lends this run some layers.

    A file holds one backbone's weights; the others then get what `auto` finds.
    """
    if backbone == config.backbone:
        return config
    weights = config.weights if config.weights in WEIGHTS_SOURCES else "auto"
    return replace(config, backbone=backbone, weights=weights, style_layers=None, content_layers=None)


def make_engine(config: TransferConfig, loaded: Loaded) -> Engine:
    """The compiled objective for resolved settings; its layers and kinds of loss are built in."""
    return Engine({name: network for name, (network, _) in loaded.items()}, config)


def in_room(
    engine: Engine, config: TransferConfig, room: Room, size: tuple[int, int]
) -> tuple[Objective, tuple[str, ...]]:
    """The engine, or one that works in tiles, and what is to be told of that and of L-BFGS.

    size: (width, height) at the last rung.
    """
    notes: tuple[str, ...] = ()
    if room.lbfgs_why:
        which = f"Sizes above {room.lbfgs_up_to:g} pixels" if room.lbfgs_up_to else "All sizes"
        what = f"{which} were left to Adam" if config.optimiser == "lbfgs" else "The finish was left to Adam"
        notes = (f"{what}, {room.lbfgs_why}.",)
    if not room.tile:
        return engine, notes
    tiled = TiledEngine(engine, room.tile)
    count = len(tiled.tiles(*size))
    width, height = largest_crop(engine.routes, size, room.tile)
    if count == 1:
        return tiled, notes
    return tiled, (*notes, f"Worked in {count} tiles of up to {width} x {height} pixels, {room.tile_why}.")


def load_networks(config: TransferConfig) -> Loaded:
    """The networks of all backbones that these settings name, and where their weights came from."""
    lenders = {name: lender(config, name) for name in backbones_of(config)}
    return {
        name: load_network(find_backbone(name), settings.weights, seed=settings.seed)
        for name, settings in lenders.items()
    }


def prepare(
    config: TransferConfig,
    content: Picture,
    style: Picture,
    *,
    loaded: Loaded | None = None,
    engine: Engine | None = None,
    tile: int | None = None,
) -> Material:
    """Everything that must be right before the first step; ImageError when a picture is too narrow.

    Loaded networks and a compiled engine may be handed in to save their making. tile: side in pixels of the
    tiles that larger pictures are worked in; 0 works them whole, None decides by the memory that there is,
    and whether there is enough for L-BFGS. Not a setting of the run: tiles change no number beyond rounding,
    and what was decided, which depends on the machine, is among the notes.
    """
    sizes = usable_sizes(config, content, style)
    loaded = loaded or load_networks(config)
    source = loaded[config.backbone][1]
    idle = without_effect(config)
    config = resolve(config, source)
    engine = engine or make_engine(config, loaded)
    rungs = [fit(content, size) for size in sizes]
    if tile is None:
        weights = sum(network.parameters for network, _ in loaded.values())
        computed = replace(config, precision=engine.precision)
        room = find_room(computed, engine.routes, weights, rungs, available_memory())
    else:
        room = Room(tile, "because that was asked for")
    chosen, told = in_room(engine, config, room, rungs[-1])
    notes = [f"{picture.name}: {note}." for picture in (content, style) for note in picture.notes]
    if not room.lbfgs_why:  # else Adam has a share in the run
        notes += idle
    return Material(
        config=config,
        content=content,
        style=style,
        engine=chosen,
        source=source,
        other_sources={name: loaded[name][1] for name in backbones_of(config)[1:]},
        sizes=sizes,
        lbfgs_up_to=room.lbfgs_up_to,
        notes=(*notes, *told),
    )
