"""Pictures as arrays: the checked Picture, sizes, resizing, and PNG or JPEG bytes to save."""

import io
import re
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from nst_core.errors import ImageError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_NAME_LENGTH = 60  # characters
MAX_SETTINGS = 64  # text entries taken back from one PNG
MAX_SETTING_LENGTH = 65_536  # characters an entry

# What Pillow raises on files it cannot read. It documents all but two: damaged GIF and TIFF files raise
# IndexError and TypeError, which Image.open itself expects of its readers.
PILLOW_FAILURES = (
    OSError,
    SyntaxError,
    ValueError,
    OverflowError,
    NotImplementedError,
    MemoryError,
    EOFError,
    IndexError,
    TypeError,
    struct.error,
    Image.DecompressionBombError,
)

# Path, HTML, Markdown, LaTeX and emoji-shortcode marks: a name is shown in all of those places.
_ACTIVE_CHARACTERS = re.compile(r"[<>\[\]{}\"'`$*~|:&#;%^\\/]")
_KEYWORD = re.compile(r"[!-~](?:[ -~]{0,77}[!-~])?")

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """A checked picture.

    pixels: float32 [H, W, 3] in [0, 1], sRGB, read-only. name: safe to show anywhere.
    sha256: of the bytes received. original_size: (width, height) of the file in pixels, upright.
    notes: what was done to it, in plain words.
    """

    pixels: Pixels = field(repr=False)
    name: str
    sha256: str
    original_size: tuple[int, int]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_pixels(self.pixels)
        view = self.pixels.view()  # a view, so that the caller's own array stays as it was
        view.flags.writeable = False
        object.__setattr__(self, "pixels", view)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of pixels."""
        height, width, _ = self.pixels.shape
        return width, height


def check_pixels(pixels: Pixels) -> None:
    """Raise ImageError unless pixels is a float32 [H, W, 3] array, no side 0, of finite numbers."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape or pixels.dtype != np.float32:
        raise ImageError(
            f"A picture must be a float32 array of shape [height, width, 3]; received {pixels.dtype} "
            f"of shape {list(pixels.shape)}."
        )
    if not np.isfinite(pixels).all():
        raise ImageError(
            "The picture holds values that are not finite numbers; run again with smaller steps."
        )


def fit_within(width: int, height: int, longest_side: int) -> tuple[int, int]:
    """(width, height) of the same shape whose longer side is exactly longest_side, in pixels; may enlarge.

    The shorter side is rounded to the nearest pixel, halves up, and is at least 1.
    Raises ImageError when a side given is below 1 pixel.
    """
    if min(width, height, longest_side) < 1:
        raise ImageError(
            f"A picture of {width} x {height} pixels cannot have a longest side of {longest_side}; "
            "every side must be at least 1 pixel."
        )
    longer = max(width, height)

    def scaled(side: int) -> int:
        return max(1, (2 * side * longest_side + longer) // (2 * longer))

    return scaled(width), scaled(height)


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resample to size = (width, height) with Lanczos-3, its support widened when shrinking against aliasing.

    pixels: float32 [H, W, 3] in [0, 1] -> float32 [height, width, 3], clipped to [0, 1] because the filter
    overshoots at edges. At their own size they are given back as they are, not copied.
    Raises ImageError when a side is below 1 pixel.
    """
    check_pixels(pixels)
    if min(size) < 1:
        raise ImageError(
            f"A picture cannot be resized to {size[0]} x {size[1]}; each side must be at least 1 pixel."
        )
    if size == (pixels.shape[1], pixels.shape[0]):
        return pixels
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(pixels[..., channel])).resize(size, Image.Resampling.LANCZOS)
        )
        for channel in range(3)
    ]
    resampled: Pixels = np.stack(channels, axis=-1).clip(0.0, 1.0)
    return resampled


def resize_longest(pixels: Pixels, longest_side: int) -> Pixels:
    """resize() so that the longer side is longest_side pixels, the shape kept; may enlarge."""
    check_pixels(pixels)
    height, width, _ = pixels.shape
    return resize(pixels, fit_within(width, height, longest_side))


def to_uint8(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """float32 [H, W, 3], clipped to [0, 1] -> uint8 [H, W, 3], rounded to the nearest of 256 levels.

    Raises ImageError for values that are not finite, which a cast would silently turn black.
    """
    check_pixels(pixels)
    levels: npt.NDArray[np.uint8] = np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
    return levels


def encode_png(pixels: Pixels, *, settings: Mapping[str, str] | None = None) -> bytes:
    """PNG bytes of float32 [H, W, 3] in [0, 1], 8 bits a channel, marked sRGB.

    settings become text entries, one a key; they are the only metadata. Keys are 1 to 79 printable ASCII
    characters without a space at either end, as the PNG standard asks; any other key raises ValueError.
    """
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\x00")  # rendering intent 0, perceptual
    for key, value in (settings or {}).items():
        if not _KEYWORD.fullmatch(key):
            raise ValueError(f"a PNG key must be 1 to 79 printable ASCII characters. Received: {key!r}")
        chunks.add_text(key, value)
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(pixels)).save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def encode_jpeg(pixels: Pixels, quality: int = 92) -> bytes:
    """JPEG bytes of float32 [H, W, 3] in [0, 1]; quality 1 to 95; 4:4:4 colour; no metadata."""
    if not 1 <= quality <= 95:
        raise ImageError(f"JPEG quality must be between 1 and 95; received {quality}.")
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(pixels)).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def read_settings(png_bytes: bytes) -> dict[str, str]:
    """Text entries of a PNG, as encode_png stored them; {} when there are none or the file is broken.

    The content is a stranger's: at most MAX_SETTINGS entries of at most MAX_SETTING_LENGTH characters come
    back, longer ones are left out, and no pixel is decoded. Raises ImageError only for bytes that do not
    start as a PNG does.
    """
    if not png_bytes.startswith(PNG_SIGNATURE):
        raise ImageError(
            "The file is not a PNG, so it holds no settings; choose a PNG that was saved by this program."
        )
    try:
        with Image.open(io.BytesIO(png_bytes), formats=["PNG"]) as image:
            entries = [(key, value) for key, value in image.info.items() if isinstance(value, str)]
    except PILLOW_FAILURES:
        return {}
    short = {str(key): str(value) for key, value in entries if len(value) <= MAX_SETTING_LENGTH}
    return dict(list(short.items())[:MAX_SETTINGS])


def safe_name(name: str) -> str:
    """An inert name to show, never to be used as a path: one line, 1 to MAX_NAME_LENGTH characters.

    Directories, control, bidirectional and invisible characters go; marks that HTML, Markdown or a
    spreadsheet would act on become "_" or go; a long name keeps both its ends around an ellipsis.
    """
    base = re.split(r"[/\\]", re.sub(r"\A[A-Za-z]:", "", name))[-1]
    visible = "".join(
        c for c in base if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
    )
    inert = _ACTIVE_CHARACTERS.sub("_", " ".join(visible.split())).lstrip(" .=+-@!").rstrip()
    if len(inert) > MAX_NAME_LENGTH:
        half = MAX_NAME_LENGTH // 2
        inert = f"{inert[: half - 1]}…{inert[-half:]}"
    return inert or "picture"
