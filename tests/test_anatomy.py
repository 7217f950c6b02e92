"""Receptive fields worked out by hand, map sizes and parameters against Keras, and the trunk."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.anatomy import layer_facts, relative_depth, stations, trunk
from nst_core.architectures import INPUT, Architecture, Layer
from nst_core.backbones import BACKBONES, RESNET50, VGG16, VGG19
from nst_core.errors import ConfigError
from nst_core.networks import keras_model


def facts_by_name(architecture, size=(256, 256)):
    return {row.name: row for row in layer_facts(architecture, size)}


# Each 3x3 window adds 2 strides, each 2x2 pooling 1 stride and doubles the stride.
@pytest.mark.parametrize(
    ("backbone", "layer", "field", "stride"),
    [
        (VGG16, "block1_conv1", 3, 1),  # 1 + 2
        (VGG16, "block1_conv2", 5, 1),
        (VGG16, "block1_pool", 6, 2),  # 5 + 1
        (VGG16, "block2_conv1", 10, 2),  # 6 + 2 * 2
        (VGG16, "block3_conv3", 40, 4),  # 14 + 2 (pool) = 16, then 3 * 2 * 4
        (VGG16, "block5_conv1", 132, 16),  # 40 + 4 = 44, + 3 * 16 = 92, + 8 = 100, + 2 * 16
        (VGG16, "block5_pool", 212, 32),  # 132 + 2 * 32 = 196, + 16
        (VGG19, "block4_conv2", 84, 8),  # 48 + 4 = 52, + 2 * 16
        (VGG19, "block5_conv1", 156, 16),  # 52 + 4 * 16 = 116, + 8 = 124, + 2 * 16
        (VGG19, "block5_conv4", 252, 16),
        (RESNET50, "conv1_relu", 7, 2),
        (RESNET50, "pool1_pool", 11, 4),  # 7 + 2 * 2
        (RESNET50, "conv2_block3_out", 35, 4),  # 11 + 3 * 2 * 4
        (RESNET50, "conv3_block4_out", 99, 8),  # the first 1x1 has the stride: 35 + 4 * 2 * 8
        (RESNET50, "conv4_block6_out", 291, 16),
        (RESNET50, "conv5_block3_out", 483, 32),
    ],
)
def test_receptive_field_and_stride(backbone, layer, field, stride):
    row = facts_by_name(backbone.architecture().folded())[layer]
    assert (row.receptive_field, row.stride) == (field, stride)


def test_the_receptive_field_is_what_a_position_depends_on():
    # With kernels of ones, every pixel of the field and none outside it changes the position.
    architecture = VGG16.architecture(1 / 64).folded()
    model = keras_model(architecture)
    model.set_weights([np.ones_like(array) * (array.ndim > 1) for array in model.get_weights()])
    row = facts_by_name(architecture, (96, 96))["block3_conv2"]
    picture = np.ones((1, 96, 96, 3), np.float32)
    before = np.asarray(model(picture)["block3_conv2"])[0, 12, 12, 0]
    changed = []
    for column in range(96):
        touched = picture.copy()
        touched[0, :, column] += 1  # a max pooling of equal sums passes the larger one on
        changed.append(np.asarray(model(touched)["block3_conv2"])[0, 12, 12, 0] != before)
    assert sum(changed) == row.receptive_field == 32


@pytest.mark.parametrize("backbone", BACKBONES.values(), ids=lambda row: row.name)
def test_map_sizes_channels_and_parameters_are_those_of_keras(backbone):
    architecture = backbone.architecture(1 / 16)
    model = keras_model(architecture)
    maps = model(np.zeros((1, 67, 90, 3), np.float32))
    for row in layer_facts(architecture, (90, 67)):
        assert (1, *row.size[::-1], row.channels) == maps[row.name].shape, row.name
        assert row.parameters == model.get_layer(row.name).count_params(), row.name


def test_parameters_of_the_published_networks():
    # Without their top layers, as Keras counts them.
    wanted = {"vgg16": 14_714_688, "vgg19": 20_024_384, "resnet50": 23_587_712}
    for name, backbone in BACKBONES.items():
        facts = layer_facts(backbone.architecture(), (224, 224))
        assert sum(row.parameters for row in facts) == wanted[name]
    assert facts_by_name(VGG16.architecture())["block1_conv1"].parameters == 3 * 3 * 3 * 64 + 64


@pytest.mark.parametrize("backbone", BACKBONES.values(), ids=lambda row: row.name)
@given(width=st.integers(33, 2000), height=st.integers(33, 2000))
def test_deeper_never_means_larger_maps_or_smaller_fields(backbone, width, height):
    architecture = backbone.architecture()
    facts = facts_by_name(architecture, (width, height))
    for layer in architecture.layers:
        for source in (facts[name] for name in layer.inputs if name != INPUT):
            row = facts[layer.name]
            assert row.receptive_field >= source.receptive_field
            assert row.stride >= source.stride
            assert row.depth >= source.depth
            if layer.kind != "pad":
                assert max(row.size) <= max(source.size)


def test_depth_counts_the_convolutions_of_the_longest_path():
    deepest = {name: max(row.depth for row in layer_facts(backbone.architecture(), (64, 64)))
               for name, backbone in BACKBONES.items()}  # fmt: skip
    assert deepest == {"vgg16": 13, "vgg19": 16, "resnet50": 49}  # 1 + 16 blocks of 3
    shares = relative_depth(layer_facts(VGG16.architecture(), (64, 64)))
    assert shares["block1_conv1"] == pytest.approx(1 / 13)
    assert shares["block5_pool"] == 1


def test_a_picture_too_small_is_refused_by_the_layer_at_which_it_ends():
    with pytest.raises(ConfigError, match=r"31 x 64 pixels is too small for vgg19: .* block5_pool"):
        layer_facts(VGG19.architecture(), (31, 64))
    assert facts_by_name(VGG19.architecture(), (32, 64))["block5_pool"].size == (1, 2)


def test_the_trunk_of_a_diamond_leaves_out_both_its_sides():
    def layer(name, *inputs, kind="relu"):
        return Layer(name=name, kind=kind, inputs=inputs, channels=1)

    diamond = Architecture(
        "diamond",
        1.0,
        (
            layer("a", INPUT),
            layer("b", "a"),
            layer("c", "a"),
            layer("d", "b", "c", kind="add"),
            layer("e", "d"),
        ),
    )
    assert trunk(diamond) == ("a", "d", "e")


def test_stations_are_vggs_convolutions_and_the_ends_of_resnets_blocks():
    assert stations(VGG16.architecture()) == tuple(
        layer.name for layer in VGG16.architecture().layers if layer.kind == "convolution"
    )
    blocks = stations(RESNET50.architecture())
    assert blocks[0] == "conv1_relu"
    assert len(blocks) == 17
    assert all(name.endswith("_out") for name in blocks[1:])
    assert blocks == stations(RESNET50.architecture().folded())
    for backbone in BACKBONES.values():
        assert set(backbone.style_layers) <= set(stations(backbone.architecture()))
