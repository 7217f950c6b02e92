"""The table of backbones: its layers exist, and its limits are the right ones."""

import re

import keras
import numpy as np
import pytest

from nst_core.architectures import INPUT, output_side
from nst_core.backbones import (
    BACKBONES,
    BGR_MEANS,
    COLOURS,
    RESNET50,
    VGG16,
    VGG19,
    Backbone,
    find_backbone,
    without_deepest,
)
from nst_core.errors import ConfigError

ROWS = [pytest.param(row, id=row.name) for row in BACKBONES.values()]


def sides(backbone: Backbone, side: int) -> dict[str, int]:
    made = {INPUT: side}
    for layer in backbone.architecture().folded().layers:
        made[layer.name] = output_side(layer, made[layer.inputs[0]])
    return made


@pytest.mark.parametrize("row", ROWS)
def test_the_chosen_layers_exist_where_features_are_read(row):
    names = row.architecture().folded().names
    assert set(row.style_layers) | {row.content_layer} <= set(names)
    assert set(row.sketch_style_layers) <= {*names, COLOURS}
    # ResNet50's sketch is hardly better for what lies deeper, and quicker without it.
    assert set(row.style_layers) - set(row.sketch_style_layers) == (
        {"conv3_block4_out", "conv4_block6_out", "conv5_block3_out"} if row is RESNET50 else set()
    )
    assert set(row.sketch_content_layers) <= set(names)
    for chosen in (row.style_layers, row.sketch_style_layers):
        order = [names.index(name) for name in chosen if name != COLOURS]
        assert order == sorted(set(order))


def test_the_two_vgg_are_read_at_the_same_layers():
    assert VGG16.style_layers == VGG19.style_layers
    assert VGG16.content_layer == VGG19.content_layer


@pytest.mark.parametrize("row", ROWS)
def test_sketches_see_the_content_at_the_same_strides(row):
    made = sides(row, 64)
    assert [64 // made[name] for name in row.sketch_content_layers] == [2, 4, 8]


def test_without_deepest_leaves_out_whole_stages():
    assert without_deepest(RESNET50.style_layers) == RESNET50.style_layers[:4]
    assert without_deepest(VGG19.style_layers, 2) == VGG19.style_layers[:3]
    left = without_deepest(RESNET50.sketch_style_layers)
    assert [name for name in RESNET50.sketch_style_layers if name not in left] == [
        "conv3_block1_out",
        "conv3_block2_out",
    ]
    assert COLOURS in left


@pytest.mark.parametrize("row", ROWS)
def test_two_positions_a_side_are_left_at_the_smallest_side(row):
    made = sides(row, row.smallest_side)
    assert min(made[name] for name in (*row.style_layers, row.content_layer)) == 2


def test_the_smallest_side_cannot_be_smaller_for_all():
    made = sides(RESNET50, RESNET50.smallest_side - 1)
    assert made["conv5_block3_out"] == 1


def test_means_are_those_of_keras():
    black = keras.applications.imagenet_utils.preprocess_input(np.zeros((1, 1, 3)), mode="caffe")
    np.testing.assert_allclose(-black[0, 0], BGR_MEANS)


@pytest.mark.parametrize("row", ROWS)
def test_file_names_and_hashes_are_those_that_keras_downloads(row):
    module = {"vgg16": "vgg16", "vgg19": "vgg19", "resnet50": "resnet"}[row.name]
    source = getattr(keras.src.applications, module)
    addresses = [getattr(source, name, "") for name in ("WEIGHTS_PATH_NO_TOP", "BASE_WEIGHTS_PATH")]
    hashes = str(getattr(source, "WEIGHTS_HASHES", {}).get("resnet50", ""))
    file = row.imagenet_file.removesuffix("_weights_tf_dim_ordering_tf_kernels_notop.h5")
    assert file == row.name
    assert any(f"/{row.imagenet_folder}/" in address for address in addresses)
    if row is RESNET50:
        assert row.imagenet_md5 in hashes
    else:
        assert addresses[0].endswith(f"/{row.imagenet_file}")
    assert re.fullmatch("[0-9a-f]{32}", row.imagenet_md5)


def test_the_table_cannot_be_changed_and_is_found_by_name():
    assert find_backbone("vgg19") is VGG19
    assert [BACKBONES[name].name for name in BACKBONES] == list(BACKBONES)
    with pytest.raises(TypeError):
        BACKBONES["vgg11"] = VGG16


@pytest.mark.parametrize("name", ["vgg11", "VGG16", ""])
def test_an_unknown_backbone_is_refused_with_the_choices(name):
    with pytest.raises(ConfigError, match="one of vgg16, vgg19, resnet50; received"):
        find_backbone(name)
