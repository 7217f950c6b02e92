"""What settings may be, and what a refusal says."""

import math
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core import choices
from nst_core.backbones import BACKBONES, COLOURS
from nst_core.checks import without_effect
from nst_core.choices import (
    LARGEST_SIZE,
    LEARNING_RATES,
    MOST_AVERAGING,
    MOST_JITTER,
    MOST_STEPS,
    SMALLEST_SIZE,
    STYLE_SCALES,
)
from nst_core.config import TransferConfig
from nst_core.errors import ConfigError

WEIGHT_NAMES = ("content_weight", "style_weight", "variation_weight", "learning_rate")
CHOICES = {
    "backbone": tuple(BACKBONES),
    "init": get_args(choices.Start),
    **{
        kind.lower(): get_args(getattr(choices, kind))
        for kind in ("Canvas", "Balance", "Optimiser", "Finish", "Variation", "Statistic", "Smoothing",
                     "Padding", "Pooling", "Precision")
    },
}  # fmt: skip
RANGES = {
    "strength": (0, 100),
    "temperature": (1e-3, 1e6),
    "style_scale": STYLE_SCALES,
    "averaging": (0, MOST_AVERAGING),
}


def refusal(**settings: Any) -> str:
    """The message with which these settings are refused: one line and one sentence."""
    with pytest.raises(ConfigError) as caught:
        TransferConfig(**settings)
    message = str(caught.value)
    assert "\n" not in message
    assert message[0].isalnum()
    assert message.endswith(".")
    return message


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("size", SMALLEST_SIZE, LARGEST_SIZE),
        ("steps", 1, MOST_STEPS),
        ("seed", 0, 2**31 - 1),
        ("jitter", 0, MOST_JITTER),
    ],
)
def test_whole_numbers_have_bounds_that_may_be_reached(name: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(TransferConfig.from_dict({name: value}), name) == value
    for value in (low - 1, high + 1, 10**9 if name != "seed" else 2**31, -5, 10**400):
        message = refusal(**{name: value})
        assert f"received {value}" in message
        assert f"from {low} to {high}" in message


@pytest.mark.parametrize("name", ["size", "steps", "seed", "jitter"])
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


@pytest.mark.parametrize("name", sorted(CHOICES))
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


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_every_choice_is_taken_and_a_refusal_names_them_all(name: str) -> None:
    for value in CHOICES[name]:
        assert getattr(TransferConfig(**{name: value}), name) == value
    message = refusal(**{name: "nonesuch"})
    assert message == f"The {name} must be one of {', '.join(CHOICES[name])}; received 'nonesuch'."


@pytest.mark.parametrize("name", sorted(RANGES))
def test_ranges_may_be_reached_and_a_refusal_names_them(name: str) -> None:
    low, high = RANGES[name]
    for value in (low, high, (low + high) / 2):
        assert getattr(TransferConfig(**{name: value}), name) == value
    above, below = math.nextafter(high, math.inf), math.nextafter(low, -math.inf)
    for value in (above, below, math.nan, math.inf, -math.inf, True, "1", None, [1.0], 1j):
        message = refusal(**{name: value})
        assert f"received {value!r}" in message
        assert f"from {low:g} to {high:g}" in message
        assert name.replace("_", " ") in message


@pytest.mark.parametrize("name", ["style_layers", "content_layers"])
@pytest.mark.parametrize("own", sorted(BACKBONES))
def test_a_layer_of_the_runs_own_backbone_loses_its_name_and_others_keep_theirs(name: str, own: str) -> None:
    row = BACKBONES[own]
    other = next(backbone for backbone in BACKBONES.values() if backbone.name != own)
    first, second = row.content_layer, other.style_layers[0]
    layers = ((f"{own}:{first}", 1), (f"{other.name}:{second}", 2))
    config = TransferConfig(**{"backbone": own, name: layers})
    assert getattr(config, name) == ((first, 1.0), (f"{other.name}:{second}", 2.0))
    assert TransferConfig.from_json(config.to_json()) == config
    again = TransferConfig(**{"backbone": own, name: getattr(config, name)})
    assert again == config


def test_colours_are_colours_whoever_sees_them() -> None:
    for key in (COLOURS, f"vgg19:{COLOURS}", f"resnet50:{COLOURS}"):
        assert TransferConfig(style_layers=((key, 1.0),)).style_layers == ((COLOURS, 1.0),)
    assert "twice" in refusal(style_layers=((COLOURS, 1.0), (f"vgg16:{COLOURS}", 1.0)))


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("alexnet:conv1", "The backbone must be one of vgg16, vgg19, resnet50; received 'alexnet'"),
        (
            "vgg16:block9_conv1",
            "no layer named 'block9_conv1'; it has block5_conv1, block4_conv1, block3_conv1",
        ),
        ("vgg16:conv1_relu", "vgg16 has no layer named 'conv1_relu'"),
        ("resnet50:input", "resnet50 has no layer named 'input'"),
        ("resnet50:conv1_bn", "resnet50 has no layer named 'conv1_bn'"),  # folded away
        ("resnet50:", "resnet50 has no layer named ''; it has conv1_relu, conv2_block3_out"),
        ("a:b:c", "received 'a:b'"),
    ],
)
def test_layers_of_other_backbones_are_checked_against_theirs(key: str, told: str) -> None:
    assert told in refusal(style_layers=((key, 1.0),))
    assert told in refusal(content_layers=(("block1_conv1", 1.0), (key, 1.0)))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, []),
        ({"learning_rate": 3.0, "jitter": 4}, ["learning rate", "Jitter"]),
        ({"learning_rate": 3.0, "jitter": 4, "optimiser": "adam"}, []),
        ({"learning_rate": LEARNING_RATES["fourier"]}, []),  # as a finished run's settings say
        ({"temperature": 9.0}, ["temperature"]),
        ({"temperature": 9.0, "smoothing": "softmax"}, []),
    ],
)
def test_settings_that_have_no_effect_are_told(settings: dict[str, Any], told: list[str]) -> None:
    sentences = without_effect(TransferConfig(**settings))
    assert len(sentences) == len(told)
    assert all(word in sentence for word, sentence in zip(told, sentences, strict=True))


def test_a_layer_named_with_and_without_its_backbone_is_named_twice() -> None:
    layers = (("block1_conv1", 1.0), ("vgg19:block1_conv1", 1.0))
    assert "twice" in refusal(style_layers=layers)
    assert TransferConfig(backbone="vgg16", style_layers=layers).style_layers == layers
