"""How much memory a run will take, and how much there is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nst_core.architectures import INPUT, Architecture, output_side
from nst_core.backbones import COLOURS, find_backbone
from nst_core.config import TransferConfig
from nst_core.weights import choose_source, expected_width

FLOAT = 4  # bytes
# Each map is held on the way forward and meets a gradient of its own size on the way back.
PASSES = 2
# Parameters and Adam's two moments, as they stand and as they stood at the best step.
KEPT_PICTURES = 6

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Need:
    """Estimated bytes of one run: what it holds as long as it lives, and what one step takes besides."""

    held: int
    step: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.held + self.step


def activation_values(architecture: Architecture, layers: tuple[str, ...], size: tuple[int, int]) -> int:
    """How many numbers the picture of (width, height) and the maps hold that `layers` need."""
    sides = {INPUT: (size[1], size[0], 3)}
    for layer in architecture.up_to(tuple(name for name in layers if name != COLOURS)):
        height, width, _ = sides[layer.inputs[0]]
        sides[layer.name] = (output_side(layer, height), output_side(layer, width), layer.channels)
    return sum(height * width * channels for height, width, channels in sides.values())


def weight_values(architecture: Architecture) -> int:
    """How many numbers a folded network's kernels and biases hold, all layers, as they are all loaded."""
    channels = {INPUT: 3} | {layer.name: layer.channels for layer in architecture.layers}
    return sum(
        (layer.kernel**2 * channels[layer.inputs[0]] + 1) * layer.channels
        for layer in architecture.layers
        if layer.kind == "convolution"
    )


def run_need(config: TransferConfig, size: tuple[int, int] | None = None) -> Need:
    """The memory of a run whose picture is (width, height) at the last rung; by default a full square.

    step: PASSES times the feature maps of all layers needed. held: the weights and KEPT_PICTURES pictures.
    Measured on a CPU at 256 and 512 pixels a VGG's step takes 1.1 to 1.3 times this and ResNet50's 0.4 to
    0.7, whose sums and ReLUs reuse their input's memory.
    """
    backbone = find_backbone(config.backbone)
    architecture = backbone.architecture(expected_width(backbone, config.weights)).folded()
    source = choose_source(backbone)[0] if config.weights == "auto" else config.weights
    usual = backbone.sketch_style_layers if source == "sketch" else backbone.style_layers
    styles = tuple(name for name, _ in config.style_layers or ()) or usual
    contents = tuple(name for name, _ in config.content_layers or ()) or (backbone.content_layer,)
    size = size or (config.size, config.size)
    return Need(
        held=FLOAT * (weight_values(architecture) + KEPT_PICTURES * 3 * size[0] * size[1]),
        step=FLOAT * PASSES * activation_values(architecture, (*styles, *contents), size),
    )


def together_need(needs: Sequence[Need]) -> int:
    """Bytes of runs that advance in turns: all that they hold, and one step, of the largest, at a time."""
    return sum(need.held for need in needs) + max((need.step for need in needs), default=0)


def available_memory(*, meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Bytes that this process may still take: the machine's or its container's, whichever is less.

    None where the system does not tell.
    """
    known = [free for free in (_machine_free(meminfo), _container_free(cgroup)) if free is not None]
    return max(0, min(known)) if known else None


def _machine_free(meminfo: Path) -> int | None:
    for line in (_read(meminfo) or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    names = getattr(os, "sysconf_names", {})
    if "SC_AVPHYS_PAGES" in names and "SC_PAGE_SIZE" in names:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _container_free(cgroup: Path) -> int | None:
    """What is left of a container's limit (cgroup, second version); None without one."""
    most, used = _read(cgroup / "memory.max"), _read(cgroup / "memory.current")
    if most is None or used is None or not most.isdigit() or not used.isdigit():
        return None  # "max" is no limit
    stat = dict(line.split(maxsplit=1) for line in (_read(cgroup / "memory.stat") or "").splitlines())
    # Files that were read long ago are counted as used, and dropped as soon as memory is wanted.
    return int(most) - int(used) + int(stat.get("inactive_file", 0))


def _read(path: Path) -> str | None:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return None
