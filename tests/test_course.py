"""Whole runs on a thin network: what they promise, and what they do when things go wrong."""

import json
import math
from dataclasses import replace
from functools import partial
from itertools import count
from unittest.mock import Mock

import numpy as np
import pytest
import tensorflow as tf

from nst_core import rung
from nst_core.backbones import COLOURS, VGG16
from nst_core.config import TransferConfig
from nst_core.course import MOST_RECOVERIES, optimise
from nst_core.errors import RunError
from nst_core.images import resize, to_uint8
from nst_core.material import prepare
from nst_core.networks import Network
from nst_core.optimisers import Adam
from nst_core.records import RunRecord
from nst_core.transfer import run
from tests.conftest import make_picture
from tests.runs import (
    CONTENT,
    SHORT,
    SOURCE,
    STYLE,
    Meddler,
    make_material,
    outcome_of,
    relative_total,
    stop_after,
    without_seconds,
)

pytestmark = pytest.mark.usefixtures("small_rungs")


@pytest.fixture(scope="module")
def make(network):
    """make(content, style, **settings): the material of a short run; engines are shared."""
    return partial(make_material, {}, network)


@pytest.fixture
def meddle(monkeypatch):
    def put(material, broken, value=math.nan):
        meddler = Meddler(material.engine, broken, value)
        monkeypatch.setattr(material.engine, "evaluate", meddler)
        return meddler

    return put


# A run that goes well


@pytest.mark.parametrize("canvas", ["pixel", "fourier"])
@pytest.mark.parametrize("init", ["content", "noise"])
def test_the_same_settings_give_the_same_pixels_bit_for_bit(make, network, canvas, init):
    material = make(canvas=canvas, init=init, size=128, seed=7)
    fresh = prepare(material.config, CONTENT, STYLE, loaded={"vgg16": (network, SOURCE)})
    assert fresh.engine is not material.engine
    first, again, anew = (run(one) for one in (material, material, fresh))
    np.testing.assert_array_equal(first.picture, again.picture)
    np.testing.assert_array_equal(first.picture, anew.picture)
    for other in (again, anew):
        assert without_seconds(first.record.steps) == without_seconds(other.record.steps)


def test_another_seed_gives_another_picture_from_noise(make):
    first, other = (run(make(init="noise", seed=seed, steps=2)).picture for seed in (0, 1))
    assert (first != other).mean() > 0.9


@pytest.mark.parametrize("canvas", ["pixel", "fourier"])
def test_the_loss_falls_and_the_picture_is_one(make, canvas):
    made = run(make(canvas=canvas, steps=12))
    totals = [step.total for step in made.record.steps]
    assert min(totals) < 0.5 * totals[0]
    assert made.record.ending == "finished"
    assert made.picture.shape == (48, 64, 3)
    assert made.picture.dtype == np.float32
    assert made.picture.min() >= 0
    assert made.picture.max() <= 1


@pytest.mark.parametrize(
    ("canvas", "rate"), [("pixel", None), ("pixel", 0.4), ("fourier", None), ("fourier", 4)]
)
def test_the_picture_is_the_one_of_least_loss_at_the_last_size(make, network, canvas, rate):
    material = make(canvas=canvas, size=128, steps=12, learning_rate=rate, variation_weight=0.1)
    made = run(material)
    last = [step for step in made.record.steps if step.scale == 1]
    least = min(last, key=lambda step: step.total)
    assert made.record.best == least
    again = relative_total(network, material.config, made.picture, *material.at(128))
    assert again == pytest.approx(least.total, rel=1e-3)


def test_a_rate_too_large_has_its_best_step_before_its_last(make):
    """So that the test above does not pass by returning the last picture."""
    record = run(make(canvas="pixel", size=128, steps=12, learning_rate=0.4, variation_weight=0.1)).record
    assert record.best_step < 12
    assert record.steps[-1].total > 1.01 * record.best.total


def test_the_totals_are_the_weighted_sums(make):
    record = run(make(variation_weight=0.5, content_weight=2.0, style_weight=3.0)).record
    for step in record.steps:
        weighted = 2.0 * step.content + 3.0 * step.style + 0.5 * step.variation
        assert step.total == pytest.approx(weighted, rel=1e-12)
        assert step.style == pytest.approx(sum(step.layers.values()), rel=1e-12)
        assert tuple(step.layers) == VGG16.style_layers


def test_the_ladder_goes_up_and_each_rung_starts_from_the_best_below(make):
    material = make(size=256, steps=10, canvas="pixel", learning_rate=0.2)
    steps, outcome = outcome_of(optimise(material, preview_seconds=0))
    assert [(step.scale, step.size) for step in steps] == [
        *[(0, (64, 48))] * 3,
        *[(1, (128, 96))] * 3,
        *[(2, (256, 192))] * 4,
    ]
    assert [step.index for step in steps] == list(range(1, 11))
    for scale in (0, 1):
        rung = [step for step in steps if step.scale == scale]
        best = min(rung, key=lambda step: step.total)
        first = next(step for step in steps if step.scale == scale + 1)
        carried = resize(best.preview.astype(np.float32) / 255, first.size)
        # Both are rounded to 256 levels, once before and once after enlarging.
        np.testing.assert_allclose(first.preview / 255, carried, atol=2.5 / 255)
    assert outcome.picture.shape == (192, 256, 3)


