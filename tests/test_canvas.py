"""Both canvases: what they hold, what they hold exactly, and their scale against a plain reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst_core.canvas import (
    CANVASES,
    DARKEST,
    LIGHTEST,
    OPPONENT_AXES,
    FourierCanvas,
    PixelCanvas,
    canvas_for,
    frequency_scale,
    starting_picture,
)
from nst_core.images import resize
from tests.conftest import make_picture
from tests.reference import fourier_picture

LEVEL = 1 / 255
FOURIER = [canvas for canvas in CANVASES.values() if isinstance(canvas, FourierCanvas)]
sides = st.integers(1, 33)


def noise(height, width, seed):
    return np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)


def round_trip(canvas, picture):
    return decoded(canvas, canvas.encode(picture), *picture.shape[:2])


def decoded(canvas, parameters, height, width):
    return canvas.decode(parameters, (height, width), canvas.scale(height, width))


@settings(max_examples=25)
@given(sides, sides, st.integers(0, 99))
def test_pixels_come_back_as_they_went_in(height, width, seed):
    picture = noise(height, width, seed)
    np.testing.assert_array_equal(round_trip(PixelCanvas(), picture), picture)


@settings(max_examples=25)
@given(sides, sides, st.integers(0, 99))
def test_fourier_gives_back_the_picture_within_its_range(height, width, seed):
    picture = noise(height, width, seed)
    for canvas in FOURIER:
        made = round_trip(canvas, picture)
        np.testing.assert_allclose(made, np.clip(picture, DARKEST, LIGHTEST), atol=LEVEL)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_fourier_holds_flat_pictures_to_the_ends_of_its_range(value):
    made = round_trip(FourierCanvas(), np.full((8, 6, 3), value, np.float32))
    np.testing.assert_allclose(made, np.clip(value, 0.1, 0.9), atol=1e-5)
    assert (DARKEST, LIGHTEST) == (0.1, 0.9)


def test_frequency_scale_by_hand():
    # 4 x 2 pixels: vertical 0, 1/4, 1/2, 1/4, horizontal 0, 1/2; nothing below 1/4; sqrt(8 / 4) over it.
    frequency = np.array([[0.25, 0.5], [0.25, 5**0.5 / 4], [0.5, 0.5**0.5], [0.25, 5**0.5 / 4]])
    np.testing.assert_allclose(frequency_scale(4, 2), 2**0.5 / frequency)
    # A gentler fall, equal at 8 cycles a picture, which is frequency 2 here: half of 1 / f times its root.
    np.testing.assert_allclose(frequency_scale(4, 2, 0.5), 2**0.5 * 0.5 * (2 / frequency) ** 0.5)


@pytest.mark.parametrize(("height", "width"), [(8, 6), (7, 5), (6, 9), (5, 8)])
def test_fourier_decode_matches_a_plain_reference(height, width, rng):
    parameters = rng.normal(0, 1, (3, height, width // 2 + 1, 2)).astype(np.float32)
    for canvas in FOURIER:
        made = decoded(canvas, parameters, height, width)
        wanted = fourier_picture(parameters, height, width, decay=canvas.decay, colours=canvas.colours)
        np.testing.assert_allclose(made, wanted, atol=1e-5)


@pytest.mark.parametrize("deviation", [0.0, 1.0, 1e3, 1e6])
def test_any_fourier_coefficients_are_a_picture(deviation, rng):
    parameters = rng.normal(0, deviation, (3, 9, 6, 2)).astype(np.float32)
    made = decoded(FourierCanvas(), parameters, 9, 10)
    assert made.shape == (9, 10, 3)
    assert np.isfinite(made).all()
    assert made.min() >= 0
    assert made.max() <= 1


def test_opponent_axes_are_perpendicular_and_of_length_one():
    np.testing.assert_allclose(OPPONENT_AXES @ OPPONENT_AXES.T, np.eye(3), atol=1e-12)


def test_each_optimiser_gets_its_canvas():
    assert [canvas_for("fourier", name) for name in ("adam", "lbfgs")] == ["fourier", "fourier-lbfgs"]
    assert [canvas_for("pixel", name) for name in ("adam", "lbfgs")] == ["pixel", "pixel"]
    assert CANVASES["fourier"] == FourierCanvas()
    assert CANVASES["fourier-lbfgs"] != FourierCanvas()


def test_pixels_are_clipped_and_fourier_is_left_alone():
    values = np.array([[[-0.5, 0.25, 7.0]]], np.float32)
    np.testing.assert_array_equal(PixelCanvas().project(values), [[[0.0, 0.25, 1.0]]])
    np.testing.assert_array_equal(FourierCanvas().project(values), values)


def test_parameters_and_pictures_are_float32():
    for canvas in CANVASES.values():
        assert canvas.encode(noise(5, 4, 0)).dtype == np.float32
        assert round_trip(canvas, noise(5, 4, 0)).dtype == np.float32


def test_starting_from_the_content_and_from_the_style():
    content, style = make_picture(20, 30, seed=1).pixels, make_picture(16, 12, seed=2).pixels
    np.testing.assert_array_equal(starting_picture("content", content, style, 0), content)
    np.testing.assert_array_equal(starting_picture("style", content, style, 0), resize(style, (30, 20)))


def test_starting_from_noise():
    content, style = np.zeros((100, 90, 3), np.float32), np.ones((4, 4, 3), np.float32)
    made, again, other = (starting_picture("noise", content, style, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(made, again)
    assert (made != other).mean() > 0.99
    assert made.dtype == np.float32
    assert made.shape == content.shape
    # 27,000 draws of deviation 0.1: the mean is within 0.004 and the deviation within 3 % by six sigma.
    assert made.mean() == pytest.approx(0.5, abs=0.004)
    assert made.std() == pytest.approx(0.1, rel=0.03)
    assert made.min() >= 0
    assert made.max() <= 1
