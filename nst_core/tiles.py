"""Where a picture is cut, so that the maps of its tiles, side by side, are the maps of the whole picture.

A layer of stride s in all (the product of the strides before it) sees a crop that begins at a multiple of s
in the same rhythm as the whole picture: its position j is the whole map's position j + start / s. Near a cut
the network pads the crop as if the picture ended there, so a crop reaches beyond the positions that a tile
owns by as much as these see (its halo). At the picture's own borders a crop ends where the picture does, and
the network's padding is the right one. Rows and columns are cut alike, each axis by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from nst_core.architectures import INPUT, Layer, output_side
from nst_core.backbones import COLOURS

# A network's layers, shallow to deep, and which of them each key means; keys are those of the settings.
Route = tuple[Sequence[Layer], Mapping[str, str]]
Interval = tuple[int, int]  # first and end


@dataclass(frozen=True, slots=True)
class Span:
    """A tile along one axis: its crop's first and end pixel, and for each key the positions that it owns.

    owned: first and end position in the whole picture's map; origins: the position at which the crop's map
    begins. Some tiles own no position of a deep layer (first == end).
    """

    start: int
    stop: int
    owned: Mapping[str, Interval]
    origins: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Tile:
    """A crop of the picture and what of the maps is its own."""

    rows: Span
    columns: Span

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the crop, halo included."""
        return self.columns.stop - self.columns.start, self.rows.stop - self.rows.start

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The crop's first and end row, first and end column."""
        return self.rows.start, self.rows.stop, self.columns.start, self.columns.stop

    def places(self, key: str) -> tuple[int, int, int, int]:
        """First and end row, first and end column that this tile owns in the whole picture's map."""
        return *self.rows.owned[key], *self.columns.owned[key]

    def origin(self, key: str) -> tuple[int, int]:
        """Row and column of the whole picture's map at which the crop's map begins."""
        return self.rows.origins[key], self.columns.origins[key]


def cut(routes: Sequence[Route], size: tuple[int, int], side: int) -> tuple[Tile, ...]:
    """Tiles of a picture of (width, height) that own cells of at most about `side` x `side` pixels.

    Cells are of one size but for the last ones, and begin at multiples of the networks' stride in all, which
    is the least that a side can be. Every position of every map is owned by just one tile.
    """
    columns, rows = (spans(routes, length, side) for length in size)
    return tuple(Tile(*pair) for pair in product(rows, columns))


def largest_crop(routes: Sequence[Route], size: tuple[int, int], side: int) -> tuple[int, int]:
    """(width, height) of the largest crop among the tiles."""
    width, height = (max(span.stop - span.start for span in spans(routes, length, side)) for length in size)
    return width, height


def crop_sizes(routes: Sequence[Route], size: tuple[int, int], side: int) -> int:
    """How many different (width, height) the tiles' crops have."""
    columns, rows = (len({span.stop - span.start for span in spans(routes, length, side)}) for length in size)
    return columns * rows


def spans(routes: Sequence[Route], length: int, side: int) -> tuple[Span, ...]:
    """The cuts along an axis of `length` pixels."""
    rhythm = whole_stride(routes)
    count = -(-length // max(side, rhythm))
    step = -(-length // (count * rhythm)) * rhythm
    edges = [*range(0, length, step), length]
    return tuple(_span(routes, length, rhythm, cell) for cell in pairwise(edges))


def whole_stride(routes: Sequence[Route]) -> int:
    """The least common multiple of all layers' strides in all."""
    return math.lcm(*(stride for layers, _ in routes for stride in strides(layers).values()))


def strides(layers: Sequence[Layer]) -> dict[str, int]:
    """For each layer, and the picture, how many pixels lie between neighbouring positions."""
    found = {INPUT: 1, COLOURS: 1}
    for layer in layers:
        found[layer.name] = found[layer.inputs[0]] * layer.stride
    return found


def map_sides(layers: Sequence[Layer], length: int) -> dict[str, int]:
    """For each layer, and the picture, how many rows (or columns) its map has."""
    found = {INPUT: length, COLOURS: length}
    for layer in layers:
        found[layer.name] = output_side(layer, found[layer.inputs[0]])
    return found


def _span(routes: Sequence[Route], length: int, rhythm: int, cell: Interval) -> Span:
    owned: dict[str, Interval] = {}
    needed = [cell]
    for layers, keys in routes:
        steps, sides = strides(layers), map_sides(layers, length)
        places = {name: _owned(cell, steps[name], sides[name], last=cell[1] == length) for name in steps}
        owned.update({key: places[name] for key, name in keys.items()})
        needed.append(_needed(layers, sides, {name: places[name] for name in keys.values()}))
    start = min(first for first, _ in needed) // rhythm * rhythm
    origins = {key: start // strides(layers)[name] for layers, keys in routes for key, name in keys.items()}
    return Span(start, max(end for _, end in needed), owned, origins)


def _owned(cell: Interval, stride: int, side: int, *, last: bool) -> Interval:
    first, end = (min(edge // stride, side) for edge in cell)
    return first, side if last else end


def _needed(layers: Sequence[Layer], sides: Mapping[str, int], owned: Mapping[str, Interval]) -> Interval:
    """The pixels that the owned positions see, paddings at the picture's borders included."""
    needed: dict[str, Interval] = {}

    def need(name: str, interval: Interval, least: int) -> None:
        first, end = _at_least(interval, least, sides[name])
        before = needed.get(name, (first, end))
        needed[name] = min(before[0], first), max(before[1], end)

    for name, interval in owned.items():
        need(name, interval, 1)
    for layer in reversed(layers):
        if layer.name in needed:
            for name in layer.inputs:
                need(name, _seen(layer, needed[layer.name]), max(layer.kernel, layer.padding + 1))
    return needed.get(INPUT, needed.get(COLOURS, (0, 0)))


def _seen(layer: Layer, interval: Interval) -> Interval:
    first, end = interval
    if layer.kind == "pad":
        return first - layer.padding, end - layer.padding
    return first * layer.stride - layer.padding, (end - 1) * layer.stride - layer.padding + layer.kernel


def _at_least(interval: Interval, least: int, side: int) -> Interval:
    """The interval within 0..side, its length at least `least`.

    Mirroring beyond a border reads as many positions within it, and one more; and a crop on which a layer's
    window finds no place could not be computed at all.
    """
    first = max(0, min(interval[0], side - least))
    return first, min(side, max(interval[1], first + least))
