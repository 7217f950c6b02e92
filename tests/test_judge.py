"""The cross-examination against the same formulas in plain NumPy."""

from typing import Any

import numpy as np
import pytest

from nst_core import models as shelf
from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.images import Picture, resize
from nst_core.judge import Verdict, judge
from nst_core.material import resolve
from nst_core.models import Models
from nst_core.weights import load_network
from tests import reference

SIZE = 64


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    """A shelf of networks of a sixteenth of the channels."""

    def load(backbone: Any, weights: str, *, seed: int, progress: Any) -> Any:
        return load_network(backbone, weights, seed=seed, width=1 / 16, progress=progress)

    monkeypatch.setattr(shelf, "load_network", load)
    return Models()


def config_of(backbone: str, **settings: Any) -> TransferConfig:
    plain = {"padding": "zero", "pooling": "max"}  # as the reference has them
    return TransferConfig(backbone=backbone, weights="random", size=SIZE, **{**plain, **settings})


def expected_errors(
    config: TransferConfig, models: Models, picture: Any, content: Picture, style: Picture
) -> tuple[float, float]:
    network, _ = models.network(config)
    backbone = find_backbone(config.backbone)
    maps, contents, styles = (
        reference.feature_maps(network, pixels, padding=config.padding)
        for pixels in (picture, content.pixels, style.pixels)
    )
    by_layer = []
    for name in backbone.style_layers:
        made, wanted = (reference.gram(found[name]) / found[name][..., 0].size for found in (maps, styles))
        by_layer.append(((made - wanted) ** 2).sum() / (wanted**2).sum())
    made, wanted = maps[backbone.content_layer], contents[backbone.content_layer]
    return float(np.mean(by_layer)), float(((made - wanted) ** 2).sum() / (wanted**2).sum())


@pytest.mark.parametrize("backbone", ["vgg16", "resnet50"])
def test_errors_are_the_relative_losses_in_plain_numpy(
    backbone: str, models: Models, content: Picture, style: Picture, rng: np.random.Generator
) -> None:
    picture = rng.random((48, 64, 3), np.float32)
    # Settings of the run that have no part in judging.
    config = config_of(backbone, balance="paper", content_weight=7.0, padding="reflect")
    (verdict,) = judge(
        {"x": picture}, content.pixels, style.pixels, models=models, judges=[config], size=SIZE
    )
    errors = expected_errors(config, models, picture, content, style)
    np.testing.assert_allclose((verdict.style_error, verdict.content_error), errors, rtol=1e-3)


def test_the_sources_themselves_are_without_error(models: Models, style: Picture) -> None:
    square = resize(style.pixels, (64, 64))
    verdicts = judge(
        {"same": square},
        square,
        square,
        models=models,
        judges=[config_of("vgg16"), config_of("vgg19")],
        size=SIZE,
    )
    for verdict in verdicts:
        assert verdict.style_error == pytest.approx(0, abs=1e-9)
        assert verdict.content_error == pytest.approx(0, abs=1e-9)


def test_order_and_own_work(models: Models, content: Picture, style: Picture) -> None:
    pictures = {"VGG19": content.pixels, "mine": style.pixels[:48], "vgg16": content.pixels}
    verdicts = judge(
        pictures,
        content.pixels,
        style.pixels,
        models=models,
        judges=[config_of("vgg16"), config_of("vgg19")],
        size=SIZE,
        made_by={"mine": ("vgg16",)},
    )
    seen = [(verdict.judge, verdict.picture, verdict.own) for verdict in verdicts]
    assert seen == [
        ("VGG16", "VGG19", False), ("VGG16", "mine", True), ("VGG16", "vgg16", True),
        ("VGG19", "VGG19", True), ("VGG19", "mine", False), ("VGG19", "vgg16", False),
    ]  # fmt: skip


def test_each_network_of_a_mix_has_its_own_work_in_it(
    models: Models, content: Picture, style: Picture
) -> None:
    verdicts = judge(
        {"mixed": content.pixels},
        content.pixels,
        style.pixels,
        models=models,
        judges=[config_of("vgg16"), config_of("vgg19"), config_of("resnet50")],
        size=SIZE,
        made_by={"mixed": ("vgg16", "resnet50")},
    )
    assert [verdict.own for verdict in verdicts] == [True, False, True]


def test_judges_of_one_backbone_are_told_apart_by_their_weights(
    models: Models, content: Picture, style: Picture
) -> None:
    judges = [config_of("vgg16"), config_of("vgg16", seed=1)]
    verdicts = judge(
        {"x": content.pixels}, content.pixels, style.pixels, models=models, judges=judges, size=SIZE
    )
    names = [verdict.judge for verdict in verdicts]
    assert names == ["VGG16, random weights", "VGG16, random weights (2)"]
    assert verdicts[0].style_error != verdicts[1].style_error


def test_a_run_and_its_judge_share_network_and_compiled_step(
    models: Models, content: Picture, style: Picture
) -> None:
    config = config_of("vgg16")
    loaded = models.networks(config)
    resolved = resolve(config, loaded["vgg16"][1])
    engine = models.engine(resolved, loaded)
    judge({"x": content.pixels}, content.pixels, style.pixels, models=models, judges=[config], size=SIZE)
    assert models.loads == 1
    assert models.engine(resolved, loaded) is engine
    assert len(models._engines) == 1


def test_a_picture_of_another_size_is_brought_to_it(models: Models, content: Picture, style: Picture) -> None:
    small = resize(content.pixels, (32, 24))
    verdicts = judge(
        {"small": small, "enlarged": resize(small, (64, 48))},
        content.pixels,
        style.pixels,
        models=models,
        judges=[config_of("vgg16")],
        size=SIZE,
    )
    assert isinstance(verdicts[0], Verdict)
    assert verdicts[0].style_error == pytest.approx(verdicts[1].style_error, rel=1e-5)
