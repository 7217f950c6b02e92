"""The picture picker, the before/after slider and the synchronised viewer, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.harness import Incidents, StartApp
from tests.browser.steps import views

pytestmark = pytest.mark.browser

DEMO = "tests/browser/apps/components_demo.py"


@pytest.fixture
def url(app_server: StartApp) -> str:
    """Address of the demo with all three components."""
    return app_server(DEMO).url


@pytest.fixture
def demo(page: Page, incidents: Incidents, url: str) -> Iterator[Page]:
    """The demo, loaded; whatever a test does, it writes no error and asks no other host for anything."""
    page.goto(url)
    expect(page.get_by_role("radiogroup", name="Content picture")).to_be_visible()
    expect(page.get_by_role("button", name="Side by side")).to_be_visible()
    yield page
    assert incidents.errors == []
    assert incidents.elsewhere(url) == []
    assert any("/_stcore/" in request for request in incidents.requests)  # the watch is on


def option(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name)


def expect_picked(page: Page, value: str) -> None:
    """Both sides agree: Python has the value, and exactly one picture is marked."""
    expect(page.get_by_text(f"picked={value}", exact=True)).to_be_visible()
    expect(page.get_by_role("radio", checked=True)).to_have_count(1)


def run_again(page: Page) -> None:
    """Rerun the page and wait until the run is over."""
    runs = page.get_by_text(re.compile(r"^runs=\d+$"))
    before = int(runs.inner_text().removeprefix("runs="))
    page.get_by_role("button", name="Rerun", exact=True).click()
    expect(runs).to_have_text(f"runs={before + 1}")


def expect_views(pictures: Locator, scale: float, x: float, y: float) -> None:
    """Every picture is enlarged by `scale` and shifted by `x`, `y` frames."""
    for view in views(pictures):
        assert view == pytest.approx((scale, x, y), abs=1e-4)


def mode(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


# Picker


def test_default_is_marked_and_a_click_picks(demo: Page) -> None:
    expect_picked(demo, "picture-2")
    option(demo, "Picture 4").click()
    expect_picked(demo, "picture-4")
    expect(option(demo, "Picture 4")).to_be_checked()


def test_arrow_keys_pick_and_keep_the_focus(demo: Page) -> None:
    option(demo, "Picture 2").focus()
    demo.keyboard.press("ArrowRight")
    expect_picked(demo, "picture-3")
    expect(option(demo, "Picture 3")).to_be_focused()
    demo.keyboard.press("End")
    expect_picked(demo, "long")
    demo.keyboard.press("ArrowRight")
    expect_picked(demo, "picture-1")


def test_choice_survives_a_rerun_and_another_page(demo: Page) -> None:
    option(demo, "Picture 6").click()
    expect_picked(demo, "picture-6")
    run_again(demo)
    expect_picked(demo, "picture-6")
    demo.get_by_role("link", name="Second").click()
    expect(demo.get_by_text("elsewhere")).to_be_visible()
    demo.get_by_role("link", name="First").click()
    expect_picked(demo, "picture-6")
    expect(option(demo, "Picture 6")).to_be_checked()


def test_code_can_choose_and_the_reader_can_choose_the_same_again(demo: Page) -> None:
    option(demo, "Picture 6").click()
    expect_picked(demo, "picture-6")
    demo.get_by_role("button", name="Choose picture 5").click()
    expect_picked(demo, "picture-5")
    expect(option(demo, "Picture 5")).to_be_checked()
    option(demo, "Picture 6").click()
    expect_picked(demo, "picture-6")


def test_thumbnails_travel_once(page: Page, url: str) -> None:
    pickers: list[bytes] = []

    def keep(frame: bytes | str) -> None:
        if isinstance(frame, bytes) and b"Content picture" in frame:
            pickers.append(frame)

    page.on("websocket", lambda socket: socket.on("framereceived", keep))
    page.goto(url)
    option(page, "Picture 4").click()
    expect_picked(page, "picture-4")
    run_again(page)
    assert len(pickers) == 1
    assert pickers[0].count(b"data:image/png") == 8


def test_long_names_keep_to_their_tile(demo: Page) -> None:
    title = option(demo, "A file name").locator(".title")
    assert title.evaluate("title => title.scrollWidth > title.clientWidth")
    short, long = option(demo, "Picture 1").bounding_box(), option(demo, "A file name").bounding_box()
    assert short is not None
    assert long is not None
    assert long["width"] == pytest.approx(short["width"], abs=1)


# Slider


def divider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Content to the left, Result to the right")


def test_slider_moves_by_keyboard(demo: Page) -> None:
    divider(demo).focus()
    demo.keyboard.press("ArrowRight")
    expect(divider(demo)).to_have_value("51")
    demo.keyboard.press("Home")
    expect(divider(demo)).to_have_value("0")
    expect(divider(demo)).to_have_attribute("aria-valuetext", "0 % Content")


def test_slider_follows_a_drag(demo: Page) -> None:
    frame = demo.locator(".slider .frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    demo.mouse.move(box["x"] + box["width"] / 2, middle)
    demo.mouse.down()
    demo.mouse.move(box["x"] + box["width"] / 4, middle, steps=4)
    demo.mouse.up()
    expect(divider(demo)).to_have_value("25")
    demo.mouse.move(box["x"] + box["width"] * 0.9, middle)  # let go of: no longer followed
    expect(divider(demo)).to_have_value("25")
    clip = frame.locator(".after").evaluate("picture => getComputedStyle(picture).clipPath")
    assert clip == "inset(0px 0px 0px 25%)"


# Viewer


def test_zoom_and_drag_move_all_pictures_alike(demo: Page) -> None:
    pictures = demo.locator(".panel .layer")
    expect(pictures).to_have_count(3)
    expect_views(pictures, 1, 0, 0)
    for _ in range(2):
        demo.get_by_role("button", name="Zoom in").click()
    expect_views(pictures, 2, 0, 0)
    frame = demo.locator(".panel .frame").first
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box is not None
    demo.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    demo.mouse.down()
    demo.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2, steps=3)
    demo.mouse.up()
    expect_views(pictures, 2, 0.25, 0)
    demo.get_by_role("button", name="Fit").click()
    expect_views(pictures, 1, 0, 0)


def test_one_hundred_percent_is_a_pixel_to_a_pixel(demo: Page) -> None:
    demo.get_by_role("button", name="100 %").click()
    picture = demo.locator(".panel .layer").first
    assert picture.evaluate("picture => picture.getBoundingClientRect().width") == pytest.approx(160, abs=0.5)
    expect(demo.locator(".percent")).to_have_text("100 %")


def test_keys_zoom_move_and_return(demo: Page) -> None:
    pictures = demo.locator(".panel .layer")
    demo.locator(".stage").focus()
    for key in ("+", "+", "ArrowRight"):
        demo.keyboard.press(key)
    expect_views(pictures, 2, -0.1, 0)
    demo.keyboard.press("0")
    expect_views(pictures, 1, 0, 0)


def test_wheel_zooms_about_the_pointer_but_only_after_a_click(demo: Page) -> None:
    pictures = demo.locator(".panel .layer")
    frame = demo.locator(".panel .frame").first
    frame.scroll_into_view_if_needed()
    frame.hover(position={"x": 8, "y": 8})
    demo.mouse.wheel(0, -10)
    expect_views(pictures, 1, 0, 0)
    frame.click(position={"x": 8, "y": 8})
    demo.mouse.wheel(0, -200)
    expect(demo.locator(".viewer")).to_have_attribute("data-zoomed", "")
    box = frame.bounding_box()
    assert box is not None
    scale = views(pictures)[0][0]
    # What was under the pointer still is: a shift of its distance from the centre, once for each enlargement.
    x, y = 0.5 - 8 / box["width"], 0.5 - 8 / box["height"]
    for view in views(pictures):
        assert view == pytest.approx((scale, x * (scale - 1), y * (scale - 1)), abs=2e-3)


def test_rerun_keeps_zoom_and_mode(demo: Page) -> None:
    mode(demo, "Wipe")
    demo.get_by_role("button", name="Zoom in").click()
    run_again(demo)
    expect_views(demo.locator(".duo img"), 2**0.5, 0, 0)
    expect(demo.get_by_role("button", name="Wipe", exact=True)).to_have_attribute("aria-pressed", "true")


def test_wipe_compares_any_two(demo: Page) -> None:
    mode(demo, "Wipe")
    demo.get_by_label("First picture").select_option("VGG16")
    handle = demo.get_by_role("slider", name="Divider: VGG16 to the left, VGG19 to the right")
    handle.focus()
    demo.keyboard.press("PageDown")
    value = handle.input_value()
    assert int(value) < 50
    clip = demo.locator(".over").evaluate("window => getComputedStyle(window).clipPath")
    assert clip == f"inset(0px 0px 0px {value}%)"


def test_difference_is_the_mean_over_the_channels(demo: Page) -> None:
    mode(demo, "Difference")
    demo.get_by_label("Second picture").select_option("VGG16")
    # |100 - 40|, |110 - 40|, |120 - 40| are 60, 70, 80.
    expect(demo.get_by_text("Mean difference 70.0 of 255")).to_be_visible()
    demo.get_by_label("Amplified").select_option("1")
    expect(demo.locator(".most")).to_have_text("255")
    demo.get_by_label("Second picture").select_option("Content")
    expect(demo.get_by_text("Mean difference 0.00 of 255")).to_be_visible()
    pixel = demo.locator("canvas").evaluate("map => [...map.getContext('2d').getImageData(9, 9, 1, 1).data]")
    assert pixel == [0, 0, 4, 255]


def shown(page: Page) -> str:
    result: str = page.locator(".duo").evaluate("duo => duo.dataset.shows")
    return result


def test_blink_alternates_by_itself_and_by_hand(demo: Page) -> None:
    demo.locator(".stage").focus()
    demo.keyboard.press("b")
    first = shown(demo)
    expect(demo.locator(".duo")).not_to_have_attribute("data-shows", first)
    demo.get_by_role("button", name="Pause").click()
    paused = shown(demo)
    demo.get_by_role("button", name="Show the other").click()
    assert shown(demo) != paused


def test_blink_waits_for_those_who_asked_for_less_motion(demo: Page) -> None:
    demo.emulate_media(reduced_motion="reduce")
    mode(demo, "Blink")
    expect(demo.get_by_role("button", name="Play")).to_be_visible()
    assert shown(demo) == "one"
    demo.locator(".stage").focus()
    demo.keyboard.press(" ")
    assert shown(demo) == "two"


def test_nothing_is_wider_than_a_phone(demo: Page) -> None:
    demo.set_viewport_size({"width": 390, "height": 844})
    for name in ("Side by side", "Wipe", "Blink", "Difference"):
        mode(demo, name)
        for part in (".picker", ".slider .frame", ".viewer .bar:visible", ".viewer .stage"):
            for box in filter(None, (element.bounding_box() for element in demo.locator(part).all())):
                assert 0 <= box["x"] < box["x"] + box["width"] <= 390
        assert demo.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= main.clientWidth")
