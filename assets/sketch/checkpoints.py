"""One file holds all that training needs to go on: network, batch statistics, optimiser state, step."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

NAME = "checkpoint.npz"


class CheckpointError(ValueError):
    """A checkpoint that this training cannot go on from; the message says what to do."""


def save(
    folder: Path, variables: list[Any], *, settings: Mapping[str, Any], step: int, seconds: float
) -> None:
    """Write the checkpoint whole or not at all; settings, which JSON carries: what the training is by."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "checkpoint.part.npz"
    arrays: dict[str, Any] = {f"v{index}": np.asarray(variable) for index, variable in enumerate(variables)}
    np.savez(part, settings=json.dumps(dict(settings)), step=step, seconds=seconds, **arrays)
    part.replace(folder / NAME)


def restore(folder: Path, variables: list[Any], *, settings: Mapping[str, Any]) -> tuple[int, float]:
    """Fill the variables from the checkpoint; its step and seconds, or (0, 0.0) if there is none.

    CheckpointError if it is of other variables or by other settings.
    """
    path = folder / NAME
    if not path.exists():
        return 0, 0.0
    with np.load(path, allow_pickle=False) as stored:
        shapes = [stored[name].shape for name in stored.files if name.startswith("v")]
        if "settings" not in stored.files or shapes != [tuple(variable.shape) for variable in variables]:
            raise CheckpointError(
                f"{path} is of another network or an older trainer; move it away to begin anew."
            )
        _refuse_others(path, json.loads(str(stored["settings"])), settings)
        for index, variable in enumerate(variables):
            variable.assign(stored[f"v{index}"])
        return int(stored["step"]), float(stored["seconds"])


def _refuse_others(path: Path, held: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    for name in sorted({*held, *asked}):
        if held.get(name) != asked.get(name):
            raise CheckpointError(
                f"{path} was trained with {name.replace('_', ' ')} {held.get(name)}, not {asked.get(name)};"
                " ask for the same again, or move it away to begin anew."
            )
