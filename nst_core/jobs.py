"""One queue for the process: jobs wait their turn, run in a thread, and are watched from outside."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from nst_core.config import TransferConfig
from nst_core.errors import NSTError, RunError
from nst_core.estimate import seconds_left
from nst_core.images import Picture, encode_jpeg, resize_longest
from nst_core.records import Step

if TYPE_CHECKING:
    from nst_core.material import Material
    from nst_core.models import Models
    from nst_core.transfer import Outcome, Run

JobState = Literal["waiting", "running", "done"]
LaneState = Literal["waiting", "preparing", "running", "done", "failed"]

# Called with the job and the models when its runs have ended; what it gives is the job's outcome.
Epilogue = Callable[["Job", "Models"], Any]

MOST_WAITING = 10
MOST_KEPT = 12  # finished jobs whose pictures stay in memory
THUMBNAIL = 256  # pixels, longest side
MOST_THUMBNAILS = 60  # in a lane; then every other one goes, so that hours of running stay small
PATIENCE = 90.0  # seconds without anyone watching after which a job stops

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


class Job:
    """Some runs that belong together. They advance in turns (`together`) or one after another.

    When they have ended, `epilogue` makes the job's `outcome` of them, in the same thread.
    """

    def __init__(
        self,
        requests: Sequence[Request],
        *,
        owner: str,
        together: bool,
        clock: Callable[[], float],
        epilogue: Epilogue | None = None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.owner = owner
        self.together = together
        self.epilogue = epilogue
        self.outcome: Any = None
        self.lanes = tuple(Lane(request) for request in requests)
        self.state: JobState = "waiting"
        self.ended = threading.Event()
        self._clock = clock
        self._seen = clock()

    def touch(self) -> None:
        """Say that somebody is watching."""
        self._seen = self._clock()

    @property
    def abandoned(self) -> bool:
        """Whether nobody has watched for `PATIENCE` seconds."""
        return self._clock() - self._seen > PATIENCE

    def stop(self) -> None:
        """Ask every lane to end with its best picture within one step."""
        for lane in self.lanes:
            lane.halt.set()

    @property
    def stopping(self) -> bool:
        """Whether every lane was asked to end."""
        return all(lane.halt.is_set() for lane in self.lanes)

    def close(self, message: str = FAULT) -> None:
        """Mark the job done, and whatever in it did not end as failed."""
        for lane in self.lanes:
            lane.close(message)
        self.state = "done"
        self.ended.set()

    @property
    def seconds_left(self) -> float | None:
        """Of all lanes together; None while that is not known."""
        left = [lane.seconds_left for lane in self.lanes if not lane.over]
        return None if any(seconds is None for seconds in left) else sum(filter(None, left))


class JobQueue:
    """Jobs of a process, first come first served, one at a time.

    A job's `owner` (a visitor) has at most one unfinished job: a second press gives back the first, so that
    a double click or a repeated page run never computes twice.
    """

    def __init__(self, models: Models, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.models = models
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._changed = threading.RLock()

    def submit(
        self,
        requests: Sequence[Request],
        *,
        owner: str,
        together: bool = True,
        epilogue: Epilogue | None = None,
    ) -> Job:
        """A new job at the end of the queue, or the owner's unfinished one; RunError when it is full.

        `epilogue` is called in the job's thread when its runs have ended and gives the job's outcome.
        """
        with self._changed:
            self._withdraw()
            current = self.unfinished(owner)
            if current is not None:
                return current
            if len(self._waiting()) >= MOST_WAITING:
                raise RunError(
                    f"{MOST_WAITING} runs are waiting already; wait a minute or two and press Run again."
                )
            job = Job(requests, owner=owner, together=together, epilogue=epilogue, clock=self._clock)
            self._jobs[job.id] = job
            self._forget()
            self._start_next()
        return job

    def find(self, job_id: str) -> Job | None:
        """The job of this id, if it is still known."""
        return self._jobs.get(job_id)

    def unfinished(self, owner: str) -> Job | None:
        """The owner's waiting or running job."""
        jobs = list(self._jobs.values())
        return next((job for job in jobs if job.owner == owner and job.state != "done"), None)

    def place(self, job: Job) -> int:
        """How many jobs are before this one; 0 when it runs."""
        with self._changed:
            before = [other for other in self._jobs.values() if other.state != "done"]
            return before.index(job) if job in before else 0

    def _waiting(self) -> list[Job]:
        return [job for job in list(self._jobs.values()) if job.state == "waiting"]

    def _forget(self) -> None:
        done = [job.id for job in self._jobs.values() if job.state == "done"]
        for job_id in done[: max(0, len(done) - MOST_KEPT)]:
            del self._jobs[job_id]

    def _withdraw(self) -> None:
        # Whoever was stopped or left while waiting keeps no place, and is not computed for.
        for job in self._waiting():
            if job.stopping or job.abandoned:
                job.close(NOT_BEGUN)

    def _start_next(self) -> None:
        with self._changed:
            self._withdraw()
            busy = any(job.state == "running" for job in self._jobs.values())
            if busy or not (waiting := self._waiting()):
                return
            waiting[0].state = "running"
            threading.Thread(target=self._work, args=(waiting[0],), name="nst-job", daemon=True).start()

    def _work(self, job: Job) -> None:
        # A thread a job: whatever one breaks on, the next still gets its turn.
        try:
            perform(job, self.models, clock=self._clock)
        finally:
            job.close()
            self._start_next()


def perform(job: Job, models: Models, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Run a job's lanes to their ends, in turns or one after another, in the calling thread.

    A lane that fails says why in `message` and leaves the others alone.
    """
    for lanes in [list(job.lanes)] if job.together else [[lane] for lane in job.lanes]:
        _race(lanes, job, models, clock)
    if job.epilogue is not None and not job.abandoned:
        job.outcome = job.epilogue(job, models)


def _race(lanes: list[Lane], job: Job, models: Models, clock: Callable[[], float]) -> None:
    courses = [_lane_course(lane, models, clock) for lane in lanes]
    while courses:
        if job.abandoned:
            job.stop()
        # next() runs one lane up to its following step; an exhausted lane leaves the race.
        courses = [course for course in courses if next(course, None) is not None]


def _lane_course(lane: Lane, models: Models, clock: Callable[[], float]) -> Generator[bool, None, None]:
    """The lane's run; yields after each step."""
    try:
        yield from _run_lane(lane, models, clock)
    except NSTError as error:
        lane.state, lane.message = "failed", str(error)
    except MemoryError:
        lane.state = "failed"
        lane.message = "There is not enough memory for this size; choose a smaller one."


def _run_lane(lane: Lane, models: Models, clock: Callable[[], float]) -> Generator[bool, None, None]:
    from nst_core.transfer import Run, make_record, optimise

    lane.state = "preparing"
    yield True
    if lane.halt.is_set():
        lane.close(NOT_BEGUN)
        return
    material = prepare_request(lane.request, models)
    lane.planned = material.config.steps
    started, began = datetime.now(UTC), clock()
    course = optimise(material, stop=lane.halt.is_set, clock=lambda: lane.busy + clock() - began)
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
    from nst_core.material import prepare, resolve

    network, source = models.network(request.config)
    engine = models.engine(resolve(request.config, source), network)
    return prepare(
        request.config, request.content, request.style, network=network, source=source, engine=engine
    )


def _thumbnail(preview: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    pixels = preview.astype(np.float32) / np.float32(255)
    return resize_longest(pixels, THUMBNAIL) if max(pixels.shape) > THUMBNAIL else pixels
