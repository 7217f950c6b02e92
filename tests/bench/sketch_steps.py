"""One step on sketch weights beside one at full width, and a whole draft: python -m tests.bench.sketch_steps.

Both networks of a backbone take turns within one process, so that a busy machine slows both alike. The
figures are medians; what counts is their ratio. Full-width networks have random weights, which cost the same.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import statistics
import time

from nst_core.backbones import BACKBONES
from nst_core.config import TransferConfig
from nst_core.lanes import Request, prepare_request
from nst_core.models import Models
from nst_core.presets import PRESETS
from nst_core.samples import load_sample
from nst_core.stepping import Stepper
from nst_core.transfer import run


def measure(backbone: str, models: Models, rounds: int) -> tuple[float, float, float]:
    """(seconds a sketch step, a full-width step, a whole draft on sketch weights)."""
    content, style = load_sample("skyline"), load_sample("swirling-night")
    draft = PRESETS["draft"]
    materials = {}
    for weights in ("sketch", "random"):
        config = TransferConfig(backbone=backbone, weights=weights, size=draft.size, steps=draft.steps)
        request = Request(label=backbone, config=config, content=content, style=style)
        materials[weights] = prepare_request(request, models)
    steppers = {weights: Stepper(material) for weights, material in materials.items()}
    times: dict[str, list[float]] = {weights: [] for weights in steppers}
    for _ in range(rounds + 2):
        for weights, stepper in steppers.items():
            times[weights].append(stepper.seconds())
    for stepper in steppers.values():
        stepper.close()
    began = time.perf_counter()
    run(materials["sketch"])
    whole = time.perf_counter() - began
    sketch, full = (statistics.median(times[weights][2:]) for weights in ("sketch", "random"))
    return sketch, full, whole


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print("| backbone | sketch step, ms | full-width step, ms | ratio | whole draft, s |")
    print("| --- | ---: | ---: | ---: | ---: |")
    models = Models()
    for name, row in BACKBONES.items():
        sketch, full, whole = measure(name, models, rounds)
        cells = f"{1e3 * sketch:.1f} | {1e3 * full:.0f} | {full / sketch:.1f} | {whole:.1f}"
        print(f"| {row.label} | {cells} |")


if __name__ == "__main__":
    main()
