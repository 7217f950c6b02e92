"""A comparison as one picture: content, style and every result in equal cells, with their numbers."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from nst_core.comparison import Comparison, differing_fields
from nst_core.comparison_table import Row, comparison_rows
from nst_core.config import TransferConfig
from nst_core.images import Pixels, to_uint8
from nst_core.lettering import shortened, text_width, write
from nst_core.wording import shared_in_words

# Pixels. Pictures are judged against their surround, so the ground is a grey without hue.
LONGEST, NARROWEST = 640, 460  # a cell's longest side, and its least width, for the text below
MARGIN, GAP = 72, 40
HEADER, FOOTER = 132, 84
CAPTION, LINE = 46, 36
TITLE, LARGE, TEXT, SMALL = 44, 28, 24, 20
GROUND, INK, QUIET, RULE = "#EFEFEF", "#1F1F1F", "#6A6A6A", "#CDCDCD"

KEY_NUMBERS = ("structure_kept", "texture_error", "palette_match", "style_error", "content_error", "seconds")
# Settings that the third cell leaves to the header and to the report.
LEFT_OUT = ("backbone", "ladder", "size", "steps", "seed")
# Told only where they are not the default.
USUAL = (
    "optimiser", "finish", "variation", "statistic", "smoothing", "temperature", "style_scale", "jitter",
    "averaging", "precision",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where cells are: columns, the box of a picture, and the depth of the two kinds of row."""

    columns: int
    box: tuple[int, int]
    lines: int

    @property
    def width(self) -> int:
        return 2 * MARGIN + self.columns * self.box[0] + (self.columns - 1) * GAP

    def left(self, column: int) -> int:
        return MARGIN + column * (self.box[0] + GAP)

    @property
    def source_row(self) -> int:
        return self.box[1] + CAPTION + GAP

    @property
    def result_row(self) -> int:
        return self.box[1] + CAPTION + self.lines * LINE + GAP + 16


