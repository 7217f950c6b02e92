"""Settings in a real browser, on the way from page to page: what nobody touched, and what somebody did."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from nst_core.presets import PRESETS
from tests.browser.harness import AppServer, Incidents, StartApp
from tests.browser.steps import go_to, open_page, settle

pytestmark = pytest.mark.browser

DRAFT = PRESETS["draft"]
# What only this page says while nothing was run.
MARKS = {
    "Transfer": "Two pictures in, one out",
    "Compare": "One pair, three networks",
    "Curves": "No finished runs yet",
    "Method": "Algorithm",
}


@pytest.fixture(scope="module")
def server(app_server: StartApp) -> AppServer:
    """The app."""
    return app_server("app.py")


@pytest.fixture
def visitor(page: Page, incidents: Incidents) -> Iterator[Page]:
    """Somebody new; whatever a test does, no error is written."""
    yield page
    assert incidents.errors == []


def arrive_at(page: Page, title: str) -> None:
    """Go to a page by the menu, and wait until it has taken the place of the one before."""
    go_to(page, title)
    expect(page.get_by_text(MARKS[title], exact=True).first).to_be_visible()
    for other in MARKS.keys() - {title}:
        expect(page.get_by_text(MARKS[other], exact=True)).to_have_count(0)
    settle(page)


def open_fold(page: Page) -> None:
    """Show what More settings holds."""
    page.get_by_text("More settings", exact=True).click()
    expect(page.get_by_role("spinbutton", name="Steps", exact=True)).to_be_visible()


def expect_settings(page: Page, *, strength: str, steps: int, network: str = "") -> None:
    """What the widgets show, and what the sentence below them says."""
    for chosen in filter(None, (network, "Draft")):
        expect(page.get_by_role("radio", name=chosen).first).to_be_checked()
    expect(page.get_by_text(f"{DRAFT.size} pixels, {steps} steps")).to_be_visible()
    expect(page.get_by_role("slider", name="Style strength, faithful to wild")).to_have_attribute(
        "value", strength
    )
    size = page.get_by_role("spinbutton", name="Longest side, pixels", exact=True)
    expect(size).to_have_value(str(DRAFT.size))
    expect(page.get_by_role("spinbutton", name="Steps", exact=True)).to_have_value(str(steps))


@pytest.mark.parametrize(("first", "second"), [("compare", "Transfer"), ("transfer", "Compare")])
def test_what_nobody_touched_is_the_usual_on_every_page(
    visitor: Page, server: AppServer, first: str, second: str
) -> None:
    open_page(visitor, server, first)
    for title in (second, "Method", first.capitalize(), "Curves", second):
        arrive_at(visitor, title)
        if title in ("Transfer", "Compare"):
            open_fold(visitor)
            network = "VGG19" if title == "Transfer" else ""
            expect_settings(visitor, strength="75", steps=DRAFT.steps, network=network)


def test_what_was_chosen_on_one_page_holds_on_the_others(visitor: Page, server: AppServer) -> None:
    open_page(visitor, server, "transfer")
    open_fold(visitor)
    visitor.get_by_role("radio", name="ResNet50").click()
    settle(visitor)
    visitor.get_by_role("slider", name="Style strength, faithful to wild").press("ArrowRight")
    settle(visitor)
    steps = visitor.get_by_role("spinbutton", name="Steps", exact=True)
    steps.fill("45")
    steps.press("Enter")
    # Heard before the page is left: a slow machine's page may not have begun its run when `settle` looks.
    expect(visitor.get_by_text(f"{DRAFT.size} pixels, 45 steps")).to_be_visible()
    settle(visitor)
    for title in ("Compare", "Method", "Transfer"):
        arrive_at(visitor, title)
        if title != "Method":
            open_fold(visitor)
            network = "ResNet50" if title == "Transfer" else ""
            expect_settings(visitor, strength="76", steps=45, network=network)


def test_the_layers_part_leads_to_its_network(visitor: Page, server: AppServer) -> None:
    open_page(visitor, server, "method")
    visitor.get_by_role("tab", name="Layers").click()
    visitor.get_by_text("Run with these layers").click()
    expect(visitor.get_by_text(MARKS["Transfer"])).to_be_visible()
    settle(visitor)
    open_fold(visitor)
    expect_settings(visitor, strength="75", steps=DRAFT.steps, network="VGG19")
