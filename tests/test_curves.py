"""Curves as SVG: parsed as XML, and places on the axes by hand."""

import math
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.curves import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    loss_curves,
    loss_ticks,
    step_ticks,
    tick_text,
)
from nst_core.series import Series, series_of
from tests.compared import make_record, make_steps


def series(totals: list[float], *, best: int = 0, label: str = "VGG16", **changes: Any) -> Series:
    line = series_of(make_record(steps=make_steps(totals), best_step=best), label)
    return replace(line, **changes)


def parsed(*lines: Series, part: str = "total") -> ElementTree.Element:
    return ElementTree.fromstring(loss_curves(lines, part=part, title="How far?"))


def points(path: str) -> list[tuple[float, float]]:
    pairs = path.replace("M", " ").replace("L", " ").replace("h1", " ").split()
    return [(float(x), float(y)) for x, y in zip(pairs[::2], pairs[1::2], strict=True)]


def test_equal_ratios_are_equal_distances() -> None:
    (path,) = parsed(series([1000.0, 100.0, 10.0, 1.0])).findall("path")
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = points(path.attrib["d"])
    assert (x1, x4) == (LEFT, WIDTH - RIGHT)
    assert x2 - x1 == pytest.approx(x4 - x3, abs=0.11)
    assert y2 - y1 == pytest.approx(y3 - y2, abs=0.11) == pytest.approx(y4 - y3, abs=0.11)
    assert TOP < y1 < y4 < HEIGHT - BOTTOM


def test_a_curve_per_run_in_its_colour_and_dash() -> None:
    drawing = parsed(series([4.0, 2.0]), series([8.0, 3.0], colour="#D55E00", dash="dash"))
    first, second = drawing.findall("path")
    assert (first.attrib["stroke"], second.attrib["stroke"]) == ("#0072B2", "#D55E00")
    assert "stroke-dasharray" not in first.attrib
    assert second.attrib["stroke-dasharray"] == "8 4"


def test_the_best_step_is_a_dot_on_the_curve() -> None:
    drawing = parsed(series([8.0, 4.0, 2.0, 3.0], best=3))
    (dot,) = drawing.findall("circle")
    place = float(dot.attrib["cx"]), float(dot.attrib["cy"])
    assert place == points(drawing.findall("path")[0].attrib["d"])[2]
    title = dot.find("title")
    assert title is not None
    assert title.text == "VGG16: best at step 3"
    assert parsed(series([8.0, 4.0])).findall("circle") == []


def test_a_line_where_the_picture_grows() -> None:
    drawing = parsed(series([8.0, 4.0, 6.0, 3.0]), series([9.0, 5.0, 7.0, 2.0]))
    (mark,) = [line for line in drawing.findall("line") if line.attrib["class"] == "size"]
    assert float(mark.attrib["x1"]) == pytest.approx(points(drawing.findall("path")[0].attrib["d"])[2][0])
    assert "64 px" in [text.text for text in drawing.findall("text")]


@pytest.mark.parametrize("hole", [math.nan, math.inf, 0.0])
def test_what_has_no_place_on_the_axis_leaves_a_gap(hole: float) -> None:
    (path,) = parsed(series([8.0, 4.0, hole, 2.0, 1.0])).findall("path")
    assert path.attrib["d"].count("M") == 2
    assert len(points(path.attrib["d"])) == 4


def test_a_part_that_is_always_zero_says_so() -> None:
    drawing = parsed(series([8.0, 4.0]), part="variation")
    assert [text.text for text in drawing.findall("text")] == ["always 0"]
    assert parsed(series([])).findall("path") == []


def test_one_step_is_drawn() -> None:
    (path,) = parsed(series([8.0], best=1)).findall("path")
    assert path.attrib["d"].endswith("h1")


def test_names_are_text() -> None:
    label = '"><script>alert(1)</script>'
    drawing = parsed(series([8.0, 4.0], best=2, label=label))
    assert drawing.findall(".//script") == []
    titles = [title.text for title in drawing.iter("title")]
    assert titles == [f"{label}: best at step 2"]


def test_round_ticks_by_hand() -> None:
    assert loss_ticks(math.log10(0.9), math.log10(11)) == [1, 2, 5, 10]
    assert loss_ticks(-3.1, 0.1) == pytest.approx([0.001, 0.01, 0.1, 1])
    assert loss_ticks(math.log10(2.1), math.log10(2.9)) == [2.2, 2.5, 2.8]
    assert step_ticks(30) == [1, 10, 20, 30]
    assert step_ticks(150) == [1, 50, 100, 150]
    assert step_ticks(1) == [1]
    assert [tick_text(value) for value in (0.5, 2.0, 1000.0)] == ["0.5", "2", "1000"]
    assert tick_text(1e-5) == '10<tspan dy="-4" font-size="9">-5</tspan>'
    assert tick_text(2e7) == '2·10<tspan dy="-4" font-size="9">7</tspan>'


@given(st.floats(-12, 12), st.floats(0.1, 20))
def test_ticks_lie_inside_and_are_few(low: float, span: float) -> None:
    ticks = loss_ticks(low, low + span)
    assert 2 <= len(ticks) <= 6
    assert ticks == sorted(ticks)
    for tick in ticks:
        assert low - 0.05 <= math.log10(tick) <= low + span + 0.05


@given(st.integers(1, 100_000))
def test_step_ticks_are_few_and_hold_both_ends(last: int) -> None:
    ticks = step_ticks(last)
    assert ticks[0] == 1
    assert ticks[-1] == last
    assert len(ticks) <= 7


@given(st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=40))
def test_any_curve_stays_inside(totals: list[float]) -> None:
    (path,) = parsed(series(totals)).findall("path")
    for x, y in points(path.attrib["d"]):
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP <= y <= HEIGHT - BOTTOM
