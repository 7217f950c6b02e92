"""`nst bench`: how fast this machine makes pictures, as a table and as JSON."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.bench import Row, best_ceiling, measure, measure_ceiling, report, with_ceiling
from nst_core.choices import LARGEST_SIZE, SMALLEST_SIZE
from nst_core.cli_run import BAD_INPUT, DONE, FAILED, STOPPED, import_tensorflow
from nst_core.cli_words import tell, tell_notes, watched
from nst_core.errors import ConfigError, RunError, WeightsError
from nst_core.imagenet import imagenet_state
from nst_core.speed_file import speed_path
from nst_core.speed_guess import kind_of
from nst_core.speeds import Speeds
from nst_core.stepping import Case, Effort
from nst_core.store import check_writable, write_or_rescue
from nst_core.weights import expected_width

KINDS = ("sketch", "random", "imagenet")
SIZES, QUICK_SIZE = "256x192,512x384", (256, 192)
THOROUGH, QUICK = Effort(warming=2, rounds=15, seconds=20.0), Effort(warming=1, rounds=5, seconds=2.0)
SIDE, QUICK_SIDE = 4096, 1536  # of the matrices whose product is the ceiling
QUICK_SECONDS = 48.0  # when the last row must be done

_ABOUT = """
Measures the rate of this machine's matrix product in float32 and bf16, the ceiling; and for each network,
weights and size the seconds a step takes beside those of a plain re-implementation of TensorFlow's
"Neural style transfer" tutorial on the same network (pairs in turns, medians), the GFLOP/s reached, counted
from the layers, and their share of the ceiling, peak memory, and the seconds to the first step.

Each row is measured in a process of its own. The first step counts from the start of that process: Python,
TensorFlow's import, reading weights and compiling are in it, because a person waits for them.
"""


def add_bench(commands: Any) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("bench", help="measure how fast this machine is", description=_ABOUT)
    add = command.add_argument
    add("--quick", action="store_true", help="within a minute: fewer rows and rounds, a smaller product")
    add("--json", type=Path, metavar="FILE", help="write the numbers here too")
    add("--backbones", default=",".join(BACKBONES), metavar="A,B,...", help="default: %(default)s")
    add(
        "--weights",
        metavar="A,B,...",
        help=f"of {', '.join(KINDS)} (random costs what imagenet costs). Default: sketch, and imagenet where"
        " it is on disk, else random; with --quick the second for one network only",
    )
    add(
        "--sizes",
        metavar="WxH,...",
        help=f"width x height of the picture, pixels. Default: {SIZES}; with --quick the first of them",
    )
    command.set_defaults(command=_bench)


def _bench(options: argparse.Namespace) -> int:
    cases = _cases(options)
    if options.json:
        check_writable(options.json)
    began = time.monotonic()
    import_tensorflow()
    rows: list[Row] = []
    ceiling: dict[str, float] = {}
    try:
        ceiling = measure_ceiling(QUICK_SIDE if options.quick else SIDE)
        ending = _measure_all(cases, ceiling, rows, end=began + QUICK_SECONDS if options.quick else None)
    except KeyboardInterrupt:
        tell_notes([f"stopped; kept {len(rows)} of {len(cases)} rows."])
        ending = STOPPED
    rows = with_ceiling(rows, ceiling)
    _print_table(ceiling, rows)
    # Without any, what an earlier one found stays.
    if options.json and rows and (told := write_or_rescue(options.json, report(ceiling, rows).encode())):
        tell_notes([told])
        return BAD_INPUT
    return ending


def _measure_all(
    cases: Sequence[Case], ceiling: dict[str, float], rows: list[Row], *, end: float | None
) -> int:
    """Put the cases' rows into `rows`, as many as are done by `end`, and raise `ceiling`; the exit code."""
    ending = DONE
    for index, case in enumerate(cases):
        words = f"{find_backbone(case.backbone).label}, {case.weights}, {case.width} x {case.height}"
        # However slow the machine is, the first row is worth waiting for.
        patience = None if end is None or not rows else end - time.monotonic()
        try:
            with _telling(f"{index + 1} of {len(cases)}: {words}"):
                row = measure(case, QUICK if end else THOROUGH, ceiling, patience=patience)
        except RunError as error:
            tell_notes([str(error)])
            ending = FAILED
            continue
        if row is None:
            left = f"there was no time for {len(cases) - index} of {len(cases)} rows"
            tell_notes([f"{left}; leave out --quick to have them all."])
            return ending
        rows.append(row)
        _learn(row)
        # Again, because what else runs here may have slowed it before.
        if end is None or time.monotonic() < end:
            ceiling.update(best_ceiling(ceiling, measure_ceiling(QUICK_SIDE if end else SIDE, repeats=1)))
    return ending


