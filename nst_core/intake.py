"""The one door for pictures from outside: bytes or a path in, a checked Picture or an ImageError out."""

import hashlib
import io
import math
import os
import re
import threading
import warnings
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

from nst_core.decoding import FLAT_MODES, Decoded, decode, finish
from nst_core.errors import ImageError
from nst_core.images import PILLOW_FAILURES, PNG_SIGNATURE, Picture, safe_name

WORKING_SIDE = 2048  # pixels; a larger picture is shrunk to this as it is read
MAX_UPLOAD_BYTES = 25_000_000
MAX_SIDE = 20_000  # pixels
MIN_SIDE = 32  # pixels: the least the backbones can take
MAX_ASPECT = 20
MAX_MEGAPIXELS = 100
# Decoding a WebP costs 16 bytes a pixel, a TIFF 8 and more, a progressive JPEG 10, against 4 for the others.
MAX_MEGAPIXELS_OF = MappingProxyType({"WEBP": 25, "TIFF": 25, "progressive JPEG": 40})
MAX_JPEG_SCANS = 50  # each scan walks over the whole picture, so thousands would take minutes

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
REMEDY = "save it as JPEG, PNG or WebP and choose that file"

_ACCEPTED_STARTS = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|GIF8|BM|II\*\0|MM\0\*", re.DOTALL
)
_OTHER_KINDS = (
    (
        re.compile(rb".{4}ftyp(?:hei|hev|mif1|msf1)", re.DOTALL),
        "a HEIC picture",
        "export as JPEG and choose that file",
    ),
    (re.compile(rb".{4}ftypavi", re.DOTALL), "an AVIF picture", REMEDY),
    (re.compile(rb"%PDF-"), "a PDF document", REMEDY),
    (re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"), "an EPS or PostScript drawing", REMEDY),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[?!][^<]{0,999})*<svg", re.IGNORECASE), "an SVG drawing", REMEDY),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive or office document", REMEDY),
    (re.compile(rb"8BPS"), "a Photoshop document", REMEDY),
    (re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"), "a JPEG 2000 picture", REMEDY),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "), "a JPEG XL picture", REMEDY),
    (re.compile(rb"\x00\x00\x01\x00"), "an icon", REMEDY),
    (re.compile(rb"SIMPLE  ="), "a FITS file", REMEDY),
    (re.compile(rb"[\t\n\r -~\x80-\xff]+\Z"), "text", "choose a JPEG, PNG or WebP picture"),
)

# Pictures are decoded one at a time, in all threads together: ten visitors then cost the memory of one, and
# warnings.catch_warnings, which changes the whole process, is never entered twice at once.
_ONE_AT_A_TIME = threading.Lock()


def read_picture(
    source: bytes | str | os.PathLike[str], *, name: str | None = None, longest_side: int | None = None
) -> Picture:
    """Read a JPEG, PNG, WebP, TIFF, BMP or GIF, whatever its name says, and check it.

    source: the bytes of the file, or its path. name: what to call it; the file's own name when None.
    longest_side: pixels; a larger picture is shrunk to it as it is read, WORKING_SIDE when None; never
    enlarged. Raises ImageError, one sentence with the limit and the remedy, for anything but a sound picture.
    """
    limit = WORKING_SIDE if longest_side is None else longest_side
    label = safe_name(name if name is not None else "" if isinstance(source, bytes) else os.fspath(source))
    data = source if isinstance(source, bytes) else _read_file(Path(source), label)
    _refuse_bytes(data, label)
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, about sizes and metadata: the checks here decide
        try:
            decoded = _decode(data, label, limit)
            upright, original_size, notes = finish(decoded)
        except PILLOW_FAILURES as error:
            raise ImageError(_explain(error, data, label)) from error
    pixels = np.asarray(upright).astype(np.float32)
    pixels /= 255.0
    return Picture(
        pixels=pixels,
        name=label,
        sha256=hashlib.sha256(data).hexdigest(),
        original_size=original_size,
        notes=notes,
    )


