"""What a run ran on."""

import ctypes
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from nst_core import system
from nst_core.operations import onednn_computes
from nst_core.system import (
    LIBRARIES,
    available_memory,
    computes_bfloat16,
    cores,
    device_name,
    expects_onednn,
    give_back_freed,
    has_amx,
    library_versions,
    numpy_lacks_avx512,
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
    ("flags", "known", "amx", "onednn"),
    [
        ("fpu avx2 avx512f avx512_bf16", True, False, True),
        ("fpu amx_tile amx_bf16", True, True, True),
        ("fpu avx2 avx512f avx512_vnni", False, False, True),
        ("fpu avx2 avx512f", False, False, False),
        ("", False, False, False),
    ],
)
def test_processors_that_compute_in_bfloat16(
    flags: str, known: bool, amx: bool, onednn: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(system, "CPUINFO", file)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    assert not computes_bfloat16()  # no such file
    file.write_text(f"model name : avx512_bf16 in a name\nflags\t\t: {flags}\nbugs\t\t: none\n")
    assert computes_bfloat16() == known
    assert has_amx() == amx
    assert expects_onednn() == onednn
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert not computes_bfloat16()
    assert not has_amx()
    assert not expects_onednn()
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    assert expects_onednn()


@pytest.mark.parametrize(
    ("flags", "kernels", "left"),
    [
        ("avx512f avx512_vnni", ["Haswell", "Zen"], True),
        ("avx512f avx512_vnni", ["Haswell", "SkylakeX"], False),
        ("avx512f avx512_vnni", [], False),
        ("avx512f", ["Haswell"], False),  # TensorFlow without oneDNN does without it too
        ("avx2 avx_vnni", ["Haswell"], False),
    ],
)
def test_processors_that_numpy_does_not_know(
    flags: str, kernels: list[str], left: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(f"flags : {flags}\n")
    libraries = [{"user_api": "blas", "architecture": kernel} for kernel in kernels]
    monkeypatch.setattr(system, "CPUINFO", file)
    monkeypatch.setattr(system, "threadpool_info", lambda: [*libraries, {"user_api": "openmp"}])
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    assert numpy_lacks_avx512() == left


@pytest.mark.skipif(not system.CPUINFO.exists(), reason="the system does not tell")
def test_what_is_expected_of_tensorflow_is_what_it_does() -> None:
    assert expects_onednn() == onednn_computes()


def meminfo(folder: Path, kilobytes: int) -> Path:
    path = folder / "meminfo"
    path.write_text(f"MemTotal: 999999 kB\nMemFree: 1 kB\nMemAvailable:  {kilobytes} kB\n")
    return path


def cgroup(folder: Path, most: str, used: str, stat: str | None = None) -> Path:
    group = folder / "cgroup"
    group.mkdir()
    (group / "memory.max").write_text(f"{most}\n")
    (group / "memory.current").write_text(f"{used}\n")
    if stat is not None:
        (group / "memory.stat").write_text(stat)
    return group


def test_the_machine_tells_what_is_available(tmp_path: Path) -> None:
    assert available_memory(meminfo=meminfo(tmp_path, 2000), cgroup=tmp_path / "none") == 2000 * 1024


@pytest.mark.parametrize(
    ("most", "used", "stat", "left"),
    [
        ("1000000", "400000", None, 600_000),
        ("1000000", "400000", "anon 5\ninactive_file 100000\n", 700_000),
        ("max", "400000", None, 2000 * 1024),
        ("9000000000", "400000", None, 2000 * 1024),
        ("1000", "5000", None, 0),
    ],
)
def test_a_container_may_leave_less(
    most: str, used: str, stat: str | None, left: int, tmp_path: Path
) -> None:
    group = cgroup(tmp_path, most, used, stat)
    assert available_memory(meminfo=meminfo(tmp_path, 2000), cgroup=group) == left


def test_without_meminfo_the_system_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"SC_AVPHYS_PAGES": 300, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", told.__getitem__)
    monkeypatch.setattr(os, "sysconf_names", told)
    assert available_memory(meminfo=tmp_path / "none", cgroup=tmp_path) == 300 * 4096


def test_it_may_be_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf_names", {})
    assert available_memory(meminfo=tmp_path / "none", cgroup=tmp_path) is None


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="only Linux has it")
def test_here_it_is_known() -> None:
    free = available_memory()
    assert free is not None
    assert 0 < free < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not GLIBC, reason="the C library is another")
def test_freed_memory_goes_back_to_the_system() -> None:
    script = """
from pathlib import Path
from nst_core.system import give_back_freed
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
held = [bytearray(100_000) for _ in range(1000)]  # too small for a mapping of its own
pin = bytearray(100_000)  # keeps the top of the heap where it is
before = resident()
del held
print(give_back_freed(), before - resident() > 80_000_000)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not give_back_freed()
