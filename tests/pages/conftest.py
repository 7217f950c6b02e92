"""Fixtures for pages: a tiny network in place of the real ones, and a workshop of the test's own."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import nst_core.models
from nst_core.backbones import Backbone
from nst_core.jobs import Job
from nst_core.networks import Network, random_network
from nst_core.records import WeightsSource
from pages.shared.state import workshop

ROOT = Path(__file__).resolve().parents[2]
THIN = 1 / 16  # width of the test's networks


@pytest.fixture(autouse=True)
def nothing_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded ahead of the runs that a test asks for."""
    monkeypatch.setenv("NST_WARM_UP", "0")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The backbones that were loaded, in order; each load gives a thin random network."""
    loaded: list[str] = []

    def load(backbone: Backbone, weights: str = "auto", *, seed: int = 0, **_: object) -> object:
        loaded.append(backbone.name)
        network: Network = random_network(backbone.architecture(THIN), seed)
        note = "a test's network" if weights == "auto" else ""
        digest = hashlib.sha256(f"{backbone.name} {weights} {seed}".encode()).hexdigest()
        return network, WeightsSource(
            source="random", sha256=digest, parameters=network.parameters, width=THIN, note=note
        )

    monkeypatch.setattr(nst_core.models, "load_network", load)
    st.cache_resource.clear()
    yield loaded
    st.cache_resource.clear()


def open_page(path: str) -> AppTest:
    """The app at one page, as a visitor who comes by the menu has it."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    app.run()
    app.switch_page(path)
    return app


def small(app: AppTest, steps: int = 6) -> AppTest:
    """Settings under which a run takes about a second."""
    app.session_state["settings.size"] = 64
    app.session_state["settings.steps"] = steps
    return app.run()


def press_run(app: AppTest, page: str = "transfer") -> Job:
    """Press Run on a page; the job that it started."""
    app.get_by_key(f"{page}.run").click().run()
    assert not app.exception
    job = workshop().queue.find(app.session_state[f"{page}.job"])
    assert job is not None
    return job


def words(app: AppTest) -> str:
    """All prose on the page."""
    return " ".join(
        str(item.value) for kind in ("markdown", "caption", "info", "error") for item in app.get(kind)
    )


def run_until_done(app: AppTest, job_id: str) -> AppTest:
    """Wait for the job and run the page again, as its own refresh does in a browser."""
    job = workshop().queue.find(job_id)
    assert job is not None
    assert job.ended.wait(120)
    return app.run()
