"""What differs between runs, what they are called, and whether they go together."""

from dataclasses import replace
from typing import Any

import pytest

from nst_core import comparison as module
from nst_core.backbones import BACKBONES
from nst_core.comparison import (
    Comparison,
    advance_together,
    cross_examine,
    differing_fields,
    run_labels,
)
from nst_core.config import TransferConfig
from nst_core.errors import RunError
from nst_core.judge import Verdict
from nst_core.memory import run_need, together_need
from nst_core.models import Models
from nst_core.strength import content_weight_at
from nst_core.transfer import Run
from tests.compared import CONTENT, STYLE, make_comparison, make_record, make_run, make_steps


def three(**changes: Any) -> list[Any]:
    return [make_record("vgg16"), make_record("vgg19"), make_record("resnet50", **changes)]


def test_a_fair_comparison_differs_in_the_backbone_only() -> None:
    assert differing_fields(three()) == ("backbone",)
    assert differing_fields([make_record()]) == ()
    assert differing_fields([]) == ()


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (make_record("resnet50", seed=1), ("backbone", "seed")),
        (make_record("resnet50", steps=make_steps((3.0, 2.0))), ("backbone", "steps made")),
        (make_record("resnet50", content_weight=7.0, padding="zero"),
         ("backbone", "content_weight", "padding")),
        (make_record("resnet50", pooling="max"), ("backbone", "pooling")),
        (make_record("vgg19", style_layers=(("block1_conv1", 1.0),)), ("backbone", "style_layers")),
        (make_record("vgg19", content_layers=(("block1_conv1", 1.0),)), ("backbone", "content_layers")),
    ],
)  # fmt: skip
def test_whatever_else_differs_is_told(record: Any, told: tuple[str, ...]) -> None:
    assert differing_fields([make_record("vgg16"), record]) == told


def test_alpha_of_one_strength_is_no_difference_and_a_strength_without_effect_is_none() -> None:
    def of_strength(backbone: str, strength: float) -> Any:
        alpha = content_weight_at(strength, backbone, "random")
        return make_record(backbone, strength=strength, content_weight=alpha)

    assert differing_fields([of_strength("vgg16", 30.0), of_strength("resnet50", 30.0)]) == ("backbone",)
    assert differing_fields([of_strength("vgg16", 30.0), of_strength("vgg16", 60.0)]) == ("strength",)
    by_hand = [make_record("vgg16", strength=strength, content_weight=7.0) for strength in (30.0, 60.0)]
    assert differing_fields(by_hand) == ()


def test_a_mix_is_called_by_its_networks() -> None:
    mixed = make_record("vgg19", content_layers=(("resnet50:conv4_block6_out", 1.0),))
    assert run_labels([make_record("vgg19"), mixed]) == ("VGG19", "VGG19, content ResNet50")
    assert differing_fields([make_record("vgg19"), mixed]) == ("content_layers",)


def test_other_pictures_and_other_weights_are_told() -> None:
    record = make_record("resnet50")
    content = replace(record.content, sha256="f" * 64)
    style = replace(record.style, size=(32, 32))
    sketch = replace(record.weights, source="sketch")
    assert differing_fields(three(content=content)) == ("backbone", "content")
    assert differing_fields(three(style=style)) == ("backbone", "style")
    assert differing_fields(three(weights=sketch)) == ("backbone", "weights source")
    # A name is no difference: the bytes are.
    assert differing_fields(three(content=replace(record.content, name="other"))) == ("backbone",)
    # Weights that were asked for by name are one difference, not two.
    chosen = replace(make_record("resnet50", weights=sketch).config, weights="sketch")
    assert differing_fields(three(weights=sketch, config=chosen)) == ("backbone", "weights")


def test_defaults_written_out_and_left_out_are_alike() -> None:
    record = make_record("vgg16")
    config = replace(record.config, style_layers=None, content_layers=None, content_weight=None)
    assert differing_fields([record, replace(record, config=config)]) == ()


def test_labels_tell_runs_apart() -> None:
    assert run_labels(three()) == ("VGG16", "VGG19", "ResNet50")
    padded = make_record("vgg16", padding="replicate")
    assert run_labels([make_record("vgg16"), padded, make_record("vgg19")]) == (
        "VGG16, padding reflect", "VGG16, padding replicate", "VGG19",
    )  # fmt: skip
    assert run_labels([make_record("vgg16")] * 3) == ("VGG16", "VGG16 (2)", "VGG16 (3)")


def test_a_comparison_needs_runs_with_labels_of_their_own() -> None:
    assert make_comparison().labels == ("VGG16", "VGG19", "ResNet50")
    assert make_comparison().colours == ("#0072B2", "#009E73", "#D55E00")
    with pytest.raises(RunError, match="nothing to compare"):
        Comparison(content=CONTENT, style=STYLE, runs=())
    for labels in (("a", "a", "b"), ("a", "b")):
        with pytest.raises(RunError, match="label of its own"):
            make_comparison(labels=labels, examined=False)


def test_examining_asks_each_network_once_about_each_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def note(pictures: Any, content: Any, style: Any, **options: Any) -> tuple[Verdict, ...]:
        asked.update(options, pictures=pictures, content=content, style=style)
        return (Verdict(judge="j", picture="VGG16", style_error=0.0, content_error=0.0, own=False),)

    monkeypatch.setattr(module, "judge", note)
    records = [make_record("vgg16"), make_record("vgg16", seed=1), make_record("vgg19")]
    runs = (*map(make_run, records), Run(record=make_record("resnet50"), picture=None))
    comparison = Comparison(content=CONTENT, style=STYLE, runs=runs)
    examined = cross_examine(comparison, models=Models())
    assert len(examined.verdicts) == 1
    assert list(asked["pictures"]) == ["VGG16, seed 0", "VGG16, seed 1", "VGG19"]
    # The two runs of VGG16 have the same weights by their SHA-256.
    assert [config.backbone for config in asked["judges"]] == ["vgg16", "vgg19", "resnet50"]
    assert asked["size"] == 64
    assert asked["made_by"]["VGG16, seed 1"] == ("vgg16",)
    assert asked["content"] is CONTENT.pixels


CONFIGS = [TransferConfig(backbone=name, weights="random", size=512) for name in BACKBONES]


def test_enough_memory_lets_them_go_together() -> None:
    needed = together_need([run_need(config) for config in CONFIGS])
    together, reason = advance_together(CONFIGS, 2 * needed)
    assert together
    assert reason.startswith("VGG16, VGG19 and ResNet50 advance together: that needs about ")
    assert "of which the largest step, that of VGG19, takes " in reason
    assert reason.endswith("are free.")
    assert advance_together(CONFIGS, int(needed / 0.7) + 2)[0]
    assert not advance_together(CONFIGS, int(needed / 0.7) - 2)[0]


def test_too_little_memory_sends_them_one_after_another() -> None:
    together, reason = advance_together(CONFIGS, 10**9)
    assert not together
    assert reason.startswith("VGG16, VGG19 and ResNet50 go one after another: together they would need about")
    assert reason.endswith("more than 70% of the 1.0 GB that are free.")


def test_unknown_memory_is_said_to_be_unknown() -> None:
    together, reason = advance_together(CONFIGS[:1], None)
    assert together
    assert "not known here" in reason


def test_a_mix_is_told_with_all_its_networks() -> None:
    mixed = replace(CONFIGS[1], content_layers=(("resnet50:conv4_block6_out", 1.0),))
    assert advance_together([CONFIGS[0], mixed], None)[1].startswith("VGG16 and VGG19 + ResNet50 advance")
