"""The table by hand: what is in it, and who is ahead."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.choices import VARIATION_OVER_ROOT
from nst_core.comparison_table import Row, best_of, comparison_rows, seconds_a_step
from nst_core.metrics import METRICS
from tests.compared import make_comparison, make_record, make_steps


@pytest.mark.parametrize(
    ("values", "better", "noise", "best"),
    [
        ((0.5, 0.7, 0.6), "higher", 0.05, (False, True, False)),
        ((0.5, 0.7, 0.6), "lower", 0.05, (True, False, False)),
        ((0.5, 0.7, 0.66), "higher", 0.05, (False, False, False)),  # within the noise: none, not both
        ((1.0, 1.5), "higher", 0.5, (False, False)),  # exactly the noise is within it
        ((0.5, 0.5, 0.1), "higher", 0.0, (False, False, False)),  # a tie without noise
        ((0.5, None, math.nan), "higher", 0.01, (False, False, False)),  # nobody to be ahead of
        ((None, 0.5, 0.7), "lower", 0.01, (False, True, False)),
        ((0.5, 0.7), "", 0.01, (False, False)),
        ((0.5, 0.7), "higher", None, (False, False)),
        ((), "higher", 0.1, ()),
    ],
)
def test_best_by_hand(values, better, noise, best) -> None:  # type: ignore[no-untyped-def]
    assert best_of(values, better=better, noise=noise) == best


@given(st.lists(st.floats(-10, 10), max_size=6), st.floats(0, 5), st.sampled_from(["higher", "lower"]))
def test_at_most_one_is_best_and_it_is_ahead_of_all(values, noise, better) -> None:  # type: ignore[no-untyped-def]
    best = best_of(values, better=better, noise=noise)
    assert sum(best) <= 1
    if any(best):
        first = values[best.index(True)]
        others = [value for value, marked in zip(values, best, strict=True) if not marked]
        gaps = [(first - other) * (1 if better == "higher" else -1) for other in others]
        assert min(gaps) > noise


def rows_of(*records, **options) -> dict[str, Row]:  # type: ignore[no-untyped-def]
    return {row.name: row for row in comparison_rows(make_comparison(*records, **options))}


def test_every_metric_has_a_row_with_its_own_words_and_noise() -> None:
    rows = rows_of()
    for metric in METRICS.values():
        row = rows[metric.name]
        assert (row.label, row.better, row.noise, row.unit) == (
            metric.label, metric.better, metric.noise, metric.unit
        )  # fmt: skip
        assert row.values == (0.5, 0.5, 0.5)
        assert row.best == (False, False, False)
    assert list(rows)[: len(METRICS)] == list(METRICS)


def test_a_metric_marks_the_run_that_is_ahead_by_more_than_its_noise() -> None:
    noise = METRICS["structure_kept"].noise
    for lead, best in ((1.1 * noise, (False, True)), (0.9 * noise, (False, False))):
        records = [
            make_record("vgg16", metrics={"structure_kept": 0.5}),
            make_record("vgg19", metrics={"structure_kept": 0.5 + lead}),
        ]
        assert rows_of(*records)["structure_kept"].best == best
    missing = rows_of(*records)["grain"]
    assert (missing.values, missing.texts) == ((None, None), ("–", "–"))


def test_the_rest_of_the_table_by_hand() -> None:
    rows = rows_of()
    expected = {
        "total_loss": ("2.00", None),
        "content_loss": ("0.500", None),
        "style_loss": ("1.00", None),
        "seconds": ("3.25", "s"),
        "seconds_a_step": ("0.500", "s"),
        "peak_memory": ("1,234", "MB"),
        "parameters": ("14.7 M", None),
        "best_step": ("4", None),
    }
    for name, (text, unit) in expected.items():
        assert rows[name].texts == (text,) * 3, name
        assert rows[name].unit == (unit or "")
        assert rows[name].best == (False,) * 3
    seen, weights = {"style_error", "content_error"}, {"content_weight", "variation_weight"}
    assert set(rows) == set(METRICS) | set(expected) | seen | weights


def test_the_weights_in_the_totals_are_those_of_each_run() -> None:
    rows = rows_of(make_record("vgg16", content_weight=0.25), make_record("resnet50", content_weight=0.04))
    assert rows["content_weight"].values == (0.25, 0.04)
    over_root = VARIATION_OVER_ROOT["relative"]
    assert rows["variation_weight"].values == pytest.approx((0.5 * over_root, 0.2 * over_root))
    assert rows["content_weight"].best == rows["variation_weight"].best == (False, False)


def test_only_the_other_networks_count() -> None:
    # Style errors by judge (lines) and picture: .10 .11 .12 / .13 .14 .15 / .16 .17 .18
    rows = rows_of()
    assert rows["style_error"].values == pytest.approx((0.145, 0.14, 0.135))
    assert rows["content_error"].values == pytest.approx((0.545, 0.54, 0.535))
    assert "style_error" not in rows_of(examined=False)
    assert "style_error" not in rows_of(make_record("vgg16"))  # one alone has no other network


def test_a_run_without_a_picture_has_gaps() -> None:
    failed = make_record("vgg19", best_step=0, ending="failed", metrics={}, steps=())
    rows = rows_of(make_record("vgg16"), failed, examined=False)
    for name in ("total_loss", "best_step", "seconds_a_step", "grain"):
        assert rows[name].values[1] is None, name
        assert rows[name].texts[1] == "–"


def test_the_first_step_at_the_last_size_is_left_out() -> None:
    record = make_record()
    # Seconds 1.5, 2.0 | 2.5, 3.0: two steps at the last size, half a second apart.
    assert seconds_a_step(record) == 0.5
    assert seconds_a_step(replace(record, steps=record.steps[:3])) is None
    assert seconds_a_step(replace(record, steps=make_steps((1.0,) * 5, change=1, seconds=0.25))) == 0.25


def test_the_parameters_of_a_mix_are_those_of_all_its_networks() -> None:
    plain = make_record("vgg16")
    lent = replace(plain.weights, parameters=1_000_000)
    mixed = replace(make_record("vgg19"), other_weights={"resnet50": lent})
    rows = {row.name: row for row in comparison_rows(make_comparison(plain, mixed, examined=False))}
    assert rows["parameters"].values == (14_714_688, 15_714_688)
