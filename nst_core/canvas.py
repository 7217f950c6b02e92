"""What is optimised: the pixels themselves, or a colour-decorrelated Fourier image."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Array = npt.NDArray[np.float32]

# The Fourier canvas holds colours strictly between these, where the logit is finite and moves.
DARKEST, LIGHTEST = 0.1, 0.9

# Opponent axes of colour (Ruderman, Cronin and Chiao 1998): light-dark, red-blue, green-magenta, scaled by
# the standard deviations that photographs and paintings show along them in logit space, about 1 : 1/3 : 1/8.
# One step of the optimiser then changes lightness and hue as nature mixes them.
COLOUR_AXES = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
COLOUR_AXES = COLOUR_AXES * np.array([[1.0], [1 / 3], [1 / 8]])


class Canvas(Protocol):
    """Parameters <-> picture; `rank` is the parameters' number of axes."""

    rank: int

    def encode(self, picture: Array) -> Any:
        """Parameters whose picture is `picture`, [H, W, 3] in 0..1, as nearly as this canvas can hold it."""

    def decode(self, parameters: Any, size: Any) -> Any:
        """The picture [H, W, 3] in 0..1; size = (height, width) as an int32 tensor. Differentiable."""

    def project(self, parameters: Any) -> Any:
        """The nearest allowed parameters, applied after each update."""


class PixelCanvas:
    """The pixels, clipped to 0..1 after each update. Holds any picture exactly."""

    rank = 3

    def encode(self, picture: Array) -> Any:
        return tf.constant(picture, tf.float32)

    def decode(self, parameters: Any, size: Any) -> Any:
        return tf.ensure_shape(parameters, [None, None, 3])

    def project(self, parameters: Any) -> Any:
        return tf.clip_by_value(parameters, 0.0, 1.0)


class FourierCanvas:
    """Coefficients of a real Fourier transform, [2 (real, imaginary), 3, H, W // 2 + 1].

    After Mordvintsev et al., "Differentiable Image Parameterizations" (Distill 2018): each frequency is
    scaled by about 1 / frequency, as natural pictures are, colours are decorrelated, and a sigmoid keeps the
    picture within 0..1. Their colour matrix came from ImageNet; ours is `COLOUR_AXES`. Colours are held
    within `DARKEST`..`LIGHTEST` of 0..1 when a picture is encoded.
    """

    rank = 4

    def encode(self, picture: Array) -> Any:
        clipped = np.clip(picture.astype(np.float64), DARKEST, LIGHTEST)
        logits = np.log(clipped / (1 - clipped)) @ np.linalg.inv(COLOUR_AXES)
        spectrum = np.fft.rfft2(logits.transpose(2, 0, 1))
        spectrum /= frequency_scale(*picture.shape[:2])
        return tf.constant(np.stack([spectrum.real, spectrum.imag]), tf.float32)

    def decode(self, parameters: Any, size: Any) -> Any:
        parameters = parameters * _scale_tensor(size)
        channels = tf.signal.irfft2d(tf.complex(parameters[0], parameters[1]), size)
        logits = tf.transpose(channels, [1, 2, 0])
        flat = tf.matmul(tf.reshape(logits, [-1, 3]), tf.constant(COLOUR_AXES, tf.float32))
        return tf.sigmoid(tf.reshape(flat, tf.concat([size, [3]], 0)))

    def project(self, parameters: Any) -> Any:
        return parameters


def frequency_scale(height: int, width: int) -> npt.NDArray[np.float64]:
    """Factors [H, W // 2 + 1]: sqrt(H W / longest) / max(f, 1 / longest), frequency f in cycles a pixel."""
    vertical = np.fft.fftfreq(height)[:, np.newaxis]
    horizontal = np.fft.rfftfreq(width)[np.newaxis]
    longest = max(height, width)
    frequency = np.maximum(np.hypot(vertical, horizontal), 1.0 / longest)
    return np.asarray(np.sqrt(height * width / longest) / frequency)


def _scale_tensor(size: Any) -> Any:
    # `frequency_scale` as a graph, so that one graph serves every size.
    height, width = size[0], size[1]
    rows, longest = tf.range(height), tf.cast(tf.maximum(height, width), tf.float32)
    wrapped = tf.where(rows < (height + 1) // 2, rows, rows - height)
    vertical = tf.cast(wrapped, tf.float32)[:, tf.newaxis] / tf.cast(height, tf.float32)
    horizontal = tf.cast(tf.range(width // 2 + 1), tf.float32)[tf.newaxis] / tf.cast(width, tf.float32)
    frequency = tf.maximum(tf.sqrt(vertical**2 + horizontal**2), 1.0 / longest)
    return tf.sqrt(tf.cast(height * width, tf.float32) / longest) / frequency


CANVASES: dict[str, Canvas] = {"fourier": FourierCanvas(), "pixel": PixelCanvas()}


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
