"""How long a run will take, before it starts and while it goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np

from nst_core.architectures import INPUT, Architecture, output_side
from nst_core.backbones import COLOURS
from nst_core.plan import Plan
from nst_core.records import RunRecord, Step

# What a step costs beside its pixels (launching some hundred small operations), as pixels.
OVERHEAD_PIXELS = 10_000


def step_cost(size: tuple[int, int]) -> float:
    """The cost of a step at (width, height), in pixels' worth of work; of use only in ratios."""
    return size[0] * size[1] + OVERHEAD_PIXELS


def plan_cost(plan: Plan) -> float:
    """The cost of a whole plan, in the same unit."""
    return sum(step_cost(size) * steps for size, steps in plan)


def seconds_left(steps: Sequence[Step], plan: Plan) -> float | None:
    """Seconds until the plan is done, from the steps so far; None before the third step.

    The first step is left out of the rate: it holds the compiling.
    """
    if len(steps) < 3:
        return None
    done = sum(step_cost(step.size) for step in steps)
    rate = (steps[-1].seconds - steps[0].seconds) / (done - step_cost(steps[0].size))
    return max(0.0, (plan_cost(plan) - done) * rate)


def gigaflops(architecture: Architecture, layers: tuple[str, ...], size: tuple[int, int]) -> float:
    """Floating-point work of one step, 10^9 operations: forward through the layers and back to the picture.

    Convolutions only, two operations a multiply-add; the way back costs as much as the way forward, because
    no gradient of the weights is taken.
    """
    sides = {INPUT: (size[1], size[0], 3)}
    total = 0.0
    for layer in architecture.up_to(tuple(name for name in layers if name != COLOURS)):
        height, width, channels = sides[layer.inputs[0]]
        height, width = (output_side(layer, side) for side in (height, width))
        sides[layer.name] = (height, width, layer.channels)
        if layer.kind == "convolution":
            total += 2.0 * layer.kernel**2 * channels * layer.channels * height * width
    return 2 * total / 1e9


def matrix_rate(side: int = 768, repeats: int = 3) -> float:
    """This machine's float32 matrix product, GFLOP/s, best of a few short ones (some ten milliseconds)."""
    left = np.ones((side, side), np.float32)
    best = 0.0
    for _ in range(repeats + 1):
        began = time.perf_counter()
        left @ left
        best = max(best, 2 * side**3 / (time.perf_counter() - began) / 1e9)
    return best


# Share of the matrix rate that a step reaches: full-width networks, and sketches with their thin layers.
FULL_EFFICIENCY, THIN_EFFICIENCY = 0.6, 0.15
START_SECONDS = 4.0  # importing TensorFlow, reading weights and compiling, the first time


class Speeds:
    """What a run takes here, learnt from the runs of this process; safe to use from several threads.

    Before the first run of a kind the guess comes from counted work and this machine's matrix rate.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], float] = {}
        self._rate = 0.0
        self._lock = threading.Lock()

    def learn(self, record: RunRecord) -> None:
        """Take a finished run's seconds a unit of cost into account."""
        steps = record.steps
        if len(steps) < 3:
            return
        seconds = steps[-1].seconds - steps[0].seconds
        cost = sum(step_cost(step.size) for step in steps[1:])
        with self._lock:
            self._known[record.config.backbone, record.weights.width < 1] = seconds / cost

    def seconds(self, architecture: Architecture, layers: tuple[str, ...], plan: Plan) -> float:
        """Seconds of a run over `plan`: a rough guess before the first run of its kind, learnt after it."""
        thin = architecture.width < 1
        with self._lock:
            known = self._known.get((architecture.name, thin))
            self._rate = self._rate or matrix_rate()
        if known is not None:
            return known * plan_cost(plan)
        work = sum(gigaflops(architecture, layers, size) * steps for size, steps in plan)
        return START_SECONDS + work / (self._rate * (THIN_EFFICIENCY if thin else FULL_EFFICIENCY))
