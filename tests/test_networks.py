"""Our Keras models and folded arrays against `keras.applications`, every layer of them."""

import keras
import numpy as np
import pytest

from nst_core.backbones import BACKBONES, RESNET50, VGG16
from nst_core.features import Extractor
from nst_core.networks import BATCH_NORM_EPSILON, Network, fold, keras_model, random_network
from tests.conftest import make_picture
from tests.reference import feature_maps

NAMES = list(BACKBONES)
HEIGHT, WIDTH = 47, 64  # an odd and an even side


def largest_difference(ours, theirs):
    """Relative to the largest value of the map."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape
    assert np.abs(theirs).max() > 0
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.fixture(scope="module")
def preprocessed():
    pixels = make_picture(HEIGHT, WIDTH, seed=3).pixels
    return keras.applications.vgg16.preprocess_input(pixels[np.newaxis] * 255)


@pytest.fixture(scope="module", params=NAMES)
def pair(request, published, preprocessed):
    """(backbone, our Keras model with their weights, their maps by layer)."""
    backbone, theirs = BACKBONES[request.param], published(request.param)
    ours = keras_model(backbone.architecture())
    for layer in ours.layers[1:]:
        layer.set_weights(theirs.get_layer(layer.name).get_weights())
    wanted = keras.Model(theirs.input, {layer.name: layer.output for layer in theirs.layers[1:]})
    return backbone, ours, wanted(preprocessed, training=False)


def test_every_output_equals_that_of_keras_applications(pair, preprocessed):
    backbone, ours, wanted = pair
    maps = ours(preprocessed, training=False)
    assert set(maps) == set(wanted) == set(backbone.architecture().names)
    for name in wanted:
        assert largest_difference(maps[name], wanted[name]) < 1e-5, name


def test_folded_arrays_give_the_same_style_and_content_maps(pair):
    backbone, ours, wanted = pair
    architecture = backbone.architecture()
    network = Network(architecture.folded(), fold(ours, architecture))
    layers = (*backbone.style_layers, backbone.content_layer)
    maps = Extractor(network, layers)(make_picture(HEIGHT, WIDTH, seed=3).pixels)
    for name in layers:
        assert largest_difference(maps[name], wanted[name]) < 1e-4, name


@pytest.mark.parametrize("name", NAMES)
def test_a_model_with_one_output_has_its_layers_in_keras_own_order(name, published):
    backbone = BACKBONES[name]
    model = keras_model(backbone.architecture(1 / 16), every_output=False)
    assert [layer.name for layer in model.layers[1:]] == [layer.name for layer in published(name).layers[1:]]


def test_normalised_vgg_folds_to_the_same_maps(rng):
    architecture = VGG16.architecture(1 / 16)
    model = keras_model(architecture, normalised=True)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            low = np.array([[0.5], [-0.5], [-0.5], [0.5]])  # gamma, beta, moving mean, moving variance
            layer.set_weights(list(rng.uniform(low, low + 1.0, (4, layer.gamma.shape[0]))))
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers) == 13
    pixels = make_picture(40, 33, seed=4).pixels
    wanted = model(keras.applications.vgg16.preprocess_input(pixels[np.newaxis] * 255), training=False)
    maps = feature_maps(Network(architecture, fold(model, architecture)), pixels)
    for name in architecture.names:
        assert largest_difference(maps[name][np.newaxis], wanted[name]) < 1e-4, name


def test_folding_one_channel_by_hand():
    architecture = RESNET50.architecture(1 / 64)  # the stem has one channel
    model = keras_model(architecture)
    model.get_layer("conv1_conv").set_weights([np.full((7, 7, 3, 1), 3.0), np.array([5.0])])
    # scale = 4 / sqrt(4) = 2 but for epsilon; bias = (5 - 1) * 2 + 0.5
    statistics = [np.array([value]) for value in (4.0, 0.5, 1.0, 4.0 - BATCH_NORM_EPSILON)]
    model.get_layer("conv1_bn").set_weights(statistics)
    kernel, bias = fold(model, architecture)["conv1_conv"]
    np.testing.assert_allclose(kernel, np.full((7, 7, 3, 1), 6.0), rtol=1e-6)
    np.testing.assert_allclose(bias, [8.5], rtol=1e-6)
    assert kernel.dtype == bias.dtype == np.float32


def test_random_is_the_same_for_a_seed_and_another_for_another():
    architecture = VGG16.architecture(1 / 16)
    first, again, other = (random_network(architecture, seed) for seed in (5, 5, 6))
    for name in first.arrays:
        np.testing.assert_array_equal(first.arrays[name][0], again.arrays[name][0])
        assert (first.arrays[name][0] != other.arrays[name][0]).any()


def test_random_kernels_have_the_deviation_of_he_and_no_bias():
    network = random_network(VGG16.architecture(0.25), seed=0)
    kernel, bias = network.arrays["block4_conv2"]
    assert kernel.shape == (3, 3, 128, 128)
    # 147,456 draws: the sample deviation is within 1 % of sqrt(2 / fan-in) but once in 10^7 seeds.
    assert kernel.std() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.01)
    assert not bias.any()


def test_random_residual_branches_do_not_grow():
    network = random_network(RESNET50.architecture(0.25), seed=0)
    kernel = network.arrays["conv4_block2_3_conv"][0]
    assert kernel.std() == pytest.approx((2 / 64 / 16) ** 0.5, rel=0.03)  # 16 blocks
    assert network.arrays["conv4_block2_2_conv"][0].std() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_those_of_keras_without_batch_normalisation(name, published):
    model = published(name)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    expected = sum(layer.count_params() for layer in convolutions)
    assert random_network(BACKBONES[name].architecture(), seed=0).parameters == expected
