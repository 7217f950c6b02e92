"""One queue for the process: jobs wait their turn, run in a thread, and are watched from outside."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Literal

from nst_core.errors import RunError
from nst_core.lanes import FAULT, NOT_BEGUN, Lane, Request, lane_course
from nst_core.system import give_back_freed

if TYPE_CHECKING:
    from nst_core.models import Models

JobState = Literal["waiting", "running", "done"]

# Called with the job and the models when its runs have ended; what it gives is the job's outcome.
Epilogue = Callable[["Job", "Models"], Any]

MOST_WAITING = 10
MOST_KEPT = 12  # finished jobs whose pictures stay in memory
PATIENCE = 90.0  # seconds without anyone watching after which a job stops


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
        # A thread a job: whatever one breaks on, the next still gets its turn, and what oneDNN keeps for a
        # thread ends with it, see `compiled`.
        try:
            perform(job, self.models, clock=self._clock)
        finally:
            job.close()
            give_back_freed()
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
    with ExitStack() as ending:  # a fault in one lane closes the others too
        courses = [ending.enter_context(closing(lane_course(lane, models, clock))) for lane in lanes]
        while courses:
            if job.abandoned:
                job.stop()
            # next() runs one lane up to its following step; an exhausted lane leaves the race.
            courses = [course for course in courses if next(course, None) is not None]
