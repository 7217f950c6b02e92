"""What each technique buys, one changed at a time: python -m tests.bench.techniques --backbones vgg19.

Every setting paints the same sample pairs at the same size with the same number of steps; the numbers are
those of nst_core.metrics, in which no network has a part. With --equal the content weight of each setting is
searched on each pair so that it keeps as much of the content's structure as the first one. `nearer` counts
the pairs whose texture is nearer to the style's than the first setting's by more than the metric's noise,
`farther` those where it is farther.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assets.sketch.matching import Measurement, search, survey
from nst_core.backbones import COLOURS, find_backbone, without_deepest
from nst_core.choices import STRENGTH, weigh_alike, weigh_content
from nst_core.config import TransferConfig
from nst_core.images import encode_png
from nst_core.metrics import METRICS
from nst_core.models import Models
from nst_core.presets import PRESETS
from nst_core.samples import SAMPLES, load_sample
from nst_core.strength import content_weight_at
from nst_core.transfer import run

MEASURED = ("structure_kept", "edges_kept", "texture_error", "patch_distance")
SHOWN = ("texture_error", "patch_distance", "structure_kept", "edges_kept", "palette_distance", "grain")
# Each content and each style once.
FEW = (
    "skyline*swirling-night",
    "portrait*screaming-sky",
    "canyon*mandala",
    "cartoon*honeycomb",
    "skyline*trippy",
)


SMOOTHINGS = (3.0, 6.0, 10.0, 20.0, 40.0)  # temperatures beside the paper's, which is 1


def fewer_layers(backbone: str) -> dict[str, Any]:
    """The usual sketch style layers but for those of the deepest stage."""
    return {
        "style_layers": weigh_alike(without_deepest(find_backbone(backbone).usual_style_layers("sketch")))
    }


def more_layers(backbone: str) -> dict[str, Any]:
    """The usual sketch style layers and one of the next stage, where a sketch leaves the last stages out."""
    row = find_backbone(backbone)
    usual = row.usual_style_layers("sketch")
    stages = {name.split("_")[0] for name in usual}
    deeper = [name for name in row.style_layers if name.split("_")[0] not in stages]
    return {"style_layers": weigh_alike((*usual, deeper[0]))} if deeper else {}


def content_of(other: str) -> dict[str, Any]:
    """Content seen through another backbone."""
    layers = find_backbone(other).usual_content_layers("sketch")
    return {"content_layers": weigh_content(tuple(f"{other}:{name}" for name in layers))}


def style_of(backbone: str, other: str) -> dict[str, Any]:
    """The style seen through two backbones at once."""
    own, lent = (find_backbone(name).usual_style_layers("sketch") for name in (backbone, other))
    keys = (*own, *(f"{other}:{name}" for name in lent if name != COLOURS))
    return {"style_layers": weigh_alike(keys)}


def settings(backbone: str) -> Mapping[str, Mapping[str, Any]]:
    """Name -> what it changes, the plain one first."""
    other = "vgg19" if backbone == "resnet50" else "resnet50"
    label = find_backbone(other).label
    return MappingProxyType(
        {
            "the default: L-BFGS on frequencies": {},
            "Adam on frequencies": {"optimiser": "adam"},
            "Adam on pixels": {"optimiser": "adam", "canvas": "pixel"},
            "L-BFGS on pixels": {"canvas": "pixel"},
            "the last size on pixels": {"finish": "lbfgs"},
            "one size only": {"ladder": False},
            "means and deviations": {"statistic": "moments"},
            "Gaussian Wasserstein": {"statistic": "wasserstein"},
            "smoothed activations": {"smoothing": "softmax"},
            **{
                f"smoothed activations, temperature {each:g}": {"smoothing": "softmax", "temperature": each}
                for each in SMOOTHINGS
            },
            "without the deepest layers": fewer_layers(backbone),
            **({"a stage deeper": deeper} if (deeper := more_layers(backbone)) else {}),
            f"content by {label}": content_of(other),
            f"style also by {label}": style_of(backbone, other),
            "no total variation": {"variation_weight": 0.0},
            "absolute variation": {"variation": "absolute"},
            "variation to the power": {"variation": "power"},
            "black borders": {"padding": "zero"},
            "pooling by the maximum": {"pooling": "max"},
            "strokes 0.6 times as large": {"style_scale": 0.6},
            "strokes 1.6 times as large": {"style_scale": 1.6},
            "Adam, jitter of 8 pixels": {"optimiser": "adam", "jitter": 8},
            "Adam, running average 0.9": {"optimiser": "adam", "averaging": 0.9},
        }
    )


@dataclass(frozen=True, slots=True)
class Result:
    """One setting on one pair."""

    backbone: str
    setting: str
    pair: str
    seconds: float
    metrics: Mapping[str, float]


def paint(
    models: Models, backbone: str, name: str, pair: str, *, options: argparse.Namespace, alpha: float | None
) -> Result:
    """One run, its picture kept where the options say; alpha: None is the strength's."""
    content, style = (load_sample(part) for part in pair.split("*"))
    config = TransferConfig(
        backbone=backbone,
        weights=options.weights,
        size=options.size,
        steps=options.steps,
        content_weight=alpha,
        **settings(backbone)[name],
    )
    finished = run(models.material(config, content, style))
    if options.pictures is not None and finished.picture is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
        file = f"{backbone} {pair.replace('*', ' x ')} {name}.png"
        (options.pictures / file).write_bytes(encode_png(finished.picture))
    record = finished.record
    return Result(backbone, name, pair, record.seconds, record.metrics)


