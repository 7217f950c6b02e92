"""Named choices of settings: draft, standard, fine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from nst_core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Preset:
    """A named choice of size, steps and, where they pay, other settings; `purpose` is shown beside it."""

    name: str
    size: int
    steps: int
    purpose: str
    others: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def settings(self) -> dict[str, Any]:
        """The fields of TransferConfig that this preset sets."""
        return {"size": self.size, "steps": self.steps, **self.others}


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset("draft", 256, 90, "a first look"),
            Preset("standard", 512, 150, "a picture to show"),
            Preset("fine", 1024, 300, "a picture to print"),
        )
    }
)


def find_preset(name: str) -> Preset:
    """The preset of this name; ConfigError naming the choices if there is none."""
    try:
        return PRESETS[name]
    except KeyError as error:
        raise ConfigError(f"The preset must be one of {', '.join(PRESETS)}; received {name!r}.") from error
