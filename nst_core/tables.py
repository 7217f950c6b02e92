"""Records as files for other programs: steps as CSV, whole records as JSON."""

import csv
import io
import math
from collections.abc import Sequence

from nst_core.records import RunRecord, Step

# What spreadsheets take for the beginning of a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

RUN_COLUMNS = ("run", "content", "style", "backbone", "weights")
STEP_COLUMNS = (
    "step", "scale", "width", "height", "seconds",
    "total_loss", "content_loss", "style_loss", "variation_loss",
)  # fmt: skip


def steps_csv(records: Sequence[RunRecord]) -> str:
    """One line a step of every run, under a heading, as RFC 4180 has it; losses unweighted but for the total.

    Each style layer that any run has is a column of its own (w_l * E_l), empty for runs without it; so is a
    loss that is not finite. Text that a spreadsheet would calculate gets an apostrophe in front.
    """
    layers = list(
        dict.fromkeys(layer for record in records for step in record.steps for layer in step.layers)
    )
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*RUN_COLUMNS, *STEP_COLUMNS, *(inert(f"style_{layer}") for layer in layers)])
    for record in records:
        run = [
            record.id,
            record.content.name,
            record.style.name,
            record.config.backbone,
            record.weights.source,
        ]
        for step in record.steps:
            writer.writerow([*map(inert, run), *_numbers(step, layers)])
    return buffer.getvalue()


def _numbers(step: Step, layers: Sequence[str]) -> list[int | float | str]:
    losses = (step.total, step.content, step.style, step.variation)
    styles = (step.layers.get(layer, math.nan) for layer in layers)
    finite = [value if math.isfinite(value) else "" for value in (step.seconds, *losses, *styles)]
    return [step.index, step.scale, *step.size, *finite]


def inert(text: str) -> str:
    """The text, kept from being a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def records_json(records: Sequence[RunRecord]) -> str:
    """A JSON array of whole records, one a line; each line alone is what `RunRecord.from_json` reads."""
    lines = ",\n".join(record.to_json() for record in records)
    return f"[\n{lines}\n]\n" if lines else "[]\n"
