"""The same things from a shell: `nst transfer`, `nst weights`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Any, get_args

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.config import PRESETS, Balance, Canvas, Padding, Pooling, Start, TransferConfig, find_preset
from nst_core.errors import ConfigError, NSTError
from nst_core.records import Step

if TYPE_CHECKING:
    from nst_core.transfer import Run

DONE, FAILED, BAD_INPUT, STOPPED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0 done, 1 no picture, 2 bad input, 130 stopped by Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except NSTError as error:
        sys.stderr.write(f"nst: {error}\n")
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("nst: broken off.\n")
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nst", description="Neural style transfer by optimisation on VGG16, VGG19 and ResNet50."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_transfer(commands)
    _add_weights(commands)
    return parser


def _add_transfer(commands: Any) -> None:
    command = commands.add_parser("transfer", help="paint one picture in the manner of another")
    command.add_argument("content", metavar="CONTENT", help="path of a picture, or a sample's name")
    command.add_argument("style", metavar="STYLE", help="path of a picture, or a sample's name")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.png")
    command.add_argument("--record", type=Path, metavar="OUT.json", help="write the run's record here too")
    command.add_argument("--quiet", action="store_true", help="no progress bar, no closing line")
    add_settings(command)
    command.set_defaults(command=_transfer)


def add_settings(command: argparse.ArgumentParser) -> None:
    """The options that become a TransferConfig, for any command that makes runs."""
    add = command.add_argument
    add("--preset", choices=list(PRESETS), default="standard", help="size and steps (default: standard)")
    add("--backbone", choices=list(BACKBONES), default=None, help="the network (default: vgg19)")
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


def _transfer(options: argparse.Namespace) -> int:
    from nst_core.pictures import open_picture
    from nst_core.store import check_writable

    config = make_config(options)
    if options.output.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise ConfigError(f"The output must end in .png or .jpg; received {options.output.name!r}.")
    if options.record == options.output:
        raise ConfigError(f"The picture and the record cannot both be {options.output}; name two files.")
    for path in filter(None, (options.output, options.record)):
        check_writable(path)
    content, style = open_picture(options.content), open_picture(options.style)
    _import_tensorflow()
    with stopping_by_interrupt() as stop, progress_bar(config.steps, quiet=options.quiet) as show:
        from nst_core.material import prepare
        from nst_core.transfer import run

        finished = run(prepare(config, content, style), on_step=show, stop=stop.is_set)
    return _keep(finished, options)


def _keep(finished: Run, options: argparse.Namespace) -> int:
    from nst_core.images import encode_jpeg, encode_png
    from nst_core.store import write_atomically

    record, picture = finished.record, finished.picture
    if picture is not None:
        png = options.output.suffix.lower() == ".png"
        data = encode_png(picture, settings=record.settings()) if png else encode_jpeg(picture)
        write_atomically(options.output, data)
    if options.record:
        write_atomically(options.record, record.to_json().encode())
    if picture is None and record.ending != "stopped":
        sys.stderr.write(f"nst: {' '.join(record.notes)}\n")
        return FAILED
    if record.ending == "stopped":
        kept = f"kept the best picture, of step {record.best_step}, in {options.output}"
        sys.stderr.write(f"nst: stopped; {kept if picture is not None else 'before the first picture'}.\n")
        return STOPPED
    if not options.quiet:
        sys.stdout.write(
            f"{options.output}: {find_backbone(record.config.backbone).label}, {record.weights.label},"
            f" {len(record.steps)} steps in {record.seconds:.1f} s, best at step {record.best_step}.\n"
        )
    return DONE


def _import_tensorflow() -> None:
    """Import it without its start-up messages, which are not the user's concern.

    The variable quiets most of them. What its C++ parts log before they have read it goes to file descriptor
    2 itself, which is turned away meanwhile; what they said is told after all if the import fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
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


def _add_weights(commands: Any) -> None:
    command = commands.add_parser("weights", help="which weights are here; fetch ImageNet's")
    command.add_argument(
        "--get", choices=[*BACKBONES, "all"], help="download the ImageNet weights of this backbone"
    )
    command.set_defaults(command=_weights)


def _weights(options: argparse.Namespace) -> int:
    from nst_core.weights import download_imagenet, imagenet_path, imagenet_state

    wanted = list(BACKBONES) if options.get == "all" else [options.get] if options.get else []
    for name in wanted:
        if imagenet_state(find_backbone(name)) != "present":
            download_imagenet(find_backbone(name))
    for backbone in BACKBONES.values():
        state = imagenet_state(backbone)
        where = imagenet_path(backbone)
        sys.stdout.write(
            f"{backbone.label}: ImageNet weights {state} ({backbone.imagenet_megabytes} MB, {where})\n"
        )
    return DONE
