"""One size of a run: which optimiser works on what, jitter, averaging, and what is done when one ends."""

import gc
import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from nst_core import optimisers
from nst_core import rung as module
from nst_core.course import optimise
from nst_core.errors import RunError
from nst_core.material import make_engine
from nst_core.optimisers import LBFGS, Adam
from nst_core.plan import rung_method
from nst_core.records import RunRecord
from nst_core.rung import JITTERS, Rung
from nst_core.transfer import run
from tests.runs import (
    CONTENT,
    SHORT,
    Meddler,
    make_material,
    outcome_of,
    relative_total,
    stop_after,
    without_seconds,
)

pytestmark = pytest.mark.usefixtures("small_rungs", "no_search_is_left")
LBFGS_ON_PIXELS = {"canvas": "pixel", "optimiser": "lbfgs"}


def searches():
    return optimisers.ONE_THREAD.holders


@pytest.fixture
def no_search_is_left():
    assert searches() == 0
    yield
    assert searches() == 0


@pytest.fixture(scope="module")
def make(network):
    """make(content, style, **settings): the material of a short run; engines are shared."""
    return partial(make_material, {}, network)


@pytest.fixture
def started(monkeypatch):
    """Which optimisers were started, on what: (name, canvas, rate)."""
    made = []

    def adam(canvas, start, rate):
        made.append(("adam", "pixel" if canvas.bounds else "fourier", rate))
        return Adam(canvas, start, rate)

    def lbfgs(canvas, start):
        made.append(("lbfgs", "pixel" if canvas.bounds else "fourier", None))
        return LBFGS(canvas, start)

    monkeypatch.setattr(module, "Adam", adam)
    monkeypatch.setattr(module, "LBFGS", lbfgs)
    return made


# Which optimiser works on what


def test_the_method_of_each_rung(make):
    config = make(canvas="fourier", finish="lbfgs").config
    assert rung_method(config, last=False) == ("fourier", "adam")
    assert rung_method(config, last=True) == ("pixel", "lbfgs")
    config = make(canvas="fourier", optimiser="lbfgs").config
    assert rung_method(config, last=True) == ("fourier", "lbfgs")


def test_only_the_last_size_is_finished_on_pixels_with_lbfgs(make, started):
    made = run(make(size=256, steps=9, canvas="fourier", finish="lbfgs", learning_rate=0.3))
    assert started == [("adam", "fourier", 0.3)] * 2 + [("lbfgs", "pixel", None)]
    assert made.record.ending == "finished"
    assert made.record.config.finish == "lbfgs"


def test_targets_that_cannot_be_made_leave_no_search(make, monkeypatch):
    material = make(size=64, steps=4, **LBFGS_ON_PIXELS)

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(material.engine, "targets", fail)
    with pytest.raises(RunError, match="not enough memory"):
        run(material)


@pytest.mark.parametrize(
    "settings", [{"optimiser": "lbfgs"}, {"optimiser": "adam", "finish": "lbfgs"}], ids=["lbfgs", "finish"]
)
def test_sizes_without_memory_for_lbfgs_are_adams(make, started, settings):
    material = make(size=256, steps=9, canvas="fourier", **settings)
    run(replace(material, lbfgs_up_to=material.sizes[-2]))
    assert [name for name, _, _ in started[:-1]] == [settings["optimiser"]] * 2
    assert started[-1][:2] == ("adam", "fourier")


def test_a_rate_for_fourier_is_not_used_on_pixels(make, started, monkeypatch):
    """A finish that loses its way goes on with Adam, at the rate of pixels."""
    material = make(size=64, steps=4, canvas="fourier", finish="lbfgs", learning_rate=0.3)
    monkeypatch.setattr(material.engine, "evaluate", Meddler(material.engine, {2}))
    run(material)
    assert started == [("lbfgs", "pixel", None), ("adam", "pixel", 0.02 / 2)]


