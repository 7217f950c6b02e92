"""The compiled step against the same losses in float64 NumPy, differentiated by central differences."""

import numpy as np
import pytest
import tensorflow as tf

from nst_core.backbones import COLOURS
from nst_core.config import TransferConfig
from nst_core.engine import BETA1, BETA2, EPSILON, Engine, restart
from tests import reference
from tests.conftest import make_picture

STYLE_LAYERS = ("block1_conv1", "block2_conv1", COLOURS)
STYLE_WEIGHTS = (0.5, 2.0, 0.25)
CONTENT_LAYERS = ("block2_conv2", "block1_conv2")
CONTENT_WEIGHTS = (1.0, 0.5)
FACTORS = (0.3, 0.5, 0.2, 0.01)  # the weights add up to 1, so that the gradient is that of the total
SIZES = [(9, 12), (12, 9), (11, 7)]  # (height, width), even and odd


def make_engine(network, canvas="pixel", **settings):
    plain = {"padding": "zero", "pooling": "max"}  # as the reference has them
    config = TransferConfig(backbone="vgg16", canvas=canvas, **{**plain, **settings})
    return Engine(network, style_layers=STYLE_LAYERS, content_layers=CONTENT_LAYERS, config=config)


@pytest.fixture(scope="module", params=["pixel", "fourier"])
def engine(request, network):
    return make_engine(network, request.param)


@pytest.fixture(scope="module")
def pixel_engine(network):
    return make_engine(network)


def pictures(height, width):
    return make_picture(height, width, seed=1).pixels, make_picture(14, 10, seed=2).pixels


def make_targets(engine, content, style, balance="relative"):
    return engine.targets(
        content, style, style_weights=STYLE_WEIGHTS, content_weights=CONTENT_WEIGHTS, balance=balance
    )


def wanted_losses(network, picture, content, style, balance):
    """(content, style layers, variation) in float64 from the papers' formulas."""
    made, of_content, of_style = (
        reference.feature_maps(network, pixels, deepest="block2_conv2") | {COLOURS: with_constant(pixels)}
        for pixels in (picture, content, style)
    )
    contents, styles = [], []
    for name, weight in zip(CONTENT_LAYERS, CONTENT_WEIGHTS, strict=True):
        loss = reference.content_loss(made[name], of_content[name])
        most = reference.content_loss(np.zeros_like(of_content[name]), of_content[name])
        contents.append(weight * (loss / most if balance == "relative" else loss))
    for name, weight in zip(STYLE_LAYERS, STYLE_WEIGHTS, strict=True):
        loss = reference.style_loss(made[name], of_style[name])
        most = reference.style_loss(np.zeros_like(made[name]), of_style[name])
        styles.append(weight * (loss / most if balance == "relative" else loss))
    return sum(contents), styles, reference.total_variation(picture)


def with_constant(pixels):
    pixels = np.asarray(pixels, np.float64)
    return np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 0.5)], -1)


def decoded(engine, parameters, height, width):
    if engine.canvas.rank == 3:
        return np.asarray(parameters, np.float64)
    return reference.fourier_picture(parameters, height, width)


@pytest.mark.parametrize("balance", ["relative", "paper"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_losses_are_the_papers_formulas(engine, network, height, width, balance):
    content, style = pictures(height, width)
    state = engine.start(make_picture(height, width, seed=3).pixels)
    _, losses = engine.advance(state, (width, height), make_targets(engine, content, style, balance), FACTORS)
    picture = decoded(engine, state.parameters, height, width)
    of_content, layers, variation = wanted_losses(network, picture, content, style, balance)
    assert losses.content == pytest.approx(of_content, rel=1e-4)
    assert losses.layers == pytest.approx(layers, rel=1e-4)
    assert losses.style == pytest.approx(sum(layers), rel=1e-4)
    assert losses.variation == pytest.approx(variation, rel=1e-4)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_gradient_equals_central_differences(engine, network, height, width):
    content, style = pictures(height, width)
    targets = make_targets(engine, content, style)
    state = engine.start(make_picture(height, width, seed=3).pixels)
    following, _ = engine.advance(state, (width, height), targets, FACTORS)
    gradient = following.first.numpy() / (1 - BETA1)  # Adam's first moment after one step
    parameters = state.parameters.numpy().astype(np.float64)

    def total(moved):
        picture = decoded(engine, moved, height, width)
        of_content, layers, variation = wanted_losses(network, picture, content, style, "relative")
        return FACTORS[0] * of_content + FACTORS[1] * sum(layers) + FACTORS[2] * variation

    flat = np.abs(gradient, dtype=np.float64).ravel()
    chosen = [*np.argsort(flat)[-6:], *np.random.default_rng(0).integers(0, flat.size, 10)]
    for index in chosen:
        change = np.zeros(flat.size)
        change[index] = 1e-6
        change = change.reshape(parameters.shape)
        difference = (total(parameters + change) - total(parameters - change)) / 2e-6
        assert gradient.ravel()[index] == pytest.approx(difference, rel=2e-3, abs=1e-4 * flat.max())


def test_adam_follows_its_formulas(pixel_engine):
    content, style = pictures(9, 12)
    targets = make_targets(pixel_engine, content, style)
    picture = make_picture(9, 12, seed=3).pixels
    state = pixel_engine.start(picture)
    parameters, first, second = picture.astype(np.float64), 0.0, 0.0
    for step in range(1, 4):
        following, _ = pixel_engine.advance(state, (12, 9), targets, FACTORS)
        gradient = (following.first.numpy() - BETA1 * state.first.numpy()) / (1 - BETA1)
        first = BETA1 * first + (1 - BETA1) * gradient
        second = BETA2 * second + (1 - BETA2) * gradient**2
        move = first / (1 - BETA1**step) / (np.sqrt(second / (1 - BETA2**step)) + EPSILON)
        parameters = np.clip(parameters - FACTORS[3] * move, 0, 1)
        state = following
        assert float(state.count) == step
        np.testing.assert_allclose(state.parameters, parameters, atol=1e-4)
    assert np.abs(parameters - picture).max() > FACTORS[3]


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 1e15])
def test_only_the_ratios_of_the_weights_move_the_picture(engine, scale):
    content, style = pictures(9, 12)
    targets = make_targets(engine, content, style)
    state = engine.start(content)
    plain, losses = engine.advance(state, (12, 9), targets, FACTORS)
    factors = (*(scale * factor for factor in FACTORS[:3]), FACTORS[3])
    scaled, same_losses = engine.advance(state, (12, 9), targets, factors)
    moved = plain.parameters - state.parameters
    np.testing.assert_allclose(scaled.parameters - state.parameters, moved, atol=1e-3 * np.abs(moved).max())
    assert same_losses == losses  # they are unweighted


