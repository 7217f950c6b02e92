"""Short runs on thin networks, for tests of the course and its parts: settings, materials, a meddler."""

import math
from dataclasses import replace
from itertools import count

import numpy as np

from nst_core.config import TransferConfig
from nst_core.material import prepare
from nst_core.records import WeightsSource
from tests import reference
from tests.conftest import make_picture

SOURCE = WeightsSource(source="random", sha256="0" * 64, parameters=1, width=1 / 16)
# The loss weights and the optimiser are given, so that no test rests on what the defaults happen to be.
SHORT = {
    "backbone": "vgg16",
    "weights": "random",
    "padding": "zero",
    "pooling": "max",
    "optimiser": "adam",
    "size": 64,
    "steps": 8,
    "content_weight": 0.05,
    "style_weight": 1.0,
    "variation_weight": 0.0,
}
CONTENT, STYLE = make_picture(48, 64, seed=1, name="content"), make_picture(70, 64, seed=2, name="style")


def make_material(engines, network, content=CONTENT, style=STYLE, **settings):
    """The material of a short run; `engines` keeps compiled objectives, as the app does."""
    config = TransferConfig(**{**SHORT, **settings})
    kinds = (
        config.style_layers,
        config.content_layers,
        config.statistic,
        config.smoothing,
        config.temperature,
        config.variation,
        config.padding,
        config.pooling,
    )
    loaded = {"vgg16": (network, SOURCE)}
    made = prepare(config, content, style, loaded=loaded, engine=engines.get(kinds))
    engines[kinds] = made.engine
    return made


def outcome_of(course):
    """(steps, outcome) of an `optimise` generator."""
    steps = []
    while True:
        try:
            steps.append(next(course))
        except StopIteration as end:
            return steps, end.value


def without_seconds(steps):
    return [replace(step, seconds=0.0) for step in steps]


def stop_after(steps):
    asked = count()
    return lambda: next(asked) >= steps


class Meddler:
    """Stands in for `evaluate`: at the calls in `broken` the losses are not numbers."""

    def __init__(self, engine, broken, value=math.nan):
        self.broken, self.value, self.calls = broken, value, 0
        self.evaluate = engine.evaluate

    def __call__(self, picture, targets, factors, shift):
        self.calls += 1
        losses, gradient = self.evaluate(picture, targets, factors, shift)
        if self.calls in self.broken:
            return replace(losses, style=self.value), gradient * math.nan
        return losses, gradient


def relative_total(network, config, picture, content, style):
    """The total loss of a picture in float64, from the formulas."""
    made, wanted, painted = (reference.feature_maps(network, one) for one in (picture, content, style))
    (name, _), *_ = config.content_layers
    nothing = reference.content_loss(np.zeros_like(wanted[name]), wanted[name])
    total = config.content_weight * reference.content_loss(made[name], wanted[name]) / nothing
    for name, weight in config.style_layers:
        nothing = reference.style_loss(np.zeros_like(made[name]), painted[name])
        total += config.style_weight * weight * reference.style_loss(made[name], painted[name]) / nothing
    return total + config.variation_weight * reference.total_variation(picture)
