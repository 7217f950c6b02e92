"""Numbers about a finished picture that need no trained network: the table of them, and all of them at once.

They judge every backbone alike, having no part in any. None of them says whether a picture is good.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from nst_core.images import Pixels
from nst_core.likeness import (
    edges_kept,
    grain,
    palette_distance,
    palette_match,
    shrink_longest,
    structure_kept,
)
from nst_core.texture import compare_textures, patch_distance, texture_error

__all__ = [
    "METRICS",
    "WORKING_SIZE",
    "Metric",
    "edges_kept",
    "grain",
    "measure",
    "palette_distance",
    "palette_match",
    "patch_distance",
    "structure_kept",
    "texture_error",
]

WORKING_SIZE = 512  # pixels, the longest side that `measure` works at


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What one number means.

    range: lowest and highest value possible, infinity where there is no end. unit: "" for a plain fraction.
    noise: the difference that means nothing, in the metric's own unit. The rule: the most that JPEG at
    quality 92, a shift by one pixel, or resizing 512 -> 496 -> 512 changes it on synthetic painted pictures
    of 512 x 384, and a tenth more, rounded up at the second digit. Smaller pictures are noisier.
    """

    name: str
    label: str
    better: Literal["higher", "lower"]
    range: tuple[float, float]
    unit: str = ""
    help: str
    blind_spot: str
    noise: float


_ROWS = (
    Metric(
        name="structure_kept",
        label="Structure kept",
        better="higher",
        range=(-1.0, 1.0),
        help="How alike result and content are in local light and dark (SSIM); 1 is the content itself.",
        blind_spot="Ignores colour, and counts every brush stroke as structure lost.",
        noise=0.011,
    ),
    Metric(
        name="edges_kept",
        label="Edges kept",
        better="higher",
        range=(0.0, 1.0),
        help="How far the result's edges lie where the content's do; 0 is no better than chance.",
        blind_spot="Ignores colour, and edges made stronger or weaker everywhere alike.",
        noise=0.0012,
    ),
    Metric(
        name="texture_error",
        label="Texture error",
        better="lower",
        range=(0.0, 1.0),
        help="How far the statistics of small and large forms are from the style's, over four picture sizes; "
        "1 is as far as a flat picture.",
        blind_spot="Ignores where things are, what they mean, and detail lost when shrunk to 256 pixels.",
        noise=0.0039,
    ),
    Metric(
        name="patch_distance",
        label="Patch distance",
        better="lower",
        range=(0.0, 1.0),
        help="How far the result's patches are distributed from the style's, over four picture sizes; "
        "1 is as far as a flat picture.",
        blind_spot="Ignores which forms go together, and detail lost when shrunk to 256 pixels.",
        noise=0.0022,
    ),
    Metric(
        name="palette_match",
        label="Palette match",
        better="higher",
        range=(0.0, 1.0),
        help="How alike the histograms of red, green and blue are to the style's; 1 is the same palette.",
        blind_spot="Ignores where colours are, and takes two nearly equal colours for different ones.",
        noise=0.0062,
    ),
    Metric(
        name="palette_distance",
        label="Palette distance",
        better="lower",
        range=(0.0, math.sqrt(3.0)),
        unit="of the 0..1 colour range",
        help="How far colours must move, on the whole, to have the style's mean and spread; 0 is the same.",
        blind_spot="Sees mean and spread only: two hues may pass for their mixture.",
        noise=0.0008,
    ),
    Metric(
        name="grain",
        label="Grain",
        better="lower",
        range=(0.0, math.inf),
        unit="times the grainier source",
        help="Pixel noise against the grainier of content and style; above 1 is noise that neither has.",
        blind_spot="Blur lowers it too, so far below 1 is no virtue; fine diagonal texture passes for noise.",
        noise=0.36,
    ),
)

# In the order to show them.
METRICS: Mapping[str, Metric] = MappingProxyType({row.name: row for row in _ROWS})


def measure(result: Pixels, content: Pixels, style: Pixels) -> dict[str, float]:
    """Every metric of METRICS, in its order, as finite numbers.

    Pictures are float32 [H, W, 3] in [0, 1] of any sizes; each is first shrunk to at most WORKING_SIZE on its
    longer side, so numbers of a large result describe it at that size. ImageError for anything else.
    """
    result, content, style = (shrink_longest(pixels, WORKING_SIZE) for pixels in (result, content, style))
    levels = compare_textures(result, style)
    return {
        "structure_kept": structure_kept(result, content),
        "edges_kept": edges_kept(result, content),
        "texture_error": float(np.mean([level.gram_error for level in levels])),
        "patch_distance": float(np.mean([level.patch_error for level in levels])),
        "palette_match": palette_match(result, style),
        "palette_distance": palette_distance(result, style),
        "grain": grain(result, content, style),
    }
