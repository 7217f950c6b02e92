"""What is kept of a machine's speed: there and back, and any damage is nothing known."""

import json
from pathlib import Path

import pytest

from nst_core import speed_file
from nst_core.errors import RunError
from nst_core.speed_file import MOST_BYTES, Measured, Timings, read_measured, speed_path, write_measured

KNOWN = Measured(
    81.5, {"vgg16 thin": Timings(((1.5, 0.2), (6.0, 0.7)), 4.5), "vgg19 full": Timings(((3.0, 0.1),))}
)


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    write_measured(path, KNOWN)
    assert read_measured(path) == KNOWN
    assert json.loads(path.read_text("utf-8"))["machine"] == speed_file.machine()
    assert [found.name for found in tmp_path.iterdir()] == ["speeds.json"]


def test_nothing_is_known_without_a_file(tmp_path: Path) -> None:
    assert read_measured(tmp_path / "none.json") == Measured()
    assert read_measured(tmp_path) == Measured()  # a folder


STEPS = '{"format": 2, "rate": 0, "kinds": {"vgg16 thin": {"steps": %s, "start": null}}}'


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "7", '"text"', "[" * 100_000,
        '{"format": 3, "rate": 1, "kinds": {}}',
        '{"format": 2, "rate": -1, "kinds": {}}',
        '{"format": 2, "rate": "quick", "kinds": {}}',
        '{"format": 2, "rate": 1, "kinds": []}',
        '{"format": 2, "rate": 1}',
        '{"format": 2, "rate": 1, "kinds": {"vgg16 thin": {"steps": []}}}',
        STEPS % "[[1, 0]]", STEPS % "[[1, -1]]", STEPS % "[[1, NaN]]", STEPS % "[[1, Infinity]]",
        STEPS % "[[1]]", STEPS % "[[1, 2, 3]]", STEPS % "[1]", STEPS % "null", STEPS % '[["a", 1]]',
    ],
)  # fmt: skip
def test_damage_is_nothing_known(tmp_path: Path, text: str) -> None:
    path = tmp_path / "speeds.json"
    path.write_text(text, "utf-8")
    assert read_measured(path) == Measured()
    path.write_text(STEPS % "[[1, 2]]", "utf-8")  # the like of which is read
    assert read_measured(path).kinds["vgg16 thin"].steps == ((1.0, 2.0),)


def test_bytes_that_are_no_text_and_files_without_end(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    path.write_bytes(b"\xff\xfe\x00\x80")
    assert read_measured(path) == Measured()
    path.write_text(STEPS % "[[1, 2]]" + " " * MOST_BYTES + "x", "utf-8")
    assert read_measured(path).kinds  # only so much is read


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        write_measured(tmp_path / "none" / "speeds.json", KNOWN)


def test_each_machine_and_tensorflow_has_its_own_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    here = speed_path()
    assert here.parent == tmp_path
    monkeypatch.setattr(speed_file, "processor_name", lambda: "Another 9000")
    there = speed_path()
    monkeypatch.setattr(speed_file, "library_versions", lambda: {"tensorflow": "1.0"})
    assert len({here, there, speed_path()}) == 3


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", "XDG_CACHE_HOME", "given/nst-studio"),
        ("linux", "", "home/.cache/nst-studio"),
        ("win32", "LOCALAPPDATA", "given/nst-studio"),
        ("win32", "", "home/AppData/Local/nst-studio"),
        ("darwin", "", "home/Library/Caches/nst-studio"),
    ],
)
def test_the_users_own_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str, folder: str
) -> None:
    for name in ("NST_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(speed_file.sys, "platform", platform)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "given"))
    assert speed_file._cache_folder() == tmp_path / folder
