"""The table of metrics, all of them at once, and the differences that count as noise."""

import io
import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from nst_core import metrics
from nst_core.errors import ImageError
from nst_core.images import encode_jpeg, resize
from nst_core.metrics import METRICS, WORKING_SIZE, measure

SIZE = (512, 384)


def painted(seed: int, *, strokes: int, width: int) -> np.ndarray:
    """Straight strokes along a flow, in six colours; drawn twice as large, for soft edges."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(20, 236, (6, 3))
    canvas = Image.new("RGB", (2 * SIZE[0], 2 * SIZE[1]), tuple(palette[0].tolist()))
    pen = ImageDraw.Draw(canvas)
    places = rng.uniform(0, 1, (strokes, 2)) * canvas.size
    for (x, y), turn in zip(places, rng.normal(0, 0.4, strokes), strict=True):
        angle = math.sin(x / 90) + math.cos(y / 70) + turn
        dx, dy = 5 * width * math.cos(angle), 5 * width * math.sin(angle)
        colour = palette[int(x / 160 + y / 130) % 6] + rng.normal(0, 25, 3)
        fill = tuple(colour.clip(0, 255).astype(int).tolist())
        pen.line([(x - dx, y - dy), (x + dx, y + dy)], fill=fill, width=int(rng.integers(3, 2 * width)))
    return resize(np.asarray(canvas, np.float32) / 255, SIZE)


def as_jpeg(pixels: np.ndarray) -> np.ndarray:
    with Image.open(io.BytesIO(encode_jpeg(pixels, 92))) as image:
        return np.asarray(image.convert("RGB"), np.float32) / 255


def one_pixel_aside(pixels: np.ndarray) -> np.ndarray:
    return np.pad(pixels, ((1, 0), (1, 0), (0, 0)), mode="edge")[:-1, :-1]


def resampled(pixels: np.ndarray) -> np.ndarray:
    return resize(resize(pixels, (496, 372)), SIZE)


def changes_that_mean_nothing(seed: int, content_share: float) -> list[dict[str, float]]:
    content = painted(seed, strokes=300, width=30)
    style = painted(seed + 1, strokes=900, width=14)
    strokes = painted(seed + 2, strokes=2000, width=10)
    result = (content_share * content + (1 - content_share) * strokes).astype(np.float32)
    before = measure(result, content, style)
    after = [
        measure(as_jpeg(result), content, style),
        # The frame moves over both: no run shifts its result against its content.
        measure(one_pixel_aside(result), one_pixel_aside(content), style),
        measure(resampled(result), content, style),
    ]
    return [{name: abs(values[name] - before[name]) for name in METRICS} for values in after]


def test_noise_bounds_what_means_nothing_and_not_much_more() -> None:
    changes = [
        change
        for seed, content_share in ((0, 0.15), (3, 0.5), (9, 0.15))
        for change in changes_that_mean_nothing(seed, content_share)
    ]
    most = {name: max(change[name] for change in changes) for name in METRICS}
    for name, metric in METRICS.items():
        assert most[name] <= metric.noise <= 1.5 * most[name], (name, most[name], metric.noise)


def test_the_table_is_complete_and_fixed() -> None:
    for name, metric in METRICS.items():
        assert name == metric.name
        assert callable(getattr(metrics, name))
        assert metric.better in ("higher", "lower")
        low, high = metric.range
        assert low < high
        assert 0 < metric.noise < min(high - low, 1)
        for sentence in (metric.help, metric.blind_spot):
            assert sentence[0].isupper()
            assert sentence.endswith(".")
    with pytest.raises(TypeError):
        METRICS["more"] = metric  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        metric.noise = 0.0


def test_measuring_a_picture_against_itself() -> None:
    picture = painted(1, strokes=200, width=20)
    assert measure(picture, picture, picture) == pytest.approx(
        {
            "structure_kept": 1,
            "edges_kept": 1,
            "texture_error": 0,
            "patch_distance": 0,
            "palette_match": 1,
            "palette_distance": 0,
            "grain": 1,
        },
        abs=1e-6,
    )


def test_turned_stripes_change_texture_and_structure_but_no_palette() -> None:
    bands = np.where(np.arange(128) % 16 < 8, 0.2, 0.8)
    upright = np.broadcast_to(bands[None, :, None], (128, 128, 3)).astype(np.float32)
    level = np.ascontiguousarray(upright.transpose(1, 0, 2))
    values = measure(level, upright, upright)
    assert values["palette_match"] == pytest.approx(1)
    assert values["palette_distance"] == pytest.approx(0, abs=1e-6)
    assert values["texture_error"] > 0.2
    assert values["structure_kept"] < 0.1
    assert values["edges_kept"] < 0.1


def test_shuffled_pixels_lose_texture_and_keep_the_palette() -> None:
    picture = painted(1, strokes=200, width=20)
    order = np.random.default_rng(0).permutation(SIZE[0] * SIZE[1])
    values = measure(picture.reshape(-1, 3)[order].reshape(picture.shape), picture, picture)
    assert values["palette_match"] == pytest.approx(1)
    assert values["palette_distance"] == pytest.approx(0, abs=1e-6)
    assert values["texture_error"] > 0.5
    assert values["patch_distance"] > 0.3
    assert values["structure_kept"] < 0.1
    assert values["grain"] > 5


def test_all_at_once_is_each_by_itself_in_the_order_of_the_table() -> None:
    rng = np.random.default_rng(4)
    result, content, style = (
        rng.random((*shape, 3)).astype(np.float32) for shape in ((60, 80), (50, 70), (90, 40))
    )
    values = measure(result, content, style)
    assert list(values) == list(METRICS)
    against = {
        "structure_kept": (content,),
        "edges_kept": (content,),
        "grain": (content, style),
    }
    for name, value in values.items():
        assert value == getattr(metrics, name)(result, *against.get(name, (style,)))


def test_large_pictures_are_judged_at_the_working_size() -> None:
    large = np.random.default_rng(4).random((300, 1024, 3)).astype(np.float32)
    small = resize(large, (WORKING_SIZE, 150))
    assert measure(large, large, large[::-1]) == measure(small, small, resize(large[::-1], (512, 150)))


@pytest.mark.parametrize("place", range(3))
def test_arrays_that_are_not_pictures_are_refused(place: int) -> None:
    pictures = [np.zeros((40, 40, 3), np.float32)] * 3
    pictures[place] = np.zeros((40, 40), np.float32)
    with pytest.raises(ImageError):
        measure(*pictures)


@st.composite
def awkward_pictures(draw: st.DrawFn) -> np.ndarray:
    """Flat, black, white, noisy or nearly flat; small, and thin down to one pixel."""
    sides = st.integers(33, 70) | st.integers(1, 12)
    height, width = draw(sides), draw(sides)
    level = draw(st.sampled_from([0.0, 0.3, 1.0]))
    contrast = draw(st.sampled_from([0.0, 1e-7, 1e-3, 1.0]))
    noise = np.random.default_rng(draw(st.integers(0, 99))).normal(0, contrast, (height, width, 3))
    return (level + noise).clip(0, 1).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(awkward_pictures(), awkward_pictures(), awkward_pictures())
def test_numbers_are_finite_and_in_range_whatever_the_pictures(result, content, style) -> None:
    for name, value in measure(result, content, style).items():
        low, high = METRICS[name].range
        assert math.isfinite(value), name
        assert low - 1e-6 <= value <= high + 1e-6, name
