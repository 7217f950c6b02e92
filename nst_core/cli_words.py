"""What the commands say: refusals in one sentence, notes, and a line of what was made."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn, TextIO

from nst_core.backbones import find_backbone
from nst_core.errors import ConfigError
from nst_core.records import RunRecord


class Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what is wrong, as everything else does."""

    def error(self, message: str) -> NoReturn:
        """ConfigError."""
        # What a command does not know it hands up to the parser of all of them.
        command = f"{self.prog} COMMAND" if message.startswith("unrecognized") else self.prog
        raise ConfigError(f"{message[:1].upper()}{message[1:]}; `{command} --help` lists what there is.")


def tell(line: str) -> None:
    """A line on standard output."""
    _say(sys.stdout, line)


def tell_notes(notes: Iterable[str]) -> None:
    """What a person should know of a picture or a run, or what went wrong, on standard error."""
    for note in notes:
        _say(sys.stderr, f"nst: {note}")


def watched() -> bool:
    """Whether standard error is a terminal, where a person sees how far the work is."""
    return sys.stderr is not None and sys.stderr.isatty()


def _say(stream: TextIO | None, line: str) -> None:
    """Where nobody can read it any more, work and files go on without."""
    if stream is None:
        return
    try:
        stream.write(f"{line}\n")
        stream.flush()
    except UnicodeEncodeError:
        encoding = stream.encoding
        _say(stream, line.encode(encoding, "backslashreplace").decode(encoding))
    except OSError:
        # What is held back would be tried again, and fail again, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def closing_line(path: Path, record: RunRecord) -> str:
    """What was made, of what, and how long it took."""
    count = len(record.steps)
    return (
        f"{path}: {find_backbone(record.config.backbone).label}, {record.weights.label},"
        f" {count} step{'' if count == 1 else 's'} in {record.seconds:.1f} s,"
        f" best at step {record.best_step}."
    )
