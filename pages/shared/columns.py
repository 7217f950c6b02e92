"""The columns of a comparison: the backbones, and variants of them that differ in one setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from nst_core.backbones import BACKBONES, find_backbone
from nst_core.config import TransferConfig
from nst_core.images import Picture
from nst_core.jobs import Request


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


def make_requests(
    names: Sequence[str], base: TransferConfig, content: Picture, style: Picture
) -> list[Request]:
    """One request a column: the shared settings but for the column's own changes."""
    # Layers belong to one backbone; each column uses its own network's.
    base = replace(base, style_layers=None, content_layers=None)
    return [
        Request(
            label=COLUMNS[name].label,
            config=replace(base, **COLUMNS[name].changes),
            content=content,
            style=style,
        )
        for name in names
    ]
