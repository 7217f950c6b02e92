"""The Curves page in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import AppServer, Incidents, StartApp
from tests.browser.steps import AFTER_A_LOAD, choose, go_to, open_page, run

pytestmark = pytest.mark.browser

STEPS = 12
LISTENS_WITHIN = 1000  # milliseconds: hover.js looks for new charts every 400


@pytest.fixture(scope="module")
def server(app_server: StartApp) -> AppServer:
    """The app."""
    return app_server("app.py")


@pytest.fixture
def watched(page: Page, incidents: Incidents, server: AppServer) -> Iterator[Page]:
    """A page that in the end has written no error and asked nobody else for anything."""
    yield page
    assert incidents.errors == []
    assert incidents.elsewhere(server.url) == []


def test_without_a_run_the_page_leads_to_one(watched: Page, server: AppServer) -> None:
    open_page(watched, server, "curves")
    expect(watched.get_by_text("No finished runs yet")).to_be_visible()
    watched.get_by_role("link", name="Compare three networks").click()
    expect(watched.get_by_role("button", name="Run all 3")).to_be_visible()


def test_pointing_at_a_curve_shows_the_picture_at_that_step(watched: Page, server: AppServer) -> None:
    open_page(watched, server, "transfer")
    choose(watched, size=64, steps=STEPS)
    run(watched)
    expect(watched.get_by_test_id("stMetric").filter(has_text="Ended")).to_be_visible(timeout=AFTER_A_LOAD)
    go_to(watched, "Curves")
    expect(watched.get_by_test_id("stDataFrame")).to_be_visible()
    expect(watched).to_have_url(re.compile(r"job="))
    watched.reload()  # its runs are found again by the address
    expect(watched.get_by_test_id("stDataFrame")).to_be_visible(timeout=AFTER_A_LOAD)
    chart = watched.locator(".js-plotly-plot")
    expect(chart).to_have_count(1)
    expect(chart.get_by_text("How do the losses fall?")).to_be_visible()
    pictures = watched.locator(".hover .strip img")
    expect(pictures).to_have_count(0)
    expect(watched.get_by_text("Point at a curve")).to_be_visible()

    plot = chart.locator(".nsewdrag").first
    plot.scroll_into_view_if_needed()
    watched.wait_for_timeout(LISTENS_WITHIN)
    box = plot.bounding_box()
    assert box is not None
    watched.mouse.move(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] / 2, steps=3)
    expect(pictures).to_have_count(1)
    assert pictures.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    caption = watched.locator(".hover .strip figcaption")
    expect(caption).to_have_text(re.compile(r"^VGG19, step \d+$"))
    middle = caption.inner_text()
    watched.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2, steps=3)
    expect(caption).to_have_text("VGG19, step 1")
    assert middle != "VGG19, step 1"
