"""The queue and its jobs: turns, stopping, failing, leaving; with a tiny real network and real pictures."""

import io
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nst_core import jobs, lanes, models
from nst_core.config import TransferConfig
from nst_core.engine import Engine
from nst_core.errors import RunError, WeightsError
from nst_core.jobs import MOST_KEPT, MOST_WAITING, PATIENCE, Job, JobQueue
from nst_core.lanes import MOST_THUMBNAILS, Lane, Request
from nst_core.models import Models
from nst_core.optimisers import ONE_THREAD
from nst_core.records import Step
from nst_core.weights import load_network
from tests.conftest import make_picture

LONG = 300  # seconds; only a deadlock takes as long

CONTENT = make_picture(48, 64, seed=1, name="content")
STYLE = make_picture(64, 64, seed=2, name="style")


def make_request(label: str = "run", **settings: Any) -> Request:
    plain: dict[str, Any] = {"backbone": "vgg16", "weights": "random", "size": 64, "steps": 4}
    config = TransferConfig.from_dict({**plain, **settings})
    return Request(label=label, config=config, content=CONTENT, style=STYLE)


class Clock:
    """Seconds that pass only when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def make_job(*requests: Request, together: bool = True, clock: Callable[[], float] | None = None) -> Job:
    return Job(requests, owner="me", together=together, clock=clock or Clock())


def wait_for_all() -> None:
    """Until no job's thread is left; each starts the next before it ends."""
    while threads := [thread for thread in threading.enumerate() if thread.name == "nst-job"]:
        threads[0].join(LONG)
        assert not threads[0].is_alive()


@pytest.fixture(scope="module")
def shelf() -> Iterator[Models]:
    """Networks of a sixteenth of the channels, compiled once for this file."""

    def load(backbone, _, *, seed, progress):  # type: ignore[no-untyped-def]
        return load_network(backbone, "random", seed=seed, width=1 / 16, progress=progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load_network", load)
        yield Models()


@pytest.fixture
def on_step(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[Lane], None]]:
    """What is called in the job's thread after each step of a lane."""
    calls: list[Callable[[Lane], None]] = []
    note = Lane.note

    def note_and_call(lane: Lane, step: Step, seconds_left: float | None) -> None:
        note(lane, step, seconds_left)
        for call in calls:
            call(lane)

    monkeypatch.setattr(Lane, "note", note_and_call)
    return calls


@pytest.fixture
def order(on_step: list[Callable[[Lane], None]]) -> list[str]:
    """The labels of the lanes in the order of their steps."""
    labels: list[str] = []
    on_step.append(lambda lane: labels.append(lane.request.label))
    return labels


# One job, in the calling thread.


def test_a_lane_runs_to_its_end(shelf: Models) -> None:
    job = make_job(make_request())
    jobs.perform(job, shelf)
    (lane,) = job.lanes
    assert (lane.state, lane.message, lane.planned) == ("done", "", 4)
    assert [step.index for step in lane.steps] == [1, 2, 3, 4]
    assert all(step.preview is None for step in lane.steps)
    assert lane.run is not None
    assert lane.run.picture is not None
    assert lane.run.picture.shape == (48, 64, 3)
    assert lane.run.record.ending == "finished"
    assert lane.run.record.steps == tuple(lane.steps)
    assert lane.run.record.weights.width == 1 / 16
    assert lane.run.record.seconds == pytest.approx(lane.busy, abs=0.001)
    assert lane.preview is not None
    assert lane.preview.shape == (48, 64, 3)
    assert lane.preview.dtype == np.uint8
    assert job.seconds_left == 0


def test_lanes_take_turns_when_together(shelf: Models, order: list[str]) -> None:
    job = make_job(make_request("a"), make_request("b", steps=2), make_request("c", seed=1))
    jobs.perform(job, shelf)
    assert order == [*"abc", *"abc", *"ac", *"ac"]
    assert [lane.state for lane in job.lanes] == ["done"] * 3


def test_lanes_go_one_after_another_when_not(shelf: Models, order: list[str]) -> None:
    job = make_job(make_request("a"), make_request("b", steps=2), together=False)
    jobs.perform(job, shelf)
    assert order == [*"aaaa", *"bb"]


