"""How far the texture of one picture is from another's, without a trained network.

Two readings of the same responses to fixed random filters, over a pyramid of picture sizes: Gram matrices
(Ustyuzhaninov et al. 2017) and the distribution of patches (after Heitz et al. 2021).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from nst_core.images import Pixels, check_pixels, resize_longest

PYRAMID = (256, 128, 64, 32)  # longest sides in pixels: one size does not see both grain and large forms
FILTER_WIDTHS = (3, 5, 7, 11, 15)  # pixels
FILTERS_PER_WIDTH = 16
FILTER_SEED = 2017
QUANTILES = 256

# What the filters take pictures to be like: neighbours alike over this many pixels, and R, G, B nearly alike.
CORRELATION_LENGTH = 16.0
COLOUR_CORRELATION = ((1.0, 0.9, 0.8), (0.9, 1.0, 0.9), (0.8, 0.9, 1.0))

# Standard deviation of rounding to 8 bits: a texture weaker than this is no texture.
ROUNDING = 1 / (255 * 12**0.5)

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextureLevel:
    """Both errors at one size of the pyramid, each 0 (same statistics) to 1 (nothing in common).

    longest_side: of both pictures, in pixels. gram_error, patch_error: means over the filter widths.
    """

    longest_side: int
    gram_error: float
    patch_error: float


@lru_cache(maxsize=1)
def filter_bank() -> Mapping[int, Floats]:
    """Width -> filters, read-only float32 [FILTERS_PER_WIDTH, width, width, 3]; the same on every machine.

    Gaussian noise, whitened for pictures as they mostly are and scaled to norm 1, with mean 0 in each
    channel, so that flat colour gives no response: colour is the palette's affair.
    Ustyuzhaninov et al. (2017) draw 128 filters of eight widths up to 55 pixels and leave them as drawn; such
    filters all follow the slow, grey part of a picture and say little but its contrast. The pyramid stands in
    for the wider ones.
    """
    # RandomState, not default_rng: only its stream is promised never to change.
    source = np.random.RandomState(FILTER_SEED)
    return MappingProxyType({width: _draw_filters(source, width) for width in FILTER_WIDTHS})


def _draw_filters(source: np.random.RandomState, width: int) -> Floats:
    drawn = source.standard_normal((FILTERS_PER_WIDTH, width * width, 3))
    whitened = np.einsum(
        "pq,nqc,cd->npd", _whitening(width), drawn, _inverse_root(np.array(COLOUR_CORRELATION))
    )
    norms = np.linalg.norm(whitened, axis=(1, 2), keepdims=True)
    filters: Floats = (whitened / norms).reshape(FILTERS_PER_WIDTH, width, width, 3).astype(np.float32)
    filters.flags.writeable = False
    return filters


def _whitening(width: int) -> Doubles:
    """What turns patches of correlation exp(-distance / CORRELATION_LENGTH), less their means, white."""
    rows, columns = np.indices((width, width)).reshape(2, -1)
    distances = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    centring = np.eye(width * width) - 1 / (width * width)
    return _inverse_root(centring @ np.exp(-distances / CORRELATION_LENGTH) @ centring)


def _inverse_root(covariance: Doubles) -> Doubles:
    """The symmetric inverse square root on the space where the covariance is not 0."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-9 * values.max()
    root: Doubles = (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T
    return root


def filter_responses(pixels: Pixels, filters: Floats) -> Floats:
    """Correlation of a picture [H, W, 3] with filters [N, w, w, 3], w odd: float32 [H * W, N], row by row.

    The picture is mirrored at its borders, so that every pixel is a position and no picture is too small.
    """
    count, width = filters.shape[:2]
    (height, across), margin = pixels.shape[:2], width // 2
    padded = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)  # [H + 2 margin, W, 3, w]
    # Flat, so that one row of all filters is one product and not one for each row of the picture.
    strips = np.ascontiguousarray(windows).reshape(-1, 3 * width)
    kernels = filters.transpose(1, 3, 2, 0).reshape(width, 3 * width, count)
    responses = np.zeros((height * across, count), np.float32)
    for row, kernel in enumerate(kernels):
        responses += strips[row * across : (row + height) * across] @ kernel
    return responses


