"""Adam against plain NumPy; L-BFGS against SciPy's own loop; and that no thread outlives its use."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from threadpoolctl import threadpool_info, threadpool_limits

from nst_core.canvas import FourierCanvas, PixelCanvas
from nst_core.optimisers import BETA1, BETA2, CORRECTIONS, EPSILON, LBFGS, Adam

OPTIONS = {"maxcor": CORRECTIONS, "maxiter": 10**9, "maxfun": 10**9, "ftol": 0.0, "gtol": 0.0}


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "l-bfgs"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    assert threads() == []
    yield
    assert threads() == []


# Adam


def quadratic(point):
    """A bowl with its lowest point outside 0..1 in places; loss and gradient in float64."""
    scale = np.arange(1, point.size + 1).reshape(point.shape)
    away = point - np.linspace(-0.5, 1.5, point.size).reshape(point.shape)
    return 0.5 * (scale * away**2).sum(), scale * away


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_adam_follows_its_formulas_within_the_pixels_range(rate):
    start = np.random.default_rng(0).random((3, 4, 3)).astype(np.float32)
    adam = Adam(PixelCanvas(), tf.constant(start), rate)
    plain, first, second = start.astype(np.float64), 0.0, 0.0
    for step in range(1, 9):
        np.testing.assert_allclose(adam.position(), plain, atol=1e-5)
        total, gradient = quadratic(plain)
        adam.advance(total, tf.constant(gradient, tf.float32))
        first = BETA1 * first + (1 - BETA1) * gradient
        second = BETA2 * second + (1 - BETA2) * gradient**2
        move = first / (1 - BETA1**step) / (np.sqrt(second / (1 - BETA2**step)) + EPSILON)
        plain = np.clip(plain - rate * move, 0, 1)
    assert (plain == 0).any()
    assert (plain == 1).any()
    adam.close()


def test_adam_leaves_fourier_coefficients_where_they_go():
    start = tf.constant(np.random.default_rng(1).normal(0, 3, (2, 3, 4, 3)), tf.float32)
    adam = Adam(FourierCanvas(), start, 0.2)
    for _ in range(3):
        adam.advance(0.0, tf.ones_like(start))  # an even gradient: each move is the rate
    np.testing.assert_allclose(adam.position(), start - 0.6, atol=1e-4)
    assert float(tf.reduce_max(tf.abs(adam.position()))) > 1


def test_adam_does_not_look_at_the_loss_and_never_ends():
    start = tf.constant(np.full((2, 2, 3), 0.5), tf.float32)
    one, other = (Adam(PixelCanvas(), start, 0.1) for _ in range(2))
    for loss in (1.0, 5.0):
        one.advance(loss, tf.ones_like(start))
        other.advance(0.0, tf.ones_like(start))
    np.testing.assert_array_equal(one.position(), other.position())
    assert one.ended == ""


# L-BFGS


def convex(seed, size=12):
    generator = np.random.default_rng(seed)
    factors = generator.normal(size=(size, size))
    matrix, wanted = factors @ factors.T / size + 0.1 * np.eye(size), generator.random(size)

    def function(point):
        away = point - wanted
        return 0.5 * away @ matrix @ away, matrix @ away

    return function


def rosenbrock(point):
    return float(optimize.rosen(point)), optimize.rosen_der(point)


def rounded(function):
    """The function at the point as a canvas holds it, in float32; gradients come back in float32 too."""

    def at(point):
        total, gradient = function(np.asarray(point, np.float32).astype(np.float64))
        return total, np.asarray(gradient, np.float32).astype(np.float64)

    return at


def scipys_points(function, start, bounds, most=10**6):
    """Where SciPy looks on its own, in float32, and its message."""
    seen = []

    def noting(point):
        seen.append(np.asarray(point, np.float32))
        if len(seen) > most:
            raise StopIteration
        return rounded(function)(point)

    found = optimize.minimize(
        noting,
        np.asarray(start, np.float64),
        jac=True,
        method="L-BFGS-B",
        bounds=optimize.Bounds(*bounds) if bounds else None,
        options=OPTIONS,
    )
    return seen, found.message


def our_points(function, start, bounds):
    canvas = SimpleNamespace(bounds=bounds, rank=1)
    descent, seen = LBFGS(canvas, tf.constant(start, tf.float32)), []
    while (position := descent.position()) is not None:
        seen.append(position.numpy())
        total, gradient = function(position.numpy().astype(np.float64))
        descent.advance(total, tf.constant(gradient, tf.float32))
    descent.close()
    return seen, descent.ended


@pytest.mark.parametrize("bounds", [None, (0.0, 1.0), (0.2, 0.6)])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_bowl_is_searched_as_scipy_does_it(seed, bounds):
    function = convex(seed)
    start = np.full(12, 0.4, np.float32)
    wanted, message = scipys_points(function, start, bounds)
    seen, ended = our_points(function, start, bounds)
    assert len(seen) == len(wanted) > 5
    np.testing.assert_array_equal(seen, wanted)
    assert ended == message
    assert ended
    if bounds:
        assert np.min(seen) >= np.float32(bounds[0])
        assert np.max(seen) <= np.float32(bounds[1])
    assert function(seen[-1])[0] < 0.9 * function(start)[0]


@settings(max_examples=10)
@given(st.lists(st.floats(-1.5, 1.5, width=32), min_size=2, max_size=5))
def test_rosenbrocks_valley_is_searched_as_scipy_does_it(start):
    wanted, message = scipys_points(rosenbrock, np.float32(start), None)
    seen, ended = our_points(rosenbrock, start, None)
    np.testing.assert_array_equal(seen, wanted)
    assert ended == message


def test_rosenbrocks_lowest_point_is_found():
    seen, _ = our_points(rosenbrock, [-1.2, 1.0], None)
    np.testing.assert_allclose(seen[-1], [1, 1], atol=1e-2)
    assert len(seen) < 100


@pytest.mark.parametrize("steps", [0, 1, 2, 7])
def test_closing_at_any_time_ends_the_thread(steps):
    descent = LBFGS(SimpleNamespace(bounds=None, rank=1), tf.constant([-1.2, 1.0]))
    for _ in range(steps):
        total, gradient = rosenbrock(descent.position().numpy().astype(np.float64))
        descent.advance(total, tf.constant(gradient, tf.float32))
    assert len(threads()) == 1
    descent.close()
    assert threads() == []
    assert descent.ended == "closed"


def test_closing_twice_or_after_the_end_does_no_harm():
    function, canvas = convex(3), SimpleNamespace(bounds=None, rank=1)
    descent = LBFGS(canvas, tf.constant(np.full(12, 0.5), tf.float32))
    while (position := descent.position()) is not None:
        total, gradient = function(position.numpy().astype(np.float64))
        descent.advance(total, tf.constant(gradient, tf.float32))
    why = descent.ended
    descent.close()
    descent.close()
    assert descent.ended == why != "closed"


def test_a_start_at_the_lowest_point_ends_at_once():
    def flat(point):
        return 0.0, np.zeros_like(point)

    seen, ended = our_points(flat, [0.5, 0.5], (0.0, 1.0))
    assert len(seen) == 1
    assert ended


def test_positions_have_the_parameters_shape():
    start = np.random.default_rng(2).random((3, 4, 3)).astype(np.float32)
    descent = LBFGS(PixelCanvas(), tf.constant(start))
    np.testing.assert_array_equal(descent.position(), start)
    descent.advance(1.0, tf.ones([3, 4, 3]))
    moved = descent.position().numpy()
    assert moved.shape == start.shape
    assert (moved <= start).all()
    assert moved.min() >= 0
    descent.close()


def test_what_goes_wrong_in_scipys_thread_reaches_the_caller(monkeypatch):
    def break_down(function, start, **_):
        function(start)
        raise ValueError("no more room")

    monkeypatch.setattr(optimize, "minimize", break_down)
    descent = LBFGS(SimpleNamespace(bounds=None, rank=1), tf.constant([0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match="no more room"):
        descent.advance(1.0, tf.ones([3]))
    descent.close()


def test_too_little_memory_at_the_start_reaches_the_caller(monkeypatch):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(optimize, "minimize", full)
    with pytest.raises(MemoryError):
        LBFGS(SimpleNamespace(bounds=None, rank=1), tf.constant([0.1, 0.2]))


def blas_threads():
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def two_threads():
    """How many threads products have when nothing is asked of them, more than one."""
    with threadpool_limits(2, "blas"):
        if 2 not in blas_threads().values():
            pytest.skip("no BLAS here whose threads can be set")
        yield blas_threads()


def test_products_have_one_thread_while_lbfgs_works_and_as_many_as_before_afterwards(two_threads):
    descent = LBFGS(PixelCanvas(), tf.zeros([2, 2, 3]))
    assert set(blas_threads().values()) == {1}
    descent.close()
    assert blas_threads() == two_threads


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_searches_that_overlap_put_back_what_was_before_the_first(order, two_threads):
    searches = [LBFGS(PixelCanvas(), tf.zeros([2, 2, 3])) for _ in range(2)]
    searches[order[0]].close()
    assert set(blas_threads().values()) == {1}
    searches[order[1]].close()
    assert blas_threads() == two_threads
