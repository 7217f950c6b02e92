"""What the commands say: refusals in one sentence, notes, and a line of what was made."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from nst_core.backbones import find_backbone
from nst_core.errors import ConfigError
from nst_core.records import RunRecord


class Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what is wrong, as everything else does."""

    def error(self, message: str) -> NoReturn:
        """ConfigError."""
        raise ConfigError(f"{message[:1].upper()}{message[1:]}; `{self.prog} --help` lists what there is.")


def tell(line: str) -> None:
    """A line on standard output; where nobody can read it any more, work and files go on without."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:
        # What is held back would be tried again, and fail again, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell_notes(notes: Iterable[str]) -> None:
    """What a person should know of a picture or a run, on standard error."""
    for note in notes:
        sys.stderr.write(f"nst: {note}\n")


def closing_line(path: Path, record: RunRecord) -> str:
    """What was made, of what, and how long it took."""
    count = len(record.steps)
    return (
        f"{path}: {find_backbone(record.config.backbone).label}, {record.weights.label},"
        f" {count} step{'' if count == 1 else 's'} in {record.seconds:.1f} s,"
        f" best at step {record.best_step}."
    )
