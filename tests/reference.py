"""The same mathematics again, plainly, in float64 NumPy: what the TensorFlow core is compared with."""

import numpy as np
import numpy.typing as npt

from nst_core.networks import Network

Floats = npt.NDArray[np.float64]

MEANS = np.array([103.939, 116.779, 123.68])  # blue, green, red
PAD_MODES = {"zero": "constant", "reflect": "reflect", "replicate": "symmetric"}


def pad(maps: Floats, amount: int, mode: str = "zero") -> Floats:
    """[h, w, C] with `amount` rows and columns more on each side."""
    return np.pad(maps, ((amount, amount), (amount, amount), (0, 0)), PAD_MODES[mode])


def windows(maps: Floats, kernel: int, stride: int) -> Floats:
    """[h', w', C, kernel, kernel]: what a window sees at each of its positions."""
    return np.lib.stride_tricks.sliding_window_view(maps, (kernel, kernel), (0, 1))[::stride, ::stride]


def feature_maps(
    network: Network,
    picture: npt.ArrayLike,
    *,
    deepest: str | None = None,
    padding: str = "zero",
    pooling: str = "max",
) -> dict[str, Floats]:
    """Every layer's map [h, w, C] of a folded network, from [H, W, 3] in 0..1; none below `deepest`."""
    pixels = np.asarray(picture, np.float64)
    maps = {"input": pixels[..., ::-1] * 255 - MEANS}
    for layer in network.architecture.layers:
        source = maps[layer.inputs[0]]
        if layer.kind == "convolution":
            kernel, bias = (np.asarray(array, np.float64) for array in network.arrays[layer.name])
            seen = windows(pad(source, layer.padding, padding), layer.kernel, layer.stride)
            made = np.einsum("hwcij,ijcd->hwd", seen, kernel, optimize=True) + bias
            made = np.maximum(made, 0) if layer.relu else made
        elif layer.kind == "relu":
            made = np.maximum(source, 0)
        elif layer.kind == "add":
            made = source + maps[layer.inputs[1]]
        elif layer.kind == "pad":
            made = pad(source, layer.padding, padding)
        else:
            seen = windows(source, layer.kernel, layer.stride)
            made = seen.max((-2, -1)) if pooling == "max" else seen.mean((-2, -1))
        maps[layer.name] = made
        if layer.name == deepest:
            break
    return maps


def gram(maps: Floats) -> Floats:
    """sum_k F_ik F_jk, not divided by anything (Gatys et al. 2015, equation 3)."""
    flat = maps.reshape(-1, maps.shape[-1])
    return flat.T @ flat


def content_loss(maps: Floats, target: Floats) -> float:
    """1/2 sum (F - P)^2 (Gatys et al. 2015, equation 1)."""
    return float(((maps - target) ** 2).sum() / 2)


def style_loss(maps: Floats, target: Floats) -> float:
    """1 / (4 N^2 M^2) sum (G - A)^2 (equation 4), the style's Gram matrix brought to the canvas' M."""
    channels, positions = maps.shape[-1], maps.shape[0] * maps.shape[1]
    brought = gram(target) * positions / (target.shape[0] * target.shape[1])
    return float(((gram(maps) - brought) ** 2).sum() / (4 * channels**2 * positions**2))


def total_variation(picture: npt.ArrayLike) -> float:
    """Squared differences to the right and the lower neighbour, over the number of values."""
    pixels = np.asarray(picture, np.float64)
    return float((np.diff(pixels, axis=0) ** 2).sum() + (np.diff(pixels, axis=1) ** 2).sum()) / pixels.size


