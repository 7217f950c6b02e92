"""Memory by hand: maps counted one by one."""

from dataclasses import replace

import pytest

from nst_core import memory
from nst_core.architectures import Architecture, Layer
from nst_core.backbones import COLOURS, RESNET50, VGG16
from nst_core.config import TransferConfig
from nst_core.memory import (
    Need,
    run_need,
    step_values,
    together_need,
    weight_values,
)

TINY = Architecture(
    "tiny",
    1.0,
    (
        Layer(name="a", kind="convolution", inputs=("input",), channels=4, kernel=3, padding=1, relu=True),
        Layer(name="b", kind="max_pool", inputs=("a",), channels=4, kernel=2, stride=2),
        Layer(name="c", kind="convolution", inputs=("b",), channels=5),
    ),
)


def test_maps_that_gradients_need_and_a_working_one() -> None:
    picture, a, b, c = 10 * 6 * 3, 10 * 6 * 4, 5 * 3 * 4, 5 * 3 * 5
    assert step_values(TINY.layers[:1], (10, 6)) == picture + a + a
    # The last convolution has no ReLU: what follows would take over its memory.
    assert step_values(TINY.layers, (10, 6)) == picture + a + b + a
    assert c < a
    assert step_values((), (10, 6)) == picture


def test_weights_are_kernels_and_biases() -> None:
    assert weight_values(TINY.layers) == (3 * 3 * 3 * 4 + 4) + (4 * 5 + 5)
    assert (
        weight_values(VGG16.architecture().folded().layers) == 14_714_688
    )  # as Keras counts them, without top


def test_a_run_by_hand() -> None:
    need = run_need(
        TransferConfig(
            backbone="vgg16", weights="random", optimiser="adam", canvas="pixel", precision="float32"
        ),
        (64, 32),
    )
    first, second, third = 64 * 32, 32 * 16, 16 * 8
    fourth, fifth = 8 * 4, 4 * 2
    maps = (
        3 * first + 2 * 64 * first  # the picture and the two convolutions of block 1
        + (64 + 2 * 128) * second  # the pool before it, and block 2
        + (128 + 3 * 256) * third
        + (256 + 3 * 512) * fourth
        + (512 + 512) * fifth  # up to block5_conv1
        + 64 * first  # working
    )  # fmt: skip
    assert need.step == maps * 4
    content = 512 * fourth  # block4_conv2
    assert need.held == 75_000_000 + (2 * 14_714_688 + 11 * 3 * 64 * 32 + content) * 4
    assert need.total == need.step + need.held


def test_bfloat16_halves_maps_and_weights() -> None:
    full = TransferConfig(backbone="vgg16", weights="random", optimiser="adam", size=64, precision="float32")
    half = replace(full, precision="bfloat16")
    assert run_need(half).step == run_need(full).step / 2
    assert run_need(full).held - run_need(half).held == 2 * 14_714_688 * 2


def test_tiles_need_less_for_a_step() -> None:
    config = TransferConfig(
        backbone="vgg16", weights="random", optimiser="adam", size=1024, precision="float32"
    )
    whole, tiled = run_need(config), run_need(config, tile=256)
    assert tiled.held == whole.held + 30_000_000
    # The crop of a cell of 256 pixels and VGG16's halo, about 400 pixels, instead of 1024.
    assert 0.1 < tiled.step / whole.step < 0.2


def test_on_amx_each_size_of_crop_takes_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A square in 3 x 3 cells: along an axis the middle crop is longer than the first and the last."""
    config = TransferConfig(
        weights="random",
        optimiser="adam",
        precision="bfloat16",
        style_layers=(("block1_conv2", 1.0),),
        content_layers=(("block1_conv2", 1.0),),
    )
    monkeypatch.setattr(memory, "has_amx", lambda: False)
    plain, whole = run_need(config, (768, 768), 256), run_need(config, (768, 768))
    monkeypatch.setattr(memory, "has_amx", lambda: True)
    assert run_need(config, (768, 768)) == whole
    full = replace(config, precision="float32")
    with_amx = run_need(full, (768, 768), 256)
    monkeypatch.setattr(memory, "has_amx", lambda: False)
    assert run_need(full, (768, 768), 256) == with_amx
    monkeypatch.setattr(memory, "has_amx", lambda: True)
    made = run_need(config, (768, 768), 256)
    assert made.step == plain.step
    weights = (9 * 3 + 1) * 64 + (9 * 64 + 1) * 64
    assert made.held - plain.held == 4 * round(2 * 580_000 + 1.4 * weights)


def test_shifted_contents_are_kept_each() -> None:
    still = TransferConfig(backbone="vgg16", weights="random", optimiser="adam", size=64)
    shaken = replace(still, jitter=4)
    assert run_need(shaken).held - run_need(still).held == 7 * 512 * 8 * 8 * 4


def test_only_named_layers_count_and_a_square_is_the_default() -> None:
    config = TransferConfig(
        backbone="vgg16",
        weights="random",
        precision="float32",
        size=64,
        style_layers=(("block1_conv1", 1.0),),
        content_layers=(("block1_conv1", 1.0),),
    )
    assert run_need(config).step == (3 + 2 * 64) * 64 * 64 * 4


def test_layers_of_another_network_bring_that_network() -> None:
    both = TransferConfig(
        backbone="vgg16",
        weights="random",
        precision="float32",
        size=64,
        style_layers=(("block1_conv1", 0.5), ("resnet50:conv1_relu", 0.5), (COLOURS, 1.0)),
        content_layers=(("vgg16:block1_conv1", 1.0),),
    )
    alone = replace(both, style_layers=both.style_layers[:1] if both.style_layers else None)
    resnet = RESNET50.architecture().folded()
    more = step_values(resnet.up_to(("conv1_relu",)), (64, 64))
    assert run_need(both).step - run_need(alone).step == more * 4
    assert run_need(both).held - run_need(alone).held == 2 * weight_values(resnet.layers) * 4


def test_l_bfgs_holds_its_corrections_and_an_average_a_picture() -> None:
    from nst_core.lbfgs import CORRECTIONS

    config = TransferConfig(backbone="vgg16", weights="random", size=64, optimiser="adam")
    picture = 3 * 64 * 64 * 4

    def more(**changes: object) -> float:
        return (run_need(replace(config, **changes)).held - run_need(config).held) / picture

    # Pairs of moves and gradient changes alone are 20 pictures.
    assert more(finish="lbfgs") > 2 * CORRECTIONS - 11
    assert more(optimiser="lbfgs", canvas="pixel") == more(finish="lbfgs")
    assert more(averaging=0.9) == pytest.approx(1)


def test_in_turns_one_step_at_a_time() -> None:
    assert together_need([Need(10, 100), Need(20, 300), Need(5, 50)]) == 10 + 20 + 5 + 300
    assert together_need([]) == 0
