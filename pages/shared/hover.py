"""The pictures at the step under the pointer, beside Plotly charts whose traces carry their run's id."""

from collections.abc import Sequence

from nst_core.backbones import find_backbone
from nst_core.lanes import Lane
from pages.shared.components import load
from pages.shared.embedding import embed

_mount = load("hover")

MOST_RUNS = 6  # whose pictures travel to the browser, about 300 kB each


def show_hovered(lanes: Sequence[Lane], labels: Sequence[str], *, key: str) -> None:
    """A strip that shows each run's picture at the step that is pointed at in any chart of the page."""
    runs = zip(lanes[:MOST_RUNS], labels, strict=False)
    _mount(key=key, data={"runs": tuple(_to_data(lane, label) for lane, label in runs)})


def _to_data(lane: Lane, label: str) -> dict[str, object]:
    pictures = [{"step": step, "url": embed(jpeg).url} for step, jpeg in lane.thumbnails]
    record_id = lane.run.record.id if lane.run else ""
    colour = find_backbone(lane.request.config.backbone).colour
    return {"id": record_id, "label": label, "colour": colour, "pictures": pictures}
