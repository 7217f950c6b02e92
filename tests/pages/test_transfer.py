"""The Transfer page, driven without a browser."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from nst_core.backbones import BACKBONES, Backbone
from nst_core.downloads import Download, Downloads
from nst_core.errors import WeightsError
from nst_core.images import encode_png
from pages.shared import again, imagenet
from pages.shared.choosing import MOST_UPLOADS
from pages.shared.state import GONE, workshop
from tests.conftest import make_picture
from tests.pages.conftest import ROOT, open_page, press_run, run_until_done, small, words

PAGE = "pages/transfer.py"


@pytest.mark.usefixtures("loads")
def test_the_page_says_what_to_do_before_anything_was_done() -> None:
    app = open_page(PAGE).run()
    assert not app.exception
    assert "press Run" in words(app)


def test_a_press_of_run_gives_a_picture_its_numbers_and_what_made_it(loads: list[str]) -> None:
    app = small(open_page(PAGE))
    job = press_run(app)
    run_until_done(app, job.id)
    assert not app.exception
    numbers = {metric.label: metric.value for metric in app.metric}
    assert numbers["Ended"] == "Finished"
    assert numbers["Size"].startswith("64 ×")
    request = job.lanes[0].request
    assert f"{request.content.name} × {request.style.name}: VGG19 with random weights" in words(app)
    assert loads == ["vgg19"]


def test_the_same_network_is_not_loaded_twice(loads: list[str]) -> None:
    app = small(open_page(PAGE))
    for _ in range(2):
        run_until_done(app, press_run(app).id)
    other = small(open_page(PAGE))
    run_until_done(other, press_run(other).id)
    assert loads == ["vgg19"]


@pytest.mark.usefixtures("loads")
def test_a_run_goes_on_while_another_page_run_happens_and_is_found_again_by_its_address() -> None:
    app = small(open_page(PAGE), steps=60)
    job = press_run(app)
    app.run()
    assert app.session_state["transfer.job"] == job.id
    reloaded = open_page(PAGE)
    reloaded.query_params["job"] = job.id
    reloaded.run()
    assert reloaded.session_state["transfer.job"] == job.id
    job.stop()
    run_until_done(reloaded, job.id)
    assert not reloaded.exception


@pytest.mark.usefixtures("loads")
def test_a_reload_keeps_the_runs_before_the_one_shown() -> None:
    app = small(open_page(PAGE))
    jobs = [press_run(app)]
    run_until_done(app, jobs[0].id)
    jobs.append(press_run(app))
    run_until_done(app, jobs[1].id)
    assert app.query_params["job"] == f"{jobs[0].id},{jobs[1].id}"
    reloaded = open_page(PAGE)
    reloaded.query_params["job"] = app.query_params["job"]
    reloaded.run()
    assert reloaded.session_state["transfer.job"] == jobs[1].id
    assert list(reloaded.session_state["state.runs"]) == [job.lanes[0].run.record.id for job in jobs]
    reloaded.query_params["job"] = f"{jobs[0].id},gone"
    reloaded.run()
    assert [toast.value for toast in reloaded.toast] == [GONE]
    assert reloaded.session_state["transfer.job"] == jobs[0].id


@pytest.mark.usefixtures("loads")
def test_a_stopped_run_has_the_size_of_its_picture() -> None:
    app = small(open_page(PAGE))
    app.session_state["settings.size"], app.session_state["settings.steps"] = 256, 2000
    job = press_run(app)
    while not job.lanes[0].steps and not job.ended.is_set():
        job.ended.wait(0.05)
    job.stop()
    run_until_done(app, job.id)
    run = job.lanes[0].run
    height, width, _ = run.picture.shape
    assert run.record.steps[-1].size != (width, height)
    numbers = {metric.label: metric.value for metric in app.metric}
    assert numbers["Size"] == f"{width} × {height}"


@pytest.mark.usefixtures("loads")
def test_an_address_of_no_job_is_told_once_and_forgotten() -> None:
    app = open_page(PAGE)
    app.query_params["job"] = "no-such-job"
    app.run()
    assert not app.exception
    assert [toast.value for toast in app.toast] == [GONE]
    assert "job" not in app.run().query_params
    assert not app.toast
    assert "press Run" in words(app)


@pytest.mark.usefixtures("loads")
def test_run_again_changes_one_setting() -> None:
    app = small(open_page(PAGE))
    first = press_run(app)
    run_until_done(app, first.id)
    next(button for button in app.button if button.label == "ResNet50").click().run()
    second = workshop().queue.find(app.session_state["transfer.job"])
    assert second is not None
    assert second.id != first.id
    run_until_done(app, second.id)
    before, after = (job.lanes[0].run.record.config for job in (first, second))
    assert (before.backbone, after.backbone) == ("vgg19", "resnet50")
    assert (before.size, before.steps, before.seed) == (after.size, after.steps, after.seed)


@pytest.mark.usefixtures("loads")
def test_run_again_takes_the_pictures_and_settings_of_the_run_shown() -> None:
    app = small(open_page(PAGE))
    app.session_state["settings.strength"], app.session_state["settings.seed"] = 30, 5
    app.session_state["pair.style"] = "honeycomb"
    app.run()
    first = press_run(app)
    run_until_done(app, first.id)
    app.session_state["settings.strength"], app.session_state["pair.style"] = 90, "mandala"
    app.run()
    next(button for button in app.button if button.label == "twice the steps").click().run()
    second = workshop().queue.find(app.session_state["transfer.job"])
    assert second is not None
    before, after = (job.lanes[0].request for job in (first, second))
    assert (after.content.sha256, after.style.sha256) == (before.content.sha256, before.style.sha256)
    assert after.config == replace(before.config, steps=2 * before.config.steps)
    assert app.session_state["settings.steps"] == after.config.steps
    second.stop()


@pytest.mark.usefixtures("loads")
def test_a_gone_address_gives_the_last_run_of_this_page() -> None:
    app = small(open_page(PAGE))
    job = press_run(app)
    run_until_done(app, job.id)
    app.query_params["job"] = "no-such-job"
    app.run()
    assert [toast.value for toast in app.toast] == [GONE]
    assert app.query_params["job"] == job.id


@pytest.mark.usefixtures("loads")
def test_settings_that_do_not_go_together_do_not_hold_up_a_run_again() -> None:
    app = small(open_page(PAGE))
    first = press_run(app)
    run_until_done(app, first.id)
    app.session_state["settings.own_weights"] = True
    app.session_state["settings.content_weight.relative"] = 0.0
    app.session_state["settings.style_weight.relative"] = 0.0
    app.run()
    assert app.error
    next(button for button in app.button if button.label == "VGG16").click().run()
    second = workshop().queue.find(app.session_state["transfer.job"])
    assert second is not None
    assert second.lanes[0].request.config == replace(first.lanes[0].request.config, backbone="vgg16")
    second.stop()


@pytest.mark.usefixtures("loads")
def test_content_seen_by_another_network_is_so_again() -> None:
    app = small(open_page(PAGE))
    app.session_state["settings.content_by"] = "resnet50"
    app.run()
    first = press_run(app)
    run_until_done(app, first.id)
    app.session_state["settings.content_by"] = "own"
    app.run()
    next(button for button in app.button if button.label == "VGG16").click().run()
    second = workshop().queue.find(app.session_state["transfer.job"])
    assert second is not None
    lent = first.lanes[0].request.config.content_layers
    assert lent is not None
    assert all(name.startswith("resnet50:") for name, _ in lent)
    assert second.lanes[0].request.config.content_layers == lent
    second.stop()


@pytest.mark.usefixtures("loads")
def test_run_again_through_another_network_leaves_the_layers_behind() -> None:
    app = small(open_page(PAGE))
    app.session_state["layers.vgg19.style"] = (("block1_conv2", 1.0),)
    app.session_state["layers.vgg16.content"] = (("block2_conv1", 1.0),)
    app.run()
    first = press_run(app)
    run_until_done(app, first.id)
    next(button for button in app.button if button.label == "VGG16").click().run()
    second = workshop().queue.find(app.session_state["transfer.job"])
    assert second is not None
    config = second.lanes[0].request.config
    assert first.lanes[0].request.config.style_layers == (("block1_conv2", 1.0),)
    assert (config.style_layers, config.content_layers) == (None, (("block2_conv1", 1.0),))
    second.stop()


def test_run_again_says_which_network_has_no_imagenet_weights_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "imagenet_state", lambda row: "present" if row.name == "vgg19" else "absent")
    labels = [again.network_label(row, "imagenet") for row in BACKBONES.values()]
    assert labels == ["VGG16 on sketch weights", "VGG19", "ResNet50 on sketch weights"]
    assert [again.network_label(row, "sketch") for row in BACKBONES.values()] == [
        "VGG16",
        "VGG19",
        "ResNet50",
    ]


@pytest.mark.usefixtures("loads")
def test_bad_upload_is_refused_in_a_sentence_and_nothing_is_lost() -> None:
    app = open_page(PAGE).run()
    app.file_uploader[0].upload("notes.png", b"not a picture at all, only words", "image/png").run()
    assert not app.exception
    assert "notes.png" in app.error[0].value
    assert app.session_state["pair.content"] == "skyline"


@pytest.mark.usefixtures("loads")
def test_a_chosen_picture_stays_however_many_others_are_uploaded() -> None:
    app = open_page(PAGE).run()
    app.file_uploader[1].upload("style.png", encode_png(make_picture(64, 64).pixels), "image/png").run()
    style = app.session_state["pair.style"]
    for seed in range(1, MOST_UPLOADS + 2):
        data = encode_png(make_picture(64, 64, seed=seed).pixels)
        app.file_uploader[0].upload(f"{seed}.png", data, "image/png").run()
    assert not app.exception
    assert app.session_state["pair.style"] == style
    names = [picture.name for picture in app.session_state["state.uploads"].values()]
    assert names == ["style.png", *(f"{seed}.png" for seed in range(3, MOST_UPLOADS + 2))]


class Failing(Downloads):
    """A download that has failed as soon as it began."""

    def start(self, backbones: Sequence[Backbone]) -> Download:
        def fail(backbone: Backbone, **_: Any) -> Path:
            raise WeightsError(f"The {backbone.label} weights could not be downloaded.")

        self.current = Download(backbones, fetch=fail)
        self.current.thread.join()
        return self.current


@pytest.mark.usefixtures("loads")
def test_a_download_that_failed_is_told_to_who_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet, "missing", lambda: tuple(BACKBONES.values()))
    shop = replace(workshop(), downloads=Failing())
    monkeypatch.setattr(imagenet, "workshop", lambda: shop)
    asking = open_page(PAGE).run()
    next(button for button in asking.button if "ImageNet" in button.label).click().run()
    assert [warning.value for warning in asking.warning] == ["The VGG16 weights could not be downloaded."]
    assert not open_page(PAGE).run().warning


@pytest.mark.usefixtures("loads")
def test_the_page_stands_alone() -> None:
    app = AppTest.from_file(ROOT / PAGE, default_timeout=60).run()
    assert not app.exception
    assert "press Run" in words(app)
