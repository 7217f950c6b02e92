"""Several runs of one pair side by side: what differs between them, and what each makes of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from nst_core.backbones import find_backbone
from nst_core.choices import STRENGTH, weigh_alike, weigh_content
from nst_core.config import TransferConfig
from nst_core.errors import RunError
from nst_core.images import Picture
from nst_core.judge import Verdict, judge
from nst_core.memory import layers_by_backbone, run_need, together_need
from nst_core.models import Models
from nst_core.records import RunRecord
from nst_core.strength import is_of_strength, smooths_as_usual
from nst_core.wording import and_list, gigabytes, network_words

if TYPE_CHECKING:
    from nst_core.transfer import Run

# The share of the free memory that runs may be planned to fill; estimates are within about a third.
FILLED = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Finished runs of one content and one style picture, in the order to show.

    labels: one a run, each different; by default what `run_labels` gives.
    verdicts: see `judge`, over pictures of these labels; empty when nobody was asked.
    """

    content: Picture
    style: Picture
    runs: tuple[Run, ...]
    labels: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    def __post_init__(self) -> None:
        if not self.runs:
            raise RunError("There is nothing to compare; finish at least one run.")
        if not self.labels:
            object.__setattr__(self, "labels", run_labels(self.records))
        if len(self.labels) != len(self.runs) or len(set(self.labels)) < len(self.labels):
            raise RunError(
                f"Every run needs a label of its own; received {len(self.labels)} labels"
                f" ({len(set(self.labels))} different) for {len(self.runs)} runs."
            )

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """The runs' records."""
        return tuple(run.record for run in self.runs)

    @property
    def colours(self) -> tuple[str, ...]:
        """Each run's backbone colour, #RRGGBB."""
        return tuple(find_backbone(record.config.backbone).colour for record in self.records)


def differing_fields(records: Sequence[RunRecord]) -> tuple[str, ...]:
    """What is not the same in all records: fields of TransferConfig in their order, then what is no setting.

    Those are "content" and "style" (other bytes or another size), "weights source" (`auto` chose differently)
    and "steps made" (a run ended early). A fair comparison of backbones gives ("backbone",) and nothing else.
    Layers count as different only when they are not the backbone's own.
    """
    configs = [_plain(record) for record in records]
    differing = [
        field.name
        for field in fields(TransferConfig)
        if len({getattr(config, field.name) for config in configs}) > 1
    ]
    facts: dict[str, set[object]] = {
        "content": {(record.content.sha256, record.content.size) for record in records},
        "style": {(record.style.sha256, record.style.size) for record in records},
        "weights source": {record.weights.source for record in records},
        "steps made": {len(record.steps) for record in records},
    }
    if "weights" in differing:
        del facts["weights source"]
    if "steps" in differing:
        del facts["steps made"]
    return (*differing, *(name for name, found in facts.items() if len(found) > 1))


def _plain(record: RunRecord) -> TransferConfig:
    """The config with everything that is merely the default, or without effect, written alike.

    Alpha of one style strength may be another on each backbone, which is no setting of its own.
    """
    config, backbone = record.config, find_backbone(record.config.backbone)
    if smooths_as_usual(config, record.weights.source):
        config = replace(config, variation_weight=None)
    if is_of_strength(config, record.weights.source):
        config = replace(config, content_weight=None)
    else:
        config = replace(config, strength=STRENGTH)
    kinds = ("imagenet", "sketch")
    if config.style_layers in [weigh_alike(backbone.usual_style_layers(kind)) for kind in kinds]:
        config = replace(config, style_layers=None)
    if config.content_layers in [weigh_content(backbone.usual_content_layers(kind)) for kind in kinds]:
        config = replace(config, content_layers=None)
    return config.resolved()


def run_labels(records: Sequence[RunRecord]) -> tuple[str, ...]:
    """A label for each run, all different: its backbone, and where two share it what else differs."""
    differing = [name for name in differing_fields(records) if name != "backbone"]
    times = Counter(record.config.backbone for record in records)
    labels: list[str] = []
    for record in records:
        parts = [network_words(record.config)]
        if times[record.config.backbone] > 1:
            parts += [_in_a_label(record, name) for name in differing]
        label = ", ".join(filter(None, parts))
        twins = sum(other == label or other.startswith(f"{label} (") for other in labels)
        labels.append(f"{label} ({twins + 1})" if twins else label)
    return tuple(labels)


def _in_a_label(record: RunRecord, name: str) -> str:
    if name in ("weights", "weights source"):
        return record.weights.label
    if name in ("style_layers", "content_layers") or not hasattr(record.config, name):
        return ""
    return f"{name.replace('_', ' ')} {getattr(record.config.resolved(), name)}"


def cross_examine(
    comparison: Comparison, *, models: Models, judges: Sequence[TransferConfig] | None = None
) -> Comparison:
    """The same comparison with verdicts: each picture seen through each network, at the pictures' own size.

    judges: by default the networks of the runs themselves, each once.
    """
    records = comparison.records
    if judges is None:
        judges = list({record.weights.sha256: record.config for record in records}.values())
    pictures = {
        label: run.picture
        for label, run in zip(comparison.labels, comparison.runs, strict=True)
        if run.picture is not None
    }
    makers = zip(comparison.labels, records, strict=True)
    verdicts = judge(
        pictures,
        comparison.content.pixels,
        comparison.style.pixels,
        models=models,
        judges=judges,
        size=max(record.config.size for record in records),
        made_by={label: (record.config.backbone, *record.other_weights) for label, record in makers},
    )
    return replace(comparison, verdicts=verdicts)


def advance_together(configs: Sequence[TransferConfig], available: int | None) -> tuple[bool, str]:
    """Whether runs may advance in turns, all at once, and why, in one sentence.

    available: bytes, as `system.available_memory` gives them. In turns each run keeps its weights and
    pictures, and one step at a time needs its feature maps; one after another each gives back all it had.
    """
    needs = [run_need(config) for config in configs]
    needed = together_need(needs)
    labels = [
        " + ".join(find_backbone(name).label for name in layers_by_backbone(config)) for config in configs
    ]
    who = and_list(list(dict.fromkeys(labels)))
    largest = max(zip(needs, labels, strict=True), key=lambda pair: pair[0].step)
    step = gigabytes(largest[0].step)
    what = f"about {gigabytes(needed)}, of which the largest step, that of {largest[1]}, takes {step}"
    if available is None:
        return True, (
            f"{who} advance together, which needs {what}; how much memory is free is not known here, and"
            " one after another would need little less."
        )
    if needed <= FILLED * available:
        return True, f"{who} advance together: that needs {what}, and {gigabytes(available)} are free."
    return False, (
        f"{who} go one after another: together they would need {what}, which is more than"
        f" {FILLED:.0%} of the {gigabytes(available)} that are free."
    )