def test_turns_change_no_number(shelf: Models) -> None:
    requests = (make_request("a"), make_request("b", init="noise"))
    turns, sequence = make_job(*requests), make_job(*requests, together=False)
    jobs.perform(turns, shelf)
    jobs.perform(sequence, shelf)
    for one, other in zip(turns.lanes, sequence.lanes, strict=True):
        assert one.run is not None
        assert other.run is not None
        np.testing.assert_array_equal(one.run.picture, other.run.picture)


def test_a_lane_counts_its_own_seconds_only(shelf: Models, on_step: list[Callable[[Lane], None]]) -> None:
    clock = Clock()
    job = make_job(make_request("a"), make_request("b"), clock=clock)

    def pass_the_time(_: Lane) -> None:
        clock.now += 10.0  # between the steps, not within one

    on_step.append(pass_the_time)
    jobs.perform(job, shelf, clock=clock)
    for lane in job.lanes:
        assert lane.busy == 0
        assert [step.seconds for step in lane.steps] == [0, 0, 0, 0]


def test_stopping_one_lane_keeps_the_others(shelf: Models, on_step: list[Callable[[Lane], None]]) -> None:
    job = make_job(make_request("a", steps=50), make_request("b"))

    def stop_a(lane: Lane) -> None:
        if lane.request.label == "a" and len(lane.steps) == 3:
            lane.halt.set()

    on_step.append(stop_a)
    jobs.perform(job, shelf)
    stopped, whole = (lane.run for lane in job.lanes)
    assert stopped is not None
    assert whole is not None
    assert (stopped.record.ending, len(stopped.record.steps)) == ("stopped", 3)
    assert stopped.picture is not None
    assert (whole.record.ending, len(whole.record.steps)) == ("finished", 4)


def test_stopping_the_job_ends_every_lane_within_a_step(
    shelf: Models, on_step: list[Callable[[Lane], None]]
) -> None:
    job = make_job(make_request("a", steps=50), make_request("b", steps=50))
    on_step.append(lambda lane: job.stop() if len(lane.steps) == 2 else None)
    jobs.perform(job, shelf)
    assert [len(lane.steps) for lane in job.lanes] == [2, 1]
    assert [lane.state for lane in job.lanes] == ["done", "done"]
    assert all(lane.run is not None and lane.run.picture is not None for lane in job.lanes)


def test_lanes_stopped_before_their_turn_load_nothing(
    on_step: list[Callable[[Lane], None]], monkeypatch: pytest.MonkeyPatch, shelf: Models
) -> None:
    job = make_job(make_request("a"), make_request("b"), together=False)
    on_step.append(lambda lane: job.stop() if len(lane.steps) == 2 else None)
    prepared = []
    prepare = lanes.prepare_request

    def note_and_prepare(request: Request, shelf: Models) -> Any:
        prepared.append(request.label)
        return prepare(request, shelf)

    monkeypatch.setattr(lanes, "prepare_request", note_and_prepare)
    jobs.perform(job, shelf)
    assert prepared == ["a"]
    first, second = job.lanes
    assert (first.state, second.state) == ("done", "failed")
    assert second.message == "This run was stopped before its first step."
    assert second.run is None


