"""What every command that makes runs needs: options, a progress bar, and a quiet end on Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from threading import Event
from types import FrameType
from typing import get_args

from nst_core.choices import (
    Balance,
    Canvas,
    Finish,
    LayerWeights,
    Optimiser,
    Padding,
    Pooling,
    Precision,
    Smoothing,
    Start,
    Statistic,
    Variation,
    weigh_alike,
)
from nst_core.cli_words import watched
from nst_core.config import TransferConfig
from nst_core.errors import ConfigError
from nst_core.presets import PRESETS, find_preset
from nst_core.records import Step
from nst_core.system import settle_tensorflow

DONE, FAILED, BAD_INPUT, STOPPED = 0, 1, 2, 130


def add_settings(command: argparse.ArgumentParser) -> None:
    """The options that become a TransferConfig, but for the backbone, for any command that makes runs."""
    add = command.add_argument
    add(
        "--preset",
        choices=list(PRESETS),
        default="standard",
        help="size, steps and what goes with them (default: standard)",
    )
    add(
        "--weights",
        metavar="auto|imagenet|sketch|random|PATH",
        help="what the network learnt from (default: auto, ImageNet's where they are, else sketch)",
    )
    add("--size", type=int, help="longest side of the picture made, pixels")
    add("--steps", type=int, help="updates of the picture in all, shared out over the ladder of sizes")
    add("--seed", type=int, help="the same seed and settings give the same picture (default: 0)")
    add("--init", choices=get_args(Start), help="what the picture starts from (default: content)")
    add("--single-size", action="store_false", dest="ladder", default=None, help="no ladder of sizes")
    _add_losses(command)
    _add_optimiser(command)
    _add_network(command)


def _add_losses(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("losses").add_argument
    add("--strength", type=float, help="of the style, 0 faithful to 100 wild; sets alpha (default: 75)")
    add("--content-weight", type=float, help="alpha: keep the content's structure; overrides --strength")
    add("--style-weight", type=float, help="beta: take on the style")
    add(
        "--tv-weight",
        type=float,
        dest="variation_weight",
        help="gamma: smooth the picture (default: by alpha)",
    )
    add("--variation", choices=get_args(Variation), help="how neighbours differ (default: squared)")
    add("--balance", choices=get_args(Balance), help="how the losses are scaled (default: relative)")
    add("--statistic", choices=get_args(Statistic), help="what of the style is matched (default: gram)")
    add("--style-scale", type=float, help="0.25 to 4: below 1 finer strokes, above coarser (default: 1)")
    for kind in ("style", "content"):
        add(
            f"--{kind}-layers",
            type=layer_weights,
            metavar="LAYER[=W],...",
            help=f"where the {kind} is measured, by which weights; vgg16:block1_conv1 is another network's",
        )


def _add_optimiser(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("optimiser").add_argument
    add("--canvas", choices=get_args(Canvas), help="what is optimised (default: fourier)")
    add("--optimiser", choices=get_args(Optimiser), help="what moves it (default: lbfgs)")
    add(
        "--finish",
        choices=get_args(Finish),
        help="lbfgs: the last size on pixels with L-BFGS (default: none)",
    )
    add("--learning-rate", type=float, help="how far each of Adam's steps goes (default: by canvas)")
    add("--jitter", type=int, help="pixels by which the picture is shifted between Adam's steps (default: 0)")
    add("--averaging", type=float, help="decay of a running average of the pictures (default: 0, none)")


def _add_network(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("network").add_argument
    add(
        "--smoothing",
        choices=get_args(Smoothing),
        help="softmax: smooth activations, for ResNet50 (default: none)",
    )
    add("--temperature", type=float, help="of that softmax; higher is smoother (default: 1)")
    add("--padding", choices=get_args(Padding), help="what it sees beyond the border (default: reflect)")
    add("--pooling", choices=get_args(Pooling), help="how maps are made smaller (default: average)")
    add("--precision", choices=get_args(Precision), help="of the convolutions (default: auto)")


def layer_weights(text: str) -> LayerWeights:
    """(layer, weight) pairs of "a=1,b=2", or of "a,b", which weigh alike and 1 in all.

    Whether there are such layers is checked with the other settings.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    named = [part.rpartition("=") for part in parts if "=" in part]
    if not parts or 0 < len(named) < len(parts):
        raise ConfigError(f"Name layers as a,b or all with weights as a=1,b=2; received {text!r}.")
    if not named:
        return weigh_alike(tuple(parts))
    try:
        return tuple((layer.strip(), float(weight)) for layer, _, weight in named)
    except ValueError as error:
        raise ConfigError(f"The weights of layers are numbers, as in a=1,b=2; received {text!r}.") from error


def make_config(options: argparse.Namespace, backbone: str | None = None) -> TransferConfig:
    """The settings of parsed options: the preset's, overridden by whatever was named.

    backbone: where the options name none.
    """
    preset = find_preset(options.preset)
    settings = preset.settings()
    for field in fields(TransferConfig):
        value = getattr(options, field.name, None)
        if value is not None:
            settings[field.name] = value
    if backbone is not None:
        settings["backbone"] = backbone
    return TransferConfig(**settings)


def import_tensorflow() -> None:
    """Import it without its start-up messages, which are not the user's concern.

    The variable quiets most of them. What its C++ parts log before they have read it goes to file descriptor
    2 itself, which is turned away meanwhile; what they said is told after all if the import fails.
    """
    settle_tensorflow()
    if sys.stderr is None:  # nor is there a descriptor 2; whoever computes imports TensorFlow
        return
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
    # It warns of one function traced often, where several networks are traced once each.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextmanager
def stopping_by_interrupt() -> Iterator[Event]:
    """An event that the first Ctrl-C or request to end (SIGTERM) sets; a second one breaks off."""
    stop = Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def download_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A live bar of bytes on a terminal; nothing when piped."""
    if not watched():
        yield lambda done, size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn(label), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, size: progress.update(task, completed=done, total=size or None)


@contextmanager
def progress_bar(steps: int, *, quiet: bool) -> Iterator[Callable[[Step], None]]:
    """A live bar with loss and time left on a terminal; nothing when piped or quiet."""
    if quiet or not watched():
        yield lambda step: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("step"), MofNCompleteColumn(), BarColumn(), TextColumn("loss {task.fields[loss]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=steps, loss="–")
        yield lambda step: progress.update(task, completed=step.index, loss=f"{step.total:.4g}")
