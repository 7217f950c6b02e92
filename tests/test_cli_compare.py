"""`nst compare`: its folder, its words and its exit codes, also when it is interrupted."""

import csv
import json
import math
import signal
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nst_core import cli_compare
from nst_core import models as shelf
from nst_core.cli import main
from nst_core.config import TransferConfig
from nst_core.engine import Engine
from nst_core.images import encode_png, read_settings
from nst_core.records import RunRecord
from nst_core.weights import load_network
from tests.conftest import make_picture

FEW = ("--weights", "random", "--size", "64", "--steps", "3")
BACKBONES = ("vgg16", "vgg19", "resnet50")
ALL = {"vgg16.png", "vgg19.png", "resnet50.png", "sheet.png", "report.html", "steps.csv", "records.json"}


@cache
def load_tiny(backbone: Any, weights: str, seed: int) -> Any:
    return load_network(backbone, weights, seed=seed, width=1 / 16)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two pictures, worked in, where random weights make thin networks."""
    (tmp_path / "content.png").write_bytes(encode_png(make_picture(48, 64, seed=1).pixels))
    (tmp_path / "style.png").write_bytes(encode_png(make_picture(64, 64, seed=2).pixels))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        shelf, "load_network", lambda backbone, weights, *, seed, progress: load_tiny(backbone, weights, seed)
    )
    return tmp_path


def compare(*options: str, content: str = "content.png") -> int:
    return main(["compare", content, "style.png", "-o", "made/out", *FEW, *options])


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "made/out").iterdir()}


def records_in(folder: Path) -> list[RunRecord]:
    return [
        RunRecord.from_json(json.dumps(item))
        for item in json.loads((folder / "made/out/records.json").read_text("utf-8"))
    ]


def test_everything_is_in_the_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare() == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        *(str(Path("made/out") / f"{name}.png") for name in BACKBONES), str(Path("made/out/report.html"))
    ]  # fmt: skip
    out = folder / "made/out"
    assert files(folder) == ALL
    records = records_in(folder)
    assert [record.config.backbone for record in records] == list(BACKBONES)
    for record in records:
        data = (out / f"{record.config.backbone}.png").read_bytes()
        assert read_settings(data) == record.settings()
        assert TransferConfig.from_json(read_settings(data)["nst-config"]) == record.config
        with Image.open(out / f"{record.config.backbone}.png") as picture:
            assert picture.size == (64, 48)
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.size[0] > 1000
    with (out / "steps.csv").open(newline="", encoding="utf-8") as file:
        assert [line["step"] for line in csv.DictReader(file)] == ["1", "2", "3"] * 3
    report = (out / "report.html").read_text("utf-8")
    assert "VGG16, VGG19 and ResNet50: the same in everything but backbone." in report
    assert 'class="own"' in report  # each network was asked


def test_only_the_backbones_that_are_named_in_their_order(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare("--backbones", "resnet50, vgg16", "--quiet", "--seed", "4") == 0
    assert capsys.readouterr() == ("", "")
    assert files(folder) == ALL - {"vgg19.png"}
    assert [record.config.backbone for record in records_in(folder)] == ["resnet50", "vgg16"]
    assert {record.config.seed for record in records_in(folder)} == {4}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--backbones", "vgg16,alexnet"), "received 'alexnet'"),
        (("--backbones", "vgg16,vgg16"), "Name each backbone once"),
        (("--backbones", " , "), "Name each backbone once"),
        (("--size", "3"), "received 3"),
        (("--weights", "absent.h5"), "absent.h5"),
        (("-o", "style.png"), "style.png cannot be a folder"),
        (("-o", "style.png/out"), "cannot be a folder"),
    ],
)
def test_bad_input_is_told_in_one_sentence_and_writes_nothing(
    options: tuple[str, ...], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name for path in folder.iterdir()}
    assert compare(*options) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("nst: ")
    assert told in said.err
    assert said.err.count("\n") == 1
    assert {path.name for path in folder.iterdir()} == before


def test_pictures_that_are_absent_or_too_narrow(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "narrow.png").write_bytes(encode_png(make_picture(40, 400).pixels))
    assert compare(content="absent.png") == 2
    assert compare(content="narrow.png") == 2
    assert "too narrow" in capsys.readouterr().err
    assert not (folder / "made").exists()


def test_a_file_in_the_way_is_found_before_the_first_step(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "made/out/report.html").mkdir(parents=True)
    assert compare() == 2
    assert "report.html cannot be written" in capsys.readouterr().err
    assert files(folder) == {"report.html"}


def interrupt_before(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before the n-th evaluation of a picture, counted over all runs."""
    evaluate, count = Engine.evaluate, iter(range(1, 10**9))

    def interrupt_and_evaluate(engine: Engine, *arguments: Any) -> Any:
        if next(count) == step:
            signal.raise_signal(signal.SIGINT)
        return evaluate(engine, *arguments)

    monkeypatch.setattr(Engine, "evaluate", interrupt_and_evaluate)


