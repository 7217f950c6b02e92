"""How the style strength moves pictures, and the knots behind it: python -m tests.bench.strength --fit.

Without --fit the sample pairs are painted at five strengths, and the table says what each keeps of the
content and how near it comes to the style. With it they are painted at a row of content weights, and the
knots for nst_core/strength.py are printed, at which the mean of structure and edges kept falls in equal steps
between ENDS.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.models import Models
from nst_core.presets import PRESETS
from nst_core.samples import load_sample
from nst_core.strength import KNOTS
from nst_core.transfer import run

PAIRS = ("skyline*swirling-night", "portrait*screaming-sky", "canyon*mandala", "cartoon*honeycomb")
LIGHTEST, HEAVIEST = -2.5, 1.5  # log10 of the content weights
# What strengths 0 and 100 keep. Where less is kept the sketches come no nearer to the style and only lose the
# content, ResNet50's sooner than the VGGs'; where more is, the style is hardly more than colour.
ENDS = {"vgg16": (0.71, 0.43), "vgg19": (0.71, 0.43), "resnet50": (0.76, 0.48)}
SHOWN = ("structure_kept", "edges_kept", "texture_error", "patch_distance", "grain")

Means = Mapping[str, float]


def means(models: Models, pairs: Sequence[str], **changes: Any) -> Means:
    """Metrics over the pairs, averaged."""
    found = []
    for pair in pairs:
        content, style = (load_sample(part) for part in pair.split("*"))
        found.append(run(models.material(TransferConfig(**changes), content, style)).record.metrics)
    return {name: statistics.fmean(metrics[name] for metrics in found) for name in SHOWN}


def knots(
    ends: tuple[float, float], weights: Sequence[float], measured: Sequence[Means]
) -> tuple[float, ...]:
    """log10 of the content weight at each of KNOTS, from measurements at rising log10 `weights`.

    ends: what is kept at the first knot and at the last.
    """
    kept = [(row["structure_kept"] + row["edges_kept"]) / 2 for row in measured]
    rising = np.maximum.accumulate(kept) + 1e-9 * np.arange(len(kept))
    wanted = np.interp(KNOTS, (KNOTS[0], KNOTS[-1]), ends)
    return tuple(round(float(knot), 2) for knot in np.interp(wanted, rising, weights))


def row(backbone: str, name: str, measured: Means) -> str:
    """A Markdown row."""
    numbers = " | ".join(f"{measured[metric]:.3f}" for metric in SHOWN)
    return f"| {find_backbone(backbone).label} | {name} | {numbers} |"


def table(models: Models, backbone: str, options: argparse.Namespace) -> Iterator[str]:
    """Rows of one backbone, as they are measured."""
    shared = {
        "backbone": backbone,
        "weights": options.weights,
        **PRESETS["draft"].settings(),
        "size": options.size,
        "steps": options.steps,
        "variation_weight": options.gamma,
    }
    if not options.fit:
        for strength in KNOTS:
            yield row(backbone, f"{strength:g}", means(models, options.pairs, **shared, strength=strength))
        return
    weights = np.arange(LIGHTEST, HEAVIEST + 0.01, 0.5)
    measured = []
    for weight in weights:
        measured.append(means(models, options.pairs, **shared, content_weight=float(10**weight)))
        yield row(backbone, f"alpha = {10**weight:.3g}", measured[-1])
    yield f'("{backbone}", "{options.weights}"): {knots(ENDS[backbone], list(weights), measured)},'


def main() -> None:
    """Print the table."""
    draft = PRESETS["draft"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", default="vgg16,vgg19,resnet50", help="names, separated by commas")
    parser.add_argument("--weights", default="sketch")
    parser.add_argument("--pairs", type=lambda text: tuple(text.split(",")), default=PAIRS)
    parser.add_argument("--size", type=int, default=draft.size)
    parser.add_argument("--steps", type=int, default=draft.steps)
    parser.add_argument("--gamma", type=float, help="one at all strengths, instead of one that follows alpha")
    parser.add_argument("--fit", action="store_true", help="find the knots")
    options = parser.parse_args()
    print("| network | strength | structure kept | edges kept | texture error | patch distance | grain |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    models = Models()
    for backbone in options.backbones.split(","):
        for line in table(models, backbone, options):
            print(line, flush=True)


if __name__ == "__main__":
    main()
