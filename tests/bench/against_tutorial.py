"""The standard preset against TensorFlow's tutorial at equal seconds: python -m tests.bench.against_tutorial.

Both work on the same network, weights and pictures, one after the other in one process. The tutorial
(nst_core/tutorial.py: pixels, its Adam, its loss weights, its layers, its last picture) goes on as long as
the preset took. Where the preset keeps less of the content's structure than the tutorial, alpha is raised
until it keeps as much, and that run counts. With alpha goes gamma, 8 alpha on every pair alike: the
tutorial's pictures, which keep much, are smooth, its total variation being heavy. `reached` is the share of
the tutorial's seconds after which the preset had a picture, enlarged where it was still small, whose total
loss (the preset's own, at the last size) was as low as that of the tutorial's last picture.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.images import Pixels, encode_png, resize
from nst_core.material import Material
from nst_core.metrics import measure
from nst_core.models import Models
from nst_core.pictures import open_picture
from nst_core.presets import PRESETS, find_preset
from nst_core.records import Step
from nst_core.transfer import run
from nst_core.tutorial import Tutorial
from tests.bench.techniques import all_pairs

CONTENT_WEIGHTS = (6.0, 16.0, 40.0)  # alpha, where the preset's own keeps too little
SMOOTHING = 8.0  # gamma over alpha, where alpha is raised
LOOKS = 75  # so many pictures of a run are looked at, evenly over its steps


@dataclass(frozen=True, slots=True)
class Row:
    """One pair: seconds, structure kept and texture error of both, and when ours was as far."""

    pair: str
    seconds: float
    tutorial_steps: int
    content_weight: float
    variation_weight: float
    structure: tuple[float, float]  # ours, the tutorial's
    texture: tuple[float, float]
    reached: float

    @property
    def won(self) -> bool:
        """Nearer to the style at equal or better structure."""
        return self.texture[0] < self.texture[1] and self.structure[0] >= self.structure[1]


@dataclass(frozen=True, slots=True)
class Painted:
    """A picture of the preset, what it was made of and how long that took."""

    material: Material
    picture: Pixels
    metrics: Mapping[str, float]
    seconds: float


def paint(material: Material, steps: list[Step] | None = None) -> Painted:
    """A run; `steps` gets each of them with its picture."""
    made = run(material) if steps is None else run(material, on_step=steps.append, preview_seconds=0.0)
    if made.picture is None:
        raise SystemExit(" ".join(made.record.notes))
    return Painted(material, made.picture, made.record.metrics, made.record.seconds)


def tutorial_for(material: Material, models: Models, seconds: float) -> tuple[Pixels, int]:
    """The tutorial's last picture after so many seconds of steps, compiling not counted; and its steps."""
    config = material.config
    network, _ = models.network(config)
    content, style = material.at(material.sizes[-1])
    tutorial = Tutorial(network, find_backbone(config.backbone), content=content, style=style)
    tutorial.advance()
    began = time.perf_counter()
    for steps in count(2):
        tutorial.advance()
        if time.perf_counter() - began >= seconds:
            return tutorial.picture, steps
    raise AssertionError


