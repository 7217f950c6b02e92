"""What a run is made from."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core import material as module
from nst_core.backbones import BACKBONES
from nst_core.choices import LARGEST_SIZE, LEARNING_RATES, LOSS_WEIGHTS, usual_variation_weight
from nst_core.config import TransferConfig
from nst_core.course import optimise
from nst_core.engine import Engine
from nst_core.errors import ImageError
from nst_core.images import resize
from nst_core.material import Material, backbones_of, lender, prepare, resolve
from nst_core.plan import fit
from nst_core.records import WeightsSource
from nst_core.weights import load_network
from tests.conftest import make_picture

SOURCE = WeightsSource(source="random", sha256="0" * 64, parameters=1)


def make(network, content, style, **settings):
    config = TransferConfig(backbone="vgg16", weights="random", **{"size": 64, **settings})
    return prepare(config, content, style, loaded={"vgg16": (network, SOURCE)})


@pytest.mark.parametrize("backbone", list(BACKBONES))
@pytest.mark.parametrize("balance", ["relative", "paper"])
@pytest.mark.parametrize("canvas", ["pixel", "fourier"])
def test_resolving_leaves_nothing_to_guess(backbone, balance, canvas):
    config = resolve(TransferConfig(backbone=backbone, balance=balance, canvas=canvas))
    row = BACKBONES[backbone]
    assert config.style_layers == tuple((name, 0.2) for name in row.style_layers)
    assert config.content_layers == ((row.content_layer, 1.0),)
    assert (config.content_weight, config.style_weight) == pytest.approx(LOSS_WEIGHTS[balance])
    assert config.variation_weight == usual_variation_weight(balance, config.content_weight)
    assert config.learning_rate == LEARNING_RATES[canvas]
    assert resolve(config) == config


@pytest.mark.parametrize("backbone", list(BACKBONES))
def test_sketch_weights_get_more_style_layers(backbone):
    config, row = TransferConfig(backbone=backbone), BACKBONES[backbone]
    resolved = resolve(config, replace(SOURCE, source="sketch"))
    assert tuple(name for name, _ in resolved.style_layers) == row.sketch_style_layers
    assert sum(weight for _, weight in resolved.style_layers) == pytest.approx(1)
    shallow, middle, deep = row.sketch_content_layers
    assert resolved.content_layers == ((shallow, 0.05), (middle, 0.475), (deep, 0.475))
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
        pooling="max",
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


def test_factors_are_the_weights(network, content, style):
    material = make(network, content, style, content_weight=0.0, style_weight=3.0, variation_weight=0.5)
    assert material.factors == (0.0, 3.0, 0.5)


def alpha(**settings):
    return resolve(TransferConfig(backbone="vgg16", **settings), SOURCE).content_weight


def test_strength_sets_alpha_and_an_explicit_weight_overrides_it():
    alphas = [alpha(strength=strength) for strength in (0, 10, 50, 51.5, 100)]
    assert alphas == sorted(alphas, reverse=True)
    assert len(set(alphas)) == 5
    assert alpha(strength=100, content_weight=0.7) == 0.7
    assert alpha(strength=100, content_weight=0) == 0
    # The paper's balance has the paper's weights.
    assert alpha(strength=100, balance="paper") == LOSS_WEIGHTS["paper"][0]


@pytest.mark.usefixtures("small_rungs")
@pytest.mark.parametrize(
    ("scale", "at_64", "at_128"),
    [(0.5, (34, 48), (45, 64)), (1.0, (45, 64), (90, 128)), (2.0, (90, 128), (179, 256))],
)
def test_the_styles_scale_is_its_side_over_the_canvas_and_no_less_than_the_network_needs(
    network, scale, at_64, at_128
):
    """70 x 100 pixels: at half of 64 its short side would have 22, so 48 x 34 it is."""
    content, style = make_picture(60, 80, seed=1), make_picture(100, 70, seed=2)
    material = make(network, content, style, size=128, style_scale=scale)
    for side, (width, height) in ((64, at_64), (128, at_128)):
        for_content, for_style = material.at(side)
        assert max(for_content.shape) == side
        assert for_style.shape == (height, width, 3)
        np.testing.assert_array_equal(for_style, resize(style.pixels, (width, height)))


@given(st.integers(33, 200), st.integers(33, 200), st.floats(0.25, 4), st.sampled_from([64, 150, 4096]))
def test_no_scaled_style_is_too_small_or_too_large(height, width, scale, side):
    style = make_picture(height, width)
    material = Material(
        config=TransferConfig(backbone="resnet50", style_scale=scale),
        content=style,
        style=style,
        engine=None,
        source=SOURCE,
        sizes=(64,),
    )
    scaled = material._style_side(side)
    assert scaled <= LARGEST_SIZE
    assert min(fit(style, scaled)) >= BACKBONES["resnet50"].smallest_side


def test_backbones_and_what_they_are_loaded_with():
    config = TransferConfig(
        backbone="vgg16",
        weights="own.h5",
        seed=3,
        style_layers=(("block1_conv1", 1.0), ("resnet50:conv1_relu", 1.0)),
        content_layers=(("vgg19:block1_conv1", 1.0),),
    )
    assert backbones_of(config) == ("vgg16", "resnet50", "vgg19")
    assert backbones_of(TransferConfig(backbone="vgg16")) == ("vgg16",)
    assert lender(config, "vgg16") is config
    lent = lender(config, "resnet50")
    # A file holds one network's weights.
    assert (lent.backbone, lent.weights, lent.seed) == ("resnet50", "auto", 3)
    assert lender(TransferConfig(backbone="vgg16", weights="sketch"), "vgg19").weights == "sketch"


def test_material_of_two_networks_knows_both_sources(network, residual_network, content, style):
    config = TransferConfig(
        backbone="vgg16", weights="random", size=64, content_layers=(("resnet50:conv2_block1_out", 1.0),)
    )
    other = replace(SOURCE, sha256="1" * 64)
    loaded = {"vgg16": (network, SOURCE), "resnet50": (residual_network, other)}
    material = prepare(config, content, style, loaded=loaded)
    assert (material.source, material.other_sources) == (SOURCE, {"resnet50": other})
    targets = material.targets(*material.at(64))
    assert targets.contents[0].shape == (1, 12, 16, 16)  # a quarter of the sides, 256 / 16 channels


def test_networks_that_lend_layers_are_loaded_by_themselves(monkeypatch, content, style):
    asked = []

    def load(backbone, weights, *, seed):
        asked.append((backbone.name, weights, seed))
        return load_network(backbone, weights, seed=seed, width=1 / 16)

    monkeypatch.setattr(module, "load_network", load)
    layers = (("block1_conv1", 1.0), ("vgg19:block1_conv1", 1.0))
    config = TransferConfig(backbone="vgg16", weights="random", size=64, seed=2, style_layers=layers)
    material = prepare(config, content, style)
    assert asked == [("vgg16", "random", 2), ("vgg19", "random", 2)]
    assert list(material.other_sources) == ["vgg19"]


def test_targets_carry_the_layer_weights_in_their_order(network, content, style):
    material = make(
        network, content, style, style_layers=(("block2_conv1", 3.0), ("block1_conv1", 1.0)), balance="paper"
    )
    targets = material.targets(*material.at(64))
    np.testing.assert_allclose(targets.style_scales, [3 / (4 * 8**2), 1 / (4 * 4**2)])
    assert [len(target) for target in targets.styles] == [8, 4]


def test_notes_of_both_pictures_are_kept(network, content, style):
    noted = replace(content, notes=("turned upright",)), replace(style, notes=("made smaller",))
    assert make(network, *noted).notes == ("content: turned upright.", "style: made smaller.")


def test_a_picture_too_narrow_is_refused_before_weights_are_read(monkeypatch, content):
    monkeypatch.setattr(module, "load_network", lambda *given, **more: pytest.fail("read weights first"))
    with pytest.raises(ImageError, match="strip is too narrow"):
        prepare(TransferConfig(size=64), content, make_picture(5, 90, name="strip"))


def test_an_engine_handed_in_is_used(network, content, style):
    first = make(network, content, style)
    again = prepare(first.config, content, style, loaded={"vgg16": (network, SOURCE)}, engine=first.engine)
    assert again.engine is first.engine
    assert again == first


def test_tiles_that_were_asked_for_and_their_note(network, content, style):
    whole = make(network, content, style)
    assert whole.notes == ()
    loaded = {"vgg16": (network, SOURCE)}
    tiled = prepare(whole.config, content, style, loaded=loaded, tile=32)
    assert tiled.notes == ("Worked in 4 tiles of up to 64 x 48 pixels, because that was asked for.",)
    steps = [next(optimise(material)).total for material in (whole, tiled)]
    assert steps[1] == pytest.approx(steps[0], rel=1e-4)


def test_little_memory_makes_tiles(network, style, monkeypatch):
    content = make_picture(150, 200, seed=1)
    loaded = {"vgg16": (network, SOURCE)}
    config = TransferConfig(backbone="vgg16", weights="random", size=200)
    monkeypatch.setattr("nst_core.material.available_memory", lambda: 10**8)
    small = prepare(config, content, style, loaded=loaded)
    assert "because the whole picture would need about" in small.notes[-1]
    assert small.notes[-2].startswith("All sizes were left to Adam, because L-BFGS would need")
    assert small.lbfgs_up_to == 0
    whole = prepare(config, content, style, loaded=loaded, tile=0)
    assert (whole.notes, type(whole.engine)) == ((), Engine)
    monkeypatch.setattr("nst_core.material.available_memory", lambda: 10**12)
    assert prepare(config, content, style, loaded=loaded).notes == ()
