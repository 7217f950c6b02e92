"""Where weights come from: ImageNet through Keras' cache, the bundled sketches, a file, or a seed."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np

from nst_core.backbones import Backbone
from nst_core.choices import WEIGHTS_SOURCES
from nst_core.errors import WeightsError
from nst_core.imagenet import Progress, download_imagenet, file_digests, imagenet_path, imagenet_state
from nst_core.networks import Network, fold, keras_model, random_network
from nst_core.records import WeightsSource

SKETCHES = Path(__file__).resolve().parent.parent / "assets" / "sketch"

# What Keras and HDF5 raise on files that are damaged or hold something else.
HDF5_FAILURES = (
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    zipfile.BadZipFile,
)


def sketch_path(backbone: Backbone) -> Path:
    """The bundled small network of this backbone (see assets/sketch)."""
    return SKETCHES / f"{backbone.name}.npz"


def choose_source(backbone: Backbone) -> tuple[str, str]:
    """What `auto` means here and now, and why: ImageNet where it is on disk, else sketch, else random.

    It never downloads: 234 MB are fetched only when asked for.
    """
    state = imagenet_state(backbone)
    if state == "present":
        return "imagenet", "the ImageNet weights are on this machine"
    why = "are not on this machine" if state == "absent" else "on this machine are damaged"
    if sketch_path(backbone).is_file():
        return "sketch", f"the ImageNet weights {why}"
    return "random", f"the ImageNet weights {why} and no sketch is bundled"


def expected_source(backbone: Backbone, weights: str) -> str:
    """The kind of weights that a run would use: imagenet, sketch, random or file, never auto."""
    if weights == "auto":
        return choose_source(backbone)[0]
    return weights if weights in WEIGHTS_SOURCES else "file"


def weights_identity(backbone: Backbone, weights: str) -> str:
    """What tells one set of weights from another, for caches: source, path and the file's age."""
    source = choose_source(backbone)[0] if weights == "auto" else weights
    paths = {"imagenet": imagenet_path(backbone), "sketch": sketch_path(backbone)}
    path = paths.get(source, Path(source).expanduser())
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    return f"{backbone.name}:{source}:{stamp}"


def load_network(
    backbone: Backbone,
    weights: str = "auto",
    *,
    seed: int = 0,
    width: float = 1.0,
    progress: Progress = lambda done, size: None,
) -> tuple[Network, WeightsSource]:
    """The network and where its weights came from.

    weights: auto, imagenet (downloaded when absent), sketch, random (`seed`, `width`), or a path to a file in
    Keras' no-top layout (.h5, .weights.h5, .keras). WeightsError in one sentence when that cannot be had.
    """
    note = ""
    if weights == "auto":
        weights, note = choose_source(backbone)
    if weights == "imagenet":
        if imagenet_state(backbone) != "present":
            download_imagenet(backbone, progress=progress)
        network, digest = _load_keras(backbone, imagenet_path(backbone))
    elif weights == "sketch":
        network, digest = _load_sketch(backbone)
    elif weights == "random":
        network = random_network(backbone.architecture(width), seed)
        digest = _array_digest(network)
    else:
        network, digest = _load_keras(backbone, Path(weights).expanduser())
    source = weights if weights in WEIGHTS_SOURCES else "file"
    return network, WeightsSource(
        source=source,
        sha256=digest,
        parameters=network.parameters,
        width=network.architecture.width,
        note=note,
    )


def _load_keras(backbone: Backbone, path: Path) -> tuple[Network, str]:
    if not path.is_file():
        raise WeightsError(
            f"There is no weights file at {path}; give auto, imagenet, sketch, random or the path of a file."
        )
    if not path.name.endswith((".h5", ".hdf5", ".keras")):
        raise WeightsError(f"{path.name} is not a Keras weights file; its name must end in .h5 or .keras.")
    architecture = backbone.architecture()
    model = keras_model(architecture, every_output=False)
    try:
        # Only arrays are read, also from .keras archives: no code of the file is run.
        model.load_weights(path)
    except HDF5_FAILURES as error:
        raise WeightsError(
            f"{path.name} is damaged or was not made for {backbone.label} without its top layers; fetch it"
            " again or choose other weights."
        ) from error
    status = path.stat()
    digest = file_digests(str(path), status.st_size, status.st_mtime_ns)[1]
    return _finite(Network(architecture.folded(), fold(model, architecture)), path.name), digest


def _load_sketch(backbone: Backbone) -> tuple[Network, str]:
    path = sketch_path(backbone)
    try:
        told = json.loads(path.with_suffix(".json").read_text("utf-8"))
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != told["sha256"]:
            raise ValueError("hash")
        architecture = backbone.architecture(float(told["width"])).folded()
        with np.load(path, allow_pickle=False) as file:
            arrays = {
                layer.name: (
                    file[f"{layer.name}/kernel"].astype(np.float32),
                    file[f"{layer.name}/bias"].astype(np.float32),
                )
                for layer in architecture.layers
                if layer.kind == "convolution"
            }
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"The bundled sketch weights of {backbone.label} are missing or damaged ({path.name}); install"
            " this program again, or choose other weights."
        ) from error
    return _finite(Network(architecture, arrays), path.name), told["sha256"]


def _finite(network: Network, name: str) -> Network:
    for layer, (kernel, bias) in network.arrays.items():
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise WeightsError(f"{name} holds numbers that are not finite, in {layer}; choose other weights.")
    return network


def _array_digest(network: Network) -> str:
    digest = hashlib.sha256()
    for name, arrays in sorted(network.arrays.items()):
        digest.update(name.encode())
        for array in arrays:
            digest.update(array.tobytes())
    return digest.hexdigest()


def expected_width(backbone: Backbone, weights: str) -> float:
    """The width multiplier of the network that these weights would give, without reading it."""
    source = choose_source(backbone)[0] if weights == "auto" else weights
    if source != "sketch":
        return 1.0
    try:
        return float(json.loads(sketch_path(backbone).with_suffix(".json").read_text("utf-8"))["width"])
    except (OSError, ValueError, KeyError, TypeError):
        return 1.0  # loading will say what is wrong
