"""What the sketch weights paint, as pictures: python -m assets.sketch.sheets --backbone all.

Writes sheet-<backbone>.jpg, every content sample in the manner of every style sample, and weights.jpg, one
pair under random, sketch and ImageNet weights, all with the draft preset's settings.
"""

import argparse
import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from assets.sketch.painter import DRAFT, make_painter
from nst_core.backbones import BACKBONES, Backbone
from nst_core.imagenet import imagenet_state
from nst_core.images import Pixels, to_uint8
from nst_core.lettering import shortened, text_width, write
from nst_core.samples import SAMPLES, load_sample
from nst_core.sheet import GROUND, INK, QUIET, RULE

FOLDER = Path(__file__).parent
CELL = 256  # pixels, the longest side of a picture in a cell
MARGIN, GAP, CAPTION = 28, 12, 30
LARGE, TEXT, LINE = 24, 16, 22
MOST_BYTES, BEST_QUALITY, LEAST_QUALITY = 500_000, 85, 60  # of a sheet as JPEG

PAIR = ("skyline", "swirling-night")
ABSENT = "ImageNet weights not on this machine; run `nst weights --get all`, then this command."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A picture with its caption; without pixels, a heading with words below it."""

    caption: str = ""
    pixels: Pixels | None = None
    heading: str = ""
    words: str = ""
    framed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What all the runs of a command share: pixels, updates, the seed of random weights, where files go."""

    size: int
    steps: int
    seed: int
    folder: Path


def lay_out(rows: Sequence[Sequence[Cell]]) -> Image.Image:
    """The cells on a grey ground; a row is as high as its highest picture, and its captions if it has any."""
    columns = max(map(len, rows))
    heights = [_height(row) for row in rows]
    width = 2 * MARGIN + columns * CELL + (columns - 1) * GAP
    sheet = Image.new("RGB", (width, 2 * MARGIN + sum(heights) + (len(rows) - 1) * GAP), GROUND)
    top = MARGIN
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            _draw(sheet, cell, (MARGIN + column * (CELL + GAP), top), height)
        top += height + GAP
    return sheet


def _height(row: Sequence[Cell]) -> int:
    sides = [_fitted(cell.pixels).height for cell in row if cell.pixels is not None]
    return max(sides, default=CELL) + (CAPTION if any(cell.caption for cell in row) else 0)


def _fitted(pixels: Pixels) -> Image.Image:
    """The whole picture with CELL as its longest side; pictures painted at that size keep every pixel."""
    picture = Image.fromarray(to_uint8(pixels))
    scale = CELL / max(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)


def _draw(sheet: Image.Image, cell: Cell, place: tuple[int, int], height: int) -> None:
    draw, (left, top) = ImageDraw.Draw(sheet), place
    foot = top + height
    if cell.caption:
        foot -= CAPTION
        write(draw, (left, foot + LINE), shortened(cell.caption, TEXT, CELL), size=TEXT, colour=INK)
    if cell.pixels is not None:
        picture = _fitted(cell.pixels)
        # Low pictures stand on the row's foot, where their caption is; results share their content's height.
        sheet.paste(picture, (left, foot - picture.height if cell.caption else top))
    if cell.framed:
        draw.rectangle([left, top, left + CELL - 1, foot - 1], outline=RULE, width=2)
    inset = 16 if cell.framed else 0
    write(draw, (left + inset, top + LARGE), cell.heading, size=LARGE, colour=INK, bold=True)
    # Words have narrower letters than the alphabet on the average; a line that runs over is shortened.
    letters = (CELL - 2 * inset) * 28 // max(1, text_width("abcdefghijklmnopqrstuvwxyz", TEXT))
    for index, line in enumerate(textwrap.wrap(cell.words, letters)):
        baseline = top + inset + LINE * (index + 1) + (LARGE + 4 if cell.heading else 0)
        text = shortened(line, TEXT, CELL - 2 * inset)
        write(draw, (left + inset, baseline), text, size=TEXT, colour=QUIET)


