"""The extractor against a plain float64 reference, `np.pad`, Keras and TensorFlow's own pooling."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nst_core.architectures import INPUT, Architecture, Layer
from nst_core.backbones import COLOURS, RESNET50, VGG16, VGG19
from nst_core.errors import ConfigError
from nst_core.features import Extractor, colours, preprocess
from nst_core.networks import Network, random_network
from nst_core.statistics import gram_matrix
from tests.conftest import make_picture, with_biases
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


def test_preprocessing_is_that_of_keras_in_rgb_and_leaves_its_input_alone():
    pixels = make_picture(9, 7).pixels.copy()
    before = pixels.copy()
    made = preprocess(pixels)
    np.testing.assert_array_equal(pixels, before)
    wanted = keras.applications.vgg16.preprocess_input(pixels * 255)[..., ::-1]  # changes the product, a copy
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


def plain_maps(network, picture, layers, padding, pooling):
    """The same maps by TensorFlow's plain operations in float64, for its own gradient."""
    mode = {"zero": "CONSTANT", "reflect": "REFLECT", "replicate": "SYMMETRIC"}[padding]

    def pad(maps, amount):
        return tf.pad(maps, [[0, 0], [amount, amount], [amount, amount], [0, 0]], mode)

    maps = {INPUT: (tf.reverse(picture, [-1]) * 255.0 - MEANS)[tf.newaxis]}
    for layer in network.architecture.up_to(layers):
        source = maps[layer.inputs[0]]
        if layer.kind == "convolution":
            kernel, bias = (np.asarray(array, np.float64) for array in network.arrays[layer.name])
            made = tf.nn.conv2d(pad(source, layer.padding), kernel, layer.stride, "VALID") + bias
            made = tf.maximum(made, 0.0) if layer.relu else made
        elif layer.kind == "max_pool":
            pool = tf.nn.max_pool2d if pooling == "max" else tf.nn.avg_pool2d
            made = pool(source, layer.kernel, layer.stride, "VALID")
        elif layer.kind == "pad":
            made = pad(source, layer.padding)
        else:
            made = tf.maximum(source, 0.0) if layer.kind == "relu" else source + maps[layer.inputs[1]]
        maps[layer.name] = made
    return [maps[name] for name in layers]


@pytest.mark.parametrize("onednn", [False, True])
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate"])
@pytest.mark.parametrize("backbone", [VGG16, RESNET50], ids=lambda row: row.name)
def test_the_gradient_through_all_layers_is_that_of_plain_operations(
    backbone, padding, pooling, onednn, monkeypatch
):
    for module in ("features", "operations"):
        monkeypatch.setattr(f"nst_core.{module}.onednn_computes", lambda: onednn)
    network = with_biases(random_network(backbone.architecture(1 / 32), seed=3))
    pixels = make_picture(35, 42, seed=4).pixels
    extract = Extractor(network, backbone.style_layers, padding=padding, pooling=pooling)
    gradients = []
    for picture in (tf.constant(pixels), tf.constant(pixels, tf.float64)):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            if picture.dtype == tf.float32:
                maps = list(extract(picture).values())
            else:
                maps = plain_maps(network, picture, backbone.style_layers, padding, pooling)
            total = tf.add_n(
                [tf.reduce_mean(tf.square(each)) / (1 + index) for index, each in enumerate(maps)]
            )
        gradients.append(tape.gradient(total, picture).numpy())
    made, wanted = gradients
    np.testing.assert_allclose(made, wanted, atol=1e-4 * np.abs(wanted).max())


def test_one_graph_serves_every_picture_size(network):
    extract = Extractor(network, ("block3_conv1",), padding="reflect", pooling="average")
    compiled = tf.function(
        extract.__call__, input_signature=[tf.TensorSpec([None, None, 3])], autograph=False
    )
    for height, width in ((33, 40), (47, 34)):
        pixels = make_picture(height, width).pixels
        np.testing.assert_allclose(
            compiled(pixels)["block3_conv1"], extract(pixels)["block3_conv1"], rtol=1e-4, atol=1e-2
        )
    assert compiled.experimental_get_tracing_count() == 1


def test_bfloat16_maps_are_float32_maps_but_for_rounding(network):
    pixels = make_picture(33, 46, seed=1).pixels
    names = ("block1_conv1", "block2_conv2", "block3_conv3", COLOURS)
    maps = Extractor(network, names, padding="reflect", pooling="average")(pixels)
    rounded = Extractor(network, names, padding="reflect", pooling="average", precision="bfloat16")(pixels)
    np.testing.assert_array_equal(rounded[COLOURS], maps[COLOURS])
    for name in names[:-1]:
        assert rounded[name].dtype == tf.bfloat16
        away = np.abs(tf.cast(rounded[name], tf.float32) - maps[name]).max() / np.abs(maps[name]).max()
        assert 1e-5 < away < 0.02, name  # bfloat16 rounds by up to 2^-9 at each of the few layers


def test_a_bfloat16_gradient_points_where_the_float32_one_does(network):
    pixels = tf.constant(make_picture(33, 46, seed=1).pixels)
    gradients = []
    for precision in ("float32", "bfloat16"):
        extract = Extractor(network, ("block3_conv1",), pooling="average", precision=precision)
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            total = tf.reduce_mean(tf.square(tf.cast(extract(pixels)["block3_conv1"], tf.float32)))
        gradients.append(tape.gradient(total, pixels).numpy().ravel())
    exact, rounded = gradients
    assert rounded.dtype == np.float32
    assert exact @ rounded / np.linalg.norm(exact) / np.linalg.norm(rounded) > 0.99
