"""Pictures from outside: what is accepted, how it is put right, and what is refused with which words."""

import hashlib
import io
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from nst_core import intake
from nst_core.decoding import MAX_PROFILE_BYTES
from nst_core.errors import ImageError
from nst_core.images import PNG_SIGNATURE, Picture, encode_jpeg, encode_png, to_uint8
from nst_core.intake import read_picture

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def scene(height: int = 48, width: int = 64) -> np.ndarray:
    """uint8 [H, W, 3], smooth, different in each corner."""
    rows, columns = np.mgrid[0:height, 0:width]
    layers = (rows * 255 / (height - 1), columns * 255 / (width - 1), np.full((height, width), 90))
    return np.stack(layers, axis=-1).astype(np.uint8)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG by hand, for kinds Pillow cannot write; rows carry their filter byte."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return PNG_SIGNATURE + header + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def levels(picture: Picture) -> np.ndarray:
    return to_uint8(picture.pixels).astype(int)


def refusal(data: bytes, name: str = "photo.png") -> str:
    with pytest.raises(ImageError) as caught:
        read_picture(data, name=name)
    message = str(caught.value)
    assert message.startswith(name)
    assert message.endswith(".")
    assert ". " not in message  # one sentence
    return message


# --- accepted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP"])
def test_lossless_kinds_are_exact_whatever_the_name(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(Image.fromarray(scene()), kind, **options)
    picture = read_picture(data, name="wrong.jpg")
    np.testing.assert_array_equal(levels(picture), scene())
    assert picture.pixels.dtype == np.float32
    assert not picture.pixels.flags.writeable
    assert picture.name == "wrong.jpg"
    assert picture.sha256 == hashlib.sha256(data).hexdigest()
    assert picture.size == picture.original_size == (64, 48)
    assert picture.notes == ()


def test_jpeg_is_close() -> None:
    picture = read_picture(saved(Image.fromarray(scene()), "JPEG", quality=95))
    assert np.abs(levels(picture) - scene()).mean() < 2
    assert picture.name == "picture"


def test_a_path_is_read_and_names_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "my file.bin"
    path.write_bytes(saved(Image.fromarray(scene())))
    assert read_picture(path).name == read_picture(str(path)).name == "my file.bin"
    assert read_picture(path, name="other").name == "other"


def test_round_trip_is_exact_over_many_bands() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (300, 70, 3)) / np.float32(255)
    pixels = noise.astype(np.float32)
    np.testing.assert_array_equal(read_picture(encode_png(pixels)).pixels, pixels)


@given(st.integers(32, 200), st.integers(32, 200), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_round_trip_is_exact_on_256_levels(height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    pixels = noise.astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(to_uint8(read_picture(encode_png(pixels)).pixels), noise)


# How a viewer must turn the stored array, by EXIF orientation (TIFF 6.0, tag 274).
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "JPEG"])
def test_every_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = read_picture(saved(Image.fromarray(scene()), kind, exif=exif, **options))
    expected = UPRIGHT[orientation](scene())
    assert picture.pixels.shape == expected.shape
    assert np.abs(levels(picture) - expected).mean() < (3 if kind == "JPEG" else 1e-9)
    assert picture.original_size == picture.size
    assert picture.notes == (() if orientation == 1 else ("turned upright",))


def test_orientation_and_shrinking_agree_on_the_original_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read_picture(saved(Image.fromarray(scene(100, 200)), exif=exif), longest_side=50)
    assert picture.original_size == (100, 200)
    assert picture.size == (25, 50)
    assert "shrunk from 100 x 200" in picture.notes


def tiff_header_with_orientation(kind: int, count: int, value: bytes) -> bytes:
    entry = struct.pack("<HHI", 0x0112, kind, count) + value.ljust(4, b"\0")
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + b"\0\0\0\0"


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0garbage garbage",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        tiff_header_with_orientation(3, 1, struct.pack("<H", 99)),
        tiff_header_with_orientation(3, 1, struct.pack("<H", 0)),
        tiff_header_with_orientation(2, 4, b"six\0"),
        tiff_header_with_orientation(3, 4_000_000, b"\xff\xff\xff\xff"),
        tiff_header_with_orientation(250, 1, b"\6"),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_senseless_exif_leaves_the_picture_as_stored(exif: bytes, kind: str) -> None:
    picture = read_picture(saved(Image.fromarray(scene()), kind, exif=exif))
    assert picture.size == (64, 48)
    assert "turned upright" not in picture.notes


