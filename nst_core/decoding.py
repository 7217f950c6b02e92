"""From an opened file whose header was judged to an upright 8-bit sRGB picture at its final size."""

import io
import math
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageFile

from nst_core.images import PILLOW_FAILURES, fit_within

MAX_PROFILE_BYTES = 4_000_000
_BAND_ROWS = 32  # rows of the shrunk picture made at a time

_TRANSPOSITIONS = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)

# Pillow's mode of the file -> the mode it is shrunk in, once any transparency is laid over white.
FLAT_MODES = MappingProxyType(
    dict.fromkeys(("1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I;16N"), "L")
    | dict.fromkeys(("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"), "RGB")
    | {"CMYK": "CMYK"}
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """A picture at its final size in L, RGB or CMYK, 8 bits, not yet in sRGB nor upright.

    original_size: (width, height) of the file as stored. notes: what was done so far, in plain words.
    """

    image: Image.Image
    original_size: tuple[int, int]
    orientation: int
    profile: bytes | None
    notes: tuple[str, ...]


def decode(image: ImageFile.ImageFile, *, longest_side: int) -> Decoded:
    """Decode an opened file to at most longest_side pixels, at little more than its own memory."""
    original_size = image.size
    size = fit_within(*original_size, min(longest_side, max(original_size)))
    notes = _notes_before_decoding(image)
    high_byte_kept = image.mode == "RGB" and ";16" in str(image.tile)
    # JPEG alone is decoded straight to 1/2, 1/4 or 1/8: to no less than twice the final size.
    image.draft(None, (2 * size[0], 2 * size[1]))
    image.load()
    key = image.info.get("transparency")
    if high_byte_kept and isinstance(key, tuple):
        image.info["transparency"] = tuple(level >> 8 for level in key)
    small, opacity_notes = _shrink(image, size)
    return Decoded(
        image=small,
        original_size=original_size,
        orientation=_orientation(image),
        profile=image.info.get("icc_profile"),
        notes=notes + opacity_notes,
    )


def finish(decoded: Decoded) -> tuple[Image.Image, tuple[int, int], tuple[str, ...]]:
    """Upright RGB in sRGB, the upright size of the file, and all notes."""
    image, colour_notes = _to_srgb(decoded.image, decoded.profile)
    original_size, notes = decoded.original_size, [*decoded.notes, *colour_notes]
    if decoded.orientation != 1:
        image = image.transpose(_TRANSPOSITIONS[decoded.orientation])
        notes.append("turned upright")
    if decoded.orientation >= 5:
        original_size = original_size[::-1]
    if image.size != original_size:
        notes.append(f"shrunk from {original_size[0]} x {original_size[1]}")
    if all(least == most for least, most in (channel.getextrema() for channel in image.split())):
        notes.append("one flat colour all over")
    return image, original_size, tuple(notes)


def _notes_before_decoding(image: ImageFile.ImageFile) -> tuple[str, ...]:
    notes = []
    if getattr(image, "is_animated", False):
        pages = image.format in ("TIFF", "MPO")
        notes.append("first of several pictures in the file" if pages else "first frame of an animation")
    # Pillow turns a TIFF itself while decoding and then forgets that it did.
    if image.format == "TIFF" and image.getexif().get(ExifTags.Base.Orientation) in _TRANSPOSITIONS:
        notes.append("turned upright")
    return tuple(notes)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1, which is upright, when it is absent or makes no sense."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except PILLOW_FAILURES:
        return 1
    return value if isinstance(value, int) and value in _TRANSPOSITIONS else 1


def _shrink(image: Image.Image, size: tuple[int, int]) -> tuple[Image.Image, tuple[str, ...]]:
    """Lay over white and resample to size with Lanczos-3, a band of rows at a time, never copied whole.

    A band is cut with the rows within the filter's reach of it, so bands join without a seam.
    Returns the picture in L, RGB or CMYK, and notes.
    """
    scale = image.height / size[1]
    reach = 3 * max(scale, 1.0) + 1  # Lanczos-3 has a support of 3 output pixels
    small = Image.new(FLAT_MODES[image.mode], size)
    alphas = []
    for top in range(0, size[1], _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, size[1])
        first = max(0, math.floor(top * scale - reach))
        last = min(image.height, math.ceil(bottom * scale + reach))
        band, alpha = _flatten(image.crop((0, first, image.width, last)))
        box = (0, top * scale - first, image.width, min(bottom * scale, image.height) - first)
        small.paste(band.resize((size[0], bottom - top), Image.Resampling.LANCZOS, box), (0, top))
        alphas.append(alpha)
    notes = []
    if min(least for least, _ in alphas) < 255:
        wholly = max(most for _, most in alphas) == 0
        notes.append("wholly transparent, so it is plain white" if wholly else "transparency laid over white")
    return small, tuple(notes)


def _flatten(band: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """The band in L, RGB or CMYK over white, with its (least, most) alpha.

    Blending happens in the file's own colours, before its profile is applied: white is white in both.
    """
    flat_mode = FLAT_MODES[band.mode]
    if band.mode.startswith("I;16"):
        band = _from_sixteen_bits(band)
    if not band.has_transparency_data:
        return band.convert(flat_mode), (255, 255)
    layered = band.convert("LA" if flat_mode == "L" else "RGBA")
    alpha = layered.getchannel("A")
    flat = Image.new(flat_mode, band.size, "white")
    flat.paste(layered.convert(flat_mode), mask=alpha)
    present = np.flatnonzero(alpha.histogram())
    return flat, (int(present[0]), int(present[-1]))


def _from_sixteen_bits(band: Image.Image) -> Image.Image:
    """16-bit grey -> 8-bit grey, rounded to the nearest level (Pillow's own conversion clips at 255)."""
    levels = np.asarray(band).astype(np.uint32)
    grey = Image.fromarray(((levels * 255 + 32_767) // 65_535).astype(np.uint8))
    key = band.info.get("transparency")
    if isinstance(key, int):
        grey.putalpha(Image.fromarray(np.where(levels == key, 0, 255).astype(np.uint8)))
    return grey


def _to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """L, RGB or CMYK -> RGB in sRGB, by the embedded profile where there is a sound one."""
    plain = image.convert("RGB")
    notes = ("converted from CMYK",) if image.mode == "CMYK" else ()
    if not profile:
        return plain, notes
    if len(profile) > MAX_PROFILE_BYTES:
        return plain, (*notes, "colour profile ignored because it is too large")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return plain, notes
        grey_in_rgb = image.mode == "L" and source.profile.xcolor_space.strip() == "RGB"
        return _by_profile(plain if grey_in_rgb else image, source), (*notes, "colours converted to sRGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return plain, (*notes, "colour profile ignored because it is damaged or for other colours")


def _by_profile(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    """Relative colorimetric with black-point compensation, which keeps in-gamut colours exact."""
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        image.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:  # only when asked to work in place
        raise ValueError("no picture came back")
    return converted
