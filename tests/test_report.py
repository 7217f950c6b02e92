"""The report read as a browser reads it: what is in it, and that it asks for nothing."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from nst_core.comparison import Comparison
from nst_core.report import html_report
from nst_core.transfer import Run
from tests.compared import make_comparison, make_record, make_steps
from tests.conftest import make_picture

HOSTILE = '<img src=x onerror="alert(1)">&\'</title></script><script>alert(2)</script>'
SECTIONS = ["pictures", "wipe", "curves", "numbers", "verdicts", "settings", "records"]
VOID = {"meta", "img", "input", "hr", "br"}


class Page(HTMLParser):
    """The elements and texts of a page; complains of tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        if self.open:
            raise ValueError(f"left open: {self.open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def hostile() -> Comparison:
    """Everything that a person or a file may have chosen is an attack."""
    records = []
    for name in ("vgg16", "resnet50"):
        record = make_record(name)
        records.append(
            replace(
                record,
                id=HOSTILE,
                content=replace(record.content, name=HOSTILE, sha256=HOSTILE),
                style=replace(record.style, name=HOSTILE),
                weights=replace(record.weights, source=HOSTILE, sha256=HOSTILE, note=HOSTILE),
                config=replace(record.config, weights=HOSTILE),
                versions={HOSTILE: HOSTILE},
                device=HOSTILE,
                started=HOSTILE,
                notes=(HOSTILE,),
            )
        )
    content, style = (replace(make_picture(48, 64), name=HOSTILE) for _ in range(2))
    return make_comparison(*records, content=content, style=style, labels=(HOSTILE, f"{HOSTILE} 2"))


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(html_report(make_comparison()))


@pytest.mark.parametrize("comparison", [make_comparison(), hostile()], ids=["plain", "hostile"])
def test_it_names_no_other_place(comparison: Comparison) -> None:
    text = html_report(comparison)
    assert text.startswith("<!DOCTYPE html>")
    plain = re.sub(r"base64,[A-Za-z0-9+/=]*", "", text)
    assert not re.search(r"https?://|//[a-z]|xmlns|@import|url\(", plain, re.IGNORECASE)
    found = Page(text)
    for tag, attributes in found.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form", "a"), tag
        for name in ("src", "href", "srcset", "action", "poster", "background", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:image/jpeg;base64,"), (tag, name)
    policies = [item["content"] for item in found.all("meta") if "http-equiv" in item]
    assert [str(policy).split(";")[0] for policy in policies] == ["default-src 'none'"]


def test_hostile_names_are_shown_and_do_nothing() -> None:
    page = Page(html_report(hostile()))
    assert len(page.all("script")) == 1
    assert len(page.all("title")) == 1 + 2 * 3  # the page's own, and one a best-step dot
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert attributes.get("src") != "x"
    assert page.text.count("onerror") > 15


def test_all_sections_are_there_in_order(page: Page) -> None:
    assert [section["id"] for section in page.all("section")] == SECTIONS
    assert page.all("html") == [{"lang": "en"}]
    assert "width=device-width, initial-scale=1" in [item.get("content") for item in page.all("meta")]
    assert "VGG16, VGG19 and ResNet50: the same in everything but backbone." in page.text


def test_pictures_are_inside(page: Page) -> None:
    images = [image for image in page.all("img") if image.get("data-name")]
    assert [image["alt"] for image in images] == ["Content", "Style", "VGG16", "VGG19", "ResNet50"]
    sizes = []
    for image in images:
        data = base64.b64decode(str(image["src"]).partition(",")[2])
        with Image.open(io.BytesIO(data)) as picture:
            sizes.append(picture.size)
        assert (image["width"], image["height"]) == tuple(map(str, sizes[-1]))
    assert sizes == [(64, 48), (64, 64), (64, 48), (64, 48), (64, 48)]


def test_large_pictures_are_shrunk() -> None:
    text = html_report(make_comparison(make_record("vgg16"), content=make_picture(20, 2000)))
    content = next(image for image in Page(text).all("img") if image.get("alt") == "Content")
    assert (content["width"], content["height"]) == ("1600", "16")


def test_three_charts_with_a_curve_and_a_best_step_for_each_run(page: Page) -> None:
    assert len(page.all("svg")) == 3
    curves = [path["stroke"] for path in page.all("path")]
    assert curves == ["#0072B2", "#009E73", "#D55E00"] * 3
    assert len(page.all("circle")) == 9


def test_two_runs_of_a_backbone_have_different_dashes() -> None:
    records = [make_record("vgg16"), make_record("vgg16", seed=1)]
    paths = Page(html_report(make_comparison(*records))).all("path")
    assert [path.get("stroke-dasharray") for path in paths[:2]] == [None, "8 4"]


def test_the_one_that_is_ahead_is_marked_and_the_noise_told() -> None:
    records = [
        make_record("vgg16", metrics={"structure_kept": 0.5, "edges_kept": 0.4}),
        make_record("vgg19", metrics={"structure_kept": 0.625, "edges_kept": 0.4}),
    ]
    text = html_report(make_comparison(*records))
    assert re.findall(r'class="ahead"[^>]*>([^<]*)<', text) == ["0.625"]
    assert "noise 0.011" in Page(text).text


def test_a_networks_view_of_its_own_work_is_set_apart() -> None:
    text = html_report(make_comparison())
    assert re.findall(r'class="own">([^<]*)<', text) == ["0.100", "0.140", "0.180", "0.500", "0.540", "0.580"]
    assert "Nobody was asked." in html_report(make_comparison(examined=False))


def test_an_unfair_comparison_is_said_to_be_one() -> None:
    records = [make_record("vgg16"), make_record("vgg19", seed=1, steps=make_steps((3.0, 2.0)), best_step=2)]
    text = html_report(make_comparison(*records, labels=("one", "two")))
    assert '<p class="warning">one and two: the same in everything but backbone, seed and steps made.' in text


def test_what_each_network_has_for_itself_stands_with_it_and_not_with_what_all_share() -> None:
    records = (make_record("vgg19", pooling="average"), make_record("resnet50", pooling="max"))
    text = Page(html_report(make_comparison(*records))).text
    shared, apart = text.split("What all runs share.")[1].split("What exactly was run?")
    assert "Seed" in shared
    assert "Pooling" not in shared
    first, second = apart.split("ResNet50", 1)
    assert "Pooling average" in first
    assert "Pooling max" in second
    assert "Seed" not in apart


def test_a_run_without_a_picture_is_told_of() -> None:
    comparison = make_comparison(examined=False)
    notes = ("No step had a finite loss.",)
    record = make_record("resnet50", best_step=0, ending="failed", metrics={}, steps=(), notes=notes)
    page = Page(
        html_report(replace(comparison, runs=(*comparison.runs[:2], Run(record=record, picture=None))))
    )
    assert "Without a picture: ResNet50" in page.text
    assert "No step had a finite loss." in page.text
    assert len([image for image in page.all("img") if image.get("data-name")]) == 4


def test_one_run_is_no_comparison() -> None:
    page = Page(html_report(make_comparison(make_record("vgg19"))))
    assert "One run: VGG19." in page.text


def test_the_record_is_enough_to_repeat_it(page: Page) -> None:
    record = make_record("vgg19")
    for told in (record.id, record.config.to_json(), record.weights.sha256, record.content.sha256,
                 "python 3.11.7", "finished, 4 of 4 steps", "2026-01-02T03:04:05+00:00"):  # fmt: skip
        assert told in page.text, told
