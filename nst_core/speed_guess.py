"""What a step takes where nothing was measured yet: another machine's table, by kind of network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from nst_core.system import has_amx


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one kind of network: seconds a step whatever its size, seconds per 10^9 operations, and to begin."""

    overhead: float
    pace: float
    start: float

    def seconds(self, work: float) -> float:
        """Of one step of so many 10^9 operations."""
        return self.overhead + self.pace * work


# A first guess, for machines where nothing was measured yet: two cores of an AMD EPYC (AVX2) whose matrix
# product reaches REFERENCE_RATE GFLOP/s. `python -m tests.bench.speeds` makes such a table.
REFERENCE_RATE = 150.0
REFERENCE: Mapping[str, Speed] = MappingProxyType(
    {
        "vgg16 thin": Speed(0.0091, 0.01632, 3.8),
        "vgg19 thin": Speed(0.0123, 0.01456, 4.2),
        "resnet50 thin": Speed(0.0168, 0.02317, 5.0),
        "vgg16 full": Speed(0.0236, 0.00842, 4.7),
        "vgg19 full": Speed(0.0322, 0.00786, 4.8),
        "resnet50 full": Speed(0.0756, 0.00911, 5.2),
    }
)


# Seconds an operation in bfloat16 over those in float32, with AVX512-BF16 and with AMX, on two cores each.
BFLOAT16_PACE: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "vgg16 thin": (0.7, 0.6),
        "vgg19 thin": (0.7, 0.6),
        "resnet50 thin": (1.0, 1.0),
        "vgg16 full": (0.53, 0.23),
        "vgg19 full": (0.53, 0.23),
        "resnet50 full": (0.68, 0.44),
    }
)


def kind_of(backbone: str, width: float, precision: str) -> str:
    """The name of a kind of network, by its width multiplier and what it is computed in.

    precision: float32, or bfloat16 by either of its names.
    """
    kind = f"{backbone} {'thin' if width < 1 else 'full'}"
    return kind if precision == "float32" else f"{kind} bfloat16"


def guess_of(kind: str) -> Speed:
    """The reference machine's speed; in bfloat16 its operations take their share of that, as processors of
    this one's kind have it."""
    plain = kind.removesuffix(" bfloat16")
    if plain == kind:
        return REFERENCE[kind]
    return replace(REFERENCE[plain], pace=REFERENCE[plain].pace * BFLOAT16_PACE[plain][has_amx()])
