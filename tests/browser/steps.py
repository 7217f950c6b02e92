"""What a visitor does on several pages: arrive, choose settings, press Run, go to another page."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.harness import AppServer

PAGES = ("Transfer", "Compare", "Curves", "Method")
AFTER_A_LOAD = 120_000  # milliseconds: TensorFlow is imported first, on a machine that is busy


def open_page(page: Page, server: AppServer, address: str) -> None:
    """Arrive at a page by its own address."""
    page.set_default_timeout(30_000)
    page.goto(f"{server.url}/{address}")
    expect(page.get_by_role("link", name="Transfer", exact=True)).to_be_visible(timeout=AFTER_A_LOAD)
    settle(page)


def go_to(page: Page, title: str) -> None:
    """Go to a page by the menu."""
    page.get_by_role("link", name=title, exact=True).click()
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page's run is over."""
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=AFTER_A_LOAD
    )


def choose(page: Page, *, size: int, steps: int) -> None:
    """Set a run's size and steps under More settings, which stays open meanwhile."""
    more = page.get_by_text("More settings", exact=True)
    more.click()
    for label, value in (("Longest side, pixels", size), ("Steps", steps)):
        field = page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(str(value))
        field.press("Enter")
        settle(page)
    expect(page.get_by_text(f"{size} pixels, {steps} steps")).to_be_visible()
    more.click()


def stop(page: Page) -> None:
    """Press the page's own Stop; Streamlit's, in the header while a script runs, has the same name."""
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()


def run(page: Page, name: str = "Run") -> None:
    """Press Run, and see that it was heard."""
    button = page.get_by_role("button", name=name, exact=True)
    button.click()
    expect(button.last).to_be_disabled()  # while the page is drawn anew the old button may stand before it


def views(pictures: Locator) -> list[tuple[float, float, float]]:
    """Scale and shift of each picture, the shift in widths and heights of its frame."""
    script = """pictures => pictures.map(picture => {
        const style = getComputedStyle(picture);
        const matrix = new DOMMatrix(style.transform);
        return [matrix.a, matrix.e / parseFloat(style.width), matrix.f / parseFloat(style.height)];
    })"""
    rows: list[list[float]] = pictures.evaluate_all(script)
    return [(scale, x, y) for scale, x, y in rows]
