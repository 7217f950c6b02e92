"""Where a step's time goes: python -m tests.bench.step_profile [--backbone vgg19] [--width 1] …

The objective and its gradient on random weights, under TensorFlow's own profiler: milliseconds a step of
each kind of operation. One operation runs at a time, each on all cores; what they add up to is less than the
step by what lies between them.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import tensorflow as tf

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.choices import Precision, weigh_alike
from nst_core.config import TransferConfig
from nst_core.networks import random_network
from tests.bench.step_speed import our_step

STEPS = 5


def profiled(step: Callable[[], object]) -> dict[str, tuple[float, int]]:
    """Of each kind of operation its milliseconds and how many there are, a step."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(STEPS):
            step()
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        space.ParseFromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    spent, count = Counter[str](), Counter[str]()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            name, _, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
            # "node:Operation"; others, as "Executor::Process" or "Run: function", are the runtime's own.
            if name and not name.endswith(":") and kind == kind.strip():
                spent[kind] += event.duration_ps / 1e9 / STEPS
                count[kind] += 1
    return {kind: (spent[kind], round(count[kind] / STEPS)) for kind, _ in spent.most_common()}


def main() -> None:
    """Print the step's time, then a Markdown table of its operations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", choices=sorted(BACKBONES), default="vgg19")
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--size", type=int, nargs=2, default=(512, 384), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--precision", choices=get_args(Precision), default="auto")
    options = parser.parse_args()
    backbone = find_backbone(options.backbone)
    config = TransferConfig(
        backbone=backbone.name,
        precision=options.precision,
        style_layers=weigh_alike(backbone.style_layers),
        content_layers=weigh_alike((backbone.content_layer,)),
    )
    network = random_network(backbone.architecture(options.width), 0)
    columns, rows = options.size
    step = our_step(network, config, np.random.default_rng(0).random((rows, columns, 3), np.float32))
    seconds = []
    for _ in range(STEPS + 1):
        began = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - began)
    print(f"{1e3 * statistics.median(seconds[1:]):.0f} ms a step\n\n| operation | count | ms |")
    print("| --- | ---: | ---: |")
    for kind, (spent, count) in profiled(step).items():
        if spent >= 0.01 * 1e3 * statistics.median(seconds[1:]):
            print(f"| {kind} | {count} | {spent:.1f} |")


if __name__ == "__main__":
    main()
