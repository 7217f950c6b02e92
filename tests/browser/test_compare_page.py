"""The Compare page in a real browser: three runs at once, their pictures together, and the files to keep."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.harness import AppServer, Incidents, StartApp
from tests.browser.steps import AFTER_A_LOAD, choose, open_page, run, settle, views

pytestmark = pytest.mark.browser

STEPS = 240
NAMES = ["Content", "Style", "VGG16", "VGG19", "ResNet50"]
# What makes a browser fetch something from another place.
FETCHES = re.compile(
    r"""(?:\b(?:src|href|action|data)\s*=\s*["']?|url\(\s*["']?|@import\s+["']?)(?:https?:)?//"""
)


@pytest.fixture(scope="module")
def server(app_server: StartApp) -> AppServer:
    """The app."""
    return app_server("app.py")


@pytest.fixture(scope="module")
def address(browser: Browser, server: AppServer) -> Iterator[str]:
    """Of a comparison whose first column was stopped by itself while the others went on."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    open_page(page, server, "compare")
    choose(page, size=64, steps=STEPS)
    run(page, "Run all 3")
    expect(page.get_by_text(re.compile(rf"^Step \d+ of {STEPS}"))).to_have_count(3, timeout=AFTER_A_LOAD)
    page.get_by_role("button", name="Stop this one").first.click()
    expect(page.get_by_text(re.compile(r"^Done after \d+ steps")).first).to_be_visible()
    expect(page.get_by_text("What do the numbers say?")).to_be_visible(timeout=AFTER_A_LOAD)
    yield page.url
    context.close()


@pytest.fixture
def compared(page: Page, incidents: Incidents, server: AppServer, address: str) -> Iterator[Page]:
    """The finished comparison, found by its address; whatever a test does, it writes no error."""
    open_page(page, server, address.removeprefix(f"{server.url}/"))
    expect(page.locator(".panel .layer")).to_have_count(5)
    settle(page)  # what is still being written moves the pictures under a pointer
    yield page
    assert incidents.errors == []
    assert incidents.elsewhere(server.url) == []


def steps_shown(page: Page) -> list[int]:
    """The step under each column's picture."""
    captions = page.get_by_text(re.compile(r"^Step \d+ · "))
    expect(captions).to_have_count(3)
    return [int(caption.split()[1]) for caption in captions.all_inner_texts()]


def are_whole(pictures: Locator) -> bool:
    """Whether every one of these pictures can be decoded."""
    script = """async pictures => {
        await Promise.all(pictures.map(picture => picture.decode()));
        return pictures.every(picture => picture.naturalWidth > 0);
    }"""
    return bool(pictures.evaluate_all(script))


def download(page: Page, label: str, folder: Path) -> Path:
    """Press a button that makes a file; the file, under the name that it came with."""
    with page.expect_download(timeout=AFTER_A_LOAD) as coming:
        page.get_by_role("button", name=label).click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def test_one_column_was_stopped_and_the_others_finished(compared: Page) -> None:
    first, *others = steps_shown(compared)
    assert first < STEPS
    assert others == [STEPS, STEPS]


def test_zoom_into_one_picture_moves_all_of_them(compared: Page) -> None:
    pictures = compared.locator(".panel .layer")
    assert are_whole(pictures)
    assert set(views(pictures)) == {(1, 0, 0)}
    frame = compared.locator(".panel .frame").nth(3)
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box is not None
    frame.dblclick(position={"x": box["width"] / 4, "y": box["height"] / 2})
    for view in views(pictures):
        # Twice as large about a point a quarter of a frame left of the centre.
        assert view == pytest.approx((2, 0.25, 0), abs=0.02)
    compared.get_by_role("button", name="Fit").click()
    assert set(views(pictures)) == {(1, 0, 0)}


def test_the_columns_go_back_to_an_earlier_step(compared: Page) -> None:
    slider = compared.get_by_role("slider", name="From start to end")
    slider.focus()
    slider.press("Home")
    expect(compared.get_by_text(re.compile(r"^Step 1 · "))).to_have_count(3)
    settle(compared)
    compared.get_by_text("the same loss", exact=True).click()
    slider.press("End")
    expect(compared.get_by_text(re.compile(rf"^Step {STEPS} · "))).not_to_have_count(0)


def test_two_pictures_are_wiped_by_key(compared: Page) -> None:
    compared.get_by_role("button", name="Wipe", exact=True).click()
    compared.get_by_label("First picture").select_option(index=2)
    compared.get_by_label("Second picture").select_option(index=4)
    handle = compared.get_by_role(
        "slider", name=re.compile("^Divider: VGG16, .* to the left, ResNet50, .* right$")
    )
    handle.focus()
    handle.press("Home")
    clip = "window => getComputedStyle(window).clipPath"
    assert compared.locator(".over").evaluate(clip) == "inset(0px 0px 0px 0%)"
    handle.press("ArrowRight")
    assert compared.locator(".over").evaluate(clip) == "inset(0px 0px 0px 1%)"


def test_the_report_opens_from_disk_with_all_its_pictures(compared: Page, tmp_path: Path) -> None:
    file = download(compared, "Report (HTML)", tmp_path)
    text = file.read_text(encoding="utf-8")
    assert FETCHES.search(text) is None
    report = compared.context.new_page()
    asked: list[str] = []
    report.on("request", lambda request: asked.append(request.url))
    report.goto(file.as_uri())
    expect(report).to_have_title("skyline in the manner of swirling-night")
    pictures = report.locator("img[data-name]")
    assert pictures.evaluate_all("pictures => pictures.map(picture => picture.dataset.name)") == NAMES
    assert are_whole(pictures)
    assert [url for url in asked if not url.startswith(("data:", file.as_uri()))] == []
    report.close()


def test_the_contact_sheet_is_a_picture(compared: Page, tmp_path: Path) -> None:
    with Image.open(download(compared, "Contact sheet (PNG)", tmp_path)) as sheet:
        assert sheet.format == "PNG"
        sheet.load()
        assert min(sheet.size) > 640  # more than one of its cells


def test_a_phone_shows_everything_without_scrolling_sideways(compared: Page) -> None:
    compared.set_viewport_size({"width": 390, "height": 844})
    expect(compared.get_by_role("button", name="Run all 3")).to_be_visible()
    assert compared.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= main.clientWidth")
