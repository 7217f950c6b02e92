"""One run of a job: what is asked for, how far it is, and its steps one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from nst_core.config import TransferConfig
from nst_core.errors import NSTError
from nst_core.estimate import seconds_left
from nst_core.images import Picture, encode_jpeg, resize_longest
from nst_core.records import Step

if TYPE_CHECKING:
    from nst_core.course import Outcome
    from nst_core.material import Material
    from nst_core.models import Models
    from nst_core.transfer import Run

LaneState = Literal["waiting", "preparing", "running", "done", "failed"]

THUMBNAIL = 256  # pixels, longest side
MOST_THUMBNAILS = 60  # in a lane; then every other one goes, so that hours of running stay small

FAULT = "This run broke off by a fault of the program; see its log."
NOT_BEGUN = "This run was stopped before its first step."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One run that is asked for."""

    label: str
    config: TransferConfig
    content: Picture
    style: Picture


@dataclass(slots=True, eq=False)
class Lane:
    """One run of a job. Written by the job's thread only; readers see each field whole."""

    request: Request
    state: LaneState = "waiting"
    message: str = ""
    planned: int = 0
    steps: list[Step] = field(default_factory=list)
    preview: npt.NDArray[np.uint8] | None = None
    thumbnails: list[tuple[int, bytes]] = field(default_factory=list)  # (step, JPEG), small
    run: Run | None = None
    busy: float = 0.0  # seconds spent on this lane's own steps
    seconds_left: float | None = None
    halt: threading.Event = field(default_factory=threading.Event)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen here."""
        return self.state in ("done", "failed")

    def close(self, message: str = FAULT) -> None:
        """Mark a lane that did not end as failed, by default by a fault whose trace is in the log."""
        if not self.over:
            self.state, self.message = "failed", message

    def note(self, step: Step, seconds_left: float | None) -> None:
        """Keep a step; its preview becomes a thumbnail, and only the newest stays whole."""
        if step.preview is not None:
            self.preview = step.preview
            kept = self.thumbnails[:: 1 if len(self.thumbnails) < MOST_THUMBNAILS else 2]
            self.thumbnails = [*kept, (step.index, encode_jpeg(_thumbnail(step.preview), quality=85))]
        self.steps.append(replace(step, preview=None))
        self.seconds_left = seconds_left


def lane_course(lane: Lane, models: Models, clock: Callable[[], float]) -> Generator[bool, None, None]:
    """The lane's run, in the calling thread; yields after each step. What goes wrong is told in the lane."""
    try:
        yield from _run_lane(lane, models, clock)
    except NSTError as error:
        lane.state, lane.message = "failed", str(error)
    except MemoryError:
        lane.state = "failed"
        lane.message = "There is not enough memory for this size; choose a smaller one."


def _run_lane(lane: Lane, models: Models, clock: Callable[[], float]) -> Generator[bool, None, None]:
    from nst_core.course import optimise
    from nst_core.transfer import Run, make_record

    lane.state = "preparing"
    yield True
    if lane.halt.is_set():
        lane.close(NOT_BEGUN)
        return
    material = prepare_request(lane.request, models)
    lane.planned = material.config.steps
    started, began = datetime.now(UTC), clock()
    # Closed whatever happens: an optimiser's thread outlives a course that is merely dropped.
    with closing(
        optimise(material, stop=lane.halt.is_set, clock=lambda: lane.busy + clock() - began)
    ) as course:
        lane.state = "running"
        while True:
            began = clock()
            try:
                step = next(course)
            except StopIteration as end:
                outcome: Outcome = end.value
                break
            lane.busy += clock() - began
            lane.note(step, seconds_left(lane.steps, material.plan))
            yield True
    record = make_record(material, lane.steps, outcome, started=started, seconds=lane.busy)
    lane.run = Run(record=record, picture=outcome.picture)
    lane.seconds_left = 0.0
    if outcome.picture is None:
        lane.close(" ".join(outcome.notes) or NOT_BEGUN)
    else:
        lane.state = "done"


def prepare_request(request: Request, models: Models) -> Material:
    """The material of a request, with network and compiled step from the shelf."""
    return models.material(request.config, request.content, request.style)


def _thumbnail(preview: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    pixels = preview.astype(np.float32) / np.float32(255)
    return resize_longest(pixels, THUMBNAIL) if max(pixels.shape) > THUMBNAIL else pixels
