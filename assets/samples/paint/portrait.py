"""A real photograph: NASA's portrait of the astronaut Eileen Collins, public domain, from scikit-image."""

import numpy as np
from PIL import Image, ImageFilter
from skimage import data

from .canvas import Field


def paint(longest_side: int) -> Field:
    """The photograph, [H, W, 3] in [0, 1], enlarged from 512 pixels and sharpened as far as it bears."""
    photograph = Image.fromarray(data.astronaut())
    photograph = photograph.resize((longest_side, longest_side), Image.Resampling.LANCZOS)
    sharp = photograph.filter(ImageFilter.UnsharpMask(radius=longest_side / 512, percent=70, threshold=2))
    return np.asarray(sharp, dtype=np.float32) / 255
