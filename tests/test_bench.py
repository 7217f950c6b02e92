"""What `nst bench` measures: ceilings, pairs of steps, rows from a process of their own."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from nst_core import bench, stepping
from nst_core.bench import Row, best_ceiling, measure, measure_ceiling, report, with_ceiling
from nst_core.errors import RunError
from nst_core.estimate import gigaflops, product_gigaflops
from nst_core.stepping import Case, Effort, Stepper, measurements, pictures
from nst_core.weights import load_network

CASE = Case("vgg16", "random", 64, 48)
LITTLE = Effort(warming=0, rounds=2, seconds=0.0)
CEILING = {"float32": 200.0, "bf16": 400.0}
KEYS = (
    "backbone", "weights", "width", "height", "precision", "seconds_per_step", "tutorial_seconds_per_step",
    "gflops", "share_of_ceiling", "peak_rss_mb", "seconds_to_first_step",
)  # fmt: skip
NUMBERS = {
    "precision": "float32",
    "seconds_per_step": 0.5,
    "tutorial_seconds_per_step": 0.75,
    "gflops": 50.0,
    "peak_rss_mb": 600.0,
}
ROW = Row(
    backbone="vgg16", weights="random", width=64, height=48, **NUMBERS,
    share_of_ceiling=0.25, seconds_to_first_step=4.0,
)  # fmt: skip


class Turns:
    """Stands for both kinds of steps and writes down whose turn it was."""

    def __init__(self) -> None:
        self.turns: list[str] = []
        self.times = iter([0.5, 0.1, 0.9])

    def seconds(self) -> float:
        self.turns.append("ours")
        return next(self.times)

    def advance(self) -> None:
        self.turns.append("theirs")


def child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the process that measures run this instead."""
    monkeypatch.setattr(bench, "_CHILD", code)


def test_a_row_is_exactly_these_keys_in_json() -> None:
    data = json.loads(report(CEILING, [ROW, replace(ROW, peak_rss_mb=None)]))
    assert set(data) == {"ceiling_gflops", "rows"}
    assert data["ceiling_gflops"] == CEILING
    assert [tuple(row) for row in data["rows"]] == [KEYS, KEYS]
    assert data["rows"][1]["peak_rss_mb"] is None
    assert tuple(field.name for field in fields(Row)) == KEYS
    assert ROW.ratio == 1.5


def test_shares_follow_the_better_ceiling() -> None:
    ceiling = best_ceiling({"float32": 100.0, "bf16": 50.0}, {"float32": 80.0, "bf16": 70.0})
    assert ceiling == {"float32": 100.0, "bf16": 70.0}
    rows = with_ceiling([ROW, replace(ROW, precision="bf16", gflops=35.0)], ceiling)
    assert [row.share_of_ceiling for row in rows] == [0.5, 0.5]


def test_the_ceiling_is_measured_in_both_precisions() -> None:
    ceiling = measure_ceiling(64)
    assert set(ceiling) == {"float32", "bf16"}
    assert all(0 < rate < 1e9 for rate in ceiling.values())


def test_the_ceiling_is_the_faster_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_product_rate", lambda side, kind, repeats: 80.0)
    monkeypatch.setattr(bench, "_blas_rate", lambda side, repeats: 150.0)
    assert measure_ceiling(64) == {"float32": 150.0, "bf16": 80.0}


@pytest.mark.parametrize(
    ("rate", "side"),
    [(1e3, 4096), (137.5 / 3, 4096), (17.2 / 3, 2048), (1e-3, 512)],  # 2 * side^3 / 1e9 = 137.4, 17.2
)
def test_a_slow_product_is_made_smaller(monkeypatch: pytest.MonkeyPatch, rate: float, side: int) -> None:
    monkeypatch.setattr(bench, "_product_rate", lambda side, kind, repeats: rate)
    assert bench._affordable(4096, None) == side


@pytest.mark.parametrize(("effort", "rounds"), [(Effort(0, 3, 60.0), 3), (Effort(0, 3, 0.0), 2)])
def test_steps_take_turns(effort: Effort, rounds: int) -> None:
    both: Any = Turns()
    ours, theirs = stepping._in_turns(both, both, effort)
    assert both.turns == ["ours", "theirs"] * rounds
    assert ours == pytest.approx(0.5 if rounds == 3 else 0.3)
    assert theirs > 0


@pytest.mark.parametrize("size", [(64, 48), (33, 70), (512, 384)])
def test_the_content_has_exactly_the_size_asked_for(size: tuple[int, int]) -> None:
    content, style = pictures(*size)
    assert content.size == size
    assert max(style.size) == max(size)


def tiny(backbone: Any, weights: str, **_: Any) -> Any:
    return load_network(backbone, "random", width=1 / 16)


@pytest.mark.parametrize("backbone", ["vgg16", "resnet50"])
def test_measurements_in_this_process(monkeypatch: pytest.MonkeyPatch, backbone: str) -> None:
    monkeypatch.setattr(stepping, "load_network", tiny)
    made = []
    monkeypatch.setattr(stepping, "Stepper", lambda material: made.append(Stepper(material)) or made[-1])
    nothing, numbers = measurements(replace(CASE, backbone=backbone), LITTLE)
    assert nothing == {}
    assert set(numbers) == set(NUMBERS)
    assert numbers["precision"] in ("float32", "bf16")
    material = made[0]._material
    assert material.plan[-1][0] == (64, 48)
    layers = (*material.engine.style_layers, *material.engine.content_layers)
    architecture = tiny(stepping.find_backbone(backbone), "")[0].architecture
    work = numbers["gflops"] * numbers["seconds_per_step"]
    counted = gigaflops(architecture, layers, (64, 48))
    counted += product_gigaflops(architecture, material.engine.style_layers, (64, 48))
    assert work == pytest.approx(counted)


def test_a_row_comes_from_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import json, os, sys\n"
        "case, effort = json.loads(sys.argv[1])\n"
        "assert effort == {'warming': 0, 'rounds': 2, 'seconds': 0.0}\n"
        "assert os.environ['TF_CPP_MIN_LOG_LEVEL']\n"
        "import nst_core.stepping\n"
        "print({}, flush=True)\n"
        f"print({json.dumps(NUMBERS)!r}, flush=True)\n"
    )
    child(monkeypatch, code)
    row = measure(CASE, LITTLE, CEILING)
    assert row is not None
    assert row == replace(ROW, seconds_to_first_step=row.seconds_to_first_step)
    assert row.seconds_to_first_step > 0


def test_a_process_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "print({}, flush=True)\nraise MemoryError('not enough for 5 GB')")
    with pytest.raises(RunError, match=r"vgg16 on random weights at 64 x 48 .*not enough for 5 GB.*smaller"):
        measure(CASE, LITTLE, CEILING)
    child(monkeypatch, "import os\nos._exit(9)")
    with pytest.raises(RunError, match="ended with 9"):
        measure(CASE, LITTLE, CEILING, patience=300)


def test_a_row_that_takes_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "import time\nprint({}, flush=True)\ntime.sleep(600)")
    assert measure(CASE, LITTLE, CEILING, patience=0.2) is None


def test_an_interrupt_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "import time\ntime.sleep(600)")
    processes = []
    spawn = bench._spawn

    def spy(*arguments: Any) -> Any:
        processes.append(spawn(*arguments))
        return processes[-1]

    def interrupted(process: Any, began: float) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "_spawn", spy)
    monkeypatch.setattr(bench, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure(CASE, LITTLE, CEILING)
    assert processes[0].poll() is not None
