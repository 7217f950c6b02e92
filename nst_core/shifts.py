"""Small shifts of the picture between steps, and their gradient."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

Shift = tuple[int, int, int]  # margin, down, right

STILL: Shift = (0, 0, 0)


def shifted(picture: Any, shift: Shift) -> Any:
    """The picture [H, W, 3] moved by some pixels, mirrored at its borders. Differentiable.

    shift: (margin, down, right); the picture gets `margin` mirrored pixels on each side, and the part
    of its own size that begins `down` and `right` (0 to 2 margin) is cut out. (0, 0, 0) moves nothing.
    """
    margin, down, right = shift
    height, width = picture.shape[:2]
    padded = tf.pad(picture, [[margin, margin], [margin, margin], [0, 0]], "SYMMETRIC")
    return tf.slice(padded, [down, right, 0], [height, width, 3])


def moved_back(gradient: Any, shift: Shift) -> Any:
    """The gradient with respect to a picture, from that with respect to the `shifted` one."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        picture = tf.zeros_like(gradient)
        tape.watch(picture)
        moved = shifted(picture, shift)
    return tape.gradient(moved, picture, output_gradients=gradient)
