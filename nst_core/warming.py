"""Getting ready while the visitor chooses: TensorFlow, the usual network and its compiled step."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nst_core.backbones import find_backbone
from nst_core.choices import SMALLEST_SIZE
from nst_core.config import TransferConfig
from nst_core.errors import NSTError
from nst_core.images import Picture
from nst_core.records import RunRecord
from nst_core.system import available_memory, give_back_freed

if TYPE_CHECKING:
    from nst_core.models import Models

LOG = logging.getLogger(__name__)

# Bytes that must be free. TensorFlow, a sketch and a draft take about 650 MB; where that is nearly all there
# is they are loaded for whoever presses Run, and for nobody else.
ENOUGH = 1_000_000_000
STEPS = 8  # a few hundredths of a second tell how long one takes
QUIET = 2.0  # seconds after a page has run, in which the browser fetches what it draws the page with


def warm(models: Models, config: TransferConfig) -> RunRecord:
    """Do once what the first run of these settings would wait for, by a few steps on a tiny picture.

    Imports TensorFlow and what measures pictures, loads the network and traces the compiled step. All of it
    stays in `models`: a run that starts meanwhile waits for the same network and the same step. The run's
    record tells how long it took.
    """
    from nst_core.transfer import run

    side = max(SMALLEST_SIZE, find_backbone(config.backbone).smallest_side)
    ramp = np.linspace(0, 1, side * side * 3, dtype=np.float32).reshape(side, side, 3)
    picture = Picture(pixels=ramp, name="a ramp", sha256="", original_size=(side, side))
    return run(
        models.material(replace(config, size=side, steps=STEPS, ladder=False), picture, picture)
    ).record


class Warming:
    """The one warming of a process: begun by the first page that was drawn, done in a thread of its own.

    learn: told the record of what was run. free: asked once for the bytes that are free (None: not known);
    below ENOUGH nothing is done.
    """

    def __init__(
        self,
        models: Models,
        config: TransferConfig,
        *,
        learn: Callable[[RunRecord], None] = lambda record: None,
        free: Callable[[], int | None] = available_memory,
        quiet: float = QUIET,
    ) -> None:
        self.ended = threading.Event()
        self._models = models
        self._config = config
        self._learn = learn
        self._free = free
        self._quiet = quiet
        self._begun = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Start it, unless that was done before; returns at once."""
        with self._lock:
            if self._begun:
                return
            self._begun = True
        # A daemon: whoever ends the server does not wait for it.
        threading.Thread(target=self._work, name="nst-warming", daemon=True).start()

    def _work(self) -> None:
        try:
            time.sleep(self._quiet)
            free = self._free()
            if free is not None and free < ENOUGH:
                LOG.info("Nothing is loaded ahead: %.0f MB are free.", free / 1e6)
                return
            self._learn(warm(self._models, self._config))
            give_back_freed()
        except (NSTError, MemoryError) as error:
            # Nobody asked for it. A run that meets the same says so to whom it concerns.
            LOG.info("Nothing was loaded ahead: %s", error)
        finally:
            self.ended.set()
