"""The settings of a run: their JSON, and what is used where nothing was chosen."""

import json
from dataclasses import FrozenInstanceError, fields, replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.backbones import BACKBONES, COLOURS
from nst_core.choices import (
    LARGEST_SIZE,
    LEARNING_RATES,
    LOSS_WEIGHTS,
    MOST_AVERAGING,
    MOST_JITTER,
    MOST_STEPS,
    SMALLEST_SIZE,
    STYLE_SCALES,
    VARIATION_OVER_ROOT,
    WEIGHTS_SOURCES,
    Balance,
    Canvas,
    Finish,
    Optimiser,
    Padding,
    Pooling,
    Precision,
    Smoothing,
    Start,
    Statistic,
    Variation,
)
from nst_core.config import TransferConfig
from nst_core.errors import ConfigError

weights = st.floats(0, 1e15) | st.integers(0, 10**15)
WEIGHT_NAMES = ("content_weight", "style_weight", "variation_weight", "learning_rate")


@st.composite
def configs(draw: st.DrawFn) -> TransferConfig:
    """Any config that may be made."""
    backbone = draw(st.sampled_from(sorted(BACKBONES)))
    other = draw(st.sampled_from(sorted(BACKBONES)))
    names = (*BACKBONES[backbone].architecture().folded().names, COLOURS)
    if other != backbone:
        names += tuple(f"{other}:{name}" for name in BACKBONES[other].architecture().folded().names)
    layers = st.none() | st.dictionaries(st.sampled_from(names), weights, min_size=1, max_size=4).filter(
        lambda chosen: any(chosen.values())
    ).map(lambda chosen: tuple(chosen.items()))
    content = draw(st.none() | weights)
    return TransferConfig(
        backbone=backbone,
        weights=draw(st.sampled_from(WEIGHTS_SOURCES) | st.text(min_size=1).filter(str.strip)),
        size=draw(st.integers(SMALLEST_SIZE, LARGEST_SIZE)),
        steps=draw(st.integers(1, MOST_STEPS)),
        seed=draw(st.integers(0, 2**31 - 1)),
        canvas=draw(st.sampled_from(get_args(Canvas))),
        balance=draw(st.sampled_from(get_args(Balance))),
        init=draw(st.sampled_from(get_args(Start))),
        padding=draw(st.sampled_from(get_args(Padding))),
        pooling=draw(st.sampled_from(get_args(Pooling))),
        ladder=draw(st.booleans()),
        content_weight=content,
        style_weight=draw(st.none() | (weights if content != 0 else weights.filter(bool))),
        variation_weight=draw(weights),
        learning_rate=draw(st.none() | weights.filter(bool)),
        optimiser=draw(st.sampled_from(get_args(Optimiser))),
        finish=draw(st.sampled_from(get_args(Finish))),
        statistic=draw(st.sampled_from(get_args(Statistic))),
        smoothing=draw(st.sampled_from(get_args(Smoothing))),
        variation=draw(st.sampled_from(get_args(Variation))),
        precision=draw(st.sampled_from(get_args(Precision))),
        strength=draw(st.floats(0, 100) | st.integers(0, 100)),
        temperature=draw(st.floats(1e-3, 1e6)),
        style_scale=draw(st.floats(*STYLE_SCALES)),
        averaging=draw(st.floats(0, MOST_AVERAGING)),
        jitter=draw(st.integers(0, MOST_JITTER)),
        style_layers=draw(layers),
        content_layers=draw(layers),
    )


def test_the_defaults_are_valid_and_frozen() -> None:
    config = TransferConfig()
    assert (config.backbone, config.weights, config.ladder) == ("vgg19", "auto", True)
    with pytest.raises(FrozenInstanceError):
        config.size = 512  # type: ignore[misc]
    with pytest.raises(TypeError):
        TransferConfig("vgg16")  # type: ignore[call-arg]


@given(configs())
def test_json_gives_back_an_equal_config(config: TransferConfig) -> None:
    text = config.to_json()
    assert "\n" not in text
    again = TransferConfig.from_json(text)
    assert again == config
    assert again.to_json() == text
    assert hash(again) == hash(config)
    assert set(json.loads(text)) == {field.name for field in fields(TransferConfig)}


