"""The columns of a comparison: the backbones, variants of them that differ in one setting, and mixes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from nst_core.backbones import BACKBONES, COLOURS, RESNET50, VGG19, Backbone, without_deepest
from nst_core.choices import LayerWeights, weigh_alike, weigh_content
from nst_core.comparison import Comparison, cross_examine
from nst_core.config import TransferConfig
from nst_core.images import Picture
from nst_core.jobs import Job
from nst_core.lanes import Request
from nst_core.models import Models
from nst_core.weights import expected_source
from pages.shared.method_choice import layer_settings, of_network


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name on the page, and what sets it apart from the shared settings.

    backbone    whose colour it has, and whose style it takes
    changes     fields of TransferConfig beside the backbone and the layers
    on_sketch   the same, on sketch weights only
    without     so many of the deepest stages of style layers are left out
    also_style  another backbone whose style layers weigh as much as the column's own
    content_by  another backbone whose content layers are used
    """

    label: str
    backbone: Backbone
    changes: Mapping[str, Any] = field(default_factory=dict)
    on_sketch: Mapping[str, Any] = field(default_factory=dict)
    without: int = 0
    also_style: Backbone | None = None
    content_by: Backbone | None = None

    @property
    def colour(self) -> str:
        """The backbone's colour."""
        return self.backbone.colour

    def settings(self, weights: str) -> dict[str, Any]:
        """The fields of TransferConfig that this column sets, where the shared weights are these."""
        weights = str(self.changes.get("weights", weights))
        settings = {"backbone": self.backbone.name, **layer_settings(self.backbone.name), **self.changes}
        if expected_source(self.backbone, weights) == "sketch":
            settings |= self.on_sketch
        if self.without or self.also_style:
            settings["style_layers"] = self._style_layers(weights)
        if self.content_by:
            usual = weigh_content(
                self.content_by.usual_content_layers(expected_source(self.content_by, weights))
            )
            settings["content_layers"] = of_network(self.content_by.name, usual)
        return settings

    def _style_layers(self, weights: str) -> LayerWeights:
        usual = self.backbone.usual_style_layers(expected_source(self.backbone, weights))
        own = weigh_alike(without_deepest(usual, self.without) if self.without else usual)
        if self.also_style is None:
            return own
        other = self.also_style.usual_style_layers(expected_source(self.also_style, weights))
        # Colours are the same to every network.
        lent = weigh_alike(tuple(name for name in other if name != COLOURS))
        shares = (*own, *of_network(self.also_style.name, lent))
        return tuple((name, weight / 2) for name, weight in shares)


def _variants() -> dict[str, Column]:
    columns = {}
    for name, words, changes in (
        ("finish", "finished on pixels", {"finish": "lbfgs"}),
        ("adam", "with Adam", {"optimiser": "adam"}),
        ("pixel", "on pixels", {"canvas": "pixel", "learning_rate": None}),
        ("sketch", "sketch weights", {"weights": "sketch"}),
        ("random", "random weights", {"weights": "random"}),
    ):
        for row in BACKBONES.values():
            columns[f"{row.name}-{name}"] = Column(
                label=f"{row.label}, {words}", backbone=row, changes=changes
            )
    return columns


# In the order in which they are offered: networks, remedies for ResNet50, mixes, then one setting changed.
COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        **{row.name: Column(label=row.label, backbone=row) for row in BACKBONES.values()},
        # The paper's temperature is 1. The sketches' activations are made to be 1 on average, and at that
        # temperature their pictures stay at the contents; at 3 and 6 still nearly so, at 20 no longer.
        "resnet50-smoothed": Column(
            label="ResNet50, smoothed",
            backbone=RESNET50,
            changes={"smoothing": "softmax"},
            on_sketch={"temperature": 20.0},
        ),
        "resnet50-without1": Column(
            label="ResNet50, without its deepest stage", backbone=RESNET50, without=1
        ),
        "resnet50-without2": Column(
            label="ResNet50, without its two deepest stages", backbone=RESNET50, without=2
        ),
        "vgg19-content-resnet50": Column(
            label="Style VGG19, content ResNet50", backbone=VGG19, content_by=RESNET50
        ),
        "resnet50-content-vgg19": Column(
            label="Style ResNet50, content VGG19", backbone=RESNET50, content_by=VGG19
        ),
        "vgg19-and-resnet50": Column(
            label="Style VGG19 and ResNet50, content VGG19", backbone=VGG19, also_style=RESNET50
        ),
        **_variants(),
    }
)


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
            config=replace(base, **COLUMNS[name].settings(base.weights)),
            content=content,
            style=style,
        )
        for name in names
    ]
