"""The report in a real browser, opened from disk: nothing is fetched, no name smuggles in a script."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from nst_core.report import html_report
from tests.test_report import hostile


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_from_disk(browser: Browser, width: int, scheme: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(html_report(hostile()), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(path.as_uri())
    assert page.locator("#wipe.ready").count() == 1
    page.locator("#wipe input").fill("25")
    assert (
        page.locator(".stack img").nth(1).evaluate("image => image.style.clipPath")
        == "inset(0px 0px 0px 25%)"
    )
    page.locator("#wipe select").first.select_option(index=0)
    same = "images => images[0].src === document.querySelector('img[data-name]').src"
    assert page.locator(".stack img").evaluate_all(same)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(27, 27, 27)"
    assert dark == (scheme == "dark")
    assert set(asked) <= {"file", "data"}
    assert complaints == []
    page.close()