def test_missing_settings_take_their_default() -> None:
    assert TransferConfig.from_json("{}") == TransferConfig()
    assert TransferConfig.from_dict({"backbone": "vgg16"}) == TransferConfig(backbone="vgg16")


def test_unknown_settings_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"^Unknown setting 'beta'; the settings are averaging, backbone"):
        TransferConfig.from_dict({"steps": 10, "beta": 3})


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", '"vgg19"', "3", "[" * 100_000, '{"backbone": {}}', '{"backbone": ["vgg19"]}',
        '{"size": NaN}', '{"style_weight": Infinity}', '{"seed": true}', '{"style_layers": [["pool", 1]]}',
        '{"content_weight": 1' + "0" * 400 + "}", '{"steps": 1' + "0" * 5000 + "}", '{"nonesuch": 1}',
        '{"style_layers": [["block1_conv1", null]]}', '{"style_layers": {"block1_conv1": 1}}',
    ],
)  # fmt: skip
def test_text_that_is_no_config_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TransferConfig.from_json(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from([field.name for field in fields(TransferConfig)]), value=json_values)
def test_any_value_of_any_setting_is_taken_or_refused_politely(name: str, value: object) -> None:
    told = ""
    try:
        config = TransferConfig.from_json(json.dumps({name: value}))
    except ConfigError as error:
        told = str(error)
    if told:
        assert "\n" not in told
        assert told.endswith(".")
    else:
        assert TransferConfig.from_json(config.to_json()) == config


@given(configs())
def test_resolved_leaves_nothing_open_but_alpha_gamma_and_the_layers(config: TransferConfig) -> None:
    resolved = config.resolved()
    _, style = LOSS_WEIGHTS[config.balance]
    assert resolved.content_weight == config.content_weight  # it waits for the weights
    assert resolved.style_weight == (style if config.style_weight is None else config.style_weight)
    assert resolved.variation_weight == config.variation_weight  # it follows alpha
    rate = LEARNING_RATES[config.canvas] if config.learning_rate is None else config.learning_rate
    assert resolved.learning_rate == rate
    assert resolved.resolved() == resolved
    open_again = replace(
        resolved,
        style_weight=config.style_weight,
        learning_rate=config.learning_rate,
    )
    assert open_again == config


def test_defaults_exist_for_every_canvas_and_balance() -> None:
    assert set(LEARNING_RATES) == set(get_args(Canvas))
    assert set(LOSS_WEIGHTS) == set(VARIATION_OVER_ROOT) == set(get_args(Balance))


def test_the_field_a_config_draws_are_all_fields() -> None:
    """So that a new setting is not left out of the properties above."""
    drawn: set[str] = set()
    default = TransferConfig()

    @given(configs())
    def note(config: TransferConfig) -> None:
        names = (field.name for field in fields(config))
        drawn.update(name for name in names if getattr(config, name) != getattr(default, name))

    note()
    assert drawn == {field.name for field in fields(TransferConfig)}


def test_numbers_of_numpy_become_pythons_own() -> None:
    taken = TransferConfig(
        steps=np.arange(5)[3],
        strength=np.linspace(0, 100, 5, dtype=np.float32)[1],
        content_weight=np.float32(0.5),
        content_layers=[("block4_conv2", np.int64(2))],
    )
    assert taken == TransferConfig(
        steps=3, strength=25.0, content_weight=0.5, content_layers=(("block4_conv2", 2.0),)
    )
    assert (type(taken.steps), type(taken.strength), type(taken.content_weight)) == (int, float, float)
    assert TransferConfig.from_json(taken.to_json()) == taken


@pytest.mark.parametrize("size", [np.float64(256.0), np.int64(1), np.bool_(True)])
def test_numbers_of_numpy_are_checked_like_others(size: object) -> None:
    with pytest.raises(ConfigError, match="The size must be a whole number"):
        TransferConfig(size=size)  # type: ignore[arg-type]
