"""Fixtures for pages: a tiny network in place of the real ones, and a workshop of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import nst_core.models
from nst_core.backbones import Backbone
from nst_core.networks import Network, random_network
from nst_core.records import WeightsSource
from pages.shared.state import workshop

ROOT = Path(__file__).resolve().parents[2]
THIN = 1 / 16  # width of the test's networks


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The backbones that were loaded, in order; each load gives a thin random network."""
    loaded: list[str] = []

    def load(backbone: Backbone, weights: str = "auto", *, seed: int = 0, **_: object) -> object:
        loaded.append(backbone.name)
        network: Network = random_network(backbone.architecture(THIN), seed)
        note = "a test's network" if weights == "auto" else ""
        return network, WeightsSource(
            source="random", sha256="0" * 64, parameters=network.parameters, width=THIN, note=note
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


def run_until_done(app: AppTest, job_id: str) -> AppTest:
    """Wait for the job and run the page again, as its own refresh does in a browser."""
    job = workshop().queue.find(job_id)
    assert job is not None
    assert job.ended.wait(120)
    return app.run()
