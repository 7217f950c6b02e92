"""Named choices of settings."""

import pytest

from nst_core.config import TransferConfig
from nst_core.errors import ConfigError
from nst_core.plan import ladder_sizes, ladder_steps
from nst_core.presets import PRESETS, find_preset


def test_presets_are_valid_and_grow() -> None:
    for name, preset in PRESETS.items():
        assert find_preset(name) is preset
        assert preset.name == name
        config = TransferConfig(**preset.settings())
        assert (config.size, config.steps) == (preset.size, preset.steps)
        assert preset.purpose
        assert min(ladder_steps(config.steps, len(ladder_sizes(config)))) >= 20
    presets = list(PRESETS.values())
    assert presets == sorted(presets, key=lambda preset: (preset.size, preset.steps))


def test_an_unknown_preset_names_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"one of draft, standard, fine; received 'huge'\.$"):
        find_preset("huge")
