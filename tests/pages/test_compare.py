"""The Compare page, driven without a browser."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from nst_core.backbones import BACKBONES, COLOURS, RESNET50, VGG19
from nst_core.comparison import Comparison, differing_fields
from nst_core.config import TransferConfig
from nst_core.jobs import Job
from nst_core.wording import three_digits
from pages.shared.columns import COLUMNS, make_requests
from tests.conftest import make_picture
from tests.pages.conftest import ROOT, open_page, press_run, run_until_done, small, words

PAGE = "pages/compare.py"


def compare(app: AppTest, *columns: str) -> Job:
    """Run these columns, by default those that are chosen at first, and wait for the end."""
    if columns:
        app.session_state["compare.columns"] = list(columns)
        app.run()
    job = press_run(app, "compare")
    run_until_done(app, job.id)
    assert not app.exception
    return job


def outcome(job: Job) -> Comparison:
    """What the job came to."""
    assert isinstance(job.outcome, Comparison)
    return job.outcome


@pytest.mark.usefixtures("loads")
def test_the_page_says_what_to_do_before_anything_was_done() -> None:
    app = open_page(PAGE).run()
    assert not app.exception
    assert "Press Run" in words(app)
    assert app.get_by_key("compare.run").label == "Run all 3"


def test_each_network_is_loaded_once_for_all_comparisons_and_visitors(loads: list[str]) -> None:
    app = small(open_page(PAGE))
    first, second = compare(app), compare(app)
    assert first.id != second.id
    other = small(open_page(PAGE))
    assert compare(other).id not in (first.id, second.id)
    assert sorted(loads) == sorted(BACKBONES)


@pytest.mark.usefixtures("loads")
def test_the_runs_differ_in_their_network_and_in_nothing_else() -> None:
    job = compare(small(open_page(PAGE)))
    records = outcome(job).records
    assert [record.config.backbone for record in records] == list(BACKBONES)
    assert differing_fields(records) == ("backbone",)
    assert len({record.config.seed for record in records}) == 1
    assert len({(record.content.sha256, record.style.sha256) for record in records}) == 1
    assert {record.content.sha256 for record in records} == {job.lanes[0].request.content.sha256}


@pytest.mark.usefixtures("loads")
def test_the_numbers_and_the_verdicts_are_shown() -> None:
    app = small(open_page(PAGE))
    comparison = outcome(compare(app))
    labels = [row.label for row in BACKBONES.values()]
    assert "differ in backbone and in nothing else. Each network reads its own usual layers." in words(app)
    pair = comparison.records[0]
    assert f"{pair.content.name} × {pair.style.name}" in words(app)
    tables = [frame.value for frame in app.dataframe]
    numbers, verdicts = tables[:-2], tables[-2:]
    assert len(numbers) == 4  # one a group of rows
    for table in numbers:
        assert [name for name in table.columns if name != "Better, noise"] == ["", *labels]
    assert {"Time, s", "Peak memory, MB"} <= set(numbers[-1][""])
    found = {(verdict.judge, verdict.picture): verdict for verdict in comparison.verdicts}
    assert len(found) == 9
    for table, kind in zip(verdicts, ("style_error", "content_error"), strict=True):
        assert list(table.index) == labels
        for (judge, picture), verdict in found.items():
            error = three_digits(getattr(verdict, kind))
            assert table.loc[judge, picture] == (f"({error})" if judge == picture else error)


@pytest.mark.usefixtures("loads")
def test_a_variant_differs_in_what_its_name_says() -> None:
    app = small(open_page(PAGE))
    pixels = compare(app, "vgg19", "vgg19-pixel")
    assert [lane.request.label for lane in pixels.lanes] == ["VGG19", "VGG19, on pixels"]
    assert [record.config.canvas for record in outcome(pixels).records] == ["fourier", "pixel"]
    # A canvas has its own scale of steps, so the learning rate goes with it.
    assert set(differing_fields(outcome(pixels).records)) == {"canvas", "learning_rate"}
    random = compare(app, "vgg19", "vgg19-random")
    assert differing_fields(outcome(random).records) == ("weights",)


def test_every_column_names_its_networks_and_has_its_styles_colour() -> None:
    labels = [column.label for column in COLUMNS.values()]
    assert len(set(labels)) == len(labels)
    for name, column in COLUMNS.items():
        assert name.startswith(column.backbone.name)
        assert column.label.removeprefix("Style ").startswith(column.backbone.label)
        for other in filter(None, (column.also_style, column.content_by)):
            assert other.label in column.label
        assert column.colour == column.backbone.colour
    assert list(COLUMNS)[:3] == list(BACKBONES)


def requested(name: str, weights: str = "random") -> TransferConfig:
    """The settings of one column's run, resolved."""
    base = TransferConfig(weights=weights, size=64, steps=3, strength=40.0)
    (request,) = make_requests([name], base, make_picture(48, 64), make_picture(48, 64))
    plain = {"weights", "size", "steps", "strength"} - set(COLUMNS[name].changes)
    assert all(getattr(request.config, field) == getattr(base, field) for field in plain)
    return request.config


