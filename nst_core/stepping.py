"""Timed steps, this program's beside the tutorial's: what `nst bench` runs in a fresh interpreter a row."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.images import Picture, resize
from nst_core.plan import fit
from nst_core.samples import load_sample
from nst_core.system import peak_memory_mb
from nst_core.weights import load_network
from nst_core.work import step_gigaflops

if TYPE_CHECKING:
    from nst_core.material import Material
    from nst_core.tutorial import Tutorial

CONTENT, STYLE = "skyline", "swirling-night"


@dataclass(frozen=True, slots=True)
class Case:
    """What one row is about; weights is sketch, random or imagenet, the sides are the picture's, pixels."""

    backbone: str
    weights: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure a row.

    Some steps of each kind to warm up; then at most so many pairs, at least two, none begun after `seconds`.
    """

    warming: int
    rounds: int
    seconds: float


class Stepper:
    """A run's last size, one timed step at a time."""

    def __init__(self, material: Material) -> None:
        from nst_core.rung import Rung

        self._material = material
        self._rung = Rung(material, len(material.sizes) - 1, material.content.pixels)
        self._steps = 0

    @property
    def precision(self) -> str:
        """What the network is computed in, float32 or bf16."""
        return "float32" if self._material.engine.precision == "float32" else "bf16"

    def seconds(self) -> float:
        """How long one more step takes, its losses read."""
        self._steps += 1
        began = time.perf_counter()
        self._rung.advance(self._steps)
        return time.perf_counter() - began

    def close(self) -> None:
        """End the optimiser."""
        self._rung.close()


def pictures(width: int, height: int) -> tuple[Picture, Picture]:
    """A content picture of exactly this size, and a style picture with as long a side."""
    style = load_sample(STYLE)
    return (
        _resized(load_sample(CONTENT), (width, height)),
        _resized(style, fit(style, max(width, height))),
    )


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    pixels = resize(picture.pixels, size)
    return Picture(pixels=pixels, name=picture.name, sha256=picture.sha256, original_size=size)


def measurements(case: Case, effort: Effort) -> Iterator[dict[str, Any]]:
    """Nothing, as soon as the first step is done; then what was measured in this process."""
    from nst_core.material import prepare

    backbone = find_backbone(case.backbone)
    content, style = pictures(case.width, case.height)
    size = (case.width, case.height)
    config = TransferConfig(backbone=case.backbone, weights=case.weights, size=max(size), ladder=False)
    loaded = {case.backbone: load_network(backbone, case.weights)}
    material = prepare(config, content, style, loaded=loaded)
    with closing(Stepper(material)) as stepper:
        stepper.seconds()
        yield {}
        for _ in range(effort.warming):
            stepper.seconds()
        peak = peak_memory_mb()  # before the tutorial takes memory of its own

        from nst_core.tutorial import Tutorial

        network = loaded[case.backbone][0]
        tutorial = Tutorial(network, backbone, content=content.pixels, style=style.pixels)
        for _ in range(effort.warming):
            tutorial.advance()
        ours, theirs = _in_turns(stepper, tutorial, effort)
        work = step_gigaflops(material.config, size, width=material.source.width)
        yield {
            "precision": stepper.precision,
            "seconds_per_step": ours,
            "tutorial_seconds_per_step": theirs,
            "gflops": work / ours,
            "peak_rss_mb": peak,
        }


def _in_turns(stepper: Stepper, tutorial: Tutorial, effort: Effort) -> tuple[float, float]:
    """Median seconds of our step and of the tutorial's."""
    ours: list[float] = []
    theirs: list[float] = []
    end = time.perf_counter() + effort.seconds
    while len(ours) < 2 or (len(ours) < effort.rounds and time.perf_counter() < end):
        ours.append(stepper.seconds())
        began = time.perf_counter()
        tutorial.advance()
        theirs.append(time.perf_counter() - began)
    return statistics.median(ours), statistics.median(theirs)
