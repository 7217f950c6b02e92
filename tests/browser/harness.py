"""What the browser tests hand around: a running app, and the record of what a page did wrong."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


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
