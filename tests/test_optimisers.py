"""Adam against plain NumPy, L-BFGS against the search itself, and how many threads products have."""

from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nst_core.canvas import FourierCanvas, PixelCanvas
from nst_core.lbfgs import search
from nst_core.optimisers import BETA1, BETA2, EPSILON, LBFGS, Adam

# Adam


def quadratic(point):
    """A bowl with its lowest point outside 0..1 in places; loss and gradient in float64."""
    scale = np.arange(1, point.size + 1).reshape(point.shape)
    away = point - np.linspace(-0.5, 1.5, point.size).reshape(point.shape)
    return 0.5 * (scale * away**2).sum(), scale * away


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_adam_follows_its_formulas_within_the_pixels_range(rate):
    start = np.random.default_rng(0).random((3, 4, 3)).astype(np.float32)
    adam = Adam(PixelCanvas(), start, rate)
    plain, first, second = start.astype(np.float64), 0.0, 0.0
    for step in range(1, 9):
        np.testing.assert_allclose(adam.position(), plain, atol=1e-5)
        total, gradient = quadratic(plain)
        adam.advance(total, gradient.astype(np.float32))
        first = BETA1 * first + (1 - BETA1) * gradient
        second = BETA2 * second + (1 - BETA2) * gradient**2
        move = first / (1 - BETA1**step) / (np.sqrt(second / (1 - BETA2**step)) + EPSILON)
        plain = np.clip(plain - rate * move, 0, 1)
    assert (plain == 0).any()
    assert (plain == 1).any()
    adam.close()


def test_adam_leaves_fourier_coefficients_where_they_go():
    start = np.random.default_rng(1).normal(0, 3, (2, 3, 4, 3)).astype(np.float32)
    adam = Adam(FourierCanvas(), start, 0.2)
    for _ in range(3):
        adam.advance(0.0, np.ones_like(start))  # an even gradient: each move is the rate
    np.testing.assert_allclose(adam.position(), start - 0.6, atol=1e-4)
    assert np.abs(adam.position()).max() > 1
    adam.close()


def test_adam_does_not_look_at_the_loss_and_never_ends():
    start = np.full((2, 2, 3), 0.5, np.float32)
    one, other = (Adam(PixelCanvas(), start, 0.1) for _ in range(2))
    for loss in (1.0, 5.0):
        one.advance(loss, np.ones_like(start))
        other.advance(0.0, np.ones_like(start))
    np.testing.assert_array_equal(one.position(), other.position())
    assert one.ended == ""
    for adam in (one, other):
        adam.close()


# L-BFGS


def answered(descent, function, most=10**6):
    """Every position, the optimiser answered until it ends."""
    seen = []
    while len(seen) < most and (position := descent.position()) is not None:
        seen.append(position)
        total, gradient = function(position.astype(np.float64))
        descent.advance(total, gradient.astype(np.float32))
    return seen


@pytest.mark.parametrize("canvas", [PixelCanvas(), FourierCanvas()], ids=["pixels", "frequencies"])
def test_lbfgs_goes_where_the_search_goes_within_the_canvas_bounds(canvas):
    start = np.random.default_rng(3).random((3, 4, 3)).astype(np.float32)
    descent = LBFGS(canvas, start)
    seen = answered(descent, quadratic)
    asking = search(start.ravel(), canvas.bounds)
    wanted = next(asking)
    for position in seen:
        np.testing.assert_array_equal(position.ravel(), wanted)
        total, gradient = quadratic(position.astype(np.float64))
        answer = total, np.float32(gradient.ravel())
        if position is not seen[-1]:
            wanted = asking.send(answer)
    with pytest.raises(StopIteration, match=descent.ended):
        asking.send(answer)
    assert descent.ended == "the line search failed"
    lowest = np.linspace(-0.5, 1.5, start.size).reshape(start.shape)
    nearest = np.clip(lowest, 0, 1) if canvas.bounds else lowest
    np.testing.assert_allclose(min(seen, key=lambda point: quadratic(point)[0]), nearest, atol=1e-3)
    descent.close()
    descent.close()
    assert descent.ended == "the line search failed"


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_lbfgs_can_be_closed_at_any_time(steps):
    descent = LBFGS(FourierCanvas(), np.zeros((2, 3, 4, 3), np.float32))
    assert len(answered(descent, quadratic, steps)) == steps
    assert descent.ended == ""
    descent.close()
    assert descent.ended == "closed"


def test_positions_handed_out_before_stay_as_they_were():
    descent = LBFGS(PixelCanvas(), np.full((2, 2, 3), 0.5, np.float32))
    positions, copies = [], []
    for _ in range(6):
        positions.append(descent.position())
        copies.append(positions[-1].copy())
        total, gradient = quadratic(copies[-1].astype(np.float64))
        descent.advance(total, gradient.astype(np.float32))
    descent.close()
    np.testing.assert_array_equal(positions, copies)


def test_positions_have_the_parameters_shape():
    start = np.random.default_rng(2).random((3, 4, 3)).astype(np.float32)
    descent = LBFGS(PixelCanvas(), start)
    np.testing.assert_array_equal(descent.position(), start)
    descent.advance(1.0, np.ones((3, 4, 3), np.float32))
    moved = descent.position()
    assert moved.shape == start.shape
    assert (moved <= start).all()
    assert moved.min() >= 0
    descent.close()


def test_too_little_memory_for_the_corrections_reaches_the_caller(monkeypatch, two_threads):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr("nst_core.lbfgs.Curvature", full)
    descent = LBFGS(PixelCanvas(), np.zeros((2, 2, 3), np.float32))
    with pytest.raises(MemoryError):
        descent.advance(1.0, np.ones((2, 2, 3), np.float32))
    descent.close()
    assert blas_threads() == two_threads


def blas_threads():
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def two_threads():
    """How many threads products have when nothing is asked of them, more than one."""
    with threadpool_limits(2, "blas"):
        if 2 not in blas_threads().values():
            pytest.skip("no BLAS here whose threads can be set")
        yield blas_threads()


@pytest.mark.parametrize("optimiser", [LBFGS, partial(Adam, rate=0.1)], ids=["lbfgs", "adam"])
def test_products_have_one_thread_while_it_works_and_as_many_as_before_afterwards(optimiser, two_threads):
    descent = optimiser(PixelCanvas(), np.zeros((2, 2, 3), np.float32))
    assert set(blas_threads().values()) == {1}
    descent.close()
    assert blas_threads() == two_threads


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_searches_that_overlap_put_back_what_was_before_the_first(order, two_threads):
    searches = [LBFGS(PixelCanvas(), np.zeros((2, 2, 3), np.float32)) for _ in range(2)]
    searches[order[0]].close()
    assert set(blas_threads().values()) == {1}
    searches[order[1]].close()
    assert blas_threads() == two_threads