def _read_file(path: Path, label: str) -> bytes:
    try:
        if path.is_dir():
            raise ImageError(f"{label} is a folder; name a picture in it.")
        if not path.is_file():
            raise ImageError(f"{label} is not a file that can be found; check the path.")
        with path.open("rb") as file:
            return file.read(MAX_UPLOAD_BYTES + 1)
    except OSError as error:
        raise ImageError(
            f"{label} cannot be read ({error.strerror}); check the path and its permissions."
        ) from error


def _refuse_bytes(data: bytes, label: str) -> None:
    if not data:
        raise ImageError(f"{label} is empty (0 bytes); choose the file again.")
    if len(data) > MAX_UPLOAD_BYTES:
        raise ImageError(
            f"{label} is larger than the limit of {MAX_UPLOAD_BYTES // 1_000_000} MB; "
            "save it smaller or as JPEG and choose that file."
        )
    # Within pixel data JPEG never holds this pair, so it counts scans (and those of a thumbnail).
    scans = data.count(b"\xff\xda") if data.startswith(b"\xff\xd8") else 0
    if scans > MAX_JPEG_SCANS:
        raise ImageError(f"{label} has {scans} JPEG scans and the limit is {MAX_JPEG_SCANS}; {REMEDY}.")


def _refuse_header(image: Image.Image, label: str) -> None:
    """Judge size and kind before a pixel is decoded."""
    width, height = image.size
    kind = "progressive JPEG" if image.info.get("progressive") else image.format or ""
    ceiling = MAX_MEGAPIXELS_OF.get(kind, MAX_MEGAPIXELS)
    fact = f"{label} is {width} x {height} pixels"
    megapixels = math.ceil(width * height / 1e5) / 10  # up, so that no refusal shows the limit itself
    if width * height > ceiling * 1_000_000:
        what = f"a {kind}" if kind in MAX_MEGAPIXELS_OF else "a picture"
        raise ImageError(
            f"{fact} ({megapixels} megapixels) and the limit for {what} is {ceiling}; shrink it first."
        )
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"{fact} and the limit is {MAX_SIDE} on a side; shrink it first.")
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{fact} and each side must be at least {MIN_SIDE}; choose a larger picture.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(
            f"{fact} and the longer side may be at most {MAX_ASPECT} times the shorter; crop it first."
        )
    if image.mode not in FLAT_MODES:
        raise ImageError(
            f"{label} stores its colours in a way that is not read here ({image.mode}); {REMEDY}."
        )


def _decode(data: bytes, label: str, limit: int) -> Decoded:
    """Open, judge the header, then decode; the full-size picture is let go on return."""
    if data.startswith(PNG_SIGNATURE):
        _verify_png(data)
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _refuse_header(image, label)
        return decode(image, longest_side=limit)


def _verify_png(data: bytes) -> None:
    """Check the checksum of every chunk, which decoding alone does not."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        if not image.tile:
            raise OSError("no pixel data")
        image.verify()


def _explain(error: BaseException, data: bytes, label: str) -> str:
    """One sentence: the file, the fact, the remedy."""
    if isinstance(error, Image.DecompressionBombError):
        count = re.search(r"\d+", str(error))
        size = f"{int(count[0]) / 1e6:.0f}" if count else "too many"
        return f"{label} claims {size} megapixels and the limit is {MAX_MEGAPIXELS}; shrink it first."
    if isinstance(error, MemoryError):
        return f"{label} needs more memory than there is; shrink it first."
    if isinstance(error, ValueError) and "too large" in str(error):
        return (
            f"{label} holds over 1 MiB of compressed text or colour profile; save it again without metadata."
        )
    if _ACCEPTED_STARTS.match(data):
        return f"{label} is damaged or incomplete and cannot be decoded; export or download it again."
    for start, kind, remedy in _OTHER_KINDS:
        if start.match(data[:4096]):
            return f"{label} is {kind}, which is not read here; {remedy}."
    return f"{label} is not a picture that can be read; choose a JPEG, PNG or WebP picture."
