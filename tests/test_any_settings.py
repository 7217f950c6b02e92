"""Whatever sane settings are chosen, over all of them: a run ends in words and with a picture."""

import json
from dataclasses import fields, replace
from typing import Any, get_args

import numpy as np
import pytest

from nst_core import choices
from nst_core.backbones import COLOURS
from nst_core.choices import STYLE_SCALES
from nst_core.config import TransferConfig
from nst_core.material import backbones_of, prepare
from nst_core.records import RunRecord
from nst_core.transfer import run
from tests.conftest import make_picture
from tests.runs import SOURCE

pytestmark = pytest.mark.usefixtures("small_rungs")

LAYERS = {
    "vgg16": ("block1_conv1", "block2_conv2", "block3_conv1", "block4_conv2", "block5_conv1"),
    "resnet50": ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out"),
}
KINDS = {
    "init": choices.Start,
    **{
        name.lower(): getattr(choices, name)
        for name in ("Canvas", "Balance", "Optimiser", "Finish", "Variation", "Statistic", "Smoothing",
                     "Padding", "Pooling", "Precision")
    },
}  # fmt: skip
RANDOM = np.random.default_rng


def random_settings(seed: int) -> dict[str, Any]:
    """Settings that a person may choose, every field of them by chance."""
    rng = RANDOM(seed)

    def maybe(value: Any) -> Any:
        return value if rng.random() < 0.4 else None

    own, other = rng.permutation(sorted(LAYERS)).tolist()

    def some_layers() -> tuple[tuple[str, float], ...]:
        keys = [*LAYERS[own], *(f"{other}:{name}" for name in LAYERS[other][:2])]
        chosen = rng.choice(keys, rng.integers(1, 4), replace=False).tolist()
        return tuple((name, float(rng.uniform(0.1, 2))) for name in chosen)

    return {
        **{name: str(rng.choice(get_args(kind))) for name, kind in KINDS.items()},
        "backbone": own,
        "weights": "random",
        "size": int(rng.integers(64, 140)) if rng.random() < 0.3 else 64,
        "steps": int(rng.integers(3, 9)),
        "seed": int(rng.integers(0, 2**31)),
        "ladder": bool(rng.integers(2)),
        "strength": float(rng.uniform(0, 100)),
        "content_weight": maybe(float(10 ** rng.uniform(-3, 3))),
        "style_weight": maybe(float(10 ** rng.uniform(-2, 4))),
        "variation_weight": maybe(float(10 ** rng.uniform(-3, 2))),
        "learning_rate": maybe(float(10 ** rng.uniform(-2.5, 0))),
        "style_layers": maybe((*some_layers(), (COLOURS, 0.5))[int(rng.integers(2)) :]),
        "content_layers": maybe(some_layers()),
        "temperature": float(10 ** rng.uniform(0, 3)),
        "style_scale": float(rng.uniform(*STYLE_SCALES)),
        "jitter": int(rng.integers(0, 9)) * int(rng.integers(2)),
        "averaging": float(rng.uniform(0.1, 0.99)) * int(rng.integers(2)),
    }


def test_the_settings_drawn_are_all_settings() -> None:
    drawn = [random_settings(seed) for seed in range(40)]
    assert set(drawn[0]) == {field.name for field in fields(TransferConfig)}
    for name in set(drawn[0]) - {"weights"}:
        assert len({repr(settings[name]) for settings in drawn}) > 1, name


SEEDS = [*range(10), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(10, 200))]


@pytest.mark.parametrize("seed", SEEDS)
def test_any_run_ends_in_words_and_with_a_picture(seed: int, network: Any, residual_network: Any) -> None:
    config = TransferConfig(**random_settings(seed))
    networks = {"vgg16": network, "resnet50": residual_network}
    loaded = {name: (networks[name], SOURCE) for name in backbones_of(config)}
    content, style = make_picture(48, 64, seed=seed), make_picture(70, 64, seed=seed + 1000)
    made = run(prepare(config, content, style, loaded=loaded))
    record, picture = made.record, made.picture
    assert record.ending in ("finished", "recovered"), record.notes
    assert (record.ending == "recovered") == any("not a finite" in note for note in record.notes)
    short_of = len(record.steps) < config.steps
    assert short_of <= any("L-BFGS ended" in note for note in record.notes)
    assert picture is not None
    assert max(picture.shape) == config.size
    assert picture.dtype == np.float32
    assert np.isfinite(picture).all()
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert picture.std() > 0.01
    assert record.best is not None
    assert np.isfinite(record.best.total)
    again = RunRecord.from_json(record.to_json())
    assert json.loads(again.to_json()) == json.loads(record.to_json())
    assert again.config == record.config
    assert list(record.other_weights) == list(backbones_of(config)[1:])
    assert replace(again, steps=()) == replace(record, steps=())
