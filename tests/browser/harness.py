"""What the browser tests hand around: a running app, and the record of what a page did wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServer:
    """A Streamlit app that answers at `url`."""

    url: str
    log_file: Path

    @property
    def log(self) -> str:
        """Everything the app has written so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidents:
    """What a page must not do: errors it wrote or threw, and the addresses it asked for."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def elsewhere(self, url: str) -> list[str]:
        """Requests that went neither to the app at `url` nor to data the page holds itself."""
        own = (url, url.replace("http", "ws", 1), "data:", f"blob:{url}")
        return [request for request in self.requests if not request.startswith(own)]


StartApp = Callable[[str | Path], AppServer]