def test_fewer_steps_than_rungs_leave_out_the_small_ones(make, monkeypatch):
    material = make(size=256, steps=1)
    asked = []
    targets = material.engine.targets
    monkeypatch.setattr(
        material.engine, "targets", lambda *given, **more: asked.append(1) or targets(*given, **more)
    )
    made = run(material)
    assert [step.size for step in made.record.steps] == [(256, 192)]
    assert made.record.ending == "finished"
    assert len(asked) == 1


def test_one_step_is_the_starting_picture(make):
    made = run(make(steps=1, canvas="pixel"))
    np.testing.assert_array_equal(made.picture, CONTENT.pixels)
    assert made.record.best_step == 1


def test_a_single_size(make):
    made = run(make(size=128, ladder=False))
    assert {(step.scale, step.size) for step in made.record.steps} == {(0, (128, 96))}


@pytest.mark.parametrize("init", ["content", "style", "noise"])
def test_the_first_picture_is_the_chosen_one(make, init):
    material = make(init=init, canvas="pixel", steps=1, seed=3)
    steps, _ = outcome_of(optimise(material, preview_seconds=0))
    content, style = material.at(64)
    noise = np.random.default_rng(3).standard_normal((48, 64, 3), np.float32)
    wanted = {
        "content": content,
        "style": resize(style, (64, 48)),
        "noise": np.clip(0.5 + 0.1 * noise, 0, 1).astype(np.float32),
    }[init]
    np.testing.assert_array_equal(steps[0].preview, to_uint8(wanted))


def test_without_content_weight_the_content_does_not_pull(make):
    other = make_picture(48, 64, seed=8)
    first, second = (
        run(make(picture, content_weight=0.0, init="noise", canvas="pixel")) for picture in (CONTENT, other)
    )
    np.testing.assert_array_equal(first.picture, second.picture)
    assert all(step.total == step.style for step in first.record.steps)


def test_colours_as_a_style_layer_bring_the_mean_colour(make):
    style = make_picture(64, 64, seed=2)
    style = replace(style, pixels=(style.pixels * np.float32([0.2, 0.4, 1.0])))
    quick = {"steps": 40, "learning_rate": 0.05}
    made = run(make(style=style, style_layers=((COLOURS, 1.0),), content_weight=0.0, canvas="pixel", **quick))
    assert tuple(made.record.steps[0].layers) == (COLOURS,)
    wanted = style.pixels.mean((0, 1))
    assert np.abs(CONTENT.pixels.mean((0, 1)) - wanted).max() > 0.2
    np.testing.assert_allclose(made.picture.mean((0, 1)), wanted, atol=0.05)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_only_the_ratio_of_the_weights_counts(make, scale):
    plain = run(make())
    scaled = run(make(content_weight=0.05 * scale, style_weight=scale))
    np.testing.assert_allclose(scaled.picture, plain.picture, atol=0.02)
    assert np.abs(plain.picture - CONTENT.pixels).max() > 0.1


# Previews


def test_previews_are_the_pictures_as_they_stood(make):
    material = make(canvas="pixel", steps=4)
    steps, _ = outcome_of(optimise(material, preview_seconds=0))
    assert [step.preview.shape for step in steps] == [(48, 64, 3)] * 4
    assert all(step.preview.dtype == np.uint8 for step in steps)
    np.testing.assert_array_equal(steps[0].preview, to_uint8(CONTENT.pixels))
    assert (steps[1].preview != steps[0].preview).any()


def test_previews_come_after_so_many_seconds_and_at_milestones(make):
    ticks = count(0.0, 0.01)
    course = optimise(make(steps=90), clock=lambda: next(ticks), preview_seconds=1e6)
    steps, _ = outcome_of(course)
    seen = [step.index for step in steps if step.preview is not None]
    assert seen == [1, *range(3, 91, 3)]  # 90 / 30: every third, and the first


def test_no_previews_when_none_are_wanted(make):
    steps, _ = outcome_of(optimise(make(), preview_seconds=math.inf))
    assert [step.preview for step in steps] == [None] * 8


# Stopping


def test_stopping_midway_keeps_the_best_picture(make, network):
    material = make(canvas="pixel", steps=20)
    made = run(material, stop=stop_after(6))
    assert len(made.record.steps) == 6
    assert made.record.ending == "stopped"
    assert made.record.notes == ()
    again = relative_total(network, material.config, made.picture, *material.at(64))
    assert again == pytest.approx(min(step.total for step in made.record.steps), rel=1e-3)


