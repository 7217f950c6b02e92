"""Many runs in one process, of many shapes or settings: memory stays flat, and nothing is traced twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A process of its own: what other tests hold would hide a leak, and TensorFlow's log is turned into failures.
BEGINNING = """
import itertools, logging
from pathlib import Path
from tests.conftest import make_picture
from nst_core.backbones import BACKBONES
from nst_core.compiled import Compiled
from nst_core.config import TransferConfig
from nst_core.jobs import JobQueue
from nst_core.lanes import Request
from nst_core.models import MOST_ENGINES, Models

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

def perform(content, **settings):
    config = TransferConfig(weights="sketch", size=max(content.size), steps=2, ladder=False, **settings)
    job = queue.submit([Request(label="run", config=config, content=content, style=style)], owner="me")
    assert job.ended.wait(600)
    assert job.lanes[0].state == "done", job.lanes[0].message

told = []
logging.getLogger("tensorflow").addHandler(Retracing())
models = Models()
queue = JobQueue(models)
style = make_picture(80, 80, seed=100)
"""

SHAPES = """
contents = [make_picture(160 - 5 * place, 64 + 5 * place, seed=place) for place in range(20)]
choices = itertools.product(("fourier", "pixel"), BACKBONES)
kinds = list(itertools.islice(itertools.cycle(choices), 200))
for number, (canvas, backbone) in enumerate(kinds, start=1):
    perform(contents[(number - 1) % 20], backbone=backbone, canvas=canvas)
    if number == 20:
        early, traced = resident(), traces()
print(early, resident(), len(traced), traces() == traced, len(told), len(models._engines))
"""

# Each run has an objective of its own, and those that are no longer kept must go.
SETTINGS = """
content = make_picture(96, 64, seed=1)
for number in range(4 * MOST_ENGINES):
    perform(content, smoothing="softmax", temperature=10.0 + number)
    if number == 2 * MOST_ENGINES:
        early = resident()
print(early, resident(), len(models._engines) == MOST_ENGINES, len(told))
"""


def told_by(script: str) -> list[str]:
    """The words that a script prints, of which the first are resident pages early and late: no more late."""
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        # One heap: over several, glibc spreads freed memory as chance has it.
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_USE_LEGACY_KERAS": "1", "MALLOC_ARENA_MAX": "1"},
    )
    assert done.returncode == 0, done.stderr
    early, late, *others = done.stdout.split()
    assert int(late) <= 1.05 * int(early), f"{int(early) * 4096 / 1e6:.0f} -> {int(late) * 4096 / 1e6:.0f} MB"
    return others


resident_is_told = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the system does not tell resident memory"
)


@pytest.mark.slow
@resident_is_told
def test_two_hundred_runs_of_twenty_shapes_take_no_more_memory_than_twenty() -> None:
    functions, same, warnings, engines = told_by(SHAPES)
    assert (same, warnings, engines) == ("True", "0", "3")
    assert int(functions) >= 2 * int(engines)


@pytest.mark.slow
@resident_is_told
def test_runs_of_ever_other_settings_take_no_more_memory() -> None:
    assert told_by(SETTINGS) == ["True", "0"]
