"""How true the waiting times are: python -m tests.bench.waiting.

The app's first minutes: what a fresh process learns while it gets ready, then for each network the seconds
foretold for its first draft, for a standard picture after that and for another draft after both; beside each
what the run took, and foretold over taken. The first draft holds TensorFlow's compiling, but for the network
that was got ready, VGG19's sketch. TensorFlow's import is not counted: the app has loaded it by then.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import time

import tensorflow  # noqa: F401 - the estimates ask whether it is loaded

from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.models import Models
from nst_core.plan import make_plan
from nst_core.presets import PRESETS
from nst_core.samples import load_sample
from nst_core.speeds import Speeds
from nst_core.transfer import run
from nst_core.warming import warm

COURSE = (("draft", "no run of its own"), ("standard", "that draft"), ("draft", "both"))


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", default="vgg19,vgg16,resnet50")
    parser.add_argument("--weights", default="sketch")
    options = parser.parse_args()
    print("| network | run | measured before | foretold, s | taken, s | foretold / taken |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    content, style = load_sample("skyline"), load_sample("swirling-night")
    speeds, models = Speeds(), Models()
    speeds.learn_warming(warm(models, TransferConfig(**PRESETS["draft"].settings())))
    for backbone in options.backbones.split(","):
        for name, before in COURSE:
            config = TransferConfig(backbone=backbone, weights=options.weights, **PRESETS[name].settings())
            foretold = speeds.seconds(config, make_plan(config, content, style))
            began = time.perf_counter()
            made = run(models.material(config, content, style))
            taken = time.perf_counter() - began
            speeds.learn(made.record)
            ratio = f"{foretold:.1f} | {taken:.1f} | {foretold / taken:.2f}"
            print(f"| {find_backbone(backbone).label} | {name} | {before} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
