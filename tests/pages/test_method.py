"""The Method page, driven without a browser."""

import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

import nst_core.models
from nst_core.backbones import BACKBONES, COLOURS, VGG19
from nst_core.errors import RunError, WeightsError
from pages.shared import method_choice
from pages.shared.method_bench import MOST_WAITING, Bench, bench
from pages.shared.method_settings_words import OF_THE_SETTINGS
from pages.shared.state import workshop
from tests.pages.conftest import ROOT, open_page, words

PAGE = "pages/method.py"
USUAL = dict.fromkeys(VGG19.style_layers, 0.2)


def open_part(part: str) -> AppTest:
    """The page with one of its tabs open."""
    app = open_page(PAGE)
    app.session_state["settings.weights"] = "random"
    app.session_state["method.part"] = part
    return app.run()


def wait_for_the_bench(app: AppTest) -> AppTest:
    """Wait until all that was asked for is measured, and run the page again, as its refresh does."""
    for future in list(bench()._futures.values()):
        future.exception(timeout=120)
    return app.run()


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A session's state, for what needs no page."""
    kept: dict[str, object] = {"settings.weights": "random"}
    monkeypatch.setattr(method_choice, "st", SimpleNamespace(session_state=kept, toast=lambda words: None))
    return kept


@pytest.mark.usefixtures("loads")
def test_the_algorithm_is_told_in_words_and_formulas() -> None:
    app = open_page(PAGE).run()
    assert not app.exception
    parts = ("Content loss", "Gram matrix", "Total loss", "Relative loss scale", "Ladder", "Fourier")
    for part in (*parts, *(title for title, _ in OF_THE_SETTINGS)):
        assert part in words(app)
    assert r"\frac{1}{4 N_l^2}" in words(app)
    assert len(app.get("plotly_chart")) == 0  # only the open part is computed


@pytest.mark.usefixtures("loads")
@pytest.mark.parametrize(("backbone", "layers"), [("vgg16", 18), ("vgg19", 21), ("resnet50", 121)])
def test_the_layers_of_each_network_are_drawn_and_listed(backbone: str, layers: int) -> None:
    app = open_part("Layers")
    app.session_state["settings.backbone"] = backbone
    app.session_state["settings.size"] = 128
    app.run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    table = app.data_editor[0].value
    assert len(table) == layers + 1  # and the raw colours
    row = BACKBONES[backbone]
    assert list(table["Layer"][table["Style"]]) == list(row.style_layers)
    assert list(table["Layer"][table["Content"]]) == [row.content_layer]
    assert "128 ×" in words(app)


@pytest.mark.usefixtures("loads")
def test_own_layers_are_shown_go_into_the_run_and_can_be_forgotten() -> None:
    app = open_part("Layers")
    app.session_state["layers.vgg19.style"] = (("block1_conv2", 0.75), ("block3_conv1", 0.25))
    app.session_state["layers.vgg19.content"] = (("block5_conv2", 1.0),)
    app.run()
    assert "`block1_conv2` × 0.75" in words(app)
    table = app.data_editor[0].value
    assert list(table["Weight"].dropna()) == [0.75, 0.25]
    app.switch_page("pages/transfer.py").run()
    assert not app.exception
    assert "own layers" in words(app)
    app.session_state["settings.size"], app.session_state["settings.steps"] = 64, 2
    app.run()
    app.get_by_key("transfer.run").click().run()
    assert not app.exception
    job = workshop().queue.find(app.session_state["transfer.job"])
    assert job is not None
    assert job.ended.wait(120)
    config = job.lanes[0].run.record.config
    assert config.style_layers == (("block1_conv2", 0.75), ("block3_conv1", 0.25))
    assert config.content_layers == (("block5_conv2", 1.0),)
    app.switch_page(PAGE).run()
    app.session_state["method.part"] = "Layers"
    app.run()
    app.get_by_key("method.forget.vgg19").click().run()
    assert "layers.vgg19.style" not in app.session_state
    assert "each at weight 0.2" in words(app)


