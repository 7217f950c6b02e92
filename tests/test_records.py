"""Records of runs: there and back through JSON, through a PNG, and past damage."""

import json
import math
from dataclasses import asdict, fields, replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.config import TransferConfig
from nst_core.errors import NSTError
from nst_core.images import encode_png, read_settings
from nst_core.records import FORMAT, Ending, PictureSource, RunRecord, Step, WeightsSource


def make_step(index: int = 1, **changes: Any) -> Step:
    plain: dict[str, Any] = {
        "index": index,
        "scale": 0,
        "size": (64, 48),
        "total": 2.5,
        "content": 0.5,
        "style": 2.0,
        "variation": 0.0,
        "layers": {"block1_conv1": 1.5, "block2_conv1": 0.5},
        "seconds": 0.25 * index,
    }
    return Step(**{**plain, **changes})


def make_record(**changes: Any) -> RunRecord:
    plain: dict[str, Any] = {
        "id": "0123abcd",
        "config": TransferConfig(backbone="vgg16", style_layers=(("block1_conv1", 1.0),)),
        "content": PictureSource(name="skyline", size=(64, 48), sha256="a" * 64),
        "style": PictureSource(name="swirl – Wirbel 渦", size=(64, 64), sha256="b" * 64),
        "weights": WeightsSource(source="random", sha256="c" * 64, parameters=1234, width=0.25, note="why"),
        "versions": {"python": "3.11.9", "tensorflow": "2.21.0"},
        "device": "CPU, 2 cores (x86_64)",
        "precision": "float32",
        "steps": (make_step(1), make_step(2, total=1.5), make_step(3, total=1.75)),
        "ending": "finished",
        "best_step": 2,
        "seconds": 0.75,
        "started": "2026-01-02T03:04:05+00:00",
        "peak_memory_mb": 512.5,
        "notes": ("Enlarged.", "Flattened."),
        "metrics": {"structure": 0.5},
    }
    return RunRecord(**{**plain, **changes})


numbers = st.floats()
names = st.text(max_size=12)


sources = st.builds(
    WeightsSource,
    source=names,
    sha256=names,
    parameters=st.integers(0, 10**9),
    width=st.floats(0, 1),
    note=names,
)


@st.composite
def records(draw: st.DrawFn) -> RunRecord:
    layers = st.dictionaries(names, numbers, max_size=3)
    count = draw(st.integers(0, 3))
    steps = tuple(
        make_step(
            index,
            scale=draw(st.integers(0, 6)),
            size=draw(st.tuples(st.integers(1, 4096), st.integers(1, 4096))),
            total=draw(numbers),
            content=draw(numbers),
            style=draw(numbers),
            variation=draw(numbers),
            layers=draw(layers),
            seconds=draw(st.floats(0, 1e6)),
        )
        for index in range(1, count + 1)
    )
    return make_record(
        id=draw(names),
        other_weights=draw(st.dictionaries(names, sources, max_size=2)),
        content=PictureSource(name=draw(names), size=(draw(st.integers(1, 9)), 7), sha256=draw(names)),
        weights=WeightsSource(source=draw(names), sha256=draw(names), parameters=draw(st.integers(0))),
        versions=draw(st.dictionaries(names, names, max_size=3)),
        steps=steps,
        ending=draw(st.sampled_from(get_args(Ending))),
        best_step=draw(st.integers(0, count)),
        seconds=draw(st.floats(0, 1e9)),
        peak_memory_mb=draw(st.none() | st.floats(0, 1e9)),
        notes=tuple(draw(st.lists(names, max_size=3))),
        metrics=draw(layers),
    )


