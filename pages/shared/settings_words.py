"""The names of choices, and words for numbers, as the settings show them."""

from collections.abc import Mapping
from types import MappingProxyType

from nst_core.backbones import BACKBONES
from nst_core.config import TransferConfig
from pages.shared.method_choice import OWN

CANVAS_WORDS: Mapping[str, str] = MappingProxyType(
    {"fourier": "Frequencies (smooth)", "pixel": "Pixels (sharp)"}
)
BALANCE_WORDS: Mapping[str, str] = MappingProxyType({"relative": "Relative", "paper": "As in the paper"})
START_WORDS: Mapping[str, str] = MappingProxyType(
    {"content": "The content", "noise": "Noise", "style": "The style"}
)
PADDING_WORDS: Mapping[str, str] = MappingProxyType(
    {"zero": "Black (as trained)", "reflect": "Mirror image", "replicate": "Border repeated"}
)
POOLING_WORDS: Mapping[str, str] = MappingProxyType(
    {"average": "Average (less grain)", "max": "Maximum (as trained)"}
)
WEIGHTS_WORDS: Mapping[str, str] = MappingProxyType(
    {"auto": "Automatic", "imagenet": "ImageNet", "sketch": "Sketch", "random": "Random"}
)
OPTIMISER_WORDS: Mapping[str, str] = MappingProxyType(
    {"lbfgs": "L-BFGS (fewer steps)", "adam": "Adam (bears noise)"}
)
STATISTIC_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "gram": "Gram matrix (as in the paper)",
        "moments": "Mean and deviation (loose)",
        "wasserstein": "Whole distribution (slow)",
    }
)
SMOOTHING_WORDS: Mapping[str, str] = MappingProxyType({"none": "No", "softmax": "Softmax (for ResNet50)"})
VARIATION_WORDS: Mapping[str, str] = MappingProxyType(
    {"squared": "Even", "absolute": "Grain first, edges stay", "power": "Edges first"}
)
PRECISION_WORDS: Mapping[str, str] = MappingProxyType(
    {"auto": "Automatic", "float32": "Full (float32)", "bfloat16": "Half (bfloat16)"}
)
AVERAGING_WORDS: Mapping[float, str] = MappingProxyType(
    {0.0: "Off", 0.9: "Over about 10 steps", 0.95: "Over about 20 steps", 0.98: "Over about 50 steps"}
)
SEEN_BY_WORDS: Mapping[str, str] = MappingProxyType(
    {OWN: "This network", **{row.name: row.label for row in BACKBONES.values()}}
)
SYMBOLS: Mapping[str, str] = MappingProxyType(
    {"content_weight": "alpha", "style_weight": "beta", "variation_weight": "gamma"}
)
STROKES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)

# Upper end of each part of the scale, and what it is called.
_STRENGTHS = ((9, "faithful"), (37, "gentle"), (62, "balanced"), (90, "bold"), (100, "wild"))


def strength_words(strength: float) -> str:
    """The number with what it stands for: 0 faithful, 100 wild."""
    return f"{strength:g} · {next(word for end, word in _STRENGTHS if strength <= end)}"


def stroke_words(scale: float) -> str:
    """A style scale as the size of its strokes beside the style picture's own."""
    if scale == 1:
        return "as in the style"
    return f"{scale:g} × as large"


def change_words(field: str, config: TransferConfig) -> str:
    """A field that is not as the preset has it, in a few words; empty for those that are always told."""
    match field:
        case "optimiser":
            return "L-BFGS" if config.optimiser == "lbfgs" else "Adam"
        case "finish":
            return "finished on pixels" if config.finish == "lbfgs" else "not finished on pixels"
        case "canvas":
            return "on pixels" if config.canvas == "pixel" else "on frequencies"
        case "balance":
            return "the paper's loss scale" if config.balance == "paper" else "relative losses"
        case "ladder":
            return "small to large" if config.ladder else "one size"
        case "init":
            return f"from {START_WORDS[config.init].lower()}"
        case "statistic":
            return _first(STATISTIC_WORDS[config.statistic])
        case "smoothing":
            return "activations smoothed" if config.smoothing == "softmax" else "activations not smoothed"
        case "temperature" | "jitter" | "seed" | "precision":
            return f"{field} {getattr(config, field)}"
        case "content_weight" | "style_weight" | "variation_weight":
            return f"{SYMBOLS[field]} {getattr(config, field) or 0.0:.3g}"
        case "variation":
            return f"smoothing: {VARIATION_WORDS[config.variation].lower()}"
        case "learning_rate":
            return f"rate {config.learning_rate:g}"
        case "style_scale":
            return f"strokes {stroke_words(config.style_scale)}"
        case "averaging":
            return f"average {AVERAGING_WORDS.get(config.averaging, f'{config.averaging:g}').lower()}"
        case "padding":
            return f"border: {_first(PADDING_WORDS[config.padding]).removeprefix('border ')}"
        case "pooling":
            return f"pooling: {_first(POOLING_WORDS[config.pooling])}"
    return ""


def _first(words: str) -> str:
    """What a menu says, without what it says of that in brackets."""
    return words.partition(" (")[0].lower()
