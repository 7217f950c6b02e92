"""Style statistics against plain loops, NumPy and SciPy in float64, known answers and finite differences."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from nst_core import statistics
from nst_core.choices import Statistic
from nst_core.statistics import (
    RIDGE,
    SMALLEST_VARIANCE,
    STATISTICS,
    gaussian,
    gaussian_distance,
    gram_distance,
    gram_matrix,
    moments,
    moments_distance,
    trace_of_root,
)
from tests import reference

# [1, 2, 2, 2]: four positions, two channels.
SMALL = np.array([[[[1, 0], [2, 1]], [[0, 3], [1, 1]]]], np.float32)
# channel 0: 1 + 4 + 0 + 1 = 6; channel 1: 0 + 1 + 9 + 1 = 11; across: 0 + 2 + 0 + 1 = 3; four positions.
SMALL_GRAM = np.array([[6, 3], [3, 11]]) / 4
ALL = pytest.mark.parametrize("name", sorted(STATISTICS))


def maps(seed, height=5, width=4, channels=3):
    return np.random.default_rng(seed).normal(0, 2, (1, height, width, channels)).astype(np.float32)


def wide(features):
    return features[0].astype(np.float64)


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


def test_every_choice_has_its_row():
    assert set(STATISTICS) == set(Statistic.__args__)
    assert len({row.label for row in STATISTICS.values()}) == len(STATISTICS)


# Gram matrices


def test_gram_by_hand():
    np.testing.assert_array_equal(gram_matrix(SMALL), SMALL_GRAM)


def test_gram_matches_a_plain_loop():
    features = maps(0)
    np.testing.assert_allclose(gram_matrix(features), looped_gram(features), rtol=1e-5)


def test_gram_distance_by_hand_and_by_a_loop():
    # The Gram matrix against zero: (36 + 9 + 9 + 121) / 16.
    assert float(gram_distance(SMALL, np.zeros((2, 2), np.float32))) == 175 / 16
    features, target = maps(3), looped_gram(maps(4))
    made = looped_gram(features)
    wanted = sum((made[i][j] - target[i][j]) ** 2 for i in range(3) for j in range(3))
    assert float(gram_distance(features, target.astype(np.float32))) == pytest.approx(wanted, rel=1e-5)


# Means and deviations


def test_moments_by_hand():
    # channel 0: 1, 2, 0, 1: mean 1, variance (0 + 1 + 1 + 0) / 4; channel 1: 0, 1, 3, 1: 5/4, 19/16.
    np.testing.assert_allclose(moments(SMALL), [[1, 1.25], [0.5**0.5, 19**0.5 / 4]], rtol=1e-6)


def test_moments_are_numpys():
    features = maps(5, 7, 6)
    flat = wide(features).reshape(-1, 3)
    np.testing.assert_allclose(moments(features), [flat.mean(0), flat.std(0)], rtol=1e-5, atol=1e-6)
    other = maps(6, 4, 9)
    wanted = reference.moments_distance(wide(features), wide(other))
    assert float(moments_distance(features, moments(other))) == pytest.approx(wanted, rel=1e-4)


# Gaussians


def scipy_distance(features, other):
    """The formula with SciPy's matrix root, of the maps' ridged covariances."""
    one, two = wide(features), wide(other)
    first, second = reference.ridged_covariance(one), reference.ridged_covariance(two)
    root = linalg.sqrtm(second)
    shared = np.trace(linalg.sqrtm(root @ first @ root)).real
    apart = one.mean((0, 1)) - two.mean((0, 1))
    return float(apart @ apart + np.trace(first) + np.trace(second) - 2 * shared)


@pytest.mark.parametrize(("height", "channels"), [(6, 3), (9, 16), (16, 64)])
def test_the_gaussian_distance_is_scipys(height, channels):
    features, other = maps(7, height, height, channels), maps(8, height + 2, height, channels)
    made = float(gaussian_distance(features, gaussian(other)))
    assert made == pytest.approx(scipy_distance(features, other), rel=1e-4)
    assert made == pytest.approx(reference.wasserstein_distance(wide(features), wide(other)), rel=1e-4)


@pytest.mark.parametrize("channels", [32, 200])
@pytest.mark.parametrize("share", [1.0, 0.1, 0.01])
def test_the_gaussian_distance_near_the_target_with_fewer_positions_than_channels(channels, share):
    features, other = maps(9, 4, 4, channels), maps(10, 4, 4, channels)
    near = (1 - share) * features + share * other
    wanted = reference.wasserstein_distance(wide(near), wide(features))
    assert float(gaussian_distance(near, gaussian(features))) == pytest.approx(wanted, rel=1e-3)


def test_gaussians_that_differ_along_the_axes_only():
    """Diagonal covariances: the sum of (sqrt c - sqrt d)^2, and of the means' squared difference."""
    signs = np.array([(a, b) for a in (-1, 1) for b in (-1, 1)], np.float32)
    first = (signs * [1, 4] + [3, 0]).astype(np.float32).reshape(1, 2, 2, 2)  # variances 1 and 16
    second = (signs * [3, 2] + [1, 1]).astype(np.float32).reshape(1, 2, 2, 2)  # 9 and 4
    wanted = (1 - 3) ** 2 + (4 - 2) ** 2 + (3 - 1) ** 2 + (0 - 1) ** 2
    # The ridge is RIDGE of the mean variance.
    assert float(gaussian_distance(first, gaussian(second))) == pytest.approx(wanted, rel=10 * RIDGE)


