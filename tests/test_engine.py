"""The objective against the same losses in float64 NumPy, differentiated by central differences."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from nst_core.backbones import COLOURS
from nst_core.config import TransferConfig
from nst_core.engine import Engine, weight_shares
from nst_core.shifts import shifted
from tests import reference
from tests.conftest import make_picture

STYLE_LAYERS = ("block1_conv1", "block2_conv1", COLOURS)
STYLE_WEIGHTS = (0.5, 2.0, 0.25)
CONTENT_LAYERS = ("block2_conv2", "block1_conv2")
CONTENT_WEIGHTS = (1.0, 0.5)
FACTORS = (0.3, 0.5, 0.2)  # they add up to 1, so that the gradient is that of the total
SIZES = [(9, 12), (12, 9), (11, 7)]  # (height, width), even and odd
PLAIN = {"padding": "zero", "pooling": "max"}  # as the reference has them
KINDS = [
    {},
    {"statistic": "moments"},
    {"statistic": "wasserstein"},
    {"smoothing": "softmax"},
    {"smoothing": "softmax", "temperature": 20.0},
    {"smoothing": "softmax", "statistic": "wasserstein", "temperature": 50.0},
    {"variation": "absolute"},
    {"variation": "power"},
]


def make_engine(network, **settings):
    config = TransferConfig(
        **{
            "backbone": "vgg16",
            "style_layers": tuple((name, 1.0) for name in STYLE_LAYERS),
            "content_layers": tuple((name, 1.0) for name in CONTENT_LAYERS),
            **PLAIN,
            **settings,
        }
    )
    return Engine({"vgg16": network}, config)


@pytest.fixture(scope="module")
def engines(network):
    """engines(**settings): compiled objectives, each made once for this file."""
    made = {}

    def make(**settings):
        key = tuple(sorted(settings.items()))
        if key not in made:
            made[key] = make_engine(network, **settings)
        return made[key]

    return make


@pytest.fixture(scope="module")
def engine(engines):
    return engines()


def pictures(height, width):
    return make_picture(height, width, seed=1).pixels, make_picture(14, 10, seed=2).pixels


def make_targets(engine, content, style, balance="relative"):
    return engine.targets(
        content, style, style_weights=STYLE_WEIGHTS, content_weights=CONTENT_WEIGHTS, balance=balance
    )


def with_constant(pixels):
    pixels = np.asarray(pixels, np.float64)
    return np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 0.5)], -1)


def wanted_losses(network, picture, content, style, *, balance="relative", **kind):
    """(content, style layers, variation) in float64 from the papers' formulas."""
    statistic = reference.STATISTICS[kind.get("statistic", "gram")]
    softened = kind.get("smoothing") == "softmax"
    nothing = 1.0 if softened else 0.0

    def maps_of(pixels):
        maps = reference.feature_maps(network, pixels, deepest="block2_conv2")
        if softened:
            maps = {name: reference.smoothed(one, kind.get("temperature", 1.0)) for name, one in maps.items()}
        return maps | {COLOURS: with_constant(pixels)}

    made, of_content, of_style = (maps_of(pixels) for pixels in (picture, content, style))
    contents, styles = [], []
    for name, weight in zip(CONTENT_LAYERS, CONTENT_WEIGHTS, strict=True):
        loss = reference.content_loss(made[name], of_content[name])
        most = reference.content_loss(np.full_like(of_content[name], nothing), of_content[name])
        contents.append(weight * (loss / most if balance == "relative" else loss))
    for name, weight in zip(STYLE_LAYERS, STYLE_WEIGHTS, strict=True):
        loss = statistic(made[name], of_style[name])
        flat = 0.0 if name == COLOURS else nothing
        most = statistic(np.full((1, 1, made[name].shape[-1]), flat), of_style[name])
        channels = made[name].shape[-1]
        styles.append(weight * (loss / most if balance == "relative" else loss / (4 * channels**2)))
    return sum(contents), styles, reference.VARIATIONS[kind.get("variation", "squared")](picture)


def total_of(losses, factors=FACTORS):
    content, layers, variation = losses
    return factors[0] * content + factors[1] * sum(layers) + factors[2] * variation


