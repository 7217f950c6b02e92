"""Which sizes a run goes through, and how many steps each gets."""

import math

from nst_core.backbones import find_backbone
from nst_core.choices import LARGEST_SIZE, Canvas, Optimiser
from nst_core.config import TransferConfig
from nst_core.errors import ImageError
from nst_core.images import Picture, fit_within

LADDER_BOTTOM = 128  # pixels: below it the content layer has too few positions to hold the content's forms

Plan = tuple[tuple[tuple[int, int], int], ...]  # ((width, height), steps) for each rung


def make_plan(config: TransferConfig, content: Picture, style: Picture) -> Plan:
    """For each rung of the ladder the picture's (width, height) and its steps."""
    sizes = usable_sizes(config, content, style)
    shares = ladder_steps(config.steps, len(sizes))
    return tuple((fit(content, size), steps) for size, steps in zip(sizes, shares, strict=True))


def ladder_sizes(config: TransferConfig) -> tuple[int, ...]:
    """Longest sides, small to large: doublings from at least `LADDER_BOTTOM` pixels up to `config.size`."""
    sizes = [config.size]
    while config.ladder and sizes[0] >= 2 * LADDER_BOTTOM:
        sizes.insert(0, math.ceil(sizes[0] / 2))
    return tuple(sizes)


def ladder_steps(steps: int, rungs: int) -> tuple[int, ...]:
    """How many of the steps each rung gets: equal shares, the remainder to the last rungs.

    Equal shares spend most of the seconds at the last size and make most of the large moves where they are
    cheap. With fewer steps than rungs the smallest rungs get none.
    """
    share, rest = divmod(steps, rungs)
    return tuple(share + (index >= rungs - rest) for index in range(rungs))


def rung_method(config: TransferConfig, *, last: bool) -> tuple[Canvas, Optimiser]:
    """What is optimised at a rung and how; the last one may be finished on pixels with L-BFGS."""
    if last and config.finish == "lbfgs":
        return "pixel", "lbfgs"
    return config.canvas, config.optimiser


def usable_sizes(config: TransferConfig, content: Picture, style: Picture) -> tuple[int, ...]:
    """The ladder's rungs at which both pictures' short sides still fill the network's deepest layer."""
    backbone = find_backbone(config.backbone)
    usable = tuple(
        size
        for size in ladder_sizes(config)
        if all(min(fit(picture, size)) >= backbone.smallest_side for picture in (content, style))
    )
    if not usable:
        narrow = min((content, style), key=lambda picture: min(picture.size) / max(picture.size))
        needed = math.ceil(backbone.smallest_side * max(narrow.size) / min(narrow.size))
        remedy = f"choose a size of at least {needed}, or crop it" if needed <= LARGEST_SIZE else "crop it"
        raise ImageError(
            f"{narrow.name} is too narrow: at {config.size} pixels its short side has"
            f" {min(fit(narrow, config.size))} and {backbone.label} needs {backbone.smallest_side}; {remedy}."
        )
    return usable


def fit(picture: Picture, longest_side: int) -> tuple[int, int]:
    """(width, height) of the picture with this longest side, enlarged where it is smaller."""
    return fit_within(*picture.size, longest_side)