def test_the_gaussian_of_maps_is_their_mean_above_their_covariances_root():
    features = maps(11, 8, 8, 6)
    mean, *root = np.asarray(gaussian(features), np.float64)
    np.testing.assert_allclose(mean, wide(features).mean((0, 1)), atol=1e-6)
    np.testing.assert_allclose(root, linalg.sqrtm(reference.ridged_covariance(wide(features))), atol=1e-5)


def test_flat_maps_are_only_as_far_as_their_means():
    one, other = np.full((1, 4, 5, 3), 2, np.float32), np.full((1, 4, 5, 3), 4, np.float32)
    assert float(gaussian_distance(one, gaussian(other))) == pytest.approx(12, rel=1e-6)
    assert float(gaussian_distance(one, gaussian(one))) == pytest.approx(0, abs=10 * SMALLEST_VARIANCE)


# The trace of a root


def positive(seed, side, rank=None):
    factors = np.random.default_rng(seed).normal(size=(side, rank or side))
    return factors @ factors.T


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("side", [1, 2, 7, 40])
def test_trace_of_root_is_scipys(side, dtype):
    matrix = positive(side, side)
    made = float(trace_of_root(tf.constant(matrix, dtype)))
    assert made == pytest.approx(
        np.trace(linalg.sqrtm(matrix)).real, rel=1e-3 if dtype == np.float32 else 1e-9
    )


