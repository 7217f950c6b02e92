"""The two characters of the animated film: a round robot and a bird, as cels."""

from .canvas import Field
from .shapes import Cel, flat, lay, oval, smooth, tube


def _limbs(picture: Field, steel: Cel, orange: Cel) -> None:
    """Legs, feet and the robot's resting arm."""
    lay(picture, flat("#3c7a3f"), oval(0.675, 0.716, 0.165, 0.016))
    for x, side in ((0.612, -1), (0.722, 1)):
        lay(picture, steel, tube([(x, 0.6), (x + 0.004 * side, 0.655), (x, 0.7)], start=0.026, end=0.024))
        lay(picture, orange, oval(x + 0.01 * side, 0.7, 0.048, 0.024, power=2.6))
    lay(picture, steel, tube([(0.765, 0.468), (0.818, 0.512), (0.812, 0.575)], start=0.024, end=0.021))
    lay(picture, orange, oval(0.811, 0.592, 0.031, 0.03))


def robot(picture: Field) -> None:
    """Body, head, face and the arm held out to the bird."""
    steel = Cel(tints=("#e9f3f7", "#b9d3de"), shadow=0.014, light=0.006, line=0.0042)
    orange = Cel(tints=("#ffa64d", "#f0702f"), shadow=0.016, light=0.008, line=0.0042, dark="#8a3f7a")
    _limbs(picture, steel, orange)
    lay(
        picture,
        Cel(tints=("#ffb65c", "#f77f35", "#e8622d"), shadow=0.04, light=0.014, line=0.0048, dark="#8a3f7a"),
        oval(0.667, 0.52, 0.122, 0.13, power=2.7),
    )
    lay(
        picture,
        Cel(tints=("#fff2d6", "#f9d9a4"), shadow=0.01, line=0.0034),
        oval(0.655, 0.54, 0.066, 0.06, power=3.2),
    )
    for i, tint in enumerate(("#ff5d6c", "#ffd23f", "#3ec6a8")):
        lay(
            picture,
            Cel(tints=(tint,), shadow=0.005, line=0.0026),
            oval(0.622 + 0.033 * i, 0.522, 0.0115, 0.0115),
        )
    lay(
        picture,
        flat("#b8763b"),
        tube([(0.615, 0.563), (0.655, 0.576), (0.695, 0.563)], start=0.004, end=0.004),
    )
    lay(picture, steel, tube([(0.667, 0.4), (0.667, 0.36)], start=0.034, end=0.034))
    lay(picture, steel, tube([(0.66, 0.2), (0.668, 0.165), (0.655, 0.13)], start=0.0065, end=0.0055))
    lay(
        picture,
        Cel(tints=("#ffe66b", "#ff9f2e"), shadow=0.01, light=0.006, line=0.0038),
        oval(0.654, 0.118, 0.021, 0.021),
    )
    for x in (0.521, 0.806):
        lay(picture, orange, oval(x, 0.288, 0.024, 0.042, power=3))
    lay(
        picture,
        Cel(tints=("#f6fbfd", "#cfe3eb", "#a9c6d6"), shadow=0.03, light=0.01, line=0.0048),
        oval(0.663, 0.285, 0.138, 0.103, power=3.0),
    )
    lay(
        picture,
        Cel(tints=("#253a66", "#1a2547"), shadow=0.0, line=0.004),
        oval(0.653, 0.29, 0.108, 0.073, power=3.2),
    )
    _face(picture)
    lay(picture, steel, tube([(0.565, 0.468), (0.5, 0.5), (0.448, 0.452)], start=0.025, end=0.021))
    lay(picture, orange, oval(0.437, 0.437, 0.034, 0.024, power=2.4, tilt=-0.3))


def _face(picture: Field) -> None:
    """Two wide eyes that look at the bird, warm cheeks, a smile."""
    for x in (0.608, 0.692):
        lay(
            picture,
            Cel(tints=("#e8fffb", "#8cf0e4"), shadow=0.0, line=0.003, ink="#0f1a38"),
            oval(x, 0.28, 0.03, 0.036),
        )
        lay(picture, flat("#1b6f8f", "#123a5c"), oval(x - 0.007, 0.285, 0.018, 0.023))
        lay(picture, flat("#ffffff"), oval(x - 0.013, 0.275, 0.0075, 0.009))
        lay(picture, flat("#ffffff"), oval(x + 0.002, 0.296, 0.0035, 0.004))
    for x in (0.572, 0.728):
        lay(picture, flat("#ff7f9c"), oval(x, 0.322, 0.013, 0.008))
    smile = smooth(
        [(0.624, 0.322), (0.65, 0.331), (0.676, 0.322), (0.668, 0.342), (0.65, 0.349), (0.632, 0.342)]
    )
    lay(picture, Cel(tints=("#ff9a9a", "#ff5d6c"), shadow=0.0, line=0.0028, ink="#0f1a38"), smile)


def bird(picture: Field) -> None:
    """A round blue bird on the robot's hand."""
    blue = Cel(tints=("#5cc4ff", "#2a86e0"), shadow=0.014, light=0.005, line=0.0038)
    lay(
        picture, blue, smooth([(0.385, 0.385), (0.335, 0.352), (0.325, 0.372), (0.34, 0.395), (0.385, 0.405)])
    )
    for x in (0.418, 0.434):
        lay(
            picture,
            Cel(tints=("#f28c28",), shadow=0.0, line=0.0014),
            tube([(x, 0.405), (x + 0.002, 0.424)], start=0.003, end=0.003),
        )
    lay(picture, blue, oval(0.422, 0.365, 0.05, 0.047))
    lay(picture, flat("#fff6e0", "#ffe3b5"), oval(0.437, 0.382, 0.03, 0.026))
    lay(
        picture,
        Cel(tints=("#ffc23c", "#f28c28"), shadow=0.004, line=0.003),
        smooth([(0.462, 0.352), (0.496, 0.358), (0.462, 0.372)]),
    )
    lay(
        picture,
        Cel(tints=("#2f8fe8", "#1c62b8"), shadow=0.006, line=0.003),
        smooth([(0.385, 0.358), (0.42, 0.366), (0.412, 0.395), (0.372, 0.398)]),
    )
    lay(picture, Cel(tints=("#ffffff",), shadow=0.0, line=0.0022), oval(0.443, 0.35, 0.0115, 0.0135))
    lay(picture, flat("#1a1426"), oval(0.446, 0.351, 0.0062, 0.008))
    lay(picture, flat("#ffffff"), oval(0.4435, 0.347, 0.0022, 0.0026))
    lay(
        picture, blue, smooth([(0.415, 0.322), (0.404, 0.292), (0.422, 0.305), (0.432, 0.288), (0.434, 0.32)])
    )