def paint_equal(found: Callable[[float], Result], wanted: float, start: float) -> Result:
    """The result at the content weight that keeps as much structure as wanted, or the nearest found."""
    results: dict[float, Result] = {}

    def measured(weight: float) -> Measurement:
        results[weight] = found(weight)
        kept = {name: results[weight].metrics[name] for name in MEASURED}
        return Measurement(content_weight=weight, **kept)

    return results[search(measured, survey(measured, start=start), wanted).content_weight]


def paint_all(
    models: Models,
    backbone: str,
    name: str,
    pairs: Sequence[str],
    plain: Sequence[Result],
    options: argparse.Namespace,
) -> Iterator[Result]:
    """One setting on all pairs; plain: the first setting's results, none of them when this is the first."""
    kept = {result.pair: result.metrics["structure_kept"] for result in plain}
    for pair in pairs:
        painted = partial(paint, models, backbone, name, pair, options=options)
        if options.equal and plain:
            yield paint_equal(
                lambda alpha, painted=painted: painted(alpha=alpha),
                kept[pair],
                content_weight_at(STRENGTH, backbone, options.weights),
            )
        else:
            yield painted(alpha=None)


def heading() -> str:
    """The table's first two lines."""
    labels = " | ".join(METRICS[name].label.lower() for name in SHOWN)
    return (
        f"| network | setting | pairs | {labels} | nearer | farther | seconds |\n"
        "| --- | --- | --- |" + " ---: |" * (len(SHOWN) + 3)
    )


def row(results: Sequence[Result], plain: Sequence[Result], pairs: str) -> str:
    """A row of one setting's results beside the first setting's."""
    errors = {result.pair: result.metrics["texture_error"] for result in plain}
    means = [statistics.fmean(result.metrics[metric] for result in results) for metric in SHOWN]
    gains = [errors[result.pair] - result.metrics["texture_error"] for result in results]
    noise = METRICS["texture_error"].noise
    nearer, farther = sum(gain > noise for gain in gains), sum(gain < -noise for gain in gains)
    seconds = statistics.fmean(result.seconds for result in results)
    numbers = " | ".join(f"{mean:.3f}" for mean in means)
    label = find_backbone(results[0].backbone).label
    return f"| {label} | {results[0].setting} | {pairs} | {numbers} | {nearer} | {farther} | {seconds:.1f} |"


def all_pairs() -> tuple[str, ...]:
    """Every content sample with every style sample."""
    contents, styles = (
        [sample.name for sample in SAMPLES.values() if sample.kind == kind] for kind in ("content", "style")
    )
    return tuple(f"{content}*{style}" for content in contents for style in styles)


def main() -> None:
    """Paint, then print the table."""
    draft = PRESETS["draft"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", default="vgg19", help="names, separated by commas")
    parser.add_argument("--weights", default="sketch")
    parser.add_argument("--pairs", default="few", help="few, all, or CONTENT*STYLE,…")
    parser.add_argument("--settings", default="", help="parts of the settings' names, separated by commas")
    parser.add_argument("--size", type=int, default=draft.size)
    parser.add_argument("--steps", type=int, default=draft.steps)
    parser.add_argument("--equal", action="store_true", help="at equal structure kept")
    parser.add_argument("--each", action="store_true", help="a row for each pair, not their mean")
    parser.add_argument("--pictures", type=Path, help="a folder for the pictures")
    options = parser.parse_args()
    known = {"few": FEW, "all": all_pairs()}
    pairs = known.get(options.pairs) or tuple(options.pairs.split(","))
    wanted = [part for part in options.settings.split(",") if part]
    print(heading(), flush=True)
    models = Models()
    for backbone in options.backbones.split(","):
        first, *others = settings(backbone)
        plain: list[Result] = []
        for name in (first, *(name for name in others if not wanted or any(part in name for part in wanted))):
            results = list(paint_all(models, backbone, name, pairs, plain, options))
            plain = plain or results
            for group in [[result] for result in results] if options.each else [results]:
                what = group[0].pair.replace("*", " × ") if options.each else str(len(group))
                print(row(group, plain, what), flush=True)


if __name__ == "__main__":
    main()