def seconds_to(material: Material, seen: Sequence[Step], picture: Pixels) -> float:
    """When a preview, enlarged to the last size, had as low a total loss as the picture; else infinity."""
    content, style = material.at(material.sizes[-1])
    targets = material.targets(content, style)
    height, width = content.shape[:2]

    def total(pixels: Pixels) -> float:
        return material.engine.errors(pixels, targets).total(material.factors)

    goal = total(picture)
    for step in seen[:: max(1, len(seen) // LOOKS)]:
        if (
            step.preview is not None
            and total(resize(step.preview / np.float32(255), (width, height))) <= goal
        ):
            return step.seconds
    return float("inf")


def weigh(seen: Sequence[Painted], others: Mapping[str, float]) -> Painted | None:
    """The nearest to the style of those that keep as much structure as the tutorial's, if any does."""
    keeping = [made for made in seen if made.metrics["structure_kept"] >= others["structure_kept"]]
    return min(keeping, key=lambda made: made.metrics["texture_error"], default=None)


def compare(models: Models, pair: str, options: argparse.Namespace) -> Row:
    """Both on one pair."""
    content, style = (open_picture(part) for part in pair.split("*"))
    base = {
        "backbone": options.backbone,
        "weights": options.weights,
        **find_preset(options.preset).settings(),
    }
    base |= {"size": options.size} if options.size else {}
    # As the tutorial's, our compiling is not counted.
    paint(models.material(TransferConfig(**base | {"steps": 2, "ladder": False}), content, style))
    steps: list[Step] = []
    first = paint(models.material(TransferConfig(**base), content, style), steps)
    theirs, their_steps = tutorial_for(first.material, models, first.seconds)
    others = measure(theirs, content.pixels, style.pixels)
    reached = seconds_to(first.material, steps, theirs) / first.seconds
    tried, rising = [first], list(CONTENT_WEIGHTS)
    while weigh(tried, others) is None and rising:
        alpha = rising.pop(0)
        raised = TransferConfig(**base, content_weight=alpha, variation_weight=SMOOTHING * alpha)
        tried.append(paint(models.material(raised, content, style)))
    ours = weigh(tried, others) or tried[-1]
    keep(options.pictures, pair, ours.picture, theirs)
    return Row(
        pair=f"{content.name} × {style.name}",
        seconds=first.seconds,
        tutorial_steps=their_steps,
        content_weight=ours.material.factors[0],
        variation_weight=ours.material.factors[2],
        structure=(ours.metrics["structure_kept"], others["structure_kept"]),
        texture=(ours.metrics["texture_error"], others["texture_error"]),
        reached=reached,
    )


def keep(folder: Path | None, pair: str, ours: Pixels, theirs: Pixels) -> None:
    """Both pictures, where a folder was named."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    name = " x ".join(Path(part).stem for part in pair.split("*"))
    for who, pixels in (("ours", ours), ("tutorial", theirs)):
        (folder / f"{name} {who}.png").write_bytes(encode_png(pixels))


def line(row: Row) -> str:
    """A Markdown row."""
    structure, texture = (
        " | ".join(f"{value:.3f}" for value in pair) for pair in (row.structure, row.texture)
    )
    return (
        f"| {row.pair} | {row.seconds:.0f} | {row.tutorial_steps} | {row.content_weight:.2g}"
        f" | {row.variation_weight:.3g} | {structure}"
        f" | {texture} | {row.reached:.3f} | {'yes' if row.won else 'no'} |"
    )


def report(rows: Sequence[Row]) -> Iterator[str]:
    """The counts below the table."""
    yield ""
    won, soon = sum(row.won for row in rows), sum(row.reached <= 0.1 for row in rows)
    yield f"Nearer to the style at equal or better structure: {won} of {len(rows)}."
    yield f"The tutorial's loss within a tenth of its time: {soon} of {len(rows)}."


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="vgg19")
    parser.add_argument("--weights", default="sketch")
    parser.add_argument("--preset", choices=list(PRESETS), default="standard")
    parser.add_argument("--size", type=int, help="another longest side than the preset's, pixels")
    parser.add_argument("--pairs", nargs="*", default=all_pairs(), metavar="CONTENT*STYLE")
    parser.add_argument("--pictures", type=Path, help="a folder for the pictures")
    options = parser.parse_args()
    print(
        "| pair | seconds | tutorial's steps | alpha | gamma | structure kept | tutorial's | texture error",
        end="",
    )
    print(" | tutorial's | reached | won |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    models, rows = Models(), []
    for pair in options.pairs:
        rows.append(compare(models, pair, options))
        print(line(rows[-1]), flush=True)
    print(*report(rows), sep="\n")


if __name__ == "__main__":
    main()
