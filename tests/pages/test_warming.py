"""Loading ahead in the app: begun at the end of a page, for what its first press of Run asks for."""

import pytest

from pages.shared.frame import PAGES
from pages.shared.state import workshop
from tests.pages.conftest import open_page, press_run

LONG = 300  # seconds; only a deadlock takes as long


@pytest.fixture
def at_once(loads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading ahead is on, begins at once, and has all the memory it needs."""
    monkeypatch.setenv("NST_WARM_UP", "1")
    workshop().warming._quiet = 0
    workshop().warming._free = lambda: None


@pytest.mark.usefixtures("at_once")
def test_the_first_press_of_run_finds_everything_ready(loads: list[str]) -> None:
    app = open_page("pages/transfer.py").run()
    models = workshop().models
    assert workshop().warming.ended.wait(LONG)
    assert loads == ["vgg19"]
    app.session_state["settings.steps"] = 2
    job = press_run(app.run())
    assert job.ended.wait(LONG)
    assert job.lanes[0].run is not None
    assert loads == ["vgg19"]
    assert len(models._engines) == 1


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row.title)
def test_every_page_begins_it(row, loads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    begun = []
    monkeypatch.setenv("NST_WARM_UP", "1")
    monkeypatch.setattr("nst_core.warming.Warming.begin", lambda _: begun.append(row.title))
    open_page(row.path).run()
    assert begun


def test_a_setting_leaves_it_out(loads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nst_core.warming.Warming.begin", lambda _: pytest.fail("begun"))
    monkeypatch.setenv("NST_WARM_UP", "0")
    assert not open_page("pages/transfer.py").run().exception
