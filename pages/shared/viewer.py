"""Several pictures that zoom and move as one, and four ways to tell two of them apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from nst_core.errors import ConfigError
from pages.shared.components import load
from pages.shared.embedding import embed

_mount = load("viewer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A picture (encoded JPEG, PNG or WebP), its caption, and the CSS colour that marks it, if it has one."""

    label: str
    picture: bytes
    colour: str | None = None


def synchronised_viewer(panels: Sequence[Panel], *, key: str) -> None:
    """Show the panels side by side; any two can be wiped, blinked and subtracted.

    Zoom and position are shared by all panels, in fractions of the frame, so pictures of different sizes stay
    together. The last panel's picture gives the frame its shape; 100 % is one of its pixels to one CSS pixel.

    Raises ConfigError if there is no panel.
    """
    if not panels:
        raise ConfigError("The viewer needs at least one picture. Received: none")
    _mount(key=key, data={"panels": tuple(_to_data(panel) for panel in panels)})


def _to_data(panel: Panel) -> dict[str, str | int | None]:
    picture = embed(panel.picture)
    return {
        "label": panel.label,
        "colour": panel.colour,
        "url": picture.url,
        "width": picture.width,
        "height": picture.height,
    }
