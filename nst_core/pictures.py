"""A picture from wherever it comes: a sample's name, a path, or a Picture already read."""

from os import PathLike

from nst_core.images import Picture
from nst_core.intake import read_picture
from nst_core.samples import SAMPLES, load_sample


def open_picture(source: str | PathLike[str] | Picture) -> Picture:
    """The picture of this sample name or path; ImageError says why it cannot be had.

    A sample's name wins over a file of the same name; write ./skyline for the file.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, str) and source in SAMPLES:
        return load_sample(source)
    return read_picture(source)
