"""The columns of a comparison: the backbones, and variants of them that differ in one setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.comparison import Comparison, cross_examine
from nst_core.config import TransferConfig
from nst_core.images import Picture
from nst_core.jobs import Job, Request
from nst_core.models import Models
from pages.shared.method_choice import own_layers


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name on the page, and what sets it apart from the shared settings."""

    label: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def colour(self) -> str:
        """The backbone's colour."""
        return find_backbone(self.changes["backbone"]).colour


def _columns() -> dict[str, Column]:
    columns = {row.name: Column(row.label, {"backbone": row.name}) for row in BACKBONES.values()}
    for row in BACKBONES.values():
        columns[f"{row.name}-pixel"] = Column(
            f"{row.label}, on pixels", {"backbone": row.name, "canvas": "pixel", "learning_rate": None}
        )
    for row in BACKBONES.values():
        columns[f"{row.name}-random"] = Column(
            f"{row.label}, random weights", {"backbone": row.name, "weights": "random"}
        )
    for row in BACKBONES.values():
        columns[f"{row.name}-sketch"] = Column(
            f"{row.label}, sketch weights", {"backbone": row.name, "weights": "sketch"}
        )
    return columns


COLUMNS: Mapping[str, Column] = MappingProxyType(_columns())


def examine(job: Job, models: Models) -> Comparison | None:
    """The comparison of a job's finished runs, with each picture judged by each network; for its epilogue."""
    finished = [lane for lane in job.lanes if lane.run is not None and lane.run.picture is not None]
    if not finished:
        return None
    request = finished[0].request
    comparison = Comparison(
        content=request.content,
        style=request.style,
        runs=tuple(lane.run for lane in finished if lane.run is not None),
        labels=tuple(lane.request.label for lane in finished),
    )
    return cross_examine(comparison, models=models)


def make_requests(
    names: Sequence[str], base: TransferConfig, content: Picture, style: Picture
) -> list[Request]:
    """One request a column: the shared settings but for the column's own changes."""
    # Layers belong to one backbone; each column has its own network's, or those chosen for it.
    base = replace(base, style_layers=None, content_layers=None)
    return [
        Request(
            label=COLUMNS[name].label,
            config=replace(base, **own_layers(COLUMNS[name].changes["backbone"]), **COLUMNS[name].changes),
            content=content,
            style=style,
        )
        for name in names
    ]
