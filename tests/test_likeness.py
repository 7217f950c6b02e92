"""Structure, edges, palettes and grain on pictures whose answer is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from nst_core.errors import ImageError
from nst_core.images import resize
from nst_core.likeness import (
    edges_kept,
    grain,
    grain_energy,
    palette_distance,
    palette_match,
    shrink_longest,
    structure_kept,
)


def flat(*colour: float, height: int = 40, width: int = 50) -> np.ndarray:
    return np.full((height, width, 3), colour, np.float32)


def blotches(seed: int = 0, *, height: int = 96, width: int = 128) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3))
    smooth = ndimage.gaussian_filter(noise, (4, 4, 0))
    return (0.5 + 0.15 * smooth / smooth.std()).clip(0, 1).astype(np.float32)


def shuffled(pixels: np.ndarray) -> np.ndarray:
    order = np.random.default_rng(1).permutation(pixels.shape[0] * pixels.shape[1])
    return pixels.reshape(-1, 3)[order].reshape(pixels.shape)


def corners(middle: tuple[float, ...], deviations: tuple[float, ...]) -> np.ndarray:
    """Eight colours whose mean is middle and whose covariance is exactly diag(deviations^2)."""
    signs = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, 8).T
    return (np.array(middle) + signs * np.array(deviations)).reshape(2, 4, 3).astype(np.float32)


def turned_colours(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[..., [1, 2, 0]])


def test_a_picture_keeps_all_of_itself() -> None:
    picture = blotches()
    assert structure_kept(picture, picture) == pytest.approx(1)
    assert edges_kept(picture, picture) == pytest.approx(1)
    assert palette_match(picture, picture) == pytest.approx(1)
    assert palette_distance(picture, picture) == pytest.approx(0, abs=1e-6)
    assert grain(picture, picture, picture) == pytest.approx(1)


def test_structure_of_flat_pictures_is_the_luminance_term_of_ssim() -> None:
    # Without variance SSIM is (2 a b + C1) / (a^2 + b^2 + C1), C1 = 0.01^2.
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert structure_kept(flat(0.2), flat(0.6)) == pytest.approx(expected, rel=1e-4)


def test_a_negative_has_the_opposite_structure_and_the_same_edges() -> None:
    picture = blotches()
    assert structure_kept(1 - picture, picture) < -0.2
    assert edges_kept(1 - picture, picture) == pytest.approx(1)


def test_edges_do_not_depend_on_their_strength_but_structure_does() -> None:
    picture = blotches()
    fainter = 0.5 + 0.5 * (picture - np.float32(0.5))
    assert edges_kept(fainter, picture) == pytest.approx(1, abs=1e-4)
    assert structure_kept(fainter, picture) < 0.95


def test_edges_elsewhere_are_not_kept() -> None:
    assert edges_kept(blotches(1, height=384, width=512), blotches(2, height=384, width=512)) < 0.1


def test_edges_of_flat_pictures_agree_with_each_other_only() -> None:
    assert edges_kept(flat(0.1), flat(0.7)) == 1
    assert edges_kept(flat(0.5, height=96, width=128), blotches()) == 0
    assert edges_kept(blotches(), flat(0.5)) == 0


def test_content_of_another_size_is_brought_to_the_result_s() -> None:
    picture = blotches()
    larger = resize(picture, (256, 192))
    assert structure_kept(picture, larger) > 0.99
    assert edges_kept(picture, larger) > 0.99


def test_shuffled_pixels_keep_the_palette_exactly_and_nothing_else() -> None:
    picture = blotches()
    mixed = shuffled(picture)
    assert palette_match(mixed, picture) == pytest.approx(1)
    assert palette_distance(mixed, picture) == pytest.approx(0, abs=1e-6)
    assert structure_kept(mixed, picture) < 0.1
    assert edges_kept(mixed, picture) < 0.1


def test_palette_match_of_half_the_palette_is_the_cosine_worked_out_by_hand() -> None:
    half = flat(0.0)
    half[:20] = 1.0
    assert palette_match(half, flat(0.0)) == pytest.approx(1 / math.sqrt(2))
    assert palette_match(flat(1.0), flat(0.0)) == 0
    assert palette_match(flat(0.0, 0.0, 1.0), flat(0.0, 0.0, 0.0)) == pytest.approx(2 / 3)


def test_palette_distance_of_equal_spread_is_that_of_the_means() -> None:
    picture = blotches()
    moved = (0.5 * picture + np.array([0.1, 0.0, 0.0])).astype(np.float32)
    assert palette_distance(moved, 0.5 * picture) == pytest.approx(0.1, abs=1e-5)


def test_palette_distance_of_diagonal_covariances_is_that_of_the_deviations() -> None:
    one, other = (0.1, 0.2, 0.3), (0.2, 0.1, 0.05)
    first, second = corners((0.5, 0.5, 0.5), one), corners((0.4, 0.5, 0.6), other)
    expected = math.sqrt(2 * 0.1**2 + 0.1**2 + 0.1**2 + 0.25**2)
    assert palette_distance(first, second) == pytest.approx(expected, rel=1e-5)


def test_palette_distance_sees_which_channels_go_together() -> None:
    # Covariances s^2 [1, 1; 1, 1] and s^2 [1, -1; -1, 1] of R and G have a product of 0, so the distance is
    # the root of both traces, 2 s^2 each; the histograms of each channel are equal.
    together, against = flat(0.5), flat(0.5)
    together[:20, :, :2] += 0.2
    together[20:, :, :2] -= 0.2
    against[:20, :, :2] += np.array([0.2, -0.2], np.float32)
    against[20:, :, :2] += np.array([-0.2, 0.2], np.float32)
    assert palette_distance(together, against) == pytest.approx(math.sqrt(4 * 0.2**2), rel=1e-4)
    assert palette_match(together, against) == pytest.approx(1)


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(0, 1, width=32), min_size=12, max_size=12), min_size=2, max_size=2))
def test_palette_distance_is_symmetric_and_within_its_range(colours: list[list[float]]) -> None:
    one, other = (np.array(values, np.float32).reshape(2, 2, 3) for values in colours)
    distance = palette_distance(one, other)
    assert 0 <= distance <= math.sqrt(3) + 1e-6
    assert palette_distance(other, one) == pytest.approx(distance, abs=1e-6)
    assert palette_distance(turned_colours(one), turned_colours(other)) == pytest.approx(distance, abs=1e-6)


def test_grain_energy_is_the_variance_of_white_noise() -> None:
    noise = np.random.default_rng(0).normal(0.5, 0.05, (300, 300, 3)).astype(np.float32)
    assert grain_energy(noise) == pytest.approx(0.05**2, rel=0.03)


def test_slopes_and_straight_edges_are_no_grain() -> None:
    across, down = np.meshgrid(np.linspace(0, 0.5, 50), np.linspace(0, 0.5, 40))
    slope = np.repeat((across + down)[..., None], 3, axis=-1).astype(np.float32)
    edge = flat(0.0)
    edge[:, 25:] = 1.0
    assert grain_energy(slope) < 1e-12
    assert grain_energy(edge) == 0


def test_a_checkerboard_of_pixels_is_all_grain() -> None:
    board = (np.indices((40, 50)).sum(axis=0) % 2).astype(np.float32)
    inside = np.repeat(board[..., None], 3, axis=-1)
    # The filter sums 16 sixths of the amplitude 1/2 inside; mirrored borders halve each border's share.
    rows, columns = (np.full(side, 4.0) for side in (40, 50))
    rows[[0, -1]] = columns[[0, -1]] = 2.0
    expected = np.mean(np.outer(rows, columns) ** 2) / 4 / 36
    assert grain_energy(inside) == pytest.approx(expected)


def test_noise_raises_grain_and_blur_lowers_it() -> None:
    picture = np.clip(blotches() + np.random.default_rng(2).normal(0, 0.02, (96, 128, 3)), 0, 1)
    picture = picture.astype(np.float32)
    noisy = picture + np.random.default_rng(3).normal(0, 0.04, picture.shape).astype(np.float32)
    blurred = ndimage.gaussian_filter(picture, (1, 1, 0))
    # Variances add: sqrt((0.02^2 + 0.04^2) / 0.02^2).
    assert grain(noisy, picture, picture) == pytest.approx(math.sqrt(5), rel=0.05)
    assert grain(blurred, picture, picture) < 0.5


def test_grain_is_judged_by_the_grainier_source_and_flat_pictures_have_as_much_as_each_other() -> None:
    picture = blotches()
    noisy = picture + np.random.default_rng(3).normal(0, 0.04, picture.shape).astype(np.float32)
    assert grain(noisy, picture, noisy) == pytest.approx(1)
    assert grain(noisy, noisy, picture) == pytest.approx(1)
    assert grain(flat(0.2), flat(0.0), flat(1.0)) == 1


def test_shrinking_never_enlarges() -> None:
    picture = blotches()
    assert shrink_longest(picture, 128) is picture
    assert shrink_longest(picture, 64).shape == (48, 64, 3)


@pytest.mark.parametrize(
    "judge", [structure_kept, edges_kept, palette_match, palette_distance, lambda a, b: grain(a, b, b)]
)
def test_arrays_that_are_not_pictures_are_refused(judge) -> None:
    picture = blotches()
    for pair in ((picture[..., :2], picture), (picture, picture * np.float32(np.nan))):
        with pytest.raises(ImageError):
            judge(*pair)
