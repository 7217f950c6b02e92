"""A picture from wherever it comes: a sample's name, a path, or a Picture already read."""

from os import PathLike
from pathlib import Path

from nst_core.errors import ImageError
from nst_core.images import Picture
from nst_core.intake import read_picture
from nst_core.samples import SAMPLES, load_sample

MOST_LETTERS = 40  # in what may have been meant for a sample's name


def open_picture(source: str | PathLike[str] | Picture) -> Picture:
    """The picture of this sample name or path; ImageError says why it cannot be had.

    A sample's name wins over a file of the same name; write ./skyline for the file.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, PathLike):
        return read_picture(source)
    if not isinstance(source, str):
        raise ImageError(
            f"A picture is a sample's name, a path or a Picture; received {type(source).__name__}."
        )
    if source in SAMPLES:
        return load_sample(source)
    if _looks_like_a_sample(source) and not Path(source).exists():
        raise ImageError(f"{source!r} is neither a file nor a sample; the samples are {', '.join(SAMPLES)}.")
    return read_picture(source)


def _looks_like_a_sample(name: str) -> bool:
    return len(name) < MOST_LETTERS and name.replace("-", "").isalpha()