def test_columns_of_layers_leave_out_or_add_what_they_say() -> None:
    usual = RESNET50.style_layers
    names = [name for name, _ in requested("resnet50-without1").style_layers or ()]
    assert names == [layer for layer in usual if not layer.startswith("conv5_")] == list(usual[:4])
    weights = requested("resnet50-without2").style_layers or ()
    assert weights == tuple((layer, pytest.approx(1 / 3)) for layer in usual[:3])
    # Sketches look at conv3 last.
    sketch = [name for name, _ in requested("resnet50-without1", "sketch").style_layers or ()]
    assert sketch == [layer for layer in RESNET50.sketch_style_layers if not layer.startswith("conv3_")]
    assert COLOURS in sketch
    sketch = [name for name, _ in requested("resnet50-without2", "sketch").style_layers or ()]
    assert sketch == ["conv1_relu", COLOURS]
    mixed = requested("vgg19-content-resnet50")
    assert (mixed.backbone, mixed.style_layers) == ("vgg19", None)
    assert mixed.content_layers == (("resnet50:conv4_block6_out", 1.0),)
    mixed = requested("resnet50-content-vgg19", "sketch")
    shallow, *deep = (f"vgg19:{layer}" for layer in VGG19.sketch_content_layers)
    assert mixed.content_layers == ((shallow, 0.05), *((layer, 0.475) for layer in deep))
    both = requested("vgg19-and-resnet50").style_layers or ()
    assert both == (
        *((layer, pytest.approx(0.1)) for layer in VGG19.style_layers),
        *((f"resnet50:{layer}", pytest.approx(0.1)) for layer in usual),
    )
    sketch_both = [name for name, _ in requested("vgg19-and-resnet50", "sketch").style_layers or ()]
    assert sketch_both.count(COLOURS) == 1


def test_columns_of_one_setting_change_it() -> None:
    assert requested("resnet50-smoothed").smoothing == "softmax"
    assert requested("resnet50-smoothed", "random").temperature == 1.0
    assert requested("resnet50-smoothed", "sketch").temperature == 20.0
    for backbone in BACKBONES:
        assert requested(f"{backbone}-finish") == replace(requested(backbone), finish="lbfgs")
        assert requested(f"{backbone}-adam") == replace(requested(backbone), optimiser="adam")


@pytest.mark.usefixtures("loads")
def test_a_mix_is_run_judged_and_told_apart() -> None:
    app = small(open_page(PAGE))
    app.session_state["settings.weights"] = "random"
    comparison = outcome(compare(app, "vgg19", "vgg19-content-resnet50", "resnet50"))
    assert comparison.labels == ("VGG19", "Style VGG19, content ResNet50", "ResNet50")
    assert "differ in backbone and content layers and in nothing else" in words(app)
    mixed = comparison.records[1]
    assert set(mixed.other_weights) == {"resnet50"}
    own = {(verdict.judge, verdict.picture) for verdict in comparison.verdicts if verdict.own}
    mix = "Style VGG19, content ResNet50"
    # Both networks of a mix were to be pleased by it.
    assert own == {("VGG19", "VGG19"), ("ResNet50", "ResNet50"), ("VGG19", mix), ("ResNet50", mix)}
    app.switch_page("pages/curves.py").run()
    assert not app.exception
    assert "VGG19, content ResNet50" in list(app.dataframe[0].value["Network"])


@pytest.mark.usefixtures("loads")
def test_a_network_that_sees_all_contents_is_another_networks_in_every_other_column() -> None:
    app = small(open_page(PAGE))
    app.session_state["settings.weights"] = "random"
    app.session_state["settings.content_by"] = "vgg16"
    job = compare(app)
    layers = [lane.request.config.content_layers for lane in job.lanes]
    assert layers == [None, (("vgg16:block4_conv2", 1.0),), (("vgg16:block4_conv2", 1.0),)]


@pytest.mark.usefixtures("loads")
def test_a_run_of_the_other_page_is_not_taken_for_a_comparison() -> None:
    app = small(open_page("pages/transfer.py"), steps=2000)
    going = press_run(app)
    app.switch_page(PAGE)
    del app.query_params["job"]  # as the menu does
    app.run()
    app.get_by_key("compare.run").click().run()
    assert not app.exception
    assert "Transfer page is still going" in words(app)
    assert "compare.job" not in app.session_state
    going.stop()
    assert going.ended.wait(120)
    assert compare(small(app)).id != going.id


@pytest.mark.usefixtures("loads")
def test_no_column_no_run() -> None:
    app = open_page(PAGE)
    app.session_state["compare.columns"] = []
    app.run()
    assert not app.exception
    assert app.get_by_key("compare.run").disabled


@pytest.mark.usefixtures("loads")
def test_one_stopped_column_leaves_the_others_to_finish() -> None:
    app = small(open_page(PAGE), steps=40)
    job = press_run(app, "compare")
    job.lanes[0].halt.set()
    run_until_done(app, job.id)
    assert not app.exception
    finished = [len(lane.steps) for lane in job.lanes[1:]]
    assert finished == [40, 40]
    assert len(job.lanes[0].steps) < 40


def test_the_first_paint_does_not_import_tensorflow() -> None:
    script = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(ROOT / PAGE)!r}, default_timeout=60).run()\n"
        "assert not app.exception, app.exception\n"
        "assert 'Press Run' in ' '.join(item.value for item in app.markdown)\n"
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
    assert "Press Run" in words(app)
