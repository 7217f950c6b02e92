"""One file holds all that training needs to go on: network, batch statistics, optimiser state, step."""

from pathlib import Path
from typing import Any

import numpy as np

NAME = "checkpoint.npz"


class CheckpointError(ValueError):
    """A checkpoint that this training cannot go on from; the message says what to do."""


def save(folder: Path, variables: list[Any], *, step: int, seconds: float) -> None:
    """Write the checkpoint whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "checkpoint.part.npz"
    arrays: dict[str, Any] = {f"v{index}": np.asarray(variable) for index, variable in enumerate(variables)}
    np.savez(part, step=step, seconds=seconds, **arrays)
    part.replace(folder / NAME)


def restore(folder: Path, variables: list[Any]) -> tuple[int, float]:
    """Fill the variables from the checkpoint; its step and seconds, or (0, 0.0) if there is none.

    CheckpointError if it is of other variables.
    """
    path = folder / NAME
    if not path.exists():
        return 0, 0.0
    with np.load(path, allow_pickle=False) as stored:
        shapes = [stored[name].shape for name in stored.files if name.startswith("v")]
        if shapes != [tuple(variable.shape) for variable in variables]:
            raise CheckpointError(
                f"{path} is of another network or an older trainer; move it away to begin anew."
            )
        for index, variable in enumerate(variables):
            variable.assign(stored[f"v{index}"])
        return int(stored["step"]), float(stored["seconds"])
