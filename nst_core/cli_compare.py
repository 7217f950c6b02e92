"""`nst compare`: the same pair and settings on several backbones, into one folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.cli_run import (
    BAD_INPUT,
    DONE,
    FAILED,
    STOPPED,
    add_settings,
    import_tensorflow,
    make_config,
    progress_bar,
    stopping_by_interrupt,
)
from nst_core.cli_words import closing_line, tell, tell_notes
from nst_core.comparison import Comparison, cross_examine
from nst_core.config import TransferConfig
from nst_core.errors import ConfigError, RunError
from nst_core.images import Picture, encode_png
from nst_core.models import Models
from nst_core.plan import usable_sizes
from nst_core.report import html_report
from nst_core.sheet import contact_sheet
from nst_core.store import check_writable, write_or_rescue
from nst_core.tables import records_json, steps_csv

if TYPE_CHECKING:
    from nst_core.transfer import Run

SHEET, REPORT, STEPS, RECORDS = "sheet.png", "report.html", "steps.csv", "records.json"


def add_compare(commands: Any) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("compare", help="paint one pair through several networks, side by side")
    command.add_argument("content", metavar="CONTENT", help="path of a picture, or a sample's name")
    command.add_argument("style", metavar="STYLE", help="path of a picture, or a sample's name")
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help=f"a folder, made if there is none, for <backbone>.png, {SHEET}, {REPORT}, {STEPS}, {RECORDS}",
    )
    command.add_argument(
        "--backbones", default=",".join(BACKBONES), metavar="A,B,...", help="default: %(default)s"
    )
    command.add_argument("--quiet", action="store_true", help="no progress bar, no notes, no closing lines")
    add_settings(command)
    command.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> int:
    from nst_core.pictures import open_picture

    configs = tuple(make_config(options, name) for name in _backbones(options.backbones))
    content, style = open_picture(options.content), open_picture(options.style)
    for config in configs:
        usable_sizes(config, content, style)  # says so if a picture is too narrow, before an hour's work
    import_tensorflow()
    models = Models()
    for config in configs:
        models.network(config)  # likewise if weights are missing
    folder = _prepared(options.output, configs, sources=(options.content, options.style))
    runs: list[Run] = []
    in_place = True
    with stopping_by_interrupt() as stop:
        for config in configs:
            if not stop.is_set():
                run, put = _run(config, content, style, models=models, stop=stop, options=options)
                runs, in_place = [*runs, run], in_place and put
        runs = [run for run in runs if run.record.steps]
        if not runs:
            tell_notes(["stopped; before the first picture."])
            return STOPPED
        comparison = Comparison(content=content, style=style, runs=tuple(runs))
        if not stop.is_set():
            comparison = cross_examine(comparison, models=models)
        in_place = _write(comparison, folder) and in_place
        stopped = stop.is_set()
    ending = _closing(comparison, configs, folder, stopped=stopped, quiet=options.quiet or not in_place)
    return ending if in_place or ending != DONE else BAD_INPUT


def _backbones(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"Name each backbone once, of {', '.join(BACKBONES)}; received {text!r}.")
    return tuple(find_backbone(name).name for name in names)


def _prepared(folder: Path, configs: tuple[TransferConfig, ...], *, sources: Sequence[str]) -> Path:
    """The folder, made if need be, once it is sure that all files can be put there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder} cannot be a folder ({error.strerror}); name another place.") from error
    for name in (*(f"{config.backbone}.png" for config in configs), SHEET, REPORT, STEPS, RECORDS):
        check_writable(folder / name, sources=sources)
    return folder


def _run(
    config: TransferConfig,
    content: Picture,
    style: Picture,
    *,
    models: Models,
    stop: Event,
    options: argparse.Namespace,
) -> tuple[Run, bool]:
    """One backbone's run, and whether its picture is in its place, which it is as soon as it is done."""
    from nst_core.transfer import run

    material = models.material(config, content, style)
    with progress_bar(config.steps, quiet=options.quiet) as show:
        finished = run(material, on_step=show, stop=stop.is_set)
    record, path = finished.record, options.output / f"{config.backbone}.png"
    if finished.picture is None:
        return finished, True
    if not options.quiet:
        tell_notes(record.notes)
    put = _put(path, encode_png(finished.picture, settings=record.settings()))
    if put and not options.quiet:
        tell(closing_line(path, record))
    return finished, put


def _write(comparison: Comparison, folder: Path) -> bool:
    """What is made of all runs together; whether it is in its place."""
    put = [
        _put(folder / SHEET, contact_sheet(comparison)),
        _put(folder / REPORT, html_report(comparison).encode()),
        _put(folder / STEPS, steps_csv(comparison.records).encode()),
        _put(folder / RECORDS, records_json(comparison.records).encode()),
    ]
    return all(put)


def _put(path: Path, data: bytes) -> bool:
    """Write a file, its folder made anew if it has gone; whether it is there. It is told where else it is."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    told = write_or_rescue(path, data)
    tell_notes([told] if told else [])
    return not told


def _closing(
    comparison: Comparison,
    configs: tuple[TransferConfig, ...],
    folder: Path,
    *,
    stopped: bool,
    quiet: bool,
) -> int:
    made = sum(run.picture is not None for run in comparison.runs)
    if stopped:
        tell_notes([f"stopped; kept {made} of {len(configs)} pictures in {folder}."])
        return STOPPED
    failed = [record for record in comparison.records if not record.best_step]
    for record in failed:
        tell_notes([f"{find_backbone(record.config.backbone).label}: {' '.join(record.notes)}"])
    if not quiet:
        tell(f"{folder / REPORT}: all of it side by side; {SHEET} is the same in one picture.")
    return FAILED if failed else DONE