def encode(sheet: Image.Image) -> bytes:
    """JPEG of at most MOST_BYTES, at the best quality from BEST_QUALITY down that gives so few."""
    for quality in range(BEST_QUALITY, LEAST_QUALITY - 1, -5):
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= MOST_BYTES:
            break
    return buffer.getvalue()


def painted_sheet(backbone: Backbone, settings: Settings, note: Callable[[str], None]) -> Image.Image:
    """Contents down the left, styles along the top, and what the sketch made of each pair."""
    painter = make_painter(
        backbone.name, "sketch", size=settings.size, steps=settings.steps, seed=settings.seed
    )
    contents, styles = (
        [(sample, load_sample(sample.name)) for sample in SAMPLES.values() if sample.kind == kind]
        for kind in ("content", "style")
    )
    words = (
        f"Sketch weights, {painter.source.parameters / 1e6:.2f} million numbers, {settings.size} px,"
        f" {settings.steps} steps. Content on the left, style above."
    )
    rows = [
        [
            Cell(heading=backbone.label, words=words),
            *(Cell(caption=sample.title, pixels=style.pixels) for sample, style in styles),
        ]
    ]
    for sample, content in contents:
        row = [Cell(caption=sample.title, pixels=content.pixels)]
        for _, style in styles:
            row.append(Cell(pixels=painter.paint(content, style).picture))
            note(f"{backbone.label}: {content.name} x {style.name}")
        rows.append(row)
    return lay_out(rows)


def weights_sheet(settings: Settings, note: Callable[[str], None]) -> Image.Image:
    """One pair on every backbone under random weights of the sketch's width, sketch and ImageNet weights."""
    content, style = map(load_sample, PAIR)
    words = (
        f"The same pair at {settings.size} px, {settings.steps} steps. Random weights have the sketch's width"
        " and layers."
    )
    rows = [
        [
            Cell(caption=f"Content: {SAMPLES[content.name].title}", pixels=content.pixels),
            Cell(caption=f"Style: {SAMPLES[style.name].title}", pixels=style.pixels),
            Cell(heading="Three kinds of weights", words=words),
        ]
    ]
    for backbone in BACKBONES.values():
        row = []
        for weights, label in (("random", "random"), ("sketch", "sketch"), ("imagenet", "ImageNet")):
            row.append(_one_of_three(backbone, weights, f"{backbone.label}, {label} weights", settings))
            note(row[-1].caption)
        rows.append(row)
    return lay_out(rows)


def _one_of_three(backbone: Backbone, weights: str, caption: str, settings: Settings) -> Cell:
    if weights == "imagenet" and imagenet_state(backbone) != "present":
        return Cell(caption=caption, words=ABSENT, framed=True)
    painter = make_painter(
        backbone.name, weights, size=settings.size, steps=settings.steps, seed=settings.seed
    )
    return Cell(caption=caption, pixels=painter.paint(*map(load_sample, PAIR)).picture)


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", choices=(*BACKBONES, "all"), default="vgg19")
    parser.add_argument("--size", type=int, default=DRAFT.size, help="longest side, pixels")
    parser.add_argument("--steps", type=int, default=DRAFT.steps)
    parser.add_argument("--seed", type=int, default=0, help="of the random weights")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint the sheets asked for, and weights.jpg."""
    asked = options().parse_args(arguments)
    settings = Settings(size=asked.size, steps=asked.steps, seed=asked.seed, folder=asked.folder)
    names = tuple(BACKBONES) if asked.backbone == "all" else (asked.backbone,)
    for name in names:
        save(painted_sheet(BACKBONES[name], settings, _tell), settings.folder / f"sheet-{name}.jpg")
    save(weights_sheet(settings, _tell), settings.folder / "weights.jpg")


def save(sheet: Image.Image, path: Path) -> None:
    """Write a sheet, and say how large it is."""
    data = encode(sheet)
    path.write_bytes(data)
    print(f"{path.name}: {sheet.width} x {sheet.height} pixels, {len(data) / 1000:.0f} kB")


def _tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
