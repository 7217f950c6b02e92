"""The rows against `keras.applications`, and what can be derived from them."""

import keras
import pytest

from nst_core.architectures import INPUT, Layer, output_side, resnet50, scaled, vgg
from nst_core.backbones import BACKBONES, RESNET50, VGG16, VGG19
from nst_core.errors import ConfigError

ALL = [row.architecture() for row in BACKBONES.values()]


@pytest.mark.parametrize("architecture", ALL, ids=lambda one: one.name)
def test_layers_are_those_of_keras_applications(architecture, published):
    theirs = {layer.name: layer for layer in published(architecture.name).layers[1:]}
    assert sorted(architecture.names) == sorted(theirs)
    for layer in architecture.layers:
        sources = [
            tensor._keras_history.operation.name for tensor in keras.tree.flatten(theirs[layer.name].input)
        ]
        ours = [
            name if name != INPUT else published(architecture.name).layers[0].name for name in layer.inputs
        ]
        assert ours == sources, layer.name
        assert theirs[layer.name].output.shape[-1] == layer.channels, layer.name


@pytest.mark.parametrize("architecture", ALL[:2], ids=lambda one: one.name)
def test_vgg_is_in_the_order_of_keras_applications(architecture, published):
    assert list(architecture.names) == [layer.name for layer in published(architecture.name).layers[1:]]


@pytest.mark.parametrize("architecture", [*ALL, *(one.folded() for one in ALL)])
def test_each_layer_reads_only_earlier_ones(architecture):
    seen = {INPUT}
    for layer in architecture.layers:
        assert set(layer.inputs) <= seen
        assert layer.name not in seen
        seen.add(layer.name)


def test_folding_takes_every_batch_normalisation_out_and_nothing_else():
    whole, folded = RESNET50.architecture(), RESNET50.architecture().folded()
    kinds = [layer.kind for layer in folded.layers]
    assert kinds.count("batch_norm") == 0
    assert len(whole.layers) - len(folded.layers) == 53  # one for each convolution
    assert kinds.count("convolution") == 53
    assert folded.layer("conv2_block1_add").inputs == ("conv2_block1_0_conv", "conv2_block1_3_conv")
    assert folded.layer("conv2_block2_add").inputs == ("conv2_block1_out", "conv2_block2_3_conv")
    assert VGG16.architecture().folded() == VGG16.architecture()


def test_up_to_keeps_only_what_the_wanted_layers_need():
    architecture = VGG19.architecture()
    assert [layer.name for layer in architecture.up_to(("block2_conv1", "block1_conv1"))] == [
        "block1_conv1",
        "block1_conv2",
        "block1_pool",
        "block2_conv1",
    ]
    assert architecture.up_to(()) == ()


def test_up_to_leaves_out_a_branch_that_is_not_needed():
    names = [layer.name for layer in RESNET50.architecture().folded().up_to(("conv2_block1_2_relu",))]
    assert "conv2_block1_1_conv" in names
    assert "conv2_block1_0_conv" not in names
    assert "conv2_block1_3_conv" not in names
    both = [layer.name for layer in RESNET50.architecture().folded().up_to(("conv2_block1_out",))]
    assert {"conv2_block1_0_conv", "conv2_block1_3_conv"} <= set(both)


@pytest.mark.parametrize("wanted", ["block6_conv1", "", "fc1", INPUT, "Block1_conv1"])
def test_an_unknown_layer_is_refused_by_name(wanted):
    with pytest.raises(ConfigError, match=r"vgg16 has no layer named"):
        VGG16.architecture().up_to((wanted,))


@pytest.mark.parametrize(
    ("channels", "width", "expected"), [(64, 1.0, 64), (64, 0.25, 16), (512, 1 / 16, 32), (64, 0.001, 1)]
)
def test_scaled(channels, width, expected):
    assert scaled(channels, width) == expected


def test_width_scales_every_layer():
    quarter = vgg((2, 2, 3, 3, 3), 0.25)
    assert [quarter.layer(f"block{block}_conv1").channels for block in range(1, 6)] == [16, 32, 64, 128, 128]
    assert resnet50(0.25).layer("conv5_block3_out").channels == 512
    assert quarter.names == VGG16.architecture().names


@pytest.mark.parametrize(
    ("layer", "side", "expected"),
    [
        (Layer(name="c", kind="convolution", inputs=(INPUT,), channels=1, kernel=3, padding=1), 7, 7),
        (Layer(name="c", kind="convolution", inputs=(INPUT,), channels=1, kernel=7, stride=2), 13, 4),
        (Layer(name="p", kind="max_pool", inputs=(INPUT,), channels=1, kernel=2, stride=2), 7, 3),
        (Layer(name="z", kind="pad", inputs=(INPUT,), channels=1, padding=3), 7, 13),
        (Layer(name="r", kind="relu", inputs=(INPUT,), channels=1), 7, 7),
    ],
)
def test_output_side(layer, side, expected):
    assert output_side(layer, side) == expected
