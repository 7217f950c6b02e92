"""A cottage and round trees, as cels."""

import numpy as np

from .canvas import Field
from .shapes import Cel, flat, lay, oval, smooth, tube


def house(picture: Field, *, x: float, y: float, size: float) -> None:
    """A cottage standing at (x, y), with a red roof, a round window, a door and a smoking chimney."""

    def place(*points: tuple[float, float]) -> Field:
        return np.array(points) * size + (x, y)

    for i in range(4):
        lay(
            picture,
            Cel(tints=("#ffffff", "#e7e4f2"), shadow=0.005, dark="#b6b2d6", ink="#8783b0", line=0.0016),
            oval(
                x + size * (0.3 + 0.12 * i + 0.03 * i * i),
                y - size * (1.3 + 0.19 * i),
                size * (0.07 + 0.03 * i),
                size * (0.06 + 0.025 * i),
            ),
        )
    lay(
        picture,
        Cel(tints=("#c96a4a", "#a84d3c"), shadow=0.008),
        place((0.22, -1.16), (0.36, -1.16), (0.36, -0.7), (0.22, -0.7)),
    )
    lay(
        picture,
        Cel(tints=("#fff4d8", "#f6dcae"), shadow=0.02),
        place((-0.5, -0.62), (0.5, -0.62), (0.5, 0.02), (-0.5, 0.02)),
    )
    lay(
        picture,
        Cel(tints=("#f2634a", "#d13c3c"), shadow=0.014, light=0.006),
        place((-0.66, -0.52), (-0.32, -1.08), (0.32, -1.08), (0.66, -0.52)),
    )
    for row in (-0.92, -0.74):
        for across in np.arange(-0.34, 0.36, 0.17):
            lay(
                picture,
                flat("#96263a"),
                smooth(
                    [
                        tuple(p)
                        for p in place(
                            (across - 0.05, row),
                            (across, row + 0.06),
                            (across + 0.05, row),
                            (across, row + 0.045),
                        )
                    ]
                ),
            )
    lay(
        picture,
        Cel(tints=("#3fa7a0", "#2b7f86"), shadow=0.006),
        place((-0.12, 0.02), (-0.12, -0.28), (0.14, -0.28), (0.14, 0.02)),
        oval(x + 0.01 * size, y - 0.28 * size, 0.13 * size, 0.12 * size),
    )
    for across in (-0.32, 0.32):
        lay(
            picture,
            Cel(tints=("#bdf0ff", "#5fb6e6"), shadow=0.0, light=0.008),
            oval(x + across * size, y - 0.36 * size, 0.095 * size, 0.11 * size, power=3.5),
        )


def tree(picture: Field, *, x: float, y: float, size: float, tints: tuple[str, ...]) -> None:
    """A round tree standing at (x, y)."""
    lay(
        picture,
        Cel(tints=("#8a5a3c", "#6d4230"), shadow=0.005),
        tube(
            [(x, y), (x + 0.01 * size, y - 0.25 * size), (x, y - 0.5 * size)],
            start=0.07 * size,
            end=0.045 * size,
        ),
    )
    puffs = [(0, -0.8, 0.3), (-0.22, -0.62, 0.22), (0.22, -0.6, 0.23), (0, -0.52, 0.24)]
    lay(
        picture,
        Cel(tints=tints, shadow=0.1 * size, light=0.04 * size, dark="#3f6f86"),
        *[oval(x + size * dx, y + size * dy, size * r, size * r) for dx, dy, r in puffs],
    )
