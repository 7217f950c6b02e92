"""Our L-BFGS beside SciPy's L-BFGS-B: python -m tests.bench.searches --backbones vgg19,resnet50.

The same sample pairs, networks and steps, once by each, in turns. Loss is the least total loss at the last
size, ours over SciPy's. SciPy calls the function that it minimises, so it works in a thread that waits for
each answer; it gets as many corrections as asked.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import statistics
import threading
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from nst_core import rung
from nst_core.backbones import find_backbone
from nst_core.canvas import Canvas
from nst_core.config import TransferConfig
from nst_core.models import Models
from nst_core.optimisers import ONE_THREAD, Descent
from nst_core.records import RunRecord
from nst_core.samples import load_sample
from nst_core.transfer import run
from tests.bench.techniques import FEW

Doubles = npt.NDArray[np.float64]


class ScipySearch:
    """scipy.optimize.minimize as a Descent."""

    def __init__(self, canvas: Canvas, parameters: Any, corrections: int) -> None:
        self.ended = ""
        self._shape, self._bounds, self._corrections = parameters.shape, canvas.bounds, corrections
        self._asked: SimpleQueue[Doubles | None] = SimpleQueue()
        self._told: SimpleQueue[tuple[float, Doubles] | None] = SimpleQueue()
        start = np.asarray(parameters, np.float64).ravel()
        ONE_THREAD.__enter__()
        self._thread = threading.Thread(target=self._minimise, args=(start,), daemon=True)
        self._thread.start()
        self._wanted = self._next()

    def _minimise(self, start: Doubles) -> None:
        from scipy import optimize

        options = {"maxcor": self._corrections, "maxiter": 10**9, "maxfun": 10**9, "ftol": 0.0, "gtol": 0.0}
        bounds = optimize.Bounds(*self._bounds) if self._bounds else None
        try:
            found = optimize.minimize(
                self._evaluate, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
            )
            self.ended = str(found.message)
        except InterruptedError:
            self.ended = "closed"
        self._asked.put(None)

    def _evaluate(self, point: Doubles) -> tuple[float, Doubles]:
        self._asked.put(point)
        answer = self._told.get()
        if answer is None:
            raise InterruptedError
        return answer

    def _next(self) -> Any | None:
        wanted = self._asked.get()
        return None if wanted is None else wanted.astype(np.float32).reshape(self._shape)

    def position(self) -> Any | None:
        """The point that SciPy waits at."""
        return self._wanted

    def advance(self, total: float, gradient: Any) -> None:
        """Answer SciPy, and wait for its next question."""
        self._told.put((total, np.asarray(gradient, np.float64).ravel()))
        self._wanted = self._next()

    def close(self) -> None:
        """End the thread."""
        self._told.put(None)
        self._thread.join()
        ONE_THREAD.__exit__()


def paint(models: Models, config: TransferConfig, pair: str, corrections: int) -> RunRecord:
    """One run; corrections of SciPy's search, 0 for ours."""
    ours = rung.LBFGS

    def start(canvas: Canvas, parameters: Any) -> Descent:
        return ScipySearch(canvas, parameters, corrections)

    content, style = (load_sample(part) for part in pair.split("*"))
    try:
        if corrections:
            rung.LBFGS = start  # type: ignore[assignment, misc]
        return run(models.material(config, content, style)).record
    finally:
        rung.LBFGS = ours  # type: ignore[misc]


def compare(models: Models, config: TransferConfig, corrections: int) -> str:
    """The table's row of one network."""
    ratios, ours, theirs = [], [], []
    for pair in FEW:
        ours.append(paint(models, config, pair, 0))
        theirs.append(paint(models, config, pair, corrections))
        if (one := ours[-1].best) and (other := theirs[-1].best):
            ratios.append(one.total / other.total)
    numbers = [statistics.median(ratios), min(ratios), max(ratios)]
    for name in ("texture_error", "grain"):
        numbers += [statistics.fmean(each.metrics[name] for each in records) for records in (ours, theirs)]
    seconds = [statistics.median(each.seconds for each in records) for records in (ours, theirs)]
    cells = " | ".join(f"{number:.3f}" for number in numbers)
    label = f"{find_backbone(config.backbone).label} | {config.canvas} | {config.size}, {config.steps}"
    return f"| {label} | {cells} | {seconds[0]:.1f} | {seconds[1]:.1f} |"


def main() -> None:
    """A row for each network and canvas."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", default="vgg16,vgg19,resnet50")
    parser.add_argument("--canvases", default="fourier,pixel")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=90)
    parser.add_argument(
        "--corrections", type=int, default=5, help="of SciPy's; 5 take as much memory as our 10"
    )
    options = parser.parse_args()
    models = Models()
    print(
        "| network | canvas | size, steps | loss, ours / SciPy's | least | most | texture error: ours |"
        " SciPy's | grain: ours | SciPy's | seconds: ours | SciPy's |\n| --- | --- | --- |" + " ---: |" * 9
    )
    for backbone in options.backbones.split(","):
        for canvas in options.canvases.split(","):
            config = TransferConfig(
                backbone=backbone,
                canvas=canvas,
                optimiser="lbfgs",
                size=options.size,
                steps=options.steps,
                weights="sketch",
            )
            print(compare(models, config, options.corrections), flush=True)


if __name__ == "__main__":
    main()