def test_of_two_orientations_the_first_counts() -> None:
    exif = tiff_header_with_orientation(3, 2, struct.pack("<HH", 6, 8))
    picture = read_picture(saved(Image.fromarray(scene()), exif=exif))
    np.testing.assert_array_equal(levels(picture), UPRIGHT[6](scene()))


def test_transparency_is_laid_over_white() -> None:
    rgba = np.dstack([scene(), np.full((48, 64), 128, np.uint8)])
    picture = read_picture(saved(Image.fromarray(rgba)))
    assert np.abs(levels(picture) - (scene() * (128 / 255) + 255 * (127 / 255))).max() <= 1
    assert picture.notes == ("transparency laid over white",)


def test_hidden_colours_under_full_transparency_do_not_show() -> None:
    rgba = np.dstack([scene(), np.zeros((48, 64), np.uint8)])
    picture = read_picture(saved(Image.fromarray(rgba)))
    assert levels(picture).min() == 255
    assert "wholly transparent, so it is plain white" in picture.notes


def test_an_alpha_channel_that_hides_nothing_is_not_mentioned() -> None:
    rgba = np.dstack([scene(), np.full((48, 64), 255, np.uint8)])
    assert read_picture(saved(Image.fromarray(rgba))).notes == ()


def test_grey_with_alpha_and_one_bit() -> None:
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
    half = Image.merge("LA", (Image.fromarray(ramp), Image.new("L", (64, 48), 51)))
    expected = np.repeat((ramp * 0.2 + 255 * 0.8)[..., None], 3, axis=2)
    assert np.abs(levels(read_picture(saved(half))) - expected).max() <= 1
    bits = Image.fromarray(ramp > 100)
    assert bits.mode == "1"
    np.testing.assert_array_equal(levels(read_picture(saved(bits)))[..., 0], (ramp > 100) * 255)
    np.testing.assert_array_equal(levels(read_picture(saved(Image.fromarray(ramp))))[..., 2], ramp)


def test_palette_with_and_without_transparency() -> None:
    palette = Image.new("P", (64, 48), 1)
    palette.putpalette([0, 0, 0, 200, 100, 50, 10, 20, 30])
    palette.paste(2, (0, 0, 32, 48))
    plain = levels(read_picture(saved(palette)))
    np.testing.assert_array_equal(plain[0, [0, 63]], [[10, 20, 30], [200, 100, 50]])
    for kind, option in (("PNG", bytes([255, 255, 0])), ("GIF", 2)):
        picture = read_picture(saved(palette, kind, transparency=option))
        np.testing.assert_array_equal(levels(picture)[0, [0, 63]], [[255, 255, 255], [200, 100, 50]])
        assert "transparency laid over white" in picture.notes


def test_colour_key_transparency_of_true_colour_png() -> None:
    image = Image.new("RGB", (64, 48), (200, 100, 50))
    image.paste((1, 2, 3), (0, 0, 32, 48))
    picture = read_picture(saved(image, transparency=(1, 2, 3)))
    np.testing.assert_array_equal(levels(picture)[0, [0, 63]], [[255, 255, 255], [200, 100, 50]])


def test_sixteen_bit_grey_ramp_keeps_its_levels() -> None:
    ramp = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    exact = ramp / 65_535 * 255
    for data in (saved(Image.fromarray(ramp)), saved(Image.fromarray(ramp.astype(">u2")), "TIFF")):
        got = levels(read_picture(data))
        assert np.abs(got - exact[..., None]).max() <= 0.5 + 1e-6
        np.testing.assert_array_equal(got[..., 0], got[..., 2])


def test_sixteen_bit_colour_ramp_keeps_its_levels() -> None:
    ramp = np.arange(0, 65_536, 16, dtype=np.uint16).reshape(64, 64)
    rgb = np.stack([ramp, ramp[::-1], ramp.T], axis=-1)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgb)
    got = levels(read_picture(raw_png(64, 64, 16, 2, rows)))
    assert np.abs(got - rgb / 65_535 * 255).mean() < 1
    assert got.max() == 255
    assert got.min() == 0


