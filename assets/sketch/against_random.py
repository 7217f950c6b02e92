"""Do sketch weights paint better than none? python -m assets.sketch.against_random --backbone vgg19.

Each pair of sample pictures is painted with the sketch and with random weights of the same width, layers,
size, steps and seed. Both content weights are searched alike, so that both keep as much of the content as the
sketch does at its default one: of its structure, its edges, or the mean of both, by which style strength goes
too. Of all weights that do, the one whose texture is nearest to the style's stands for its network. Where the
random network keeps so much at none tried, it stands at the nearest, and the sketch is searched for what that
keeps. Gamma is the sketch's usual one at its default content weight for both, throughout.
All the numbers come from nst_core.metrics, in which no network that was trained has a part; but texture error
and patch distance look through random filters, as the random weights do, so neither is quite impartial.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from assets.sketch.matching import EQUAL, Kept, Measurement, Row, search, survey
from assets.sketch.painter import DRAFT, USUAL_POOLING, Painter, make_painter
from nst_core.backbones import BACKBONES
from nst_core.choices import Pooling
from nst_core.errors import RunError
from nst_core.images import Picture
from nst_core.metrics import METRICS
from nst_core.samples import SAMPLES, load_sample
from nst_core.strength import loss_weights

FOLDER = Path(__file__).parent
# What a table is worth nothing without, for defaults change.
SETTINGS = ("size", "steps", "seed", "canvas", "content_weight", "variation_weight", "padding", "pooling")
KEPT: Mapping[str, str] = MappingProxyType(
    {
        "content_kept": "structure and edges kept",
        "structure_kept": "structure kept",
        "edges_kept": "edges kept",
    }
)


def measured(painter: Painter, content: Picture, style: Picture, content_weight: float) -> Measurement:
    """One run's numbers; RunError when it gave no picture."""
    record = painter.paint(content, style, content_weight=content_weight).record
    if not record.metrics:
        raise RunError(
            f"No picture of {content.name} in the manner of {style.name}: {' '.join(record.notes)}"
        )
    return Measurement(
        content_weight=content_weight,
        structure_kept=record.metrics["structure_kept"],
        edges_kept=record.metrics["edges_kept"],
        texture_error=record.metrics["texture_error"],
        patch_distance=record.metrics["patch_distance"],
    )


def usual_weight(painter: Painter) -> float:
    """Alpha at the default style strength."""
    return loss_weights(painter.config, painter.source.source)[0]


def compare_pair(painters: Sequence[Painter], content: Picture, style: Picture, *, kept: Kept) -> Row:
    """Both painters, the sketch's and the random one, on one pair."""
    ours, theirs = (partial(measured, painter, content, style) for painter in painters)
    start = usual_weight(painters[0])
    sketches, randoms = survey(ours, start=start), survey(theirs, start=start)
    level = getattr(sketches[start], kept)
    random = search(theirs, randoms, level, kept=kept)
    reached = getattr(random, kept)
    # A random network may have an end that it cannot pass: then the sketch is brought there.
    levels = (level, reached) if abs(level - reached) <= EQUAL else (reached,)
    sketch = search(ours, sketches, *levels, kept=kept)
    runs = len(sketches) + len(randoms)
    return Row(content=content.name, style=style.name, sketch=sketch, random=random, kept=kept, runs=runs)


