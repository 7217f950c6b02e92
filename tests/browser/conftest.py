"""A running app, a real Chromium, and a page that remembers what went wrong on it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.harness import AppServer, Incidents, StartApp

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 60  # seconds, on a machine that is busy with other tests
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


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
            port = _free_port()
            processes.append(_launch(path, port, log_file))
            servers[path] = AppServer(url=f"http://127.0.0.1:{port}", log_file=log_file)
            _wait_until_healthy(servers[path], processes[-1])
        return servers[path]

    yield start
    for process in processes:
        _end(process)


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


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _launch(path: Path, port: int, log_file: Path) -> subprocess.Popen[bytes]:
    options = {
        "server.headless": "true",
        "server.port": str(port),
        "server.address": "127.0.0.1",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(path)]
    command += [f"--{name}={value}" for name, value in options.items()]
    with log_file.open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,  # where .streamlit/config.toml is
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, so that all of it can be ended
        )


def _wait_until_healthy(server: AppServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"The app did not start within {STARTS_WITHIN} s. Its log:\n{server.log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
