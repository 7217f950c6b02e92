"""Numbers and settings in words, the same wherever they are shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from nst_core.backbones import find_backbone, split_layer
from nst_core.config import TransferConfig

NOTHING = "–"

CANVAS_WORDS = {"fourier": "Fourier", "pixel": "pixels"}
BALANCE_WORDS = {"relative": "relative losses", "paper": "as in the paper"}
OPTIMISER_WORDS = {"adam": "Adam", "lbfgs": "L-BFGS"}
FINISH_WORDS = {"none": "as the other sizes", "lbfgs": "pixels with L-BFGS"}
STATISTIC_WORDS = {
    "gram": "Gram matrices",
    "moments": "means and deviations",
    "wasserstein": "Gaussians, Wasserstein",
}


def three_digits(value: float | None) -> str:
    """A number with three significant digits; thousands are grouped, what is not finite is a dash."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 0.0001:
        return f"{value:.2e}"
    return f"{value:#.3g}".rstrip(".")


def large_number(value: float | None) -> str:
    """A count, from a million (M) or a billion (G) with three significant digits."""
    if value is None or not math.isfinite(value):
        return NOTHING
    for size, unit in ((1e9, "G"), (1e6, "M")):
        if abs(value) >= size:
            return f"{three_digits(value / size)} {unit}"
    return f"{value:,.0f}"


def gigabytes(amount: float) -> str:
    """Bytes as GB (10^9 bytes) with one decimal, or MB below one."""
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{amount / 1e6:.0f} MB"


def network_words(config: TransferConfig) -> str:
    """The backbone's label, and which other networks lend it layers for what: VGG19, content ResNet50."""
    label = find_backbone(config.backbone).label
    parts = []
    for kind, layers in (("style", config.style_layers), ("content", config.content_layers)):
        owners = dict.fromkeys(split_layer(key, config.backbone)[0] for key, _ in layers or ())
        if set(owners) - {config.backbone}:
            parts.append(f"{kind} {and_list([find_backbone(owner).label for owner in owners])}")
    return ", ".join([label, *parts])


def and_list(words: Collection[str]) -> str:
    """a; a and b; a, b and c."""
    *first, last = words or ("",)
    return f"{', '.join(first)} and {last}" if first else last


def settings_in_words(config: TransferConfig, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """(what, value) of every setting but the layers, in the order to show, less the fields in `without`."""
    config = config.resolved()
    words = {**_what_words(config), **_how_words(config)}
    return [pair for name, pair in words.items() if name not in without]


def shared_in_words(
    configs: Sequence[TransferConfig], *, without: Collection[str] = ()
) -> list[tuple[str, str]]:
    """What `settings_in_words` says of all configs alike.

    A default that each network has for itself, as alpha at one strength, is in none of them the others'.
    """
    first, *others = (settings_in_words(config, without=without) for config in configs)
    return [pair for pair in first if all(pair in words for words in others)]


def _what_words(config: TransferConfig) -> dict[str, tuple[str, str]]:
    """What is compared, and what counts how much."""
    # Only a run that knows its weights has an alpha of its own; until then it is the strength's.
    alpha, gamma = config.content_weight, config.variation_weight
    return {
        "backbone": ("Backbone", config.backbone),
        "weights": ("Weights", config.weights),
        "size": ("Size", f"{config.size} px, longest side"),
        "steps": ("Steps", f"{config.steps:,}"),
        "seed": ("Seed", str(config.seed)),
        "strength": ("Style strength", f"{config.strength:g}"),
        "balance": ("Balance", BALANCE_WORDS[config.balance]),
        "content_weight": ("Content weight", "by strength" if alpha is None else f"{alpha:g}"),
        "style_weight": ("Style weight", f"{config.style_weight:g}"),
        "variation_weight": ("Smoothing weight", "by content weight" if gamma is None else f"{gamma:.3g}"),
        "variation": ("Smoothing by", f"{config.variation} differences"),
        "statistic": ("Style statistic", STATISTIC_WORDS[config.statistic]),
        "smoothing": ("Activations", "as they are" if config.smoothing == "none" else config.smoothing),
        "temperature": ("Temperature", f"{config.temperature:g}"),
        "style_scale": ("Style picture's scale", f"{config.style_scale:g}"),
    }


def _how_words(config: TransferConfig) -> dict[str, tuple[str, str]]:
    """How the picture is made."""
    return {
        "ladder": ("Sizes", "small to large" if config.ladder else "one"),
        "init": ("Starts from", config.init),
        "canvas": ("Canvas", CANVAS_WORDS[config.canvas]),
        "optimiser": ("Optimiser", OPTIMISER_WORDS[config.optimiser]),
        "learning_rate": (
            "Learning rate",
            # Sizes that are too large for L-BFGS' memory, and what goes on after a recovery, are Adam's.
            f"{config.learning_rate:g}" + (", for Adam" if config.optimiser == "lbfgs" else ""),
        ),
        "finish": ("Last size", FINISH_WORDS[config.finish]),
        "jitter": ("Jitter", f"{config.jitter} px"),
        "averaging": ("Averaging", f"{config.averaging:g}"),
        "padding": ("Padding", config.padding),
        "pooling": ("Pooling", config.pooling),
        "precision": ("Precision", config.precision),
    }