def fourier_scale(height: int, width: int, decay: float) -> Floats:
    """What coefficients [H, W // 2 + 1] are multiplied with."""
    scale = np.empty((height, width // 2 + 1))
    longest = max(height, width)
    for row in range(height):
        for column in range(width // 2 + 1):
            vertical = min(row, height - row) / height
            frequency = max((vertical**2 + (column / width) ** 2) ** 0.5, 1 / longest)
            fall = (longest / 8) * (8 / longest / frequency) ** decay
            scale[row, column] = (height * width / longest) ** 0.5 * fall
    return scale


def opponent_colours(colours: tuple[float, float, float]) -> Floats:
    """Rows of light-dark, red-blue and green-magenta, each as long as it counts."""
    light, red_blue, green_magenta = (
        weight / square**0.5 for weight, square in zip(colours, (3, 2, 6), strict=True)
    )
    return np.array(
        [[light] * 3, [red_blue, 0, -red_blue], [green_magenta, -2 * green_magenta, green_magenta]]
    )


def fourier_picture(
    parameters: npt.ArrayLike,
    height: int,
    width: int,
    *,
    decay: float = 1.0,
    colours: tuple[float, float, float] = (1.0, 1 / 3, 1 / 8),
) -> Floats:
    """[H, W, 3] in 0..1 from coefficients [3, H, W // 2 + 1, 2]."""
    real, imaginary = np.moveaxis(np.asarray(parameters, np.float64), -1, 0)
    spectrum = (real + 1j * imaginary) * fourier_scale(height, width, decay)
    channels = np.fft.irfft2(spectrum, (height, width))
    return 1 / (1 + np.exp(-np.moveaxis(channels, 0, -1) @ opponent_colours(colours)))


def fourier_gradient(
    parameters: npt.NDArray[np.float32],
    gradient: npt.NDArray[np.float32],
    *,
    decay: float,
    colours: tuple[float, float, float],
) -> Floats:
    """The gradient with respect to coefficients [3, H, W // 2 + 1, 2] of one [H, W, 3]: each coefficient is a
    wave in the picture, and all but those of the outer columns count twice."""
    height, width, _ = gradient.shape
    picture = fourier_picture(parameters, height, width, decay=decay, colours=colours)
    channels = gradient * picture * (1 - picture) @ opponent_colours(colours).T
    scale, made = fourier_scale(height, width, decay), np.empty(parameters.shape)
    rows, columns = np.mgrid[0:height, 0:width]
    for row in range(height):
        for column in range(width // 2 + 1):
            angles = 2 * np.pi * (row * rows / height + column * columns / width)
            times = 1 if column == 0 or 2 * column == width else 2
            factor = times * scale[row, column] / (height * width)
            made[:, row, column, 0] = factor * np.einsum("hwc,hw->c", channels, np.cos(angles))
            made[:, row, column, 1] = factor * np.einsum("hwc,hw->c", channels, -np.sin(angles))
    return made


def absolute_variation(picture: npt.ArrayLike, rounding: float = 1e-3) -> float:
    """The same of absolute differences, rounded off below `rounding`."""
    pixels = np.asarray(picture, np.float64)
    both = (np.diff(pixels, axis=axis) for axis in (0, 1))
    return sum(float((np.hypot(change, rounding) - rounding).sum()) for change in both) / pixels.size


def power_variation(picture: npt.ArrayLike) -> float:
    """(right^2 + down^2)^1.25 where a value has both neighbours, over the number of values."""
    pixels = np.asarray(picture, np.float64)
    height, width, _ = pixels.shape
    total = 0.0
    for row in range(height - 1):
        for column in range(width - 1):
            here = pixels[row, column]
            right, down = pixels[row, column + 1] - here, pixels[row + 1, column] - here
            total += float(((right**2 + down**2) ** 1.25).sum())
    return total / pixels.size


VARIATIONS = {"squared": total_variation, "absolute": absolute_variation, "power": power_variation}


def smoothed(maps: Floats, temperature: float = 1.0) -> Floats:
    """Softmax over everything, times how many there are."""
    powers = np.exp((maps - maps.max()) / temperature)
    return powers / powers.sum() * maps.size


def gram_distance(maps: Floats, target: Floats) -> float:
    """Sum of squared differences of Gram matrices, each over its own positions."""
    made, wanted = (gram(one) / (one.shape[0] * one.shape[1]) for one in (maps, target))
    return float(((made - wanted) ** 2).sum())


def moments_distance(maps: Floats, target: Floats) -> float:
    """Squared differences of the channels' means and deviations."""
    made, wanted = (one.reshape(-1, one.shape[-1]) for one in (maps, target))
    means = made.mean(0) - wanted.mean(0)
    deviations = np.sqrt(made.var(0) + 1e-8) - np.sqrt(wanted.var(0) + 1e-8)
    return float((means**2).sum() + (deviations**2).sum())


def ridged_covariance(maps: Floats) -> Floats:
    """Covariance of the channels with a ten-thousandth of its mean variance, and 1e-8, on its diagonal."""
    covariance = np.atleast_2d(np.cov(maps.reshape(-1, maps.shape[-1]).T, bias=True))
    channels = len(covariance)
    return covariance + np.eye(channels) * (1e-4 * np.trace(covariance) / channels + 1e-8)


def wasserstein_distance(maps: Floats, target: Floats) -> float:
    """|m - n|^2 + tr(C + D - 2 (C D)^1/2), by the eigenvalues of C D, which are those of D^1/2 C D^1/2."""
    means = maps.mean((0, 1)) - target.mean((0, 1))
    first, second = ridged_covariance(maps), ridged_covariance(target)
    shared = np.sqrt(np.maximum(np.linalg.eigvals(first @ second).real, 0)).sum()
    return float((means**2).sum() + np.trace(first) + np.trace(second) - 2 * shared)


STATISTICS = {"gram": gram_distance, "moments": moments_distance, "wasserstein": wasserstein_distance}


def shifted(picture: npt.ArrayLike, shift: tuple[int, int, int]) -> Floats:
    """The part of a picture with a mirrored margin that begins `down` and `right`; (margin, down, right)."""
    margin, down, right = shift
    pixels = np.asarray(picture)
    height, width, _ = pixels.shape
    padded = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), "symmetric")
    return padded[down : down + height, right : right + width]
