"""The ImageNet weights on this disk, in Keras' own cache, and how to get them there."""

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO, Literal

from nst_core.backbones import Backbone
from nst_core.errors import WeightsError

State = Literal["present", "absent", "damaged"]
Progress = Callable[[int, int], None]

IMAGENET_HOST = "https://storage.googleapis.com/tensorflow/keras-applications"
TIMEOUT = 15  # seconds without a byte
CHUNK = 1 << 18  # bytes


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
    digest = file_digests(str(path), status.st_size, status.st_mtime_ns)[0]
    return "present" if digest == backbone.imagenet_md5 else "damaged"


@lru_cache(maxsize=16)
def file_digests(path: str, size: int, modified: int) -> tuple[str, str]:  # noqa: ARG001
    """(MD5, SHA-256) of a file; its size and time of change (ns) are what a later answer is kept under."""
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
