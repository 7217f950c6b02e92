"""The whole run as a record and a picture."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from nst_core.config import TransferConfig
from nst_core.course import Outcome, optimise
from nst_core.images import Picture
from nst_core.material import Material, prepare
from nst_core.metrics import measure
from nst_core.models import Models
from nst_core.pictures import open_picture
from nst_core.plan import fit
from nst_core.records import PictureSource, RunRecord, Step
from nst_core.system import device_name, library_versions, peak_memory_mb

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run: what happened, and the picture."""

    record: RunRecord
    picture: Pixels | None


def make_record(
    material: Material, steps: list[Step], outcome: Outcome, *, started: datetime, seconds: float
) -> RunRecord:
    """The record of a run from its steps and its outcome; `seconds` is the run's own time."""
    notes = material.notes + outcome.notes
    return RunRecord(
        id=uuid.uuid4().hex,
        config=material.config,
        content=_picture_source(material.content, material.sizes[-1]),
        style=_picture_source(material.style, material.sizes[-1]),
        weights=material.source,
        other_weights=material.other_sources,
        versions=library_versions(),
        device=device_name(),
        precision=material.engine.precision,
        steps=tuple(replace(step, preview=None) for step in steps),
        ending=outcome.ending,
        best_step=outcome.best_step,
        seconds=round(seconds, 3),
        started=started.isoformat(timespec="seconds"),
        peak_memory_mb=peak_memory_mb(),
        notes=notes,
        metrics=_metrics(material, outcome),
    )


def _metrics(material: Material, outcome: Outcome) -> dict[str, float]:
    if outcome.picture is None:
        return {}
    return measure(outcome.picture, material.content.pixels, material.style.pixels)


def _picture_source(picture: Picture, longest_side: int) -> PictureSource:
    return PictureSource(name=picture.name, size=fit(picture, longest_side), sha256=picture.sha256)


def run(
    material: Material,
    *,
    on_step: Callable[[Step], None] = lambda step: None,
    stop: Callable[[], bool] = lambda: False,
    preview_seconds: float = math.inf,
) -> Run:
    """The whole run; `on_step` sees each step as it is made."""
    started, began = datetime.now(UTC), time.monotonic()
    steps: list[Step] = []
    # Closed whatever `on_step` raises: an optimiser's thread outlives a course that is merely dropped.
    with closing(optimise(material, stop=stop, preview_seconds=preview_seconds)) as course:
        while True:
            try:
                step = next(course)
            except StopIteration as end:
                outcome: Outcome = end.value
                break
            steps.append(step)
            on_step(step)
    record = make_record(material, steps, outcome, started=started, seconds=time.monotonic() - began)
    return Run(record=record, picture=outcome.picture)


def transfer(
    content: str | PathLike[str] | Picture,
    style: str | PathLike[str] | Picture,
    *,
    on_step: Callable[[Step], None] = lambda step: None,
    stop: Callable[[], bool] = lambda: False,
    models: Models | None = None,
    **settings: Any,
) -> Run:
    """Paint `content` in the manner of `style`: a path, a sample's name, or a Picture each.

    models: keeps networks and compiled steps, but those of tiles, for later calls that are given it too; else
    each call reads and compiles its own. Settings are the fields of TransferConfig. NSTError says in one
    sentence what is wrong with any of them.

        run = transfer("skyline", "swirling-night", backbone="vgg16", size=256, steps=100)
        run.picture          # float32 [H, W, 3] in 0..1
        run.record.best      # the step of least total loss
    """
    config = TransferConfig.from_dict(settings)
    pair = open_picture(content), open_picture(style)
    return run_pair(config, *pair, on_step=on_step, stop=stop, models=models)


def run_pair(
    config: TransferConfig,
    content: Picture,
    style: Picture,
    *,
    on_step: Callable[[Step], None] = lambda step: None,
    stop: Callable[[], bool] = lambda: False,
    models: Models | None = None,
) -> Run:
    """The whole run of a pair under checked settings: `prepare`, then `run`; `models` as for `transfer`."""
    make = prepare if models is None else models.material
    return run(make(config, content, style), on_step=on_step, stop=stop)
