"""Gradient noise that is a function of position, so that any painter may sample it anywhere."""

import numpy as np

from .canvas import Field


def _lattice(seed: int) -> tuple[np.ndarray, Field]:
    """A permutation of 0..255, repeated so that sums of two entries stay inside it, and 256 unit vectors."""
    random = np.random.default_rng(seed)
    order = random.permutation(256)
    turn = random.uniform(0, 2 * np.pi, 256)
    return np.concatenate([order, order, order[:2]]), np.stack([np.cos(turn), np.sin(turn)]).astype(
        np.float32
    )


def perlin(x: Field, y: Field, *, seed: int) -> Field:
    """Gradient noise about 0, within ±0.71, with features one unit wide (Perlin 2002, in two dimensions)."""
    order, vectors = _lattice(seed)
    floor_x, floor_y = np.floor(x), np.floor(y)
    u, v = (x - floor_x).astype(np.float32), (y - floor_y).astype(np.float32)
    # np.take with platform integers is several times faster here than indexing.
    column, row = floor_x.astype(np.intp) & 255, floor_y.astype(np.intp) & 255

    def corner(right: int, down: int) -> Field:
        index = order.take(order.take(column + right) + row + down)
        return np.asarray(vectors[0].take(index) * (u - right) + vectors[1].take(index) * (v - down))

    fade_u, fade_v = u**3 * (u * (u * 6 - 15) + 10), v**3 * (v * (v * 6 - 15) + 10)
    top = corner(0, 0) + fade_u * (corner(1, 0) - corner(0, 0))
    bottom = corner(0, 1) + fade_u * (corner(1, 1) - corner(0, 1))
    return np.asarray(top + fade_v * (bottom - top))


def fractal(x: Field, y: Field, *, seed: int, octaves: int, gain: float = 0.5) -> Field:
    """Octaves of noise, each twice as fine and ``gain`` times as strong; about 0, mostly within ±0.8."""
    total = np.zeros(np.shape(x), np.float32)
    for octave in range(octaves):
        scale = 2.0**octave
        # The offset keeps the lattices of two octaves from meeting at the origin.
        total += gain**octave * perlin(
            x * scale + 17.3 * octave, y * scale - 9.1 * octave, seed=seed + octave
        )
    return total


def ridged(x: Field, y: Field, *, seed: int, octaves: int, gain: float = 0.5) -> Field:
    """Octaves of noise folded at 0 into crests (Musgrave's ridged multifractal); about 0..1, crests high."""
    total, weight, reach = np.zeros(np.shape(x), np.float32), np.ones(np.shape(x), np.float32), 0.0
    for octave in range(octaves):
        scale = 2.0**octave
        crest = (
            1 - 1.6 * np.abs(perlin(x * scale + 5.7 * octave, y * scale + 3.9 * octave, seed=seed + octave))
        ) ** 2
        total += gain**octave * crest * weight
        reach += gain**octave
        # Detail grows on crests and leaves valley floors smooth.
        weight = np.clip(1.6 * crest, 0, 1)
    return total / np.float32(reach)
