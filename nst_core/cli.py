"""The same things from a shell: `nst transfer`, `nst compare`, `nst weights`, `nst bench`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.cli_bench import add_bench
from nst_core.cli_compare import add_compare
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
from nst_core.cli_words import Parser, closing_line, tell, tell_notes
from nst_core.errors import ConfigError, NSTError

if TYPE_CHECKING:
    from nst_core.transfer import Run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0 done, 1 no picture, 130 stopped by Ctrl-C, 2 bad input or no
    room for a file where it was wanted."""
    try:
        options = _parser().parse_args(arguments)
        return int(options.command(options))
    except NSTError as error:
        tell_notes([str(error)])
        return BAD_INPUT
    except KeyboardInterrupt:
        tell_notes(["broken off."])
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="nst", description="Neural style transfer by optimisation on VGG16, VGG19 and ResNet50."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_transfer(commands)
    add_compare(commands)
    _add_weights(commands)
    add_bench(commands)
    return parser


def _add_transfer(commands: Any) -> None:
    command = commands.add_parser("transfer", help="paint one picture in the manner of another")
    command.add_argument("content", metavar="CONTENT", help="path of a picture, or a sample's name")
    command.add_argument("style", metavar="STYLE", help="path of a picture, or a sample's name")
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT.png",
        help="where the picture goes; a PNG holds its settings too, a JPEG does not",
    )
    command.add_argument("--record", type=Path, metavar="OUT.json", help="write the run's record here too")
    command.add_argument("--quiet", action="store_true", help="no progress bar, no notes, no closing line")
    command.add_argument("--backbone", choices=list(BACKBONES), help="the network (default: vgg19)")
    add_settings(command)
    command.set_defaults(command=_transfer)


def _transfer(options: argparse.Namespace) -> int:
    from nst_core.pictures import open_picture
    from nst_core.store import check_writable

    config = make_config(options)
    if options.output.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise ConfigError(f"The output must end in .png or .jpg; received {str(options.output)!r}.")
    for path in filter(None, (options.output, options.record)):
        check_writable(path, sources=(options.content, options.style))
    if options.record and options.record.resolve() == options.output.resolve():
        raise ConfigError(f"The picture and the record cannot both be {options.output}; name two files.")
    content, style = open_picture(options.content), open_picture(options.style)
    import_tensorflow()
    with stopping_by_interrupt() as stop, progress_bar(config.steps, quiet=options.quiet) as show:
        from nst_core.material import prepare
        from nst_core.transfer import run

        finished = run(prepare(config, content, style), on_step=show, stop=stop.is_set)
    return _keep(finished, options)


def _keep(finished: Run, options: argparse.Namespace) -> int:
    """Write what there is, and say how it went; the exit code."""
    record, picture = finished.record, finished.picture
    if not options.quiet and picture is not None:
        tell_notes(record.notes)
    in_place = _write(finished, options)
    if record.ending == "stopped":
        place = f", in {options.output}" if in_place else ""
        kept = f"kept the best picture, of step {record.best_step}{place}"
        tell_notes([f"stopped; {'before the first picture' if picture is None else kept}."])
        return STOPPED
    if picture is None:
        tell_notes([" ".join(record.notes)])
        return FAILED
    if in_place and not options.quiet:
        tell(closing_line(options.output, record))
    return DONE if in_place else BAD_INPUT


def _write(finished: Run, options: argparse.Namespace) -> bool:
    """Write the picture and the record; whether both are in their places. It is told where else they are."""
    from nst_core.images import encode_jpeg, encode_png
    from nst_core.store import write_or_rescue

    record, picture = finished.record, finished.picture
    files: dict[Path, bytes] = {}
    if picture is not None:
        png = options.output.suffix.lower() == ".png"
        files[options.output] = (
            encode_png(picture, settings=record.settings()) if png else encode_jpeg(picture)
        )
    # Stopped before the first picture: what an earlier run left belongs together and stays.
    if options.record and (picture is not None or record.ending != "stopped"):
        files[options.record] = record.to_json().encode()
    in_place = True
    for path, data in files.items():
        if sentence := write_or_rescue(path, data):
            tell_notes([sentence])
            in_place = False
    return in_place


def _add_weights(commands: Any) -> None:
    command = commands.add_parser("weights", help="which weights are here; fetch ImageNet's")
    command.add_argument(
        "--get", choices=[*BACKBONES, "all"], help="download the ImageNet weights of this backbone"
    )
    command.set_defaults(command=_weights)


def _weights(options: argparse.Namespace) -> int:
    from nst_core.cli_run import download_bar
    from nst_core.imagenet import download_imagenet, imagenet_path, imagenet_state

    wanted = list(BACKBONES) if options.get == "all" else [options.get] if options.get else []
    for name in wanted:
        backbone = find_backbone(name)
        if imagenet_state(backbone) != "present":
            with download_bar(backbone.label) as progress:
                download_imagenet(backbone, progress=progress)
    for backbone in BACKBONES.values():
        state = imagenet_state(backbone)
        where = imagenet_path(backbone)
        tell(f"{backbone.label}: ImageNet weights {state} ({backbone.imagenet_megabytes} MB, {where})")
    return DONE
