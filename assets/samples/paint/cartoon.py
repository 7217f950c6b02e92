"""A still from an animated film that does not exist: a round robot greets a bird above a village valley."""

import numpy as np

from .canvas import Field, colour, grid, mix, ramp, shape_of, shrink, smoothstep
from .robot import bird, robot
from .shapes import Cel, lay, oval, road, smooth, tube
from .village import house, tree

SEED = 7
ASPECT = 1.3333
SUPERSAMPLING = 3
SUN = (0.225, 0.235)


def _sky(shape: tuple[int, int]) -> Field:
    """A warm morning: turquoise to cream, a big sun with rays."""
    x, y = grid(shape)
    picture = ramp(y, ((0, "#2f9fd8"), (0.22, "#76cbe6"), (0.4, "#d3efdd"), (0.5, "#ffe9b8")))
    away, angle = (np.hypot(x - SUN[0], y - SUN[1]), np.arctan2(y - SUN[1], x - SUN[0]))
    rays = smoothstep(-0.1, 0.1, np.sin(angle * 11 + 0.4)) * smoothstep(0.62, 0.1, away)
    picture = mix(picture, colour("#fff6cf"), 0.3 * rays + 0.45 * smoothstep(0.2, 0.06, away))
    lay(
        picture,
        Cel(tints=("#fff3a6", "#ffc93c"), shadow=0.012, dark="#f08a3c", ink="#d9772b"),
        oval(*SUN, 0.072, 0.072),
    )
    return picture


def _clouds(picture: Field) -> None:
    """Heaps of round puffs on level bases."""
    for x, y, size in (
        (0.47, 0.115, 1.05),
        (0.055, 0.125, 0.7),
        (0.9, 0.09, 0.85),
        (0.36, 0.3, 0.5),
        (0.8, 0.265, 0.55),
    ):
        puffs = [
            (-0.085, 0, 0.04),
            (-0.04, -0.022, 0.05),
            (0.015, -0.035, 0.058),
            (0.068, -0.01, 0.046),
            (0.105, 0.008, 0.032),
        ]
        forms = [oval(x + size * dx, y + size * dy, size * r, size * r) for dx, dy, r in puffs]
        forms.append(oval(x + size * 0.005, y + size * 0.026, size * 0.13, size * 0.028))
        lay(
            picture,
            Cel(
                tints=("#ffffff", "#fff8ee", "#e3e6f7"),
                shadow=0.02 * size,
                dark="#a9b6e6",
                ink="#5d6da8",
                line=0.0026,
            ),
            *forms,
        )


def _hill(
    picture: Field,
    crest: list[tuple[float, float]],
    tints: tuple[str, ...],
    *,
    ink: str,
    line: float = 0.0028,
) -> None:
    """Everything under a crest that runs across the picture."""
    curve = smooth([(-0.1, crest[0][1]), *crest, (1.1, crest[-1][1])], closed=False)
    lay(
        picture,
        Cel(tints=tints, shadow=0.0, light=0.01, ink=ink, line=line),
        np.concatenate([curve, [(1.1, 0.85), (-0.1, 0.85)]]),
    )


def _valley(picture: Field) -> None:
    """Mountains, two ranges of hills with striped fields, a stream."""
    peaks = [
        (-0.1, 0.44),
        (0.06, 0.335),
        (0.15, 0.4),
        (0.3, 0.275),
        (0.4, 0.375),
        (0.52, 0.315),
        (0.63, 0.39),
        (0.8, 0.28),
        (0.93, 0.37),
        (1.1, 0.3),
    ]
    lay(
        picture,
        Cel(tints=("#8fa8dd", "#b5cdea", "#d9e9ea"), shadow=0.0, ink="#5f72b5", line=0.0026),
        np.array([*peaks, (1.1, 0.6), (-0.1, 0.6)]),
    )
    for x, y, size in ((0.3, 0.275, 0.052), (0.8, 0.28, 0.048), (0.06, 0.335, 0.03), (0.52, 0.315, 0.026)):
        cap = [
            (x, y),
            (x + size * 0.9, y + size * 0.82),
            (x + size * 0.35, y + size * 0.6),
            (x, y + size),
            (x - size * 0.4, y + size * 0.62),
            (x - size * 0.75, y + size * 0.8),
        ]
        lay(
            picture,
            Cel(tints=("#ffffff", "#f3f6ff"), shadow=0.012, dark="#9fb0e6", ink="#5f72b5", line=0.002),
            np.array(cap),
        )
    _hill(
        picture,
        [(0, 0.405), (0.2, 0.375), (0.42, 0.425), (0.66, 0.37), (0.86, 0.4), (1, 0.375)],
        ("#7cc79a", "#58ad7c"),
        ink="#2c7a5c",
    )
    _hill(
        picture,
        [(0, 0.425), (0.18, 0.455), (0.36, 0.44), (0.6, 0.475), (0.8, 0.43), (1, 0.445)],
        ("#a4d65c", "#6dbb4c", "#4b9b45"),
        ink="#35703a",
    )
    for shift in np.arange(5) * 0.021:
        row = [
            (0.6 + shift, 0.492 + shift * 0.15),
            (0.7 + shift * 1.4, 0.468 + shift * 0.2),
            (0.83 + shift * 1.5, 0.453 + shift * 0.45),
        ]
        lay(
            picture,
            Cel(tints=("#f4d35e", "#e9b83f"), shadow=0.0, line=0.0012, ink="#a97a26"),
            tube(row, start=0.0055, end=0.0025),
        )
    stream = [(0.42, 0.447), (0.447, 0.475), (0.425, 0.51), (0.47, 0.55), (0.44, 0.6), (0.52, 0.68)]
    lay(
        picture,
        Cel(
            tints=("#9fe3f5", "#3fb4e0", "#2b93cf"), shadow=0.006, dark="#3f7fd0", ink="#22639a", line=0.0024
        ),
        road(stream, start=0.004, end=0.05),
    )


