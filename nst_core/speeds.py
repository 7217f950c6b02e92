"""How long a run will take here, before its first step: measured where it can be, else a rough guess.

A step of one kind of network (a backbone, at full width or thin) takes `overhead` seconds, and `pace` seconds
for each 10^9 operations counted from its layers. Both are fitted to what was measured on this machine, by
`nst bench` and by every finished run; before that they are those of another machine, scaled by the two
machines' matrix products and by what was measured of other kinds of network here.
"""

from __future__ import annotations

import statistics
import sys
import threading
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nst_core.config import TransferConfig
from nst_core.errors import RunError
from nst_core.estimate import matrix_rate
from nst_core.memory import contents_of, styles_of, widths_of
from nst_core.plan import Plan
from nst_core.precision import find_precision
from nst_core.records import RunRecord
from nst_core.speed_file import Measured, Timings, read_measured, write_measured
from nst_core.speed_guess import REFERENCE, REFERENCE_RATE, Speed, guess_of, kind_of
from nst_core.system import expects_onednn, numpy_lacks_avx512
from nst_core.work import step_gigaflops

Floats = npt.NDArray[np.float64]

MOST_POINTS = 8  # of a kind
ALIKE = 1.25  # points whose work differs by less are of one size, of which the newest counts
APART = 2.0  # a line is fitted only to points whose work differs by more
# oneDNN makes itself a program for each shape that it meets: seconds more to a first run, with AMX.
PROGRAMS = 1.6
# Of the seconds to a first step, the share left when TensorFlow is loaded already, without oneDNN and with.
LOADED_SHARES = (0.4, 0.6)
FINISHING = 0.3  # seconds, of making the targets and of measuring the picture in the end
TENSORFLOWS_SHARE = 0.5  # seconds of its product over NumPy's, where that does without AVX512


def fit_speed(timings: Timings, guess: Speed) -> Speed:
    """The speed that fits the points best by relative squared error, none of its terms below 0.

    Points of about one size say nothing of the overhead: then the guess is scaled to them.
    """
    start = guess.start if timings.start is None else timings.start
    if not timings.steps:
        return replace(guess, start=start)
    work, seconds = np.array(timings.steps).T
    if work.max() < APART * work.min():
        return _scaled(guess, work, seconds, start)
    # Both sides over the measured seconds, so that each point's error counts as a share.
    sides = np.stack([1 / seconds, work / seconds])
    overhead, pace = np.linalg.lstsq(sides.T, np.ones(len(work)))[0]
    if overhead < 0 or pace < 0:
        # One of them alone, whichever the points bear out.
        overhead, pace = (0.0, _alone(sides[1])) if overhead < 0 else (_alone(sides[0]), 0.0)
    return Speed(float(overhead), float(pace), start)


def _alone(shares: Floats) -> float:
    return float(shares.sum() / (shares**2).sum())


def _scaled(guess: Speed, work: Floats, seconds: Floats, start: float) -> Speed:
    factor = float(np.median(seconds / (guess.overhead + guess.pace * work)))
    return Speed(guess.overhead * factor, guess.pace * factor, start)


def rung_timings(record: RunRecord) -> list[tuple[float, float]]:
    """(10^9 operations of a step, seconds a step) of each size of a run, in order.

    The run's first step is left out: it holds the compiling.
    """
    points = []
    before, steps = record.steps[:1], record.steps[1:]
    for size in dict.fromkeys(step.size for step in steps):
        rung = [step for step in steps if step.size == size]
        seconds = (rung[-1].seconds - before[-1].seconds) / len(rung)
        work = step_gigaflops(record.config, size, width=record.weights.width)
        if len(rung) > 1 and seconds > 0 and work > 0:
            points.append((work, seconds))
        before = tuple(rung)
    return points


def with_points(timings: Timings, points: Sequence[tuple[float, float]]) -> Timings:
    """The timings with new points, which replace those of about the same work."""
    kept = list(timings.steps)
    for work, seconds in points:
        kept = [point for point in kept if not 1 / ALIKE < point[0] / work < ALIKE]
        kept.append((work, seconds))
    return replace(timings, steps=tuple(kept[-MOST_POINTS:]))


def _kind_in(record: RunRecord) -> str:
    return kind_of(record.config.backbone, record.weights.width, record.precision)


def _is_known(kind: str) -> bool:
    """Whether it is one of this version's kinds; a file may hold another's."""
    return kind.removesuffix(" bfloat16") in REFERENCE


def _objective_of(kind: str, config: TransferConfig) -> Hashable:
    """What is compiled for these settings; see `Models.engine`."""
    layers = styles_of(config), contents_of(config)
    how = config.statistic, config.smoothing, config.temperature, config.variation
    return kind, layers, how, config.padding, config.pooling


