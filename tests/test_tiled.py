"""Tiles give the whole picture's losses and gradient: every padding, pooling, statistic and variation."""

import numpy as np
import pytest
import tensorflow as tf

from nst_core.backbones import COLOURS, RESNET50
from nst_core.config import TransferConfig
from nst_core.engine import Engine
from nst_core.errors import ConfigError
from nst_core.networks import Network
from nst_core.tiled import TiledEngine
from tests.conftest import make_picture

LAYERS = {
    "vgg16": (("block1_conv1", "block2_conv2", "block3_pool", "block5_conv1", COLOURS), ("block4_conv2",)),
    "resnet50": (RESNET50.sketch_style_layers, RESNET50.sketch_content_layers),
    "shallow": (("block1_conv2", "block2_conv1"), ("block1_conv1", "block2_conv1")),
    "mixed": (
        ("block1_conv1", "block4_conv1", "resnet50:conv3_block4_out", "resnet50:colours"),
        ("resnet50:conv4_block6_out", "block4_conv2"),
    ),
}
FACTORS = (0.3, 0.5, 0.2)
SIZES = {"vgg16": (203, 149), "resnet50": (301, 167), "shallow": (75, 98), "mixed": (171, 190)}  # (H, W)


@pytest.fixture(scope="module")
def networks(network: Network, residual_network: Network) -> dict[str, Network]:
    return {"vgg16": network, "resnet50": residual_network}


def make_engine(networks: dict[str, Network], layers: str, **settings: str) -> Engine:
    styles, contents = LAYERS[layers]
    backbone = layers if layers in networks else "vgg16"
    config = TransferConfig(
        backbone=backbone,
        style_layers=tuple((name, 1.0 + index) for index, name in enumerate(styles)),
        content_layers=tuple((name, 2.0 - index) for index, name in enumerate(contents)),
        **settings,
    )
    return Engine(networks, config)


def targets_of(engine, content, style, balance="relative"):
    return engine.targets(
        content,
        style,
        style_weights=tuple(1.0 + index for index in range(len(engine.style_layers))),
        content_weights=tuple(2.0 - index for index in range(len(engine.content_layers))),
        balance=balance,
    )


def close(made, wanted, tolerance=1e-4) -> None:
    made, wanted = np.asarray(made), np.asarray(wanted)
    assert made.shape == wanted.shape
    assert np.abs(made - wanted).max() <= tolerance * np.abs(wanted).max()


def alike(engine: Engine, side: int, size: tuple[int, int], shift=(0, 0, 0), factors=FACTORS) -> None:
    tiled = TiledEngine(engine, side)
    content, picture = (make_picture(*size, seed=seed).pixels for seed in (1, 3))
    style = make_picture(size[1], size[0], seed=2).pixels
    assert len(tiled.tiles(size[1], size[0])) > 1
    assert len(tiled.tiles(*size)) > 1
    whole, made = targets_of(engine, content, style), targets_of(tiled, content, style)
    for name in ("styles", "contents"):
        for one, other in zip(getattr(made, name), getattr(whole, name), strict=True):
            close(one, other)
    close(made.style_scales, whole.style_scales)
    close(made.content_scales, whole.content_scales)
    losses, gradient = engine.evaluate(picture, whole, factors, shift)
    same, tiles_gradient = tiled.evaluate(picture, whole, factors, shift)
    close(same.layers, losses.layers)
    assert (same.content, same.variation) == pytest.approx((losses.content, losses.variation), rel=1e-4)
    close(tiles_gradient, gradient)
    if not any(shift):
        measured = tiled.errors(picture, whole)
        assert measured == same


@pytest.mark.parametrize(
    ("padding", "pooling"),
    [("zero", "max"), ("reflect", "average"), ("reflect", "max"), ("replicate", "max"), ("zero", "average")],
)
@pytest.mark.parametrize("layers", ["vgg16", pytest.param("resnet50", marks=pytest.mark.slow)])
def test_every_padding_and_pooling(networks, layers, padding, pooling) -> None:
    engine = make_engine(networks, layers, padding=padding, pooling=pooling)
    alike(engine, 64, SIZES[layers])


@pytest.mark.parametrize("statistic", ["gram", "moments", "wasserstein"])
def test_every_statistic(networks, statistic) -> None:
    alike(make_engine(networks, "shallow", statistic=statistic), 48, SIZES["shallow"])


@pytest.mark.parametrize("variation", ["squared", "absolute", "power"])
def test_every_variation_in_strips(networks, variation, monkeypatch) -> None:
    monkeypatch.setattr("nst_core.tiled.STRIP", 16)
    alike(
        make_engine(networks, "shallow", variation=variation), 32, SIZES["shallow"], factors=(0.0, 0.0, 1.0)
    )


def test_the_smallest_tiles(networks) -> None:
    alike(make_engine(networks, "shallow"), 1, (20, 17))


@pytest.mark.parametrize("side", [40, 97, 149])
def test_every_side(networks, side) -> None:
    alike(make_engine(networks, "vgg16"), side, SIZES["vgg16"])


def test_residual_branches_and_mirrored_stem(networks) -> None:
    alike(make_engine(networks, "resnet50"), 64, SIZES["resnet50"])


def test_layers_of_several_networks_at_once(networks) -> None:
    alike(make_engine(networks, "mixed"), 64, SIZES["mixed"])


def test_a_shifted_picture(networks) -> None:
    alike(make_engine(networks, "shallow"), 32, SIZES["shallow"], shift=(5, 2, 9))


def test_a_picture_of_one_tile_is_the_engines_own(networks) -> None:
    engine = make_engine(networks, "shallow")
    tiled = TiledEngine(engine, 128)
    content, style = make_picture(75, 98, seed=1).pixels, make_picture(90, 60, seed=2).pixels
    targets = targets_of(engine, content, style)
    losses, gradient = engine.evaluate(style[:75, :60], targets_of(engine, content[:, :60], style), FACTORS)
    same, equal = tiled.evaluate(style[:75, :60], targets_of(engine, content[:, :60], style), FACTORS)
    assert same == losses
    np.testing.assert_array_equal(equal, gradient)
    assert tiled.errors(content, targets) == engine.errors(content, targets)


def test_one_graph_serves_tiles_and_pictures_of_every_size(networks) -> None:
    engine = make_engine(networks, "shallow")
    tiled = TiledEngine(engine, 32)
    for size in ((75, 98), (64, 33), (40, 120)):
        content, style = make_picture(*size, seed=1).pixels, make_picture(size[1], size[0], seed=2).pixels
        tiled.evaluate(content, targets_of(tiled, content, style), FACTORS)
    graphs = tiled._graphs
    assert all(part.called for part in (graphs._sums, graphs._maps, graphs._both))
    for graph in (graphs._pull, graphs.slopes, graphs.variation):
        assert graph.called
        assert graph.traces == 1


def test_a_loss_that_is_no_number_shows(networks) -> None:
    engine = make_engine(networks, "shallow")
    content = make_picture(75, 98, seed=1).pixels
    broken = content.copy()
    broken[70, 90, 1] = np.nan
    targets = targets_of(engine, content, content)
    losses, _ = TiledEngine(engine, 32).evaluate(tf.constant(broken), targets, FACTORS)
    assert np.isnan(losses.total(FACTORS))


def test_softmax_over_whole_maps_is_refused(networks) -> None:
    with pytest.raises(ConfigError, match="smoothing none"):
        TiledEngine(make_engine(networks, "shallow", smoothing="softmax"), 64)
