"""Text in the one font that is always there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from nst_core.lettering import drawable, shortened, text_width, write

MARK = "#0072B2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("VGG16, 0.5 · a…b", "VGG16, 0.5 · a…b"), ("Réné", "Rene"), ("3 × 4 – 5", "3 x 4 - 5"), ("日本", "??"),
     ("Straße", "Strasse"), ("a\tb", "a?b"), ("", "")],
)  # fmt: skip
def test_text_is_told_in_characters_that_the_font_has(text: str, shown: str) -> None:
    assert drawable(text) == shown


@given(st.text(max_size=80), st.integers(20, 400))
def test_a_shortened_text_fits(text: str, width: int) -> None:
    kept = shortened(text, 24, width)
    assert text_width(kept, 24) <= max(width, text_width("…", 24))
    assert kept == drawable(kept)


def test_both_ends_of_a_long_name_stay() -> None:
    name = "holiday_in_the_mountains_version_12.jpeg"
    kept = shortened(name, 24, 250)
    head, tail = kept.split("…")
    assert name.startswith(head)
    assert name.endswith(tail)
    assert len(head) > 3 < len(tail)
    assert shortened("short", 24, 250) == "short"


def written(**options: bool) -> tuple[np.ndarray, int]:
    image = Image.new("L", (400, 60), 255)
    write(ImageDraw.Draw(image), (200, 40), "VGG16", size=28, colour="black", **options)
    return np.asarray(image) < 128, text_width("VGG16", 28)


@pytest.mark.parametrize("right", [False, True])
def test_text_lies_on_the_side_of_its_place_that_was_asked_for(right: bool) -> None:
    ink, width = written(right=right)
    columns = np.flatnonzero(ink.any(axis=0))
    low, high = (200 - width, 200) if right else (200, 200 + width)
    assert low - 2 <= columns[0] < columns[-1] <= high + 2
    assert np.flatnonzero(ink.any(axis=1))[-1] <= 41  # on the baseline


def test_bold_is_heavier() -> None:
    assert written(bold=True)[0].sum() > 1.2 * written()[0].sum()
