"""Painting and pulling back, compiled, against TensorFlow's own gradient and finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from nst_core.canvas import CANVASES
from nst_core.easel import Easel

SIZES = [(8, 6), (7, 5), (6, 9), (5, 8), (1, 1)]  # (width, height), even and odd


def an_easel(name, size, rng):
    """An easel, parameters on it, and a gradient with respect to their picture."""
    width, height = size
    easel = Easel(name, size)
    parameters = easel.canvas.encode(rng.uniform(0.2, 0.8, (height, width, 3)).astype(np.float32))
    return easel, parameters, tf.constant(rng.normal(0, 1, (height, width, 3)), tf.float32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CANVASES)
def test_the_gradient_is_that_of_tensorflow(name, size, rng):
    easel, parameters, gradient = an_easel(name, size, rng)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        picture = easel.canvas.decode(parameters, tf.constant(size[::-1]), easel.canvas.scale(*size[::-1]))
    wanted = tape.gradient(picture, parameters, output_gradients=gradient).numpy()
    np.testing.assert_allclose(easel.paint(parameters), picture, atol=1e-6)
    made = easel.pull_back(easel.paint(parameters), gradient)
    np.testing.assert_allclose(made, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("name", CANVASES)
def test_a_small_move_changes_the_picture_by_as_much_as_the_gradient_says(name, rng):
    easel, parameters, gradient = an_easel(name, (9, 6), rng)
    pulled = easel.pull_back(easel.paint(parameters), gradient)
    direction = tf.constant(rng.normal(0, 1, parameters.shape), tf.float32)
    direction /= tf.norm(direction)
    step = 1e-2
    ends = [easel.paint(parameters + sign * step * direction).numpy().astype(np.float64) for sign in (1, -1)]
    slope = np.sum((ends[0] - ends[1]) * gradient.numpy()) / (2 * step)
    assert float(tf.reduce_sum(pulled * direction)) == pytest.approx(slope, rel=5e-3, abs=1e-4)


def test_the_picture_is_an_array_within_its_range(rng):
    easel, parameters, _ = an_easel("pixel", (4, 3), rng)
    picture = easel.picture(parameters + 0.5)
    assert isinstance(picture, np.ndarray)
    assert picture.shape == (3, 4, 3)
    assert picture.max() == 1.0
