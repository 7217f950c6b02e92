"""Memory by hand: maps counted one by one, and what systems tell."""

import os
from pathlib import Path

import pytest

from nst_core.architectures import Architecture, Layer
from nst_core.backbones import COLOURS, VGG16
from nst_core.config import TransferConfig
from nst_core.memory import (
    Need,
    activation_values,
    available_memory,
    run_need,
    together_need,
    weight_values,
)

TINY = Architecture(
    "tiny",
    1.0,
    (
        Layer(name="a", kind="convolution", inputs=("input",), channels=4, kernel=3, padding=1, relu=True),
        Layer(name="b", kind="max_pool", inputs=("a",), channels=4, kernel=2, stride=2),
        Layer(name="c", kind="convolution", inputs=("b",), channels=5),
    ),
)


def test_maps_are_counted_up_to_the_deepest_layer_needed() -> None:
    picture, a, b, c = 10 * 6 * 3, 10 * 6 * 4, 5 * 3 * 4, 5 * 3 * 5
    assert activation_values(TINY, ("a",), (10, 6)) == picture + a
    assert activation_values(TINY, ("a", "c"), (10, 6)) == picture + a + b + c
    assert activation_values(TINY, (COLOURS,), (10, 6)) == picture


def test_weights_are_kernels_and_biases() -> None:
    assert weight_values(TINY) == (3 * 3 * 3 * 4 + 4) + (4 * 5 + 5)
    assert weight_values(VGG16.architecture().folded()) == 14_714_688  # as Keras counts them, without top


def test_a_run_by_hand() -> None:
    need = run_need(TransferConfig(backbone="vgg16", weights="random"), (64, 32))
    first, second, third = 64 * 32, 32 * 16, 16 * 8
    fourth, fifth = 8 * 4, 4 * 2
    maps = (
        3 * first + 2 * 64 * first  # the picture and the two convolutions of block 1
        + (64 + 2 * 128) * second  # the pool before it, and block 2
        + (128 + 3 * 256) * third
        + (256 + 3 * 512) * fourth
        + (512 + 512) * fifth  # up to block5_conv1
    )  # fmt: skip
    assert need.step == maps * 4 * 2
    assert need.held == (14_714_688 + 6 * 3 * 64 * 32) * 4
    assert need.total == need.step + need.held


def test_only_named_layers_count_and_a_square_is_the_default() -> None:
    config = TransferConfig(
        backbone="vgg16",
        weights="random",
        size=64,
        style_layers=(("block1_conv1", 1.0),),
        content_layers=(("block1_conv1", 1.0),),
    )
    assert run_need(config).step == (3 + 64) * 64 * 64 * 4 * 2


def test_in_turns_one_step_at_a_time() -> None:
    assert together_need([Need(10, 100), Need(20, 300), Need(5, 50)]) == 10 + 20 + 5 + 300
    assert together_need([]) == 0


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
