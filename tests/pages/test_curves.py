"""The Curves page, driven without a browser."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest
from streamlit.testing.v1 import AppTest

import nst_core.jobs
from nst_core.lanes import Lane
from nst_core.series import PART_LABELS
from pages.shared import state
from pages.shared.columns import COLUMNS
from pages.shared.curves_view import _names, _series, record_of
from pages.shared.state import GONE
from tests.pages.conftest import ROOT, open_page, press_run, run_until_done, small, words

PAGE = "pages/curves.py"
NOTHING = "No finished runs yet"


def with_a_run() -> AppTest:
    """The page after one run of the Transfer page."""
    app = small(open_page("pages/transfer.py"))
    run_until_done(app, press_run(app).id)
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


@pytest.mark.usefixtures("loads")
def test_without_a_run_the_page_says_where_to_get_one() -> None:
    app = open_page(PAGE).run()
    assert not app.exception
    assert app.subheader[0].value == NOTHING
    assert "Run a transfer or a comparison" in words(app)
    assert len(app.dataframe) == 0


@pytest.mark.usefixtures("loads")
def test_a_run_has_its_line_its_figure_and_its_files() -> None:
    app = with_a_run()
    table = app.dataframe[0].value
    assert list(table["Network"]) == ["VGG19"]
    assert list(table["Steps"]) == [6]
    assert len(app.get("plotly_chart")) == 1
    assert [button.label for button in app.get("download_button")] == ["Steps (CSV)", "Figure (HTML)"]


@pytest.mark.usefixtures("loads")
def test_a_run_that_ended_while_nobody_looked_is_there() -> None:
    app = small(open_page("pages/transfer.py"))
    job = press_run(app)
    app.switch_page(PAGE).run()
    run_until_done(app, job.id)
    assert not app.exception
    assert list(app.dataframe[0].value["Network"]) == ["VGG19"]


def two_runs(changed: Mapping[str, object] = MappingProxyType({})) -> list[Lane]:
    """A run of the Transfer page and another with some settings changed, the newest first."""
    app = with_a_run()
    app.switch_page("pages/transfer.py").run()
    for key, value in changed.items():
        app.session_state[key] = value
    run_until_done(app, press_run(app).id)
    return list(app.session_state["state.runs"].values())[::-1]


@pytest.mark.usefixtures("loads")
def test_any_loss_and_any_layer_can_be_drawn() -> None:
    app = with_a_run()
    parts = app.get_by_key("curves.parts")
    assert parts.value == ["total"]
    layers = next(iter(app.session_state["state.runs"].values())).run.record.steps[0].layers
    assert parts.options == [*PART_LABELS.values(), *layers]
    one = app.get("plotly_chart")[0].proto.SerializeToString()
    parts.set_value(["style", "content"]).run()
    assert not app.exception
    assert app.get("plotly_chart")[0].proto.SerializeToString() != one


@pytest.mark.usefixtures("loads")
def test_one_figure_a_network_is_one_figure_a_network() -> None:
    app = small(open_page("pages/compare.py"))
    run_until_done(app, press_run(app, "compare").id)
    app.switch_page(PAGE).run()
    assert list(app.dataframe[0].value["Network"]) == ["ResNet50", "VGG19", "VGG16"]  # the newest first
    app.get_by_key("curves.split").set_value(True).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 3


@pytest.mark.usefixtures("loads")
def test_the_older_of_two_runs_of_one_network_keeps_the_solid_line() -> None:
    newest_first = two_runs()
    assert [line.dash for line in _series(newest_first)] == ["dash", "solid"]
    assert [line.run_id for line in _series(newest_first)] == [record_of(lane).id for lane in newest_first]


@pytest.mark.usefixtures("loads")
def test_runs_of_one_network_and_pair_are_told_apart_by_what_differs() -> None:
    newest_first = two_runs({"settings.steps": 8})
    names = [line.label.partition(" · ")[0] for line in _series(newest_first)]
    assert names == ["VGG19, steps 8", "VGG19, steps 6"]


@pytest.mark.usefixtures("loads")
def test_runs_of_one_setting_made_twice_keep_that_setting_in_their_names() -> None:
    app = small(open_page("pages/compare.py"))
    app.session_state["compare.columns"] = ["vgg16", "vgg16-adam"]
    for _ in range(2):
        run_until_done(app, press_run(app, "compare").id)
    lanes = list(app.session_state["state.runs"].values())
    names = sorted(line.label.partition(" · ")[0] for line in _series(lanes))
    label = COLUMNS["vgg16-adam"].label
    assert names == sorted(["VGG16", "VGG16 (2)", label, f"{label} (2)"])


@pytest.mark.usefixtures("loads")
def test_the_later_of_equal_runs_has_the_number_in_the_legend_and_below_the_curves() -> None:
    newest_first = two_runs()
    assert _names(newest_first) == ["VGG19 (2)", "VGG19"]
    assert [line.label.partition(" · ")[0] for line in _series(newest_first)] == _names(newest_first)


@pytest.mark.usefixtures("loads")
def test_runs_that_differ_in_what_another_network_sees_are_told_apart() -> None:
    lane = next(iter(with_a_run().session_state["state.runs"].values()))
    config = replace(record_of(lane).config, content_layers=(("resnet50:conv3_block4_out", 1.0),))
    lent = replace(lane, run=replace(lane.run, record=replace(record_of(lane), config=config)))
    assert _names([lent, lane]) == ["VGG19, content ResNet50", "VGG19"]


@pytest.mark.usefixtures("loads")
def test_runs_that_made_room_for_newer_ones_do_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_RUNS", 1)
    app = with_a_run()
    app.switch_page("pages/transfer.py").run()
    newest = press_run(app)
    run_until_done(app, newest.id)
    app.switch_page(PAGE).run()
    for _ in range(2):
        app.run()
        assert list(app.session_state["state.runs"]) == [newest.lanes[0].run.record.id]
    assert not app.toast


@pytest.mark.usefixtures("loads")
def test_a_running_job_stays_in_the_address_and_is_watched_after_a_reload() -> None:
    app = small(open_page("pages/transfer.py"))
    app.session_state["settings.steps"] = 900
    job = press_run(app)
    app.switch_page(PAGE).run()
    assert app.query_params["job"] == job.id
    job._seen -= 1000
    reloaded = open_page(PAGE)
    reloaded.query_params["job"] = job.id
    reloaded.run()
    assert not job.abandoned
    while not job.lanes[0].steps and not job.ended.is_set():
        job.ended.wait(0.05)
    job.stop()
    assert job.ended.wait(120)
    assert "VGG19" in list(reloaded.run().dataframe[0].value["Network"])


@pytest.mark.usefixtures("loads")
def test_while_the_first_run_goes_the_page_says_so() -> None:
    app = small(open_page("pages/transfer.py"))
    app.session_state["settings.steps"] = 5000
    app.run()
    job = press_run(app)
    app.switch_page(PAGE).run()
    assert app.subheader[0].value == "A run is going"
    while not job.lanes[0].steps and not job.ended.is_set():
        job.ended.wait(0.05)
    job.stop()
    run_until_done(app, job.id)
    assert list(app.dataframe[0].value["Network"]) == ["VGG19"]


@pytest.mark.usefixtures("loads")
def test_each_unfinished_job_of_an_address_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Event()
    monkeypatch.setattr(nst_core.jobs, "perform", lambda job, models, *, clock: looked.wait(600))
    jobs = [press_run(small(open_page("pages/transfer.py"))) for _ in range(2)]
    for job in jobs:
        job._seen -= 1000
    reloaded = open_page(PAGE)
    reloaded.query_params["job"] = ",".join(job.id for job in jobs)
    reloaded.run()
    assert [job.abandoned for job in jobs] == [False, False]
    looked.set()
    for job in jobs:
        assert job.ended.wait(120)


@pytest.mark.usefixtures("loads")
def test_a_stopped_run_says_so_and_at_which_size_it_was() -> None:
    app = small(open_page("pages/transfer.py"))
    app.session_state["settings.steps"] = 900
    job = press_run(app)
    while not job.lanes[0].steps and not job.ended.is_set():
        job.ended.wait(0.05)
    job.stop()
    run_until_done(app, job.id)
    app.switch_page(PAGE).run()
    table = app.dataframe[0].value
    reached = job.lanes[0].run.record.steps[-1].size
    assert list(table["Ended"]) == ["Stopped"]
    assert list(table["Size reached"]) == [f"{reached[0]} × {reached[1]}"]


@pytest.mark.usefixtures("loads")
def test_the_address_finds_the_runs_again_after_a_reload() -> None:
    app = with_a_run()
    app.switch_page("pages/transfer.py").run()
    run_until_done(app, press_run(app).id)
    app.switch_page(PAGE).run()
    jobs = app.query_params["job"]
    assert jobs.count(",") == 1
    reloaded = open_page(PAGE)
    reloaded.query_params["job"] = f"{jobs},gone"
    reloaded.run()
    assert not reloaded.exception
    assert list(reloaded.dataframe[0].value["Started"]) == list(app.dataframe[0].value["Started"])
    assert [toast.value for toast in reloaded.toast] == [GONE]
    assert reloaded.query_params["job"] == jobs


@pytest.mark.usefixtures("loads")
def test_others_do_not_see_my_runs() -> None:
    with_a_run()
    other = open_page(PAGE).run()
    assert other.subheader[0].value == NOTHING


def test_the_first_paint_does_not_import_tensorflow() -> None:
    script = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(ROOT / PAGE)!r}, default_timeout=60).run()\n"
        "assert not app.exception, app.exception\n"
        f"assert app.subheader[0].value == {NOTHING!r}\n"
        "print('tensorflow' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip().endswith("False")


@pytest.mark.usefixtures("loads")
def test_the_page_stands_alone() -> None:
    app = AppTest.from_file(ROOT / PAGE, default_timeout=60).run()
    assert not app.exception
    assert app.subheader[0].value == NOTHING
