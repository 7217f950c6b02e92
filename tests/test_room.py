"""Tiles by the memory there is: whole pictures where they fit, else the largest tiles that do."""

from dataclasses import replace

import pytest

from nst_core import memory
from nst_core.backbones import RESNET50, VGG16
from nst_core.config import TransferConfig
from nst_core.memory import need_of, run_need, weight_values
from nst_core.room import FILLED, LEAST_TILE, TILE_SIDES, Room, choose_tile, find_room

CONFIG = TransferConfig(
    backbone="vgg16",
    weights="random",
    style_layers=tuple((name, 1.0) for name in VGG16.style_layers),
    content_layers=((VGG16.content_layer, 1.0),),
)
LAYERS = VGG16.architecture().folded().up_to((*VGG16.style_layers, VGG16.content_layer))
ROUTES = [(LAYERS, {name: name for name in (*VGG16.style_layers, VGG16.content_layer)})]
WEIGHTS = 14_714_688
SIZE = (2048, 1536)


def need(tile: int = 0) -> int:
    return need_of(CONFIG, ROUTES, WEIGHTS, SIZE, tile).total


def chosen(available: int | None, config: TransferConfig = CONFIG) -> int:
    return choose_tile(config, ROUTES, WEIGHTS, SIZE, available)[0]


def test_whole_pictures_where_they_fit() -> None:
    assert chosen(int(need() / FILLED) + 2) == 0
    assert chosen(int(need() / FILLED) - 2) == TILE_SIDES[1]  # 2048 would be one tile


@pytest.mark.parametrize("side", [1024, 384, 256])
def test_the_largest_tiles_that_fit(side: int) -> None:
    larger = TILE_SIDES[TILE_SIDES.index(side) - 1]
    assert need(side) < need(larger) < need()
    assert chosen(int(need(side) / FILLED) + 2) == side
    assert chosen(int(need(side) / FILLED) - 2) < side


def test_the_smallest_where_none_fits_and_why() -> None:
    side, why = choose_tile(CONFIG, ROUTES, WEIGHTS, SIZE, 10**8)
    assert side == TILE_SIDES[-1]
    assert why == f"because the whole picture would need about {need() / 1e9:.1f} GB and 0.1 GB are free"


def test_on_amx_the_side_that_needs_least_where_none_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tiles have many sizes of crops, of which each has programs of its own."""
    monkeypatch.setattr(memory, "has_amx", lambda: True)
    config = TransferConfig(backbone="resnet50", weights="random", precision="bfloat16")
    names = (*RESNET50.style_layers, RESNET50.content_layer)
    architecture = RESNET50.architecture().folded()
    routes = [(architecture.up_to(names), {name: name for name in names})]
    weights = weight_values(architecture.layers)
    needs = {side: need_of(config, routes, weights, SIZE, side).total for side in TILE_SIDES}
    side, _ = choose_tile(config, routes, weights, SIZE, 10**8)
    assert needs[side] == min(needs.values())
    assert side > TILE_SIDES[-1]


def test_whole_where_nothing_is_known_or_tiles_cannot_be() -> None:
    assert chosen(None) == 0
    assert chosen(1, replace(CONFIG, smoothing="softmax")) == 0


RUNGS = [(512, 384), (1024, 768), SIZE]


def room(available: int | None, config: TransferConfig = CONFIG) -> Room:
    return find_room(config, ROUTES, WEIGHTS, RUNGS, available)


def test_a_run_that_fits_is_left_as_it_is() -> None:
    assert room(None) == room(int(need() / FILLED) + 2) == Room()
    assert room(int(need(256) / FILLED) + 2).tile == 256
    assert room(int(need(256) / FILLED) + 2).lbfgs_why == ""


def test_where_not_even_tiles_make_room_for_lbfgs_the_larger_rungs_are_adams() -> None:
    available = int(need(LEAST_TILE) / FILLED) - 2
    side = chosen(available)
    assert side < LEAST_TILE
    found = room(available)
    assert (found.tile, found.lbfgs_up_to) == (768, 1024)  # the largest tiles with which Adam fits
    adam, larger = replace(CONFIG, optimiser="adam"), TILE_SIDES[TILE_SIDES.index(768) - 1]
    assert need_of(adam, ROUTES, WEIGHTS, SIZE, 768).total <= FILLED * available
    assert need_of(adam, ROUTES, WEIGHTS, SIZE, larger).total > FILLED * available
    words = f"about {need(side) / 1e9:.1f} GB and {available / 1e9:.1f} GB are free"
    assert found.lbfgs_why == f"because L-BFGS would need {words}"
    assert room(10**8).lbfgs_up_to == 0
    # A finish with L-BFGS is left out too, and Adam by itself has nothing to give up.
    finished = replace(adam, finish="lbfgs")
    assert room(available, finished).lbfgs_up_to < max(SIZE)
    assert "L-BFGS would need" in room(available, finished).lbfgs_why
    assert room(10**8, adam).lbfgs_why == ""


def test_the_estimate_before_anything_is_loaded_is_the_same() -> None:
    for tile in (0, 256):
        assert run_need(replace(CONFIG, precision="float32"), SIZE, tile) == need_of(
            CONFIG, ROUTES, WEIGHTS, SIZE, tile
        )
