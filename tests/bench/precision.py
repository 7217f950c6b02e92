"""bfloat16 beside float32 over the sample pairs: python -m tests.bench.precision --backbones vgg19.

Each pair is painted twice with the same settings, and a third time in float32 from a content picture that is
off by up to half a grey level, as rounding to a PNG leaves it. The optimiser's path is sensitive, so that
this third picture is the yardstick for how much two pictures differ that are the same but for rounding.

loss       the final loss over that of the float32 run, less 1
likeness   structural similarity to the float32 run's picture (nst_core.likeness), 1 for the same picture
texture    texture error, structure: structure kept, less those of the float32 run
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.images import Picture
from nst_core.likeness import structure_kept
from nst_core.models import Models
from nst_core.presets import PRESETS
from nst_core.samples import load_sample
from nst_core.transfer import Run, run
from tests.bench.techniques import all_pairs

LOSS_APART, HALF_A_LEVEL = 0.02, 0.5 / 255


@dataclass(frozen=True, slots=True)
class Beside:
    """One run beside the float32 run of its pair; seconds are the run's own over the other's."""

    loss: float
    likeness: float
    texture: float
    structure: float
    seconds: float


def nudged(picture: Picture) -> Picture:
    """The picture with each value off by up to half a grey level, the same each time."""
    noise = np.random.default_rng(0).uniform(-HALF_A_LEVEL, HALF_A_LEVEL, picture.pixels.shape)
    pixels = np.clip(picture.pixels + noise, 0.0, 1.0).astype(np.float32)
    return replace(picture, pixels=pixels)


def final_loss(made: Run) -> float:
    """The loss of the picture that the run gave."""
    return made.record.steps[made.record.best_step - 1].total


def beside(made: Run, plain: Run) -> Beside:
    """What changed from the plain run to the other one."""
    if made.picture is None or plain.picture is None:
        raise SystemExit(f"A run gave no picture: {made.record.ending}, {plain.record.ending}.")
    ours, theirs = made.record.metrics, plain.record.metrics
    return Beside(
        loss=final_loss(made) / final_loss(plain) - 1,
        likeness=structure_kept(made.picture, plain.picture),
        texture=ours["texture_error"] - theirs["texture_error"],
        structure=ours["structure_kept"] - theirs["structure_kept"],
        seconds=made.record.seconds / plain.record.seconds,
    )


def compare(models: Models, config: TransferConfig, pair: str) -> tuple[Beside, Beside]:
    """bfloat16, and float32 from the nudged content, beside float32."""
    content, style = (load_sample(part) for part in pair.split("*"))
    plain = run(models.material(replace(config, precision="float32"), content, style))
    half = run(models.material(replace(config, precision="bfloat16"), content, style))
    again = run(models.material(replace(config, precision="float32"), nudged(content), style))
    return beside(half, plain), beside(again, plain)


def row(label: str, what: str, found: Sequence[Beside]) -> str:
    """A row: medians, and in brackets the worst."""
    losses = [each.loss for each in found]
    likenesses = [each.likeness for each in found]
    return (
        f"| {label} | {what} | {statistics.median(losses):+.2%} ({max(losses, key=abs):+.2%})"
        f" | {sum(abs(loss) <= LOSS_APART for loss in losses)} of {len(found)}"
        f" | {statistics.median(likenesses):.3f} ({min(likenesses):.3f})"
        f" | {statistics.median(each.texture for each in found):+.3f}"
        f" | {statistics.median(each.structure for each in found):+.3f}"
        f" | {statistics.median(each.seconds for each in found):.2f} |"
    )


def main() -> None:
    """Paint, then print a row for each precision and network, and the pairs' own with --each."""
    draft = PRESETS["draft"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", default="vgg16,vgg19,resnet50")
    parser.add_argument("--weights", default="random", help="random ones cost what ImageNet's do")
    parser.add_argument("--pairs", default="all", help="all, or CONTENT*STYLE,…")
    parser.add_argument("--size", type=int, default=draft.size)
    parser.add_argument("--steps", type=int, default=draft.steps)
    parser.add_argument("--each", action="store_true", help="a row for each pair too")
    options = parser.parse_args()
    pairs = all_pairs() if options.pairs == "all" else tuple(options.pairs.split(","))
    print(
        "| network | beside float32 | loss (most) | within 2 % | alike (least) | texture | structure | time |"
    )
    print("| --- | --- |" + " ---: |" * 6, flush=True)
    models = Models()
    for backbone in options.backbones.split(","):
        config = TransferConfig(
            backbone=backbone, weights=options.weights, size=options.size, steps=options.steps
        )
        found: list[tuple[Beside, Beside]] = []
        label = find_backbone(backbone).label
        for pair in pairs:
            found.append(compare(models, config, pair))
            if options.each:
                print(row(label, pair, found[-1][:1]), flush=True)
        print(row(label, "bfloat16", [half for half, _ in found]))
        print(row(label, "float32, content rounded", [again for _, again in found]), flush=True)


if __name__ == "__main__":
    main()
