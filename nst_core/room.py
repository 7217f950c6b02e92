"""Whether a run fits into memory, and tiles so small that it does."""

from collections.abc import Sequence

from nst_core.config import TransferConfig
from nst_core.memory import need_of
from nst_core.tiles import Route

FILLED = 0.8  # of the memory available is what a run may take
TILE_SIDES = (2048, 1536, 1024, 768, 640, 512, 384, 320, 256, 192, 128)  # pixels, without halo


def choose_tile(
    config: TransferConfig,
    routes: Sequence[Route],
    weights: int,
    size: tuple[int, int],
    available: int | None,
) -> tuple[int, str]:
    """The largest tiles' side with which a run fits into the memory available, and why; 0 for whole pictures.

    weights: how many numbers the networks have; size: (width, height) at the last rung; available: bytes, as
    `memory.available_memory` gives them. The smallest side where none fits: the run may still, as estimates
    are rough. A softmax over whole maps cannot be tiled, and where the system does not tell what is available
    nothing can be said.
    """
    whole = need_of(config, routes, weights, size).total
    if available is None or config.smoothing == "softmax" or whole <= FILLED * available:
        return 0, ""
    needs = ((side, need_of(config, routes, weights, size, side).total) for side in TILE_SIDES)
    side = next((side for side, need in needs if need <= FILLED * available), TILE_SIDES[-1])
    return side, (
        f"because the whole picture would need about {whole / 1e9:.1f} GB"
        f" and {available / 1e9:.1f} GB are free"
    )
