"""Loading ahead: once, only where there is memory, and for the run that follows."""

import threading

import pytest

from nst_core import models as module
from nst_core import warming
from nst_core.compiled import Compiled
from nst_core.config import TransferConfig
from nst_core.errors import WeightsError
from nst_core.models import Models
from nst_core.records import RunRecord
from nst_core.transfer import run
from nst_core.warming import ENOUGH, STEPS, Warming, warm
from nst_core.weights import load_network
from tests.conftest import make_picture

LONG = 300  # seconds; only a deadlock takes as long
USUAL = TransferConfig(backbone="vgg16", weights="random", size=256, steps=120)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    """A shelf whose networks have a sixteenth of the channels."""

    def load(backbone, _, *, seed, progress):  # type: ignore[no-untyped-def]
        return load_network(backbone, "random", seed=seed, width=1 / 16, progress=progress)

    monkeypatch.setattr(module, "load_network", load)
    return Models()


def readiness(models: Models) -> list[tuple[int, bool]]:
    """Of each compiled function on the shelf how often it was traced, and whether it is ready."""
    return [
        (function.traces, function.called)
        for engine in models._engines._values.values()
        for function in vars(engine).values()
        if isinstance(function, Compiled)
    ]


def run_usual(models: Models) -> None:
    content, style = make_picture(96, 128, seed=1), make_picture(100, 90, seed=2)
    config = TransferConfig(backbone="vgg16", weights="random", size=100, steps=2)
    assert run(models.material(config, content, style)).picture is not None


def test_the_run_that_follows_loads_and_traces_nothing(models: Models) -> None:
    warm(models, USUAL)
    before = readiness(models)
    assert sum(called for _, called in before) >= 2  # the features of the targets, and the step
    assert models.loads == 1
    run_usual(models)
    assert (models.loads, len(models._engines)) == (1, 1)
    assert readiness(models) == before


def test_what_it_ran_is_told(models: Models) -> None:
    told: list[RunRecord] = []
    ahead = Warming(models, USUAL, learn=told.append, free=lambda: None, quiet=0)
    ahead.begin()
    assert ahead.ended.wait(LONG)
    (record,) = told
    assert (len(record.steps), record.config.backbone) == (STEPS, USUAL.backbone)


def test_a_run_that_starts_meanwhile_shares_what_is_being_loaded(models: Models) -> None:
    ahead = Warming(models, USUAL, free=lambda: None, quiet=0)
    ahead.begin()
    run_usual(models)
    assert ahead.ended.wait(LONG)
    assert (models.loads, len(models._engines)) == (1, 1)
    assert {traces for traces, _ in readiness(models)} == {1}


def warmed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads in which something was loaded ahead; nothing is."""
    threads: list[str] = []
    monkeypatch.setattr(warming, "warm", lambda *_: threads.append(threading.current_thread().name))
    return threads


def test_it_happens_once(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = warmed(monkeypatch)
    ahead = Warming(Models(), USUAL, free=lambda: None, quiet=0)
    for _ in range(3):
        ahead.begin()
        assert ahead.ended.wait(LONG)
    assert threads == ["nst-warming"]


@pytest.mark.parametrize(("free", "loaded"), [(ENOUGH - 1, 0), (ENOUGH, 1), (None, 1)])
def test_it_needs_memory(free: int | None, loaded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = warmed(monkeypatch)
    ahead = Warming(Models(), USUAL, free=lambda: free, quiet=0)
    ahead.begin()
    assert ahead.ended.wait(LONG)
    assert len(threads) == loaded


@pytest.mark.parametrize("error", [WeightsError("The weights are at the cleaner's."), MemoryError()])
def test_what_goes_wrong_is_logged_and_no_more(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(warming, "warm", fail)
    ahead = Warming(Models(), USUAL, free=lambda: None, quiet=0)
    with caplog.at_level("INFO", warming.__name__):
        ahead.begin()
        assert ahead.ended.wait(LONG)
    assert f"Nothing was loaded ahead: {error}" in caplog.text


def test_a_page_that_begins_it_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = threading.Event()
    monkeypatch.setattr(warming, "warm", lambda *_: may_end.wait(LONG))
    ahead = Warming(Models(), USUAL, free=lambda: None, quiet=0)
    ahead.begin()
    assert not ahead.ended.is_set()
    may_end.set()
    assert ahead.ended.wait(LONG)
