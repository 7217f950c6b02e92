"""Waiting times before the first step: fitted to what was measured, kept, and true on sizes not yet seen."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core import speed_guess
from nst_core import speeds as module
from nst_core.backbones import BACKBONES, VGG19
from nst_core.config import TransferConfig
from nst_core.plan import Plan
from nst_core.records import PictureSource, RunRecord, Step, WeightsSource
from nst_core.speed_file import Timings, read_measured
from nst_core.speed_guess import REFERENCE, REFERENCE_RATE, Speed, guess_of, kind_of
from nst_core.speeds import (
    FINISHING,
    LOADED_SHARES,
    MOST_POINTS,
    PROGRAMS,
    Speeds,
    fit_speed,
    rung_timings,
    with_points,
)
from nst_core.weights import expected_width
from nst_core.work import step_gigaflops

DRAFT: Plan = (((128, 96), 60), ((256, 192), 60))
STANDARD: Plan = (((128, 96), 80), ((256, 192), 80), ((512, 384), 80))
SKETCH = TransferConfig(backbone="vgg19", weights="sketch")
GUESS = Speed(0.01, 0.02, 5.0)


@pytest.fixture(autouse=True)
def known_rate(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A machine half as fast as the reference, without oneDNN; the list tells how often it was measured."""
    monkeypatch.setattr(module, "expects_onednn", lambda: False)
    monkeypatch.setattr(module, "FINISHING", 0.0)
    monkeypatch.setattr(module, "numpy_lacks_avx512", lambda: False)
    measured: list[float] = []

    def measure() -> float:
        measured.append(REFERENCE_RATE / 2)
        return measured[-1]

    monkeypatch.setattr(module, "matrix_rate", measure)
    return measured


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if TensorFlow had not been imported, whatever other tests did."""
    monkeypatch.setattr(module, "sys", type("Sys", (), {"modules": {}}))


def make_record(speed: Speed, plan: Plan, *, config: TransferConfig = SKETCH, noise: float = 0) -> RunRecord:
    """A run on a machine of this speed, its seconds off by up to `noise`, its first step compiling."""
    width = expected_width(BACKBONES[config.backbone], config.weights)
    generator, steps, now = np.random.default_rng(0), [], speed.start
    for scale, (size, count) in enumerate(plan):
        each = speed.seconds(step_gigaflops(config, size, width=width)) * (1 + noise * (-1) ** scale)
        for _ in range(count):
            now += each * generator.uniform(0.9, 1.1) if noise else each
            steps.append(
                Step(
                    index=len(steps) + 1, scale=scale, size=size, total=1.0, content=1.0, style=0.0,
                    variation=0.0, layers={}, seconds=now,
                )
            )  # fmt: skip
    picture = PictureSource(name="made", size=(64, 48), sha256="")
    return RunRecord(
        id="1", config=config, content=picture, style=picture, versions={}, device="", precision="float32",
        weights=WeightsSource(source="sketch", sha256="", parameters=1, width=width), steps=tuple(steps),
        ending="finished", best_step=1, seconds=now, started="",
    )  # fmt: skip


def truth(speed: Speed, plan: Plan, config: TransferConfig = SKETCH) -> float:
    width = expected_width(BACKBONES[config.backbone], config.weights)
    return sum(speed.seconds(step_gigaflops(config, size, width=width)) * steps for size, steps in plan)


positive = st.floats(1e-4, 1e2)


@given(overhead=st.floats(0, 10), pace=positive, works=st.lists(positive, min_size=2, max_size=8))
def test_a_line_is_found_exactly(overhead: float, pace: float, works: list[float]) -> None:
    if max(works) < 2.1 * min(works):
        works = [*works, 3 * max(works)]
    machine = Speed(overhead, pace, 1.0)
    points = tuple((work, machine.seconds(work)) for work in works)
    fitted = fit_speed(Timings(points), GUESS)
    for work, seconds in points:
        assert fitted.seconds(work) == pytest.approx(seconds, rel=1e-4)
    assert fitted.start == GUESS.start


def test_bfloat16_is_a_kind_of_its_own() -> None:
    speeds = Speeds()
    half, full = (TransferConfig(weights="random", precision=name) for name in ("bfloat16", "float32"))
    before = speeds._speed("vgg19 full")
    assert speeds.seconds(half, DRAFT) < speeds.seconds(full, DRAFT)
    record = make_record(Speed(0.0, 0.5, 1.0), DRAFT, config=half)
    speeds.learn(replace(record, precision="bfloat16", weights=replace(record.weights, width=1.0)))
    assert replace(speeds._speed("vgg19 full"), start=before.start) == before
    assert speeds.seconds(half, DRAFT) == pytest.approx(
        sum(0.5 * step_gigaflops(half, size, width=1.0) * steps for size, steps in DRAFT)
    )
    assert guess_of("vgg16 thin bfloat16").overhead == REFERENCE["vgg16 thin"].overhead


@pytest.mark.parametrize(("amx", "share"), [(False, 0.68), (True, 0.44)])
def test_what_bfloat16_saves_depends_on_the_network_and_the_processor(
    monkeypatch: pytest.MonkeyPatch, *, amx: bool, share: float
) -> None:
    monkeypatch.setattr(speed_guess, "has_amx", lambda: amx)
    assert guess_of("resnet50 full bfloat16").pace == share * REFERENCE["resnet50 full"].pace
    assert guess_of("vgg19 full bfloat16").pace < share * REFERENCE["vgg19 full"].pace
    assert guess_of("vgg19 full") == REFERENCE["vgg19 full"]


def test_one_size_scales_the_guess() -> None:
    timings = Timings(((1.0, 0.06), (1.5, 0.08)), 9.0)
    fitted = fit_speed(timings, GUESS)
    assert (fitted.overhead, fitted.pace, fitted.start) == pytest.approx((0.02, 0.04, 9.0))
    assert fit_speed(Timings(), GUESS) == GUESS


@given(points=st.lists(st.tuples(positive, positive), max_size=8))
def test_no_measurement_makes_a_time_negative(points: list[tuple[float, float]]) -> None:
    fitted = fit_speed(Timings(tuple(points)), GUESS)
    assert fitted.overhead >= 0
    assert fitted.pace >= 0
    assert fitted.seconds(1.0) > 0


def test_seconds_that_fall_with_the_size_are_taken_for_overhead() -> None:
    fitted = fit_speed(Timings(((1.0, 3.0), (10.0, 2.0))), GUESS)
    # The constant whose squared shares of error are least: sum 1/t over sum 1/t^2.
    assert fitted.overhead == pytest.approx((1 / 3 + 1 / 2) / (1 / 9 + 1 / 4))
    assert fitted.pace == 0


@given(
    overhead=st.floats(0, 0.2),
    pace=st.floats(0.002, 0.2),
    noise=st.floats(-0.02, 0.02),
    backbone=st.sampled_from(list(BACKBONES)),
)
def test_sizes_not_seen_are_foretold_within_a_quarter(
    overhead: float, pace: float, noise: float, backbone: str
) -> None:
    """A draft teaches what a standard takes, up to 2 % off at each size and each step another 10."""
    config, speeds, machine = replace(SKETCH, backbone=backbone), Speeds(), Speed(overhead, pace, 6.0)
    speeds.learn(make_record(machine, DRAFT, config=config, noise=noise))
    for plan in (STANDARD, (((384, 288), 100),), (((64, 64), 10),)):
        assert speeds.seconds(config, plan) == pytest.approx(truth(machine, plan, config), rel=0.25)


def test_own_layers_are_counted() -> None:
    speeds, machine = Speeds(), Speed(0.0, 0.05, 6.0)
    speeds.learn(make_record(machine, DRAFT))
    shallow = replace(SKETCH, style_layers=(("block1_conv1", 1.0),), content_layers=(("block1_conv2", 1.0),))
    speeds.learn(make_record(machine, (((64, 48), 1),), config=shallow))  # compiled, no more
    assert speeds.seconds(shallow, DRAFT) == pytest.approx(truth(machine, DRAFT, shallow))
    assert speeds.seconds(shallow, DRAFT) < speeds.seconds(SKETCH, DRAFT) / 2


def test_rungs_by_hand() -> None:
    plan = (((128, 96), 3), ((256, 192), 2))
    record = make_record(Speed(0.5, 0.0, 10.0), plan)
    works = [step_gigaflops(record.config, size, width=0.25) for size, _ in plan]
    assert rung_timings(record) == [(pytest.approx(work), pytest.approx(0.5)) for work in works]
    late = replace(
        record, steps=(*record.steps[:-1], replace(record.steps[-1], seconds=record.steps[-1].seconds + 1))
    )
    assert [seconds for _, seconds in rung_timings(late)] == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_short_a_run_teaches_nothing(count: int) -> None:
    record = make_record(Speed(0.5, 0.1, 1.0), (((128, 96), count),))
    assert rung_timings(record) == []
    speeds = Speeds()
    speeds.learn(record)
    width = expected_width(VGG19, "sketch")
    kind = kind_of("vgg19", width, "float32")
    assert speeds._speed(kind).pace == pytest.approx(2 * REFERENCE["vgg19 thin"].pace)


def test_the_newest_of_a_size_counts() -> None:
    timings = with_points(Timings(((1.0, 5.0), (4.0, 9.0))), [(1.1, 6.0)])
    assert timings.steps == ((4.0, 9.0), (1.1, 6.0))
    many = with_points(Timings(), [(2.0**power, 1.0) for power in range(20)])
    assert [work for work, _ in many.steps] == [2.0**power for power in range(20 - MOST_POINTS, 20)]


def test_the_first_guess_is_the_references_at_this_machines_rate(known_rate: list[float]) -> None:
    speeds = Speeds()
    reference = REFERENCE["vgg19 thin"]
    assert speeds.seconds(SKETCH, DRAFT) == pytest.approx(2 * (reference.start + truth(reference, DRAFT)))
    speeds.seconds(replace(SKETCH, backbone="vgg16"), DRAFT)
    assert len(known_rate) == 1


def test_wide_products_make_small_operations_and_compiling_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "matrix_rate", lambda: 4 * REFERENCE_RATE)
    guess, reference = Speeds()._speed("vgg19 thin"), REFERENCE["vgg19 thin"]
    assert (guess.overhead, guess.pace, guess.start) == (
        reference.overhead,
        reference.pace / 4,
        reference.start,
    )


def test_where_numpy_lacks_avx512_unused_full_networks_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = ("vgg19 thin", "vgg19 full", "resnet50 full bfloat16")
    thin, *full = (Speeds()._speed(kind) for kind in kinds)
    monkeypatch.setattr(module, "numpy_lacks_avx512", lambda: True)
    assert [Speeds()._speed(kind) for kind in kinds] == [
        thin,
        *(replace(speed, pace=speed.pace / 2) for speed in full),
    ]


def test_where_onednn_computes_a_first_run_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Speeds()._speed("vgg19 thin")
    monkeypatch.setattr(module, "expects_onednn", lambda: True)
    speeds = Speeds()
    assert speeds._speed("vgg19 thin") == replace(plain, start=plain.start + PROGRAMS)
    speeds.note("vgg19 thin", [(1.0, 0.03), (10.0, 0.21)], start=6.0)  # measured, programs and all
    steps = truth(Speed(0.01, 0.02, 6.0), DRAFT)
    monkeypatch.setattr(module, "sys", type("Sys", (), {"modules": {"tensorflow": sys}}))
    assert speeds.seconds(SKETCH, DRAFT) == pytest.approx(6.0 * LOADED_SHARES[1] + steps)


def test_the_beginning_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds, machine = Speeds(), Speed(0.01, 0.02, 6.0)
    speeds.note("vgg19 thin", [(1.0, 0.03), (10.0, 0.21)], start=6.0)
    steps = truth(machine, DRAFT)
    assert speeds.seconds(SKETCH, DRAFT) == pytest.approx(6.0 + steps)
    monkeypatch.setattr(module, "sys", type("Sys", (), {"modules": {"tensorflow": sys}}))
    assert speeds.seconds(SKETCH, DRAFT) == pytest.approx(6.0 * LOADED_SHARES[0] + steps)
    speeds.learn(make_record(machine, DRAFT))
    assert speeds.seconds(SKETCH, DRAFT) == pytest.approx(steps)


def test_one_kind_tells_of_the_others_until_they_are_measured() -> None:
    speeds = Speeds()
    guess, thin, full = (speeds._speed(kind) for kind in ("vgg19 thin", "vgg16 thin", "resnet50 full"))
    # Half as fast as foretold, and begun in a third of the time that is foretold with TensorFlow loaded.
    here = Speed(2 * guess.overhead, 2 * guess.pace, guess.start * LOADED_SHARES[False] / 3)
    speeds.learn(make_record(here, DRAFT))
    found = [speeds._speed(kind) for kind in ("vgg19 thin", "vgg16 thin", "resnet50 full")]
    for speed, wanted in zip(
        found,
        (
            Speed(2 * guess.overhead, 2 * guess.pace, guess.start / 3),
            Speed(2 * thin.overhead, 2 * thin.pace, thin.start / 3),
            Speed(2 * full.overhead, full.pace, full.start / 3),  # its products are not small
        ),
        strict=True,
    ):
        assert (speed.overhead, speed.pace, speed.start) == pytest.approx(
            (wanted.overhead, wanted.pace, wanted.start)
        )
    measured = Speed(0.5, 0.25, 6.0)
    speeds.note("vgg16 thin", [(1.0, 0.75), (10.0, 3.0)], start=6.0)
    assert fit_speed(speeds._known().kinds["vgg16 thin"], GUESS) == speeds._speed("vgg16 thin")
    assert speeds._speed("vgg16 thin").seconds(4.0) == pytest.approx(measured.seconds(4.0))


def test_a_run_to_get_ready_counts_where_nothing_else_is_known() -> None:
    tiny: Plan = (((64, 64), 8),)
    speeds, machine = Speeds(), Speed(0.02, 0.05, 1.5)
    speeds.learn_warming(make_record(machine, tiny))
    # Compiled, and its steps scaled to the tiny ones.
    share = truth(machine, tiny) / truth(REFERENCE["vgg19 thin"], tiny)
    assert speeds.seconds(SKETCH, DRAFT) == pytest.approx(share * truth(REFERENCE["vgg19 thin"], DRAFT))
    known = Speeds()
    known.note("vgg19 thin", [(1.0, 0.03), (10.0, 0.21)])
    known.learn_warming(make_record(machine, tiny))
    assert known.seconds(SKETCH, DRAFT) == pytest.approx(truth(Speed(0.01, 0.02, 0.0), DRAFT))


def test_steps_of_getting_ready_give_way_and_are_not_kept(tmp_path: Path) -> None:
    path, machine = tmp_path / "speeds.json", Speed(0.01, 0.02, 1.5)
    speeds = Speeds(path)
    speeds.learn_warming(make_record(Speed(0.2, 0.2, 5.0), (((64, 64), 8),)))  # while a page is drawn
    assert not path.exists()
    speeds.learn(make_record(machine, DRAFT))
    assert speeds.seconds(SKETCH, DRAFT) == pytest.approx(truth(machine, DRAFT))
    after, alone = speeds._speed("vgg16 thin"), Speeds()
    alone.learn(make_record(machine, DRAFT))
    assert (after.overhead, after.pace) == pytest.approx(
        (alone._speed("vgg16 thin").overhead, alone._speed("vgg16 thin").pace)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"statistic": "moments"},
        {"pooling": "max"},
        {"padding": "zero"},
        {"smoothing": "softmax"},
        {"variation": "absolute"},
        {"content_layers": (("block1_conv1", 1.0),)},
    ],
)
def test_another_objective_has_to_be_compiled(changes: dict[str, Any]) -> None:
    speeds, machine = Speeds(), Speed(0.01, 0.02, 1.5)
    speeds.learn_warming(make_record(machine, (((64, 64), 8),)))
    speeds.learn(make_record(machine, DRAFT))
    other = replace(SKETCH, **changes)
    start = speeds._speed("vgg19 thin").start
    steps = truth(machine, DRAFT, other)
    assert start == pytest.approx(1.5 / LOADED_SHARES[False])
    assert speeds.seconds(other, DRAFT) == pytest.approx(start + steps)
    # Weights of the losses, sizes and optimisers are not compiled.
    assert speeds.seconds(replace(SKETCH, strength=3, optimiser="adam", seed=7), DRAFT) == pytest.approx(
        truth(machine, DRAFT)
    )


def test_kinds_of_another_version_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    Speeds(path).note("vgg11 thin", [(1.0, 0.1), (5.0, 0.3)])
    assert Speeds(path).seconds(SKETCH, DRAFT) == Speeds().seconds(SKETCH, DRAFT)


def test_every_run_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds, machine = Speeds(), Speed(0.01, 0.02, 1.5)
    speeds.learn(make_record(machine, DRAFT))
    monkeypatch.setattr(module, "FINISHING", FINISHING)
    assert FINISHING > 0
    for plan in (DRAFT, STANDARD):
        assert speeds.seconds(SKETCH, plan) == pytest.approx(truth(machine, plan) + FINISHING)


def test_learning_measures_nothing(known_rate: list[float]) -> None:
    speeds = Speeds()
    speeds.learn(make_record(Speed(0.01, 0.02, 1.5), DRAFT))
    speeds.learn_warming(make_record(Speed(0.01, 0.02, 1.5), DRAFT))
    assert not known_rate


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_of_one_step_does_not_tell_how_long_it_took_to_begin(count: int) -> None:
    speeds = Speeds()
    before = speeds._speed("vgg16 thin")
    speeds.learn(make_record(Speed(0.5, 0.1, 1.0), (((128, 96), count),)))
    assert speeds._speed("vgg16 thin") == before


def test_what_was_learnt_is_there_the_next_time(tmp_path: Path) -> None:
    path, machine = tmp_path / "deep" / "speeds.json", Speed(0.1, 0.3, 1.0)
    Speeds(path).learn(make_record(machine, DRAFT))
    again = Speeds(path)
    assert again.seconds(SKETCH, DRAFT) - again._speed("vgg19 thin").start == pytest.approx(
        truth(machine, DRAFT)
    )


def test_two_processes_do_not_forget_each_others(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    one, other = Speeds(path), Speeds(path)
    one.seconds(SKETCH, DRAFT)
    other.seconds(SKETCH, DRAFT)
    one.note("vgg19 thin", [(1.0, 0.5)])
    other.note("vgg16 thin", [(1.0, 0.5)])
    assert set(read_measured(path).kinds) == {"vgg19 thin", "vgg16 thin"}
    assert read_measured(path).rate == REFERENCE_RATE / 2


def test_a_file_that_is_damaged_or_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    path.write_text("{", "utf-8")
    speeds = Speeds(path)
    assert speeds.seconds(SKETCH, DRAFT) > 0
    speeds.note("vgg19 thin", [(1.0, 0.5)])
    assert read_measured(path).kinds["vgg19 thin"].steps == ((1.0, 0.5),)
    blocked = Speeds(path / "below" / "speeds.json")  # its folder is a file
    blocked.note("vgg19 thin", [(1.0, 0.5)])
    blocked.note("vgg19 thin", [(4.0, 2.0)])
    assert len(blocked._known().kinds["vgg19 thin"].steps) == 2


def test_every_kind_has_its_reference() -> None:
    assert set(REFERENCE) == {kind_of(name, width, "float32") for name in BACKBONES for width in (0.25, 1.0)}