def test_sixteen_bit_colour_keys() -> None:
    grey = np.full((40, 40), 30_000, np.uint16)
    grey[:, :20] = 40_000
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in grey)
    key = chunk(b"tRNS", struct.pack(">H", 40_000))
    got = levels(read_picture(raw_png(40, 40, 16, 0, rows, key)))
    np.testing.assert_array_equal(got[0, [0, 39], 0], [255, 117])  # 30000 / 257 = 116.7
    rgb = np.repeat(grey[..., None], 3, axis=2)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgb)
    key = chunk(b"tRNS", struct.pack(">HHH", 40_000, 40_000, 40_000))
    got = levels(read_picture(raw_png(40, 40, 16, 2, rows, key)))
    np.testing.assert_array_equal(got[0, [0, 39], 0], [255, 117])  # 30000 >> 8 = 117


def test_cmyk_plain_and_adobe_inverted_agree() -> None:
    ink = Image.new("CMYK", (64, 48), (0, 128, 255, 51))
    # By hand: each colour is (255 - ink) * (255 - black) / 255.
    expected = [204, 127 * 204 / 255, 0]
    adobe = saved(ink, "JPEG", quality=100)
    assert b"Adobe" in adobe  # the JPEG stores 255 - ink
    for data in (adobe, saved(ink, "TIFF")):
        picture = read_picture(data)
        np.testing.assert_allclose(levels(picture)[20, 20], expected, atol=2)
        assert "converted from CMYK" in picture.notes


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_only_the_first_frame_is_read(kind: str) -> None:
    first, second = Image.fromarray(scene()), Image.new("RGB", (64, 48), "red")
    picture = read_picture(saved(first, kind, save_all=True, append_images=[second]))
    assert np.abs(levels(picture) - scene()).mean() < 12  # GIF has 256 colours
    expected = (
        "first of several pictures in the file" if kind in ("TIFF", "MPO") else "first frame of an animation"
    )
    assert picture.notes == (expected,)


def test_a_picture_of_one_colour_is_accepted_with_a_note() -> None:
    for colour in ("black", "white", "teal"):
        assert read_picture(saved(Image.new("RGB", (40, 40), colour))).notes == ("one flat colour all over",)


def test_what_trails_the_picture_and_its_metadata_never_reach_a_saved_file() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRET")
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    for data in (
        saved(Image.fromarray(scene()), pnginfo=text, exif=exif) + b"<?php SECRET ?>",
        saved(Image.fromarray(scene()), "JPEG", exif=exif, comment=b"SECRET") + b"PK\3\4SECRET",
    ):
        assert b"SECRET" in data
        pixels = read_picture(data).pixels
        assert b"SECRET" not in encode_png(pixels) + encode_jpeg(pixels)


# --- colour profiles --------------------------------------------------------------------------------------


