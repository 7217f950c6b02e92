"""The contact sheet: its cells, colours and words, whatever the pictures' shape and names."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nst_core import sheet as module
from nst_core.comparison import Comparison
from nst_core.lettering import text_width
from nst_core.sheet import contact_sheet
from nst_core.transfer import Run
from tests.compared import make_comparison, make_record
from tests.conftest import make_picture


def drawn(comparison: Comparison) -> Any:
    data = contact_sheet(comparison)
    assert data.startswith(b"\x89PNG")
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def flat(comparison: Comparison, *greens: int) -> Comparison:
    """The same with every result one colour, which nothing else has, so that its cell can be found."""
    runs = tuple(
        Run(record=run.record, picture=np.full((48, 64, 3), (1, green / 255, 1), np.float32))
        for run, green in zip(comparison.runs, greens, strict=True)
    )
    return replace(comparison, runs=runs)


def box_of(pixels: Any, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero((pixels == colour).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_results_lie_in_equal_cells_side_by_side() -> None:
    greens = (51, 102, 153)
    pixels = drawn(flat(make_comparison(), *greens))
    boxes = [box_of(pixels, (255, green, 255)) for green in greens]
    # 640 x 480 each: the content is 64 x 48.
    for left, top, right, bottom in boxes:
        assert (right - left, bottom - top) == (640, 480)
        assert top == boxes[0][1]
    assert boxes[1][0] - boxes[0][0] == boxes[2][0] - boxes[1][0] == 640 + module.GAP
    assert pixels.shape[1] == 2 * module.MARGIN + 3 * 640 + 2 * module.GAP


def test_each_label_has_its_backbones_colour_on_a_ground_without_hue() -> None:
    pixels = drawn(make_comparison())
    thirds = np.array_split(pixels, 3, axis=1)
    for third, colour in zip(thirds, ((0, 0x72, 0xB2), (0, 0x9E, 0x73), (0xD5, 0x5E, 0)), strict=True):
        assert (third == colour).all(axis=2).sum() > 19 * 19
    assert len(set(pixels[2, 2].tolist())) == 1


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """Every text that is written, with where it begins and ends."""
    said = []

    def note(
        _draw: Any, place: tuple[int, int], text: str, *, size: int, right: bool = False, **_: Any
    ) -> None:
        width = text_width(text, size)
        left = place[0] - width if right else place[0]
        said.append((text, left, left + width))

    monkeypatch.setattr(module, "write", note)
    return said


def test_it_tells_the_pair_the_settings_and_the_numbers(words: list[tuple[str, int, int]]) -> None:
    contact_sheet(make_comparison())
    texts = [text for text, _, _ in words]
    for text in ("content", " in the manner of ", "style", "64 px · 4 steps · seed 0", "VGG16", "VGG19",
                 "ResNet50", "Structure kept", "0.500", "Style error, other networks", "0.145", "3.25 s",
                 "Content weight", "Fourier"):  # fmt: skip
        assert text in texts, text


def test_what_differs_is_not_told_as_shared(words: list[tuple[str, int, int]]) -> None:
    contact_sheet(make_comparison(make_record("vgg16"), make_record("vgg16", seed=1, padding="replicate")))
    texts = [text for text, _, _ in words]
    assert "64 px · 4 steps" in texts
    assert "Padding" not in texts


LONG = "a name of sixty characters, which is as long as names may be"


@pytest.mark.parametrize("shape", [(48, 64), (64, 48), (64, 20), (20, 64), (64, 64)])
def test_no_text_leaves_the_sheet_or_meets_another(
    shape: tuple[int, int], words: list[tuple[str, int, int]]
) -> None:
    content = make_picture(*shape, name=LONG)
    labels = ("VGG16", f"VGG19, {LONG}", "ResNet50")
    pixels = drawn(make_comparison(content=content, style=make_picture(40, 64, name=LONG), labels=labels))
    assert min(left for _, left, _ in words) >= module.MARGIN
    assert max(right for _, _, right in words) <= pixels.shape[1] - module.MARGIN + 1
    facts, *title = words[:4]
    assert title[-1][2] + 8 <= facts[1]


@pytest.mark.parametrize("count", [1, 4, 5])
def test_any_number_of_runs(count: int) -> None:
    records = [make_record("vgg16", seed=seed) for seed in range(count)]
    greens = [40 + 20 * index for index in range(count)]
    pixels = drawn(flat(make_comparison(*records), *greens))
    assert len({box_of(pixels, (255, green, 255)) for green in greens}) == count


def test_a_run_without_a_picture_says_so(words: list[tuple[str, int, int]]) -> None:
    comparison = make_comparison(examined=False)
    failed = Run(record=make_record("resnet50", best_step=0, metrics={}, steps=()), picture=None)
    contact_sheet(replace(comparison, runs=(*comparison.runs[:2], failed)))
    assert "No picture" in [text for text, _, _ in words]
