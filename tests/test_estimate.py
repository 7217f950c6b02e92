"""Counted work, the cost of a plan, and how long the rest takes."""

import math
from itertools import accumulate, chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.architectures import INPUT, Architecture, Layer, vgg
from nst_core.backbones import BACKBONES, COLOURS, VGG19, Backbone
from nst_core.estimate import (
    OVERHEAD_PIXELS,
    gigaflops,
    matrix_rate,
    plan_cost,
    product_gigaflops,
    seconds_left,
    step_cost,
)
from nst_core.plan import Plan
from nst_core.records import Step

PLAN = (((128, 96), 5), ((256, 192), 10), ((512, 384), 20))

plans = st.lists(
    st.tuples(st.tuples(st.integers(1, 4096), st.integers(1, 4096)), st.integers(0, 20)),
    min_size=1,
    max_size=5,
)


def make_step(index: int, size: tuple[int, int], seconds: float) -> Step:
    return Step(
        index=index, scale=0, size=size, total=1.0, content=1.0, style=0.0, variation=0.0, layers={},
        seconds=seconds,
    )  # fmt: skip


def steps_at(rate: float, plan: Plan, *, compiling: float = 0.0) -> list[Step]:
    """The steps of a plan on a machine that takes `rate` seconds a unit of cost, the first one longer."""
    sizes = list(chain.from_iterable(repeat(size, count) for size, count in plan))
    ends = accumulate(step_cost(size) * rate for size in sizes)
    return [
        make_step(index, size, end + compiling)
        for index, (size, end) in enumerate(zip(sizes, ends, strict=True), start=1)
    ]


def test_one_convolution_by_hand() -> None:
    # 3 x 3 window, 3 -> 5 channels, 7 x 4 positions: 3*3*3*5*28 multiply-adds, twice for add and multiply,
    # twice for there and back.
    layer = Layer(name="only", kind="convolution", inputs=(INPUT,), channels=5, kernel=3, padding=1)
    architecture = Architecture("one", 1.0, (layer,))
    assert gigaflops(architecture, ("only",), (7, 4)) == pytest.approx(3 * 3 * 3 * 5 * 28 * 4 / 1e9)


def test_strides_and_pools_shrink_the_work_behind_them() -> None:
    layers = (
        Layer(name="pool", kind="max_pool", inputs=(INPUT,), channels=3, kernel=2, stride=2),
        Layer(
            name="strided", kind="convolution", inputs=("pool",), channels=2, kernel=3, stride=2, padding=1
        ),
        Layer(name="last", kind="convolution", inputs=("strided",), channels=4, kernel=1),
    )
    architecture = Architecture("small", 1.0, layers)
    # 13 x 10 -> pooled 6 x 5 -> strided 3 x 3.
    strided, last = 9 * 3 * 2 * 9, 2 * 4 * 9
    assert gigaflops(architecture, ("strided",), (13, 10)) == pytest.approx(4 * strided / 1e9)
    assert gigaflops(architecture, ("last",), (13, 10)) == pytest.approx(4 * (strided + last) / 1e9)
    assert gigaflops(architecture, ("pool",), (13, 10)) == 0


def test_vgg19_at_512_by_384() -> None:
    # Multiply-adds a position, block by block, to block5_conv1; positions quarter from block to block.
    blocks = (
        (3 * 64 + 64 * 64),
        (64 * 128 + 128 * 128),
        (128 * 256 + 3 * 256 * 256),
        (256 * 512 + 3 * 512 * 512),
        (512 * 512),
    )
    by_hand = sum(4 * 9 * work * 512 * 384 / 4**block for block, work in enumerate(blocks)) / 1e9
    assert by_hand == pytest.approx(284.0, abs=0.1)
    architecture = VGG19.architecture().folded()
    assert gigaflops(architecture, VGG19.style_layers, (512, 384)) == pytest.approx(by_hand)
    assert gigaflops(architecture, VGG19.style_layers, (384, 512)) == pytest.approx(by_hand)


def test_the_colours_cost_nothing() -> None:
    architecture = vgg(width=1 / 16)
    with_colours = gigaflops(architecture, ("block2_conv1", COLOURS), (64, 48))
    assert with_colours == gigaflops(architecture, ("block2_conv1",), (64, 48)) > 0
    assert gigaflops(architecture, (COLOURS,), (64, 48)) == 0


def test_products_by_hand():
    # 2 operations x N^2 x M positions, forward and back: 64 channels of 32 x 24, 128 of 16 x 12.
    architecture = VGG19.architecture()
    by_hand = 4 * (64**2 * 32 * 24 + 128**2 * 16 * 12) / 1e9
    layers = ("block1_conv1", "block2_conv1", COLOURS)
    assert product_gigaflops(architecture, layers, (32, 24)) == pytest.approx(by_hand)
    assert product_gigaflops(architecture, (COLOURS,), (32, 24)) == 0


@pytest.mark.parametrize("backbone", BACKBONES.values(), ids=list(BACKBONES))
def test_folding_changes_no_work(backbone: Backbone) -> None:
    architecture = backbone.architecture()
    work = gigaflops(architecture, backbone.style_layers, (224, 224))
    assert work == gigaflops(architecture.folded(), backbone.style_layers, (224, 224))


def test_plan_cost_by_hand() -> None:
    assert step_cost((100, 50)) == 5000 + OVERHEAD_PIXELS
    assert plan_cost(()) == 0
    assert plan_cost((((100, 50), 3), ((200, 100), 2))) == 3 * 5000 + 2 * 20000 + 5 * OVERHEAD_PIXELS


@given(plan=plans, rate=st.floats(1e-9, 1e-3), compiling=st.floats(0, 100), data=st.data())
def test_time_left_at_a_constant_rate_is_exact(
    plan: Plan, rate: float, compiling: float, data: st.DataObject
) -> None:
    steps = steps_at(rate, plan, compiling=compiling)
    done = data.draw(st.integers(0, len(steps)))
    left = seconds_left(steps[:done], plan)
    if done < 3:
        assert left is None
    else:
        assert left == pytest.approx(steps[-1].seconds - steps[done - 1].seconds, rel=1e-6, abs=1e-6)


def test_time_left_is_never_negative() -> None:
    steps = steps_at(0.001, PLAN)
    assert seconds_left(steps, PLAN) == pytest.approx(0, abs=1e-9)
    assert seconds_left(steps, PLAN[:1]) == 0


def test_matrix_rate_is_a_positive_number() -> None:
    assert 0 < matrix_rate(side=32, repeats=1) < math.inf