@pytest.mark.usefixtures("loads")
def test_own_layers_of_one_network_leave_the_others_alone() -> None:
    app = open_part("Layers")
    app.session_state["layers.vgg16.content"] = (("block1_conv1", 1.0),)
    app.switch_page("pages/transfer.py").run()
    assert app.session_state["settings.backbone"] == "vgg19"
    assert "own layers" not in words(app)


@pytest.mark.usefixtures("loads")
def test_equal_weights_add_up_to_1() -> None:
    app = open_part("Layers")
    app.session_state["layers.vgg19.style"] = (("block1_conv1", 3.0), ("block2_conv1", 1.0))
    app.run()
    app.get_by_key("method.even_out.vgg19").click().run()
    assert app.session_state["layers.vgg19.style"] == (("block1_conv1", 0.5), ("block2_conv1", 0.5))


def test_a_click_adds_and_removes_a_style_layer(state: dict[str, object]) -> None:
    method_choice.toggle_style("vgg19", "block2_conv2")
    chosen = dict(state["layers.vgg19.style"])
    assert chosen == pytest.approx(USUAL | {"block2_conv2": 0.2})
    assert list(chosen)[2] == "block2_conv2"  # in the network's order
    method_choice.toggle_style("vgg19", "block1_conv1")
    assert "block1_conv1" not in dict(state["layers.vgg19.style"])


def test_the_last_style_layer_stays(state: dict[str, object]) -> None:
    state["layers.vgg19.style"] = (("block1_conv1", 1.0),)
    method_choice.toggle_style("vgg19", "block1_conv1")
    assert state["layers.vgg19.style"] == (("block1_conv1", 1.0),)


NAMES = VGG19.architecture().names


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("edits", "style", "content", "anew"),
    [
        ({0: {"Weight": 0.6}}, USUAL | {"block1_conv1": 0.6}, "block4_conv2", False),
        ({1: {"Style": True}}, USUAL | {"block1_conv2": 0.2}, "block4_conv2", False),
        ({1: {"Style": True, "Weight": 2}}, USUAL | {"block1_conv2": 2}, "block4_conv2", False),
        ({1: {"Weight": 2}}, USUAL | {"block1_conv2": 2}, "block4_conv2", False),
        # The table would go on showing a weight beside the layer that is gone.
        ({1: {"Style": False, "Weight": 2}}, USUAL, "block4_conv2", True),
        ({1: {"Content": True}, 12: {"Content": False}}, USUAL, "block1_conv2", False),
        ({12: {"Content": False}}, USUAL, "block4_conv2", True),
        ({0: {"Weight": None}}, USUAL, "block4_conv2", True),
        ({place: {"Style": False} for place in range(len(NAMES))}, USUAL, "block4_conv2", True),
    ],
)
def test_edits_of_the_table(
    edits: dict[int, object], style: dict[str, float], content: str, anew: bool
) -> None:
    assert NAMES[12] == "block4_conv2"
    for _ in range(2):  # the table reports its edits again and again
        assert method_choice.apply_edits("vgg19", NAMES, edits) is anew
    assert dict(method_choice.style_layers("vgg19")) == pytest.approx(style)
    assert method_choice.content_layers("vgg19") == ((content, 1.0),)


def test_a_tick_of_content_leaves_the_usual_style_layers_usual(state: dict[str, object]) -> None:
    method_choice.apply_edits("vgg19", NAMES, {7: {"Content": True}})
    assert "layers.vgg19.style" not in state


def test_ticks_add_and_remove_content_layers(state: dict[str, object]) -> None:
    assert not method_choice.apply_edits("vgg19", NAMES, {7: {"Content": True}})
    both = ((NAMES[7], 0.5), ("block4_conv2", 0.5))
    assert state["layers.vgg19.content"] == both
    assert not method_choice.apply_edits("vgg19", NAMES, {7: {"Content": True}, 12: {"Content": False}})
    assert state["layers.vgg19.content"] == ((NAMES[7], 1.0),)


