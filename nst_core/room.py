"""Whether a run fits into memory; tiles so small that it does, and Adam where L-BFGS would take too much."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nst_core.config import TransferConfig
from nst_core.memory import need_of
from nst_core.plan import rung_method
from nst_core.tiles import Route

FILLED = 0.8  # of the memory available is what a run may take
LEAST_TILE = 256  # pixels, for L-BFGS
TILE_SIDES = (2048, 1536, 1024, 768, 640, 512, 384, 320, 256, 192, 128)  # pixels, without halo

Size = tuple[int, int]  # width, height


@dataclass(frozen=True, slots=True)
class Room:
    """How a run is made to fit.

    tile: the tiles' side, 0 for whole pictures; lbfgs_up_to: the longest side up to which L-BFGS fits, beyond
    it Adam works; tile_why and lbfgs_why: because of what, empty where nothing is done.
    """

    tile: int = 0
    tile_why: str = ""
    lbfgs_up_to: float = math.inf
    lbfgs_why: str = ""


def find_room(
    config: TransferConfig,
    routes: Sequence[Route],
    weights: int,
    sizes: Sequence[Size],
    available: int | None,
) -> Room:
    """How a run fits into the memory available.

    weights: how many numbers the networks have; sizes: of all rungs, smallest first; available: bytes, as
    `system.available_memory` gives them. L-BFGS keeps many pictures: where it leaves no room for tiles of
    LEAST_TILE, whose halos already outweigh them, the larger rungs are Adam's.
    """
    last = sizes[-1]
    tile, why = choose_tile(config, routes, weights, last, available)
    if available is None or rung_method(config, last=True)[1] != "lbfgs":
        return Room(tile, why)
    need = need_of(config, routes, weights, last, tile).total
    if need <= FILLED * available and (not tile or tile >= LEAST_TILE):
        return Room(tile, why)
    adam = replace(config, optimiser="adam", finish="none")
    tile, why = choose_tile(adam, routes, weights, last, available)
    plain = replace(config, finish="none")  # as the smaller rungs are
    fitting = [
        max(size)
        for size in sizes[:-1]
        if need_of(plain, routes, weights, size, tile).total <= FILLED * available
    ]
    return Room(tile, why, max(fitting, default=0), f"because L-BFGS would need {_words(need, available)}")


def choose_tile(
    config: TransferConfig,
    routes: Sequence[Route],
    weights: int,
    size: Size,
    available: int | None,
) -> tuple[int, str]:
    """The largest tiles' side with which a run fits into the memory available, and why; 0 for whole pictures.

    weights: how many numbers the networks have; size: (width, height) at the last rung; available: bytes, as
    `system.available_memory` gives them. The side that needs least where none fits: the run may still, as
    estimates are rough. A softmax over whole maps cannot be tiled, and where the system does not tell what
    is available nothing can be said.
    """
    whole = need_of(config, routes, weights, size).total
    if available is None or config.smoothing == "softmax" or whole <= FILLED * available:
        return 0, ""
    needs = {side: need_of(config, routes, weights, size, side).total for side in TILE_SIDES}
    least = min(needs, key=needs.__getitem__)
    side = next((side for side, need in needs.items() if need <= FILLED * available), least)
    return side, f"because the whole picture would need {_words(whole, available)}"


def _words(need: int, available: int) -> str:
    return f"about {need / 1e9:.1f} GB and {available / 1e9:.1f} GB are free"
