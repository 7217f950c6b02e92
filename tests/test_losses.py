"""Losses against numbers worked out by hand, plain loops, and the papers' formulas in float64."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from nst_core.losses import (
    SMALLEST_NORM,
    SMOOTH_ABSOLUTE,
    VARIATIONS,
    absolute_variation,
    content_distance,
    content_factor,
    power_variation,
    smooth,
    style_factor,
    total_variation,
    weigh_targets,
)
from nst_core.statistics import STATISTICS, gram_distance, gram_matrix
from tests import reference

# [1, 2, 2, 2]: four positions, two channels.
SMALL = np.array([[[[1, 0], [2, 1]], [[0, 3], [1, 1]]]], np.float32)


def maps(seed, height=5, width=4, channels=3):
    return np.random.default_rng(seed).normal(0, 2, (1, height, width, channels)).astype(np.float32)


def wide(features):
    return features[0].astype(np.float64)


def test_content_distance_by_hand_and_by_a_loop():
    # Against itself but for one position, moved by (2, -1): 4 + 1.
    moved = SMALL.copy()
    moved[0, 1, 0] += (2, -1)
    assert float(content_distance(moved, SMALL)) == 5.0
    features, other = maps(3), maps(4)
    pairs = zip(features.ravel().tolist(), other.ravel().tolist(), strict=True)
    content = sum((ours - theirs) ** 2 for ours, theirs in pairs)
    assert float(content_distance(features, other)) == pytest.approx(content, rel=1e-5)


def test_total_variation_by_hand():
    picture = np.zeros((2, 2, 3), np.float32)
    picture[0, 0] = 1.0
    # Two neighbours of one corner differ by 1 in three channels: 6 over 12 values.
    assert float(total_variation(picture)) == 0.5


@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 5), (8, 6)])
def test_total_variation_of_a_checkerboard(height, width):
    board = np.indices((height, width)).sum(0) % 2
    picture = np.repeat(board[..., np.newaxis], 3, -1).astype(np.float32)
    # Every neighbour differs by 1: H (W - 1) to the right and (H - 1) W downward, over H W.
    expected = (height * (width - 1) + (height - 1) * width) / (height * width)
    assert float(total_variation(picture)) == pytest.approx(expected)


def test_total_variation_of_a_large_checkerboard_nears_two_and_of_a_flat_picture_is_zero():
    board = np.repeat((np.indices((400, 400)).sum(0) % 2)[..., np.newaxis], 3, -1).astype(np.float32)
    assert float(total_variation(board)) == pytest.approx(2 - 2 / 400, rel=1e-5)
    assert float(total_variation(np.full((7, 5, 3), 0.3, np.float32))) == 0.0


def test_total_variation_matches_a_plain_loop(rng):
    picture = rng.random((4, 5, 3)).astype(np.float32)
    total = 0.0
    for row in range(4):
        for column in range(5):
            for channel in range(3):
                here = float(picture[row, column, channel])
                if column < 4:
                    total += (float(picture[row, column + 1, channel]) - here) ** 2
                if row < 3:
                    total += (float(picture[row + 1, column, channel]) - here) ** 2
    assert float(total_variation(picture)) == pytest.approx(total / 60, rel=1e-5)


@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 5), (8, 6)])
def test_other_variations_of_a_checkerboard(height, width):
    board = np.indices((height, width)).sum(0) % 2
    picture = np.repeat(board[..., np.newaxis], 3, -1).astype(np.float32)
    edges = height * (width - 1) + (height - 1) * width
    one = math.hypot(1, SMOOTH_ABSOLUTE) - SMOOTH_ABSOLUTE  # a difference of 1, rounded off
    assert float(absolute_variation(picture)) == pytest.approx(edges * one / (height * width), rel=1e-5)
    # Both neighbours differ by 1 at each of (H - 1) (W - 1) values: (1 + 1)^1.25.
    both = (height - 1) * (width - 1) * 2**1.25 / (height * width)
    assert float(power_variation(picture)) == pytest.approx(both, rel=1e-5)


@pytest.mark.parametrize("height", [0.25, 1.0])
def test_variations_of_a_step(height):
    """One edge in a picture of 4 x 6: the square sees h^2, the absolute about h, the power h^2.5."""
    picture = np.zeros((4, 6, 3), np.float32)
    picture[:, 3:] = height
    edge = 4 * 3 / picture.size
    assert float(total_variation(picture)) == pytest.approx(edge * height**2)
    assert float(absolute_variation(picture)) == pytest.approx(edge * height, rel=5 * SMOOTH_ABSOLUTE)
    assert float(power_variation(picture)) == pytest.approx(0.75 * edge * height**2.5)


@pytest.mark.parametrize("name", sorted(VARIATIONS))
def test_variations_match_plain_references_and_central_differences(name, rng):
    picture = rng.random((4, 5, 3))
    point, plain = tf.constant(picture, tf.float32), reference.VARIATIONS[name]
    with tf.GradientTape() as tape:
        tape.watch(point)
        made = VARIATIONS[name](point)
    assert float(made) == pytest.approx(plain(picture), rel=1e-5)
    gradient = tape.gradient(made, point).numpy()
    for index in np.ndindex(picture.shape):
        change = np.zeros_like(picture)
        change[index] = 1e-6
        wanted = (plain(picture + change) - plain(picture - change)) / 2e-6
        assert gradient[index] == pytest.approx(wanted, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", sorted(VARIATIONS))
def test_a_flat_picture_varies_nowhere_and_pulls_nowhere(name):
    point = tf.fill([5, 4, 3], 0.3)
    with tf.GradientTape() as tape:
        tape.watch(point)
        made = VARIATIONS[name](point)
    assert float(made) == pytest.approx(0, abs=1e-7)
    np.testing.assert_allclose(tape.gradient(made, point), 0, atol=1e-7)


# Softmax over activations


@settings(max_examples=25)
@given(st.integers(0, 99), st.sampled_from([0.1, 1.0, 10.0]), st.sampled_from([1.0, 30.0, 1e3]))
def test_smoothing_is_a_softmax_times_the_count(seed, temperature, scale):
    features = np.abs(maps(seed)) * np.float32(scale)
    made = np.asarray(smooth(features, temperature), np.float64)
    wanted = reference.smoothed(features.astype(np.float64), temperature)
    assert np.isfinite(made).all()
    assert made.mean() == pytest.approx(1, rel=1e-5)
    # Exponents of up to 1e4 in float32 are right to about 1e-3 of themselves.
    np.testing.assert_allclose(made, wanted, rtol=2e-3, atol=1e-6 * made.max())


def test_smoothing_by_hand():
    # e^0 : e^ln 2 : e^ln 3 : e^0 = 1 : 2 : 3 : 1, of 7, times 4.
    features = np.log([[1, 2], [3, 1]]).astype(np.float32).reshape(1, 2, 1, 2)
    np.testing.assert_allclose(np.ravel(smooth(features, 1.0)), np.array([4, 8, 12, 4]) / 7, rtol=1e-6)
    # At temperature 1/2 the ratios are squared.
    np.testing.assert_allclose(np.ravel(smooth(features, 0.5)), np.array([4, 16, 36, 4]) / 15, rtol=1e-6)


def entropy(values):
    shares = np.asarray(values, np.float64).ravel()
    shares = shares[shares > 0] / shares.sum()
    return -(shares * np.log(shares)).sum()


def test_a_higher_temperature_evens_activations_out():
    features = np.abs(maps(20, 9, 9, 8))
    found = [entropy(smooth(features, temperature)) for temperature in (0.2, 1.0, 5.0, 100.0)]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(math.log(features.size), rel=1e-3)


def test_smoothing_raises_the_entropy_of_peaky_maps():
    """A residual network's last maps: small values and one large peak a channel."""
    features = np.abs(maps(21, 8, 8, 6)) / 10
    features[0, 3, 3] = 2.0
    assert entropy(smooth(features, 1.0)) > entropy(features) + 0.1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 8.0])