def test_a_lane_stopped_while_preparing_has_no_picture(
    shelf: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(make_request())
    prepare = lanes.prepare_request

    def stop_and_prepare(request: Request, shelf: Models) -> Any:
        job.stop()
        return prepare(request, shelf)

    monkeypatch.setattr(lanes, "prepare_request", stop_and_prepare)
    jobs.perform(job, shelf)
    (lane,) = job.lanes
    assert lane.state == "failed"
    assert lane.message == "This run was stopped before its first step."
    assert lane.run is not None
    assert lane.run.picture is None
    assert lane.run.record.ending == "stopped"


@pytest.mark.parametrize("together", [True, False])
def test_a_failing_lane_says_why_and_leaves_the_others(
    together: bool, shelf: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = lanes.prepare_request

    def fail_for_a(request: Request, shelf: Models) -> Any:
        if request.label == "a":
            raise WeightsError("The weights are at the cleaner's; come back tomorrow.")
        if request.label == "c":
            raise MemoryError
        return prepare(request, shelf)

    monkeypatch.setattr(lanes, "prepare_request", fail_for_a)
    job = make_job(*(make_request(label) for label in "abc"), together=together)
    jobs.perform(job, shelf)
    assert [lane.state for lane in job.lanes] == ["failed", "done", "failed"]
    first, second, third = job.lanes
    assert first.message == "The weights are at the cleaner's; come back tomorrow."
    assert "not enough memory" in third.message
    assert first.run is third.run is None
    assert second.run is not None


def test_a_picture_too_narrow_fails_its_own_lane(shelf: Models) -> None:
    narrow = Request(
        label="narrow",
        config=make_request().config,
        content=make_picture(16, 64, seed=3, name="a fence"),
        style=STYLE,
    )
    job = make_job(narrow, make_request())
    jobs.perform(job, shelf)
    assert [lane.state for lane in job.lanes] == ["failed", "done"]
    assert "a fence is too narrow" in job.lanes[0].message


def test_a_run_without_any_finite_loss_has_failed(shelf: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = Engine.evaluate

    def break_down(engine: Engine, *arguments: Any) -> Any:
        losses, gradient = evaluate(engine, *arguments)
        return replace(losses, content=math.nan), gradient

    monkeypatch.setattr(Engine, "evaluate", break_down)
    job = make_job(make_request())
    jobs.perform(job, shelf)
    (lane,) = job.lanes
    assert lane.state == "failed"
    assert "No step had a finite loss" in lane.message
    assert lane.run is not None
    assert lane.run.picture is None
    assert lane.run.record.ending == "failed"


def test_time_left_is_known_when_every_lane_knows() -> None:
    job = make_job(make_request("a"), make_request("b"))
    assert job.seconds_left is None
    job.lanes[0].seconds_left = 3.0
    assert job.seconds_left is None
    job.lanes[1].seconds_left = 4.5
    assert job.seconds_left == 7.5
    job.lanes[1].state = "failed"
    assert job.seconds_left == 3.0


# Watching.


def test_a_job_nobody_watches_stops(shelf: Models, on_step: list[Callable[[Lane], None]]) -> None:
    clock = Clock()
    job = make_job(make_request(steps=50), clock=clock)

    def leave_after_two(lane: Lane) -> None:
        if len(lane.steps) == 2:
            clock.now += PATIENCE + 1

    on_step.append(leave_after_two)
    jobs.perform(job, shelf, clock=clock)
    (lane,) = job.lanes
    assert lane.run is not None
    assert lane.run.record.ending == "stopped"
    assert len(lane.steps) == 2
    assert lane.run.picture is not None


def test_a_job_that_is_watched_goes_on(shelf: Models, on_step: list[Callable[[Lane], None]]) -> None:
    clock = Clock()
    job = make_job(make_request(), clock=clock)

    def watch(_: Lane) -> None:
        clock.now += PATIENCE  # at the limit, and then somebody looks
        assert not job.abandoned
        job.touch()

    on_step.append(watch)
    jobs.perform(job, shelf, clock=clock)
    assert len(job.lanes[0].steps) == 4
    clock.now += PATIENCE + 1
    assert job.abandoned


# What a lane keeps.


def note_previews(lane: Lane, count: int, side: int) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (side, side, 3), np.uint8)  # what JPEG keeps worst
    for index in range(len(lane.steps) + 1, len(lane.steps) + count + 1):
        step = Step(
            index=index, scale=0, size=(side, side), total=1.0, content=1.0, style=1.0, variation=0.0,
            layers={}, seconds=0.0, preview=noise,
        )  # fmt: skip
        lane.note(step, None)


def test_thumbnails_are_small() -> None:
    lane = Lane(make_request())
    note_previews(lane, 1, 700)
    (step, data), *none = lane.thumbnails
    assert (step, none) == (1, [])
    assert Image.open(io.BytesIO(data)).size == (256, 256)
    assert len(data) < 200_000
    assert lane.preview is not None
    assert lane.preview.shape == (700, 700, 3)
    assert lane.steps[0].preview is None


def test_small_previews_are_not_enlarged() -> None:
    lane = Lane(make_request())
    note_previews(lane, 1, 40)
    assert Image.open(io.BytesIO(lane.thumbnails[0][1])).size == (40, 40)


def test_thumbnails_thin_out_over_a_long_run() -> None:
    lane = Lane(make_request())
    note_previews(lane, 5 * MOST_THUMBNAILS, 8)
    steps = [step for step, _ in lane.thumbnails]
    assert MOST_THUMBNAILS / 2 <= len(steps) <= MOST_THUMBNAILS + 1
    assert steps == sorted(set(steps))
    assert steps[0] == 1
    assert steps[-1] == 5 * MOST_THUMBNAILS
    assert len(lane.steps) == 5 * MOST_THUMBNAILS


# The queue, with a stand-in for the computing that waits to be told.


class Desk:
    """Takes the place of `perform`: notes which job came, and holds it until it is let go."""

    def __init__(self) -> None:
        self.came: list[Job] = []
        self.arrivals = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.at_once = 0
        self.most_at_once = 0

    def __call__(self, job: Job, *_: Any, **__: Any) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.came.append(job)
        self.arrivals.release()
        assert self.go.acquire(timeout=LONG)
        for lane in job.lanes:
            lane.state = "done"
        self.at_once -= 1

    def await_arrival(self) -> Job:
        assert self.arrivals.acquire(timeout=LONG)
        return self.came[-1]

    def open(self) -> None:
        """Let all come and go from now on."""
        self.go.release(100_000)
        wait_for_all()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    stand_in = Desk()
    monkeypatch.setattr(jobs, "perform", stand_in)
    yield stand_in
    stand_in.open()


def make_queue(clock: Clock | None = None) -> JobQueue:
    return JobQueue(Models(), clock=clock or Clock())


def test_one_job_at_a_time_first_come_first_served(desk: Desk) -> None:
    queue = make_queue()
    submitted = [queue.submit([make_request()], owner=f"visitor {index}") for index in range(5)]
    assert desk.await_arrival() is submitted[0]
    assert [job.state for job in submitted] == ["running", *["waiting"] * 4]
    assert [queue.place(job) for job in submitted] == [0, 1, 2, 3, 4]
    desk.go.release()
    assert desk.await_arrival() is submitted[1]
    assert [job.state for job in submitted] == ["done", "running", *["waiting"] * 3]
    assert [queue.place(job) for job in submitted] == [0, 0, 1, 2, 3]
    desk.open()
    assert desk.came == submitted
    assert desk.most_at_once == 1
    assert [queue.place(job) for job in submitted] == [0] * 5


def test_an_owner_has_one_unfinished_job(desk: Desk) -> None:
    queue = make_queue()
    mine = queue.submit([make_request()], owner="me")
    theirs = queue.submit([make_request()], owner="them")
    desk.await_arrival()
    assert queue.submit([make_request("another")], owner="me") is mine
    assert queue.submit([make_request("another")], owner="them") is theirs
    assert queue.unfinished("me") is mine
    assert queue.unfinished("nobody") is None
    desk.open()
    assert queue.unfinished("me") is None
    later = queue.submit([make_request()], owner="me")
    assert later is not mine
    wait_for_all()
    assert desk.came == [mine, theirs, later]


def test_jobs_are_found_by_id(desk: Desk) -> None:
    queue = make_queue()
    job = queue.submit([make_request()], owner="me")
    assert queue.find(job.id) is job
    assert queue.find("nonesuch") is None
    desk.open()
    assert queue.find(job.id) is job


def test_a_full_queue_refuses_and_takes_again(desk: Desk) -> None:
    queue = make_queue()
    for index in range(MOST_WAITING + 1):  # one runs
        queue.submit([make_request()], owner=str(index))
    desk.await_arrival()
    with pytest.raises(RunError, match=rf"^{MOST_WAITING} runs are waiting already; .+\.$"):
        queue.submit([make_request()], owner="one more")
    assert queue.unfinished("one more") is None
    assert queue.submit([make_request()], owner="0") is desk.came[0]  # whoever is in stays in
    desk.go.release()
    desk.await_arrival()
    assert queue.submit([make_request()], owner="one more").state == "waiting"


def test_a_stopped_job_gives_up_its_place(desk: Desk) -> None:
    queue = make_queue()
    running, stopped, last = (queue.submit([make_request()], owner=owner) for owner in "abc")
    desk.await_arrival()
    stopped.stop()
    again = queue.submit([make_request()], owner="b")
    assert again is not stopped
    assert stopped.state == "done"
    assert stopped.lanes[0].state == "failed"
    assert stopped.lanes[0].message == "This run was stopped before its first step."
    assert [queue.place(job) for job in (running, last, again)] == [0, 1, 2]
    last.stop()  # also when nobody submits anything after it
    desk.open()
    assert desk.came == [running, again]
    assert last.state == "done"


def test_a_waiting_job_nobody_watches_is_not_run(desk: Desk) -> None:
    clock = Clock()
    queue = make_queue(clock)
    running = queue.submit([make_request()], owner="a")
    desk.await_arrival()
    left, watched = (queue.submit([make_request()], owner=owner) for owner in "bc")
    clock.now += PATIENCE + 1
    watched.touch()
    desk.open()
    assert desk.came == [running, watched]
    assert left.state == "done"


def test_old_finished_jobs_are_forgotten(desk: Desk) -> None:
    queue = make_queue()
    desk.go.release(100_000)
    finished = []
    for index in range(MOST_KEPT + 5):
        finished.append(queue.submit([make_request()], owner=str(index)))
        wait_for_all()
    queue.submit([make_request()], owner="last")
    wait_for_all()
    known = [job for job in finished if queue.find(job.id) is not None]
    assert known == finished[-MOST_KEPT:]


def test_many_threads_submitting_run_each_job_exactly_once(desk: Desk) -> None:
    queue = make_queue()
    desk.go.release(100_000)
    together = threading.Barrier(8)
    refused = []

    def submit_often(worker: int) -> list[Job]:
        together.wait(LONG)
        taken = []
        for turn in range(20):
            try:
                taken.append(queue.submit([make_request()], owner=f"{worker} {turn % 7}"))
            except RunError as error:
                refused.append(str(error))
        return taken

    with ThreadPoolExecutor(8) as threads:
        taken = [job for jobs_ in threads.map(submit_often, range(8)) for job in jobs_]
    wait_for_all()
    assert len(taken) + len(refused) == 160
    ids = [job.id for job in desk.came]
    assert len(ids) == len(set(ids))  # none twice
    assert set(ids) == {job.id for job in taken}  # none left out
    assert all(job.state == "done" for job in taken)
    assert desk.most_at_once == 1


def test_one_owner_pressing_from_many_threads_gets_one_job(desk: Desk) -> None:
    queue = make_queue()
    together = threading.Barrier(8)

    def submit(_: int) -> Job:
        together.wait(LONG)
        return queue.submit([make_request()], owner="me")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(submit, range(8)))
    assert len({job.id for job in answers}) == 1
    desk.open()
    assert desk.came == [answers[0]]


# The queue and the computing together.


def test_a_fault_of_the_program_is_loud_and_the_next_job_runs(
    shelf: Models, on_step: list[Callable[[Lane], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    loud: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", loud.append)
    held, go = threading.Event(), threading.Event()

    def break_down(lane: Lane) -> None:
        if lane.request.label == "faulty" and len(lane.steps) == 2:
            held.set()
            assert go.wait(LONG)
            raise ZeroDivisionError("a fault")

    on_step.append(break_down)
    queue = JobQueue(shelf)
    faulty = queue.submit(
        [make_request("short", steps=1), make_request("faulty"), make_request("innocent")], owner="me"
    )
    assert held.wait(LONG)
    following = queue.submit([make_request()], owner="another")
    assert queue.place(following) == 1
    go.set()
    wait_for_all()
    assert [call.exc_type for call in loud] == [ZeroDivisionError]
    # Nor does an optimiser of any lane stay, though the trace in `loud` still holds their frames.
    assert ONE_THREAD.holders == 0
    assert faulty.state == "done"
    assert [lane.state for lane in faulty.lanes] == ["done", "failed", "failed"]
    assert faulty.lanes[0].run is not None
    for lane in faulty.lanes[1:]:
        assert lane.message == "This run broke off by a fault of the program; see its log."
    assert following.state == "done"
    assert following.lanes[0].state == "done"


def test_stopping_after_the_end_keeps_the_result(shelf: Models) -> None:
    queue = JobQueue(shelf)
    job = queue.submit([make_request()], owner="me")
    wait_for_all()
    run = job.lanes[0].run
    assert run is not None
    job.stop()
    job.close()
    queue.submit([make_request()], owner="another")
    wait_for_all()
    assert (job.state, job.lanes[0].state, job.lanes[0].message) == ("done", "done", "")
    assert job.lanes[0].run is run
    assert run.record.ending == "finished"


def test_the_thread_computes_what_the_caller_would(shelf: Models) -> None:
    queue = JobQueue(shelf)
    job = queue.submit([make_request("a"), make_request("b", canvas="pixel")], owner="me", together=False)
    wait_for_all()
    same = make_job(make_request("a"), make_request("b", canvas="pixel"))
    jobs.perform(same, shelf)
    for one, other in zip(job.lanes, same.lanes, strict=True):
        assert one.run is not None
        assert other.run is not None
        np.testing.assert_array_equal(one.run.picture, other.run.picture)
