"""Measuring in the background: asked for by a page, done by one thread, found again by its key."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import streamlit as st

from nst_core.activations import LayerStatistics, layer_statistics
from nst_core.anatomy import layer_facts, relative_depth, stations
from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.errors import RunError
from nst_core.images import Picture, resize
from nst_core.models import Models
from nst_core.plan import fit, usable_sizes
from nst_core.records import WeightsSource

MOST_KEPT = 60  # measurements, some kilobytes each
MOST_WAITING = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Activation statistics of one network for one picture; `depths` are relative, 0 to 1."""

    backbone: str
    source: WeightsSource
    size: tuple[int, int]
    depths: tuple[float, ...]
    statistics: tuple[LayerStatistics, ...]


def measure(models: Models, config: TransferConfig, picture: Picture) -> Measurement:
    """Send the picture, at the settings' size, once through the settings' network.

    Raises ImageError when it is too narrow at that size and WeightsError when the weights cannot be had.
    """
    usable_sizes(config, picture, picture)
    network, source = models.network(config)
    size = fit(picture, config.size)
    names = stations(network.architecture)
    depths = relative_depth(layer_facts(network.architecture, size))
    return Measurement(
        backbone=find_backbone(config.backbone).name,
        source=source,
        size=size,
        depths=tuple(depths[name] for name in names),
        statistics=layer_statistics(network, names, resize(picture.pixels, size)),
    )


class Bench:
    """The process' measurements, waiting, under way and done, by key; safe to use from several threads."""

    def __init__(self) -> None:
        # One at a time: a pass through a network uses every core.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nst-measure")
        self._futures: dict[str, Future[Measurement]] = {}
        self._lock = threading.Lock()

    def find(self, key: str) -> Future[Measurement] | None:
        """The measurement of this key, if it was asked for."""
        return self._futures.get(key)

    def ask(self, key: str, work: Callable[[], Measurement]) -> None:
        """Have it measured, unless it is already or is about to be; RunError when too many wait."""
        with self._lock:
            known = self._futures.get(key)
            if known is not None and not (known.done() and known.exception() is not None):
                return
            if sum(not future.done() for future in self._futures.values()) >= MOST_WAITING:
                raise RunError(f"{MOST_WAITING} measurements are waiting already; try again in a minute.")
            self._futures[key] = self._worker.submit(work)
            done = [name for name, future in self._futures.items() if future.done()]
            for name in done[: max(0, len(self._futures) - MOST_KEPT)]:
                del self._futures[name]


@st.cache_resource(show_spinner=False)
def bench() -> Bench:
    """The process' one bench."""
    return Bench()