def test_an_interruption_keeps_what_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    interrupt_before(5, monkeypatch)  # the second step of the second run
    assert compare() == 130
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr()
    assert said.err == f"nst: stopped; kept 2 of 3 pictures in {Path('made/out')}.\n"
    assert files(folder) == ALL - {"resnet50.png"}
    endings = [(record.ending, len(record.steps)) for record in records_in(folder)]
    assert endings == [("finished", 3), ("stopped", 2)]
    report = (folder / "made/out/report.html").read_text("utf-8")
    assert "backbone and steps made" in report
    assert "Nobody was asked." in report


def test_an_interruption_before_the_first_step_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nst_core import material

    prepare = material.prepare

    def interrupted(*arguments: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return prepare(*arguments, **options)

    monkeypatch.setattr(material, "prepare", interrupted)
    assert compare() == 130
    assert capsys.readouterr() == ("", "nst: stopped; before the first picture.\n")
    assert files(folder) == set()


def test_a_run_without_a_picture_answers_1_and_leaves_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate = Engine.evaluate

    def break_down(engine: Engine, *arguments: Any) -> Any:
        losses, gradient = evaluate(engine, *arguments)
        return replace(losses, content=math.nan) if "conv1_relu" in engine.style_layers else losses, gradient

    monkeypatch.setattr(Engine, "evaluate", break_down)
    assert compare("--backbones", "vgg16,resnet50") == 1
    assert "nst: ResNet50: The loss was not a finite number" in capsys.readouterr().err
    assert files(folder) == ALL - {"vgg19.png", "resnet50.png"}
    assert "Without a picture: ResNet50" in (folder / "made/out/report.html").read_text("utf-8")


def test_a_folder_that_goes_meanwhile_is_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate = Engine.evaluate

    def evaluated(engine: Engine, *arguments: Any) -> Any:
        if (folder / "made/out").exists():
            (folder / "made/out").rmdir()
        return evaluate(engine, *arguments)

    monkeypatch.setattr(Engine, "evaluate", evaluated)
    assert compare("--backbones", "vgg16") == 0
    assert files(folder) == ALL - {"vgg19.png", "resnet50.png"}
    assert capsys.readouterr().err == ""


def test_what_has_no_place_there_is_told_and_answers_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli_compare, "write_or_rescue", lambda path, data: f"{path.name} is elsewhere.")
    assert compare("--backbones", "vgg16") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"nst: {name} is elsewhere."
        for name in ("vgg16.png", "sheet.png", "report.html", "steps.csv", "records.json")
    ]


def test_a_picture_alone_that_is_elsewhere_answers_2(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = cli_compare.write_or_rescue
    monkeypatch.setattr(
        cli_compare,
        "write_or_rescue",
        lambda path, data: "It is elsewhere." if path.name == "vgg16.png" else keep(path, data),
    )
    assert compare("--backbones", "vgg16,vgg19") == 2
    assert files(folder) == ALL - {"vgg16.png", "resnet50.png"}
