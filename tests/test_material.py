"""What a run is made from."""

from dataclasses import replace

import numpy as np
import pytest

from nst_core import material as module
from nst_core.backbones import BACKBONES
from nst_core.config import LEARNING_RATES, LOSS_WEIGHTS, TransferConfig
from nst_core.errors import ImageError
from nst_core.images import resize
from nst_core.material import prepare, resolve
from nst_core.records import WeightsSource
from tests.conftest import make_picture

SOURCE = WeightsSource(source="random", sha256="0" * 64, parameters=1)


def make(network, content, style, **settings):
    config = TransferConfig(backbone="vgg16", weights="random", **{"size": 64, **settings})
    return prepare(config, content, style, network=network, source=SOURCE)


@pytest.mark.parametrize("backbone", list(BACKBONES))
@pytest.mark.parametrize("balance", ["relative", "paper"])
@pytest.mark.parametrize("canvas", ["pixel", "fourier"])
def test_resolving_leaves_nothing_to_guess(backbone, balance, canvas):
    config = resolve(TransferConfig(backbone=backbone, balance=balance, canvas=canvas))
    row = BACKBONES[backbone]
    assert config.style_layers == tuple((name, 0.2) for name in row.style_layers)
    assert config.content_layers == ((row.content_layer, 1.0),)
    weights = (config.content_weight, config.style_weight, config.variation_weight)
    assert weights == LOSS_WEIGHTS[balance]
    assert config.learning_rate == LEARNING_RATES[canvas]
    assert resolve(config) == config


@pytest.mark.parametrize("backbone", list(BACKBONES))
def test_sketch_weights_get_more_style_layers(backbone):
    config, row = TransferConfig(backbone=backbone), BACKBONES[backbone]
    resolved = resolve(config, replace(SOURCE, source="sketch"))
    assert tuple(name for name, _ in resolved.style_layers) == row.sketch_style_layers
    assert sum(weight for _, weight in resolved.style_layers) == pytest.approx(1)
    assert resolve(config, replace(SOURCE, source="imagenet")) == resolve(config)


def test_resolving_keeps_what_was_chosen():
    chosen = TransferConfig(
        backbone="vgg16",
        style_layers=(("block1_conv1", 2.0),),
        content_layers=(("block3_conv1", 0.5),),
        content_weight=0.0,
        style_weight=7.0,
        variation_weight=0.25,
        learning_rate=0.125,
    )
    assert resolve(chosen) == chosen


@pytest.mark.usefixtures("small_rungs")
def test_the_plan_and_the_arrays_of_each_rung(network):
    content, style = make_picture(60, 80, seed=1), make_picture(100, 70, seed=2)
    material = make(network, content, style, size=128, steps=5)
    assert material.sizes == (64, 128)
    assert material.plan == (((64, 48), 2), ((128, 96), 3))
    for_content, for_style = material.at(64)
    np.testing.assert_array_equal(for_content, resize(content.pixels, (64, 48)))
    np.testing.assert_array_equal(for_style, resize(style.pixels, (45, 64)))


def test_factors_are_the_weights_and_the_rate(network, content, style):
    material = make(network, content, style, content_weight=0.0, style_weight=3.0, variation_weight=0.5)
    assert material.factors(0.125) == (0.0, 3.0, 0.5, 0.125)


def test_targets_carry_the_layer_weights_in_their_order(network, content, style):
    material = make(
        network, content, style, style_layers=(("block2_conv1", 3.0), ("block1_conv1", 1.0)), balance="paper"
    )
    targets = material.targets(*material.at(64))
    np.testing.assert_allclose(targets.style_scales, [3 / (4 * 8**2), 1 / (4 * 4**2)])
    assert [len(gram) for gram in targets.grams] == [8, 4]


def test_notes_of_both_pictures_are_kept(network, content, style):
    noted = replace(content, notes=("turned upright",)), replace(style, notes=("made smaller",))
    assert make(network, *noted).notes == ("turned upright", "made smaller")


def test_a_picture_too_narrow_is_refused_before_weights_are_read(monkeypatch, content):
    monkeypatch.setattr(module, "load_network", lambda *given, **more: pytest.fail("read weights first"))
    with pytest.raises(ImageError, match="strip is too narrow"):
        prepare(TransferConfig(size=64), content, make_picture(5, 90, name="strip"))


def test_an_engine_handed_in_is_used(network, content, style):
    first = make(network, content, style)
    again = prepare(first.config, content, style, network=network, source=SOURCE, engine=first.engine)
    assert again.engine is first.engine
    assert again == first
