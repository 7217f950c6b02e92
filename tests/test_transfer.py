"""The record of a run, and the one-line entry."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from nst_core.errors import ConfigError, ImageError
from nst_core.models import Models
from nst_core.optimisers import ONE_THREAD
from nst_core.records import RunRecord
from nst_core.transfer import run, transfer
from tests.runs import CONTENT, SOURCE, STYLE, make_material

pytestmark = pytest.mark.usefixtures("small_rungs")


@pytest.fixture(scope="module")
def make(network):
    """make(content, style, **settings): the material of a short run; engines are shared."""
    return partial(make_material, {}, network)


def test_the_record_says_what_was_made_from_what(make):
    content, style = replace(CONTENT, notes=("cropped",)), STYLE
    material = make(content, style, size=128, steps=3)
    seen = []
    record = run(material, on_step=seen.append, preview_seconds=0).record
    assert record.config == material.config
    assert (record.content.name, record.content.size) == ("content", (128, 96))
    assert (record.style.name, record.style.size) == ("style", (117, 128))
    assert (record.content.sha256, record.style.sha256) == (content.sha256, style.sha256)
    assert record.weights == SOURCE
    assert record.precision == "float32"
    assert {"tensorflow", "numpy", "python"} <= set(record.versions)
    assert record.notes == ("content: cropped.",)
    assert len(record.id) == 32
    assert all(step.preview is not None for step in seen)
    assert all(step.preview is None for step in record.steps)
    assert list(record.steps) == seen
    clock = [step.seconds for step in record.steps]
    assert clock == sorted(clock)
    assert 0 < clock[-1] <= record.seconds
    assert RunRecord.from_json(record.to_json()) == record


def test_transfer_takes_pictures_and_settings():
    seen = []
    made = transfer(CONTENT, STYLE, on_step=seen.append, backbone="vgg16", weights="random", size=64, steps=2)
    assert made.picture.shape == (48, 64, 3)
    assert made.record.weights.source == "random"
    assert made.record.weights.width == 1.0
    assert len(seen) == 2


def test_transfers_that_share_models_load_and_compile_once():
    models, settings = Models(), {"backbone": "vgg16", "weights": "sketch", "size": 64, "steps": 2}
    first = transfer(CONTENT, STYLE, models=models, **settings)
    second = transfer(CONTENT, STYLE, models=models, **settings, seed=1)
    alone = transfer(CONTENT, STYLE, **settings)
    assert models.loads == 1
    assert [engine._evaluate.traces for engine in models._engines._values.values()] == [1]
    assert second.record.config.seed == 1
    np.testing.assert_array_equal(first.picture, alone.picture)


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"steps": 0}, ConfigError), ({"stride": 2}, ConfigError), ({"size": 64, "backbone": "x"}, ConfigError)],
)
def test_transfer_refuses_wrong_settings(settings, error):
    with pytest.raises(error):
        transfer(CONTENT, STYLE, **settings)


def test_transfer_refuses_a_missing_picture(tmp_path):
    with pytest.raises(ImageError):
        transfer(tmp_path / "none.png", STYLE, size=64)


def test_a_run_that_breaks_off_leaves_no_optimiser_behind(make):
    def break_down(step):
        raise ZeroDivisionError("a fault")

    with pytest.raises(ZeroDivisionError) as held:  # whose trace holds the run's frames
        run(make(optimiser="lbfgs"), on_step=break_down)
    assert ONE_THREAD.holders == 0
    assert held.traceback
