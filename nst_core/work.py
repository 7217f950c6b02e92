"""Counted work of a run's steps, from its settings alone."""

from __future__ import annotations

from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.estimate import gigaflops, product_gigaflops
from nst_core.memory import keys_by_backbone, styles_of, weights_of
from nst_core.weights import expected_width


def step_gigaflops(config: TransferConfig, size: tuple[int, int], *, width: float | None = None) -> float:
    """10^9 operations of one step on a picture of (width, height), layers of other backbones included.

    Convolutions, and the products of the style layers' maps. width: the width multiplier of the run's own
    network, where it is known; else what the weights say.
    """
    total = 0.0
    for name, keys in keys_by_backbone(config).items():
        backbone = find_backbone(name)
        known = width if name == config.backbone else None
        multiplier = expected_width(backbone, weights_of(config, name)) if known is None else known
        architecture = backbone.architecture(multiplier).folded()
        total += gigaflops(architecture, tuple(keys.values()), size)
        if config.statistic != "moments":
            styles = tuple(keys[key] for key in styles_of(config) if key in keys)
            total += product_gigaflops(architecture, styles, size)
    return total
