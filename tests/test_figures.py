"""Loss curves as Plotly figures: their marks and names, by hand."""

from dataclasses import replace
from typing import Any

import pytest

from nst_core.figures import loss_figure
from nst_core.series import Series, series_of
from tests.compared import make_record, make_steps

TOTALS = [8.0, 4.0, 2.0, 3.0]


def series(label: str = "VGG16", *, change: int = 2, totals: list[float] = TOTALS, **changes: Any) -> Series:
    record = make_record(steps=make_steps(totals, change=change), best_step=changes.pop("best", 3))
    return replace(series_of(record, label), **changes)


def lines_of(figure: Any) -> list[tuple[float, str]]:
    """Where the figure's upright lines stand, and what is written at them."""
    texts = [note.text for note in figure.layout.annotations]
    return [(shape.x0, text) for shape, text in zip(figure.layout.shapes, texts, strict=True)]


def diamonds(figure: Any) -> list[tuple[list[float], list[float], list[str]]]:
    marked = [row for row in figure.data if row.name == "another size"]
    return [(list(row.x), list(row.y), list(row.text)) for row in marked]


def test_a_line_where_one_run_changes_size_and_a_dot_at_its_best() -> None:
    figure = loss_figure([series()], title="One")
    assert lines_of(figure) == [(3, "64 × 48")]
    (best,) = [row for row in figure.data if row.name == "best step"]
    assert (list(best.x), list(best.y)) == ([3], [2.0])
    assert diamonds(figure) == []


def test_runs_that_change_together_share_a_line_also_one_that_ended_before() -> None:
    figure = loss_figure([series("A"), series("B"), series("C", totals=[8.0, 4.0], best=2)], title="Three")
    assert lines_of(figure) == [(3, "64 × 48")]
    assert diamonds(figure) == []


def test_a_run_without_a_step_yet_takes_no_line_from_the_others() -> None:
    figure = loss_figure([series("A"), series("waits", totals=[], best=0)], title="Two")
    assert lines_of(figure) == [(3, "64 × 48")]


def test_runs_that_change_at_different_steps_have_a_diamond_each() -> None:
    figure = loss_figure([series("A"), series("B", change=1)], title="Two")
    assert lines_of(figure) == []
    assert diamonds(figure) == [([3], [2.0], ["64 × 48"]), ([2], [4.0], ["64 × 48"])]


def test_a_run_of_one_size_shares_no_line_with_one_that_grows() -> None:
    figure = loss_figure([series("grows"), series("large", change=0)], title="Two")
    assert lines_of(figure) == []
    assert diamonds(figure) == [([3], [2.0], ["64 × 48"])]


def test_a_run_that_is_not_over_has_its_sizes_marked_too() -> None:
    figure = loss_figure([series("A", best=0), series("B", change=1, best=0)], title="Forming")
    assert [x for x, _, _ in diamonds(figure)] == [[3], [2]]


def test_by_the_clock_a_change_stands_at_its_second() -> None:
    figure = loss_figure([series()], title="One", by="seconds")
    assert lines_of(figure) == [(pytest.approx(2.5), "64 × 48")]  # 1 + 3 x 0.5


def test_no_marks_where_none_are_wanted() -> None:
    for lines in ([series()], [series("A"), series("B", change=1)]):
        figure = loss_figure(lines, title="Bare", marks=False)
        assert lines_of(figure) == diamonds(figure) == []
        assert all(row.name != "best step" for row in figure.data)


def test_a_logarithmic_axis_shows_three_decades_below_the_highest() -> None:
    figure = loss_figure([series(totals=[100.0, 1.0, 1e-9, 10.0])], title="Deep")
    assert list(figure.layout.yaxis.range) == pytest.approx([-1.1, 2.1])