@pytest.mark.parametrize(
    "settings",
    [
        {**LBFGS_ON_PIXELS},
        {"canvas": "fourier", "optimiser": "lbfgs"},
        {"canvas": "fourier", "finish": "lbfgs", "size": 128},
    ],
    ids=str,
)
def test_the_best_picture_of_lbfgs_has_the_loss_that_the_record_tells(make, network, settings):
    material = make(**{"steps": 16, "variation_weight": 0.1, **settings})
    made = run(material)
    last = [step for step in made.record.steps if step.scale == len(material.sizes) - 1]
    assert made.record.best == min(last, key=lambda step: step.total)
    assert made.record.best.total < 0.5 * last[0].total
    again = relative_total(network, material.config, made.picture, *material.at(material.sizes[-1]))
    assert again == pytest.approx(made.record.best.total, rel=1e-3)
    assert made.record.precision == material.engine.precision
    assert RunRecord.from_json(made.record.to_json()) == made.record


def test_lbfgs_gives_the_same_pixels_again(make):
    first, again = (run(make(steps=6, **LBFGS_ON_PIXELS)) for _ in range(2))
    np.testing.assert_array_equal(first.picture, again.picture)
    assert without_seconds(first.record.steps) == without_seconds(again.record.steps)


# When L-BFGS ends


class Ends:
    """Stands in for `lbfgs.search`: asks so often, each time lower or at the same, then ends."""

    def __init__(self, *counts, lower=True):
        self.counts, self.lower = list(counts), lower

    def __call__(self, start, _bounds):
        point = start
        for _ in range(self.counts.pop(0)):
            _, gradient = yield point
            if self.lower:
                point = np.clip(point - np.float32(1e-2) * np.sign(gradient), 0, 1)
        return "no way"


def test_lbfgs_that_ends_early_is_started_afresh_where_it_paid(make, started, monkeypatch):
    monkeypatch.setattr(optimisers, "search", Ends(6, 100))
    material = make(steps=10, **LBFGS_ON_PIXELS)
    steps, outcome = outcome_of(optimise(material, preview_seconds=0))
    assert [name for name, *_ in started] == ["lbfgs", "lbfgs"]
    assert len(steps) == 10
    assert outcome.ending == "finished"
    assert outcome.notes == (
        "L-BFGS ended after step 6 (no way) and was started afresh from the best picture.",
    )
    best = min(steps[:6], key=lambda step: step.total)
    assert steps[6].total == pytest.approx(best.total, rel=1e-6)


@pytest.mark.parametrize(
    "ends", [Ends(4), Ends(6, lower=False)], ids=["after a few steps", "without anything lower"]
)
def test_lbfgs_that_ends_early_for_good_says_why(make, started, monkeypatch, ends):
    count = ends.counts[0]
    monkeypatch.setattr(optimisers, "search", ends)
    made = run(make(steps=10, **LBFGS_ON_PIXELS))
    assert len(started) == 1
    assert len(made.record.steps) == count
    assert made.record.ending == "finished"
    assert made.picture is not None
    assert made.record.notes == (
        f"L-BFGS ended after step {count} (no way): nothing lower was found, so the size was left there.",
    )


def test_a_size_that_is_left_early_leaves_the_others_their_steps(make, monkeypatch):
    monkeypatch.setattr(optimisers, "search", Ends(2, 5))
    made = run(make(size=128, steps=10, **LBFGS_ON_PIXELS))
    assert [step.scale for step in made.record.steps] == [0, 0, 1, 1, 1, 1, 1]
    assert made.picture.shape == (96, 128, 3)


def test_at_the_lowest_point_lbfgs_ends_by_itself(make):
    """Content alone, begun at the content: the loss is 0 and nothing pulls."""
    made = run(make(content_weight=1.0, style_weight=0.0, steps=10, **LBFGS_ON_PIXELS))
    assert len(made.record.steps) == 1
    assert made.record.best.total == pytest.approx(0, abs=1e-9)
    np.testing.assert_array_equal(made.picture, CONTENT.pixels)
    assert "nothing lower was found" in made.record.notes[-1]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_under_lbfgs_is_gone_on_from_with_adam(
    make, started, monkeypatch, network, value
):
    material = make(steps=10, **LBFGS_ON_PIXELS)
    monkeypatch.setattr(material.engine, "evaluate", Meddler(material.engine, {5}, value))
    steps, outcome = outcome_of(optimise(material, preview_seconds=0))
    assert started == [("lbfgs", "pixel", None), ("adam", "pixel", 0.01)]
    assert outcome.ending == "recovered"
    assert outcome.notes == (
        "The loss was not a finite number at step 5: went back to the best picture and on with Adam, its"
        " learning rate 0.01.",
    )
    assert len(steps) == 10
    best = min(steps[:4], key=lambda step: step.total)
    np.testing.assert_array_equal(steps[5].preview, best.preview)
    again = relative_total(network, material.config, outcome.picture, *material.at(64))
    finite = [step.total for step in steps if math.isfinite(step.total)]
    assert again == pytest.approx(min(finite), rel=1e-3)