def rgb_profile(gamma: float, primaries: list[tuple[float, float, float]]) -> bytes:
    """A matrix-shaper ICC profile by hand (ICC.1:2001, version 2): primaries are XYZ under D50."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65_536)) for value in values)

    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"Wide\0" + b"\0" * 78
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    white = b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249)
    colours = [b"XYZ \0\0\0\0" + fixed(*xyz) for xyz in primaries]
    names = [b"desc", b"cprt", b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"]
    bodies = [text, b"text\0\0\0\0none\0\0\0\0", white, *colours, curve, curve, curve]
    offset, table, content = 128 + 4 + 12 * len(names), b"", b""
    for name, body in zip(names, bodies, strict=True):
        body += b"\0" * (-len(body) % 4)
        table += name + struct.pack(">II", offset + len(content), len(body))
        content += body
    header = b"\0" * 8 + struct.pack(">I", 0x02100000) + b"mntrRGB XYZ " + b"\0" * 12 + b"acsp"
    header = header.ljust(68, b"\0") + fixed(0.9642, 1.0, 0.8249)
    body = header.ljust(128, b"\0")[4:] + struct.pack(">I", len(names)) + table + content
    return struct.pack(">I", len(body) + 4) + body


SRGB_PRIMARIES = [(0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)]
SWAPPED = [SRGB_PRIMARIES[1], SRGB_PRIMARIES[0], SRGB_PRIMARIES[2]]


def srgb_level(linear: float) -> float:
    """IEC 61966-2-1: linear light -> level, 0 to 255."""
    return 255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_an_embedded_profile_is_converted_to_srgb(kind: str) -> None:
    # The sRGB primaries with red and green changed about and a plain gamma of 1: the answer follows by hand.
    image = Image.new("RGB", (64, 48), (51, 102, 204))
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100}}.get(kind, {})
    picture = read_picture(saved(image, kind, icc_profile=rgb_profile(1.0, SWAPPED), **options))
    expected = [srgb_level(level / 255) for level in (102, 51, 204)]
    np.testing.assert_allclose(levels(picture)[5, 5], expected, atol=2.5)
    assert "colours converted to sRGB" in picture.notes


def test_a_wide_gamut_profile_makes_colours_stronger() -> None:
    wide = [(0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249)]  # ProPhoto RGB
    image = Image.new("RGB", (40, 40), (150, 100, 100))
    red, green, blue = levels(read_picture(saved(image, icc_profile=rgb_profile(1.8, wide))))[0, 0]
    assert red - green > 70
    assert abs(green - blue) < 25
    grey = Image.new("RGB", (40, 40), (128, 128, 128))
    got = levels(read_picture(saved(grey, icc_profile=rgb_profile(1.8, wide))))[0, 0]
    np.testing.assert_allclose(got, srgb_level((128 / 255) ** 1.8), atol=2)


def test_an_srgb_profile_changes_nothing() -> None:
    picture = read_picture(saved(Image.fromarray(scene()), icc_profile=SRGB))
    np.testing.assert_array_equal(levels(picture), scene())
    assert picture.notes == ()


def test_a_grey_picture_may_carry_an_rgb_profile() -> None:
    ramp = Image.new("L", (40, 40), 51)
    picture = read_picture(saved(ramp, icc_profile=rgb_profile(1.0, SRGB_PRIMARIES)))
    np.testing.assert_allclose(levels(picture)[0, 0], srgb_level(0.2), atol=1.5)


@pytest.mark.parametrize(
    "profile",
    [
        b"garbage",
        SRGB[:200],
        SRGB[:128] + b"\xff" * 400,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_broken_or_foreign_profile_is_ignored_with_a_note(profile: bytes, kind: str) -> None:
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100}}.get(kind, {})
    picture = read_picture(saved(Image.fromarray(scene()), kind, icc_profile=profile, **options))
    assert np.abs(levels(picture) - scene()).mean() < 2
    assert any(note.startswith("colour profile ignored") for note in picture.notes)


def test_a_huge_profile_is_ignored_with_a_note() -> None:
    huge = SRGB + b"\0" * MAX_PROFILE_BYTES
    picture = read_picture(saved(Image.fromarray(scene()), "WEBP", lossless=True, icc_profile=huge))
    assert picture.notes == ("colour profile ignored because it is too large",)


# --- shrinking --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK"])
def test_shrinking_in_bands_equals_shrinking_whole(mode: str) -> None:
    image = Image.fromarray(scene(1500, 1100)).convert(mode)
    picture = read_picture(saved(image, "TIFF"), longest_side=400)
    whole = image.convert("RGB").resize((293, 400), Image.Resampling.LANCZOS)
    assert picture.size == (293, 400)
    assert np.abs(levels(picture) - np.asarray(whole).astype(int)).max() <= 2


def test_a_large_jpeg_is_drafted_without_shifting() -> None:
    picture = read_picture(saved(Image.fromarray(scene(1203, 1601)), "JPEG", quality=95), longest_side=100)
    whole = Image.fromarray(scene(1203, 1601)).resize((100, 75), Image.Resampling.LANCZOS)
    assert np.abs(levels(picture) - np.asarray(whole).astype(int)).mean() < 2


def test_the_working_ceiling_holds_by_default_and_nothing_is_enlarged() -> None:
    data = saved(Image.new("L", (intake.WORKING_SIDE + 1, 200), 9))
    picture = read_picture(data)
    assert picture.size[0] == intake.WORKING_SIDE
    assert "shrunk from 2049 x 200" in picture.notes
    assert read_picture(data, longest_side=99_999).size == (2049, 200)
    with pytest.raises(ImageError, match="longest side of 0"):
        read_picture(data, longest_side=0)


# VmHWM is the peak of this process alone; ru_maxrss would start at the peak of the one that started it.
MEASURE = """
    import re, sys
    from pathlib import Path
    from nst_core.errors import ImageError
    from nst_core.intake import read_picture

    def peak_kib():
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

    small, large = (Path(name).read_bytes() for name in sys.argv[1:])
    read_picture(small)  # loads Pillow's plugins
    before = peak_kib()
    try:
        outcome = read_picture(large).size
    except ImageError as error:
        outcome = error
    print(peak_kib() - before, outcome)
