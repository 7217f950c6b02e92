"""The sheets and the table that judge the sketch weights: their search, their numbers, their layout."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assets.sketch import against_random, painter, sheets
from assets.sketch.against_random import table
from assets.sketch.matching import EQUAL, REFINEMENTS, TRIED, Kept, Measurement, Paint, Row, search, survey
from assets.sketch.sheets import ABSENT, CAPTION, CELL, GAP, MARGIN, MOST_BYTES, Cell, lay_out
from nst_core.backbones import BACKBONES
from nst_core.images import Picture
from nst_core.networks import Network
from nst_core.records import WeightsSource
from nst_core.samples import SAMPLES
from tests.conftest import make_picture

START = 0.2  # where the searches begin


def measurement(weight: float = 0.4, structure: float = 0.5, texture: float = 0.2) -> Measurement:
    return Measurement(
        content_weight=weight,
        structure_kept=structure,
        edges_kept=1 - texture,
        texture_error=texture,
        patch_distance=texture / 2,
    )


def row(
    content: str, style: str, *, gain: float = 0.1, apart: float = 0.0, kept: Kept = "structure_kept"
) -> Row:
    theirs = measurement(structure=0.5 + apart, texture=0.2 + gain)
    return Row(content=content, style=style, sketch=measurement(), random=theirs, kept=kept, runs=3)


def look(paint: Paint, *wanted: float, kept: Kept = "structure_kept") -> tuple[Measurement, int]:
    """What is found from START on, and how many were painted."""
    measured = survey(paint, start=START)
    found = search(paint, measured, *wanted, kept=kept)
    return found, len(measured)


def sigmoid(middle: float) -> Paint:
    """Structure that grows from 0 to 1 over the decades of the content weight, 0.5 at `middle`."""
    return lambda weight: measurement(weight, 1 / (1 + (middle / weight) ** 0.8))


@pytest.mark.parametrize("middle", [0.002, 0.1, 0.4, 0.5, 5.0])
@pytest.mark.parametrize("wanted", [0.3, 0.5, 0.75])
def test_the_search_meets_the_structure_wanted(middle: float, wanted: float) -> None:
    found, runs = look(sigmoid(middle), wanted)
    assert abs(found.structure_kept - wanted) <= EQUAL
    assert found == sigmoid(middle)(found.content_weight)
    # Between two that lie on either side; where one of those tried first is met, on both sides. Then half way
    # to the neighbours.
    assert len(TRIED) + 1 <= runs <= len(TRIED) + 2 * REFINEMENTS + 2


def test_where_all_keep_as_much_one_is_tried_beside_the_best() -> None:
    found, runs = look(lambda weight: measurement(weight, 0.5 + weight / 2000, 1 / weight), 0.5)
    assert (found.content_weight, runs) == (pytest.approx(START * TRIED[-1]), len(TRIED) + 1)


def test_what_lies_between_one_that_keeps_as_much_and_one_that_does_not_is_tried() -> None:
    def slope(weight: float) -> Measurement:
        """Structure grows by 0.036 each third of a decade, from 0.5 at the start; texture error grows too."""
        return measurement(weight, 0.5 + 3 * 0.036 * math.log10(weight / START), weight)

    # The start keeps 0.004 too much, the third before it 0.032 too little, and the middle 0.014. Half way
    # from there to both is tried too; one keeps 0.023 too little, the other is farther from the style.
    found, runs = look(slope, 0.496)
    assert (found.content_weight, runs) == (pytest.approx(START * 10 ** (-1 / 6)), len(TRIED) + 3)


def test_of_several_that_keep_as_much_the_nearest_to_the_style_is_taken() -> None:
    def hill(weight: float) -> Measurement:
        """Structure rises to 0.6 at a weight of 1 and falls again; texture is better at the heavy end."""
        decade = math.log10(weight)
        return measurement(weight, 0.6 - 0.1 * decade**2, 0.5 - 0.1 * decade)

    found, runs = look(hill, 0.45)
    assert found.content_weight > 10
    assert found.structure_kept == pytest.approx(0.45, abs=EQUAL)
    assert runs <= len(TRIED) + 2 * REFINEMENTS + 2


def test_half_way_to_the_neighbours_may_be_better_still() -> None:
    def valley(weight: float) -> Measurement:
        """All keep as much; texture is best a sixth of a decade above the start."""
        return measurement(weight, 0.5, 0.1 + abs(math.log10(weight / START) - 1 / 6))

    found, runs = look(valley, 0.5)
    assert (found.texture_error, runs) == (pytest.approx(0.1), len(TRIED) + 2)


def test_what_is_kept_within_a_decade_alone_is_found() -> None:
    def hill(weight: float) -> Measurement:
        """Structure stays at 0.4 but for half a decade around 0.4, where it rises by 0.1."""
        return measurement(weight, 0.5 if abs(math.log10(weight / 0.4)) < 0.25 else 0.4, weight)

    assert look(hill, 0.5)[0].structure_kept == 0.5


def test_content_kept_is_the_mean_of_structure_and_edges() -> None:
    assert measurement(structure=0.5, texture=0.2).content_kept == pytest.approx((0.5 + 0.8) / 2)
    found, _ = look(sigmoid(0.1), 0.7, kept="content_kept")
    assert found.structure_kept == pytest.approx(0.6, abs=2 * EQUAL)


def test_the_search_can_go_by_edges() -> None:
    # Edges fall from 1 to 0 as the texture error of these made-up pictures grows from 0 to 1.
    found, _ = look(lambda weight: measurement(weight, 0.1, 1 / (1 + weight)), 0.8, kept="edges_kept")
    assert found.content_weight == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize(
    ("wanted", "times"),
    [(0.0, TRIED[0]), (1.0, TRIED[-1])],
)
def test_a_structure_out_of_reach_ends_at_the_nearest(wanted: float, times: float) -> None:
    # Structure between 0.4 and 0.6, whatever the weight.
    found, runs = look(lambda weight: measurement(weight, 0.5 + 0.1 * math.tanh(math.log(weight))), wanted)
    assert found.content_weight == pytest.approx(START * times)
    assert runs == len(TRIED) + 1


def test_a_jump_in_structure_ends_after_the_most_runs() -> None:
    found, runs = look(lambda weight: measurement(weight, 0.2 if weight < 0.1 else 0.9), 0.5)
    assert runs == len(TRIED) + REFINEMENTS + 1
    assert found.structure_kept == 0.2


def test_what_must_keep_as_much_as_two_others_lies_within_both() -> None:
    def slope(weight: float) -> Measurement:
        """Structure grows by 0.029 a decade and texture error falls: the heaviest allowed is the best."""
        return measurement(weight, 0.5 + 0.029 * math.log10(weight / START), 1 / weight)

    # A third of a decade keeps 0.0097 more.
    for wanted, decades in (((0.5,), 2 / 3), ((0.5, 0.49), 1 / 3), ((0.49, 0.5), 1 / 3)):
        assert look(slope, *wanted)[0].content_weight == pytest.approx(START * 10**decades)


def test_the_table_has_a_row_for_each_pair_and_counts_who_is_lower() -> None:
    pairs = list(against_random.sample_pairs())
    # 12 clearly lower, 5 lower by less than the noise of 0.0039, 3 higher.
    gains = [0.1] * 12 + [0.001] * 5 + [-0.05] * 3
    rows = [
        row(content.name, style.name, gain=gain) for (content, style), gain in zip(pairs, gains, strict=True)
    ]
    lines = table(rows).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:22]] == [f"| {a.name} × {b.name}" for a, b in pairs]
    assert [line.split(" | ")[-1] for line in lines[2:22]] == ["sketch |"] * 17 + ["random |"] * 3
    assert "lower on 17 of 20 in texture error (12 by more than its noise), on 17 of 20" in lines[-1]
    assert lines[-1].endswith("more of the content's edges on 17 of 20.")
    assert {line.count("|") for line in lines[:22]} == {11}


@pytest.mark.parametrize(("apart", "marked"), [(0.9 * EQUAL, False), (-1.1 * EQUAL, True)])
def test_a_row_says_when_structure_is_not_equal(apart: float, marked: bool) -> None:
    text = table([row("skyline", "trippy", apart=apart)])
    assert (r"\*" in text.splitlines()[2]) == marked
    assert ("1: no content weights" in text) == marked


def test_entries_of_other_backbones_stay(tmp_path: Path) -> None:
    entry: dict[str, Any] = {"settings": {"pooling": "average"}, "width": 0.25, "sketch_sha256": "ab"}
    for name, gain in (("vgg19", 0.1), ("vgg16", 0.3), ("vgg16", -0.1)):
        for kept in ("edges_kept", "content_kept"):
            rows = [asdict(row("skyline", "trippy", gain=gain))]
            text = against_random.write(tmp_path, entry | {"backbone": name, "kept": kept, "rows": rows})
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        f"## {what} at equal {kept} kept"
        for whats in (("Texture error",), ("VGG16", "VGG19"))
        for kept in ("structure and edges", "edges")
        for what in whats
    ]
    assert len(json.loads((tmp_path / "against-random.json").read_text())) == 4
    assert (tmp_path / "against-random.md").read_text() == text
    assert text.index("## VGG16") < text.index("lower on 0 of 1") < text.index("## VGG19")
    assert text.index("## VGG19") < text.index("lower on 1 of 1")


def test_another_pooling_than_the_usual_one_has_an_entry_of_its_own(tmp_path: Path) -> None:
    entry: dict[str, Any] = {"backbone": "resnet50", "kept": "structure_kept", "width": 0.25}
    entry |= {"sketch_sha256": "ab", "rows": [asdict(row("skyline", "trippy", gain=0.1))]}
    for pooling in ("average", "max"):
        text = against_random.write(tmp_path, entry | {"settings": {"pooling": pooling}})
    assert "| ResNet50: sketch | random | ResNet50, max pooling: sketch | random |" in text
    titles = [line for line in text.splitlines() if line.startswith("## ResNet50")]
    assert titles == [f"## ResNet50{which} at equal structure kept" for which in ("", ", max pooling")]


def test_the_summary_has_all_backbones_in_one_row() -> None:
    rows = [asdict(row("skyline", "trippy", gain=0.1)), asdict(row("canyon", "trippy", apart=0.5))]
    averages = {"pooling": "average"}
    entries = [
        {"backbone": "vgg16", "kept": "structure_kept", "settings": averages, "rows": rows},
        {"backbone": "resnet50", "kept": "structure_kept", "settings": averages, "rows": rows[:1]},
        {"backbone": "vgg19", "kept": "edges_kept", "settings": averages, "rows": rows},
    ]
    head, _, first, second, _, note = against_random.summary(entries, "structure_kept").splitlines()
    assert head == "| content × style | VGG16: sketch | random | ResNet50: sketch | random |"
    ours, theirs = (rows[0][kind]["texture_error"] for kind in ("sketch", "random"))
    assert first == f"| skyline × trippy | {ours:.3f} | {theirs:.3f} | {ours:.3f} | {theirs:.3f} |"
    assert second.startswith("| canyon × trippy |")
    assert second.endswith(r"\* | – | – |")
    assert note.startswith(r"\* No content weights")
    assert note.endswith(f"within {EQUAL} of structure kept.")
    assert "No content" not in against_random.summary([entries[1]], "structure_kept")


def colour(red: int, height: int = 3, width: int = 4) -> Any:
    return np.full((height, width, 3), (red / 255, 0, 1), np.float32)


def test_every_cell_has_its_place() -> None:
    sheet = lay_out(
        [
            [Cell(heading="Corner", words="some words " * 8), Cell(caption="a", pixels=colour(1))],
            [Cell(pixels=colour(2)), Cell(pixels=colour(3, height=4, width=2))],
        ]
    )
    first, second = CELL * 3 // 4, CELL
    assert sheet.size == (2 * MARGIN + 2 * CELL + GAP, 2 * MARGIN + first + CAPTION + GAP + second)
    pixels = np.asarray(sheet)
    assert (pixels[MARGIN : MARGIN + first, MARGIN + CELL + GAP : -MARGIN] == (1, 0, 255)).all()
    top = MARGIN + first + CAPTION + GAP
    assert (pixels[top : top + first, MARGIN : MARGIN + CELL] == (2, 0, 255)).all()
    upright = pixels[top : top + CELL, MARGIN + CELL + GAP :][:, : CELL // 2]
    assert (upright == (3, 0, 255)).all()
    assert (pixels[:MARGIN] == pixels[0, 0]).all()


def test_low_pictures_stand_on_their_captions() -> None:
    sheet = lay_out([[Cell(caption="a", pixels=colour(1, height=4)), Cell(caption="b", pixels=colour(2))]])
    assert sheet.height == 2 * MARGIN + CELL + CAPTION
    low = np.asarray(sheet)[:, MARGIN + CELL + GAP + CELL // 2]
    rows = np.flatnonzero((low == (2, 0, 255)).all(axis=1))
    assert (rows.min(), rows.max() + 1) == (MARGIN + CELL // 4, MARGIN + CELL)


def test_a_sheet_of_noise_is_encoded_small_enough() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 800, 3), np.uint8)
    data = sheets.encode(Image.fromarray(noise))
    assert data.startswith(b"\xff\xd8")
    assert len(data) <= MOST_BYTES


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, network: Network) -> list[tuple[str, str]]:
    """Every kind of weights is a network of a sixteenth of its width; gives what was asked for."""
    asked: list[tuple[str, str]] = []
    source = WeightsSource(source="sketch", sha256="ab", parameters=1000, width=1 / 16)

    def load(backbone: Any, weights: str, **_: Any) -> tuple[Network, WeightsSource]:
        asked.append((backbone.name, weights))
        return network, replace(source, source=weights)

    monkeypatch.setattr(painter, "load_network", load)
    return asked


def test_random_weights_get_the_layers_and_loss_weights_of_the_sketch(tiny: list[tuple[str, str]]) -> None:
    sketch, random = (painter.make_painter("vgg16", kind, size=64, steps=2) for kind in ("sketch", "random"))
    layers = [name for name, _ in random.config.style_layers or ()]
    assert tuple(layers) == BACKBONES["vgg16"].sketch_style_layers
    assert replace(random.config, weights="sketch") == sketch.config
    assert tiny == [("vgg16", "sketch"), ("vgg16", "random")]


def test_random_weights_get_the_width_of_the_sketch() -> None:
    made = painter.make_painter("vgg16", "random", size=64, steps=2, seed=3)
    again = painter.make_painter("vgg16", "random", size=64, steps=2, seed=3)
    other = painter.make_painter("vgg16", "random", size=64, steps=2, seed=4)
    assert made.source.width == 0.25
    assert made.source.sha256 == again.source.sha256 != other.source.sha256


def paint_by_hand(monkeypatch: pytest.MonkeyPatch, **rules: Paint) -> Row:
    """The row of two painters, sketch and random, whose pictures measure as the rules say."""
    monkeypatch.setattr(against_random, "measured", lambda name, content, style, weight: rules[name](weight))
    monkeypatch.setattr(against_random, "usual_weight", lambda name: START)
    painters: Any = ["sketch", "random"]
    content, style = make_picture(48, 64, seed=1, name="c"), make_picture(64, 64, seed=2, name="s")
    return against_random.compare_pair(painters, content, style, kept="structure_kept")


def rising(ends: tuple[float, float], slope: float) -> Paint:
    """Structure that rises by `slope` a decade from 0.5 at START, between ends, and texture error with it."""

    def paint(weight: float) -> Measurement:
        structure = float(np.clip(0.5 + slope * math.log10(weight / START), *ends))
        return measurement(weight, structure, structure)

    return paint


def test_both_networks_are_searched_for_the_nearest_to_the_style(monkeypatch: pytest.MonkeyPatch) -> None:
    found = paint_by_hand(monkeypatch, sketch=rising((0, 1), 0.029), random=rising((0, 1), 0.058))
    # A third of a decade is 0.0097 of structure for the sketch and 0.0193 for the random network: each goes
    # as far down as 0.02 allows.
    assert found.sketch.content_weight == pytest.approx(START * 10 ** (-2 / 3))
    assert found.random.content_weight == pytest.approx(START * 10 ** (-1 / 3))
    assert found.sketch.structure_kept == pytest.approx(found.random.structure_kept)
    assert found.equal


def test_the_sketch_may_not_go_farther_from_its_level_or_from_the_random_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The random one's texture is best where it keeps most, at 0.5193; so 0.5 is the least for the sketch.
    def falling(weight: float) -> Measurement:
        return measurement(weight, 0.5 + 0.058 * math.log10(weight / START), 1 / weight)

    found = paint_by_hand(monkeypatch, sketch=rising((0, 1), 0.029), random=falling)
    assert found.random.structure_kept == pytest.approx(0.5193, abs=1e-4)
    assert found.sketch.structure_kept == pytest.approx(0.5)
    assert found.equal


def test_where_the_random_network_has_an_end_the_sketch_is_brought_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = paint_by_hand(monkeypatch, sketch=rising((0, 1), 0.3), random=rising((0.6, 0.9), 0.3))
    assert found.random.structure_kept == 0.6
    assert found.sketch.structure_kept == pytest.approx(0.6, abs=EQUAL)
    assert found.equal


def test_equal_networks_are_found_equal(tiny: list[tuple[str, str]]) -> None:
    sketch, random = (painter.make_painter("vgg16", kind, size=64, steps=2) for kind in ("sketch", "random"))
    content, style = make_picture(48, 64, seed=1, name="c"), make_picture(64, 64, seed=2, name="s")
    found = against_random.compare_pair([sketch, random], content, style, kept="structure_kept")
    # Two steps change little: all are near enough, and one or two more are tried beside the best.
    assert found.runs - 2 * len(TRIED) in (2, 4)
    assert found.equal
    assert found.random == found.sketch


@pytest.fixture
def laid_out(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Cell]]:
    """The rows of cells that a sheet is laid out from, every painted picture one colour."""
    rows: list[Sequence[Cell]] = []

    def note(cells: Sequence[Sequence[Cell]]) -> Image.Image:
        rows.extend(cells)
        return lay_out(cells)

    class Stub:
        source = WeightsSource(source="sketch", sha256="ab", parameters=1000)

        def paint(self, content: Picture, style: Picture) -> Any:
            return SimpleNamespace(picture=colour(7))

    monkeypatch.setattr(sheets, "lay_out", note)
    monkeypatch.setattr(sheets, "make_painter", lambda name, weights, **settings: Stub())
    monkeypatch.setattr(sheets, "imagenet_state", lambda backbone: "absent")
    return rows


def test_the_sheet_has_every_pair(laid_out: list[Sequence[Cell]], tmp_path: Path) -> None:
    notes: list[str] = []
    settings = sheets.Settings(size=64, steps=1, seed=0, folder=tmp_path)
    sheet = sheets.painted_sheet(BACKBONES["vgg16"], settings, notes.append)
    kinds = [sum(sample.kind == kind for sample in SAMPLES.values()) for kind in ("content", "style")]
    assert kinds == [4, 5]
    assert [len(row) for row in laid_out] == [6] * 5
    assert sum(cell.pixels is not None for row in laid_out for cell in row) == 4 + 5 + 4 * 5
    assert len(set(notes)) == 20
    assert sheet.width == 2 * MARGIN + 6 * CELL + 5 * GAP
    sheets.save(sheet, tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as written:
        assert written.size == sheet.size


def test_the_weights_picture_says_where_imagenet_is_absent(
    laid_out: list[Sequence[Cell]], tmp_path: Path
) -> None:
    notes: list[str] = []
    sheets.weights_sheet(sheets.Settings(size=64, steps=1, seed=0, folder=tmp_path), notes.append)
    assert [len(row) for row in laid_out] == [3] * 4
    assert [row[2].words for row in laid_out[1:]] == [ABSENT] * 3
    assert all(cell.pixels is not None for row in laid_out[1:] for cell in row[:2])
    assert len(set(notes)) == 9
