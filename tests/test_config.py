"""The settings of a run: their bounds, their JSON, the ladder of sizes and the presets."""

import json
import math
from dataclasses import FrozenInstanceError, fields, replace
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.backbones import BACKBONES, COLOURS
from nst_core.config import (
    LADDER_BOTTOM,
    LARGEST_SIZE,
    LEARNING_RATES,
    LOSS_WEIGHTS,
    MOST_STEPS,
    PRESETS,
    SMALLEST_SIZE,
    WEIGHTS_SOURCES,
    Balance,
    Canvas,
    Padding,
    Pooling,
    Start,
    TransferConfig,
    find_preset,
    ladder_sizes,
    ladder_steps,
)
from nst_core.errors import ConfigError

weights = st.floats(0, 1e15) | st.integers(0, 10**15)
WEIGHT_NAMES = ("content_weight", "style_weight", "variation_weight", "learning_rate")


@st.composite
def configs(draw: st.DrawFn) -> TransferConfig:
    """Any config that may be made."""
    backbone = draw(st.sampled_from(sorted(BACKBONES)))
    names = (*BACKBONES[backbone].architecture().folded().names, COLOURS)
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
        style_layers=draw(layers),
        content_layers=draw(layers),
    )


def refusal(**settings: Any) -> str:
    """The message with which these settings are refused: one line and one sentence."""
    with pytest.raises(ConfigError) as caught:
        TransferConfig(**settings)
    message = str(caught.value)
    assert "\n" not in message
    assert message[0].isalnum()
    assert message.endswith(".")
    return message


def test_the_defaults_are_valid_and_frozen() -> None:
    config = TransferConfig()
    assert (config.backbone, config.weights, config.ladder) == ("vgg19", "auto", True)
    with pytest.raises(FrozenInstanceError):
        config.size = 512  # type: ignore[misc]
    with pytest.raises(TypeError):
        TransferConfig("vgg16")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("size", SMALLEST_SIZE, LARGEST_SIZE), ("steps", 1, MOST_STEPS), ("seed", 0, 2**31 - 1)],
)
def test_whole_numbers_have_bounds_that_may_be_reached(name: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(TransferConfig.from_dict({name: value}), name) == value
    for value in (low - 1, high + 1, 10**9 if name != "seed" else 2**31, -5, 10**400):
        message = refusal(**{name: value})
        assert f"received {value}" in message
        assert f"from {low} to {high}" in message


@pytest.mark.parametrize("name", ["size", "steps", "seed"])
@pytest.mark.parametrize("value", [True, False, 96.0, math.nan, "96", None, [96], b"96"])
def test_whole_numbers_of_another_type_are_refused(name: str, value: object) -> None:
    assert f"received {value!r}" in refusal(**{name: value})


@pytest.mark.parametrize("name", WEIGHT_NAMES)
@given(value=st.floats(max_value=0, exclude_max=True) | st.just(math.nan) | st.floats(min_value=1.01e15))
def test_weights_out_of_range_are_refused(name: str, value: float) -> None:
    message = refusal(**{name: value})
    assert f"received {value!r}" in message
    assert name.replace("_", " ") in message


@pytest.mark.parametrize("name", WEIGHT_NAMES)
@pytest.mark.parametrize("value", [True, "1", [1.0], 1j, 10**400, -(10**400)])
def test_weights_that_are_no_plain_number_are_refused(name: str, value: object) -> None:
    assert f"received {value!r}" in refusal(**{name: value})


def test_zero_weights() -> None:
    assert TransferConfig(content_weight=0).content_weight == 0
    assert TransferConfig(style_weight=0.0, variation_weight=0).style_weight == 0
    assert "both 0" in refusal(content_weight=0, style_weight=0.0)
    assert "above 0" in refusal(learning_rate=0)


@pytest.mark.parametrize("name", ["backbone", "canvas", "balance", "optimiser", "init", "padding", "pooling"])
@pytest.mark.parametrize("value", ["", "nonesuch", "VGG19", None, 3, [], {}, ["adam"]])
def test_choices_name_what_may_be_chosen(name: str, value: object) -> None:
    message = refusal(**{name: value})
    assert f"received {value!r}" in message
    assert str(getattr(TransferConfig(), name)) in message


@pytest.mark.parametrize("value", ["", "  ", None, 5, ["sketch"]])
def test_weights_are_a_source_or_a_path(value: object) -> None:
    assert f"received {value!r}" in refusal(weights=value)
    assert TransferConfig(weights="some/file.h5").weights == "some/file.h5"


@pytest.mark.parametrize("value", [None, 0, 1, "yes"])
def test_ladder_is_a_truth_value(value: object) -> None:
    assert f"received {value!r}" in refusal(ladder=value)


@pytest.mark.parametrize("name", ["style_layers", "content_layers"])
@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ((), "received ()"),
        ("block1_conv1", "received 'block1_conv1'"),
        ({"block1_conv1": 1.0}, "received {'block1_conv1': 1.0}"),
        (("block1_conv1",), "received 'block1_conv1'"),
        ((("block1_conv1", 1.0, 2.0),), "received ('block1_conv1', 1.0, 2.0)"),
        ((("block9_conv1", 1.0),), "'block9_conv1'"),
        ((("input", 1.0),), "'input'"),
        ((("conv1_relu", 1.0),), "'conv1_relu'"),  # of another backbone
        (((["block1_conv1"], 1.0),), "['block1_conv1']"),
        ((("block1_conv1", None),), "The weight of block1_conv1 must be a number 0 or more"),
        ((("block1_conv1", -1.0),), "received -1.0"),
        ((("block1_conv1", math.nan),), "received nan"),
        ((("block1_conv1", True),), "received True"),
        ((("block1_conv1", 1.0), ("block1_conv1", 2.0)), "twice"),
        ((("block1_conv1", 0.0), ("block2_conv1", 0)), "all weigh 0"),
    ],
)
def test_layers_are_checked_against_the_backbone(name: str, layers: object, told: str) -> None:
    assert told in refusal(**{name: layers})