def test_a_click_adds_and_removes_a_content_layer_and_the_last_one_stays(state: dict[str, object]) -> None:
    method_choice.toggle_content("vgg19", "block1_conv2")
    assert state["layers.vgg19.content"] == (("block1_conv2", 0.5), ("block4_conv2", 0.5))
    method_choice.toggle_content("vgg19", "block4_conv2")
    method_choice.toggle_content("vgg19", "block1_conv2")
    assert state["layers.vgg19.content"] == (("block1_conv2", 1.0),)


def test_a_press_of_measure_gives_the_figures_and_says_which_weights(loads: list[str]) -> None:
    app = open_part("Activations")
    app.session_state["settings.size"] = 64
    app.run()
    app.get_by_key("method.measure").click().run()
    wait_for_the_bench(app)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 3
    assert words(app).count("(random weights)") == 3
    assert "not all of these are ImageNet weights" in words(app)
    assert loads == list(BACKBONES)
    again = open_part("Activations")
    again.session_state["settings.size"] = 64
    again.run()
    assert len(again.get("plotly_chart")) == 3  # found again, not measured again
    assert loads == list(BACKBONES)


def test_weights_that_cannot_be_had_are_told_and_can_be_tried_again(
    loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = nst_core.models.load_network

    def fail(*_: object, **__: object) -> None:
        raise WeightsError("The weights are elsewhere.")

    monkeypatch.setattr(nst_core.models, "load_network", fail)
    app = open_part("Activations")
    app.session_state["settings.size"] = 64
    app.run()
    app.get_by_key("method.measure").click().run()
    wait_for_the_bench(app)
    assert not app.exception
    assert "The weights are elsewhere." in words(app)
    assert len(app.get("plotly_chart")) == 0
    monkeypatch.setattr(nst_core.models, "load_network", works)
    app.get_by_key("method.measure").click().run()
    wait_for_the_bench(app)
    assert len(app.get("plotly_chart")) == 3
    assert loads == list(BACKBONES)


@pytest.mark.usefixtures("loads")
def test_sketch_weights_have_their_own_usual_style_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method_choice, "expected_source", lambda row, weights: "sketch")
    app = open_part("Layers")
    app.session_state["settings.weights"] = "auto"
    app.run()
    assert not app.exception
    table = app.data_editor[0].value
    assert set(table["Layer"][table["Style"]]) == set(VGG19.sketch_style_layers)
    assert table["Layer"][0] == COLOURS
    told = "**content** from `block2_conv2` × 0.05, `block3_conv2` × 0.475 and `block4_conv2` × 0.475."
    assert told in words(app)


def test_the_bench_refuses_more_than_it_can_hold_and_tries_failures_again() -> None:
    own, gate = Bench(), threading.Event()
    for index in range(MOST_WAITING):
        own.ask(str(index), gate.wait)
    with pytest.raises(RunError, match=f"{MOST_WAITING} measurements are waiting"):
        own.ask("one more", gate.wait)
    own.ask("3", gate.wait)  # known, so not one more
    gate.set()
    assert all(own.find(str(index)).result(60) is True for index in range(MOST_WAITING))

    def fail() -> None:
        raise RunError("no")

    own.ask("failing", fail)
    assert isinstance(own.find("failing").exception(60), RunError)
    own.ask("failing", lambda: "measured")
    assert own.find("failing").result(60) == "measured"


def test_the_first_paint_of_every_part_does_not_import_tensorflow() -> None:
    script = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(ROOT / 'app.py')!r}, default_timeout=60).run()\n"
        f"app.switch_page({PAGE!r}).run()\n"
        "for part in ('Algorithm', 'Layers', 'Activations'):\n"
        "    app.session_state['method.part'] = part\n"
        "    app.run()\n"
        "    assert not app.exception, app.exception\n"
        "assert app.get_by_key('method.measure')\n"
        "print('tensorflow' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip().endswith("False")


@pytest.mark.usefixtures("loads")
@pytest.mark.parametrize("part", ["Algorithm", "Layers", "Activations"])
def test_the_page_stands_alone(part: str) -> None:
    app = AppTest.from_file(ROOT / PAGE, default_timeout=60)
    app.session_state["method.part"] = part
    app.run()
    assert not app.exception
