"""Sizes, resampling, encoding, settings kept in a PNG, and names."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from nst_core.errors import ImageError
from nst_core.images import (
    MAX_NAME_LENGTH,
    MAX_SETTING_LENGTH,
    MAX_SETTINGS,
    PNG_SIGNATURE,
    Picture,
    encode_jpeg,
    encode_png,
    fit_within,
    read_settings,
    resize,
    resize_longest,
    safe_name,
    to_uint8,
)


def noise(height: int, width: int) -> np.ndarray:
    levels = np.random.default_rng(7).integers(0, 256, (height, width, 3))
    return (levels / 255).astype(np.float32)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_picture_is_read_only_and_leaves_the_array_it_was_made_of_writable() -> None:
    pixels = noise(4, 6)
    picture = Picture(pixels=pixels, name="a", sha256="0", original_size=(6, 4))
    assert picture.size == (6, 4)
    with pytest.raises(ValueError, match="read-only"):
        picture.pixels[0, 0, 0] = 0
    pixels[0, 0, 0] = 0


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 4), np.float32),
        np.zeros((0, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.float64),
        np.full((4, 4, 3), np.nan, np.float32),
        np.full((4, 4, 3), np.inf, np.float32),
    ],
)
def test_arrays_that_are_not_pictures_are_refused(bad: np.ndarray) -> None:
    for use in (
        to_uint8,
        encode_png,
        encode_jpeg,
        lambda p: resize(p, (2, 2)),
        lambda p: resize_longest(p, 2),
    ):
        with pytest.raises(ImageError):
            use(bad)
    with pytest.raises(ImageError):
        Picture(pixels=bad, name="a", sha256="0", original_size=(4, 4))


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((400, 300), 200, (200, 150)),
        ((300, 400), 200, (150, 200)),
        ((3, 2), 300, (300, 200)),
        ((1000, 1), 10, (10, 1)),
        ((4, 3), 2, (2, 2)),  # 1.5 rounds up
        ((1000, 333), 100, (100, 33)),
    ],
)
def test_fit_within(size: tuple[int, int], longest: int, expected: tuple[int, int]) -> None:
    assert fit_within(*size, longest) == expected


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(1, 20_000))
def test_fit_within_keeps_the_longest_side_and_the_shape_to_half_a_pixel(
    w: int, h: int, longest: int
) -> None:
    width, height = fit_within(w, h, longest)
    assert max(width, height) == longest
    assert abs(min(width, height) - max(1, min(w, h) * longest / max(w, h))) <= 0.5


@pytest.mark.parametrize("arguments", [(0, 5, 5), (5, 0, 5), (5, 5, 0), (5, 5, -1)])
def test_fit_within_refuses_sides_below_one(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ImageError, match="at least 1"):
        fit_within(*arguments)


def test_resize_to_the_same_size_changes_nothing() -> None:
    pixels = noise(9, 7)
    np.testing.assert_allclose(resize(pixels, (7, 9)), pixels, atol=1e-6)


def test_resize_keeps_a_constant_exactly_in_range_and_takes_width_first() -> None:
    out = resize(np.full((5, 8, 3), 0.25, np.float32), (20, 3))
    assert out.shape == (3, 20, 3)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, 0.25, atol=1e-6)


def test_shrinking_does_not_alias() -> None:
    # One-pixel stripes carry no detail at a quarter of the size: their mean, 0.5, must be all that is left.
    stripes = np.zeros((64, 64, 3), np.float32)
    stripes[:, ::2] = 1
    inner = resize(stripes, (16, 16))[:, 3:-3]
    np.testing.assert_allclose(inner, 0.5, atol=0.02)


def test_resize_clips_the_overshoot_of_the_filter() -> None:
    edge = np.zeros((8, 8, 3), np.float32)
    edge[:, 4:] = 1
    out = resize(edge, (64, 64))
    assert out.min() == 0
    assert out.max() == 1


def test_resize_longest_may_enlarge() -> None:
    assert resize_longest(noise(10, 20), 40).shape == (20, 40, 3)
    assert resize_longest(noise(20, 10), 5).shape == (5, 3, 3)  # 2.5 rounds up


@pytest.mark.parametrize("size", [(0, 5), (5, -1)])
def test_resize_refuses_sides_below_one(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match="at least 1"):
        resize(noise(4, 4), size)


def test_to_uint8_rounds_and_clips() -> None:
    values = np.array([[[-1, 0, 0.5], [1, 2, 127.4 / 255]]], np.float32)
    np.testing.assert_array_equal(to_uint8(values), [[[0, 0, 128], [255, 255, 127]]])


def test_png_is_exact_marked_srgb_and_carries_no_more_than_the_settings() -> None:
    pixels = noise(40, 33)
    data = encode_png(pixels, settings={"nst": "café", "nst:long": "多" * 1000})
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image), to_uint8(pixels))
        assert image.info == {"srgb": 0, "nst": "café", "nst:long": "多" * 1000}
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        assert image.info == {"srgb": 0}


def test_jpeg_is_close_and_carries_no_metadata() -> None:
    pixels = np.full((40, 33, 3), (0.2, 0.5, 0.8), np.float32)
    with Image.open(io.BytesIO(encode_jpeg(pixels))) as image:
        assert image.format == "JPEG"
        assert not {"exif", "icc_profile", "xmp", "comment"} & image.info.keys()
        assert np.abs(np.asarray(image).astype(int) - to_uint8(pixels)).max() <= 2
    assert len(encode_jpeg(noise(40, 40), 30)) < len(encode_jpeg(noise(40, 40), 92))


@pytest.mark.parametrize("quality", [0, 96, -5])
def test_jpeg_quality_out_of_range_is_refused(quality: int) -> None:
    with pytest.raises(ImageError, match="between 1 and 95"):
        encode_jpeg(noise(4, 4), quality)


@given(st.dictionaries(st.from_regex(r"nst[a-z:]{0,20}", fullmatch=True), st.text(max_size=60), max_size=4))
def test_settings_survive_a_round_trip(settings: dict[str, str]) -> None:
    assert read_settings(encode_png(np.zeros((1, 1, 3), np.float32), settings=settings)) == settings


@pytest.mark.parametrize("key", ["", " a", "a ", "a" * 80, "é", "a\nb"])
def test_keys_the_standard_forbids_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="PNG key"):
        encode_png(noise(2, 2), settings={key: "x"})


def test_settings_of_a_file_that_is_not_png() -> None:
    for data in (b"", b"GIF89a", encode_jpeg(noise(4, 4))):
        with pytest.raises(ImageError, match="not a PNG"):
            read_settings(data)


def test_settings_of_broken_or_hostile_png_are_none() -> None:
    good = encode_png(noise(4, 4), settings={"nst": "x"})
    huge_header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    bomb = png_chunk(b"zTXt", b"nst\0\0" + zlib.compress(b"0" * 50_000_000))
    empty = png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")
    for data in (
        PNG_SIGNATURE,
        good[:20],
        good[:60],
        PNG_SIGNATURE + huge_header + empty,
        good[:33] + bomb + good[33:],
    ):
        assert read_settings(data) == {}


def test_settings_read_back_are_bounded() -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("long", "x" * (MAX_SETTING_LENGTH + 1))
    for number in range(3 * MAX_SETTINGS):
        chunks.add_text(f"nst{number}", "y")
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG", pnginfo=chunks)
    settings = read_settings(buffer.getvalue())
    assert len(settings) == MAX_SETTINGS
    assert "long" not in settings


@given(st.data())
def test_settings_of_mutated_png_never_raise(data: st.DataObject) -> None:
    png = bytearray(
        encode_png(np.zeros((3, 3, 3), np.float32), settings={"nst": "value", "nstü"[:3] + "2": "ü"})
    )
    for _ in range(data.draw(st.integers(1, 6))):
        png[data.draw(st.integers(len(PNG_SIGNATURE), len(png) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(read_settings(bytes(png)), dict)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("holiday (2).jpg", "holiday (2).jpg"),
        ("Straße 東京.png", "Straße 東京.png"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.png", "x.png"),
        ("C:x.png", "x.png"),
        ("a\0b\nc\r\n.png", "abc.png"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("<img onerror=alert(1)>", "_img onerror=alert(1)_"),
        ("![](http://evil.example/x.png)", "x.png)"),
        ("=cmd|calc", "cmd_calc"),
        ("@SUM(A1)", "SUM(A1)"),
        ("..", "picture"),
        ("", "picture"),
        ("\u200b\ud800", "picture"),
    ],
)
def test_safe_name(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def test_long_names_keep_both_ends() -> None:
    name = safe_name("a" * 300 + ".jpg")
    assert len(name) == MAX_NAME_LENGTH
    assert name.startswith("aaa")
    assert "…" in name
    assert name.endswith(".jpg")


@given(st.text(st.characters(), max_size=200))
def test_safe_name_is_short_inert_one_line_and_settled(name: str) -> None:
    safe = safe_name(name)
    assert 1 <= len(safe) <= MAX_NAME_LENGTH
    assert safe.isprintable()
    assert not set(safe) & set("/\\<>[]{}`$*~|:&\"'#;%^")
    assert safe[0] not in "=+-@. !"
    assert safe_name(safe) == safe
