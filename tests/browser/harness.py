"""What the browser tests hand around: a running app, and the record of what a page did wrong."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 60  # seconds, on a machine that is busy with other tests
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServer:
    """A Streamlit app that answers at `url`."""

    url: str
    log_file: Path

    @property
    def log(self) -> str:
        """Everything the app has written so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")


# To find out where the app begins, Streamlit looks for its own addresses below the page's first: a 404 each.
ASKED_IN_VAIN = re.compile(
    r"http://127\.0\.0\.1:\d+/(transfer|compare|curves|method)/_stcore/(health|host-config)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidents:
    """What a page must not do: errors it wrote or threw, and the addresses it asked for."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def note_error(self, text: str, url: str) -> None:
        """Keep an error that the console shows about the file at `url`."""
        if "404" not in text or not ASKED_IN_VAIN.fullmatch(url):
            self.errors.append(f"{text} {url}")

    def elsewhere(self, url: str) -> list[str]:
        """Requests that went neither to the app at `url` nor to data the page holds itself."""
        own = (url, url.replace("http", "ws", 1), "data:", f"blob:{url}")
        return [request for request in self.requests if not request.startswith(own)]


class StartApp(Protocol):
    """Start an app by its file; the same process for the same file, unless it is to be a fresh one."""

    def __call__(self, file: str | Path, *, fresh: bool = False) -> AppServer:
        """The app, answering."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def launch(
    path: Path, port: int, log_file: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start an app as a visitor's server would be, in a process group of its own."""
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
            env={**os.environ, **(environment or {}), "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, so that all of it can be ended
        )


def wait_until_healthy(server: AppServer, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as the app answers; fails with its log when it does not."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
    pytest.fail(f"The app did not start within {STARTS_WITHIN} s. Its log:\n{server.log}")


def end(process: subprocess.Popen[bytes]) -> None:
    """End an app and all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
