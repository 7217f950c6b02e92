"""Layers whose gradients are written out, because TensorFlow's own cost more on a processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.util import _pywrap_util_port


def onednn_computes() -> bool:
    """Whether TensorFlow hands convolutions to oneDNN here: by default only on processors with AVX512-VNNI.

    TensorFlow publishes no such question; its own tests ask it in this way.
    """
    return bool(_pywrap_util_port.IsMklEnabled())


def turned(kernel: Any, stride: int = 1) -> Any:
    """A kernel [k, k, in, out] turned by half a turn and transposed, [r, r, out, stride^2 in], r = k / stride
    rounded up.

    The gradient of a convolution is a convolution of stride 1 with it. With a stride its channels are those
    of stride x stride pixels, row by row, to be spread by `tf.nn.depth_to_space`.
    """
    kernel = np.asarray(kernel)
    size, _, inward, outward = kernel.shape
    reach = -(-size // stride)
    rest = reach * stride - size
    parts = np.pad(kernel, ((0, rest), (0, rest), (0, 0), (0, 0)))
    parts = parts.reshape(reach, stride, reach, stride, inward, outward)[::-1, :, ::-1]
    parts = parts.transpose(0, 2, 5, 1, 3, 4).reshape(reach, reach, outward, stride * stride * inward)
    return np.ascontiguousarray(parts)


def convolve(
    maps: Any,
    kernel: Any,
    bias: Any,
    *,
    stride: int = 1,
    inside: str = "VALID",
    relu: bool = False,
    back: Any = None,
) -> Any:
    """Convolution, bias and, where wanted, ReLU, in one; differentiable with respect to the maps alone.

    maps: [B, h, w, in]; kernel: [k, k, in, out], k odd; bias: [out]; inside: VALID or SAME.
    back: the kernel `turned`; with a stride, for VALID only. The gradient is then a convolution too, which
    without oneDNN takes half the time of TensorFlow's own gradient and no memory for its columns.
    """

    if back is not None and stride > 1 and inside != "VALID":
        raise ValueError("a strided convolution with a way back must be VALID")

    def layer(source: Any) -> tuple[Any, Any]:
        made = tf.nn.bias_add(tf.nn.conv2d(source, kernel, stride, inside), bias)
        made = tf.nn.relu(made) if relu else made

        def gradient(upstream: Any) -> Any:
            if relu:
                upstream = tf.raw_ops.ReluGrad(gradients=upstream, features=made)
            if back is None:
                return _transposed(tf.shape(source), kernel, upstream, stride, inside)
            made_back = _convolve_back(upstream, back, inside)
            return made_back if stride == 1 else _spread(made_back, stride, tf.shape(source))

        return made, gradient

    return tf.custom_gradient(layer)(maps)


def _transposed(shape: Any, kernel: Any, upstream: Any, stride: int, inside: str) -> Any:
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=shape,
        filter=kernel,
        out_backprop=upstream,
        strides=[1, stride, stride, 1],
        padding=inside,
    )


def _convolve_back(upstream: Any, back: Any, inside: str) -> Any:
    if back.shape[0] == 1:
        return mixed(upstream, back[0, 0])
    if inside == "SAME":
        return tf.nn.conv2d(upstream, back, 1, "SAME")
    reach = int(back.shape[0]) - 1
    return tf.nn.conv2d(upstream, back, 1, [[0, 0], [reach, reach], [reach, reach], [0, 0]])


def _spread(parts: Any, stride: int, shape: Any) -> Any:
    """The gradient of a convolution with a stride, from that in parts, to the shape [B, h, w, in]."""
    made = tf.nn.depth_to_space(parts, stride)
    # The last rows and columns may lie beyond the maps, or short of them, where no window reached.
    missing = tf.maximum(shape - tf.shape(made), 0)
    made = tf.pad(made, tf.stack([tf.zeros_like(missing), missing], axis=1))
    return tf.slice(made, [0, 0, 0, 0], shape)


def summed(first: Any, second: Any) -> Any:
    """Two maps of one shape added; oneDNN adds them along with the convolution before and the ReLU after.

    Where shapes are not known beforehand TensorFlow merges these for AddN alone.
    """
    return tf.add_n([first, second]) if onednn_computes() else first + second


def mixed(maps: Any, mixture: Any) -> Any:
    """The channels of maps [B, h, w, N] at each position times a matrix [N, M]: [B, h, w, M].

    oneDNN gets it as a convolution with a bias, to which it can add other maps at once, see `summed`.
    """
    if not onednn_computes():
        inward, outward = mixture.shape
        flat, shape = tf.matmul(tf.reshape(maps, [-1, inward]), mixture), tf.shape(maps)
        return tf.reshape(flat, shape if inward == outward else tf.concat([shape[:-1], [outward]], 0))
    # A bias of plain zeros would be simplified away, and the merging with it.
    none = tf.zeros(mixture.shape[1:], maps.dtype)
    bias = tf.raw_ops.PlaceholderWithDefault(input=none, shape=none.shape)
    return tf.nn.bias_add(tf.nn.conv2d(maps, mixture[tf.newaxis, tf.newaxis], 1, "VALID"), bias)


def padded(maps: Any, amount: int, frame: tuple[Any, Any] | None) -> Any:
    """Maps [1, h, w, N] with `amount` rows and columns more on each side; differentiable.

    frame: what `mirrored_frame` says of their size; None for zeros. `tf.pad` mirrors too, but takes two to
    three times as long.
    """
    sides = [[0, 0], [amount, amount], [amount, amount], [0, 0]]
    if frame is None:
        return tf.pad(maps, sides)
    places, origins = frame

    def layer(source: Any) -> tuple[Any, Any]:
        shape, channels = tf.shape(source), source.shape[-1]
        around = tf.pad(source, sides)
        mirrored = tf.gather(tf.reshape(source, [-1, channels]), origins)
        # In place, which is safe: nothing else reads `around` or `inner`. tf.tensor_scatter_nd_update copies.
        flat = tf.raw_ops.InplaceUpdate(x=tf.reshape(around, [-1, channels]), i=places, v=mirrored)

        def gradient(upstream: Any) -> Any:
            inner = tf.slice(upstream, [0, amount, amount, 0], shape)
            outer = tf.gather(tf.reshape(upstream, [-1, channels]), places)
            back = tf.raw_ops.InplaceAdd(x=tf.reshape(inner, [-1, channels]), i=origins, v=outer)
            return tf.reshape(back, shape)

        return tf.reshape(flat, tf.shape(around)), gradient

    return tf.custom_gradient(layer)(maps)


def mirrored_frame(height: Any, width: Any, amount: int, *, border_twice: bool) -> tuple[Any, Any]:
    """What a frame of some rows and columns around a map [height, width] shows when the map is mirrored.

    Of each place of the frame its number among the places of the larger map, row by row, and the number in
    the map itself of the place that it shows. border_twice: the border is repeated next to itself.
    """
    rows, columns = (_mirrored(side, amount, border_twice) for side in (height, width))
    starts = rows * tf.stack([[width + 2 * amount], [width]])  # of the larger map's rows, of the map's own
    top, inner, bottom = tf.split(starts, [amount, -1, amount], 1)
    left, _, right = tf.split(columns, [amount, -1, amount], 1)
    bands, edges = tf.concat([top, bottom], 1), tf.concat([left, right], 1)
    frame = [
        tf.reshape(tf.expand_dims(one, 2) + tf.expand_dims(other, 1), [2, -1])
        for one, other in ((bands, columns), (inner, edges))
    ]
    places, origins = tf.unstack(tf.concat(frame, 1))
    return places, origins


def _mirrored(side: Any, amount: int, border_twice: bool) -> Any:
    """The number of each of a padded side's rows, and which row of the map it shows, [2, side + 2 amount]."""
    shown = tf.pad(tf.range(side), [[amount, amount]], "SYMMETRIC" if border_twice else "REFLECT")
    return tf.stack([tf.range(side + 2 * amount), shown])
