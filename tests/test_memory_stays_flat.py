"""Two hundred runs of many shapes in one process: memory stays where it was, and nothing is traced twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A process of its own: what other tests hold would hide a leak, and TensorFlow's log is turned into failures.
SCRIPT = """
import itertools, logging
from pathlib import Path
from tests.conftest import make_picture
from nst_core.backbones import BACKBONES
from nst_core.compiled import Compiled
from nst_core.config import TransferConfig
from nst_core.jobs import JobQueue
from nst_core.lanes import Request
from nst_core.models import Models

class Retracing(logging.Handler):
    def emit(self, record):
        if "retracing" in record.getMessage():
            told.append(record.getMessage())

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

def traces():
    return {
        (place, name): function.traces
        for place, engine in enumerate(models._engines._values.values())
        for name, function in vars(engine).items()
        if isinstance(function, Compiled)
    }

told = []
logging.getLogger("tensorflow").addHandler(Retracing())
models = Models()
queue = JobQueue(models)
style = make_picture(80, 80, seed=100)
contents = [make_picture(160 - 5 * place, 64 + 5 * place, seed=place) for place in range(20)]
choices = itertools.product(("fourier", "pixel"), BACKBONES)
kinds = list(itertools.islice(itertools.cycle(choices), 200))
for number, (canvas, backbone) in enumerate(kinds, start=1):
    content = contents[(number - 1) % 20]
    config = TransferConfig(
        backbone=backbone, canvas=canvas, weights="sketch", size=max(content.size), steps=2, ladder=False
    )
    job = queue.submit([Request(label="run", config=config, content=content, style=style)], owner="me")
    assert job.ended.wait(600)
    assert job.lanes[0].state == "done", job.lanes[0].message
    if number == 20:
        early, traced = resident(), traces()
print(early, resident(), len(traced), traces() == traced, len(told), len(models._engines))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell resident memory")
def test_two_hundred_runs_of_twenty_shapes_take_no_more_memory_than_twenty() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        # One heap: over several, glibc spreads freed memory as chance has it.
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_USE_LEGACY_KERAS": "1", "MALLOC_ARENA_MAX": "1"},
    )
    assert done.returncode == 0, done.stderr
    early, late, functions, same, warnings, engines = done.stdout.split()
    assert (same, warnings, engines) == ("True", "0", "3")
    assert int(functions) >= 2 * int(engines)
    assert int(late) <= 1.05 * int(early), f"{int(early) * 4096 / 1e6:.0f} -> {int(late) * 4096 / 1e6:.0f} MB"
