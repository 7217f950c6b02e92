"""Estimates of memory against the peaks of real runs, each in a process of its own."""

import sys

import pytest

from tests.bench.memory_peaks import Case, measure

CASES = [
    Case(size=512),
    Case(size=512, weights="random"),
    Case(backbone="resnet50", size=512),
    Case(size=512, canvas="fourier"),
    Case(size=512, optimiser="lbfgs", steps=14),  # enough for all of its memory
    Case(size=768, tile=256),
]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_run_takes_about_what_was_estimated(case: Case) -> None:
    peak = measure(case)
    assert 0.75 <= peak.ratio <= 1.25, (
        f"{peak.estimate / 1e6:.0f} MB estimated, {peak.measured / 1e6:.0f} taken"
    )
