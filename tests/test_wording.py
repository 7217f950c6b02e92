"""Numbers and settings in words."""

import math
from dataclasses import replace

import pytest

from nst_core.config import TransferConfig
from nst_core.wording import (
    and_list,
    gigabytes,
    large_number,
    settings_in_words,
    shared_in_words,
    three_digits,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (math.nan, "–"), (math.inf, "–"), (0, "0"), (0.5, "0.500"), (12, "12.0"), (123.4, "123"),
     (999.4, "999"), (1234.6, "1,235"), (14_714_688, "14,714,688"), (0.00123456, "0.00123"),
     (0.00001234, "1.23e-05"), (-0.25, "-0.250")],
)  # fmt: skip
def test_three_digits(value: float | None, text: str) -> None:
    assert three_digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (math.nan, "–"), (7, "7"), (1234, "1,234"), (14_714_688, "14.7 M"), (2.5e9, "2.50 G")],
)
def test_large_numbers(value: float | None, text: str) -> None:
    assert large_number(value) == text


def test_bytes_and_lists() -> None:
    assert gigabytes(987_600_000) == "988 MB"
    assert gigabytes(1_260_000_000) == "1.3 GB"
    assert [and_list(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c"
    ]  # fmt: skip


def test_settings_are_what_will_be_used() -> None:
    config = TransferConfig(size=256, steps=1200, seed=5, canvas="pixel", balance="paper", ladder=False)
    words = dict(settings_in_words(config))
    assert words["Size"] == "256 px, longest side"
    assert words["Sizes"] == "one"
    assert words["Steps"] == "1,200"
    assert words["Content weight"] == "by strength"  # alpha is known once the weights are
    assert words["Style weight"] == "1000"  # the balance's default, not None
    assert words["Learning rate"] == "0.02, for Adam"
    assert dict(settings_in_words(replace(config, optimiser="adam")))["Learning rate"] == "0.02"
    assert "None" not in words.values()


def test_every_setting_but_the_layers_is_told_and_may_be_left_out() -> None:
    config = TransferConfig()
    whole = settings_in_words(config)
    names = set(TransferConfig.__dataclass_fields__) - {"style_layers", "content_layers"}
    assert len(whole) == len(names)
    for name in names:
        assert len(settings_in_words(config, without=(name,))) == len(whole) - 1


def test_shared_settings_are_those_that_all_runs_have() -> None:
    configs = [
        TransferConfig(backbone=backbone, content_weight=alpha, seed=3)
        for backbone, alpha in (("vgg16", 0.5), ("vgg19", 0.5), ("resnet50", 0.25))
    ]
    shared = dict(shared_in_words(configs, without=("backbone",)))
    assert shared["Seed"] == "3"
    assert not {"Backbone", "Content weight"} & set(shared)
    assert dict(shared_in_words(configs[:2]))["Content weight"] == "0.5"
    assert shared_in_words(configs[:1]) == settings_in_words(configs[0])
