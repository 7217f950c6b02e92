"""One run: a generator of steps, and the whole run as a record and a picture."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from nst_core.canvas import starting_picture
from nst_core.config import TransferConfig
from nst_core.engine import Losses, State, restart
from nst_core.errors import RunError
from nst_core.images import Picture, resize, to_uint8
from nst_core.material import Material, prepare
from nst_core.metrics import measure
from nst_core.pictures import open_picture
from nst_core.plan import fit
from nst_core.records import Ending, PictureSource, RunRecord, Step
from nst_core.system import device_name, library_versions, peak_memory_mb

Pixels = npt.NDArray[np.float32]

MOST_RECOVERIES = 4  # then the run ends with the best picture it has
PREVIEW_SECONDS = 0.5
PREVIEWS = 30  # at least so many in a run, evenly over its steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended, and its picture, float32 [H, W, 3] in 0..1; None when there is none."""

    ending: Ending
    picture: Pixels | None
    best_step: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run: what happened, and the picture."""

    record: RunRecord
    picture: Pixels | None


@dataclass(slots=True)
class _Course:
    """What a run knows while it goes; lives only inside `optimise`."""

    stop: Callable[[], bool]
    clock: Callable[[], float]
    preview_seconds: float
    picture: Pixels
    learning_rate: float
    began: float
    steps: int = 0
    best_step: int = 0
    recoveries: int = 0
    stopped: bool = False
    previewed: float = -math.inf
    notes: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.stopped or self.recoveries > MOST_RECOVERIES

    @property
    def seconds(self) -> float:
        return self.clock() - self.began

    def preview_due(self, planned: int) -> bool:
        milestone = self.steps % max(1, planned // PREVIEWS) == 0
        if self.seconds - self.previewed < self.preview_seconds and not milestone:
            return False
        self.previewed = self.seconds
        return True

    def recover(self) -> None:
        self.recoveries += 1
        self.learning_rate /= 2
        self.notes.append(
            f"The loss was not a finite number at step {self.steps}: went back to the best picture"
            f" with the learning rate halved to {self.learning_rate:.3g}."
        )


def optimise(
    material: Material,
    *,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    preview_seconds: float = PREVIEW_SECONDS,
) -> Generator[Step, None, Outcome]:
    """The run, step by step; the generator's return value is its Outcome.

    Each rung of the ladder starts from the best picture of the one before. `stop` is asked before each step.
    After a loss that is not finite the run goes back to the best picture and halves the learning rate.
    Now and then a step carries a preview; `preview_seconds` of infinity leaves them out. The result is the
    picture of least total loss at the last size, as evaluated, not merely the last one.
    """
    import tensorflow as tf

    config = material.config
    content, style = material.at(material.sizes[0])
    course = _Course(
        stop=stop,
        clock=clock,
        preview_seconds=preview_seconds,
        picture=starting_picture(config.init, content, style, config.seed),
        learning_rate=config.learning_rate or 0.0,
        began=clock(),
    )
    try:
        for scale, (_, steps) in enumerate(material.plan):
            if steps and not course.over:
                yield from _climb(material, course, scale, steps)
    except tf.errors.ResourceExhaustedError as error:
        raise RunError(
            f"There is not enough memory for {config.size} pixels; choose a smaller size."
        ) from error
    return _outcome(material, course)


def _climb(material: Material, course: _Course, scale: int, steps: int) -> Generator[Step, None, None]:
    """One rung of the ladder; leaves its best picture in `course`."""
    engine = material.engine
    content, style = material.at(material.sizes[scale])
    size = (content.shape[1], content.shape[0])
    targets = material.targets(content, style)
    best = state = engine.start(resize(course.picture, size))
    least = math.inf
    for _ in range(steps):
        if course.stop():
            course.stopped = True
            break
        following, losses = engine.advance(state, size, targets, material.factors(course.learning_rate))
        course.steps += 1
        step = _step(material, course, scale, size, losses)
        if math.isfinite(step.total):
            if step.total < least:
                least, best, course.best_step = step.total, state, course.steps
            step = _with_preview(step, material, course, state)
            state = following
        else:
            course.recover()
            state = restart(best)
        yield step
        if course.over:
            break
    if math.isfinite(least):
        course.picture = engine.picture(best, size)


def _step(material: Material, course: _Course, scale: int, size: tuple[int, int], losses: Losses) -> Step:
    alpha, beta, gamma, _ = material.factors(course.learning_rate)
    return Step(
        index=course.steps,
        scale=scale,
        size=size,
        total=alpha * losses.content + beta * losses.style + gamma * losses.variation,
        content=losses.content,
        style=losses.style,
        variation=losses.variation,
        layers=dict(zip(material.engine.style_layers, losses.layers, strict=True)),
        seconds=round(course.seconds, 4),
    )


def _with_preview(step: Step, material: Material, course: _Course, state: State) -> Step:
    if course.preview_seconds == math.inf or not course.preview_due(material.config.steps):
        return step
    return replace(step, preview=to_uint8(material.engine.picture(state, step.size)))


def _outcome(material: Material, course: _Course) -> Outcome:
    if not course.best_step:
        if not course.stopped:
            course.notes.append(
                "No step had a finite loss; lower the content, style and variation weights and try again."
            )
        ending: Ending = "stopped" if course.stopped else "failed"
        return Outcome(ending=ending, picture=None, best_step=0, notes=tuple(course.notes))
    ending = "stopped" if course.stopped else "recovered" if course.recoveries else "finished"
    picture, wanted = course.picture, fit(material.content, material.config.size)
    if picture.shape[:2] != (wanted[1], wanted[0]):
        course.notes.append(
            f"The last size was not reached: the picture was enlarged from {picture.shape[1]} x"
            f" {picture.shape[0]} to {wanted[0]} x {wanted[1]} pixels."
        )
        picture = resize(picture, wanted)
    return Outcome(ending=ending, picture=picture, best_step=course.best_step, notes=tuple(course.notes))


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
    course = optimise(material, stop=stop, preview_seconds=preview_seconds)
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
    **settings: Any,
) -> Run:
    """Paint `content` in the manner of `style`: a path, a sample's name, or a Picture each.

    Settings are the fields of TransferConfig. NSTError says in one sentence what is wrong with any of them.

        run = transfer("skyline", "swirling-night", backbone="vgg16", size=256, steps=100)
        run.picture          # float32 [H, W, 3] in 0..1
        run.record.best      # the step of least total loss
    """
    config = TransferConfig.from_dict(settings)
    return run_pair(config, open_picture(content), open_picture(style), on_step=on_step, stop=stop)


def run_pair(
    config: TransferConfig,
    content: Picture,
    style: Picture,
    *,
    on_step: Callable[[Step], None] = lambda step: None,
    stop: Callable[[], bool] = lambda: False,
) -> Run:
    """The whole run of a pair under checked settings: `prepare`, then `run`."""
    return run(prepare(config, content, style), on_step=on_step, stop=stop)
