"""What the drawings of networks show."""

from itertools import pairwise

from nst_core.anatomy import layer_facts, stations
from nst_core.anatomy_figures import anatomy_figure, describe
from nst_core.backbones import RESNET50, VGG16, VGG19


def drawing(backbone, style, content):
    architecture = backbone.architecture().folded()
    facts = layer_facts(architecture, (256, 192))
    return anatomy_figure(backbone, facts, drawn=stations(architecture), style=style, content=content)


def test_every_box_can_be_clicked_and_only_the_chosen_have_the_colour():
    figure = drawing(VGG19, VGG19.style_layers, (VGG19.content_layer,))
    boxes = {bar.name: list(bar.customdata) for bar in figure.data if bar.type == "bar"}
    assert boxes["style layer"] == list(VGG19.style_layers)
    assert boxes["content layer"] == [VGG19.content_layer]
    assert len(boxes["other layers"]) == 16 - 6
    colours = {bar.name: bar.marker.color for bar in figure.data if bar.type == "bar"}
    assert colours["style layer"] == colours["content layer"] == VGG19.colour
    assert colours["other layers"] != VGG19.colour
    assert {note.text for note in figure.layout.annotations} == {*VGG19.style_layers, VGG19.content_layer}


def test_a_layer_that_is_both_says_so():
    figure = drawing(RESNET50, RESNET50.style_layers, (RESNET50.content_layer,))
    both = next(bar for bar in figure.data if bar.name == "content and style layer")
    assert list(both.customdata) == ["conv4_block6_out"]


def test_of_two_content_layers_only_the_one_that_is_both_says_so():
    figure = drawing(VGG19, ("block1_conv1", "block4_conv2"), ("block3_conv1", "block4_conv2"))
    boxes = {bar.name: list(bar.customdata) for bar in figure.data if bar.type == "bar"}
    assert boxes["style layer"] == ["block1_conv1"]
    assert boxes["content layer"] == ["block3_conv1"]
    assert boxes["content and style layer"] == ["block4_conv2"]
    shapes = {bar.name: bar.marker.pattern.shape for bar in figure.data if bar.type == "bar"}
    assert len({shapes["style layer"], shapes["content layer"], shapes["content and style layer"]}) == 3


def test_boxes_shrink_with_their_maps_and_do_not_overlap():
    figure = drawing(RESNET50, (), ())
    bar = next(bar for bar in figure.data if bar.name == "other layers")
    assert list(bar.y) == sorted(bar.y, reverse=True)
    widths = [round(width, 9) for width in bar.width]  # they are differences of edges
    assert widths == sorted(widths)
    edges = [(x - width / 2, x + width / 2) for x, width in zip(bar.x, bar.width, strict=True)]
    assert all(before[1] < after[0] for before, after in pairwise(edges))


def test_only_residual_blocks_have_shortcuts():
    shortcuts = [row for row in drawing(RESNET50, (), ()).data if row.type == "scatter"]
    assert sum(value is None for value in shortcuts[0].x) == 16
    assert [row for row in drawing(VGG16, (), ()).data if row.type == "scatter"] == []


def test_a_box_tells_its_facts():
    row = layer_facts(VGG16.architecture(), (256, 192))[3]
    assert describe(row) == "<b>block2_conv1</b><br>128 channels of 128 × 96<br>sees 10 × 10 pixels"
