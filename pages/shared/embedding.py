"""Encoded pictures as text that a component can carry to the browser."""

import base64
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from nst_core.errors import ImageError

_SHOWN_BY_BROWSERS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPicture:
    """A picture as a data URL, with its width and height in pixels."""

    url: str
    width: int
    height: int


def embed(picture: bytes) -> EmbeddedPicture:
    """Wrap an encoded JPEG, PNG or WebP for the browser; only its header is read.

    Raises ImageError if the bytes are of another format or no picture at all.
    """
    try:
        with Image.open(BytesIO(picture), formats=_SHOWN_BY_BROWSERS) as header:
            media_type, (width, height) = header.get_format_mimetype(), header.size
    except UnidentifiedImageError as error:
        raise ImageError(
            f"These {len(picture)} bytes are not a JPEG, PNG or WebP picture; encode it as one of them."
        ) from error
    text = base64.b64encode(picture).decode("ascii")
    return EmbeddedPicture(url=f"data:{media_type};base64,{text}", width=width, height=height)
