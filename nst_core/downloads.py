"""Fetching the ImageNet weights in the background, watched from outside."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from nst_core.backbones import BACKBONES, Backbone
from nst_core.errors import WeightsError
from nst_core.imagenet import download_imagenet, imagenet_state

Fetch = Callable[..., Path]


class Download:
    """The files of some backbones that are not here yet, fetched one after another in a thread of their own.

    state: running, done, or failed with the reason in `message`. What arrived whole stays.
    """

    def __init__(self, backbones: Sequence[Backbone], *, fetch: Fetch = download_imagenet) -> None:
        self.backbones = tuple(backbones)
        self.state: Literal["running", "done", "failed"] = "running"
        self.message = ""
        self.label = ""
        self._whole = 0.0  # megabytes of the files that have arrived
        self._part = 0.0
        self._fetch = fetch
        self.thread = threading.Thread(target=self._work, name="nst-download", daemon=True)
        self.thread.start()

    @property
    def megabytes(self) -> float:
        """How much there is to fetch in all."""
        return sum(backbone.imagenet_megabytes for backbone in self.backbones)

    @property
    def share(self) -> float:
        """How much of it is here, 0 to 1."""
        return min(1.0, (self._whole + self._part) / self.megabytes) if self.backbones else 1.0

    def _work(self) -> None:
        try:
            for backbone in self.backbones:
                self.label = backbone.label
                self._fetch(backbone, progress=self._progress)
                self._whole, self._part = self._whole + backbone.imagenet_megabytes, 0.0
        except WeightsError as error:
            self.state, self.message = "failed", str(error)
        else:
            self.state = "done"
        finally:
            if self.state == "running":
                self.state, self.message = "failed", "The download broke off; its log says why."

    def _progress(self, done: int, size: int) -> None:
        self._part = done / 1e6


class Downloads:
    """At most one download at a time for a process: a second press gives back the running one."""

    def __init__(self) -> None:
        self.current: Download | None = None
        self._lock = threading.Lock()

    def start(self, backbones: Sequence[Backbone]) -> Download:
        """Begin to fetch, unless that is going on already."""
        with self._lock:
            if self.current is None or self.current.state != "running":
                self.current = Download(backbones)
            return self.current


def missing() -> tuple[Backbone, ...]:
    """The backbones whose ImageNet weights are not on this machine, or damaged."""
    return tuple(row for row in BACKBONES.values() if imagenet_state(row) != "present")
