"""From a cold server to the first page and the first preview, in Chromium: python -m tests.bench.cold_start.

Each round starts a server of its own. `--think` are the seconds between the page and the press of Run; while
they pass the visitor presses settings, and how long each press takes is told too. Beside the clock stand the
processor seconds of the server, which other work on the machine changes less. Prints Markdown.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import which

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.harness import CHROMIUM_NAMES, ROOT, AppServer, end, free_port, launch, wait_until_healthy

PATIENCE = 120_000  # milliseconds
# The folded settings' summary names the preset's size: it changes once the press has been answered.
PRESETS = {"Standard": "512 pixels", "Draft": "256 pixels"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Seconds from launch to healthy, healthy to page, press of Run to preview, and of each press between.

    answered: from healthy to the last message of the page that the server sent; Chromium draws it after that.
    processor: healthy, page and preview in the server's processor seconds.
    """

    healthy: float
    answered: float
    page: float
    preview: float
    processor: tuple[float, float, float]
    presses: list[float] = field(default_factory=list)


def measure(browser: Browser, think: float, folder: Path) -> Round:
    """One cold start."""
    port, log_file = free_port(), folder / "log.txt"
    began = time.perf_counter()
    process = launch(ROOT / "app.py", port, log_file)
    try:
        server = AppServer(url=f"http://127.0.0.1:{port}", log_file=log_file)
        wait_until_healthy(server, process)
        healthy, used = time.perf_counter(), [processor_seconds(process.pid)]
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        messages: list[float] = []
        page.on("websocket", lambda each: each.on("framereceived", partial(note, messages)))
        page.goto(server.url)
        expect(page.get_by_role("radio").first).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible(timeout=PATIENCE)
        shown = time.perf_counter()
        answered = max(messages)
        used.append(processor_seconds(process.pid))
        presses = press_settings(page, shown + think)
        used.append(processor_seconds(process.pid))
        preview = press_run(page)
        used.append(processor_seconds(process.pid))
        context.close()
    finally:
        end(process)
    return Round(
        healthy=healthy - began,
        answered=answered - healthy,
        page=shown - healthy,
        preview=preview,
        presses=presses,
        processor=(used[0], used[1] - used[0], used[3] - used[2]),
    )


def note(times: list[float], _: object) -> None:
    """Remember when a message came."""
    times.append(time.perf_counter())


def processor_seconds(pid: int) -> float:
    """What a process has computed so far, on all cores."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def press_settings(page: Page, until: float) -> list[float]:
    """Change the quality to and fro; how long each press takes until the page shows it."""
    presses = []
    while time.perf_counter() < until:
        for name, summary in PRESETS.items():
            began = time.perf_counter()
            page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name)).first.click()
            expect(page.get_by_text(summary)).to_be_visible(timeout=PATIENCE)
            presses.append(time.perf_counter() - began)
        time.sleep(0.05)
    return presses


def press_run(page: Page) -> float:
    """Seconds from the press of Run to the first preview shown."""
    began = time.perf_counter()
    page.get_by_role("button", name="Run", exact=True).click()
    forming = page.get_by_text("The picture as it forms").or_(page.get_by_text("Best step"))
    expect(forming.first).to_be_visible(timeout=PATIENCE)
    return time.perf_counter() - began


def row(name: str, seconds: Sequence[float], processor: Sequence[float] = ()) -> str:
    """A line of the table: median, least and most, and the median of the processor's."""
    if not seconds:
        return f"| {name} | – | – | – | – |"
    own = f"{statistics.median(processor):.2f}" if processor else "–"
    return f"| {name} | {statistics.median(seconds):.2f} | {min(seconds):.2f} | {max(seconds):.2f} | {own} |"


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--think", type=float, default=0.0)
    options = parser.parse_args()
    executable = next(filter(None, map(which, CHROMIUM_NAMES)))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        # The first round fills the disk's cache with what all others read too.
        rounds = [measure(browser, options.think, Path(folder)) for _ in range(options.rounds + 1)][1:]
        browser.close()
    print("| seconds | median | least | most | of the server's processor |")
    print("| --- | ---: | ---: | ---: | ---: |")
    own = list(zip(*(one.processor for one in rounds), strict=True))
    print(row("launch to server up", [one.healthy for one in rounds], own[0]))
    print(row("server up to all of the first page sent", [one.answered for one in rounds]))
    print(row("server up to first page drawn", [one.page for one in rounds], own[1]))
    name = f"Run, {options.think:g} s later, to first preview"
    print(row(name, [one.preview for one in rounds], own[2]))
    print(row("a setting pressed meanwhile", [press for one in rounds for press in one.presses]))


if __name__ == "__main__":
    main()
