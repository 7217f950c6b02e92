"""The study's entry point, on thin networks."""

import numpy as np
import pytest
from PIL import Image

import nst_core.material
from nst_core.engine import Engine
from nst_core.errors import ConfigError, RunError
from nst_core.networks import random_network
from nst_core.records import WeightsSource
from nst_core.study import MODELS, results_figure, show_results

SMALL = {"size": 64, "steps": 3, "weights": "random"}


@pytest.fixture
def thin(monkeypatch):
    """Networks of a sixteenth of the width in place of the full ones."""

    def load(backbone, weights="auto", *, seed=0, **_):
        network = random_network(backbone.architecture(1 / 16), seed)
        source = WeightsSource(source="random", sha256="0" * 64, parameters=network.parameters, width=1 / 16)
        return network, source

    monkeypatch.setattr(nst_core.material, "load_network", load)


@pytest.mark.parametrize("model", [0, 1, 2])
def test_each_number_is_its_network_and_the_files_are_there(thin, content, style, tmp_path, model) -> None:
    path = tmp_path / "out.png"
    record = show_results(content, style, model, content_weight=0.7, learning_rate=0.1, save=path, **SMALL)
    assert record.config.backbone == MODELS[model]
    assert (record.config.content_weight, record.config.learning_rate) == (0.7, 0.1)
    assert len(record.steps) == 3
    with Image.open(path) as picture:
        assert picture.size == (64, 48)
        assert "nst-config" in picture.text
    assert "plotly" in path.with_suffix(".html").read_text("utf-8").lower()


@pytest.mark.parametrize("model", [-1, 3, True, "vgg16", 1.5, 1.0])
def test_other_numbers_are_refused(content, style, model) -> None:
    with pytest.raises(ConfigError, match="0 for vgg16, 1 for vgg19, 2 for resnet50"):
        show_results(content, style, model)


def test_a_picture_whose_folder_is_gone_is_said_to_be_elsewhere(
    thin, content, style, tmp_path, monkeypatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    evaluate = Engine.evaluate

    def evaluated(engine, *arguments):
        if (tmp_path / "gone").exists():
            (tmp_path / "gone").rmdir()
        return evaluate(engine, *arguments)

    monkeypatch.setattr(Engine, "evaluate", evaluated)
    with pytest.raises(RunError, match=r"it is in .+a\.png\. .+it is in .+a\.html\."):
        show_results(content, style, 0, save=tmp_path / "gone" / "a.png", **SMALL)
    assert len([*tmp_path.glob("nst-*/a.png"), *tmp_path.glob("nst-*/a.html")]) == 2


def test_the_network_is_named_once(content, style) -> None:
    with pytest.raises(ConfigError, match="leave the backbone out"):
        show_results(content, style, 2, backbone="vgg16")


def test_what_cannot_be_saved_is_refused_before_the_run(content, style, tmp_path) -> None:
    with pytest.raises(ConfigError, match="PNG"):
        show_results(content, style, 0, save=tmp_path / "out.jpg")


def test_the_figure_holds_the_picture_and_all_curves(thin, content, style, tmp_path) -> None:
    record = show_results(content, style, 0, save=tmp_path / "out.png", **SMALL)
    picture = np.zeros((48, 64, 3), np.float32)
    figure = results_figure(record, picture)
    assert figure.data[0].z.shape == (48, 64, 3)
    assert [trace.name for trace in figure.data[1:]] == ["Total", "best step", "Style", "Content"]


def test_without_a_path_it_opens_the_figure(thin, content, style, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr("plotly.graph_objects.Figure.show", lambda figure: shown.append(figure))
    show_results(content, style, 0, **SMALL)
    assert len(shown) == 1
