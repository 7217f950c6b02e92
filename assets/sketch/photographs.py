"""Tiles of the photographs that the scikit-image wheel carries (none is downloaded)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from assets.sketch.textures import SIZE

# File, and the heights (pixels) it is shrunk to before tiles are cut.
SOURCES = (
    ("astronaut.png", (512, 256)),
    ("coffee.png", (400, 256)),
    ("chelsea.png", (300,)),
    ("motorcycle_left.png", (500, 256)),
    ("rocket.jpg", (427, 256)),
    ("hubble_deep_field.jpg", (600, 256)),
    ("retina.jpg", (512,)),
    ("ihc.png", (512,)),
    ("color.png", (256,)),
    ("brick.png", (400,)),
    ("grass.png", (400,)),
    ("gravel.png", (400,)),
    ("camera.png", (512, 256)),
    ("coins.png", (303,)),
    ("moon.png", (256,)),
    ("page.png", (256,)),
)


def photograph_tiles() -> npt.NDArray[np.uint8]:
    """Tiles [n, SIZE, SIZE, 3] that cover each photograph at each height with the least overlap."""
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    tiles = []
    for name, heights in SOURCES:
        with Image.open(folder / name) as opened:
            photograph = opened.convert("RGB")
        for height in heights:
            tiles += _tiles(photograph, max(height, SIZE))
    return np.stack(tiles)


def _tiles(photograph: Image.Image, height: int) -> list[npt.NDArray[np.uint8]]:
    width = max(SIZE, round(photograph.width * height / photograph.height))
    pixels = np.asarray(photograph.resize((width, height), Image.Resampling.LANCZOS))
    tops, lefts = (
        np.linspace(0, side - SIZE, max(1, round(side / SIZE))).astype(int) for side in (height, width)
    )
    return [pixels[top : top + SIZE, left : left + SIZE] for top in tops for left in lefts]
