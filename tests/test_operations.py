"""The convolution whose gradient is written out, against TensorFlow's own and finite differences."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from nst_core.operations import convolve, mirrored_frame, mixed, padded, summed, turned


def test_a_turned_kernel_by_hand():
    kernel = np.arange(9, dtype=np.float32).reshape(3, 3, 1, 1)
    np.testing.assert_array_equal(turned(kernel)[..., 0, 0], [[8, 7, 6], [5, 4, 3], [2, 1, 0]])
    assert turned(np.zeros((3, 3, 2, 5), np.float32)).shape == (3, 3, 5, 2)
    # Of stride 2 the pixels of a 2 x 2 block are channels: of the even rows and columns 8, 6, 2 and 0.
    np.testing.assert_array_equal(turned(kernel, 2)[..., 0, 0], [[8, 6], [2, 0]])
    np.testing.assert_array_equal(turned(kernel, 2)[..., 0, 3], [[0, 0], [0, 4]])
    assert turned(np.zeros((7, 7, 2, 5), np.float32), 2).shape == (4, 4, 5, 8)


WINDOWS = [(1, 1, "VALID"), (3, 1, "VALID"), (3, 1, "SAME"), (5, 1, "SAME")]
STRIDING = [(1, 2, "VALID"), (3, 2, "VALID"), (7, 2, "VALID"), (3, 3, "VALID"), (5, 3, "VALID")]


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    ("side", "stride", "inside", "back"),
    [(*row, back) for row in WINDOWS + STRIDING for back in (False, True)],
)
def test_maps_and_gradient_are_tensorflows(side, stride, inside, back, relu, rng):
    maps = tf.constant(rng.normal(0, 1, (1, 9, 12, 3)), tf.float32)
    kernel = rng.normal(0, 1, (side, side, 3, 4)).astype(np.float32)
    bias = rng.normal(0, 1, 4).astype(np.float32)
    way_back = tf.constant(turned(kernel, stride)) if back else None
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(maps)
        made = convolve(maps, kernel, bias, stride=stride, inside=inside, relu=relu, back=way_back)
        wanted = tf.nn.conv2d(maps, kernel, stride, inside) + bias
        wanted = tf.nn.relu(wanted) if relu else wanted
        ours, theirs = tf.reduce_sum(made**3), tf.reduce_sum(wanted**3)
    np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-4)
    gradient = tape.gradient(theirs, maps).numpy()
    np.testing.assert_allclose(tape.gradient(ours, maps), gradient, atol=1e-4 * np.abs(gradient).max())


def test_the_gradient_is_that_of_finite_differences(rng):
    maps, direction = rng.normal(0, 1, (2, 1, 6, 5, 2))
    kernel = rng.normal(0, 1, (3, 3, 2, 4))
    bias = rng.normal(0, 1, 4)
    back = tf.constant(turned(kernel))

    def total(source):
        return tf.reduce_sum(convolve(source, kernel, bias, relu=True, back=back) ** 2)

    source, step = tf.constant(maps), 1e-6
    with tf.GradientTape() as tape:
        tape.watch(source)
        value = total(source)
    slope = float(total(maps + step * direction) - total(maps - step * direction)) / (2 * step)
    assert float(tf.reduce_sum(tape.gradient(value, source) * direction)) == pytest.approx(slope, rel=1e-6)


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="oneDNN's switch is of x86 alone")
@pytest.mark.parametrize(("switch", "wanted"), [("0", "False"), ("1", "True")])
def test_whether_onednn_computes_follows_its_switch(switch, wanted):
    code = "from nst_core.operations import onednn_computes; print(onednn_computes())"
    environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": switch}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == wanted


@pytest.mark.parametrize("onednn", [False, True])
def test_mixed_channels_by_hand(onednn, monkeypatch):
    monkeypatch.setattr("nst_core.operations.onednn_computes", lambda: onednn)
    maps = np.array([[[[1, 2], [3, -4]]]], np.float32)
    np.testing.assert_array_equal(
        mixed(maps, tf.constant([[1.0, 0, 2], [0, 10, 1]])), [[[[1, 20, 4], [3, -40, 2]]]]
    )
    found = mixed(tf.cast(maps, tf.bfloat16), tf.constant([[2], [1]], tf.bfloat16))
    assert found.dtype == tf.bfloat16
    np.testing.assert_array_equal(tf.cast(found, tf.float32), [[[[4], [2]]]])
    np.testing.assert_array_equal(summed(maps, maps), 2 * maps)


# What TensorFlow makes of an objective on two residual blocks and of its gradient: how many convolutions are
# merged with a sum and a ReLU, and how many with a sum alone.
MERGED = """
from collections import Counter
import numpy as np, tensorflow as tf
from nst_core.backbones import find_backbone
from nst_core.compiled import session_of
from nst_core.config import TransferConfig
from nst_core.engine import Engine, _packed
from nst_core.networks import random_network

