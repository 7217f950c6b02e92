"""The Transfer page in a real browser, from the first visit to a freshly started server."""

import io
import re
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.harness import AppServer, Incidents, StartApp
from tests.browser.steps import AFTER_A_LOAD, PAGES, choose, go_to, open_page, run, stop

pytestmark = pytest.mark.browser

MANY = 3000  # steps: a minute or more, so that there is always something left to stop
STEPS_MADE = re.compile(r"^Step \d+ of 3000")


@pytest.fixture
def server(app_server: StartApp) -> AppServer:
    """The app in a process of its own, which nobody has visited."""
    return app_server("app.py", fresh=True)


@pytest.fixture
def cold(page: Page, incidents: Incidents, server: AppServer) -> Iterator[Page]:
    """The page, the first of this server; whatever a test does, no error is written and nobody else asked."""
    open_page(page, server, "transfer")
    yield page
    assert incidents.errors == []
    assert incidents.elsewhere(server.url) == []


def turned_photograph() -> bytes:
    """A JPEG that lies on its side and says so: 120 wide and 160 high once it is turned upright."""
    rows, columns = np.mgrid[0:120, 0:160]
    pixels = np.stack([rows * 2, columns, 255 - rows], axis=-1).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn a quarter clockwise
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90, exif=exif)
    return file.getvalue()


def upload_content(page: Page) -> None:
    """Give the page a photograph of one's own to paint."""
    page.get_by_role("button", name="My own picture").first.click()
    photograph = {"name": "holiday.jpg", "mimeType": "image/jpeg", "buffer": turned_photograph()}
    page.locator("input[type=file]").first.set_input_files(files=[photograph])
    expect(page.get_by_text("turned upright")).to_be_visible()
    page.keyboard.press("Escape")


def stop_and_see(page: Page) -> None:
    """Stop the run once it has made some steps; its picture is kept and shown."""
    expect(page.get_by_text(STEPS_MADE)).to_be_visible(timeout=AFTER_A_LOAD)
    stop(page)
    expect_stopped(page)


def expect_stopped(page: Page) -> None:
    """A stopped run's result: its end, and its picture beside the content."""
    ended = page.get_by_test_id("stMetric").filter(has_text="Ended")
    expect(ended).to_contain_text("Stopped", timeout=AFTER_A_LOAD)
    picture = page.locator(".slider .after")
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0


def job_of(page: Page) -> str:
    """The job in the page's address."""
    expect(page).to_have_url(re.compile(r"[?&]job=[0-9a-f]{32}$"))
    return page.url.rpartition("=")[2]


def test_from_a_cold_start_to_a_kept_picture_and_back(cold: Page) -> None:
    for title in PAGES:  # only the router knows them
        expect(cold.get_by_role("link", name=title, exact=True)).to_be_visible()
    upload_content(cold)
    choose(cold, size=64, steps=MANY)
    run(cold)
    stop_and_see(cold)
    expect(cold.get_by_test_id("stMetric").filter(has_text="Size")).to_contain_text("48 × 64")
    job = job_of(cold)

    go_to(cold, "Compare")
    expect(cold.get_by_role("button", name="Run all 3")).to_be_visible()
    expect(cold.get_by_text("turned upright")).to_be_visible()  # the pair is the same on every page
    go_to(cold, "Transfer")
    expect_stopped(cold)
    assert job_of(cold) == job

    cold.reload()
    expect_stopped(cold)
    assert job_of(cold) == job


def test_a_double_click_on_run_is_one_job(cold: Page) -> None:
    choose(cold, size=64, steps=MANY)
    cold.get_by_role("button", name="Run", exact=True).dblclick()
    expect(cold.get_by_text(STEPS_MADE)).to_be_visible(timeout=AFTER_A_LOAD)
    expect(cold.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    job = job_of(cold)
    stop(cold)
    expect_stopped(cold)
    # A second job would have waited for the first one's end, and the page would show it now.
    expect(cold.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    assert job_of(cold) == job


def test_a_phone_shows_everything_without_scrolling_sideways(cold: Page) -> None:
    cold.set_viewport_size({"width": 390, "height": 844})
    expect(cold.get_by_role("button", name="Run", exact=True)).to_be_visible()
    assert cold.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= main.clientWidth")
