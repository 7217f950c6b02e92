"""What was measured of this machine's speed, kept between runs of the program in a small file."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nst_core.store import write_atomically
from nst_core.system import cores, library_versions, processor_name

FORMAT = 2  # raised when older files would be misunderstood
MOST_BYTES = 1_000_000  # more is no file of ours
CACHE_VARIABLE = "NST_CACHE"


@dataclass(frozen=True, slots=True)
class Timings:
    """Of one kind of network: (10^9 operations of a step, its seconds), newest last; seconds to a first step.

    `start` counts from the start of a process, see `nst bench`; None where that was never measured.
    """

    steps: tuple[tuple[float, float], ...] = ()
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is known of a machine: its matrix product's GFLOP/s (0 unknown), and timings by kind."""

    rate: float = 0.0
    kinds: Mapping[str, Timings] = field(default_factory=dict)


def speed_path() -> Path:
    """The file of this machine and this TensorFlow; $NST_CACHE names another folder than the user's cache."""
    digest = hashlib.sha256(machine().encode()).hexdigest()[:12]
    return _cache_folder() / f"speeds-{digest}.json"


def machine() -> str:
    """What a measurement holds for: processor, cores and TensorFlow's version."""
    return f"{processor_name()}, {cores()} cores, TensorFlow {library_versions()['tensorflow']}"


def _cache_folder() -> Path:
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "nst-studio"


def read_measured(path: Path) -> Measured:
    """What the file says; nothing where there is none, or none that can be read."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(MOST_BYTES))
        if data["format"] != FORMAT:
            return Measured()
        kinds = {str(kind): _timings(item) for kind, item in data["kinds"].items()}
        return Measured(_positive(data["rate"]) if data["rate"] else 0.0, kinds)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Measured()


def write_measured(path: Path, measured: Measured) -> None:
    """Put it there at once and whole; RunError where that cannot be."""
    data = {"format": FORMAT, "machine": machine(), **asdict(measured)}
    write_atomically(path, json.dumps(data, indent=1).encode())


def _timings(item: Mapping[str, Any]) -> Timings:
    steps = tuple((_positive(work), _positive(seconds)) for work, seconds in item["steps"])
    return Timings(steps, None if item["start"] is None else _positive(item["start"]))


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError(value)
    return number