def relative_gram_error(responses: Floats, target: Floats) -> float:
    """|G - A| / (|G| + |A|), Frobenius norms, of the Gram matrices of rectified responses [positions, N].

    0: the same; 1: one of the two is flat. Ustyuzhaninov et al. (2017) report |G - A|^2 / |A|^2, which has
    no upper end where the style is smooth; sharing the denominator bounds it, and the root makes it linear
    in the difference. Each Gram matrix is averaged over its own positions, so sizes may differ.
    """
    gram, wanted = (
        rectified.T @ rectified / rectified.shape[0]
        for rectified in (np.maximum(responses, 0), np.maximum(target, 0))
    )
    both = float(np.linalg.norm(gram) + np.linalg.norm(wanted))
    return float(np.linalg.norm(gram - wanted) / max(both, gram.shape[0] * ROUNDING**2))


def relative_sliced_distance(responses: Floats, target: Floats) -> float:
    """Sliced 2-Wasserstein distance of two sets of responses [positions, N], over the sum of their sizes.

    The filters are the slices: each response is a patch projected onto one direction (Heitz et al. 2021,
    there on features of a trained network). Sets of unequal number are compared at QUANTILES
    evenly spaced quantiles. 0: the same; 1: one of the two is flat.
    """
    ours, wanted = _quantiles(responses), _quantiles(target)
    both = _root_mean_square(ours) + _root_mean_square(wanted)
    return _root_mean_square(ours - wanted) / max(both, ROUNDING)


def _quantiles(responses: Floats) -> Doubles:
    ordered = np.sort(np.ascontiguousarray(responses.T), axis=1).astype(np.float64)
    places = (np.arange(QUANTILES) + 0.5) / QUANTILES * (ordered.shape[1] - 1)
    below = places.astype(int)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    quantiles: Doubles = ordered[:, below] + (places - below) * (ordered[:, above] - ordered[:, below])
    return quantiles


def _root_mean_square(values: Doubles) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def compare_textures(result: Pixels, style: Pixels) -> tuple[TextureLevel, ...]:
    """Both texture errors at each size of PYRAMID, largest first; pictures float32 [H, W, 3] in [0, 1].

    Sizes longer than either picture are left out, for enlarging shows nothing; two pictures of which one is
    smaller than all of them are compared at that one's size.
    """
    check_pixels(result)
    check_pixels(style)
    shared = min(max(result.shape[:2]), max(style.shape[:2]))
    sides = [side for side in PYRAMID if side <= shared] or [shared]
    return tuple(_compare_at(result, style, longest_side=side) for side in sides)


def _compare_at(result: Pixels, style: Pixels, *, longest_side: int) -> TextureLevel:
    ours, wanted = resize_longest(result, longest_side), resize_longest(style, longest_side)
    pairs = [
        (filter_responses(ours, filters), filter_responses(wanted, filters))
        for filters in filter_bank().values()
    ]
    return TextureLevel(
        longest_side=longest_side,
        gram_error=float(np.mean([relative_gram_error(*pair) for pair in pairs])),
        patch_error=float(np.mean([relative_sliced_distance(*pair) for pair in pairs])),
    )


def texture_error(result: Pixels, style: Pixels) -> float:
    """Relative Gram error on random filters, mean over widths and PYRAMID; 0 to 1, lower is better.

    0: same statistics; 1: as far from the style as a flat picture. Does not see where anything is, mean
    colour, detail finer than a 256-pixel picture shows, or what a form means.
    Source: Ustyuzhaninov, Brendel, Gatys, Bethge (2017); see relative_gram_error for the departure.
    """
    return float(np.mean([level.gram_error for level in compare_textures(result, style)]))


def patch_distance(result: Pixels, style: Pixels) -> float:
    """Relative sliced Wasserstein distance of patches, mean over PYRAMID; 0 to 1, lower is better.

    0: patches are distributed alike; 1: as far from the style as a flat picture. Unlike Gram matrices it sees
    the whole distribution of each response, and unlike them not which responses go together.
    Source: Heitz, Vanhoey, Chambon, Belcour (2021), on raw pixels instead of a trained network's features.
    """
    return float(np.mean([level.patch_error for level in compare_textures(result, style)]))
