"""The same objective in tiles: pictures larger than memory, to the same numbers.

Losses of style depend on the maps through sums over positions only. A first pass over the tiles adds these
up; the losses' slopes along them are then known, and a second pass carries each tile's share of the sums and
of the content losses back to its pixels. Where tiles overlap their gradients add up. The price is a second
forward pass, and the halos.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from nst_core.choices import Balance
from nst_core.engine import Engine, Factors, Losses, weight_shares
from nst_core.errors import ConfigError
from nst_core.losses import Targets, weigh_targets
from nst_core.shifts import STILL, Shift, moved_back, shifted
from nst_core.statistics import STATISTICS
from nst_core.sums import SUMMED
from nst_core.tensors import tensor_of
from nst_core.tile_graphs import TileGraphs
from nst_core.tiles import Route, Tile, cut

Pixels = npt.NDArray[np.float32]
STRIP = 256  # rows of the picture whose variation is computed at a time


class TiledEngine:
    """An Engine that works larger pictures in tiles; pictures of one tile are the engine's own.

    side: of the cells that the picture is divided into, pixels; a tile is a cell and its halo.
    ConfigError for a softmax over whole maps, whose sum no tile knows.
    """

    def __init__(self, engine: Engine, side: int) -> None:
        if engine.smoothed:
            raise ConfigError(
                "Smoothing by softmax sees the whole picture at once and cannot work in tiles;"
                " choose smoothing none, or work the picture whole."
            )
        self.side = side
        self.style_layers, self.content_layers = engine.style_layers, engine.content_layers
        self.precision = engine.precision
        self._engine = engine
        self._graphs = TileGraphs(engine)
        self._summed = SUMMED[engine.statistic]
        self._statistic = STATISTICS[engine.statistic]

    @property
    def routes(self) -> tuple[Route, ...]:
        """The layers of each network in use, and which of them each key means."""
        return self._engine.routes

    def tiles(self, width: int, height: int) -> tuple[Tile, ...]:
        """The tiles of a picture."""
        return cut(self.routes, (width, height), self.side)

    def targets(
        self,
        content: Pixels,
        style: Pixels,
        *,
        style_weights: tuple[float, ...],
        content_weights: tuple[float, ...],
        balance: Balance,
    ) -> Targets:
        """As `Engine.targets`; the content's maps [1, h, w, N] are kept whole."""
        return weigh_targets(
            self._styles(tensor_of(style)),
            self._contents(tensor_of(content)),
            style_weights=style_weights,
            content_weights=content_weights,
            balance=balance,
            statistic=self._statistic,
        )

    def evaluate(
        self, picture: Any, targets: Targets, factors: Factors, shift: Shift = STILL
    ) -> tuple[Losses, Pixels]:
        """As `Engine.evaluate`."""
        picture = tensor_of(picture)  # which TensorFlow reads in place, tile after tile; an array it may copy
        tiles = self._tiles_of(picture)
        if len(tiles) == 1:
            return self._engine.evaluate(picture, targets, factors, shift)
        moved = shifted(picture, shift) if any(shift) else picture
        losses, centres, slopes = self._measure(moved, tiles, targets)
        alpha, beta, gamma = weight_shares(factors)
        gradient = np.zeros(picture.shape, np.float32)
        slopes = tf.nest.map_structure(lambda slope: beta * slope, slopes)
        self._pull(
            gradient, moved, tiles, (centres, targets.contents, slopes, alpha * targets.content_scales)
        )
        if gamma:
            self._vary(gradient, moved, gamma)
        return losses, np.asarray(moved_back(tensor_of(gradient), shift)) if any(shift) else gradient

    def errors(self, picture: Pixels, targets: Targets) -> Losses:
        """As `Engine.errors`."""
        tensor = tensor_of(picture)
        tiles = self._tiles_of(tensor)
        if len(tiles) == 1:
            return self._engine.errors(picture, targets)
        return self._measure(tensor, tiles, targets)[0]

    def _tiles_of(self, picture: Any) -> tuple[Tile, ...]:
        height, width = picture.shape[:2]
        return self.tiles(width, height)

    def _measure(self, picture: Any, tiles: tuple[Tile, ...], targets: Targets) -> tuple[Losses, Any, Any]:
        """The losses; the centres and the slopes of each style layer's sums."""
        centres = tuple(self._summed.centre(target) for target in targets.styles)
        sums, distances = None, np.zeros(len(self.content_layers))
        for tile in tiles:
            found, apart = self._graphs.forward(picture, self._graphs.where(tile), centres, targets.contents)
            sums = found if sums is None else tf.nest.map_structure(np.add, sums, found)
            distances += apart
        counts = np.array(self._counts(tiles), np.float32)
        errors, slopes = self._graphs.slopes(sums, centres, counts, targets.styles, targets.style_scales)
        layers = tuple(float(error) for error in errors)
        content = float(np.dot(distances, targets.content_scales.numpy()))
        return Losses(content, sum(layers), self._variation(picture), layers), centres, slopes

    def _pull(self, gradient: Pixels, picture: Any, tiles: tuple[Tile, ...], what: tuple[Any, ...]) -> None:
        for tile in tiles:
            pulled = self._graphs.backward(picture, self._graphs.where(tile), *what)
            top, bottom, left, right = tile.box
            gradient[top:bottom, left:right] += pulled

    def _variation(self, picture: Any) -> float:
        parts = ((self._graphs.variation(picture[rows])[0], sign) for rows, sign in _strips(picture.shape[0]))
        return sum(sign * float(value) for value, sign in parts) / float(picture.shape.num_elements())

    def _vary(self, gradient: Pixels, picture: Any, gamma: float) -> None:
        for rows, sign in _strips(picture.shape[0]):
            factor = np.float32(sign * gamma / gradient.size)
            gradient[rows] += factor * self._graphs.variation(picture[rows])[1]

    def _counts(self, tiles: tuple[Tile, ...]) -> list[int]:
        """Positions of each style layer's map."""
        corners = (tiles[-1].places(key) for key in self.style_layers)
        return [bottom * right for _, bottom, _, right in corners]

    def _styles(self, style: Any) -> tuple[Any, ...]:
        tiles = self._tiles_of(style)
        counts = self._counts(tiles)
        centres = tuple(tf.zeros([spec.shape[-1]]) for spec in self._engine.targets_spec[0])
        sums = self._sums(style, tiles, centres)
        if self._summed.centred:
            centres = tuple(first / count for (first, _), count in zip(sums, counts, strict=True))
            sums = self._sums(style, tiles, centres)
        return tuple(self._summed.measure(*layer) for layer in zip(sums, centres, counts, strict=True))

    def _sums(self, picture: Any, tiles: tuple[Tile, ...], centres: Any) -> Any:
        sums = None
        for tile in tiles:
            found = self._graphs.sums(picture, self._graphs.where(tile), centres)
            sums = found if sums is None else tf.nest.map_structure(np.add, sums, found)
        return sums

    def _contents(self, content: Any) -> tuple[Any, ...]:
        tiles = self._tiles_of(content)
        corners = (tiles[-1].places(key) for key in self.content_layers)
        wholes = [
            np.empty([1, bottom, right, spec.shape[-1]], np.float32)
            for spec, (_, bottom, _, right) in zip(self._engine.targets_spec[2], corners, strict=True)
        ]
        for tile in tiles:
            parts = self._graphs.contents(content, self._graphs.where(tile))
            self._put_in(wholes, tile, parts)
        # One after the other, for each array can go as soon as its tensor is there.
        return tuple(tensor_of(wholes.pop(0)) for _ in self.content_layers)

    def _put_in(self, wholes: list[Pixels], tile: Tile, parts: list[Any]) -> None:
        for key, whole, part in zip(self.content_layers, wholes, parts, strict=True):
            top, bottom, left, right = tile.places(key)
            whole[:, top:bottom, left:right] = part


def _strips(height: int) -> Iterator[tuple[slice, int]]:
    """Rows whose variations, each with its sign, add up to the whole picture's.

    Each strip reaches into the first row of the next; what that row has by itself is then taken away.
    """
    for top in range(0, height, STRIP):
        yield slice(top, top + STRIP + 1), 1
        if top + STRIP < height:
            yield slice(top + STRIP, top + STRIP + 1), -1