def sample_pairs() -> Iterator[tuple[Picture, Picture]]:
    """Every content sample with every style sample."""
    contents, styles = (
        [load_sample(sample.name) for sample in SAMPLES.values() if sample.kind == kind]
        for kind in ("content", "style")
    )
    for content in contents:
        for style in styles:
            yield content, style


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, and how often the sketch is nearer to the style."""
    head = (
        "| content × style | structure kept: sketch | random | edges kept: sketch | random |"
        " texture error: sketch | random | patch distance: sketch | random | nearer to the style |"
    )
    lines = [head, "|---|" + "---:|" * 8 + "---|", *map(_line, rows), ""]
    lower = [row for row in rows if row.gain > 0]
    clear = sum(row.gain > METRICS["texture_error"].noise for row in rows)
    patches = sum(row.sketch.patch_distance < row.random.patch_distance for row in rows)
    edges = sum(row.sketch.edges_kept > row.random.edges_kept for row in rows)
    lines.append(f"Sketch lower on {len(lower)} of {len(rows)} in texture error")
    lines[-1] += f" ({clear} by more than its noise), on {patches} of {len(rows)} in patch distance;"
    lines[-1] += f" it keeps more of the content's edges on {edges} of {len(rows)}."
    if unequal := sum(not row.equal for row in rows):
        lines.append(f"\\* {unequal}: no content weights tried brought both within {EQUAL}.")
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    ours, theirs, mark = row.sketch, row.random, "" if row.equal else r" \*"
    numbers = (
        f"{ours.structure_kept:.3f} | {theirs.structure_kept:.3f}{mark}",
        f"{ours.edges_kept:.3f} | {theirs.edges_kept:.3f}",
        f"{ours.texture_error:.3f} | {theirs.texture_error:.3f}",
        f"{ours.patch_distance:.3f} | {theirs.patch_distance:.3f}",
    )
    return f"| {row.content} × {row.style} | {' | '.join(numbers)} | {row.winner} |"


def write(folder: Path, entry: Mapping[str, Any]) -> str:
    """Put an entry into the JSON file, in place of the last of its kind; the Markdown of all of them."""
    path = folder / "against-random.json"
    held = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    held[_key(entry["backbone"], entry["kept"], entry["settings"]["pooling"])] = entry
    order = [
        _key(name, kept, pooling) for kept in KEPT for name in BACKBONES for pooling in get_args(Pooling)
    ]
    held = {known: held[known] for known in order if known in held}
    path.write_text(json.dumps(held, indent=1) + "\n", "utf-8")
    text = f"# Sketch against random weights\n\n{_introduction()}\n"
    for kept in dict.fromkeys(each["kept"] for each in held.values()):
        text += f"\n## Texture error at equal {KEPT[kept]}\n\n" + summary(list(held.values()), kept)
    text += "".join(map(_section, held.values()))
    (folder / "against-random.md").write_text(text, "utf-8")
    return text


def _key(backbone: str, kept: str, pooling: str) -> str:
    """What an entry is filed under: another pooling than the usual one is named."""
    key = f"{backbone} {kept}"
    return key if pooling == USUAL_POOLING else f"{key} {pooling}"


def _label(entry: Mapping[str, Any]) -> str:
    row, pooling = BACKBONES[entry["backbone"]], entry["settings"]["pooling"]
    return row.label if pooling == USUAL_POOLING else f"{row.label}, {pooling} pooling"


def summary(entries: Sequence[Mapping[str, Any]], kept: str) -> str:
    """Texture errors of all backbones where as much is kept, a pair a row."""
    entries = [entry for entry in entries if entry["kept"] == kept]
    labels = [_label(entry) for entry in entries]
    lines = ["| content × style |" + "".join(f" {label}: sketch | random |" for label in labels)]
    lines.append("|---|" + "---:|" * 2 * len(labels))
    rows = [[_row(each) for each in entry["rows"]] for entry in entries]
    for together in zip_longest(*rows):
        pair = next(f"{row.content} × {row.style}" for row in together if row)
        lines.append(f"| {pair} | {' | '.join(map(_errors, together))} |")
    if not all(row.equal for each in rows for row in each):
        lines += ["", f"\\* No content weights tried brought both within {EQUAL} of {KEPT[kept]}."]
    return "\n".join(lines) + "\n"


def _errors(row: Row | None) -> str:
    if row is None:
        return "– | –"
    mark = "" if row.equal else r" \*"
    return f"{row.sketch.texture_error:.3f} | {row.random.texture_error:.3f}{mark}"


def _introduction() -> str:
    noise = METRICS["texture_error"].noise
    return (
        "The same width, layers, size, steps and seed; both networks at that content weight of least texture"
        " error, of those searched, that keeps as much as the sketch does at its default one; where the"
        " random weights keep so much at none tried, they stand at the nearest, and the sketch keeps as much"
        " as that. Gamma is that of the sketch's default for both. Entries that say `matching one crossing`"
        " are older: the sketch stands at its default, and the random weights at the first such weight found."
        " Structure and edges kept: 1 is the content itself."
        " Texture error and patch distance: 0 is the style's own statistics, 1 as far as a"
        f" flat picture; texture errors that differ by less than {noise} say nothing. Written by"
        " `python -m assets.sketch.against_random`."
    )


def _section(entry: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in entry["settings"].items())
    settings = f"{settings}, width {entry['width']}"
    title = f"\n## {_label(entry)} at equal {KEPT[entry['kept']]}"
    rows = table([_row(each) for each in entry["rows"]])
    return f"{title}\n\n{settings}; sketch SHA-256 {entry['sketch_sha256']}\n\n{rows}"


def _row(data: Mapping[str, Any]) -> Row:
    both = {kind: Measurement(**data[kind]) for kind in ("sketch", "random")}
    return Row(content=data["content"], style=data["style"], kept=data["kept"], runs=data["runs"], **both)


def evaluate(name: str, *, kept: Kept, **settings: Any) -> Iterator[dict[str, Any]]:
    """All pairs on one backbone: after each the entry so far, as plain data, and a line on the terminal.

    settings: of `make_painter`.
    """
    painters = [make_painter(name, weights, **settings) for weights in ("sketch", "random")]
    sketch, random = painters
    entry: dict[str, Any] = {
        "backbone": name,
        "kept": kept,
        "settings": {name: getattr(sketch.config, name) for name in SETTINGS},
        "width": sketch.source.width,
        "sketch_sha256": sketch.source.sha256,
        "random_sha256": random.source.sha256,
        "rows": [],
    }
    began = time.monotonic()
    for content, style in sample_pairs():
        row = compare_pair(painters, content, style, kept=kept)
        entry["rows"].append(asdict(row))
        print(f"{_line(row)} {row.runs} runs, {time.monotonic() - began:.0f} s", flush=True)
        yield entry


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", choices=(*BACKBONES, "all"), default="vgg19")
    parser.add_argument("--equal", choices=tuple(KEPT), default="structure_kept", help="what both keep alike")
    parser.add_argument("--size", type=int, default=DRAFT.size, help="longest side, pixels")
    parser.add_argument("--steps", type=int, default=DRAFT.steps)
    parser.add_argument("--seed", type=int, default=0, help="of the random weights")
    parser.add_argument("--pooling", choices=get_args(Pooling), default=USUAL_POOLING)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the two files go")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint, compare, and write against-random.json and against-random.md."""
    asked = options().parse_args(arguments)
    text = ""
    for name in BACKBONES if asked.backbone == "all" else (asked.backbone,):
        # Written after each pair, so that a command that is stopped leaves what it found.
        course = evaluate(
            name,
            kept=asked.equal,
            size=asked.size,
            steps=asked.steps,
            seed=asked.seed,
            pooling=asked.pooling,
        )
        for entry in course:
            text = write(asked.folder, entry)
    print(text)


if __name__ == "__main__":
    main()
