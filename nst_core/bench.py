"""How fast this machine makes pictures, beside its matrix products and beside TensorFlow's tutorial.

Each row is measured in a fresh interpreter, so that its peak memory and its first step are its own. There
this program's step and the tutorial's take turns, so that a busy machine slows both alike; a row holds
medians.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from nst_core.errors import RunError
from nst_core.stepping import Case, Effort

PROBE_SIDE, LONGEST_PRODUCT = 512, 3.0  # a product that would take more seconds is made smaller

# What the fresh interpreter runs: one line when the first step is done, one with the numbers.
_CHILD = """
import json, sys
from nst_core.stepping import Case, Effort, measurements
case, effort = json.loads(sys.argv[1])
for numbers in measurements(Case(**case), Effort(**effort)):
    print(json.dumps(numbers), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement.

    precision         what the network is computed in, float32 or bf16
    gflops            10^9 operations a second that a step reaches, counted from the layers
    share_of_ceiling  that as a part of the matrix product's rate in this precision
    peak_rss_mb       most resident memory of a process that makes steps, MB; None where it is not told
    seconds_to_first_step  from the start of such a process to its first step's numbers: Python,
                      TensorFlow's import, reading weights and compiling, which is what a person waits for
    """

    backbone: str
    weights: str
    width: int
    height: int
    precision: str
    seconds_per_step: float
    tutorial_seconds_per_step: float
    gflops: float
    share_of_ceiling: float
    peak_rss_mb: float | None
    seconds_to_first_step: float

    @property
    def ratio(self) -> float:
        """How many times as long as ours the tutorial's step takes."""
        return self.tutorial_seconds_per_step / self.seconds_per_step


def report(ceiling: Mapping[str, float], rows: list[Row]) -> str:
    """One JSON object: `ceiling_gflops` by precision, and `rows`."""
    return json.dumps({"ceiling_gflops": dict(ceiling), "rows": [asdict(row) for row in rows]}, indent=1)


def measure_ceiling(side: int, repeats: int = 5) -> dict[str, float]:
    """GFLOP/s of the product of two `side` x `side` matrices in float32 and bf16, best of a few.

    In float32 TensorFlow's or NumPy's, whichever is faster: where oneDNN does not compute, TensorFlow's own
    product reaches half of what the processor can do, and its convolutions more. Processors without bf16 are
    very slow at it; there the matrices are smaller.
    """
    import tensorflow as tf

    plain = _affordable(side, tf.float32)
    return {
        "float32": max(_product_rate(plain, tf.float32, repeats), _blas_rate(plain, repeats)),
        "bf16": _product_rate(_affordable(side, tf.bfloat16), tf.bfloat16, repeats),
    }


def best_ceiling(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """The higher rate of two measurements in each precision; only other work lowers it."""
    return {precision: max(first[precision], second[precision]) for precision in first}


def with_ceiling(rows: Iterable[Row], ceiling: Mapping[str, float]) -> list[Row]:
    """The same rows as parts of this ceiling."""
    return [replace(row, share_of_ceiling=row.gflops / ceiling[row.precision]) for row in rows]


def _affordable(side: int, kind: Any) -> int:
    probe = min(side, PROBE_SIDE)
    rate = _product_rate(probe, kind, 2)
    while side > probe and 2 * side**3 / rate / 1e9 > LONGEST_PRODUCT:
        side //= 2
    return max(side, probe)


def _product_rate(side: int, kind: Any, repeats: int) -> float:
    import tensorflow as tf

    left, right = (tf.cast(tf.random.stateless_uniform([side, side], [seed, 0]), kind) for seed in (0, 1))
    return _best_rate(lambda: tf.matmul(left, right)[0, 0].numpy(), side, repeats)


def _blas_rate(side: int, repeats: int) -> float:
    left, right = (np.random.default_rng(seed).random((side, side), np.float32) for seed in (0, 1))
    return _best_rate(lambda: left @ right, side, repeats)


def _best_rate(product: Callable[[], object], side: int, repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - began)
    return 2 * side**3 / min(seconds) / 1e9


def measure(
    case: Case, effort: Effort, ceiling: Mapping[str, float], *, patience: float | None = None
) -> Row | None:
    """The row of a case, measured in a process of its own; None if it takes more than `patience` seconds.

    RunError if the process ends without numbers.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said, _spawn(case, effort, said) as process:
        clock = threading.Timer(patience or 0.0, process.kill)
        try:
            if patience is not None:
                clock.start()
            first, last = _read(process, began)
        finally:
            clock.cancel()
            process.kill()  # it has ended by itself, unless this process was interrupted
            process.wait()
        if not last and patience is not None and time.perf_counter() - began >= patience:
            return None
        if not last:
            raise RunError(_failure(case, process.returncode, said))
    numbers = json.loads(last)
    share = numbers["gflops"] / ceiling[numbers["precision"]]
    return Row(**asdict(case), **numbers, share_of_ceiling=share, seconds_to_first_step=first)


def _read(process: subprocess.Popen[str], began: float) -> tuple[float, str]:
    """Seconds until the process' first line, and its second line; empty if there is none."""
    if process.stdout is None:
        return 0.0, ""
    process.stdout.readline()
    return time.perf_counter() - began, process.stdout.readline()


def _spawn(case: Case, effort: Effort, said: IO[bytes]) -> subprocess.Popen[str]:
    # This very package, whichever folder the command is called in.
    paths = [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_USE_LEGACY_KERAS": "1"}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _CHILD, json.dumps([asdict(case), asdict(effort)])],
        env={**quiet, **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
    )


def _failure(case: Case, code: int, said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    reason = lines[-1].strip() if lines else f"its process ended with {code}"
    what = f"{case.backbone} on {case.weights} weights at {case.width} x {case.height}"
    return f"{what} was not measured ({reason}); try a smaller size."
