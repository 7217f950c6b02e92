"""L-BFGS: its directions against the inverse Hessian written out, its line search against Wolfe's conditions,
its ends against SciPy's."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from nst_core import lbfgs
from nst_core.lbfgs import CHUNK, FLATTER, LOWER, TRIALS, Curvature, search

MOST = 1000  # evaluations


def searched(function, start, bounds=None, most=MOST):
    """Every point asked for and the loss there, and why the search ended; None where it was stopped."""
    asking, seen = search(np.asarray(start, np.float32), bounds), []
    point = next(asking)
    try:
        for _ in range(most):
            loss, gradient = function(point.astype(np.float64))
            seen.append((point, float(loss)))
            point = asking.send((float(loss), np.asarray(gradient, np.float32)))
    except StopIteration as end:
        return seen, end.value
    return seen, None


def bowl(seed, size=12):
    """A strictly convex quadratic with its lowest point within 0..1."""
    generator = np.random.default_rng(seed)
    factors = generator.normal(size=(size, size))
    matrix, wanted = factors @ factors.T / size + 0.1 * np.eye(size), generator.random(size)

    def function(point):
        away = point - wanted
        return 0.5 * away @ matrix @ away, matrix @ away

    return function


def rosenbrock(point):
    return optimize.rosen(point), optimize.rosen_der(point)


# The direction


def inverse_hessian(pairs, size):
    """Nocedal and Wright (2006), equation 7.16 and 7.19, by matrices in float64."""
    move, change = pairs[-1]
    inverse = np.eye(size) * (move @ change) / (change @ change)
    for move, change in pairs:
        rho = 1 / (move @ change)
        left = np.eye(size) - rho * np.outer(move, change)
        inverse = left @ inverse @ left.T + rho * np.outer(move, move)
    return inverse


@given(seed=st.integers(0, 1000), most=st.integers(1, 5), count=st.integers(1, 9))
@settings(max_examples=40)
def test_a_direction_is_the_inverse_hessian_times_the_gradient(seed, most, count):
    generator, size = np.random.default_rng(seed), 20
    factors = generator.normal(size=(size, size))
    matrix, pairs = factors @ factors.T / size + 0.3 * np.eye(size), []
    curvature = Curvature(size, most)
    for _ in range(count):
        move, gradient = generator.normal(size=(2, size)).astype(np.float32)
        change = (matrix @ move).astype(np.float32)
        curvature.add(move, change)
        pairs.append((move.astype(np.float64), change.astype(np.float64)))
        wanted = -inverse_hessian(pairs[-most:], size) @ gradient
        made = curvature.direction(gradient)
        np.testing.assert_allclose(made, wanted, atol=1e-4 * np.abs(wanted).max())


def test_pairs_added_together_count_as_pairs_added_with_a_direction_between():
    generator = np.random.default_rng(5)
    moves, gradient = generator.normal(size=(3, 8)).astype(np.float32), np.ones(8, np.float32)
    scales = np.linspace(0.5, 2, 8, dtype=np.float32)
    often, once = Curvature(8, 2), Curvature(8, 2)
    for move in moves:
        for curvature in (often, once):
            curvature.add(move, scales * move)
        often.direction(gradient)
    np.testing.assert_array_equal(often.direction(gradient), once.direction(gradient))


def test_without_a_pair_that_curves_upward_it_is_steepest_descent():
    curvature, gradient = Curvature(3, 2), np.array([1, -2, 3], np.float32)
    np.testing.assert_array_equal(curvature.direction(gradient), -gradient)
    for change in (-gradient, 0 * gradient, np.full(3, np.nan, np.float32)):
        curvature.add(gradient, change)
        np.testing.assert_array_equal(curvature.direction(gradient), -gradient)


def test_long_vectors_are_worked_in_parts():
    """One pair of an even curvature 4: the inverse Hessian is a quarter everywhere."""
    size = 2 * CHUNK + 3
    move, gradient = np.random.default_rng(0).normal(size=(2, size)).astype(np.float32)
    curvature = Curvature(size, 3)
    curvature.add(move, 4 * move)
    np.testing.assert_allclose(curvature.direction(gradient), -gradient / 4, atol=1e-6)


# Where it ends


@pytest.mark.parametrize("bounds", [None, (0.0, 1.0), (0.2, 0.6)])
@pytest.mark.parametrize("seed", range(4))
def test_the_lowest_point_of_a_bowl_is_found_as_by_scipy(seed, bounds):
    function = bowl(seed)
    wanted = optimize.minimize(
        function,
        np.full(12, 0.4),
        jac=True,
        method="L-BFGS-B",
        bounds=optimize.Bounds(*bounds) if bounds else None,
    )
    seen, ended = searched(function, np.full(12, 0.4), bounds)
    assert ended == "the line search failed"
    best, least = min(seen, key=lambda found: found[1])
    assert least <= wanted.fun + 1e-6
    np.testing.assert_allclose(best, wanted.x, atol=1e-3)
    if bounds:
        assert min(point.min() for point, _ in seen) >= np.float32(bounds[0])
        assert max(point.max() for point, _ in seen) <= np.float32(bounds[1])
        held = np.isclose(wanted.x, bounds[0], atol=1e-9) | np.isclose(wanted.x, bounds[1], atol=1e-9)
        assert held.any() == (bounds == (0.2, 0.6))
        np.testing.assert_array_equal(best[held], np.float32(wanted.x[held]))


@settings(max_examples=20)
@given(st.lists(st.floats(-1.5, 1.5, width=32), min_size=2, max_size=3))
def test_rosenbrocks_valley_is_followed_to_its_end(start):
    seen, ended = searched(rosenbrock, start)
    assert ended
    best, least = min(seen, key=lambda found: found[1])
    assert least < 1e-6
    np.testing.assert_allclose(best, 1, atol=1e-2)


@pytest.mark.parametrize("scale", [1e-9, 1e12])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_scale_of_the_loss_is_no_matter(seed, scale):
    """As many evaluations until a thousandth of the first loss is left, whatever the loss is counted in."""
    counts = []
    for factor in (1.0, scale):
        function = bowl(seed)
        seen, _ = searched(
            lambda point, factor=factor, function=function: tuple(factor * part for part in function(point)),
            np.full(12, 0.4),
        )
        counts.append(next(i for i, (_, loss) in enumerate(seen) if loss < 1e-3 * seen[0][1]))
    assert counts[0] == counts[1] < 30


def test_a_start_at_the_lowest_point_ends_at_once():
    seen, ended = searched(lambda point: (0.0, np.zeros_like(point)), [0.5, 0.5], (0.0, 1.0))
    assert len(seen) == 1
    assert ended == "no direction leads down"


def test_a_corner_that_everything_is_pushed_into_ends_at_once():
    seen, ended = searched(lambda point: (-point.sum(), -np.ones_like(point)), [1.0, 1.0], (0.0, 1.0))
    assert len(seen) == 1
    assert ended == "no direction leads down"


def test_where_the_memory_misleads_it_goes_on_straight_downhill():
    """A wall that the quadratic's curvature knows nothing of: the search goes on below it, not through."""
    forgotten = []
    forget = Curvature.forget

    def walled(point):
        loss, gradient = bowl(0)(point)
        if 6 < len(seen_so_far) < 6 + TRIALS + 1:
            loss = 100.0
        seen_so_far.append(loss)
        return loss, gradient

    seen_so_far = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Curvature, "forget", lambda self: forgotten.append(forget(self)))
        seen, _ = searched(walled, np.full(12, 0.4))
    assert len(forgotten) >= 1
    lowest = [min(loss for _, loss in seen[:7]), min(loss for _, loss in seen)]
    assert lowest[1] < 0.1 * lowest[0]


