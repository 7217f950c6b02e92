"""The extractor against a plain float64 reference, `np.pad`, Keras and TensorFlow's own pooling."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nst_core.architectures import INPUT, Architecture, Layer
from nst_core.backbones import COLOURS, RESNET50, VGG16, VGG19
from nst_core.errors import ConfigError
from nst_core.features import Extractor, colours, preprocess
from nst_core.losses import gram_matrix
from nst_core.networks import Network, random_network
from tests.conftest import make_picture
from tests.reference import MEANS, feature_maps

ONE = Architecture(
    "one",
    1.0,
    (Layer(name="only", kind="convolution", inputs=(INPUT,), channels=5, kernel=3, padding=1, relu=True),),
)


def pooling_network(kernel, stride):
    layer = Layer(name="pool", kind="max_pool", inputs=(INPUT,), channels=3, kernel=kernel, stride=stride)
    return Network(Architecture("pool", 1.0, (layer,)), {})


def close(made, wanted):
    np.testing.assert_allclose(made[0], wanted, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize(
    ("padding", "mode"), [("zero", "constant"), ("reflect", "reflect"), ("replicate", "edge")]
)
def test_padding_of_one_convolution_is_that_of_np_pad(padding, mode, rng):
    pixels = rng.random((6, 5, 3)).astype(np.float32)
    kernel = rng.normal(0, 1, (3, 3, 3, 5)).astype(np.float32)
    bias = rng.normal(0, 50, 5).astype(np.float32)
    extract = Extractor(Network(ONE, {"only": (kernel, bias)}), ("only",), padding=padding)
    padded = np.pad(pixels.astype(np.float64)[..., ::-1] * 255 - MEANS, ((1, 1), (1, 1), (0, 0)), mode)
    wanted = np.zeros((6, 5, 5))
    for row in range(6):
        for column in range(5):
            window = padded[row : row + 3, column : column + 3]
            wanted[row, column] = np.tensordot(window, kernel.astype(np.float64), 3) + bias
    close(extract(pixels)["only"], np.maximum(wanted, 0))
    assert (wanted < 0).any()  # so that the ReLU is seen


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate"])
def test_every_layer_of_vgg_in_one_pass(network, padding, pooling):
    pixels = make_picture(33, 46, seed=1).pixels
    names = network.architecture.names[::-1]
    made = Extractor(network, names, padding=padding, pooling=pooling)(pixels)
    wanted = feature_maps(network, pixels, padding=padding, pooling=pooling)
    assert tuple(made) == names
    for name in names:
        close(made[name], wanted[name])


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate"])
def test_the_layers_of_resnet_in_one_pass(residual_network, padding, pooling):
    pixels = make_picture(33, 40, seed=1).pixels
    names = (*RESNET50.style_layers, "conv2_block1_add", "pool1_pad")
    made = Extractor(residual_network, names, padding=padding, pooling=pooling)(pixels)
    wanted = feature_maps(residual_network, pixels, padding=padding, pooling=pooling)
    for name in names:
        close(made[name], wanted[name])


@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate"])
@pytest.mark.parametrize("backbone", [VGG16, VGG19, RESNET50], ids=lambda row: row.name)
def test_the_smallest_picture_gives_maps_at_every_style_layer(backbone, padding):
    network = random_network(backbone.architecture(1 / 32), seed=0)
    pixels = make_picture(backbone.smallest_side, backbone.smallest_side).pixels
    made = Extractor(network, backbone.style_layers, padding=padding)(pixels)
    assert min(maps.shape[1] for maps in made.values()) == 2


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (3, 1)])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 10), (9, 5), (3, 3)])
def test_average_pooling_and_its_gradient_are_tensorflows(height, width, kernel, stride, rng):
    pixels = tf.constant(rng.random((height, width, 3)), tf.float32)
    extract = Extractor(pooling_network(kernel, stride), ("pool",), pooling="average")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(pixels)
        made = extract(pixels)["pool"]
        wanted = tf.nn.avg_pool2d(preprocess(pixels)[tf.newaxis], kernel, stride, "VALID")
        ours, theirs = tf.reduce_sum(made**2), tf.reduce_sum(wanted**2)
    np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-3)
    gradient = tape.gradient(theirs, pixels).numpy()
    np.testing.assert_allclose(tape.gradient(ours, pixels), gradient, atol=1e-4 * np.abs(gradient).max())


def test_preprocessing_is_that_of_keras_and_leaves_its_input_alone():
    pixels = make_picture(9, 7).pixels.copy()
    before = pixels.copy()
    made = preprocess(pixels)
    np.testing.assert_array_equal(pixels, before)
    wanted = keras.applications.vgg16.preprocess_input(pixels * 255)  # changes the product, a copy
    np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-4)


def test_only_the_layers_down_to_the_deepest_are_computed(network, monkeypatch):
    calls = []
    convolve = tf.nn.conv2d
    monkeypatch.setattr(tf.nn, "conv2d", lambda *given: calls.append(1) or convolve(*given))
    Extractor(network, ("block2_conv1", "block3_conv1"))(make_picture(33, 33).pixels)
    assert len(calls) == 5  # two in each of the first two blocks, one in the third


def test_colours_are_the_picture_and_a_constant():
    pixels = make_picture(5, 4).pixels
    made = colours(pixels).numpy()
    np.testing.assert_array_equal(made[..., :3], pixels)
    np.testing.assert_array_equal(made[..., 3], np.full((5, 4), 0.5))


def test_the_gram_matrix_of_colours_is_mean_and_covariance(network):
    pixels = make_picture(33, 40).pixels
    maps = Extractor(network, (COLOURS,))(pixels)
    made = gram_matrix(maps[COLOURS]).numpy()
    flat = pixels.reshape(-1, 3).astype(np.float64)
    mean = flat.mean(0)
    np.testing.assert_allclose(made[3, :3], mean / 2, rtol=1e-4)
    np.testing.assert_allclose(made[:3, :3], np.cov(flat.T, bias=True) + np.outer(mean, mean), rtol=1e-4)
    assert made[3, 3] == pytest.approx(0.25)


def test_colours_beside_layers_and_alone(network):
    pixels = make_picture(33, 40).pixels
    assert tuple(Extractor(network, (COLOURS, "block1_conv1"))(pixels)) == (COLOURS, "block1_conv1")
    alone = Extractor(network, (COLOURS,))
    assert alone.layers == ()
    assert tuple(alone(pixels)[COLOURS].shape) == (1, 33, 40, 4)


def test_a_layer_that_was_folded_away_or_never_was_is_refused(residual_network):
    for name in ("conv1_bn", "block1_conv1"):
        with pytest.raises(ConfigError, match=f"resnet50 has no layer named '{name}'"):
            Extractor(residual_network, (name,))


def test_a_network_that_is_not_folded_is_refused(residual_network):
    whole = Network(RESNET50.architecture(1 / 16), residual_network.arrays)
    with pytest.raises(ValueError, match="conv1_bn is not folded"):
        Extractor(whole, ("conv1_relu",))(make_picture(33, 33).pixels)