# What stays behind


@pytest.mark.parametrize("asked", [1, 4])
def test_stopping_during_lbfgs_keeps_the_best_picture(make, asked):
    made = run(make(steps=30, **LBFGS_ON_PIXELS), stop=stop_after(asked))
    assert (made.record.ending, len(made.record.steps)) == ("stopped", asked)
    assert made.picture is not None


@pytest.mark.parametrize("steps", [1, 3])
def test_a_course_that_is_dropped_midway_leaves_no_search(make, steps):
    course = optimise(make(steps=30, **LBFGS_ON_PIXELS))
    for _ in range(steps):
        next(course)
    assert searches() == 1
    course.close()
    assert searches() == 0
    forgotten = optimise(make(steps=30, **LBFGS_ON_PIXELS))
    next(forgotten)
    del forgotten
    gc.collect()
    assert searches() == 0


@pytest.mark.parametrize("full", [MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM")])
def test_too_little_memory_in_the_midst_of_lbfgs_leaves_no_search(make, monkeypatch, full):
    material, calls = make(steps=9, **LBFGS_ON_PIXELS), iter(range(9))
    evaluate = material.engine.evaluate

    def fill(*arguments):
        if next(calls) == 3:
            raise full
        return evaluate(*arguments)

    monkeypatch.setattr(material.engine, "evaluate", fill)
    with pytest.raises(RunError, match="not enough memory for 64 pixels"):
        run(material)


def test_too_little_memory_at_the_start_of_lbfgs_is_said_in_words(make, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(optimisers, "search", full)
    with pytest.raises(RunError, match="not enough memory for 64 pixels"):
        run(make(**LBFGS_ON_PIXELS))


# Jitter


@pytest.mark.parametrize("canvas", ["pixel", "fourier"])
def test_jitter_is_the_seeds_and_changes_the_picture(make, canvas):
    still, jittered, again, other = (
        run(make(canvas=canvas, **settings)).picture
        for settings in ({}, {"jitter": 4}, {"jitter": 4}, {"jitter": 4, "seed": 1})
    )
    np.testing.assert_array_equal(jittered, again)
    assert np.abs(jittered - still).max() > 1e-3
    assert np.abs(jittered - other).max() > 1e-3


def test_the_content_is_shifted_with_the_picture(make, monkeypatch):
    """Content alone, begun at the content: whatever the shift, nothing is to be done."""
    material, shifts = make(content_weight=1.0, style_weight=0.0, jitter=5, steps=20, canvas="pixel"), set()
    evaluate = material.engine.evaluate

    def note(picture, targets, factors, shift):
        shifts.add(shift)
        return evaluate(picture, targets, factors, shift)

    monkeypatch.setattr(material.engine, "evaluate", note)
    made = run(material)
    assert max(step.total for step in made.record.steps) == pytest.approx(0, abs=1e-6)
    assert 1 < len(shifts) <= JITTERS
    assert {margin for margin, _, _ in shifts} == {5}
    assert all(0 <= place <= 10 for _, *places in shifts for place in places)


def test_lbfgs_does_not_jitter(make):
    """A line search needs one function to search."""
    still, jittered = (run(make(jitter=jitter, **LBFGS_ON_PIXELS)) for jitter in (0, 8))
    np.testing.assert_array_equal(still.picture, jittered.picture)


# Averaging


def pictures_of(rung, count):
    """The pictures of so many steps, as they stood."""
    seen = []
    for step in range(1, count + 1):
        picture, losses = rung.advance(step)
        seen.append((np.asarray(picture, np.float64), losses))
    return seen


@pytest.mark.parametrize("decay", [0.5, 0.9])
@pytest.mark.parametrize("steps", [1, 5])
def test_the_average_is_of_the_pictures_and_corrected_for_its_beginning(make, decay, steps):
    """By hand: weights (1 - d) d^(n - k) of the k-th picture, over their sum."""
    material = make(canvas="pixel", averaging=decay, learning_rate=0.05)
    rung = Rung(material, 0, CONTENT.pixels)
    seen = pictures_of(rung, steps)
    weights = np.array([(1 - decay) * decay ** (steps - index) for index in range(1, steps + 1)])
    wanted = sum(weight * picture for weight, (picture, _) in zip(weights / weights.sum(), seen, strict=True))
    made = rung._mean / (1 - decay**rung._averaged)
    np.testing.assert_allclose(made, wanted, atol=1e-6)
    assert rung._averaged == steps
    rung.close()


@pytest.mark.parametrize("rate", [0.02, 0.5])
def test_the_average_is_taken_only_where_its_loss_is_lower(make, network, rate):
    material = make(canvas="pixel", averaging=0.8, learning_rate=rate, steps=15)
    rung = Rung(material, 0, CONTENT.pixels)
    seen = pictures_of(rung, 15)
    result = rung.result(CONTENT.pixels)
    least = min(losses.total(material.factors) for _, losses in seen)
    mean = np.clip(rung._mean / (1 - 0.8**15), 0, 1)
    at_mean = relative_total(network, material.config, mean, *material.at(64))
    made = relative_total(network, material.config, result, *material.at(64))
    assert made == pytest.approx(min(least, at_mean), rel=1e-3)
    taken = at_mean < least
    assert taken == (rate == 0.5)  # large steps go to and fro about the average; small ones go down
    assert [note.startswith("At 64 pixels the running average") for note in rung.notes] == [True] * taken
    rung.close()


def test_an_average_that_was_taken_is_told_in_the_record(make):
    made = run(make(canvas="pixel", averaging=0.8, learning_rate=0.5, steps=15))
    (note,) = made.record.notes
    assert "had a lower total loss" in note
    assert note.endswith("and was taken.")


def test_with_jitter_the_average_and_the_best_are_compared_at_rest(make, monkeypatch):
    material, measured = make(canvas="pixel", averaging=0.8, jitter=6, steps=8), []
    errors = material.engine.errors

    def note(picture, targets):
        measured.append(errors(picture, targets).total(material.factors))
        return errors(picture, targets)

    monkeypatch.setattr(material.engine, "errors", note)
    made = run(material)
    single, mean = measured
    assert bool(made.record.notes) == (mean < single)


# Losses of other kinds, through whole runs


@pytest.mark.parametrize(
    "settings",
    [{"statistic": "moments"}, {"statistic": "wasserstein"}, {"smoothing": "softmax", "temperature": 100.0}],
    ids=str,
)
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_every_kind_of_loss_falls(make, settings, optimiser):
    record = run(make(canvas="pixel", optimiser=optimiser, steps=12, **settings)).record
    assert record.best.total < 0.7 * record.steps[0].total
    assert record.ending == "finished"


def test_a_tiny_scaled_style_is_used_at_its_own_size(make):
    made = run(make(style_scale=0.5, steps=2))
    assert made.record.style.size == (59, 64)  # of the picture, before the scale
    assert made.record.ending == "finished"


def test_one_objective_serves_optimisers_jitter_and_sizes(make, network):
    material = make(size=128, steps=6, jitter=3, canvas="fourier", finish="lbfgs", averaging=0.5)
    fresh = replace(material, engine=make_engine(material.config, {"vgg16": (network, material.source)}))
    run(fresh)
    run(replace(fresh, config=replace(fresh.config, **{**SHORT, **LBFGS_ON_PIXELS, "size": 128})))
    assert fresh.engine._evaluate.traces == 1
    assert fresh.engine._measure.called
