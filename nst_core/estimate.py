"""The work of a step, counted, and how long the rest of a run takes while it goes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from nst_core.architectures import INPUT, Architecture, Layer, output_side
from nst_core.backbones import COLOURS
from nst_core.plan import Plan
from nst_core.records import Step

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
    total = 0.0
    for layer, channels, (height, width) in _maps(architecture, layers, size):
        if layer.kind == "convolution":
            total += 2.0 * layer.kernel**2 * channels * layer.channels * height * width
    return 2 * total / 1e9


def product_gigaflops(architecture: Architecture, layers: tuple[str, ...], size: tuple[int, int]) -> float:
    """Work of the layers' Gram matrices or covariances in one step, 10^9 operations, as `gigaflops` counts.

    One product of the maps by themselves on the way forward, and one of the maps by its gradient.
    """
    maps = _maps(architecture, layers, size)
    return (
        sum(
            4.0 * layer.channels**2 * height * width
            for layer, _, (height, width) in maps
            if layer.name in layers
        )
        / 1e9
    )


def _maps(
    architecture: Architecture, layers: tuple[str, ...], size: tuple[int, int]
) -> Iterator[tuple[Layer, int, tuple[int, int]]]:
    """Each layer up to the deepest of these, the channels that it sees, and its map's (height, width)."""
    sides = {INPUT: (size[1], size[0], 3)}
    for layer in architecture.up_to(tuple(name for name in layers if name != COLOURS)):
        height, width, channels = sides[layer.inputs[0]]
        height, width = (output_side(layer, side) for side in (height, width))
        sides[layer.name] = (height, width, layer.channels)
        yield layer, channels, (height, width)


def matrix_rate(side: int = 768, repeats: int = 12) -> float:
    """This machine's float32 matrix product, GFLOP/s, best of a few short ones (some tenth of a second)."""
    left = np.ones((side, side), np.float32)
    best = 0.0
    for _ in range(repeats + 1):
        began = time.perf_counter()
        left @ left
        best = max(best, 2 * side**3 / (time.perf_counter() - began) / 1e9)
    return best
