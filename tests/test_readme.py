"""The README against the program: its commands, its code, its tree and its pictures."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from nst_core.backbones import BACKBONES
from nst_core.cli import main
from nst_core.config import TransferConfig
from nst_core.samples import SAMPLES
from pages.shared.frame import PAGES

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")
CODE = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
COMMANDS = [line.strip() for line in TEXT.splitlines() if line.startswith("    nst ")]


def test_the_two_commands_stand_as_they_are_run() -> None:
    assert "pip install -e . && streamlit run app.py" in TEXT
    assert 'pip install -e ".[test]" && pytest' in TEXT
    assert 'pip install -e ".[test]" && pytest' in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("number", range(len(CODE)))
def test_the_code_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(CODE[number], f"README block {number}", "exec"), {})


def test_there_is_code() -> None:
    assert len(CODE) >= 2
    assert len(COMMANDS) >= 4


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsed for real, with the work itself replaced by a note that it would begin."""
    begun = []
    for name in ("cli._transfer", "cli._weights", "cli_compare._compare", "cli_bench._bench"):
        monkeypatch.setattr(f"nst_core.{name}", lambda options: begun.append(options) or 0)
    assert main(shlex.split(command)[1:]) == 0
    assert len(begun) == 1


def test_settings_samples_backbones_and_pages_are_all_named() -> None:
    names = [field.name for field in fields(TransferConfig)]
    names += [*SAMPLES, *(row.label for row in BACKBONES.values()), *(page.title for page in PAGES)]
    assert [name for name in names if name not in TEXT] == []


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#]+)\)", TEXT))
def test_what_is_linked_is_there(path: str) -> None:
    assert (ROOT / path).exists()


TREE = re.findall(r"^    ([a-z_]+(?:/[a-z_]+)*/|[a-z]+\.py) ", TEXT, flags=re.MULTILINE)


@pytest.mark.parametrize("path", TREE)
def test_the_tree_is_as_drawn(path: str) -> None:
    assert (ROOT / path).exists()


def test_requirements_are_those_of_the_project() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == project["dependencies"]


def test_every_core_module_has_its_place_in_the_architecture_section() -> None:
    """The picture names the main ones; whatever it names exists."""
    section = TEXT.split("## Architecture")[1].split("##")[0]
    drawn = re.findall(r"[a-z_]+", "\n".join(line[:60] for line in section.splitlines() if " ─ " in line))
    modules = {path.stem for path in (ROOT / "nst_core").glob("*.py")}
    assert {"images", "transfer", "cli", "jobs"} <= set(drawn)
    assert set(drawn) - {"pages", "shared"} <= modules | {"it", "only"}
