"""Which sizes a run goes through."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.backbones import BACKBONES
from nst_core.choices import LARGEST_SIZE, MOST_STEPS, SMALLEST_SIZE
from nst_core.config import TransferConfig
from nst_core.errors import ImageError
from nst_core.plan import LADDER_BOTTOM, fit, ladder_sizes, ladder_steps, make_plan, usable_sizes
from tests.conftest import make_picture

SQUARE = make_picture(64, 64)


def needed(error):
    found = re.search(r"a size of at least (\d+)", str(error.value))
    return int(found[1]) if found else None


@pytest.mark.usefixtures("small_rungs")
def test_a_plan_by_hand():
    config = TransferConfig(size=256, steps=10)
    plan = make_plan(config, make_picture(48, 64), SQUARE)
    assert plan == (((64, 48), 3), ((128, 96), 3), ((256, 192), 4))


def test_without_a_ladder_there_is_one_size():
    assert make_plan(TransferConfig(size=256, steps=10, ladder=False), SQUARE, SQUARE) == (((256, 256), 10),)


@pytest.mark.usefixtures("small_rungs")
def test_a_rung_on_which_either_picture_is_too_narrow_is_left_out():
    config, narrow = TransferConfig(size=256), make_picture(20, 64)  # 20 and 40 pixels at the small rungs
    assert usable_sizes(config, SQUARE, SQUARE) == (64, 128, 256)
    assert usable_sizes(config, narrow, SQUARE) == (128, 256)
    assert usable_sizes(config, SQUARE, narrow) == (128, 256)
    plan = make_plan(TransferConfig(size=256, steps=10), narrow, SQUARE)
    assert plan == (((128, 40), 5), ((256, 80), 5))


def test_a_picture_that_is_too_narrow_is_refused_with_the_size_that_it_needs():
    narrow = make_picture(10, 90, name="strip")
    with pytest.raises(
        ImageError, match=r"strip is too narrow: at 128 pixels its short side has 14"
    ) as error:
        usable_sizes(TransferConfig(size=128), SQUARE, narrow)
    assert needed(error) == 297  # 33 * 90 / 10
    assert usable_sizes(TransferConfig(size=297), SQUARE, narrow) == (297,)


@given(st.integers(1, 40), st.integers(1, 120), st.integers(64, 400), st.sampled_from(list(BACKBONES)))
def test_the_size_that_a_refusal_names_is_enough(short, long, size, backbone):
    content, style = (
        make_picture(short, long, name="first"),
        make_picture(long, max(1, short - 1), name="other"),
    )
    config = TransferConfig(backbone=backbone, size=size)
    try:
        sizes = usable_sizes(config, content, style)
    except ImageError as error:
        named = re.search(r"a size of at least (\d+)", str(error))
        if named is None:
            narrow = make_picture(long, max(1, short - 1))
            assert min(fit(narrow, LARGEST_SIZE)) < BACKBONES[backbone].smallest_side + 1
            return
        enough = TransferConfig(backbone=backbone, size=int(named[1]))
        sizes = usable_sizes(enough, content, style)
        assert sizes[-1] == enough.size
    smallest = BACKBONES[backbone].smallest_side
    assert all(min(fit(picture, rung)) >= smallest for rung in sizes for picture in (content, style))


def test_the_narrower_of_two_that_round_alike_is_named():
    # 32 pixels each at size 64, but only the second is still too narrow at 66.
    wide, narrower = make_picture(50, 100, name="wide"), make_picture(63, 128, name="narrower")
    with pytest.raises(ImageError, match="narrower is too narrow") as error:
        usable_sizes(TransferConfig(size=64), wide, narrower)
    assert usable_sizes(TransferConfig(size=needed(error)), wide, narrower)


def test_no_size_is_named_that_cannot_be_chosen():
    with pytest.raises(ImageError, match=r"needs 33; crop it\.$"):
        usable_sizes(TransferConfig(size=256), SQUARE, make_picture(1, 200))


@given(st.integers(1, 300), st.integers(1, 300), st.integers(64, 512))
def test_fit_keeps_the_shape_within_half_a_pixel(height, width, longest):
    made = fit(make_picture(height, width), longest)
    assert max(made) == longest
    scale = longest / max(height, width)
    for side, exact in zip(made, (width * scale, height * scale), strict=True):
        assert side == 1 or abs(side - exact) <= 0.5 + 1e-9


@pytest.mark.parametrize(
    ("size", "sizes"),
    [(64, (64,)), (255, (255,)), (256, (128, 256)), (257, (129, 257)), (384, (192, 384)),
     (512, (128, 256, 512)), (1000, (250, 500, 1000))],
)  # fmt: skip
def test_ladder_sizes_by_hand(size: int, sizes: tuple[int, ...]) -> None:
    assert ladder_sizes(TransferConfig(size=size)) == sizes
    assert ladder_sizes(TransferConfig(size=size, ladder=False)) == (size,)


@given(st.integers(SMALLEST_SIZE, LARGEST_SIZE))
def test_ladder_sizes_double_from_the_bottom_to_the_size(size: int) -> None:
    sizes = ladder_sizes(TransferConfig(size=size))
    assert sizes[-1] == size
    assert sizes[0] < 2 * LADDER_BOTTOM
    assert len(sizes) == 1 or sizes[0] >= LADDER_BOTTOM
    assert all(large in (2 * small, 2 * small - 1) for small, large in pairwise(sizes))


@given(steps=st.integers(1, MOST_STEPS), rungs=st.integers(1, 7))
def test_ladder_steps_share_out_every_step(steps: int, rungs: int) -> None:
    shares = ladder_steps(steps, rungs)
    assert len(shares) == rungs
    assert sum(shares) == steps
    assert list(shares) == sorted(shares)
    assert shares[-1] - shares[0] <= 1
    assert shares[-1] >= 1
    assert all(type(share) is int for share in shares)


def test_ladder_steps_by_hand() -> None:
    assert ladder_steps(10, 3) == (3, 3, 4)
    assert ladder_steps(11, 3) == (3, 4, 4)
    assert ladder_steps(2, 4) == (0, 0, 1, 1)
