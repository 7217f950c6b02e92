"""Steps and records as files, read back with other readers."""

import csv
import io
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.records import RunRecord
from nst_core.tables import FORMULA_STARTS, inert, records_json, steps_csv
from tests.compared import make_record


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_one_line_a_step() -> None:
    lines = read(steps_csv([make_record("vgg16"), make_record("vgg19")]))
    assert len(lines) == 8
    assert lines[5] == {
        "run": "id-vgg19", "content": "content", "style": "style", "backbone": "vgg19", "weights": "random",
        "step": "2", "scale": "0", "width": "32", "height": "24", "seconds": "2.0",
        "total_loss": "4.0", "content_loss": "1.0", "style_loss": "2.0", "variation_loss": "0.0",
        "style_block1_conv1": "0.5", "style_block2_conv1": "1.5",
    }  # fmt: skip


def test_layers_of_all_runs_are_columns_and_gaps_are_empty() -> None:
    one, other = make_record("vgg16"), make_record("resnet50")
    step = replace(other.steps[0], layers={"conv1_relu": 0.25}, total=math.nan, content=math.inf)
    lines = read(steps_csv([one, replace(other, steps=(step,))]))
    assert lines[0]["style_conv1_relu"] == ""
    assert (lines[4]["style_conv1_relu"], lines[4]["style_block1_conv1"]) == ("0.25", "")
    assert (lines[4]["total_loss"], lines[4]["content_loss"]) == ("", "")


def test_without_records_there_is_a_heading() -> None:
    assert steps_csv([]).count("\n") == 1
    assert json.loads(records_json([])) == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_calculate_is_kept_from_it(start: str) -> None:
    record = make_record()
    name = f"{start}cmd|' /C calc'!A0"
    record = replace(record, content=replace(record.content, name=name))
    layers = {f"{start}layer": 1.0}
    record = replace(record, steps=(replace(record.steps[0], layers=layers),))
    (line,) = csv.DictReader(io.StringIO(steps_csv([record]), newline=""))
    assert line["content"] == f"'{name}"
    assert not any(text.startswith(FORMULA_STARTS) for pair in line.items() for text in pair)


@given(st.text())
def test_inert_text_never_starts_a_formula_and_loses_nothing(text: str) -> None:
    kept = inert(text)
    assert not kept.startswith(FORMULA_STARTS)
    assert kept in (text, f"'{text}")


def test_records_come_back() -> None:
    records = [make_record("vgg16"), make_record("resnet50")]
    text = records_json(records)
    assert [RunRecord.from_json(json.dumps(item)) for item in json.loads(text)] == records
    lines = text.splitlines()[1:-1]
    assert [RunRecord.from_json(line.removesuffix(",")) for line in lines] == records