def test_a_weight_of_zero_takes_its_term_away(pixel_engine):
    content, style = pictures(9, 12)
    other = make_picture(9, 12, seed=9).pixels
    moved = []
    for picture in (content, other):
        targets = make_targets(pixel_engine, picture, style)
        state, _ = pixel_engine.advance(pixel_engine.start(content), (12, 9), targets, (0.0, 1.0, 0.0, 0.05))
        moved.append(state.parameters.numpy())
    np.testing.assert_array_equal(*moved)


def test_losses_at_the_targets_are_zero(pixel_engine):
    content, _ = pictures(12, 9)
    targets = make_targets(pixel_engine, content, content)
    _, losses = pixel_engine.advance(pixel_engine.start(content), (9, 12), targets, FACTORS)
    assert losses.content == pytest.approx(0, abs=1e-9)
    assert losses.layers == pytest.approx((0, 0, 0), abs=1e-9)


def test_one_graph_serves_every_size_weight_balance_and_rate(engine):
    for height, width in SIZES:
        content, style = pictures(height, width)
        for balance in ("paper", "relative"):
            targets = make_targets(engine, content, style, balance)
            for factors in (FACTORS, (0.0, 3.0, 0.0, 0.1)):
                state, _ = engine.advance(engine.start(content), (width, height), targets, factors)
                state, _ = engine.advance(restart(state), (width, height), targets, factors)
            engine.errors(engine.picture(state, (width, height)), targets)
    assert engine._advance.experimental_get_tracing_count() == 1
    assert engine._measure.experimental_get_tracing_count() == 1
    assert engine._decode.experimental_get_tracing_count() == 1
    assert engine._features.experimental_get_tracing_count() == 1


def test_the_same_state_gives_the_same_numbers_bit_for_bit(engine):
    content, style = pictures(12, 9)
    targets = make_targets(engine, content, style)
    first, losses = engine.advance(engine.start(content), (9, 12), targets, FACTORS)
    again, same = engine.advance(engine.start(content), (9, 12), targets, FACTORS)
    np.testing.assert_array_equal(first.parameters, again.parameters)
    assert losses == same


def test_errors_of_a_picture_are_its_losses_before_an_update(pixel_engine):
    content, style = pictures(9, 12)
    picture = make_picture(9, 12, seed=3).pixels
    targets = make_targets(pixel_engine, content, style)
    _, losses = pixel_engine.advance(pixel_engine.start(picture), (12, 9), targets, FACTORS)
    measured = pixel_engine.errors(picture, targets)
    assert measured.layers == pytest.approx(losses.layers, rel=1e-5)
    assert (measured.content, measured.variation) == pytest.approx((losses.content, losses.variation))
    assert measured.style == sum(measured.layers)


def test_a_pixel_that_is_not_a_number_shows_in_the_losses(pixel_engine):
    content, style = pictures(9, 12)
    state = pixel_engine.start(content)
    broken = state.parameters.numpy()
    broken[4, 5, 1] = np.nan
    targets = make_targets(pixel_engine, content, style)
    _, losses = pixel_engine.advance(
        state._replace(parameters=tf.constant(broken)), (12, 9), targets, FACTORS
    )
    assert np.isnan(losses.variation)


def test_pictures_are_within_their_range_and_of_their_size(engine):
    content, style = pictures(11, 7)
    state, _ = engine.advance(
        engine.start(content), (7, 11), make_targets(engine, content, style), (1.0, 1.0, 0.0, 50.0)
    )
    picture = engine.picture(state, (7, 11))
    assert picture.shape == (11, 7, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= 0
    assert picture.max() <= 1


def test_restart_keeps_the_picture_and_forgets_the_moments(pixel_engine):
    content, style = pictures(9, 12)
    targets = make_targets(pixel_engine, content, style)
    state, _ = pixel_engine.advance(pixel_engine.start(content), (12, 9), targets, FACTORS)
    again = restart(state)
    np.testing.assert_array_equal(again.parameters, state.parameters)
    assert np.abs(state.first).max() > 0
    assert not np.any(again.first)
    assert not np.any(again.second)
    assert float(again.count) == 0


def test_padding_and_pooling_reach_the_features(network):
    content, style = pictures(12, 9)
    seen = []
    for settings in ({}, {"padding": "reflect"}, {"pooling": "average"}):
        engine = make_engine(network, **settings)
        targets = make_targets(engine, content, style, "paper")
        _, losses = engine.advance(engine.start(style[:12, :9]), (9, 12), targets, FACTORS)
        seen.append(losses.style)
    assert len(set(seen)) == 3
