"""The built-in content and style pictures: what they are, where they come from, and their pixels."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from PIL import Image

from nst_core.errors import ImageError
from nst_core.images import Picture
from nst_core.intake import read_picture

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "samples"
THUMBNAIL_SIDE = 256  # pixels
THUMBNAIL_QUALITY = 80  # of JPEG, 1 to 95

Kind = Literal["content", "style"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One built-in picture. name: how it is asked for. category: its subject, or how the style was made."""

    name: str
    kind: Kind
    category: str
    title: str
    origin: str
    licence: str

    @property
    def path(self) -> Path:
        """The picture's file."""
        return FOLDER / f"{self.name}.jpg"


def _painted(name: str, *, kind: Kind, category: str, title: str) -> Sample:
    script = f"assets/samples/paint/{name.replace('-', '_')}.py"
    return Sample(
        name=name, kind=kind, category=category, title=title, origin=f"Painted by {script}", licence="CC0 1.0"
    )


_PORTRAIT = Sample(
    name="portrait",
    kind="content",
    category="human",
    title="Portrait of an astronaut",
    origin="NASA's portrait of Eileen Collins, as scikit-image ships it, enlarged",
    licence="Public domain",
)
_ALL = (
    _painted("skyline", kind="content", category="urban", title="Harbour city at evening"),
    _painted("canyon", kind="content", category="natural", title="River canyon"),
    _PORTRAIT,
    _painted("cartoon", kind="content", category="animated", title="Robot and bird"),
    _painted("swirling-night", kind="style", category="painting", title="Swirling night"),
    _painted("screaming-sky", kind="style", category="painting", title="Screaming sky"),
    _painted("trippy", kind="style", category="psychedelic", title="Trippy contours"),
    _painted("honeycomb", kind="style", category="texture", title="Honeycomb"),
    _painted("mandala", kind="style", category="ornament", title="Mandala"),
)

SAMPLES: Mapping[str, Sample] = MappingProxyType({sample.name: sample for sample in _ALL})


def find_sample(name: str) -> Sample:
    """The sample of that name. Raises ImageError, which lists the names there are, for any other."""
    if name not in SAMPLES:
        raise ImageError(f"There is no sample picture called {name!r}; choose one of {', '.join(SAMPLES)}.")
    return SAMPLES[name]


def load_sample(name: str, *, longest_side: int | None = None) -> Picture:
    """Read a sample: float32 [H, W, 3] in [0, 1], 1024 pixels on its longer side or longest_side if smaller.

    Raises ImageError for an unknown name, or when the file is missing or damaged.
    """
    return read_picture(find_sample(name).path, name=name, longest_side=longest_side)


def thumbnail(name: str, *, longest_side: int = THUMBNAIL_SIDE) -> bytes:
    """JPEG bytes of a sample shrunk to longest_side pixels, for a page; never enlarged.

    Raises ImageError for an unknown name, a side below 1, or a file that cannot be read.
    """
    if longest_side < 1:
        raise ImageError(f"A thumbnail must be at least 1 pixel on its longer side; received {longest_side}.")
    buffer = io.BytesIO()
    try:
        with Image.open(find_sample(name).path, formats=["JPEG"]) as picture:
            # Asks the decoder for an eighth, a quarter or a half of the size, which is faster than shrinking.
            picture.draft("RGB", (2 * longest_side, 2 * longest_side))
            picture.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
            picture.save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
    except OSError as error:
        raise ImageError(f"The sample picture {name} cannot be read ({error}); install again.") from error
    return buffer.getvalue()