class Speeds:
    """What runs take here; safe to use from several threads.

    path: the file that keeps it between processes, read when it is first wanted; without one it is kept in
    memory alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._measured: Measured | None = None
        self._compiled: set[Hashable] = set()  # objectives that this process has run
        # Of the kinds that it has run: seconds of compiling, and steps on a tiny picture, which are not kept.
        self._starts: dict[str, float] = {}
        self._tiny: dict[str, tuple[tuple[float, float], ...]] = {}
        self._lock = threading.Lock()

    def learn(self, record: RunRecord) -> None:
        """Take a finished run into account, and keep it."""
        self.note(_kind_in(record), rung_timings(record))
        self._learn_start(record)

    def learn_warming(self, record: RunRecord) -> None:
        """Take into account a run on a tiny picture that was made to get ready.

        Its steps, which ran while a page was being drawn, count as long as no others of their kind are known.
        """
        with self._lock:
            self._tiny[_kind_in(record)] = tuple(rung_timings(record))
        self._learn_start(record)

    def _learn_start(self, record: RunRecord) -> None:
        kind = _kind_in(record)
        with self._lock:
            self._compiled.add(_objective_of(kind, record.config))
            if len(record.steps) > 1:
                took = 2 * record.steps[0].seconds - record.steps[1].seconds
                self._starts.setdefault(kind, max(0.0, took))

    def note(self, kind: str, points: Sequence[tuple[float, float]], start: float | None = None) -> None:
        """Keep (10^9 operations, seconds) of steps of a kind, and its seconds to a first step if measured."""
        with self._lock:
            # Another process may have kept something meanwhile.
            own, found = self._known(), read_measured(self._path) if self._path else Measured()
            kinds = {**own.kinds, **found.kinds}
            timings = with_points(kinds.get(kind, Timings()), points)
            kinds[kind] = timings if start is None else replace(timings, start=start)
            self._measured = Measured(max(own.rate, found.rate), kinds)
            self._keep()

    def seconds(self, config: TransferConfig, plan: Plan) -> float:
        """Seconds of a run of these settings over `plan`, from the press to the picture."""
        widths = widths_of(config)
        width = widths[config.backbone]
        kind = kind_of(config.backbone, width, find_precision(config.precision, widths))
        with self._lock:
            speed = self._speed(kind)
            ready = _objective_of(kind, config) in self._compiled
        work = ((step_gigaflops(config, size, width=width), steps) for size, steps in plan)
        loaded = LOADED_SHARES[expects_onednn()] if "tensorflow" in sys.modules else 1.0
        begin = 0.0 if ready else loaded * speed.start
        return begin + sum(speed.seconds(each) * steps for each, steps in work) + FINISHING

    def _speed(self, kind: str) -> Speed:
        timings = self._timings(kind)
        if len(timings.steps) > 1 and timings.start is not None:
            return fit_speed(timings, guess_of(kind))
        return fit_speed(timings, self._corrected_guess(kind))

    def _timings(self, kind: str) -> Timings:
        timings = self._known().kinds.get(kind, Timings())
        return timings if timings.steps else replace(timings, steps=self._tiny.get(kind, ()))

    def _guess(self, kind: str) -> Speed:
        """The reference machine's speed, by this one's matrix product."""
        guess, slower = guess_of(kind), REFERENCE_RATE / self._rate()
        # Compiling and small operations are work that wide products do not make faster.
        steady = max(1.0, slower)
        start = guess.start * steady + (PROGRAMS if expects_onednn() else 0.0)
        # The product that was measured is NumPy's, the networks' are TensorFlow's; a thin one's are too small
        # to gain by more than small operations do.
        pace = guess.pace * slower * (self._product_share if " full" in kind else 1.0)
        return Speed(guess.overhead * steady, pace, start)

    @cached_property
    def _product_share(self) -> float:
        return TENSORFLOWS_SHARE if numpy_lacks_avx512() else 1.0

    def _corrected_guess(self, kind: str) -> Speed:
        """The guess, corrected as far as the guesses of other kinds were out, or this one's own start."""
        guess = self._guess(kind)
        shares = {
            other: took / (LOADED_SHARES[expects_onednn()] * self._guess(other).start)
            for other, took in self._starts.items()
            if took
        }
        start = guess.start * shares.get(kind, statistics.median(shares.values()) if shares else 1.0)
        share = self._share_of_small_steps()
        # Of a full network only what is small: its products' rate was measured.
        return Speed(guess.overhead * share, guess.pace * (share if " thin" in kind else 1.0), start)

    def _share_of_small_steps(self) -> float:
        """Seconds of thin networks' smallest known steps over those that are guessed."""
        thin = [kind for kind in {*self._known().kinds, *self._tiny} if " thin" in kind and _is_known(kind)]
        least = {kind: min(steps) for kind in thin if (steps := self._timings(kind).steps)}
        shares = [seconds / self._guess(kind).seconds(work) for kind, (work, seconds) in least.items()]
        return statistics.median(shares) if shares else 1.0

    def _known(self) -> Measured:
        if self._measured is None:
            self._measured = read_measured(self._path) if self._path else Measured()
        return self._measured

    def _rate(self) -> float:
        known = self._known()
        if not known.rate:
            # Kept, so that the guess does not jump from one page to the next.
            self._measured = replace(known, rate=matrix_rate())
        return self._known().rate

    def _keep(self) -> None:
        if self._path is None or self._measured is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_measured(self._path, self._measured)
        except (OSError, RunError):
            return  # a folder that cannot be written: what was learnt lasts as long as this process
