"""What a run was and how it went, as data: JSON in and out, no TensorFlow, no pictures."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from nst_core.choices import WEIGHTS_SOURCES
from nst_core.config import TransferConfig
from nst_core.errors import NSTError

Ending = Literal["finished", "stopped", "recovered", "failed"]
FORMAT = 1  # raised when a reader of older records would misunderstand newer ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One evaluation of the losses at the picture as it stood, followed by one update of it.

    index      1 for the first step of the run
    scale      which rung of the ladder, 0 for the smallest
    size       (width, height) of the picture, pixels
    total      alpha * content + beta * style + gamma * variation
    content, style, variation   the three losses, unweighted
    layers     each style layer's own loss w_l * E_l; they add up to `style`
    seconds    since the run began, monotonic clock
    preview    now and then the picture as it stood, uint8 [H, W, 3]; never in JSON
    """

    index: int
    scale: int
    size: tuple[int, int]
    total: float
    content: float
    style: float
    variation: float
    layers: Mapping[str, float]
    seconds: float
    preview: npt.NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSource:
    """Which picture went in: its name, its size as used at the last rung, and the SHA-256 of its bytes."""

    name: str
    size: tuple[int, int]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSource:
    """Which weights made the picture. `source` is imagenet, sketch, random or file, never auto.

    note says why `auto` chose as it did; empty when the source was named.
    """

    source: str
    sha256: str
    parameters: int
    width: float = 1.0
    note: str = ""

    @property
    def label(self) -> str:
        """The source in words, for captions."""
        words = {"imagenet": "ImageNet", "sketch": "sketch", "random": "random", "file": "own file"}
        return f"{words.get(self.source, self.source)} weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run. With the two pictures it is enough to repeat the run, alone to draw every figure.

    ending     finished; stopped (by the person, the best picture kept); recovered (losses turned non-finite,
               the run went back to its best picture and on from there); failed (no picture)
    best_step  index of the step of least total loss at the last size that was reached; 0 without a picture
    notes      what happened on the way, in plain sentences
    other_weights   of the backbones that lent layers, by their names
    peak_memory_mb  most resident memory of the whole process until the end of the run
    """

    id: str
    config: TransferConfig
    content: PictureSource
    style: PictureSource
    weights: WeightsSource
    versions: Mapping[str, str]
    device: str
    precision: str
    steps: tuple[Step, ...]
    ending: Ending
    best_step: int
    seconds: float
    started: str
    peak_memory_mb: float | None = None
    notes: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    other_weights: Mapping[str, WeightsSource] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def best(self) -> Step | None:
        """The step whose picture is the result; None without a picture."""
        return self.steps[self.best_step - 1] if self.best_step else None

    def settings(self) -> dict[str, str]:
        """Text to keep inside the picture: what made it, readable by people and by `read_settings`."""
        return {
            "nst-config": self._shareable_config().to_json(),
            "nst-weights": f"{self.weights.label}, SHA-256 {self.weights.sha256}",
            "nst-content": f"{self.content.name}, SHA-256 {self.content.sha256}",
            "nst-style": f"{self.style.name}, SHA-256 {self.style.sha256}",
            "nst-run": self.id,
        }

    def _shareable_config(self) -> TransferConfig:
        # A picture goes further than its record: of a weights file it carries the name, not the folders.
        weights = self.config.weights
        return self.config if weights in WEIGHTS_SOURCES else replace(self.config, weights=Path(weights).name)

    def without_previews(self) -> "RunRecord":
        """The same record holding numbers only."""
        return replace(self, steps=tuple(replace(step, preview=None) for step in self.steps))

    def to_json(self) -> str:
        """JSON text; a loss that is not finite is written as null, which JSON has and NaN it has not."""
        data = asdict(self.without_previews())
        for step in data["steps"]:
            del step["preview"]
        return json.dumps(_finite(data), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "RunRecord":
        """The record that `to_json` wrote; NSTError says what is wrong with the text."""
        try:
            data = json.loads(text)
            if data["format"] > FORMAT:
                raise NSTError("This record was written by a newer version; update this program to read it.")
            return cls(**_record_fields(data))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise NSTError("This is not a run record, or it is damaged; export it again.") from error


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _record_fields(data: dict[str, Any]) -> dict[str, Any]:
    result = _known(RunRecord, data)
    if result["ending"] not in get_args(Ending):
        raise ValueError("ending")
    result["config"] = TransferConfig.from_dict(data["config"])
    for name in ("content", "style"):
        result[name] = PictureSource(
            **{**_known(PictureSource, data[name]), "size": _size(data[name]["size"])}
        )
    result["weights"] = WeightsSource(**_known(WeightsSource, data["weights"]))
    result["other_weights"] = {
        str(name): WeightsSource(**_known(WeightsSource, source))
        for name, source in data.get("other_weights", {}).items()
    }
    result["versions"] = dict(data["versions"])
    result["notes"] = tuple(str(note) for note in data["notes"])
    result["metrics"] = {name: _number(value) for name, value in data["metrics"].items()}
    result["steps"] = tuple(_step(step) for step in data["steps"])
    if not 0 <= result["best_step"] <= len(result["steps"]):
        raise ValueError("best_step")
    return result


def _step(data: dict[str, Any]) -> Step:
    losses = {name: _number(data[name]) for name in ("total", "content", "style", "variation")}
    layers = {name: _number(value) for name, value in data["layers"].items()}
    return Step(
        **{**_known(Step, {**data, **losses}), "layers": layers, "size": _size(data["size"]), "preview": None}
    )


_PLAIN: Mapping[Any, Any] = {str: str, int: int, float: int | float, float | None: int | float | None}


def _known(kind: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `data` that a record class has; later versions may add others.

    TypeError for text where a number belongs, and the like.
    """
    result = {}
    for item in fields(kind):
        if item.name not in data:
            continue
        value = data[item.name]
        if item.type in _PLAIN and not isinstance(value, _PLAIN[item.type]):
            raise TypeError(item.name)
        result[item.name] = float(value) if item.type is float else value
    return result


def _size(value: Any) -> tuple[int, int]:
    width, height = value
    return int(width), int(height)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
