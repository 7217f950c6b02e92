"""The geometry of tiles, followed by plain loops: who owns what, and whether the halo is wide enough."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nst_core.architectures import INPUT, Layer
from nst_core.backbones import COLOURS, RESNET50, VGG16, VGG19
from nst_core.tiles import Span, crop_sizes, cut, largest_crop, map_sides, spans, strides, whole_stride

NETWORKS = {row.name: row.architecture(1 / 16).folded() for row in (VGG16, VGG19, RESNET50)}


@st.composite
def routes(draw: st.DrawFn) -> list:
    chosen = draw(st.lists(st.sampled_from(sorted(NETWORKS)), min_size=1, max_size=2, unique=True))
    made = []
    for name in chosen:
        network = NETWORKS[name]
        layers = draw(
            st.lists(st.sampled_from([*network.names, COLOURS]), min_size=1, max_size=4, unique=True)
        )
        deep = tuple(layer for layer in layers if layer != COLOURS)
        made.append((network.up_to(deep) if deep else (), {f"{name}:{layer}": layer for layer in layers}))
    return made


def seen_truly(layers: tuple[Layer, ...], length: int, span: Span) -> dict[str, np.ndarray]:
    """For each layer, which positions of a crop's map are what the whole picture's map has there.

    A padding's position is right where it lies beyond the picture's own border, and mirrors right positions.
    """
    steps, sides = strides(layers), map_sides(layers, length)
    right = {INPUT: np.ones(span.stop - span.start, bool)}
    for layer in layers:
        window = layer.kernel if layer.kind != "pad" else 1
        stride = layer.stride
        found = None
        for name in layer.inputs:
            source = right[name]
            origin = span.start // steps[name]
            places = np.arange(-layer.padding, len(source) + layer.padding)
            mirrored = np.abs(places)
            mirrored = np.where(mirrored >= len(source), 2 * len(source) - 2 - mirrored, mirrored)
            repeated = np.clip(places, 0, len(source) - 1)
            fine = source[mirrored] & source[repeated]
            outside = (places < 0) | (places >= len(source))
            border = (places + origin < 0) | (places + origin >= sides[name])
            fine &= ~outside | border
            windows = np.lib.stride_tricks.sliding_window_view(fine, window)[::stride].all(-1)
            found = windows if found is None else found & windows
        right[layer.name] = found
    right[COLOURS] = right[INPUT]
    return right


@settings(max_examples=150)
@given(routes(), st.integers(40, 700), st.integers(1, 300))
def test_every_position_is_owned_once_and_computed_as_in_the_whole(made, length: int, side: int) -> None:
    found = spans(made, length, side)
    for layers, keys in made:
        sides = map_sides(layers, length)
        for key, name in keys.items():
            owned = [place for span in found for place in range(*span.owned[key])]
            assert owned == list(range(sides[name]))
        for span in found:
            right = seen_truly(layers, length, span)
            for key, name in keys.items():
                first, end = (place - span.origins[key] for place in span.owned[key])
                assert first >= 0
                assert end <= len(right[name])
                assert right[name][first:end].all()


@settings(max_examples=50)
@given(routes(), st.integers(40, 700), st.integers(40, 700), st.integers(64, 400))
def test_cells_are_no_larger_than_asked_for(made, width: int, height: int, side: int) -> None:
    rhythm = whole_stride(made)
    tiles = cut(made, (width, height), side)
    assert len(tiles) == len(spans(made, width, side)) * len(spans(made, height, side))
    most = largest_crop(made, (width, height), side)
    for tile in tiles:
        top, bottom, left, right = tile.box
        assert 0 <= top < bottom <= height
        assert 0 <= left < right <= width
        assert top % rhythm == left % rhythm == 0
        assert tile.size == (right - left, bottom - top)
        assert tile.size[0] <= most[0]
        assert tile.size[1] <= most[1]
    assert crop_sizes(made, (width, height), side) == len({tile.size for tile in tiles})
    # A halo is found even where the picture is one cell too large.
    assert len(spans(made, side, side)) == 1


def test_one_convolution_by_hand() -> None:
    layer = Layer(name="a", kind="convolution", inputs=(INPUT,), channels=1, kernel=3, padding=1)
    pool = Layer(name="b", kind="max_pool", inputs=("a",), channels=1, kernel=2, stride=2)
    made = [((layer, pool), {"pooled": "b"})]
    # Cells of 4 pixels: 0-4, 4-8, 8-11. The last pixel fills no pooling cell. Each convolution sees one pixel
    # more on either side, and crops begin at even pixels.
    assert spans(made, 11, 4) == (
        Span(0, 5, {"pooled": (0, 2)}, {"pooled": 0}),
        Span(2, 9, {"pooled": (2, 4)}, {"pooled": 1}),
        Span(6, 11, {"pooled": (4, 5)}, {"pooled": 3}),
    )
    assert largest_crop(made, (11, 4), 4) == (7, 4)
    assert crop_sizes(made, (11, 4), 4) == 2  # 5 and 7 pixels wide


def test_the_halo_of_vgg19_and_resnet50() -> None:
    for row, rhythm, halo in ((VGG19, 16, (80, 70)), (RESNET50, 32, (256, 210))):
        layers = NETWORKS[row.name].up_to(row.style_layers)
        made = [(layers, {name: name for name in row.style_layers})]
        assert whole_stride(made) == rhythm
        middle = spans(made, 2048, 512)[1]
        assert (512 - middle.start, middle.stop - 1024) == halo
