"""The options that become settings: each reaches its field, and bad ones are told in one sentence."""

import argparse
import re
from dataclasses import fields
from pathlib import Path

import pytest

from nst_core import cli
from nst_core.cli import main
from nst_core.cli_run import add_settings, layer_weights, make_config
from nst_core.config import TransferConfig
from nst_core.errors import ConfigError

# An option for every field of TransferConfig, with a value that is not the default.
OPTIONS = (
    ("--backbone=resnet50", "backbone", "resnet50"),
    ("--weights=own.h5", "weights", "own.h5"),
    ("--size=100", "size", 100),
    ("--steps=7", "steps", 7),
    ("--seed=3", "seed", 3),
    ("--canvas=pixel", "canvas", "pixel"),
    ("--balance=paper", "balance", "paper"),
    ("--optimiser=adam", "optimiser", "adam"),
    ("--finish=lbfgs", "finish", "lbfgs"),
    ("--init=style", "init", "style"),
    ("--single-size", "ladder", False),
    ("--strength=80", "strength", 80.0),
    ("--content-weight=0", "content_weight", 0.0),
    ("--style-weight=2", "style_weight", 2.0),
    ("--tv-weight=0.5", "variation_weight", 0.5),
    ("--variation=power", "variation", "power"),
    ("--learning-rate=0.1", "learning_rate", 0.1),
    ("--style-layers=block1_conv1=1,vgg16:block2_conv1=3", "style_layers",
     (("block1_conv1", 1.0), ("vgg16:block2_conv1", 3.0))),
    ("--content-layers=block4_conv2, resnet50:conv4_block6_out", "content_layers",
     (("block4_conv2", 0.5), ("resnet50:conv4_block6_out", 0.5))),
    ("--statistic=wasserstein", "statistic", "wasserstein"),
    ("--smoothing=softmax", "smoothing", "softmax"),
    ("--temperature=2", "temperature", 2.0),
    ("--style-scale=0.5", "style_scale", 0.5),
    ("--jitter=4", "jitter", 4),
    ("--averaging=0.9", "averaging", 0.9),
    ("--padding=zero", "padding", "zero"),
    ("--pooling=max", "pooling", "max"),
    ("--precision=float32", "precision", "float32"),
)  # fmt: skip


def config_of(*options: str) -> TransferConfig:
    return make_config(cli._parser().parse_args(["transfer", "a", "b", "-o", "c.png", *options]))


@pytest.mark.parametrize(("option", "name", "value"), OPTIONS, ids=[option for option, _, _ in OPTIONS])
def test_each_option_sets_its_field_and_no_other(option: str, name: str, value: object) -> None:
    plain, asked = config_of(), config_of(option)
    assert getattr(asked, name) == value != getattr(plain, name)
    others = {field.name for field in fields(TransferConfig)} - {name}
    assert all(getattr(asked, other) == getattr(plain, other) for other in others)


def test_no_setting_is_without_an_option() -> None:
    assert {name for _, name, _ in OPTIONS} == {field.name for field in fields(TransferConfig)}


def test_every_option_has_a_line_of_help() -> None:
    command = argparse.ArgumentParser()
    add_settings(command)
    for action in command._actions:
        assert action.help, action.option_strings


def test_layers_by_name_weigh_alike_and_layers_with_weights_as_told() -> None:
    assert layer_weights("a,b, c ,d") == (("a", 0.25), ("b", 0.25), ("c", 0.25), ("d", 0.25))
    assert layer_weights("a=2, vgg16:b = 0.5") == (("a", 2.0), ("vgg16:b", 0.5))
    for text in ("", ",", "a=1,b", "a=x", "a="):
        with pytest.raises(ConfigError, match=re.escape(repr(text))):
            layer_weights(text)


def test_a_layer_of_another_network_is_that_networks_in_every_column() -> None:
    options = cli._parser().parse_args(
        ["compare", "a", "b", "-o", "c", "--content-layers=vgg19:block4_conv2"]
    )
    layers = [make_config(options, name).content_layers for name in ("vgg16", "vgg19")]
    assert layers == [(("vgg19:block4_conv2", 1.0),), (("block4_conv2", 1.0),)]


BAD = (
    ("--strength=101", "from 0 to 100"),
    ("--style-scale=9", "from 0.25 to 4"),
    ("--temperature=0", "temperature"),
    ("--jitter=-1", "jitter"),
    ("--averaging=1", "averaging"),
    ("--style-layers=block1_conv1=x", "numbers"),
    ("--style-layers=block1_conv1=1,block2_conv1", "all with weights"),
    ("--style-layers=nowhere", "no layer named 'nowhere'"),
    ("--content-layers=vgg16:block1_conv9", "vgg16 has no layer"),
    ("--content-layers=alexnet:conv1", "alexnet"),
    ("--content-layers=input", "no layer named 'input'"),
)


@pytest.mark.parametrize(("option", "told"), BAD)
@pytest.mark.parametrize("command", ["transfer", "compare"])
def test_bad_options_are_told_in_one_sentence(
    command: str, option: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.png"
    assert main([command, "skyline", "mandala", "-o", str(output), option]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"nst: [^\n]+\.\n", said.err)
    assert told in said.err
    assert not output.exists()
