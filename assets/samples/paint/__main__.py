"""Make the sample pictures again: ``python -m assets.samples.paint [name ...] [--longest-side 1024]``.

Every picture comes from a fixed seed, so a second run gives the same pixels. The nine take about two minutes
of one processor.
"""

import argparse
import time
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent
QUALITY = 88
NAMES = (
    "skyline", "canyon", "portrait", "cartoon",
    "swirling-night", "screaming-sky", "trippy", "honeycomb", "mandala",
)  # fmt: skip


def picture(name: str, *, longest_side: int) -> Image.Image:
    """Paint one sample; ``longest_side`` in pixels."""
    painter = import_module(f".{name.replace('-', '_')}", __package__)
    pixels = painter.paint(longest_side)
    return Image.fromarray(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def main() -> None:
    """Paint the samples named on the command line, or all, as JPEG beside this package."""
    parser = argparse.ArgumentParser(description="Make the sample pictures again.")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="name", help=", ".join(NAMES))
    parser.add_argument("--longest-side", type=int, default=1024, metavar="PIXELS")
    chosen = parser.parse_args()
    for name in chosen.names or NAMES:
        began = time.perf_counter()
        path = FOLDER / f"{name}.jpg"
        picture(name, longest_side=chosen.longest_side).save(path, quality=QUALITY, optimize=True)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
