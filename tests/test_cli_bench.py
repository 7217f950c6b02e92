"""`nst bench`: which rows it measures, its table, its JSON and its exit codes, also when interrupted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nst_core import cli_bench
from nst_core.backbones import BACKBONES
from nst_core.bench import Row
from nst_core.cli import main
from nst_core.errors import RunError
from nst_core.speed_file import read_measured, speed_path
from nst_core.stepping import Case, Effort
from tests.test_bench import CEILING, KEYS, NUMBERS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Worked in; what is learnt goes there too, and no ImageNet weights are on disk."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(cli_bench, "import_tensorflow", lambda: None)
    return tmp_path


def made_up(case: Case) -> Row:
    return Row(
        backbone=case.backbone, weights=case.weights, width=case.width, height=case.height, **NUMBERS,
        share_of_ceiling=0.25, seconds_to_first_step=4.0,
    )  # fmt: skip


@pytest.fixture
def measuring(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """Rows are made up; the list tells which were asked for."""
    return measure_by(monkeypatch, made_up)


def measure_by(monkeypatch: pytest.MonkeyPatch, make: Callable[[Case], Row | None]) -> list[Case]:
    asked: list[Case] = []

    def measure(case: Case, effort: Effort, ceiling: Any, *, patience: float | None) -> Row | None:
        asked.append(case)
        return make(case)

    monkeypatch.setattr(cli_bench, "measure", measure)
    monkeypatch.setattr(cli_bench, "measure_ceiling", lambda side, repeats=5: dict(CEILING))
    return asked


def test_by_default_every_backbone_thin_and_wide_at_two_sizes(measuring: list[Case]) -> None:
    assert main(["bench"]) == 0
    assert measuring == [
        Case(name, kind, *size)
        for kind in ("sketch", "random")
        for name in BACKBONES
        for size in ((256, 192), (512, 384))
    ]


def test_imagenet_takes_the_place_of_random_where_it_is_on_disk(
    measuring: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        cli_bench, "imagenet_state", lambda row: "present" if row.name == "vgg16" else "absent"
    )
    assert main(["bench", "--sizes", "64x48"]) == 0
    kinds = {case.backbone: case.weights for case in measuring if case.weights != "sketch"}
    assert kinds == {"vgg16": "imagenet", "vgg19": "random", "resnet50": "random"}


def test_quick_is_four_rows(measuring: list[Case]) -> None:
    assert main(["bench", "--quick"]) == 0
    assert [(case.backbone, case.weights) for case in measuring] == [
        ("vgg16", "sketch"), ("vgg19", "sketch"), ("resnet50", "sketch"), ("vgg19", "random"),
    ]  # fmt: skip
    assert {(case.width, case.height) for case in measuring} == {(256, 192)}


def test_choices_choose(measuring: list[Case]) -> None:
    options = ["--backbones", "resnet50, vgg16", "--weights", "random,sketch", "--sizes", "64x48,33x64"]
    assert main(["bench", *options, "--quick"]) == 0
    assert measuring == [
        Case(name, kind, *size)
        for kind in ("random", "sketch")
        for name in ("resnet50", "vgg16")
        for size in ((64, 48), (33, 64))
    ]


def test_json_and_table(measuring: list[Case], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--json", "speed.json"]) == 0
    data = json.loads(Path("speed.json").read_text("utf-8"))
    assert data["ceiling_gflops"] == CEILING
    assert [tuple(row) for row in data["rows"]] == [KEYS] * 4
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[:2] == ["float32 matrix product: 200 GFLOP/s", "bf16 matrix product: 400 GFLOP/s"]
    row = next(line for line in lines if "VGG16" in line)
    assert row.split() == [
        "VGG16", "sketch", "256x192", "float32", "500.0", "750.0", "1.50", "50.0", "25%", "600", "4.0",
    ]  # fmt: skip
    assert len([line for line in lines if "256x192" in line]) == 4


def test_what_is_measured_is_kept_for_the_app(measuring: list[Case]) -> None:
    assert main(["bench", "--weights", "sketch", "--backbones", "vgg16", "--sizes", "64x48"]) == 0
    timings = read_measured(speed_path()).kinds["vgg16 thin"]
    assert timings.steps == ((25.0, 0.5),)  # 50 GFLOP/s for half a second
    assert timings.start == 4.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sizes", "512"), "WIDTHxHEIGHT"),
        (("--sizes", "512x"), "WIDTHxHEIGHT"),
        (("--sizes", "-64x64"), "WIDTHxHEIGHT"),
        (("--sizes", "32x64"), "at least 33"),
        (("--sizes", "60x60"), "from 64"),
        (("--sizes", "5000x400"), "to 4096"),
        (("--sizes", "64x48,64x48"), "each size once"),
        (("--sizes", ","), "each size once"),
        (("--backbones", "vgg16,vgg17"), "vgg17"),
        (("--backbones", ""), "each backbone once"),
        (("--weights", "sketch,wild"), "wild"),
        (("--weights", "sketch,sketch"), "each kind of weights once"),
        (("--weights", "imagenet"), "nst weights --get vgg16"),
        (("--json", "nowhere/speed.json"), "no folder"),
        (("--json", "."), "cannot be written"),
    ],
)
def test_bad_input_is_told_in_a_sentence_before_anything_is_measured(
    measuring: list[Case],
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    words: str,
) -> None:
    assert main(["bench", f"{options[0]}={options[1]}"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("nst: ")
    assert said.err.count("\n") == 1
    assert words in said.err
    assert measuring == []


def test_ctrl_c_keeps_the_rows_so_far(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(case: Case) -> Row:
        if case.backbone == "vgg19":
            raise KeyboardInterrupt
        return made_up(case)

    measure_by(monkeypatch, interrupted)
    assert main(["bench", "--quick", "--json", "speed.json"]) == 130
    data = json.loads((folder / "speed.json").read_text("utf-8"))
    assert [row["backbone"] for row in data["rows"]] == ["vgg16"]
    said = capsys.readouterr()
    assert "kept 1 of 4 rows" in said.err
    assert "VGG16" in said.out
    assert "VGG19" not in said.out


def test_ctrl_c_before_the_ceiling_is_known(
    measuring: list[Case], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    def interrupted(side: int) -> dict[str, float]:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_bench, "measure_ceiling", interrupted)
    assert main(["bench", "--json", "speed.json"]) == 130
    assert not (folder / "speed.json").exists()
    assert measuring == []


def test_a_row_that_fails_leaves_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(case: Case) -> Row:
        if case.backbone == "vgg16":
            raise RunError("vgg16 was not measured.")
        return made_up(case)

    measure_by(monkeypatch, failing)
    assert main(["bench", "--quick", "--json", "speed.json"]) == 1
    assert len(json.loads((folder / "speed.json").read_text("utf-8"))["rows"]) == 3
    assert capsys.readouterr().err == "nst: vgg16 was not measured.\n"


def test_quick_leaves_what_there_is_no_time_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = measure_by(monkeypatch, lambda case: None if case.backbone == "resnet50" else made_up(case))
    assert main(["bench", "--quick", "--json", "speed.json"]) == 0
    assert len(asked) == 3
    assert len(json.loads((folder / "speed.json").read_text("utf-8"))["rows"]) == 2
    assert "no time for 2 of 4 rows; leave out --quick" in capsys.readouterr().err


def test_quick_waits_for_the_first_row_whatever_it_takes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float | None] = []

    def measure(case: Case, effort: Effort, ceiling: Any, *, patience: float | None) -> Row | None:
        waits.append(patience)
        return made_up(case) if patience is None else None

    monkeypatch.setattr(cli_bench, "measure", measure)
    monkeypatch.setattr(cli_bench, "measure_ceiling", lambda side, repeats=5: dict(CEILING))
    assert main(["bench", "--quick", "--json", "speed.json"]) == 0
    assert len(json.loads((folder / "speed.json").read_text("utf-8"))["rows"]) == 1
    first, second = waits
    assert first is None
    assert second is not None


def test_a_real_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli_bench, "SIDE", 64)
    monkeypatch.setattr(cli_bench, "THOROUGH", Effort(warming=0, rounds=2, seconds=0.0))
    target = tmp_path / "speed.json"
    options = ["--weights", "sketch", "--backbones", "vgg16", "--sizes", "64x48", "--json", str(target)]
    assert main(["bench", *options]) == 0
    (row,) = json.loads(target.read_text("utf-8"))["rows"]
    assert tuple(row) == KEYS
    assert (row["backbone"], row["weights"], row["width"], row["height"]) == ("vgg16", "sketch", 64, 48)
    numbers = [row[key] for key in KEYS[5:] if row[key] is not None]
    assert all(number > 0 for number in numbers)
    assert "VGG16" in capsys.readouterr().out
