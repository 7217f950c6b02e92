"""The built-in pictures: all there, as described, and repeatable from their scripts."""

import io
from importlib import import_module
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from scipy import ndimage

from nst_core import samples
from nst_core.errors import ImageError
from nst_core.samples import FOLDER, SAMPLES, find_sample, load_sample, thumbnail

CONTENTS = {"skyline": "urban", "canyon": "natural", "portrait": "human", "cartoon": "animated"}
STYLES = ("swirling-night", "screaming-sky", "trippy", "honeycomb", "mandala")
MAX_FOLDER_BYTES = 3_000_000


def painted(name: str, longest_side: int) -> npt.NDArray[np.floating]:
    module = import_module(f"assets.samples.paint.{name.replace('-', '_')}")
    return np.asarray(module.paint(longest_side))


def test_contents_come_first_in_their_order() -> None:
    assert tuple(SAMPLES) == (*CONTENTS, *STYLES)
    assert {name: sample.category for name, sample in SAMPLES.items() if sample.kind == "content"} == CONTENTS
    assert tuple(name for name, sample in SAMPLES.items() if sample.kind == "style") == STYLES


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        SAMPLES["mine"] = SAMPLES["canyon"]  # type: ignore[index]


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_large_and_full_of_contrast(name: str) -> None:
    picture = load_sample(name)
    assert picture.name == name
    assert max(picture.original_size) == max(picture.size) == 1024
    assert picture.pixels.std() > 0.12
    # No quarter of it is blank.
    height, width = (side // 2 for side in picture.pixels.shape[:2])
    for top in (0, height):
        for left in (0, width):
            assert picture.pixels[top : top + height, left : left + width].std() > 0.05


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_can_be_read_smaller(name: str) -> None:
    assert max(load_sample(name, longest_side=200).size) == 200


@pytest.mark.parametrize("name", STYLES)
def test_style_has_structure_at_several_sizes(name: str) -> None:
    """Bands an octave wide, between Gaussians of 1, 2, 4 .. 64 pixels, each hold a share of the contrast."""
    grey = load_sample(name).pixels.mean(axis=-1)
    smooth = [ndimage.gaussian_filter(grey, sigma) for sigma in (1, 2, 4, 8, 16, 32, 64)]
    bands = [float((fine - coarse).std()) for fine, coarse in pairwise(smooth)]
    assert min(bands) > 0.01, bands
    assert max(bands) < 0.7 * sum(bands), bands


def test_licence_file_names_every_picture_and_its_licence() -> None:
    lines = (FOLDER / "LICENCES.md").read_text(encoding="utf-8").splitlines()
    for sample in SAMPLES.values():
        row = next(line for line in lines if f"`{sample.path.name}`" in line)
        assert sample.licence.lower() in row.lower()


def test_origin_names_a_script_that_exists() -> None:
    for sample in SAMPLES.values():
        if sample.licence.startswith("CC0"):
            assert (FOLDER.parents[1] / sample.origin.removeprefix("Painted by ")).is_file()


def test_pictures_are_those_of_the_table_and_small_on_disk() -> None:
    files = sorted(FOLDER.glob("*.jpg"))
    assert files == sorted(sample.path for sample in SAMPLES.values())
    assert sum(file.stat().st_size for file in files) <= MAX_FOLDER_BYTES


# The canyon's land is carved in full whatever the picture's size, which takes too long here.
@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "canyon"])
def test_scripts_are_deterministic(name: str) -> None:
    first, second = painted(name, 72), painted(name, 72)
    assert max(first.shape) == 72
    assert first.min() >= 0
    assert first.max() <= 1
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["portrait", "cartoon", "mandala"])
def test_file_is_what_its_script_paints(name: str) -> None:
    """A small painting and the file shrunk agree, up to what supersampling and JPEG change."""
    small = painted(name, 128)
    stored = load_sample(name, longest_side=128).pixels
    assert small.shape == stored.shape
    assert np.corrcoef(small.ravel(), stored.ravel())[0, 1] > 0.9


def test_unknown_name_lists_the_names() -> None:
    with pytest.raises(ImageError, match=r"'starry'.*skyline, canyon, .*mandala"):
        find_sample("starry")


def test_missing_file_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(samples, "FOLDER", tmp_path)
    with pytest.raises(ImageError, match="skyline"):
        load_sample("skyline")
    with pytest.raises(ImageError, match="skyline"):
        thumbnail("skyline")


@pytest.mark.parametrize("name", SAMPLES)
def test_thumbnail_is_a_small_jpeg_of_the_same_picture(name: str) -> None:
    with Image.open(io.BytesIO(thumbnail(name, longest_side=96))) as small:
        assert (small.format, max(small.size)) == ("JPEG", 96)
        grey = np.asarray(small.convert("L"), np.float32)
    # Grey only: JPEG keeps colour at half the resolution.
    with Image.open(SAMPLES[name].path) as large:
        expected = np.asarray(large.convert("L").resize(grey.shape[::-1], Image.Resampling.BOX), np.float32)
    assert np.corrcoef(grey.ravel(), expected.ravel())[0, 1] > 0.9


def test_thumbnail_of_no_size_is_refused() -> None:
    with pytest.raises(ImageError, match="received 0"):
        thumbnail("canyon", longest_side=0)
