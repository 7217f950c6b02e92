"""What is optimised: the pixels themselves, or a colour-decorrelated Fourier image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from scipy import fft

Array = npt.NDArray[np.float32]

# The Fourier canvas holds colours strictly between these, where the logit is finite and moves.
DARKEST, LIGHTEST = 0.1, 0.9

# Opponent axes of colour (Ruderman, Cronin and Chiao 1998): light-dark, red-blue, green-magenta.
OPPONENT_AXES = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])

PIVOT = 8.0  # cycles a picture at which frequencies count alike however fast their factors fall


class Canvas(Protocol):
    """Parameters <-> picture, all float32 arrays; `bounds` is what the parameters lie between."""

    bounds: ClassVar[tuple[float, float] | None]

    def encode(self, picture: Array) -> Array:
        """Parameters whose picture is `picture`, [H, W, 3] in 0..1, as nearly as this canvas can hold it."""

    def scale(self, height: int, width: int) -> Array:
        """What parameters of this size are multiplied with first, of the shape of a channel of theirs."""

    def decode(self, parameters: Array, size: tuple[int, int], scale: Array) -> Array:
        """The picture [H, W, 3] in 0..1; size = (height, width), `scale` of that size."""

    def pull_back(self, picture: Array, gradient: Array, scale: Array) -> Array:
        """The gradient with respect to the parameters of a picture, of one with respect to that picture."""

    def project(self, parameters: Array) -> Array:
        """The nearest allowed parameters, applied after each update."""


class PixelCanvas:
    """The pixels, clipped to 0..1 after each update. Holds any picture exactly."""

    bounds: ClassVar[tuple[float, float] | None] = (0.0, 1.0)

    def encode(self, picture: Array) -> Array:
        return picture

    def scale(self, height: int, width: int) -> Array:
        return np.ones((1, 1), np.float32)

    def decode(self, parameters: Array, size: tuple[int, int], scale: Array) -> Array:
        return parameters

    def pull_back(self, picture: Array, gradient: Array, scale: Array) -> Array:
        return gradient

    def project(self, parameters: Array) -> Array:
        return np.clip(parameters, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class FourierCanvas:
    """Coefficients of a real Fourier transform, [3, H, W // 2 + 1, 2 (real, imaginary)].

    After Mordvintsev et al., "Differentiable Image Parameterizations" (Distill 2018): low frequencies are
    scaled up, colours are decorrelated, and a sigmoid keeps the picture within 0..1. Their colour matrix came
    from ImageNet; ours is `OPPONENT_AXES`. Colours are held within `DARKEST`..`LIGHTEST` of 0..1 when a
    picture is encoded.

    decay    how fast the factors fall with frequency: 1 is natural pictures' own fall
    colours  how freely lightness and the two colour axes move; the default is about how much photographs
             vary along them in logit space
    """

    decay: float = 1.0
    colours: tuple[float, float, float] = (1.0, 1 / 3, 1 / 8)

    @property
    def _axes(self) -> npt.NDArray[np.float64]:
        return np.asarray(OPPONENT_AXES * np.array(self.colours)[:, np.newaxis])

    bounds: ClassVar[tuple[float, float] | None] = None

    def encode(self, picture: Array) -> Array:
        height, width = picture.shape[:2]
        factors, inverse = frequency_scale(height, width, self.decay), np.linalg.inv(self._axes)
        made = np.empty((3, height, width // 2 + 1, 2), np.float32)
        # An axis at a time: in float64 a picture of 4096 pixels takes 400 MB.
        for axis in range(3):
            spectrum = np.fft.rfft2(sum(inverse[c, axis] * _logits(picture[..., c]) for c in range(3)))
            made[axis, ..., 0], made[axis, ..., 1] = spectrum.real / factors, spectrum.imag / factors
        return made

    def scale(self, height: int, width: int) -> Array:
        factors = frequency_scale(height, width, self.decay).astype(np.float32)
        return np.repeat(factors[..., np.newaxis], 2, axis=-1)

    @np.errstate(over="ignore", invalid="ignore")
    def decode(self, parameters: Array, size: tuple[int, int], scale: Array) -> Array:
        channels = np.empty((3, *size), np.float32)
        for channel, coefficients in zip(channels, parameters, strict=True):
            spectrum = (coefficients * scale).view(np.complex64)[..., 0]
            channel[:] = fft.irfft2(spectrum, size, overwrite_x=True)
        # The logistic function is 1/2 + tanh(x / 2) / 2, which NumPy computes many at a time.
        picture = channels.reshape(3, -1).T @ (self._axes / 2).astype(np.float32)
        del channels, channel
        np.tanh(picture, out=picture)
        picture *= 0.5
        picture += 0.5
        return np.asarray(picture.reshape(*size, 3))

    @np.errstate(over="ignore", invalid="ignore")
    def pull_back(self, picture: Array, gradient: Array, scale: Array) -> Array:
        height, width = picture.shape[:2]
        logits = 1 - picture
        logits *= picture
        logits *= gradient
        channels = self._axes.astype(np.float32) @ logits.reshape(-1, 3).T
        del logits
        factors = scale * _shares(height, width)
        pulled = np.empty((3, *factors.shape), np.float32)
        for values, channel in zip(pulled, channels, strict=True):
            spectrum = fft.rfft2(channel.reshape(height, width), overwrite_x=True)
            np.multiply(spectrum.view(np.float32).reshape(factors.shape), factors, out=values)
        return pulled

    def project(self, parameters: Array) -> Array:
        return parameters


def _logits(values: Array) -> npt.NDArray[np.float64]:
    clipped = np.clip(values.astype(np.float64), DARKEST, LIGHTEST)
    return np.asarray(np.log(clipped / (1 - clipped)))


def frequency_scale(height: int, width: int, decay: float = 1.0) -> npt.NDArray[np.float64]:
    """Factors [H, W // 2 + 1]: sqrt(H W / longest) (longest / PIVOT) (PIVOT / (f longest))^decay.

    f is the frequency in cycles a pixel, at least 1 / longest; with decay 1 PIVOT cancels.
    """
    vertical = np.fft.fftfreq(height)[:, np.newaxis]
    horizontal = np.fft.rfftfreq(width)[np.newaxis]
    longest = max(height, width)
    frequency = np.maximum(np.hypot(vertical, horizontal), 1.0 / longest)
    factors = longest / PIVOT * (PIVOT / (frequency * longest)) ** decay
    return np.asarray(np.sqrt(height * width / longest) * factors)


def _shares(height: int, width: int) -> Array:
    """How much a coefficient of each column weighs in the picture, [W // 2 + 1, 1]: all but the first, and
    the last of an even width, stand for their mirror image too."""
    columns = np.arange(width // 2 + 1)[:, np.newaxis]
    alone = (columns == 0) | (2 * columns == width)
    return (np.where(alone, 1.0, 2.0) / (height * width)).astype(np.float32)


# Adam moves each coefficient equally far, so that the factors decide how far each frequency goes: nature's
# own fall. To L-BFGS they are a preconditioner: with a gentler fall and freer colours it came nearer to the
# styles over the sample pairs, fine contours and saturated colours above all.
CANVASES: dict[str, Canvas] = {
    "fourier": FourierCanvas(),
    "fourier-lbfgs": FourierCanvas(decay=0.6, colours=(1.0, 0.8, 0.6)),
    "pixel": PixelCanvas(),
}


def canvas_for(canvas: str, optimiser: str) -> str:
    """The name in CANVASES of what an optimiser works on."""
    return "fourier-lbfgs" if (canvas, optimiser) == ("fourier", "lbfgs") else canvas


def starting_picture(init: str, content: Array, style: Array, seed: int) -> Array:
    """[H, W, 3] in 0..1 at the content's size: the content, the style resized to it, or seeded noise.

    Noise is grey-centred with a deviation of 0.1: Gatys et al. start from white noise, and a weak one leaves
    the optimiser less to undo.
    """
    if init == "content":
        return content
    height, width = content.shape[:2]
    if init == "style":
        from nst_core.images import resize

        return resize(style, (width, height))
    noise = np.random.default_rng(seed).standard_normal((height, width, 3), np.float32)
    return np.asarray(np.clip(np.float32(0.5) + np.float32(0.1) * noise, 0, 1))