def _learn(row: Row) -> None:
    """Let the app's waiting times profit."""
    width = expected_width(find_backbone(row.backbone), row.weights)
    point = (row.gflops * row.seconds_per_step, row.seconds_per_step)
    kind = kind_of(row.backbone, width, row.precision)
    Speeds(speed_path()).note(kind, [point], start=row.seconds_to_first_step)


def _telling(words: str) -> AbstractContextManager[Any]:
    """What is being measured, on a terminal, while it is."""
    if not watched():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(words)


def _cases(options: argparse.Namespace) -> tuple[Case, ...]:
    """The rows to measure, the cheapest weights first."""
    backbones = tuple(find_backbone(name).name for name in _listed(options.backbones, "backbone", BACKBONES))
    sizes = [_size(text) for text in _listed(options.sizes or SIZES, "size", ["512x384"])]
    if options.quick and not options.sizes:
        sizes = [QUICK_SIZE]
    wide = {
        name: "imagenet" if imagenet_state(BACKBONES[name]) == "present" else "random" for name in backbones
    }
    if options.weights:
        kinds = _kinds(options.weights, backbones)
        pairs = [(name, kind) for kind in kinds for name in backbones]
    else:
        last = backbones[-1:] if "vgg19" not in backbones else ("vgg19",)
        full = last if options.quick else backbones
        pairs = [(name, "sketch") for name in backbones] + [(name, wide[name]) for name in full]
    return tuple(Case(name, kind, *size) for name, kind in pairs for size in sizes)


def _kinds(text: str, backbones: tuple[str, ...]) -> tuple[str, ...]:
    kinds = _listed(text, "kind of weights", KINDS)
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ConfigError(f"The weights must be of {', '.join(KINDS)}; received {unknown[0]!r}.")
    for row in (BACKBONES[name] for name in backbones if "imagenet" in kinds):
        if imagenet_state(row) != "present":
            raise WeightsError(
                f"The ImageNet weights of {row.label} are not on this machine; fetch them by"
                f" `nst weights --get {row.name}`, or measure random ones, which cost the same."
            )
    return kinds


def _listed(text: str, what: str, choices: Iterable[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"Name each {what} once, as in {','.join(choices)}; received {text!r}.")
    return names


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    width, height = (int(side) for side in match.groups()) if match else (0, 0)
    least = max(row.smallest_side for row in BACKBONES.values())
    if not (SMALLEST_SIZE <= max(width, height) <= LARGEST_SIZE and min(width, height) >= least):
        raise ConfigError(
            f"A size must be WIDTHxHEIGHT in pixels, as in 512x384, the longer side from {SMALLEST_SIZE} to"
            f" {LARGEST_SIZE} and the shorter at least {least}; received {text!r}."
        )
    return width, height


def _print_table(ceiling: dict[str, float], rows: list[Row]) -> None:
    for precision, rate in ceiling.items():
        tell(f"{precision} matrix product: {rate:,.0f} GFLOP/s")
    if not rows:
        return
    from rich.console import Console
    from rich.table import Table

    names = (
        "network", "weights", "size", "precision", "ms a\nstep", "tutorial,\nms a step", "tutorial\n/ ours",
        "GFLOP/s", "of the\nceiling", "peak,\nMB", "first\nstep, s",
    )  # fmt: skip
    table = Table(box=None, padding=(0, 2, 0, 0))
    for index, name in enumerate(names):
        table.add_column(name, justify="left" if index < 4 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    # Piped, there is no width to keep to, and cut numbers are of no use.
    console = Console(width=max(Console().width, 120), highlight=False)
    with console.capture() as captured:
        console.print(table)
    tell(captured.get().rstrip("\n"))


def _cells(row: Row) -> tuple[str, ...]:
    return (
        find_backbone(row.backbone).label,
        row.weights,
        f"{row.width}x{row.height}",
        row.precision,
        f"{1e3 * row.seconds_per_step:,.1f}",
        f"{1e3 * row.tutorial_seconds_per_step:,.1f}",
        f"{row.ratio:.2f}",
        f"{row.gflops:,.1f}",
        f"{row.share_of_ceiling:.0%}",
        "–" if row.peak_rss_mb is None else f"{row.peak_rss_mb:,.0f}",
        f"{row.seconds_to_first_step:.1f}",
    )