def assert_central_differences(gradient, total, picture, *, tolerance=2e-3):
    """The largest entries of a gradient, and some others, against a float64 function of the picture."""
    flat = np.abs(gradient, dtype=np.float64).ravel()
    chosen = [*np.argsort(flat)[-6:], *np.random.default_rng(0).integers(0, flat.size, 10)]
    for index in chosen:
        change = np.zeros(flat.size)
        change[index] = 1e-6
        change = change.reshape(picture.shape)
        difference = (total(picture + change) - total(picture - change)) / 2e-6
        assert gradient.ravel()[index] == pytest.approx(
            difference, rel=tolerance, abs=tolerance / 20 * flat.max()
        )


@pytest.mark.parametrize("balance", ["relative", "paper"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_losses_are_the_papers_formulas(engine, network, height, width, balance):
    content, style = pictures(height, width)
    picture = make_picture(height, width, seed=3).pixels
    losses, _ = engine.evaluate(picture, make_targets(engine, content, style, balance), FACTORS)
    of_content, layers, variation = wanted_losses(network, picture, content, style, balance=balance)
    assert losses.content == pytest.approx(of_content, rel=1e-4)
    assert losses.layers == pytest.approx(layers, rel=1e-4)
    assert losses.style == pytest.approx(sum(layers), rel=1e-4)
    assert losses.variation == pytest.approx(variation, rel=1e-4)
    assert losses.total(FACTORS) == pytest.approx(total_of((of_content, layers, variation)), rel=1e-4)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("balance", ["relative", "paper"])
def test_losses_of_every_kind_are_those_of_float64(engines, network, kind, balance):
    engine, (content, style) = engines(**kind), pictures(11, 7)
    picture = make_picture(11, 7, seed=3).pixels
    losses, _ = engine.evaluate(picture, make_targets(engine, content, style, balance), FACTORS)
    of_content, layers, variation = wanted_losses(network, picture, content, style, balance=balance, **kind)
    assert losses.content == pytest.approx(of_content, rel=2e-3)
    assert losses.layers == pytest.approx(layers, rel=2e-3)
    assert losses.variation == pytest.approx(variation, rel=1e-3)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(("height", "width"), [(9, 12), (11, 7)])
def test_the_gradient_equals_central_differences(engines, network, height, width, kind):
    engine, (content, style) = engines(**kind), pictures(height, width)
    picture = make_picture(height, width, seed=3).pixels
    _, gradient = engine.evaluate(picture, make_targets(engine, content, style), FACTORS)

    def total(moved):
        return total_of(wanted_losses(network, moved, content, style, **kind))

    tolerance = 2e-3 if not kind else 1e-2
    assert_central_differences(gradient, total, np.asarray(picture, np.float64), tolerance=tolerance)


@pytest.mark.parametrize("shift", [(2, 0, 4), (3, 3, 3), (1, 2, 0)])
def test_losses_and_gradient_with_a_shift(engine, network, shift):
    content, style = pictures(9, 12)
    picture = make_picture(9, 12, seed=3).pixels
    moved_content = reference.shifted(content, shift)
    targets = make_targets(engine, moved_content, style)
    losses, gradient = engine.evaluate(picture, targets, FACTORS, shift)

    def wanted(pixels):
        return wanted_losses(network, reference.shifted(pixels, shift), moved_content, style)

    of_content, layers, variation = wanted(picture)
    assert losses.content == pytest.approx(of_content, rel=1e-4)
    assert losses.layers == pytest.approx(layers, rel=1e-4)
    assert losses.variation == pytest.approx(variation, rel=1e-4)
    assert_central_differences(
        gradient, lambda pixels: total_of(wanted(pixels)), np.asarray(picture, np.float64)
    )


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 1e15])
def test_only_the_ratios_of_the_weights_make_the_gradient(engine, scale):
    content, style = pictures(9, 12)
    picture, targets = make_picture(9, 12, seed=3).pixels, make_targets(engine, content, style)
    losses, plain = engine.evaluate(picture, targets, FACTORS)
    factors = tuple(scale * factor for factor in FACTORS)
    same_losses, scaled = engine.evaluate(picture, targets, factors)
    np.testing.assert_allclose(scaled, plain, atol=1e-6 * np.abs(plain).max())
    assert same_losses == losses  # they are unweighted
    assert same_losses.total(factors) == pytest.approx(scale * losses.total(FACTORS))


def test_weight_shares_by_hand():
    assert weight_shares((1.0, 2.0, 5.0)) == (0.125, 0.25, 0.625)
    assert weight_shares((0.0, 1e15, 0.0)) == (0.0, 1.0, 0.0)
    assert weight_shares((0.0, 0.0, 0.0)) == (0.0, 0.0, 0.0)


