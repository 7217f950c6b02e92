"""Where weights come from: ImageNet through Keras' cache, the bundled sketches, a file, or a seed."""

import hashlib
import http.client
import json
import os
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO, Literal

import numpy as np

from nst_core.backbones import Backbone
from nst_core.choices import WEIGHTS_SOURCES
from nst_core.errors import WeightsError
from nst_core.networks import Network, fold, keras_model, random_network
from nst_core.records import WeightsSource

State = Literal["present", "absent", "damaged"]
Progress = Callable[[int, int], None]

IMAGENET_HOST = "https://storage.googleapis.com/tensorflow/keras-applications"
SKETCHES = Path(__file__).resolve().parent.parent / "assets" / "sketch"
TIMEOUT = 15  # seconds without a byte
CHUNK = 1 << 18  # bytes

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


def imagenet_path(backbone: Backbone) -> Path:
    """Where Keras keeps this backbone's no-top file: $KERAS_HOME/models, by default ~/.keras/models."""
    home = os.environ.get("KERAS_HOME") or str(Path.home() / ".keras")
    return Path(home) / "models" / backbone.imagenet_file


def imagenet_state(backbone: Backbone) -> State:
    """Whether the ImageNet file is on disk and whole (by the MD5 that Keras publishes for it)."""
    path = imagenet_path(backbone)
    if not path.is_file():
        return "absent"
    status = path.stat()
    digest = _digests(str(path), status.st_size, status.st_mtime_ns)[0]
    return "present" if digest == backbone.imagenet_md5 else "damaged"


@lru_cache(maxsize=16)
def _digests(path: str, size: int, modified: int) -> tuple[str, str]:  # noqa: ARG001  the key that spots a change
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
    return md5.hexdigest(), sha256.hexdigest()


def download_imagenet(
    backbone: Backbone, *, progress: Progress = lambda done, size: None, host: str = IMAGENET_HOST
) -> Path:
    """Fetch the ImageNet file into Keras' cache; `progress` gets (bytes so far, bytes in all, 0 if unknown).

    The bytes go to a temporary file beside the target, are checked, and only then take its name, so that an
    interrupted or wrong download leaves nothing behind. WeightsError says what went wrong.
    """
    target = imagenet_path(backbone)
    url = f"{host}/{backbone.imagenet_folder}/{backbone.imagenet_file}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    except OSError as error:
        raise WeightsError(
            f"Weights cannot be saved in {target.parent}; set KERAS_HOME to a folder that can be written."
        ) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _fetch(url, file, progress)
        if digest != backbone.imagenet_md5:
            raise WeightsError(
                f"The {backbone.label} weights arrived damaged (MD5 {digest[:8]}…, expected"
                f" {backbone.imagenet_md5[:8]}…); try again."
            )
        temporary.replace(target)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection open
        raise WeightsError(
            f"The {backbone.label} ImageNet weights could not be downloaded ({_reason(error)}); go online and"
            f" try again, put {backbone.imagenet_file} into {target.parent}, or use the sketch weights."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _fetch(url: str, file: IO[bytes], progress: Progress) -> str:
    digest, done = hashlib.md5(usedforsecurity=False), 0
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        size = response.length or 0
        while chunk := response.read(CHUNK):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress(done, size)
    return digest.hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code}"
    reason = getattr(error, "reason", None)
    if isinstance(error, TimeoutError) or isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT} s"
    return str(reason or getattr(error, "strerror", None) or error or type(error).__name__)


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
    digest = _digests(str(path), status.st_size, status.st_mtime_ns)[1]
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