@pytest.mark.parametrize("steps", [2, 3])
def test_stopping_on_the_way_up_enlarges_and_says_so(make, steps):
    made = run(make(size=128, steps=6), stop=stop_after(steps))
    assert len(made.record.steps) == steps
    assert made.record.ending == "stopped"
    assert made.picture.shape == (96, 128, 3)
    assert made.record.notes == (
        "The last size was not reached: the picture was enlarged from 64 x 48 to 128 x 96 pixels.",
    )


def test_stopping_before_the_first_step_leaves_no_picture(make):
    made = run(make(size=128), stop=lambda: True)
    assert made.picture is None
    assert made.record.ending == "stopped"
    assert (made.record.steps, made.record.best_step) == ((), 0)
    assert RunRecord.from_json(made.record.to_json()) == made.record


# Numbers that are not finite


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("canvas", ["pixel", "fourier"])
def test_a_loss_that_is_not_finite_is_recovered_from(make, meddle, network, canvas, value, monkeypatch):
    material = make(canvas=canvas, steps=10)
    meddle(material, {5}, value)
    rates = []
    monkeypatch.setattr(
        rung, "Adam", lambda canvas, start, rate: rates.append(rate) or Adam(canvas, start, rate)
    )
    made = run(material)
    rate = material.config.learning_rate
    assert rates == [rate, rate / 2]
    assert made.record.ending == "recovered"
    assert len(made.record.steps) == 10
    assert not math.isfinite(made.record.steps[4].total)
    assert made.record.notes == (
        "The loss was not a finite number at step 5: went back to the best picture with the learning rate"
        f" halved to {rate / 2:.3g}.",
    )
    finite = [step.total for step in made.record.steps if math.isfinite(step.total)]
    assert made.record.best.total == min(finite)
    again = relative_total(network, material.config, made.picture, *material.at(64))
    assert again == pytest.approx(min(finite), rel=1e-3)


def test_after_a_recovery_the_best_picture_is_taken_up_again(make, meddle):
    material = make(canvas="pixel", steps=6)
    meddle(material, {4})
    steps, _ = outcome_of(optimise(material, preview_seconds=0))
    best = min(steps[:3], key=lambda step: step.total)
    assert steps[3].preview is None  # a broken picture is not shown
    np.testing.assert_array_equal(steps[4].preview, best.preview)
    assert steps[4].total == best.total


@pytest.mark.parametrize("size", [64, 128])
def test_losses_that_are_never_finite_fail_without_a_picture(make, meddle, size):
    material = make(size=size, steps=40)
    meddle(material, set(range(1, 100)))
    made = run(material)
    assert made.picture is None
    assert made.record.ending == "failed"
    assert made.record.best_step == 0
    assert len(made.record.steps) == MOST_RECOVERIES + 1
    assert made.record.notes[-1].startswith("No step had a finite loss; lower the")
    assert all(math.isnan(step["total"] or math.nan) for step in json.loads(made.record.to_json())["steps"])


def test_too_many_recoveries_end_the_run_with_the_best_picture(make, meddle):
    material = make(canvas="pixel", steps=40)
    meddle(material, set(range(4, 100)))
    made = run(material)
    assert made.record.ending == "recovered"
    assert len(made.record.steps) == 3 + MOST_RECOVERIES + 1
    assert np.isfinite(made.picture).all()
    assert made.record.best_step <= 3


def test_a_last_size_that_is_never_finite_keeps_the_size_below(make, meddle):
    material = make(size=128, steps=10)
    meddle(material, set(range(6, 100)))  # from the last rung's first step
    made = run(material)
    assert made.record.ending == "recovered"
    assert made.picture.shape == (96, 128, 3)
    assert made.record.best.scale == 0
    assert made.record.notes[-1].startswith("The last size was not reached")


def test_a_network_whose_maps_overflow_fails_in_words(network):
    loud = {name: (kernel * np.float32(1e12), bias) for name, (kernel, bias) in network.arrays.items()}
    loaded = {"vgg16": (Network(network.architecture, loud), SOURCE)}
    material = prepare(TransferConfig(**SHORT), CONTENT, STYLE, loaded=loaded)
    made = run(material)
    assert made.record.ending == "failed"
    assert made.picture is None


@pytest.mark.parametrize(
    "settings", [{"style_weight": 1e15}, {"variation_weight": 1e15}, {"balance": "paper"}]
)
@pytest.mark.parametrize("canvas", ["pixel", "fourier"])
def test_extreme_weights_still_move_the_picture(make, settings, canvas):
    made = run(make(canvas=canvas, **settings))
    assert made.record.ending == "finished"
    assert np.isfinite(made.picture).all()
    assert made.record.best.total < 0.95 * made.record.steps[0].total


@pytest.mark.parametrize(
    "full", [tf.errors.ResourceExhaustedError(None, None, "OOM when allocating a tensor"), MemoryError()]
)
def test_too_little_memory_is_said_in_words(make, monkeypatch, full):
    material = make()
    monkeypatch.setattr(material.engine, "evaluate", Mock(side_effect=full))
    with pytest.raises(RunError, match="not enough memory for 64 pixels; choose a smaller size"):
        run(material)
