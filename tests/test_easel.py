"""Painting and pulling back against a plain reference and finite differences."""

import numpy as np
import pytest

from nst_core.canvas import CANVASES
from nst_core.easel import Easel
from tests.reference import fourier_gradient

SIZES = [(8, 6), (7, 5), (6, 9), (5, 8), (1, 1)]  # (width, height), even and odd


def an_easel(name, size, rng):
    """An easel, parameters on it, and a gradient with respect to their picture."""
    width, height = size
    easel = Easel(name, size)
    parameters = easel.canvas.encode(rng.uniform(0.2, 0.8, (height, width, 3)).astype(np.float32))
    return easel, parameters, rng.normal(0, 1, (height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["fourier", "fourier-lbfgs"])
def test_the_gradient_is_that_of_a_plain_reference(name, size, rng):
    easel, parameters, gradient = an_easel(name, size, rng)
    canvas = easel.canvas
    wanted = fourier_gradient(parameters, gradient, decay=canvas.decay, colours=canvas.colours)
    made = easel.pull_back(easel.paint(parameters), gradient)
    np.testing.assert_allclose(made, wanted, atol=1e-5 * np.abs(wanted).max())


def test_pixels_are_their_own_picture_and_gradient(rng):
    easel, parameters, gradient = an_easel("pixel", (4, 3), rng)
    np.testing.assert_array_equal(easel.paint(parameters), parameters)
    np.testing.assert_array_equal(easel.pull_back(parameters, gradient), gradient)


@pytest.mark.parametrize("size", SIZES[:4])
@pytest.mark.parametrize("name", CANVASES)
def test_a_small_move_changes_the_picture_by_as_much_as_the_gradient_says(name, size, rng):
    easel, parameters, gradient = an_easel(name, size, rng)
    pulled = easel.pull_back(easel.paint(parameters), gradient)
    direction = rng.normal(0, 1, parameters.shape).astype(np.float32)
    direction /= np.linalg.norm(direction)
    step = np.float32(1e-2)
    ends = [easel.paint(parameters + sign * step * direction).astype(np.float64) for sign in (1, -1)]
    slope = np.sum((ends[0] - ends[1]) * gradient) / (2 * step)
    assert np.sum(pulled * direction) == pytest.approx(slope, rel=5e-3, abs=1e-4)


def test_an_infinite_gradient_gives_no_warning(rng):
    easel, parameters, gradient = an_easel("fourier-lbfgs", (6, 4), rng)
    gradient[1, 2, 0] = np.inf
    assert not np.isfinite(easel.pull_back(easel.paint(parameters), gradient)).all()


@pytest.mark.parametrize("name", CANVASES)
def test_nothing_that_is_given_is_changed(name, rng):
    easel, parameters, gradient = an_easel(name, (6, 4), rng)
    picture = easel.paint(parameters)
    before = [array.copy() for array in (parameters, picture, gradient)]
    easel.pull_back(picture, gradient)
    easel.paint(parameters)
    for array, copy in zip((parameters, picture, gradient), before, strict=True):
        np.testing.assert_array_equal(array, copy)
