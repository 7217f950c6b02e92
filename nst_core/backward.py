"""Gradients from the deepest layer to the shallowest, so that few of them wait in memory.

TensorFlow computes a layer's own share of the gradient as soon as its map is there, on the way forward, and
keeps it, as large as the map, until the deeper layers' gradient arrives. Here each layer's share is asked for
when that has arrived.

Gradients are those of a graph, by `tf.gradients`, which walks from a map to the next one asked for. A tape
walks on to the picture each time: the same numbers, but ten times the operations to write down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from nst_core.tiles import Route

Share = tuple[str, Any, Any]  # a layer's key, what depends on its map, and the slopes along that


def pull_back(picture: Any, routes: Sequence[Route], maps: Mapping[str, Any], shares: Sequence[Share]) -> Any:
    """The gradient with respect to a picture of all shares together, times their slopes.

    Within a graph alone. maps: by key, made of the picture.
    """
    gradient: Any = tf.zeros_like(picture)
    for layers, keys in routes:
        stations = waists(
            [layer.name for layer in layers], {layer.name: layer.inputs for layer in layers}, keys
        )
        own = [share for share in shares if share[0] in keys]
        # Each station's gradient, which is the slopes along its map for the next one; at last the picture's.
        above: list[tuple[Any, Any]] = []
        for station, members in stations:
            source = picture if station is None else maps[station]
            # Of a map one value: what others wait for is not merged with the convolution before it.
            gate = [tf.slice(slopes, [0] * 4, [1] * 4) for _, slopes in above] or [gradient]
            found = _gated([share for share in own if share[0] in members], gate)
            above = [(source, gradient_along(source, found + above))]
        gradient = gradient + above[0][1]
    return gradient


def waists(
    names: Sequence[str], inputs: Mapping[str, Sequence[str]], keys: Mapping[str, str]
) -> list[tuple[str | None, set[str]]]:
    """Deep to shallow, the keys whose maps all deeper layers depend on alone, at last None, the picture.

    With each go the keys of the layers after it, up to the station before, and its own.
    """
    places = {name: place for place, name in enumerate(names)}
    found: list[tuple[str | None, set[str]]] = []
    waiting = dict(keys)
    for place in range(len(names) - 1, -1, -1):
        here = [key for key, name in keys.items() if name == names[place]]
        skipped = any(places.get(name, -1) < place for later in names[place + 1 :] for name in inputs[later])
        if here and not skipped:
            members = {key for key, name in waiting.items() if places.get(name, -1) >= place}
            waiting = {key: name for key, name in waiting.items() if key not in members}
            found.append((here[0], members))
    return [*found, (None, set(waiting))]


def _gated(shares: list[Share], gate: list[Any]) -> list[tuple[Any, Any]]:
    """What depends on a map and the slopes along it, these not before the gate is there."""
    with tf.control_dependencies(gate):
        return [(found, tf.nest.map_structure(tf.identity, slopes)) for _, found, slopes in shares]


def gradient_along(source: Any, ways: list[tuple[Any, Any]]) -> Any:
    """The gradient with respect to a source of all that depends on it, times the slopes.

    ways: what depends on the source, and the slopes along it; within a graph alone.
    """
    ends, slopes = (tf.nest.flatten(side) for side in zip(*ways, strict=True))
    return tf.gradients(ends, source, slopes)[0]