def contact_sheet(comparison: Comparison) -> bytes:
    """PNG bytes: the pair and what is shared on top, each result under it with its label and key numbers.

    A dot before a number marks the run that is ahead by more than that number's noise.
    """
    rows = [row for row in comparison_rows(comparison) if row.name in KEY_NUMBERS]
    grid = _grid(comparison, len(rows))
    count = len(comparison.runs)
    height = HEADER + grid.source_row + math.ceil(count / grid.columns) * grid.result_row + FOOTER
    sheet = Image.new("RGB", (grid.width, height), GROUND)
    draw = ImageDraw.Draw(sheet)
    _header(draw, comparison, grid)
    _sources(sheet, draw, comparison, grid)
    for index in range(count):
        line, column = divmod(index, grid.columns)
        top = HEADER + grid.source_row + line * grid.result_row
        _result(sheet, draw, comparison, rows, index=index, place=(grid.left(column), top), grid=grid)
    _footer(draw, comparison, grid, height)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _grid(comparison: Comparison, lines: int) -> _Grid:
    width, height = comparison.content.size
    scale = LONGEST / max(width, height)
    box = (max(NARROWEST, round(width * scale)), max(LONGEST // 3, round(height * scale)))
    count = len(comparison.runs)
    return _Grid(columns=4 if count in (4, 7, 8) else 3, box=box, lines=lines)


def _header(draw: ImageDraw.ImageDraw, comparison: Comparison, grid: _Grid) -> None:
    right = grid.width - MARGIN
    config = comparison.records[0].config
    facts = {"size": f"{config.size} px", "steps": f"{config.steps:,} steps", "seed": f"seed {config.seed}"}
    differing = differing_fields(comparison.records)
    shared = " · ".join(fact for name, fact in facts.items() if name not in differing)
    write(draw, (right, 72), shared, size=LARGE, colour=QUIET, right=True)
    _pair_of_names(draw, comparison, right - MARGIN - text_width(shared, LARGE) - GAP)
    draw.line([(MARGIN, 98), (right, 98)], fill=RULE, width=2)


def _pair_of_names(draw: ImageDraw.ImageDraw, comparison: Comparison, room: int) -> None:
    joint, names = " in the manner of ", (comparison.content.name, comparison.style.name)
    size = TITLE if text_width(joint.join(names), TITLE) <= room else LARGE
    each = (room - text_width(joint, size)) // 2
    # What one name leaves unused the other may have.
    first = shortened(names[0], size, max(each, 2 * each - text_width(names[1], size)))
    second = shortened(names[1], size, 2 * each - text_width(first, size))
    place = MARGIN
    for part, colour in ((first, INK), (joint, QUIET), (second, INK)):
        write(draw, (place, 72), part, size=size, colour=colour, bold=part != joint)
        place += text_width(part, size)


def _sources(sheet: Image.Image, draw: ImageDraw.ImageDraw, comparison: Comparison, grid: _Grid) -> None:
    pair = (("Content", comparison.content), ("Style", comparison.style))
    for column, (word, picture) in enumerate(pair):
        place = (grid.left(column), HEADER)
        _paste(sheet, picture.pixels, place, grid.box)
        baseline = HEADER + grid.box[1] + 36
        write(draw, (place[0], baseline), word, size=LARGE, colour=INK, bold=True)
        room = grid.box[0] - text_width(word, LARGE) - 24
        name = shortened(picture.name, TEXT, room)
        write(draw, (place[0] + grid.box[0], baseline), name, size=TEXT, colour=QUIET, right=True)
    _settings(draw, comparison, (grid.left(2), HEADER), grid.box)


def _settings(
    draw: ImageDraw.ImageDraw, comparison: Comparison, place: tuple[int, int], box: tuple[int, int]
) -> None:
    differing = differing_fields(comparison.records)
    configs, default = [record.config for record in comparison.records], TransferConfig()
    usual = [name for name in USUAL if getattr(configs[0], name) == getattr(default, name)]
    if all(config.optimiser == "lbfgs" for config in configs):
        usual.append("learning_rate")
    pairs = shared_in_words(configs, without=(*differing, *LEFT_OUT, *usual))
    write(draw, (place[0], place[1] + 22), "Settings of all", size=LARGE, colour=INK, bold=True)
    # A panorama's cell is low: the lines move together, and what still does not fit is left to the report.
    room = box[1] + CAPTION - 70
    step = max(28, min(40, room // len(pairs)))
    for index, pair in enumerate(pairs[: room // step]):
        _pair(draw, pair, (place[0], place[1] + 70 + index * step), box[0], size=TEXT if step > 30 else SMALL)


def _pair(
    draw: ImageDraw.ImageDraw, pair: Sequence[str], place: tuple[int, int], width: int, *, size: int
) -> None:
    """What on the left, its value on the right."""
    room = width - text_width(pair[0], size) - 24
    write(draw, place, pair[0], size=size, colour=QUIET)
    value = shortened(pair[1], size, room)
    write(draw, (place[0] + width, place[1]), value, size=size, colour=INK, right=True)


def _result(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    comparison: Comparison,
    rows: Sequence[Row],
    *,
    index: int,
    place: tuple[int, int],
    grid: _Grid,
) -> None:
    run, colour = comparison.runs[index], comparison.colours[index]
    (left, top), (width, height) = place, grid.box
    if run.picture is None:
        draw.rectangle([left, top, left + width - 1, top + height - 1], outline=RULE, width=2)
        write(draw, (left + 24, top + 48), "No picture", size=TEXT, colour=QUIET)
    else:
        _paste(sheet, run.picture, place, grid.box)
    baseline = top + height + 38
    draw.rectangle([left, baseline - 20, left + 19, baseline - 1], fill=colour)
    weights = run.record.weights.label
    label = shortened(comparison.labels[index], LARGE, width - 32)
    write(draw, (left + 32, baseline), label, size=LARGE, colour=colour, bold=True)
    if text_width(label, LARGE) + text_width(weights, SMALL) + 56 <= width and weights not in label:
        write(draw, (left + width, baseline), weights, size=SMALL, colour=QUIET, right=True)
    for line, row in enumerate(rows, start=1):
        foot = baseline + line * LINE + 4
        draw.line([(left, foot - LINE + 10), (left + width, foot - LINE + 10)], fill=RULE, width=1)
        unit = f" {row.unit}" if row.unit == "s" else ""
        _pair(draw, (_row_label(row), row.texts[index] + unit), (left, foot), width, size=TEXT)
        if row.best[index]:
            right = left + width - text_width(row.texts[index] + unit, TEXT) - 14
            draw.ellipse([right - 12, foot - 14, right, foot - 2], fill=colour)


def _row_label(row: Row) -> str:
    return f"{row.label}, other networks" if row.name in ("style_error", "content_error") else row.label


def _paste(sheet: Image.Image, pixels: Pixels, place: tuple[int, int], box: tuple[int, int]) -> None:
    """The whole picture, as large as fits, at the box's upper left, in line with what is written below."""
    picture = Image.fromarray(to_uint8(pixels))
    scale = min(box[0] / picture.width, box[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    sheet.paste(picture, place)


def _footer(draw: ImageDraw.ImageDraw, comparison: Comparison, grid: _Grid, height: int) -> None:
    record = comparison.records[0]
    draw.line([(MARGIN, height - FOOTER), (grid.width - MARGIN, height - FOOTER)], fill=RULE, width=2)
    left = "Neural style transfer by optimisation. A dot: ahead of the others by more than the noise."
    right = f"{record.started[:10]} · {record.device}"
    room = grid.width - 2 * MARGIN - text_width(left, SMALL) - GAP
    write(draw, (MARGIN, height - FOOTER + 40), left, size=SMALL, colour=QUIET)
    write(
        draw,
        (grid.width - MARGIN, height - FOOTER + 40),
        shortened(right, SMALL, room),
        size=SMALL,
        colour=QUIET,
        right=True,
    )
