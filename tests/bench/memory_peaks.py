"""What a run was estimated to need and what it took: python -m tests.bench.memory_peaks.

Each run has a process of its own, so that its peak is its own; what the process held before it made anything
for the run (Python, TensorFlow) is taken away from the peak, and printed beside it. Full-width networks have
random weights, which cost the same.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run: a square picture of `size` pixels, `tile` as in `material.prepare`."""

    backbone: str = "vgg19"
    weights: str = "sketch"
    size: int = 256
    canvas: str = "pixel"
    optimiser: str = "adam"
    steps: int = 2
    tile: int = 0
    precision: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """Bytes: estimated, measured beside the process itself, and of the whole process; each step's seconds."""

    estimate: int
    measured: int
    process: int
    seconds: tuple[float, ...]
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """Estimate over measured."""
        return self.estimate / self.measured


def measure(case: Case) -> Peak:
    """The peak of a run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.memory_peaks", "--child", json.dumps(asdict(case))],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Peak(**json.loads(done.stdout.splitlines()[-1]))


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def child(case: Case) -> Peak:
    """The run, in this process."""
    import time

    import numpy as np
    import tensorflow  # noqa: F401 - part of the process, not of the run

    from nst_core.config import TransferConfig
    from nst_core.course import optimise
    from nst_core.images import Picture
    from nst_core.material import prepare
    from nst_core.memory import run_need

    before = _status("VmRSS")
    settings = {key: value for key, value in asdict(case).items() if key != "tile"}
    config = TransferConfig(**settings, ladder=False)

    def picture(seed: int) -> Picture:
        pixels = np.random.default_rng(seed).random((case.size, case.size, 3), np.float32)
        size = (case.size, case.size)
        return Picture(pixels=pixels, name="noise", sha256=f"{seed:064x}", original_size=size)

    material = prepare(config, picture(0), picture(1), tile=case.tile)
    seconds, began = [], time.perf_counter()
    for _ in optimise(material, preview_seconds=float("inf")):
        seconds.append(round(time.perf_counter() - began, 2))
        began = time.perf_counter()
    peak = _status("VmHWM")
    return Peak(
        estimate=run_need(config, tile=case.tile).total,
        measured=peak - before,
        process=peak,
        seconds=tuple(seconds),
        notes=material.notes,
    )


def cases() -> list[Case]:
    """Sketch and full width of each network whole, then tiles, canvases and optimisers."""
    whole = [
        Case(backbone=backbone, weights=weights, size=size)
        for weights in ("sketch", "random")
        for backbone in ("vgg16", "vgg19", "resnet50")
        for size in (256, 512)
    ]
    return [
        *whole,
        Case(size=1024),
        Case(size=1024, canvas="fourier"),
        Case(size=1024, optimiser="lbfgs"),
        Case(size=1024, tile=384),
        Case(backbone="resnet50", size=1024, tile=256),
        Case(weights="random", size=1024, tile=256, steps=3),
        # All of L-BFGS' corrections are there only after more steps than it remembers.
        Case(size=512, tile=128, canvas="fourier", steps=3),
        Case(size=512, tile=128, canvas="fourier", optimiser="lbfgs", steps=14),
        Case(size=512, tile=128, optimiser="lbfgs", steps=14),
        Case(size=1024, tile=256, canvas="fourier"),
        Case(size=1024, tile=256, canvas="fourier", optimiser="lbfgs", steps=3),
    ]


def row(case: Case, peak: Peak) -> str:
    """A line of the table."""
    where = f"tiles of {case.tile}" if case.tile else "whole"
    cells = (
        f"{case.backbone}, {case.weights}",
        f"{case.size}, {case.canvas}, {case.optimiser}, {where}",
        f"{peak.estimate / 1e6:.0f}",
        f"{peak.measured / 1e6:.0f}",
        f"{peak.ratio:.2f}",
        f"{peak.process / 1e6:.0f}",
        f"{peak.seconds[-1]:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a Markdown table, or be the process of one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", help="one case as JSON, for the process that runs it")
    parser.add_argument("--case", action="append", help="a case as JSON instead of the usual ones")
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(asdict(child(Case(**json.loads(arguments.child))))))
        return
    print("| network | picture | estimate, MB | measured, MB | ratio | whole process, MB | last step, s |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    chosen = [Case(**json.loads(text)) for text in arguments.case or ()] or cases()
    for case in chosen:
        print(row(case, measure(case)), flush=True)


if __name__ == "__main__":
    main()