def test_the_gradient_of_smoothing_equals_central_differences(temperature):
    """Also at the largest activation, which is taken off before the exponential without a gradient."""
    features, pull = np.abs(maps(22)), maps(23)
    point = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(point)
        product = tf.reduce_sum(smooth(point, temperature) * pull)
    gradient = tape.gradient(product, point).numpy()
    assert np.abs(gradient.ravel()[features.argmax()]) > 0
    for index in np.ndindex(features.shape):
        change = np.zeros(features.shape)
        change[index] = 1e-6
        above, below = (
            (reference.smoothed(features.astype(np.float64) + sign * change, temperature) * pull).sum()
            for sign in (1, -1)
        )
        wanted = (above - below) / 2e-6
        assert gradient[index] == pytest.approx(wanted, rel=1e-3, abs=1e-4 * float(np.abs(gradient).max()))


@pytest.mark.parametrize("name", sorted(STATISTICS))
@pytest.mark.parametrize("balance", ["paper", "relative"])
def test_every_statistic_is_scaled_by_its_balance(name, balance):
    row, made, style = STATISTICS[name], maps(24, channels=4), maps(25, 7, 6, channels=4)
    factor = style_factor(row.measure(style), balance, row.distance)
    loss = factor * float(row.distance(made, row.measure(style)))
    plain = reference.STATISTICS[name]
    distance, nothing = (plain(one, wide(style)) for one in (wide(made), np.zeros((1, 1, 4))))
    assert loss == pytest.approx(distance / (4 * 16) if balance == "paper" else distance / nothing, rel=1e-3)


