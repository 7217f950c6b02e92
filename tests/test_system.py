"""What a run ran on."""

import platform
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from nst_core import system
from nst_core.system import (
    LIBRARIES,
    computes_bfloat16,
    cores,
    device_name,
    library_versions,
    peak_memory_mb,
)


def test_versions_are_those_installed() -> None:
    versions = library_versions()
    assert set(versions) == {"python", "nst-studio", *LIBRARIES}
    assert versions["python"] == platform.python_version()
    assert versions["numpy"] == np.__version__
    assert versions["tensorflow"][0].isdigit()  # whichever of the two builds is here


def test_what_is_absent_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    versions = library_versions()
    assert versions.pop("python") == platform.python_version()
    assert set(versions.values()) == {"not installed"}


def test_the_device_is_named() -> None:
    name = device_name()
    assert name
    if name.startswith("CPU"):
        assert name == f"CPU, {cores()} cores ({platform.machine()})"


def test_at_least_one_core() -> None:
    assert cores() >= 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell")
def test_peak_memory_holds_what_was_touched() -> None:
    block = np.ones(200_000_000 // 8)  # 200 MB
    peak = peak_memory_mb()
    assert peak is not None
    assert peak > block.nbytes / 1e6


@pytest.fixture
def no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without /proc."""
    monkeypatch.setattr(Path, "exists", lambda path: False)


@pytest.mark.usefixtures("no_proc")
def test_peak_memory_is_unknown_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert peak_memory_mb() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell")
@pytest.mark.usefixtures("no_proc")
@pytest.mark.parametrize(("name", "unit"), [("darwin", 1), ("linux", 1024)])
def test_peak_memory_without_proc_knows_the_unit(
    name: str, unit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    class Usage:
        ru_maxrss = 3_000_000_000 // unit

    monkeypatch.setattr(resource, "getrusage", lambda _: Usage)
    monkeypatch.setattr(sys, "platform", name)
    assert peak_memory_mb() == 3000.0


def test_a_proc_that_does_not_tell_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: True)
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: "Name:\tpython\nVmRSS:\t1 kB\n")
    monkeypatch.setattr(sys, "platform", "win32")
    assert peak_memory_mb() is None
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: "VmPeak:\t9 kB\nVmHWM:\t    500000 kB\n")
    assert peak_memory_mb() == 512.0


@pytest.mark.parametrize(
    ("flags", "known"),
    [
        ("fpu avx2 avx512f avx512_bf16", True),
        ("fpu amx_tile amx_bf16", True),
        ("fpu avx2 avx512f avx512_vnni", False),
        ("", False),
    ],
)
def test_processors_that_compute_in_bfloat16(
    flags: str, known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(system, "CPUINFO", file)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    assert not computes_bfloat16()  # no such file
    file.write_text(f"model name : avx512_bf16 in a name\nflags\t\t: {flags}\nbugs\t\t: none\n")
    assert computes_bfloat16() == known
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert not computes_bfloat16()
