"""A running app, a real Chromium, and a page that remembers what went wrong on it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.harness import (
    CHROMIUM_NAMES,
    ROOT,
    AppServer,
    Incidents,
    StartApp,
    end,
    free_port,
    launch,
    wait_until_healthy,
)


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApp]:
    """Start an app by its file, relative to the repository; one process a file, ended with the session.

    With `fresh=True` it is a new process, which nobody has visited yet.
    """
    servers: dict[Path, AppServer] = {}
    processes: list[subprocess.Popen[bytes]] = []

    def start(file: str | Path, *, fresh: bool = False) -> AppServer:
        path = ROOT / file
        if fresh or path not in servers:
            log_file = tmp_path_factory.mktemp("app") / "log.txt"
            port = free_port()
            # Several apps at once would otherwise each load TensorFlow ahead. Without oneDNN there is no
            # bfloat16, in which L-BFGS may end by itself before a test stops it.
            settings = {"NST_WARM_UP": "0", "TF_ENABLE_ONEDNN_OPTS": "0"}
            processes.append(launch(path, port, log_file, settings))
            servers[path] = AppServer(url=f"http://127.0.0.1:{port}", log_file=log_file)
            wait_until_healthy(servers[path], processes[-1])
        return servers[path]

    yield start
    for process in processes:
        end(process)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine; skips where there is none, fails there if NST_REQUIRE_BROWSER is 1."""
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        reason = f"no browser: none of {', '.join(CHROMIUM_NAMES)} is on the PATH"
        if os.environ.get("NST_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=30_000)  # milliseconds
    with sync_playwright() as playwright:
        # A container's root user has no sandbox, and a test machine no graphics card.
        chromium = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own, 1440 by 900 CSS pixels."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def incidents(page: Page) -> Incidents:
    """Fills while `page` is used; ask for it before the page goes anywhere."""
    seen = Incidents()

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            seen.note_error(message.text, message.location["url"])

    page.on("console", listen)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("websocket", lambda websocket: seen.requests.append(websocket.url))
    return seen
