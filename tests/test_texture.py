"""Random filters, both texture errors against plain loops and hand-worked cases, and what each size sees."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst_core.errors import ImageError
from nst_core.texture import (
    FILTER_WIDTHS,
    FILTERS_PER_WIDTH,
    PYRAMID,
    QUANTILES,
    compare_textures,
    filter_bank,
    filter_responses,
    patch_distance,
    relative_gram_error,
    relative_sliced_distance,
    texture_error,
)

BOTH_ERRORS = (relative_gram_error, relative_sliced_distance)
SEEDS = st.integers(0, 2**32 - 1)


def grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[..., None], 3, axis=-1).astype(np.float32)


def waves(*, side: int = 256, period: float, amplitude: float, upright: bool = True) -> np.ndarray:
    row = amplitude * np.sin(2 * np.pi * np.arange(side) / period)
    field = np.tile(row, (side, 1))
    return field if upright else field.T


def random_responses(seed: int, *, positions: int = 50) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, (positions, 4)).astype(np.float32)


def test_filters_have_norm_one_and_do_not_answer_to_flat_colour() -> None:
    assert tuple(filter_bank()) == FILTER_WIDTHS
    for width, filters in filter_bank().items():
        assert filters.shape == (FILTERS_PER_WIDTH, width, width, 3)
        assert np.linalg.norm(filters.reshape(FILTERS_PER_WIDTH, -1), axis=1) == pytest.approx(1, abs=1e-5)
        assert filters.mean(axis=(1, 2)) == pytest.approx(0, abs=1e-6)


def test_filters_of_one_width_look_for_different_things() -> None:
    for filters in filter_bank().values():
        flat = filters.reshape(FILTERS_PER_WIDTH, -1)
        overlap = np.abs(flat @ flat.T - np.eye(FILTERS_PER_WIDTH))
        assert overlap.max() < 0.95


def test_filters_are_these_filters_for_good() -> None:
    # Stored numbers lose their meaning when this changes.
    assert filter_bank()[3][0, 0].ravel() == pytest.approx(
        [-0.15952, 0.13702, 0.04344, 0.30196, -0.12704, -0.12959, -0.04012, -0.16386, 0.17263], abs=1e-5
    )
    with pytest.raises(ValueError, match="read-only"):
        filter_bank()[3][0, 0, 0, 0] = 1


def test_responses_match_a_plain_loop_over_a_mirrored_picture() -> None:
    pixels = np.random.default_rng(3).random((4, 6, 3)).astype(np.float32)
    filters = filter_bank()[5]
    mirrored_rows, mirrored_columns = [1, 0, 0, 1, 2, 3, 3, 2], [1, 0, 0, 1, 2, 3, 4, 5, 5, 4]
    slow = np.zeros((4, 6, FILTERS_PER_WIDTH))
    for y in range(4):
        for x in range(6):
            for dy in range(5):
                for dx in range(5):
                    colour = pixels[mirrored_rows[y + dy], mirrored_columns[x + dx]]
                    slow[y, x] += filters[:, dy, dx] @ colour
    assert filter_responses(pixels, filters) == pytest.approx(slow.reshape(24, -1), abs=1e-5)


def test_gram_error_matches_a_plain_loop() -> None:
    ours, wanted = random_responses(1, positions=7), random_responses(2, positions=5)

    def plain_gram(responses: np.ndarray) -> list[list[float]]:
        positions, count = responses.shape
        return [
            [sum(max(r[i], 0.0) * max(r[j], 0.0) for r in responses) / positions for j in range(count)]
            for i in range(count)
        ]

    def norm(entries: list[float]) -> float:
        return math.sqrt(sum(entry * entry for entry in entries))

    g = [entry for row in plain_gram(ours) for entry in row]
    a = [entry for row in plain_gram(wanted) for entry in row]
    expected = norm([x - y for x, y in zip(g, a, strict=True)]) / (norm(g) + norm(a))
    assert relative_gram_error(ours, wanted) == pytest.approx(expected, rel=1e-5)


def test_twice_the_contrast_gives_the_errors_worked_out_by_hand() -> None:
    responses = random_responses(1)
    # G = 4A: (4 - 1) / (4 + 1). Every quantile twice as large: (2 - 1) / (2 + 1).
    assert relative_gram_error(2 * responses, responses) == pytest.approx(3 / 5, rel=1e-5)
    assert relative_sliced_distance(2 * responses, responses) == pytest.approx(1 / 3, rel=1e-5)


def test_sliced_distance_is_that_of_sorted_values_when_there_are_as_many_as_quantiles() -> None:
    ours, wanted = (np.linspace(low, low + 1, QUANTILES)[:, None] for low in (0.0, 0.5))
    # A shift by 0.5 of every value; the sampled quantiles are k / Q * (Q - 1) + half a place further on.
    places = (np.arange(QUANTILES) + 0.5) / QUANTILES
    sizes = [math.sqrt(np.mean((places + low) ** 2)) for low in (0.0, 0.5)]
    assert relative_sliced_distance(ours.astype(np.float32), wanted.astype(np.float32)) == pytest.approx(
        0.5 / sum(sizes), rel=1e-5
    )


@pytest.mark.parametrize("error", BOTH_ERRORS)
def test_nothing_is_as_far_as_can_be_and_two_nothings_agree(error) -> None:
    responses, nothing = random_responses(1), np.zeros((30, 4), np.float32)
    assert error(nothing, responses) == pytest.approx(1)
    assert error(responses, nothing) == pytest.approx(1)
    assert error(nothing, nothing) == 0
    assert error(nothing + 1e-7, nothing) < 1e-3  # rounding is no texture


@pytest.mark.parametrize("error", BOTH_ERRORS)
@settings(deadline=None)
@given(seeds=st.tuples(SEEDS, SEEDS), positions=st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_errors_are_symmetric_bounded_and_do_not_see_places(error, seeds, positions) -> None:
    ours, wanted = (random_responses(s, positions=p) for s, p in zip(seeds, positions, strict=True))
    value = error(ours, wanted)
    assert 0 <= value <= 1 + 1e-6
    assert error(wanted, ours) == pytest.approx(value, abs=1e-5)
    assert error(ours[::-1], wanted) == pytest.approx(value, abs=1e-5)
    assert error(ours, ours) == 0


def test_a_picture_has_its_own_texture() -> None:
    picture = np.random.default_rng(5).random((120, 90, 3)).astype(np.float32)
    assert texture_error(picture, picture) == 0
    assert patch_distance(picture, picture) == 0


def test_turned_stripes_are_another_texture_and_shifted_ones_the_same() -> None:
    stripes, turned = (
        grey(0.5 + waves(period=64, amplitude=0.4, upright=upright)) for upright in (True, False)
    )
    assert texture_error(turned, stripes) > 0.2
    shifted = np.roll(stripes, 5, axis=1)
    assert texture_error(shifted, stripes) < 0.1 * texture_error(turned, stripes)


@pytest.mark.parametrize("name", ["gram_error", "patch_error"])
def test_large_forms_are_seen_by_the_small_sizes_only(name: str) -> None:
    fine = np.random.default_rng(1).normal(0, 0.12, (256, 256))
    slow = waves(period=128, amplitude=0.25, upright=False)
    plain, waved = (grey((0.5 + field).clip(0, 1)) for field in (fine, fine + slow))
    errors = {level.longest_side: getattr(level, name) for level in compare_textures(waved, plain)}
    assert tuple(errors) == PYRAMID
    assert errors[256] < 0.1
    assert errors[32] > 5 * errors[256]
    assert list(errors.values()) == sorted(errors.values())


@pytest.mark.parametrize(
    ("sizes", "sides"),
    [
        (((300, 200), (500, 500)), [256, 128, 64, 32]),
        (((300, 200), (100, 70)), [64, 32]),
        (((33, 33), (300, 300)), [32]),
        (((20, 9), (300, 300)), [20]),
    ],
)
def test_no_picture_is_enlarged(sizes, sides) -> None:
    pictures = [np.full((*size, 3), 0.5, np.float32) for size in sizes]
    assert [level.longest_side for level in compare_textures(*pictures)] == sides


@pytest.mark.parametrize("compare", [compare_textures, texture_error, patch_distance])
def test_arrays_that_are_not_pictures_are_refused(compare) -> None:
    picture = np.zeros((40, 40, 3), np.float32)
    for pair in ((picture[..., 0], picture), (picture, picture.astype(np.float64))):
        with pytest.raises(ImageError):
            compare(*pair)
