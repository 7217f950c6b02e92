"""The settings as widgets: what reaches a run, what a preset sets, and what stays from page to page."""

from types import MappingProxyType
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from nst_core import presets
from nst_core.config import TransferConfig
from nst_core.presets import PRESETS, Preset
from pages.shared import settings, settings_times
from pages.shared.settings_words import STROKES, change_words, strength_words, stroke_words
from tests.pages.conftest import open_page, press_run, small, words

PAGE = "pages/transfer.py"
pytestmark = pytest.mark.usefixtures("loads")

# Every widget of the fold, and the field that it ends up in.
CHOSEN: dict[str, Any] = {
    "strength": 80, "init": "noise", "seed": 7, "ladder": False, "style_scale": 0.5, "statistic": "moments",
    "variation_weight.relative": 0.25, "variation": "absolute", "canvas": "pixel", "optimiser": "adam",
    "learning_rate.pixel": 0.05, "jitter": 3, "averaging": 0.9, "weights": "random", "smoothing": "softmax",
    "temperature": 2.0, "pooling": "max", "padding": "zero", "precision": "float32",
}  # fmt: skip


def set_all(app: AppTest, **chosen: Any) -> AppTest:
    """Choose these settings by their widgets' names."""
    for name, value in chosen.items():
        app.session_state[f"settings.{name}"] = value
    app.run()
    assert not app.exception
    return app


def config_of(app: AppTest, page: str = "transfer") -> TransferConfig:
    """The settings of the run that a press of Run asks for; the run itself is stopped."""
    job = press_run(app, page)
    job.stop()
    assert job.ended.wait(120)
    return job.lanes[0].request.config