def losses_of(made, style, content, balance, weight=1.0):
    """(content, style) loss of feature maps `made` under targets of two others."""
    targets = weigh_targets(
        (gram_matrix(style),),
        (content,),
        style_weights=(weight,),
        content_weights=(weight,),
        balance=balance,
        statistic=STATISTICS["gram"],
    )
    return (
        float(targets.content_scales[0] * content_distance(made, targets.contents[0])),
        float(targets.style_scales[0] * gram_distance(made, targets.styles[0])),
    )


@pytest.mark.parametrize("style_size", [(5, 4), (9, 7), (2, 3)])
def test_paper_balance_is_the_papers_formulas(style_size):
    made, content = maps(5, channels=6), maps(6, channels=6)
    style = maps(7, *style_size, channels=6)
    wanted = (
        reference.content_loss(made[0].astype(np.float64), content[0].astype(np.float64)),
        reference.style_loss(made[0].astype(np.float64), style[0].astype(np.float64)),
    )
    assert losses_of(made, style, content, "paper") == pytest.approx(wanted, rel=1e-4)


def test_paper_balance_by_hand():
    # G has 6, 11 and twice 3, A = 0: E = 1 / (4 * 4 * 16) * 175; 1/2 * sum F^2 = 17 / 2.
    zero = np.zeros_like(SMALL)
    assert losses_of(SMALL, zero, zero, "paper") == pytest.approx((8.5, 175 / 256))


def test_relative_balance_is_one_for_nothing_and_zero_for_the_target():
    style, content = maps(8, 7, 6), maps(9)
    assert losses_of(np.zeros_like(content), style, content, "relative") == pytest.approx((1, 1), rel=1e-5)
    assert losses_of(content, content, content, "relative") == (0.0, 0.0)


@pytest.mark.parametrize("scale", [1e-3, 30.0])
def test_relative_balance_does_not_see_the_scale_of_features(scale):
    made, style, content = maps(10), maps(11), maps(12)
    plain = losses_of(made, style, content, "relative")
    scaled = losses_of(*(np.float32(scale) * one for one in (made, style, content)), "relative")
    assert scaled == pytest.approx(plain, rel=1e-4)


@pytest.mark.parametrize("balance", ["paper", "relative"])
def test_layer_weights_multiply_each_layer(balance):
    made, style, content = maps(13), maps(14), maps(15)
    plain = losses_of(made, style, content, balance)
    assert losses_of(made, style, content, balance, 2.5) == pytest.approx([2.5 * one for one in plain])


def test_relative_losses_stay_finite_when_the_target_is_zero():
    made, zero = maps(16), np.zeros_like(maps(16))
    assert all(math.isfinite(loss) for loss in losses_of(made, zero, zero, "relative"))
    assert losses_of(zero, zero, zero, "relative") == (0.0, 0.0)
    assert style_factor(np.zeros((3, 3), np.float32), "relative", gram_distance) == pytest.approx(
        1 / SMALLEST_NORM
    )
    assert content_factor(zero, "relative") == pytest.approx(1 / SMALLEST_NORM)


def test_targets_keep_the_order_of_the_layers():
    one, two = maps(17, channels=2), maps(18, channels=4)
    targets = weigh_targets(
        (gram_matrix(two), gram_matrix(one)),
        (one,),
        style_weights=(0.5, 2.0),
        content_weights=(3.0,),
        balance="paper",
        statistic=STATISTICS["gram"],
    )
    assert [tuple(gram.shape) for gram in targets.styles] == [(4, 4), (2, 2)]
    np.testing.assert_allclose(targets.style_scales, [0.5 / (4 * 16), 2.0 / (4 * 4)])
    np.testing.assert_array_equal(targets.contents[0], one)
    np.testing.assert_allclose(targets.content_scales, [1.5])