"""


def extra_kib(tmp_path: Path, data: bytes) -> tuple[int, str]:
    small = tmp_path / "small.png"
    small.write_bytes(saved(Image.fromarray(scene())))
    large = tmp_path / "large.png"
    large.write_bytes(data)
    code = textwrap.dedent(MEASURE)
    done = subprocess.run(
        [sys.executable, "-c", code, str(small), str(large)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    kib, _, outcome = done.stdout.strip().partition(" ")
    return int(kib), outcome


def flat_png(side: int, depth: int = 8, colour: int = 2) -> bytes:
    """A black PNG made a row at a time, so that the test itself stays small."""
    channels = {0: 1, 2: 3, 3: 1, 6: 4}[colour]
    packer = zlib.compressobj(1)
    row = b"\0" * (1 + side * channels * depth // 8)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0))
    palette = chunk(b"PLTE", b"\1\2\3") + chunk(b"tRNS", b"\x80") if colour == 3 else b""
    return PNG_SIGNATURE + header + palette + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    "kind",
    [
        (8, 6),
        (16, 0),
        pytest.param((8, 2), marks=pytest.mark.slow),
        pytest.param((8, 3), marks=pytest.mark.slow),
        pytest.param((16, 2), marks=pytest.mark.slow),
    ],
)
def test_88_megapixels_in_a_small_file_cost_at_most_420_mib(tmp_path: Path, kind: tuple[int, int]) -> None:
    kib, outcome = extra_kib(tmp_path, flat_png(9400, *kind))
    assert outcome == "(2048, 2048)"
    assert kib < 420 * 1024
    assert kib > 9400 * 9400 // 1024  # what the decoder itself must hold: the measure works


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_refusal_costs_at_most_64_mib(tmp_path: Path) -> None:
    kib, message = extra_kib(tmp_path, flat_png(10_001))
    assert "the limit for a picture is 100" in message
    assert kib < 64 * 1024


# --- refused ----------------------------------------------------------------------------------------------


def header_only(width: int, height: int) -> bytes:
    return raw_png(width, height, 8, 2, b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"x", "text"),
        (b"\x01", "not a picture"),
        (bytes(range(256)) * 9, "not a picture"),
        (b"just some words\n", "text"),
        ("naïve".encode(), "text"),
        (b"<!DOCTYPE html><html><body onload=alert(1)>", "text"),
        (b'<svg xmlns="x"><script>1</script></svg>', "SVG"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a -->\n<svg/>', "SVG"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS"),
        (b"\xc5\xd0\xd3\xc6" + b"\0" * 30, "EPS"),
        (b"PK\x03\x04" + b"\0" * 30, "ZIP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0heic", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"8BPS\0\1" + b"\0" * 30, "Photoshop"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"\0\0\1\0\1\0", "icon"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 16, "damaged or incomplete"),
        (PNG_SIGNATURE, "damaged or incomplete"),
        (header_only(0, 50), "damaged or incomplete"),
        (header_only(60_000, 60_000), "3600 megapixels and the limit is 100"),
        (header_only(10_001, 10_000), "(100.1 megapixels) and the limit for a picture is 100"),
        (header_only(20_001, 1_100), "the limit is 20000 on a side"),
        (header_only(30_000, 1), "limit is 20000"),
        (header_only(4_000, 1), "at least 32"),
        (header_only(1, 1), "at least 32"),
        (header_only(31, 100), "31 x 100"),
        (header_only(100, 31), "at least 32"),
        (header_only(700, 32), "20 times"),
        (header_only(32, 641), "20 times"),
        (header_only(9_000, 9_000), "damaged or incomplete"),
        (b"\0" * (intake.MAX_UPLOAD_BYTES + 1), "limit of 25 MB"),
        (b"\xff\xd8\xff" + b"\xff\xda" * 200, "200 JPEG scans"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refusals_name_the_file_the_fact_and_the_remedy(data: bytes, words: str) -> None:
    assert words in refusal(data)


def test_heic_is_told_how_to_export() -> None:
    assert "export as JPEG" in refusal(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


@pytest.mark.parametrize("kind", ["JPEG2000", "ICO", "PPM", "TGA", "PCX", "AVIF"])
def test_kinds_pillow_reads_but_we_do_not(kind: str) -> None:
    refusal(saved(Image.fromarray(scene()), kind))


@pytest.mark.parametrize(("kind", "ceiling"), [("WEBP", 25), ("TIFF", 25)])
def test_kinds_that_decode_at_great_cost_have_a_lower_ceiling(kind: str, ceiling: int) -> None:
    message = refusal(saved(Image.new("1" if kind == "TIFF" else "RGB", (5_001, 5_000)), kind))
    assert f"the limit for a {kind} is {ceiling}" in message


def test_a_progressive_jpeg_has_a_lower_ceiling_too() -> None:
    image = Image.new("L", (6_401, 6_250))
    assert "progressive JPEG is 40" in refusal(saved(image, "JPEG", progressive=True))
    assert read_picture(saved(image, "JPEG")).original_size == (6_401, 6_250)


@pytest.mark.parametrize("side", [32, 33])
def test_the_least_side_is_accepted(side: int) -> None:
    assert read_picture(saved(Image.fromarray(scene(side, 640))), longest_side=None).size == (640, side)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.5, 0.9])
def test_half_a_file_is_refused(kind: str, part: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    data = saved(Image.fromarray(noise), kind)
    refusal(data[: int(len(data) * part)])


@pytest.mark.parametrize("where", [20, -20])
def test_a_wrong_checksum_is_refused(where: int) -> None:
    data = bytearray(saved(Image.fromarray(scene())))
    data[where] ^= 1
    assert "damaged" in refusal(bytes(data))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_compressed_metadata_bombs_are_refused(kind: bytes) -> None:
    head = {b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0", b"iCCP": b"a\0\0"}[kind]
    png = saved(Image.fromarray(scene()))
    bomb = chunk(kind, head + zlib.compress(b"0" * 50_000_000))
    assert "without metadata" in refusal(png[:33] + bomb + png[33:])


def test_thousands_of_text_chunks_are_harmless() -> None:
    png = saved(Image.fromarray(scene()))
    texts = b"".join(chunk(b"tEXt", b"k%d\0v" % number) for number in range(5_000))
    assert read_picture(png[:33] + texts + png[33:]).size == (64, 48)


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_numbers_that_are_not_plain_colours_are_refused(mode: str) -> None:
    assert f"({mode})" in refusal(saved(Image.new(mode, (40, 40)), "TIFF"))


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.png", "nul\0.png"):
        with pytest.raises(ImageError, match="check the path"):
            read_picture(path)
    with pytest.raises(ImageError, match="is a folder; name a picture in it"):
        read_picture(tmp_path)
    big = tmp_path / "big.png"
    with big.open("wb") as file:
        file.truncate(201_000_000)
    with pytest.raises(ImageError, match="limit of 25 MB"):
        read_picture(big)


def test_names_are_inert_in_pictures_and_messages() -> None:
    data = saved(Image.fromarray(scene()))
    assert read_picture(data, name="../../<b>x</b>.png").name == "b_.png"
    with pytest.raises(ImageError) as caught:
        read_picture(b"", name="![](http://evil.example/a\u202e<script>")
    assert str(caught.value).startswith("a_script_ is empty")


# --- mutations --------------------------------------------------------------------------------------------

SEEDS = {
    kind: saved(
        Image.fromarray(scene(32, 40)),
        kind.removeprefix("progressive "),
        exif=tiff_header_with_orientation(3, 1, struct.pack("<H", 6)),
        icc_profile=rgb_profile(2.2, SRGB_PRIMARIES),
        **({"progressive": True} if kind.startswith("progressive") else {}),
    )
    for kind in ("PNG", "JPEG", "progressive JPEG", "WEBP", "TIFF")
} | {kind: saved(Image.fromarray(scene(32, 40)), kind) for kind in ("GIF", "BMP")}


@pytest.mark.parametrize("kind", SEEDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_damage_ends_in_a_picture_or_a_refusal(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(SEEDS[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        # Half of all hits go to the first 200 bytes, where the headers are.
        reach = data.draw(st.sampled_from([200, len(damaged)]))
        position = data.draw(st.integers(0, min(reach, len(damaged)) - 1))
        damaged[position : position + 1] = data.draw(st.binary(max_size=3))
    del damaged[data.draw(st.integers(1, 2 * len(damaged))) :]
    if kind == "PNG" and data.draw(st.booleans()):
        damaged = bytearray(with_right_checksums(bytes(damaged)))
    try:
        picture = read_picture(bytes(damaged))
    except ImageError:
        return
    assert picture.pixels.min() >= 0
    assert picture.pixels.max() <= 1
    assert min(picture.size) >= 1


def with_right_checksums(png: bytes) -> bytes:
    """The same chunks with right checksums, so that damage gets past the first check."""
    out, at = png[:8], 8
    while at + 12 <= len(png):
        length = min(int.from_bytes(png[at : at + 4], "big"), len(png) - at - 12)
        out += chunk(png[at + 4 : at + 8], png[at + 8 : at + 8 + length])
        at += 12 + length
    return out
