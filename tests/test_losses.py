"""Losses against numbers worked out by hand, plain loops, and the papers' formulas in float64."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.losses import (
    SMALLEST_NORM,
    content_distance,
    content_factor,
    gram_matrix,
    make_targets,
    style_distance,
    style_factor,
    total_variation,
)
from tests import reference

# [1, 2, 2, 2]: four positions, two channels.
SMALL = np.array([[[[1, 0], [2, 1]], [[0, 3], [1, 1]]]], np.float32)
# channel 0: 1 + 4 + 0 + 1 = 6; channel 1: 0 + 1 + 9 + 1 = 11; across: 0 + 2 + 0 + 1 = 3; four positions.
SMALL_GRAM = np.array([[6, 3], [3, 11]]) / 4


def maps(seed, height=5, width=4, channels=3):
    return np.random.default_rng(seed).normal(0, 2, (1, height, width, channels)).astype(np.float32)


def looped_gram(features):
    _, height, width, channels = features.shape
    made = [[0.0] * channels for _ in range(channels)]
    for row in range(height):
        for column in range(width):
            for i in range(channels):
                for j in range(channels):
                    here = features[0, row, column]
                    made[i][j] += float(here[i]) * float(here[j])
    return np.array(made) / (height * width)


def test_gram_by_hand():
    np.testing.assert_array_equal(gram_matrix(SMALL), SMALL_GRAM)


def test_gram_matches_a_plain_loop():
    features = maps(0)
    np.testing.assert_allclose(gram_matrix(features), looped_gram(features), rtol=1e-5)


@given(st.permutations(range(20)))
def test_gram_does_not_see_positions(order):
    features = maps(1)
    shuffled = features.reshape(20, 3)[list(order)].reshape(features.shape)
    np.testing.assert_allclose(gram_matrix(shuffled), gram_matrix(features), rtol=1e-5, atol=1e-6)


def test_gram_of_a_tiled_picture_is_that_of_one_tile():
    features = maps(2)
    np.testing.assert_allclose(
        gram_matrix(np.tile(features, (1, 3, 2, 1))), gram_matrix(features), rtol=1e-5, atol=1e-6
    )


def test_distances_by_hand():
    # The Gram matrix against zero: (36 + 9 + 9 + 121) / 16.
    assert float(style_distance(SMALL, np.zeros((2, 2), np.float32))) == 175 / 16
    # Against itself but for one position, moved by (2, -1): 4 + 1.
    moved = SMALL.copy()
    moved[0, 1, 0] += (2, -1)
    assert float(content_distance(moved, SMALL)) == 5.0


def test_distances_match_plain_loops():
    features, other = maps(3), maps(4)
    target = looped_gram(other)
    made = looped_gram(features)
    style = sum((made[i][j] - target[i][j]) ** 2 for i in range(3) for j in range(3))
    assert float(style_distance(features, target.astype(np.float32))) == pytest.approx(style, rel=1e-5)
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


def losses_of(made, style, content, balance, weight=1.0):
    """(content, style) loss of feature maps `made` under targets of two others."""
    targets = make_targets(
        {"layer": style},
        {"layer": content},
        style_layers=(("layer", weight),),
        content_layers=(("layer", weight),),
        balance=balance,
    )
    return (
        float(targets.content_scales[0] * content_distance(made, targets.contents[0])),
        float(targets.style_scales[0] * style_distance(made, targets.grams[0])),
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
    # G = SMALL_GRAM * 4 and A = 0: E = 1 / (4 * 4 * 16) * 175; 1/2 * sum F^2 = 17 / 2.
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
    assert style_factor(np.zeros((3, 3), np.float32), "relative") == pytest.approx(1 / SMALLEST_NORM)
    assert content_factor(zero, "relative") == pytest.approx(1 / SMALLEST_NORM)


def test_targets_keep_the_order_of_the_layers():
    features = {"one": maps(17, channels=2), "two": maps(18, channels=4)}
    targets = make_targets(
        features,
        features,
        style_layers=(("two", 0.5), ("one", 2.0)),
        content_layers=(("one", 3.0),),
        balance="paper",
    )
    assert [tuple(gram.shape) for gram in targets.grams] == [(4, 4), (2, 2)]
    np.testing.assert_allclose(targets.style_scales, [0.5 / (4 * 16), 2.0 / (4 * 4)])
    np.testing.assert_array_equal(targets.contents[0], features["one"])
    np.testing.assert_allclose(targets.content_scales, [1.5])