def test_a_weight_of_zero_takes_its_term_away(engine):
    content, style = pictures(9, 12)
    other, picture = make_picture(9, 12, seed=9).pixels, make_picture(9, 12, seed=3).pixels
    gradients = [
        engine.evaluate(picture, make_targets(engine, one, style), (0.0, 1.0, 0.0))[1]
        for one in (content, other)
    ]
    np.testing.assert_array_equal(*gradients)
    assert np.abs(gradients[0]).max() > 0


@pytest.mark.parametrize("padding", ["zero", "replicate"])
def test_the_whole_gradient_goes_through_bfloat16(engines, padding):
    """All layers' shares of it, the deep ones too, whose way leads through maps that are losses' own."""
    content, style = pictures(24, 32)
    picture = tf.constant(make_picture(24, 32, seed=3).pixels)
    found = []
    for precision in ("float32", "bfloat16"):
        engine = engines(precision=precision, padding=padding, pooling="average")
        losses, gradient = engine.evaluate(picture, make_targets(engine, content, style), FACTORS)
        found.append((losses.total(FACTORS), gradient.ravel()))
    (total, exact), (rounded_total, rounded) = found
    assert rounded_total == pytest.approx(total, rel=0.02)
    assert np.linalg.norm(rounded - exact) < 0.1 * np.linalg.norm(exact)


def test_losses_at_the_targets_are_zero(engine):
    content, _ = pictures(12, 9)
    losses, _ = engine.evaluate(content, make_targets(engine, content, content), FACTORS)
    assert losses.content == pytest.approx(0, abs=1e-9)
    assert losses.layers == pytest.approx((0, 0, 0), abs=1e-9)


@pytest.mark.parametrize("kind", [{}, {"statistic": "wasserstein", "smoothing": "softmax"}], ids=str)
def test_one_graph_serves_every_size_weight_balance_and_shift(engines, kind):
    engine = engines(**kind)
    for height, width in SIZES:
        content, style = pictures(height, width)
        for balance in ("paper", "relative"):
            targets = make_targets(engine, content, style, balance)
            for factors in (FACTORS, (0.0, 3.0, 0.0)):
                engine.evaluate(content, targets, factors)
                engine.evaluate(tf.constant(content), targets, factors, (2, 1, 4))
            engine.errors(content, targets)
    assert engine._evaluate.traces == 1


def test_a_graph_holds_each_layer_and_its_gradient_once(engine):
    # Its first step waits until all of this is written down.
    kinds = Counter(operation.type for operation in engine._evaluate.traced().graph.get_operations())
    assert (kinds["Relu"], kinds["ReluGrad"]) == (4, 4)


@pytest.mark.parametrize("kind", [{}, {"padding": "reflect"}], ids=str)
def test_where_there_is_a_gpu_the_objective_is_the_same(engines, network, kind, monkeypatch):
    engine, (content, style) = engines(**kind), pictures(16, 18)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    # Where the function is only called otherwise; the precision is that of a processor.
    monkeypatch.setattr("nst_core.engine.find_precision", lambda *_, **__: "float32")
    other = make_engine(network, **kind)
    targets, others = (make_targets(each, content, style) for each in (engine, other))
    losses, gradient = engine.evaluate(content[::-1], targets, FACTORS)
    same, equal = other.evaluate(content[::-1], others, FACTORS)
    assert same.total(FACTORS) == pytest.approx(losses.total(FACTORS), rel=1e-5)
    np.testing.assert_allclose(equal, gradient, atol=1e-5 * np.abs(gradient).max())
    found = other.errors(content, others).total(FACTORS)
    assert found == pytest.approx(engine.errors(content, targets).total(FACTORS), rel=1e-5)


def test_the_same_picture_gives_the_same_numbers_bit_for_bit(engine):
    content, style = pictures(12, 9)
    picture, targets = make_picture(12, 9, seed=3).pixels, make_targets(engine, content, style)
    losses, gradient = engine.evaluate(picture, targets, FACTORS)
    same, again = engine.evaluate(picture, targets, FACTORS)
    np.testing.assert_array_equal(gradient, again)
    assert losses == same


def test_errors_of_a_picture_are_its_losses(engine):
    content, style = pictures(9, 12)
    picture = make_picture(9, 12, seed=3).pixels
    targets = make_targets(engine, content, style)
    losses, _ = engine.evaluate(picture, targets, FACTORS)
    measured = engine.errors(picture, targets)
    assert measured.layers == pytest.approx(losses.layers, rel=1e-5)
    assert (measured.content, measured.variation) == pytest.approx((losses.content, losses.variation))
    assert measured.style == sum(measured.layers)


