"""The course of a run: up the ladder of sizes, a step at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from nst_core.canvas import starting_picture
from nst_core.errors import RunError
from nst_core.images import resize, to_uint8
from nst_core.material import Material
from nst_core.plan import fit
from nst_core.records import Ending, Step
from nst_core.rung import Rung

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


@dataclass(slots=True)
class _Course:
    """What a run knows while it goes; lives only inside `optimise`."""

    stop: Callable[[], bool]
    clock: Callable[[], float]
    preview_seconds: float
    picture: Pixels
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


def optimise(
    material: Material,
    *,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    preview_seconds: float = PREVIEW_SECONDS,
) -> Generator[Step, None, Outcome]:
    """The run, step by step; the generator's return value is its Outcome.

    Each rung of the ladder starts from the best picture of the one before. `stop` is asked before each step.
    After a loss that is not finite the run goes back to the best picture and on with smaller steps.
    Now and then a step carries a preview; `preview_seconds` of infinity leaves them out. The result is the
    picture of least total loss at the last size, as evaluated, not merely the last one.
    """
    import tensorflow as tf

    config = material.config
    course = _Course(
        stop=stop,
        clock=clock,
        preview_seconds=preview_seconds,
        picture=starting_picture(config.init, *material.at(material.sizes[0]), config.seed),
        began=clock(),
    )
    try:
        for scale, (_, steps) in enumerate(material.plan):
            if steps and not course.over:
                yield from _climb(material, course, scale, steps)
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise RunError(
            f"There is not enough memory for {config.size} pixels; choose a smaller size."
        ) from error
    return _outcome(material, course)


def _climb(material: Material, course: _Course, scale: int, steps: int) -> Generator[Step, None, None]:
    """One rung of the ladder; leaves its best picture in `course`."""
    rung = Rung(material, scale, course.picture, recoveries=course.recoveries)
    try:
        for _ in range(steps):
            if course.stop():
                course.stopped = True
                break
            if not rung.ready(course.steps):
                break
            yield _step(material, course, scale, rung)
            if course.over:
                break
        course.picture = rung.result(course.picture)
    finally:
        rung.close()
        course.notes += rung.notes


def _step(material: Material, course: _Course, scale: int, rung: Rung) -> Step:
    picture, losses = rung.advance(course.steps + 1)
    course.steps += 1
    if rung.best_step:
        course.best_step = rung.best_step
    step = Step(
        index=course.steps,
        scale=scale,
        size=rung.easel.size,
        total=losses.total(material.factors),
        content=losses.content,
        style=losses.style,
        variation=losses.variation,
        layers=dict(zip(material.engine.style_layers, losses.layers, strict=True)),
        seconds=round(course.seconds, 4),
    )
    course.recoveries = rung.recoveries
    if not math.isfinite(step.total) or course.preview_seconds == math.inf:
        return step
    if not course.preview_due(material.config.steps):
        return step
    return replace(step, preview=to_uint8(np.clip(picture, 0.0, 1.0)))


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
