"""One step on sketch weights beside one at full width, and a whole draft: python -m tests.bench.sketch_steps.

Both networks of a backbone take turns within one process, so that a busy machine slows both alike, and
compute in the same precision. The figures are medians; what counts is their ratio. Full-width networks have
random weights, which cost the same. The objective alone is a step without L-BFGS and the canvas, which cost
the same at any width. A first draft is one of a fresh process after TensorFlow has loaded: pictures and
weights are read and the step is compiled, too.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

import tensorflow as tf

from nst_core.backbones import BACKBONES
from nst_core.choices import Precision
from nst_core.config import TransferConfig
from nst_core.lanes import Request, prepare_request
from nst_core.material import Material
from nst_core.models import Models
from nst_core.presets import PRESETS
from nst_core.samples import load_sample
from nst_core.stepping import Stepper
from nst_core.transfer import run

FIRST = """
import sys, time
import tensorflow
from nst_core.presets import PRESETS
from nst_core.transfer import transfer

began = time.perf_counter()
transfer(
    "skyline", "swirling-night", backbone=sys.argv[1], weights="sketch", precision=sys.argv[2],
    **PRESETS["draft"].settings(),
)
print(time.perf_counter() - began)
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds on sketch weights and at full width, and of whole drafts on sketch weights."""

    step: tuple[float, float]
    objective: tuple[float, float]
    draft: float
    first: float


def evaluation(material: Material) -> Callable[[], float]:
    """How long one evaluation of the losses and their gradient takes."""
    content, style = material.at(material.sizes[-1])
    targets, picture = material.targets(content, style), tf.constant(content)

    def seconds() -> float:
        began = time.perf_counter()
        material.engine.evaluate(picture, targets, material.factors)
        return time.perf_counter() - began

    return seconds


def medians(calls: Mapping[str, Callable[[], float]], rounds: int) -> tuple[float, float]:
    """Of sketch and random, called in turns; the first two of each compile and warm up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 2):
        for name, call in calls.items():
            times[name].append(call())
    return statistics.median(times["sketch"][2:]), statistics.median(times["random"][2:])


def first_draft(backbone: str, precision: Precision) -> float:
    """Seconds that the first draft of a fresh process takes."""
    told = subprocess.run(
        [sys.executable, "-c", FIRST, backbone, precision], capture_output=True, text=True, check=True
    )
    return float(told.stdout)


def measure(backbone: str, models: Models, rounds: int, precision: Precision) -> Costs:
    """All of one backbone's."""
    first = first_draft(backbone, precision)
    content, style = load_sample("skyline"), load_sample("swirling-night")
    draft = PRESETS["draft"]
    materials = {}
    for weights in ("sketch", "random"):
        config = TransferConfig(backbone=backbone, weights=weights, precision=precision, **draft.settings())
        request = Request(label=backbone, config=config, content=content, style=style)
        materials[weights] = prepare_request(request, models)
    steppers = {weights: Stepper(material) for weights, material in materials.items()}
    step = medians({weights: stepper.seconds for weights, stepper in steppers.items()}, rounds)
    for stepper in steppers.values():
        stepper.close()
    objective = medians({weights: evaluation(each) for weights, each in materials.items()}, rounds)
    began = time.perf_counter()
    run(materials["sketch"])
    return Costs(step, objective, time.perf_counter() - began, first)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--precision", choices=get_args(Precision), default="float32")
    asked = parser.parse_args()
    print("| backbone | sketch step, ms | full width | ratio | objective alone | full width | ratio", end="")
    print(" | whole draft, s | first draft, s |\n| --- |" + " ---: |" * 8)
    models = Models()
    for name, row in BACKBONES.items():
        costs = measure(name, models, asked.rounds, asked.precision)
        cells = [
            f"{1e3 * thin:.1f} | {1e3 * full:.0f} | {full / thin:.1f}"
            for thin, full in (costs.step, costs.objective)
        ]
        print(f"| {row.label} | {' | '.join(cells)} | {costs.draft:.1f} | {costs.first:.1f} |", flush=True)


if __name__ == "__main__":
    main()