def _meadow(picture: Field) -> None:
    """The near hill with a path, tufts and flowers."""
    random = np.random.default_rng(SEED)
    _hill(
        picture,
        [(0, 0.545), (0.16, 0.515), (0.33, 0.565), (0.5, 0.615), (0.7, 0.585), (0.88, 0.545), (1, 0.555)],
        ("#c4e55f", "#8fcf4c", "#5fae45", "#3f8f45"),
        ink="#2d6a38",
        line=0.0034,
    )
    path = [(0.205, 0.548), (0.235, 0.585), (0.21, 0.63), (0.28, 0.68), (0.3, 0.8)]
    lay(
        picture,
        Cel(tints=("#f8dfa8", "#eabf7a"), shadow=0.007, dark="#b7793f", ink="#9a6a35", line=0.0024),
        road(path, start=0.014, end=0.075),
    )
    for _ in range(95):
        x, y = (random.uniform(0.01, 0.99), random.uniform(0.6, 0.745))
        if abs(x - 0.255) < 0.075 or abs(x - 0.665) < 0.15:
            continue
        size = 0.006 + 0.09 * (y - 0.57)
        blade = np.array(
            [(-0.5, 0), (-0.75, -1.0), (-0.15, -0.35), (0.05, -1.25), (0.25, -0.35), (0.8, -0.9), (0.5, 0)]
        ) * size + (x, y)
        lay(picture, Cel(tints=("#4f9f45", "#3a8440"), shadow=0.0, line=0.0014, ink="#2d6a38"), blade)
        if random.random() < 0.55:
            petals = [
                oval(
                    x + size * 0.55 * np.cos(a),
                    y - size * 1.5 + size * 0.55 * np.sin(a),
                    size * 0.42,
                    size * 0.42,
                )
                for a in np.arange(5) * 1.257
            ]
            tint = str(random.choice(["#ff6f91", "#ffffff", "#ffb03b", "#b57bff"]))
            lay(picture, Cel(tints=(tint,), shadow=0.003, line=0.0014), *petals)
            lay(
                picture,
                Cel(tints=("#ffd93b",), shadow=0.0, line=0.0012),
                oval(x, y - size * 1.5, size * 0.36, size * 0.36),
            )


def paint(longest_side: int) -> Field:
    """The picture, [H, W, 3] in [0, 1]."""
    rows, columns = (side * SUPERSAMPLING for side in shape_of(longest_side, aspect=ASPECT))
    picture = _sky((rows, columns))
    _clouds(picture)
    _valley(picture)
    for x, y, size in ((0.05, 0.455, 0.07), (0.33, 0.452, 0.055), (0.92, 0.452, 0.07), (0.97, 0.462, 0.09)):
        tree(picture, x=x, y=y, size=size, tints=("#6fc46a", "#2f8a5a"))
    _meadow(picture)
    tree(picture, x=0.065, y=0.56, size=0.2, tints=("#8fd45a", "#3f9a4c"))
    house(picture, x=0.195, y=0.548, size=0.15)
    tree(picture, x=0.325, y=0.582, size=0.12, tints=("#ffc857", "#f08a3c"))
    tree(picture, x=0.945, y=0.59, size=0.23, tints=("#7fcf62", "#338f55"))
    robot(picture)
    bird(picture)
    return np.clip(shrink(picture, SUPERSAMPLING), 0, 1)