@pytest.fixture
def own_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presets of which one sets more than size and steps."""
    others = {
        "finish": "lbfgs",
        "optimiser": "adam",
        "jitter": 4,
        "learning_rate": 0.3,
        "content_weight": 0.7,
    }
    rich = Preset("fine", 128, 9, "a test", MappingProxyType(others))
    rows = MappingProxyType({**PRESETS, "fine": rich})
    for module in (presets, settings, settings_times):
        monkeypatch.setattr(module, "PRESETS", rows)


def test_untouched_settings_are_the_presets() -> None:
    app = open_page(PAGE).run()
    config = config_of(app)
    assert config.resolved() == TransferConfig(**PRESETS["draft"].settings()).resolved()
    assert config.content_weight is None  # the strength sets it
    assert "Changed" not in words(app)


def test_every_widget_reaches_its_field() -> None:
    app = set_all(small(open_page(PAGE)), **CHOSEN)
    config = config_of(app)
    for name, value in CHOSEN.items():
        assert getattr(config, name.partition(".")[0]) == value, name
    # What has no effect on a default run is seen to be the default here.
    assert (config.finish, config.balance, config.content_weight) == ("none", "relative", None)


def test_l_bfgs_leaves_adams_settings_out() -> None:
    app = set_all(small(open_page(PAGE)), optimiser="lbfgs", jitter=5, finish=True)
    labels = [item.label for item in app.number_input]
    assert "Learning rate" not in labels
    assert not any(label.startswith("Jitter") for label in labels)
    config = config_of(app)
    assert (config.optimiser, config.finish, config.jitter) == ("lbfgs", "lbfgs", 0)
    app = set_all(app, optimiser="adam")
    assert config_of(app).jitter == 5  # it was only out of sight


def test_the_temperature_is_there_when_it_counts() -> None:
    app = open_page(PAGE).run()
    assert "Temperature of smoothing" not in [item.label for item in app.number_input]
    app.get_by_key("settings.smoothing").select("softmax").run()
    assert "Temperature of smoothing" in [item.label for item in app.number_input]


def test_weights_set_by_hand_override_the_strength() -> None:
    app = set_all(small(open_page(PAGE)), strength=20)
    assert "Keep the content's structure" not in [item.label for item in app.number_input]
    app.get_by_key("settings.own_weights").set_value(True).run()
    assert not app.exception
    assert app.get_by_key("settings.strength").disabled
    began = app.session_state["settings.content_weight.relative"]
    assert 0.2 < began < 10  # where strength 20 stands: between the middle and faithful
    app.get_by_key("settings.content_weight.relative").set_value(0.5).run()
    app.get_by_key("settings.style_weight.relative").set_value(2.0).run()
    config = config_of(app)
    assert (config.content_weight, config.style_weight) == (0.5, 2.0)
    assert "alpha 0.5, beta 2" in words(app)
    app.get_by_key("settings.own_weights").set_value(False).run()
    config = config_of(app)
    assert (config.content_weight, config.style_weight, config.strength) == (None, None, 20.0)
    assert not app.get_by_key("settings.strength").disabled


def test_the_papers_scale_brings_its_own_weights() -> None:
    app = set_all(small(open_page(PAGE)), balance="paper")
    assert app.get_by_key("settings.strength").disabled
    config = config_of(app)
    assert (config.content_weight, config.style_weight, config.variation_weight) == (1.0, 1000.0, None)
    summary = next(item.value for item in app.caption if "Changed" in item.value)
    assert summary.endswith("Changed: the paper's loss scale")


def test_another_network_may_see_the_content() -> None:
    app = set_all(small(open_page(PAGE)), content_by="vgg16", weights="random")
    assert "content seen by VGG16" in words(app)
    assert config_of(app).content_layers == (("vgg16:block4_conv2", 1.0),)
    set_all(app, content_by="vgg19")  # the run's own network
    assert config_of(app).content_layers is None
    assert "content seen by" not in words(app)


def test_a_quality_that_nobody_chose_changes_nothing() -> None:
    app = set_all(open_page(PAGE), size=64, steps=9)
    app.get_by_key("settings.preset").set_value("fine").run()
    app.get_by_key("settings.preset").set_value("draft").run()
    set_all(app, size=64, steps=9)
    app.get_by_key("settings.preset").set_value(None).run()
    assert not app.exception
    assert app.session_state["settings.preset"] == "draft"
    config = config_of(app)
    assert (config.size, config.steps) == (64, 9)


@pytest.mark.usefixtures("own_presets")
def test_a_preset_sets_its_fields_and_later_changes_are_the_visitors_own() -> None:
    app = set_all(open_page(PAGE), seed=5, strength=70, jitter=9)
    app.get_by_key("settings.preset").set_value("fine").run()
    assert not app.exception
    config = config_of(app)
    assert (config.size, config.steps, config.finish, config.jitter) == (128, 9, "lbfgs", 4)
    assert (config.learning_rate, config.content_weight) == (0.3, 0.7)
    assert (config.seed, config.strength) == (5, 70.0)  # no preset has a say in these
    assert "Changed: seed 5" in words(app)
    set_all(app, jitter=2)
    assert config_of(app).jitter == 2
    assert "Changed: seed 5, jitter 2" in words(app)
    app.get_by_key("settings.preset").set_value("draft").run()
    config = config_of(app)
    assert (config.size, config.finish, config.jitter, config.content_weight) == (256, "none", 0, None)
    assert config.resolved().learning_rate == 0.2


def test_choices_stay_from_page_to_page() -> None:
    app = set_all(small(open_page(PAGE)), **{**CHOSEN, "finish": True, "content_by": "vgg16"})
    before = config_of(app)
    for page in ("pages/curves.py", "pages/method.py", PAGE):
        app.switch_page(page)
        app.query_params.pop("job", None)
        app.run()
        assert not app.exception
    assert config_of(app) == before


@pytest.mark.parametrize("page", [PAGE, "pages/compare.py"])
def test_the_strength_stands_before_the_fold(page: str) -> None:
    app = open_page(page).run()
    slider = app.get_by_key("settings.strength")
    assert slider.value == 75
    inside = [item.label for fold in app.expander for item in fold.select_slider]
    assert slider.label not in inside
    assert "Stroke size" in inside


def test_numbers_have_words() -> None:
    told = [strength_words(strength) for strength in (0, 25, 50, 75, 100)]
    assert told == ["0 · faithful", "25 · gentle", "50 · balanced", "75 · bold", "100 · wild"]
    assert stroke_words(0.5) == "0.5 × as large"
    assert stroke_words(1.0) == "as in the style"
    assert stroke_words(2.0) == "2 × as large"
    for scale in STROKES:
        TransferConfig(style_scale=scale)


def test_every_field_that_may_change_has_words() -> None:
    config = TransferConfig(
        content_weight=0.5, smoothing="softmax", finish="lbfgs", optimiser="lbfgs"
    ).resolved()
    silent = {name for name in TransferConfig.__dataclass_fields__ if not change_words(name, config)}
    # Always told, in front, or told as layers.
    assert silent == {
        "backbone", "weights", "size", "steps", "strength", "style_layers", "content_layers"
    }  # fmt: skip
