"""What the figures of activations along the depth show."""

import pytest

from nst_core.activations import LayerStatistics
from nst_core.backbones import VGG16
from nst_core.depth_figures import Profile, statistics_figure


@pytest.mark.parametrize(
    ("quantity", "axis"), [("peak_over_mean", "log"), ("entropy", "linear"), ("gram_entropy", "linear")]
)
def test_statistics_are_drawn_over_depth_in_the_backbones_colour(quantity, axis):
    rows = [
        LayerStatistics(name=name, mean=1.0, peak_over_mean=peak, entropy=0.5, gram_entropy=0.25)
        for name, peak in (("one", 10.0), ("two", 30.0))
    ]
    profile = Profile(label="VGG16", colour=VGG16.colour, depths=(0.5, 1.0), statistics=rows)
    figure = statistics_figure([profile], quantity)
    assert list(figure.data[0].x) == [0.5, 1.0]
    assert list(figure.data[0].y) == [getattr(row, quantity) for row in rows]
    assert figure.data[0].line.color == VGG16.colour
    assert figure.layout.yaxis.type == axis
    # Without a format of their own ticks between powers of ten show their first digit: 30 as "3".
    assert (figure.layout.yaxis.tickformat == "~g") == (axis == "log")
    assert figure.layout.title.text.endswith("?")