def test_a_lower_loss_with_a_gradient_that_is_not_a_number_is_passed_by():
    """Beyond 0.5 there is no gradient, though the loss is lower there."""

    def torn(point):
        gradient = np.full(1, -1.0) if point[0] < 0.5 else np.full(1, np.nan)
        return 1 - point[0], gradient

    asking = search(np.zeros(1, np.float32))
    point, points = next(asking), []
    for _ in range(8):
        points.append(float(point[0]))
        loss, gradient = torn(point)
        point = asking.send((float(loss), np.float32(gradient)))
    assert points[1] >= 0.5
    assert min(points[2:]) < 0.5
    assert all(np.isfinite(points))


def test_a_gradient_that_is_not_a_number_ends_it():
    seen, ended = searched(lambda point: (1.0, np.full(2, np.nan)), [0.0, 0.0])
    assert len(seen) == 1
    assert ended == "no direction leads down"


def test_where_nothing_lower_is_found_it_gives_up():
    """The gradient lies: each way it shows is upward."""
    seen, ended = searched(lambda point: (1 + point @ point, np.ones_like(point)), [0.0, 0.0])
    assert len(seen) == 1 + TRIALS
    assert ended == "the line search failed"
    lengths = [np.linalg.norm(point) for point, _ in seen[1:]]
    assert all(0.1 * a <= b <= 0.6 * a for a, b in pairwise(lengths))