names = ("conv2_block1_out", "conv2_block2_out")
config = TransferConfig(
    backbone="resnet50",
    style_layers=tuple((name, 1.0) for name in names),
    content_layers=((names[1], 1.0),),
)
network = random_network(find_backbone("resnet50").architecture(1 / 16), 0)
engine = Engine({"resnet50": network}, config)
picture = np.random.default_rng(0).random((48, 64, 3), np.float32)
targets = engine.targets(
    picture, picture, style_weights=(1.0, 1.0), content_weights=(1.0,), balance="relative"
)
computed = engine._evaluate.traced()
shares = np.array([0.5, 0.4, 0.1], np.float32)
given = [*tf.nest.flatten((picture, _packed(targets), shares)), *computed.captured]
told = tf.compat.v1.RunMetadata()
session_of(computed.graph).run(
    [tensor.name for tensor in computed.outputs],
    {tensor.name: np.asarray(value) for tensor, value in zip(computed.inputs, given, strict=True)},
    options=tf.compat.v1.RunOptions(output_partition_graphs=True),
    run_metadata=told,
)
found = Counter()
for graph in told.partition_graphs:
    for node in graph.node:
        if "FusedConv" in node.op:
            found["+".join(name.decode() for name in node.attr["fused_ops"].list.s)] += 1
print(found["BiasAdd+Add+Relu"], found["BiasAdd+Add"])
"""


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="oneDNN is of x86 alone")
def test_onednn_adds_shortcuts_and_gradients_along_with_convolutions():
    told = subprocess.run(
        [sys.executable, "-c", MERGED],
        env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    # A block each; and on the way back the second's shortcut and the first's own style.
    assert told.stdout.split() == ["2", "2"]


def test_a_mirrored_frame_by_hand():
    # A map of 2 x 3 places 0 1 2 / 3 4 5 in one of 4 x 5, its border repeated.
    places, origins = (part.numpy() for part in mirrored_frame(2, 3, 1, border_twice=True))
    around = np.full(20, -1)
    around[places] = origins
    wanted = [[0, 0, 1, 2, 2], [0, -1, -1, -1, 2], [3, -1, -1, -1, 5], [3, 3, 4, 5, 5]]
    np.testing.assert_array_equal(around.reshape(4, 5), wanted)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("amount", [1, 3])
@pytest.mark.parametrize("border", ["SYMMETRIC", "REFLECT"])
def test_padding_and_its_gradient_are_tensorflows(border, amount, precision, rng):
    # Whole numbers, which bfloat16 holds and adds exactly.
    maps, sides = tf.constant(rng.integers(-4, 5, (1, 5, 7, 2)), precision), [[amount, amount]] * 2
    slopes = tf.constant(rng.integers(-4, 5, (1, 5 + 2 * amount, 7 + 2 * amount, 2)), precision)

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 2], precision)], autograph=False)
    def compiled(source):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(source)
            frame = mirrored_frame(
                *tf.unstack(tf.shape(source)[1:3]), amount, border_twice=border == "SYMMETRIC"
            )
            made, wanted = padded(source, amount, frame), tf.pad(source, [[0, 0], *sides, [0, 0]], border)
        return made, wanted, *(tape.gradient(maps, source, slopes) for maps in (made, wanted))

    made, wanted, ours, theirs = (tf.cast(found, tf.float32) for found in compiled(maps))
    np.testing.assert_array_equal(made, wanted)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(tf.cast(padded(maps, 1, None), tf.float32)[0, 0], 0)


def test_padding_leaves_the_map_it_was_given_as_it_is(rng):
    maps = tf.constant(rng.normal(0, 1, (1, 4, 3, 2)), tf.float32)
    before = maps.numpy().copy()
    with tf.GradientTape() as tape:
        tape.watch(maps)
        made = padded(maps, 1, mirrored_frame(4, 3, 1, border_twice=True))
    upstream = tf.ones_like(made)
    tape.gradient(made, maps, output_gradients=upstream)
    np.testing.assert_array_equal(maps, before)
    np.testing.assert_array_equal(upstream, 1)
