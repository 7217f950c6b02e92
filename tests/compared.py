"""Comparisons made up by hand: every number in them is chosen, nothing is computed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nst_core.backbones import find_backbone
from nst_core.choices import STRENGTH
from nst_core.comparison import Comparison
from nst_core.config import TransferConfig
from nst_core.images import Picture
from nst_core.judge import Verdict
from nst_core.metrics import METRICS
from nst_core.records import PictureSource, RunRecord, Step, WeightsSource
from nst_core.strength import content_weight_at
from nst_core.transfer import Run
from tests.conftest import make_picture

CONTENT = make_picture(48, 64, seed=1, name="content")
STYLE = make_picture(64, 64, seed=2, name="style")


def make_steps(totals: Sequence[float], *, change: int = 2, seconds: float = 0.5) -> tuple[Step, ...]:
    """Steps of these total losses; the picture grows from 32 to 64 pixels after `change` of them."""
    return tuple(
        Step(
            index=index,
            scale=int(index > change),
            size=(64, 48) if index > change else (32, 24),
            total=total,
            content=total / 4,
            style=total / 2,
            variation=0.0,
            layers={"block1_conv1": total / 8, "block2_conv1": total * 3 / 8},
            seconds=1 + seconds * index,
        )
        for index, total in enumerate(totals, start=1)
    )


def make_record(backbone: str = "vgg16", **changes: Any) -> RunRecord:
    """A finished run of four steps; changes are fields of the record, or else of its config."""
    names = RunRecord.__dataclass_fields__
    settings = {name: changes.pop(name) for name in list(changes) if name not in names}
    layers = find_backbone(backbone).style_layers
    weights = changes.get("weights")
    source = weights.source if weights else "random"
    record = RunRecord(
        id=f"id-{backbone}",
        config=TransferConfig.from_dict(
            {
                "backbone": backbone,
                "weights": "random",
                "size": 64,
                "steps": 4,
                "content_weight": content_weight_at(STRENGTH, backbone, source),
                "style_layers": [(name, 1 / len(layers)) for name in layers],
                "content_layers": [(find_backbone(backbone).content_layer, 1.0)],
                **settings,
            }
        ).resolved(),
        content=PictureSource(name=CONTENT.name, size=(64, 48), sha256=CONTENT.sha256),
        style=PictureSource(name=STYLE.name, size=(64, 64), sha256=STYLE.sha256),
        weights=WeightsSource(source="random", sha256=f"{backbone:0<64}", parameters=14_714_688),
        versions={"python": "3.11.7"},
        device="CPU, 2 cores",
        precision="float32",
        steps=make_steps((8.0, 4.0, 3.0, 2.0)),
        ending="finished",
        best_step=4,
        seconds=3.25,
        started="2026-01-02T03:04:05+00:00",
        peak_memory_mb=1234.5,
        metrics=dict.fromkeys(METRICS, 0.5),
    )
    return replace(record, **changes)


def make_run(record: RunRecord, *, seed: int = 3, shape: tuple[int, int] = (48, 64)) -> Run:
    """The record with a picture."""
    return Run(record=record, picture=make_picture(*shape, seed=seed).pixels)


def make_comparison(
    *records: RunRecord,
    content: Picture = CONTENT,
    style: Picture = STYLE,
    labels: tuple[str, ...] = (),
    examined: bool = True,
) -> Comparison:
    """A comparison of these records, by default of the three backbones, with verdicts made up."""
    records = records or tuple(make_record(name) for name in ("vgg16", "vgg19", "resnet50"))
    height, width, _ = content.pixels.shape
    runs = tuple(make_run(record, seed=index, shape=(height, width)) for index, record in enumerate(records))
    comparison = Comparison(content=content, style=style, runs=runs, labels=labels)
    return replace(comparison, verdicts=made_up_verdicts(comparison)) if examined else comparison


def made_up_verdicts(comparison: Comparison) -> tuple[Verdict, ...]:
    """Style error 0.10, 0.11, ... and content error 0.50, 0.51, ... in order; the diagonal is own work."""
    places = np.ndindex(len(comparison.labels), len(comparison.labels))
    return tuple(
        Verdict(
            judge=comparison.labels[judge],
            picture=comparison.labels[picture],
            style_error=0.10 + 0.01 * count,
            content_error=0.50 + 0.01 * count,
            own=judge == picture,
        )
        for count, (judge, picture) in enumerate(places)
    )