def test_a_loss_without_a_bottom_is_followed_ever_further():
    seen, ended = searched(lambda point: (-point.sum(), -np.ones_like(point)), [0.0, 0.0], most=25)
    assert ended is None
    losses = [loss for _, loss in seen]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < -1e6


# Along a direction


def test_the_first_step_leads_to_where_the_slope_would_have_taken_the_loss_to_zero():
    seen, _ = searched(lambda point: (8.0 + point @ point, np.array([0.0, 4.0])), [0.0, 0.0], most=2)
    np.testing.assert_allclose(seen[1][0], [0.0, -2.0])


def test_a_loss_of_zero_that_still_falls_has_a_first_step():
    seen, _ = searched(lambda point: (point.sum(), np.ones_like(point)), [0.0, 0.0], most=2)
    np.testing.assert_array_equal(seen[1][0], [-1.0, -1.0])


@pytest.mark.parametrize("seed", range(3))
def test_every_point_that_is_left_again_is_lower_and_flatter(monkeypatch, seed):
    """Wolfe's conditions, told from the places that the search itself goes on from."""
    kept = []
    add = Curvature.add

    def note(curvature, move, change):
        kept.append((move.astype(np.float64), change.astype(np.float64)))
        add(curvature, move, change)

    monkeypatch.setattr(Curvature, "add", note)
    function, start = bowl(seed), np.full(12, 0.4)
    searched(function, start, most=25)
    point = np.float64(np.float32(start))
    assert len(kept) > 10
    for move, _ in kept:
        (before, slopes), (after, later) = function(point), function(point + move)
        assert after < before + LOWER * move @ slopes + 1e-9
        assert move @ later > FLATTER * move @ slopes - 1e-9
        point = point + move


def bracket(**settings):
    return lbfgs._Bracket(**{"loss": 10.0, "slope": -8.0, "step": 1.0, **settings})


def test_too_far_goes_back_to_the_lowest_point_of_the_parabola():
    # 10 - 8 t + 10 t^2 is 12 at 1 and lowest at 0.4.
    between = bracket()
    between.shorten(12.0)
    assert between.step == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("loss", "step"), [(1e9, 0.1), (2.5, 0.6), (1.0, 0.5), (math.inf, 0.1), (math.nan, 0.5)]
)
def test_too_far_goes_back_neither_too_far_nor_too_little(loss, step):
    between = bracket()
    between.shorten(loss)
    assert between.step == pytest.approx(step)


@pytest.mark.parametrize(
    ("slope", "step"),
    [(-4.0, 2.0), (-6.0, 4.0), (-7.5, 5.0), (-9.0, 5.0), (-0.1, 1.1)],
    ids=["by the secant", "further", "at most four times further", "steeper than before", "at least a tenth"],
)
def test_too_early_goes_on_to_where_the_slope_would_be_zero(slope, step):
    between = bracket()
    between.lengthen(5.0, slope)
    assert between.step == pytest.approx(step)


def test_between_too_early_and_too_far_is_halfway():
    between = bracket()
    between.shorten(12.0)
    between.lengthen(8.0, -7.9)
    assert between.step == pytest.approx(0.7)
    between.shorten(9.0)  # from 8 with a slope of -7.9, 0.3 ahead: 8 - 7.9 t + 37.4 t^2, lowest at 0.1055
    assert between.step == pytest.approx(0.4 + 0.1055, abs=1e-3)
