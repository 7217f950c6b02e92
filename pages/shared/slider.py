"""Two versions of one picture, one laid over the other, with a divider to drag."""

from pages.shared.components import load
from pages.shared.embedding import embed

_mount = load("slider")


def before_after(
    before: bytes,
    after: bytes,
    *,
    before_label: str,
    after_label: str,
    key: str,
    aspect: float,
) -> None:
    """Show `before` left of the divider and `after` right of it, both encoded as JPEG, PNG or WebP.

    aspect: width over height of the frame; both pictures fill it, so it is best that of the pictures.
    The frame has its height before the pictures arrive, so nothing on the page jumps.
    """
    _mount(
        key=key,
        data={
            "sides": (
                {"url": embed(before).url, "label": before_label},
                {"url": embed(after).url, "label": after_label},
            ),
            "aspect": aspect,
        },
    )
