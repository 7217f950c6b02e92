"""What is computed of one tile, compiled once for tiles of every size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from nst_core.backward import pull_back
from nst_core.compiled import Compiled
from nst_core.engine import Engine
from nst_core.losses import content_distance
from nst_core.sums import SUMMED
from nst_core.tiles import Tile


@dataclass(frozen=True, slots=True)
class Where:
    """A tile as int32 arrays: its crop's box [4]; for each key the positions owned in the whole map
    [keys, 4] and in the crop's own [keys, 4]."""

    box: Any
    places: Any
    own: Any


class TileGraphs:
    """Compiled functions of a picture [H, W, 3] and one of its tiles, for one engine's layers and losses."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys = engine.style_layers + engine.content_layers
        self._styles = len(engine.style_layers)
        self._summed = SUMMED[engine.statistic]
        styles, style_scales, contents, content_scales = engine.targets_spec
        places = tf.TensorSpec([len(self._keys), 4], tf.int32)
        picture = tf.TensorSpec([None, None, 3])
        where = [picture, tf.TensorSpec([4], tf.int32), places, places]
        centres = tuple(tf.TensorSpec([spec.shape[-1]]) for spec in styles)
        squares = self._summed.squares
        sums = tuple(
            (spec, spec if squares else tf.TensorSpec([spec.shape[0], spec.shape[0]])) for spec in centres
        )
        everything = Compiled(self._everything, [*where, centres, contents, sums, content_scales])
        self._maps = everything.part("maps", len(where))
        self._sums = everything.part("sums", len(where) + 1)
        self._both = everything.part("both", len(where) + 2)
        self._pull = everything.part("gradient", len(where) + 4)
        self.slopes = Compiled(
            self._slopes, [sums, centres, tf.TensorSpec([len(styles)]), styles, style_scales]
        )
        self.variation = Compiled(self._varied, [picture])

    def where(self, tile: Tile) -> Where:
        """A tile's numbers as arrays, made once for all that follows."""
        places = np.array([tile.places(key) for key in self._keys], np.int32)
        origins = np.array([tile.origin(key) for key in self._keys], np.int32)
        return Where(np.array(tile.box, np.int32), places, places - origins[:, [0, 0, 1, 1]])

    def sums(self, picture: Any, where: Where, centres: Any) -> Any:
        """Of each style layer the sums over the positions that the tile owns."""
        return self._sums(picture, where.box, where.places, where.own, centres)

    def contents(self, picture: Any, where: Where) -> Any:
        """Of each content layer the map [1, h, w, N] of the positions that the tile owns."""
        return self._maps(picture, where.box, where.places, where.own)

    def forward(self, picture: Any, where: Where, centres: Any, contents: Any) -> Any:
        """`sums`, and of each content layer the distance [layers] from its whole map in `contents`."""
        return self._both(picture, where.box, where.places, where.own, centres, contents)

    def backward(
        self, picture: Any, where: Where, centres: Any, contents: Any, slopes: Any, scales: Any
    ) -> Any:
        """The gradient with respect to the tile's crop, where what `forward` gives has these slopes."""
        return self._pull(picture, where.box, where.places, where.own, centres, contents, slopes, scales)

    def _everything(
        self,
        picture: Any,
        box: Any,
        places: Any,
        own: Any,
        centres: Any,
        contents: Any,
        slopes: Any,
        scales: Any,
    ) -> dict[str, Any]:
        crop = _cropped(picture, box)
        maps = self._engine.raw_maps(crop)
        owned = self._owned(maps, own)
        sums = self._summed_up(owned, centres)
        distances = self._distances(owned, contents, places)
        found = zip(self._keys, (*sums, *distances), (*slopes, *tf.unstack(scales)), strict=True)
        return {
            "maps": [tf.cast(part, tf.float32) for part in owned[self._styles :]],
            "sums": sums,
            "both": (sums, tf.stack(distances)),
            "gradient": pull_back(crop, self._engine.routes, maps, tuple(found)),
        }

    def _owned(self, maps: Mapping[str, Any], own: Any) -> list[Any]:
        return [
            maps[key][:, place[0] : place[1], place[2] : place[3]]
            for key, place in zip(self._keys, tf.unstack(own), strict=True)
        ]

    def _summed_up(self, owned: list[Any], centres: Any) -> tuple[Any, ...]:
        styles = owned[: self._styles]
        return tuple(self._summed.gather(maps, centre) for maps, centre in zip(styles, centres, strict=True))

    def _distances(self, owned: list[Any], contents: Any, places: Any) -> list[Any]:
        """Of each content layer how far the owned positions are from those of the whole map."""
        targets = [
            target[:, place[0] : place[1], place[2] : place[3]]
            for target, place in zip(contents, tf.unstack(places)[self._styles :], strict=True)
        ]
        return [
            content_distance(maps, target)
            for maps, target in zip(owned[self._styles :], targets, strict=True)
        ]

    def _slopes(self, sums: Any, centres: Any, counts: Any, styles: Any, scales: Any) -> tuple[Any, Any]:
        """The style layers' losses [layers] and their slopes along each layer's sums."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sums)
            layers = zip(sums, centres, tf.unstack(counts), styles, strict=True)
            errors = tf.stack([self._summed.distance(*layer) for layer in layers]) * scales
        return errors, tape.gradient(errors, sums, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def _varied(self, part: Any) -> tuple[Any, Any]:
        """The variation's sum over some rows, not its mean, and the gradient of that."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(part)
            whole = self._engine.variation(part) * tf.cast(tf.size(part), tf.float32)
        return whole, tape.gradient(whole, part)


def _cropped(picture: Any, box: Any) -> Any:
    return tf.ensure_shape(picture[box[0] : box[1], box[2] : box[3]], [None, None, 3])
