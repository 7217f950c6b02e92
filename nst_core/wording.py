"""Numbers and settings in words, the same wherever they are shown."""

from __future__ import annotations

import math
from collections.abc import Collection

from nst_core.config import TransferConfig

NOTHING = "–"

CANVAS_WORDS = {"fourier": "Fourier", "pixel": "pixels"}
BALANCE_WORDS = {"relative": "relative losses", "paper": "as in the paper"}


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


def and_list(words: Collection[str]) -> str:
    """a; a and b; a, b and c."""
    *first, last = words or ("",)
    return f"{', '.join(first)} and {last}" if first else last


def settings_in_words(config: TransferConfig, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """(what, value) of every setting but the layers, in the order to show, less the fields in `without`."""
    config = config.resolved()
    words = {
        "backbone": ("Backbone", config.backbone),
        "weights": ("Weights", config.weights),
        "size": ("Size", f"{config.size} px, longest side"),
        "ladder": ("Sizes", "small to large" if config.ladder else "one"),
        "steps": ("Steps", f"{config.steps:,}"),
        "seed": ("Seed", str(config.seed)),
        "init": ("Starts from", config.init),
        "canvas": ("Canvas", CANVAS_WORDS[config.canvas]),
        "balance": ("Balance", BALANCE_WORDS[config.balance]),
        "content_weight": ("Content weight", f"{config.content_weight:g}"),
        "style_weight": ("Style weight", f"{config.style_weight:g}"),
        "variation_weight": ("Smoothing weight", f"{config.variation_weight or 0.0:g}"),
        "learning_rate": ("Learning rate", f"{config.learning_rate:g}"),
        "padding": ("Padding", config.padding),
        "pooling": ("Pooling", config.pooling),
        "optimiser": ("Optimiser", config.optimiser.capitalize()),
    }
    return [pair for name, pair in words.items() if name not in without]
