"""Text drawn with the one font that Pillow carries, so that it looks the same on every machine."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import ImageDraw, ImageFont

BOLD = 0.55  # pixels of stroke at 28 pixels of size: the font has one weight only
# What the font has not, in characters that it has.
STAND_INS = {"×": "x", "–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "ß": "ss"}

Font = ImageFont.FreeTypeFont


@lru_cache(maxsize=16)
def font_of(size: int) -> Font:
    """Pillow's own font at this size, pixels."""
    font = ImageFont.load_default(size=size)
    if not isinstance(font, Font):
        raise TypeError("Pillow was built without FreeType")
    return font


@lru_cache(maxsize=4096)
def _has(character: str) -> bool:
    font = font_of(16)
    return bytes(font.getmask(character)) != bytes(font.getmask("\uffff")) or character == " "


def drawable(text: str) -> str:
    """The text in characters that the font has: accents go, and what has no stand-in becomes "?"."""
    result = []
    for character in text:
        kept = STAND_INS.get(character, character)
        if not all(map(_has, kept)):
            kept = "".join(part for part in unicodedata.normalize("NFKD", kept) if _has(part)) or "?"
        result.append(kept)
    return "".join(result)


def text_width(text: str, size: int) -> int:
    """Width in pixels of the text as `write` draws it."""
    return round(font_of(size).getlength(drawable(text)))


def shortened(text: str, size: int, width: int) -> str:
    """The text, its middle left out where it is wider than `width` pixels: names differ at their ends."""
    text = drawable(text)
    if text_width(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        head = (kept + 1) // 2
        cut = f"{text[:head].rstrip()}…{text[len(text) - (kept - head) :].lstrip()}"
        if text_width(cut, size) <= width:
            return cut
    return "…"


def write(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    *,
    size: int,
    colour: str,
    bold: bool = False,
    right: bool = False,
) -> None:
    """Draw one line; `place` is the left (or right) end of its baseline."""
    draw.text(
        place,
        drawable(text),
        font=font_of(size),
        fill=colour,
        anchor="rs" if right else "ls",
        stroke_width=BOLD * size / 28 if bold else 0,
        stroke_fill=colour,
    )