def test_layers_become_tuples_of_name_and_float() -> None:
    config = TransferConfig(style_layers=[["block1_conv1", 1], (COLOURS, 2.5)])  # type: ignore[arg-type]
    assert config.style_layers == (("block1_conv1", 1.0), ("colours", 2.5))
    assert isinstance(config.style_layers[0][1], float)
    assert hash(config) == hash(replace(config))


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
    with pytest.raises(ConfigError, match=r"^Unknown setting 'beta'; the settings are backbone, balance"):
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
def test_resolved_leaves_nothing_open_but_the_layers(config: TransferConfig) -> None:
    resolved = config.resolved()
    content, style, variation = LOSS_WEIGHTS[config.balance]
    assert resolved.content_weight == (content if config.content_weight is None else config.content_weight)
    assert resolved.style_weight == (style if config.style_weight is None else config.style_weight)
    given = config.variation_weight
    assert resolved.variation_weight == (variation if given is None else given)
    rate = LEARNING_RATES[config.canvas] if config.learning_rate is None else config.learning_rate
    assert resolved.learning_rate == rate
    assert resolved.resolved() == resolved
    open_again = replace(
        resolved,
        content_weight=config.content_weight,
        style_weight=config.style_weight,
        variation_weight=config.variation_weight,
        learning_rate=config.learning_rate,
    )
    assert open_again == config


def test_defaults_exist_for_every_canvas_and_balance() -> None:
    assert set(LEARNING_RATES) == set(get_args(Canvas))
    assert set(LOSS_WEIGHTS) == set(get_args(Balance))


@pytest.mark.parametrize(
    ("size", "sizes"),
    [(64, (64,)), (255, (255,)), (256, (128, 256)), (257, (129, 257)), (384, (192, 384)),
     (512, (128, 256, 512)), (1000, (250, 500, 1000))],
)  # fmt: skip
def test_ladder_sizes_by_hand(size: int, sizes: tuple[int, ...]) -> None:
    assert ladder_sizes(TransferConfig(size=size)) == sizes
    assert ladder_sizes(TransferConfig(size=size, ladder=False)) == (size,)


@given(st.integers(SMALLEST_SIZE, LARGEST_SIZE))
def test_ladder_sizes_double_from_the_bottom_to_the_size(size: int) -> None:
    sizes = ladder_sizes(TransferConfig(size=size))
    assert sizes[-1] == size
    assert sizes[0] < 2 * LADDER_BOTTOM
    assert len(sizes) == 1 or sizes[0] >= LADDER_BOTTOM
    assert all(large in (2 * small, 2 * small - 1) for small, large in pairwise(sizes))


@given(steps=st.integers(1, MOST_STEPS), rungs=st.integers(1, 7))
def test_ladder_steps_share_out_every_step(steps: int, rungs: int) -> None:
    shares = ladder_steps(steps, rungs)
    assert len(shares) == rungs
    assert sum(shares) == steps
    assert list(shares) == sorted(shares)
    assert shares[-1] - shares[0] <= 1
    assert shares[-1] >= 1
    assert all(type(share) is int for share in shares)


def test_ladder_steps_by_hand() -> None:
    assert ladder_steps(10, 3) == (3, 3, 4)
    assert ladder_steps(11, 3) == (3, 4, 4)
    assert ladder_steps(2, 4) == (0, 0, 1, 1)


def test_presets_are_valid_and_grow() -> None:
    for name, preset in PRESETS.items():
        assert find_preset(name) is preset
        assert preset.name == name
        config = TransferConfig(size=preset.size, steps=preset.steps)
        assert min(ladder_steps(config.steps, len(ladder_sizes(config)))) >= 20
    presets = list(PRESETS.values())
    assert presets == sorted(presets, key=lambda preset: (preset.size, preset.steps))


def test_an_unknown_preset_names_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"one of draft, standard, fine; received 'huge'\.$"):
        find_preset("huge")