def test_a_pixel_that_is_not_a_number_shows_in_the_losses(engine):
    content, style = pictures(9, 12)
    broken = content.copy()
    broken[4, 5, 1] = np.nan
    losses, _ = engine.evaluate(broken, make_targets(engine, content, style), FACTORS)
    assert np.isnan(losses.variation)


def test_padding_and_pooling_reach_the_features(engines):
    content, style = pictures(12, 9)
    seen = []
    for settings in ({}, {"padding": "reflect"}, {"pooling": "average"}):
        engine = engines(**settings)
        targets = make_targets(engine, content, style, "paper")
        seen.append(engine.errors(style[:12, :9], targets).style)
    assert len(set(seen)) == 3


def test_layers_of_two_networks_are_each_networks_own(network, residual_network):
    """Style of a VGG and of a ResNet, content of the ResNet: the sum of what each computes alone."""
    content, style = make_picture(40, 36, seed=1).pixels, make_picture(38, 44, seed=2).pixels
    picture = make_picture(40, 36, seed=3).pixels
    own = (("block1_conv1", 0.5), (COLOURS, 0.25))
    lent = (("conv1_relu", 2.0),)
    deep = (("conv2_block1_out", 1.5),)

    def evaluated(networks, backbone, styles, contents, factors):
        config = TransferConfig(backbone=backbone, style_layers=styles, content_layers=contents, **PLAIN)
        engine = Engine(networks, config)
        targets = engine.targets(
            content,
            style,
            style_weights=tuple(weight for _, weight in styles),
            content_weights=tuple(weight for _, weight in contents),
            balance="relative",
        )
        losses, gradient = engine.evaluate(picture, targets, factors)
        return losses, gradient

    def named(layers):
        return tuple((f"resnet50:{name}", weight) for name, weight in layers)

    both, gradient = evaluated(
        {"vgg16": network, "resnet50": residual_network},
        "vgg16",
        own + named(lent),
        named(deep),
        (0.4, 0.6, 0.0),
    )
    first, first_gradient = evaluated(
        {"vgg16": network}, "vgg16", own, (("block1_conv1", 1.0),), (0.0, 1.0, 0.0)
    )
    second, second_gradient = evaluated(
        {"resnet50": residual_network}, "resnet50", lent, deep, (0.4, 0.6, 0.0)
    )
    assert both.layers == pytest.approx((*first.layers, *second.layers), rel=1e-5)
    assert both.content == pytest.approx(second.content, rel=1e-5)
    wanted = 0.6 * first_gradient + second_gradient
    np.testing.assert_allclose(gradient, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("shift", [(0, 0, 0), (2, 2, 2), (3, 0, 6), (4, 8, 1)])
@pytest.mark.parametrize(("height", "width"), [(9, 12), (8, 5)])
def test_shifted_is_a_mirrored_pad_and_a_cut(shift, height, width):
    picture = make_picture(height, width, seed=4).pixels
    moved = shifted(tf.constant(picture), shift)
    np.testing.assert_array_equal(moved, reference.shifted(picture, shift))
    if shift in ((0, 0, 0), (2, 2, 2)):  # cut out of the middle
        np.testing.assert_array_equal(moved, picture)


def test_shifts_move_as_they_say():
    picture = np.arange(4 * 5 * 3, dtype=np.float32).reshape(4, 5, 3)
    moved = shifted(tf.constant(picture), (1, 2, 1)).numpy()
    np.testing.assert_array_equal(moved[:-1], picture[1:])  # begins a row lower
    np.testing.assert_array_equal(moved[-1], picture[-1])  # mirrored at the border


@pytest.mark.parametrize("shift", [(0, 0, 0), (3, 0, 6), (2, 3, 1)])
def test_the_gradient_of_a_shift_is_its_adjoint(shift, rng):
    """<S x, y> = <x, S* y> for all x and y."""
    one, other = (tf.constant(rng.normal(size=(7, 6, 3)), tf.float32) for _ in range(2))
    with tf.GradientTape() as tape:
        tape.watch(one)
        product = tf.reduce_sum(shifted(one, shift) * other)
    back = tape.gradient(product, one)
    assert float(tf.reduce_sum(one * back)) == pytest.approx(float(product), rel=1e-5)
    pairs = np.einsum("hwc,hwc->", reference.shifted(one.numpy(), shift), other.numpy())
    assert float(product) == pytest.approx(float(pairs), rel=1e-5)