@pytest.mark.parametrize(
    "matrix",
    [positive(0, 5), np.eye(4) * 3.0, np.diag([1.0, 1.0, 4.0]), np.array([[2.0]])],
    ids=["any", "all equal", "two equal", "one"],
)
def test_the_gradient_of_trace_of_root_is_half_the_inverse_root(matrix):
    point = tf.constant(matrix, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(point)
        trace = trace_of_root(point)
    gradient = tape.gradient(trace, point).numpy()
    np.testing.assert_allclose(gradient, np.linalg.inv(linalg.sqrtm(matrix)) / 2, rtol=1e-6, atol=1e-9)
    for row in range(len(matrix)):
        change = np.zeros_like(matrix)
        change[row, row] = 1e-6
        above, below = (float(trace_of_root(point + sign * change)) for sign in (1, -1))
        assert gradient[row, row] == pytest.approx((above - below) / 2e-6, rel=1e-5)


def test_the_trace_of_no_matrix_at_all_is_finite_and_so_is_its_gradient():
    point = tf.zeros([3, 3])
    with tf.GradientTape() as tape:
        tape.watch(point)
        trace = trace_of_root(point)
    assert float(trace) == pytest.approx(0, abs=1e-12)
    assert np.isfinite(tape.gradient(trace, point)).all()


# All of them


@ALL
def test_the_same_maps_are_at_no_distance(name):
    row, features = STATISTICS[name], maps(12, 9, 8, 5)
    assert float(row.distance(features, row.measure(features))) == pytest.approx(0, abs=1e-5)


@ALL
def test_distances_are_symmetric_and_above_zero(name):
    row, one, other = STATISTICS[name], maps(13, 6, 6, 5), maps(14, 7, 5, 5)
    there = float(row.distance(one, row.measure(other)))
    assert there == pytest.approx(float(row.distance(other, row.measure(one))), rel=1e-4)
    assert there > 0


@ALL
@settings(max_examples=25)
@given(order=st.permutations(range(20)))
def test_statistics_do_not_see_positions(name, order):
    row, features, target = STATISTICS[name], maps(1), STATISTICS[name].measure(maps(2))
    shuffled = features.reshape(20, 3)[list(order)].reshape(features.shape)
    np.testing.assert_allclose(row.measure(shuffled), row.measure(features), rtol=1e-4, atol=1e-5)
    assert float(row.distance(shuffled, target)) == pytest.approx(
        float(row.distance(features, target)), rel=1e-4
    )


@ALL
def test_a_tiled_picture_has_the_statistics_of_one_tile(name):
    row, features = STATISTICS[name], maps(2)
    tiled = np.tile(features, (1, 3, 2, 1))
    np.testing.assert_allclose(row.measure(tiled), row.measure(features), rtol=1e-4, atol=1e-5)


def repeated(seed):
    """Maps whose channels 0 and 1 vary alike and apart: their covariance has two equal eigenvalues."""
    signs = np.array([(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)], np.float32)
    return (signs * np.float32([2, 2, 5])).reshape(1, 2, 4, 3) + np.float32(seed)


@ALL
@pytest.mark.parametrize(
    ("features", "other"),
    [
        (maps(15), maps(16, 6, 5)),
        (maps(17, 2, 3, 9), maps(18, 3, 2, 9)),
        (repeated(0), repeated(1)),
        (repeated(0), maps(19)),
    ],
    ids=["many positions", "fewer positions than channels", "equal eigenvalues", "equal in one"],
)
def test_gradients_equal_central_differences(name, features, other):
    row, plain = STATISTICS[name], reference.STATISTICS[name]
    point, target = tf.constant(features), row.measure(other)
    with tf.GradientTape() as tape:
        tape.watch(point)
        distance = row.distance(point, target)
    gradient = tape.gradient(distance, point).numpy()
    assert np.abs(gradient).max() > 0
    for index in np.ndindex(features.shape):
        moved = np.zeros(features.shape)
        moved[index] = 1e-4
        above, below = (plain((features + sign * moved)[0], wide(other)) for sign in (1.0, -1.0))
        wanted = (above - below) / 2e-4
        assert gradient[index] == pytest.approx(wanted, rel=5e-3, abs=2e-3 * float(np.abs(gradient).max()))


@pytest.mark.parametrize(("positions", "most"), [(8, 512), (61, 512), (5, 512), (61, 2)])
def test_products_of_bfloat16_maps_lose_no_position(positions, most, rng, monkeypatch):
    """In groups and a rest, or of more channels at once: whole numbers, whose sums bfloat16 holds exactly."""
    monkeypatch.setattr(statistics, "FEW_CHANNELS", most)
    flat = rng.integers(-2, 3, (1, positions, 1, 3)).astype(np.float32)
    wanted = flat.reshape(-1, 3).T @ flat.reshape(-1, 3) / positions
    target = tf.zeros([3, 3])
    with tf.GradientTape() as tape:
        maps = tf.constant(flat, tf.bfloat16)
        tape.watch(maps)
        distance = gram_distance(maps, target)
    assert float(distance) == pytest.approx(float((wanted**2).sum()), rel=1e-5)
    slopes = flat.reshape(-1, 3) @ (4 * wanted / positions)
    found = tf.cast(tape.gradient(distance, maps), tf.float32).numpy().reshape(-1, 3)
    np.testing.assert_allclose(found, slopes, rtol=0.03, atol=0.02)