def plain(record: RunRecord) -> Any:
    """The record as nested plain data in which what is not finite is None, so that it can be compared."""

    def tame(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: tame(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [tame(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return tame(asdict(record))


@given(records())
def test_json_gives_back_an_equal_record(record: RunRecord) -> None:
    text = record.to_json()
    again = RunRecord.from_json(text)
    assert plain(again) == plain(record)
    assert again.to_json() == text


def test_a_record_of_finite_numbers_comes_back_equal_with_its_types() -> None:
    record = make_record()
    again = RunRecord.from_json(record.to_json())
    assert again == record
    assert again.steps[0].size == (64, 48)
    assert isinstance(again.config, TransferConfig)
    assert isinstance(again.steps, tuple)
    assert isinstance(again.notes, tuple)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null_in_json_and_nan_again(value: float) -> None:
    step = make_step(total=value, style=value, layers={"block1_conv1": value})
    text = make_record(steps=(step,), best_step=0, metrics={"structure": value}).to_json()
    data = json.loads(text, parse_constant=pytest.fail)
    assert data["steps"][0]["total"] is None
    assert data["steps"][0]["layers"] == {"block1_conv1": None}
    again = RunRecord.from_json(text)
    assert math.isnan(again.steps[0].total)
    assert math.isnan(again.steps[0].style)
    assert math.isnan(again.steps[0].layers["block1_conv1"])
    assert math.isnan(again.metrics["structure"])
    assert again.steps[0].content == 0.5


def test_json_holds_every_field_but_the_previews() -> None:
    preview = np.zeros((48, 64, 3), np.uint8)
    data = json.loads(make_record(steps=(make_step(preview=preview),), best_step=1).to_json())
    assert set(data) == {field.name for field in fields(RunRecord)}
    assert set(data["config"]) == {field.name for field in fields(TransferConfig)}
    assert set(data["content"]) == set(data["style"]) == {field.name for field in fields(PictureSource)}
    assert set(data["weights"]) == {field.name for field in fields(WeightsSource)}
    assert set(data["steps"][0]) == {field.name for field in fields(Step)} - {"preview"}
    assert data["format"] == FORMAT


def test_without_previews_keeps_the_numbers_and_the_original() -> None:
    preview = np.zeros((48, 64, 3), np.uint8)
    record = make_record(steps=(make_step(preview=preview),), best_step=1)
    assert record.without_previews() == record
    assert record.without_previews().steps[0].preview is None
    assert record.steps[0].preview is preview


def test_best_is_the_step_of_the_picture() -> None:
    record = make_record()
    assert record.best is record.steps[1]
    assert replace(record, best_step=0, ending="failed").best is None
    assert replace(record, steps=(), best_step=0, ending="stopped").best is None


def test_settings_travel_inside_a_png() -> None:
    record = make_record()
    settings = record.settings()
    assert read_settings(encode_png(np.zeros((4, 4, 3), np.float32), settings=settings)) == settings
    assert TransferConfig.from_json(settings["nst-config"]) == record.config
    assert settings["nst-run"] == record.id
    for source, key in ((record.content, "nst-content"), (record.style, "nst-style")):
        assert source.name in settings[key]
        assert source.sha256 in settings[key]
    assert settings["nst-weights"] == f"random weights, SHA-256 {'c' * 64}"


@pytest.mark.parametrize(
    ("source", "label"),
    [("imagenet", "ImageNet weights"), ("sketch", "sketch weights"), ("file", "own file weights")],
)
def test_weights_are_named_in_words(source: str, label: str) -> None:
    assert WeightsSource(source=source, sha256="", parameters=1).label == label


def refusal(text: str) -> str:
    with pytest.raises(NSTError) as caught:
        RunRecord.from_json(text)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def changed(*path: str | int, to: Any) -> str:
    """A record's JSON with the value at `path` replaced."""
    data = json.loads(make_record().to_json())
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "3", '"record"', "[]", "{}", "[" * 100_000, '{"format": 1}', '{"format": "1"}',
     '{"format": null}', '{"type": "FeatureCollection", "features": []}', '{"format": 1' + "0" * 5000 + "}"],
)  # fmt: skip
def test_what_is_no_record_is_refused_in_one_sentence(text: str) -> None:
    assert "not a run record" in refusal(text)


def test_half_a_record_is_refused() -> None:
    text = make_record().to_json()
    for end in range(0, len(text) - 1, 97):
        assert "damaged" in refusal(text[:end])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("steps", 0, "total"), "low"),
        (("steps", 0, "total"), 10**400),
        (("steps", 0, "total"), [1]),
        (("steps", 0, "index"), "1"),
        (("steps", 0, "seconds"), None),
        (("steps", 0, "seconds"), 10**400),
        (("steps", 0, "size"), [64]),
        (("steps", 0, "size"), 64),
        (("steps", 0, "size"), [math.inf, 1]),
        (("steps", 0, "layers"), [1.0]),
        (("steps", 0), None),
        (("steps",), 7),
        (("steps",), []),  # leaves best_step beyond the end
        (("best_step",), 4),
        (("best_step",), -1),
        (("best_step",), "2"),
        (("ending",), "exploded"),
        (("ending",), ["finished"]),
        (("id",), 5),
        (("seconds",), "long"),
        (("device",), None),
        (("peak_memory_mb",), "much"),
        (("versions",), None),
        (("notes",), 3),
        (("metrics",), [0.5]),
        (("metrics",), {"structure": "good"}),
        (("content",), None),
        (("content", "size"), "no"),
        (("content", "name"), 3),
        (("style", "sha256"), None),
        (("weights",), []),
        (("weights", "parameters"), "many"),
        (("weights", "width"), None),
    ],
)
def test_a_damaged_value_is_refused(path: tuple[str | int, ...], value: Any) -> None:
    assert "damaged" in refusal(changed(*path, to=value))


def test_a_missing_part_is_refused() -> None:
    whole = json.loads(make_record().to_json())
    for name in ("format", "id", "config", "content", "style", "weights", "steps", "ending", "best_step"):
        assert "damaged" in refusal(json.dumps({key: item for key, item in whole.items() if key != name}))


def test_settings_out_of_range_say_which() -> None:
    assert "received 3" in refusal(changed("config", "size", to=3))
    assert "'beta'" in refusal(changed("config", "beta", to=3))


@pytest.mark.parametrize("number", [FORMAT + 1, FORMAT + 0.5, 99])
def test_a_record_of_a_newer_format_says_so(number: float) -> None:
    assert "newer version" in refusal(changed("format", to=number))


def test_unknown_further_fields_are_passed_over() -> None:
    record = make_record()
    for path in (("later",), ("steps", 0, "later"), ("content", "later"), ("weights", "later")):
        assert RunRecord.from_json(changed(*path, to={"any": ["thing"]})) == record
    assert RunRecord.from_json(changed("steps", 0, "preview", to="AAAA")).steps[0].preview is None
