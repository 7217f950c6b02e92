"""Write trained weights: <backbone>.npz (float16 arrays) and <backbone>.json (how they were made)."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from assets.sketch.atlas import Atlas
from assets.sketch.calibration import Array, calibrated
from assets.sketch.crops import FROST, preprocess
from assets.sketch.objective import GRAM_HEADS, HEADS, SIDE_HEADS
from nst_core.networks import Arrays, fold

if TYPE_CHECKING:
    from assets.sketch.train import Training

LARGEST = 4 * 1000 * 1000  # bytes
CURVE_POINTS = 60
CALIBRATION_PICTURES = 96


def export(
    training: "Training", atlas: Atlas, backbone: str, folder: Path, *, notes: Mapping[str, Any]
) -> None:
    """Settle, fold, calibrate and write; ValueError if the file would be larger than the repository wants."""
    training.settle()
    architecture = training.architecture
    arrays = calibrated(architecture.folded(), fold(training.body, architecture), calibration_pictures(atlas))
    packed = pack(arrays)
    if len(packed) > LARGEST:
        raise ValueError(
            f"The weights take {len(packed)} bytes and at most {LARGEST} fit; train a smaller --width."
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{backbone}.npz").write_bytes(packed)
    facts = describe(training, atlas, backbone, packed) | dict(notes)
    (folder / f"{backbone}.json").write_text(json.dumps(facts, indent=1) + "\n")


def calibration_pictures(atlas: Atlas, count: int = CALIBRATION_PICTURES) -> Array:
    """Pictures [n, S, S, 3] of the atlas, preprocessed; more of those that come first, the photographs."""
    chosen = np.unique((np.linspace(0, 1, count) ** 2 * (len(atlas.pictures) - 1)).astype(int))
    return np.asarray(preprocess(atlas.pictures[chosen].astype(np.float32)))


def pack(arrays: Arrays) -> bytes:
    """The bytes of an npz of float16 arrays named `<layer>/kernel` and `<layer>/bias`."""
    buffer = BytesIO()
    named = {
        f"{name}/{part}": array.astype(np.float16)
        for name, pair in arrays.items()
        for part, array in zip(("kernel", "bias"), pair, strict=True)
    }
    np.savez(buffer, allow_pickle=False, **named)
    return buffer.getvalue()


def describe(training: "Training", atlas: Atlas, backbone: str, packed: bytes) -> dict[str, Any]:
    """How the weights were made: enough to make them again."""
    curve = training.curve
    kept = curve[:: max(1, len(curve) // CURVE_POINTS)]
    backend = keras.backend.backend()
    versions = {name: version(name) for name in ("keras", "numpy", "scikit-image")}
    versions |= {backend: import_module(backend).__version__, "python": platform.python_version()}
    return {
        "backbone": backbone,
        "width": training.architecture.width,
        "sha256": hashlib.sha256(packed).hexdigest(),
        "padding": "zero",
        "preprocessing": "caffe",
        "seed": training.plan.seed,
        "pictures": len(atlas.pictures),
        "classes": len(atlas.cells),
        "accuracy": round(training.accuracy(), 4),
        "seconds": round(training.seconds),
        "training": asdict(training.plan)
        | {"heads": HEADS, "gram_heads": GRAM_HEADS, "side_heads": SIDE_HEADS}
        | {"spoiled": training.sampler.spoiled, "frost": FROST, "grain": training.sampler.grain},
        "versions": versions,
        "curve": [
            {
                "step": p.step,
                "loss": round(p.loss, 3),
                "right": round(p.right, 4),
                "seconds": round(p.seconds),
            }
            for p in kept
        ],
    }
