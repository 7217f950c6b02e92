"""What every command that makes runs needs: options, a progress bar, and a quiet end on Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from threading import Event
from types import FrameType
from typing import Any, get_args

from nst_core.config import PRESETS, Balance, Canvas, Padding, Pooling, Start, TransferConfig, find_preset
from nst_core.records import Step

DONE, FAILED, BAD_INPUT, STOPPED = 0, 1, 2, 130


def add_settings(command: argparse.ArgumentParser) -> None:
    """The options that become a TransferConfig, but for the backbone, for any command that makes runs."""
    add = command.add_argument
    add("--preset", choices=list(PRESETS), default="standard", help="size and steps (default: standard)")
    add("--weights", metavar="auto|imagenet|sketch|random|PATH", default=None)
    add("--size", type=int, help="longest side of the picture made, pixels")
    add("--steps", type=int, help="updates of the picture in all, shared out over the ladder of sizes")
    add("--seed", type=int)
    add("--canvas", choices=get_args(Canvas), help="what is optimised (default: fourier)")
    add("--balance", choices=get_args(Balance), help="how the losses are scaled (default: relative)")
    add("--content-weight", type=float, help="alpha: keep the content's structure")
    add("--style-weight", type=float, help="beta: take on the style")
    add("--tv-weight", type=float, dest="variation_weight", help="gamma: smooth the picture")
    add("--learning-rate", type=float)
    add("--init", choices=get_args(Start), help="what the picture starts from (default: content)")
    add("--padding", choices=get_args(Padding), help="what the network sees beyond the picture's border")
    add("--pooling", choices=get_args(Pooling))
    add("--single-size", action="store_false", dest="ladder", default=None, help="no ladder of sizes")


def make_config(options: argparse.Namespace) -> TransferConfig:
    """The settings of parsed options: the preset's, overridden by whatever was named."""
    preset = find_preset(options.preset)
    settings: dict[str, Any] = {"size": preset.size, "steps": preset.steps}
    for field in fields(TransferConfig):
        value = getattr(options, field.name, None)
        if value is not None:
            settings[field.name] = value
    return TransferConfig(**settings)


def import_tensorflow() -> None:
    """Import it without its start-up messages, which are not the user's concern.

    The variable quiets most of them. What its C++ parts log before they have read it goes to file descriptor
    2 itself, which is turned away meanwhile; what they said is told after all if the import fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # saves importing Keras, which only weight files need
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except ImportError:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def stopping_by_interrupt() -> Iterator[Event]:
    """An event that the first Ctrl-C sets; a second one breaks off at once."""
    stop = Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress_bar(steps: int, *, quiet: bool) -> Iterator[Callable[[Step], None]]:
    """A live bar with loss and time left on a terminal; nothing when piped or quiet."""
    if quiet or not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("step"), MofNCompleteColumn(), BarColumn(), TextColumn("loss {task.fields[loss]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=steps, loss="–")
        yield lambda step: progress.update(task, completed=step.index, loss=f"{step.total:.4g}")
