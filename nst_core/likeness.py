"""Structure, edges, colours and grain of a picture against another's; no trained network, no texture.

Pictures are float32 [H, W, 3] in [0, 1], of any sizes; ImageError for anything else.
"""

import numpy as np
import numpy.typing as npt

from nst_core.images import Pixels, check_pixels, resize, resize_longest

# Rec. 709 weights of R, G, B, on the gamma-coded values (luma), which is where eyes take steps as equal.
LUMA = (0.2126, 0.7152, 0.0722)
SSIM_WINDOW = 11  # pixels; Gaussian of standard deviation 1.5 (Wang et al. 2004)
EDGE_SCALE = 1.5  # pixels, standard deviation
HISTOGRAM_BINS = 128

# Gradient magnitudes varying less than this, 0.1 grey levels of 255 a pixel, are rounding and not edges.
FLAT_GRADIENT = 0.1 / 255

# Variance of rounding to 8 bits.
ROUNDING_ENERGY = 1 / (12 * 255**2)

Values = npt.NDArray[np.float64]


def shrink_longest(pixels: Pixels, longest_side: int) -> Pixels:
    """The picture with no side longer than longest_side pixels; one that fits already comes back as it is."""
    check_pixels(pixels)
    return pixels if max(pixels.shape[:2]) <= longest_side else resize_longest(pixels, longest_side)


def _luma_pair(result: Pixels, content: Pixels) -> tuple[Values, Values]:
    """Luma [H, W] of the result and of the content, resized to the result's size where it has another."""
    check_pixels(result)
    check_pixels(content)
    if content.shape != result.shape:
        content = resize(content, (result.shape[1], result.shape[0]))
    weights = np.array(LUMA)
    return result.astype(np.float64) @ weights, content.astype(np.float64) @ weights


def structure_kept(result: Pixels, content: Pixels) -> float:
    """SSIM of luma with the content resized to the result: -1 to 1, 1 for equal pictures, higher is better.

    Does not see colour; counts every brush stroke as structure lost; a shift by a few pixels costs much.
    Source: Wang, Bovik, Sheikh, Simoncelli (2004), equation 13 averaged over the picture, with their
    constants and window. A side shorter than the window is mirrored.
    """
    from skimage.metrics import structural_similarity

    lumas = _luma_pair(result, content)
    missing = [(0, max(0, SSIM_WINDOW - side)) for side in lumas[0].shape]
    ours, theirs = (np.pad(luma, missing, mode="symmetric") for luma in lumas)
    return float(
        structural_similarity(
            ours, theirs, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


def edges_kept(result: Pixels, content: Pixels) -> float:
    """Correlation of edge strength with the content's: 0 to 1, 1 for equal pictures, higher is better.

    Pearson's correlation, less than 0 counted as 0, of the gradient magnitude of luma smoothed by EDGE_SCALE
    (Canny 1986: derivative of a Gaussian). 0 is what edges placed by chance give. Does not see colour, which
    side of an edge is the brighter, or edges made stronger or weaker everywhere alike.
    Two pictures without edges agree (1); one with and one without do not (0).
    """
    from scipy import ndimage

    ours, theirs = (
        ndimage.gaussian_gradient_magnitude(luma, EDGE_SCALE).ravel() for luma in _luma_pair(result, content)
    )
    flat = [float(edges.std()) < FLAT_GRADIENT for edges in (ours, theirs)]
    if any(flat):
        return float(all(flat))
    return float(np.clip(np.corrcoef(ours, theirs)[0, 1], 0.0, 1.0))


def palette_match(result: Pixels, style: Pixels) -> float:
    """Cosine of the colour histograms, the mean of R, G, B: 0 to 1, 1 for equal palettes, higher is better.

    HISTOGRAM_BINS bins a channel, as in Wang et al. (CVIU 2021), the half of their "global effects" that
    needs no network. Does not see where a colour is, which channels go together, or that two colours one bin
    apart are nearly the same.
    """
    check_pixels(result)
    check_pixels(style)
    return float(np.mean([_cosine(_histogram(result[..., c]), _histogram(style[..., c])) for c in range(3)]))


def _histogram(channel: npt.NDArray[np.float32]) -> Values:
    counts, _ = np.histogram(channel.clip(0.0, 1.0), bins=HISTOGRAM_BINS, range=(0.0, 1.0))
    return counts.astype(np.float64)


def _cosine(a: Values, b: Values) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def palette_distance(result: Pixels, style: Pixels) -> float:
    """Gaussian 2-Wasserstein distance of colours, in units of the 0..1 range: 0 to sqrt(3), lower is better.

    sqrt(|m - n|^2 + tr(C + D - 2 (D^1/2 C D^1/2)^1/2)) of the means m, n and covariances C, D of RGB
    (Dowson and Landau 1982). With triangular factors, C = R'R and D = S'S, the last trace is the sum of the
    singular values of R S', which stays exact where a palette has fewer than three dimensions. Does not see
    where a colour is, or more of the palette than mean and covariance: two hues and a mixture may look alike.
    """
    check_pixels(result)
    check_pixels(style)
    (mean, factor), (other_mean, other_factor) = _colour_moments(result), _colour_moments(style)
    shared = np.linalg.svd(factor @ other_factor.T, compute_uv=False).sum()
    spread = np.sum(factor**2) + np.sum(other_factor**2) - 2.0 * shared
    return float(np.sqrt(np.sum((mean - other_mean) ** 2) + max(spread, 0.0)))


def _colour_moments(pixels: Pixels) -> tuple[Values, Values]:
    """The mean of the colours, and a triangular factor R of their covariance R'R."""
    colours = pixels.reshape(-1, 3).astype(np.float64)
    mean = colours.mean(axis=0)
    return mean, np.asarray(np.linalg.qr((colours - mean) / np.sqrt(len(colours)), mode="r"))


def grain_energy(pixels: Pixels) -> float:
    """Variance of the pixel noise, in units of the 0..1 range squared, the mean of R, G, B.

    Mean square of the picture filtered with [[1, -2, 1], [-2, 4, -2], [1, -2, 1]] / 6, which is 0 on slopes
    and on straight level or upright edges, and the variance itself on white noise (Immerkaer 1996, who
    averages magnitudes instead). Borders are mirrored.
    """
    from scipy import ndimage

    check_pixels(pixels)
    second_difference = np.array([1.0, -2.0, 1.0])
    across = ndimage.convolve1d(pixels.astype(np.float64), second_difference, axis=1)
    both = ndimage.convolve1d(across, second_difference, axis=0)
    return float(np.mean(np.square(both))) / 36.0


def grain(result: Pixels, content: Pixels, style: Pixels) -> float:
    """Pixel noise of the result over the grainier of content and style: 0 upwards, lower is better.

    sqrt((e + q) / (max(e_content, e_style) + q)), e from grain_energy and q that of rounding to 8 bits, so
    that flat pictures give 1. Content and style are shrunk to the result's longer side,
    never enlarged. Above 1: noise that neither picture has. Far below 1: blur. Does not see
    blotches wider than about 3 pixels, and takes fine diagonal texture for grain.
    """
    longest = max(result.shape[:2])
    sources = max(grain_energy(shrink_longest(pixels, longest)) for pixels in (content, style))
    return float(np.sqrt((grain_energy(result) + ROUNDING_ENERGY) / (sources + ROUNDING_ENERGY)))
