"""Batches of crops: drawn in NumPy, a pure function of (seed, step), and cut on the device that trains."""

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from assets.sketch.atlas import Atlas
from nst_core.backbones import BGR_MEANS

Numbers = dict[str, npt.NDArray[Any]]
Labels = npt.NDArray[np.int32]

NORMALS = 1 << 20  # numbers that grain and frosting are read from

# What is done to a crop: left as it is, softened, or frosted, as through ground glass.
SPOILINGS = 3
SPOILED = 0.4  # share of the crops softened or frosted, one as often as the other
FROST = 1.5  # pixels, standard deviation of how far frosting moves each pixel
GRAIN = 20.0  # of 255, standard deviation of the strength of each crop's noise


class Sampler:
    """Draws jittered, turned, scaled and mildly recoloured crops of the atlas' cells.

    Turns are small and crops are not mirrored, so that direction stays something to be told apart;
    colour changes little, so that colour stays in the features. A share `spoiled` of the crops is softened
    or frosted, and that is to be told too: who tells a drawing from its blurred and its grainy likeness has
    to see fine detail and how it hangs together, which names alone can do without. Much noise makes features
    whose gradients follow what the eye sees (Kaur et al. 2019); without it a picture's statistics can be met
    by fine hatching.
    """

    def __init__(self, atlas: Atlas, seed: int, *, spoiled: float = SPOILED, grain: float = GRAIN) -> None:
        self.cells, self.seed, self.spoiled, self.grain = atlas.cells, seed, spoiled, grain

    def batch(self, step: int, *, side: int, count: int) -> tuple[Numbers, Labels, Labels]:
        """What `Cutter` cuts by, an array [count, ...] each, and the class and look of each [count].

        A look is a picture and what was done to it: picture * SPOILINGS + spoiling.
        """
        generator = np.random.default_rng([self.seed, step])
        classes = generator.integers(0, len(self.cells), count, np.int32)
        cells = self.cells[classes]
        pictures = cells[:, 0].astype(np.int32)
        numbers = self._places(generator, cells, side) | self._colours(generator, count)
        spoilings = generator.integers(1, SPOILINGS, count, np.int32)
        spoilings[generator.random(count) >= self.spoiled] = 0
        numbers |= {"picture": pictures, "spoiling": spoilings}
        return numbers, classes, pictures * SPOILINGS + spoilings

    def _places(self, generator: np.random.Generator, cells: npt.NDArray[np.float32], side: int) -> Numbers:
        # Rows and columns [B, side] of an upright grid about nothing, its turn (sine, cosine) and its centre.
        turn, scale, aspect = generator.normal(0, [[0.2], [0.22], [0.06]], (3, len(cells)))
        half = cells[:, 3:4]
        wander = np.where(half > 100, half - side / 2, 0.7 * (half - 6))
        centre = cells[:, 1:3] + wander * generator.uniform(-1, 1, (len(cells), 2))
        scale = np.exp(np.clip(scale, -0.6, 0.6))
        line = np.arange(side) - (side - 1) / 2
        places = {
            "rows": (scale * np.exp(aspect))[:, None] * line,
            "columns": (scale * np.exp(-aspect))[:, None] * line,
            "turn": np.stack([np.sin(turn), np.cos(turn)], axis=-1),
            "centre": centre,
        }
        return {name: array.astype(np.float32) for name, array in places.items()}

    def _colours(self, generator: np.random.Generator, count: int) -> Numbers:
        # Colour balance [B, 3]; contrast, brightness and noise's strength [B, 3]; where noise is read [B].
        contrast, offset, grain = generator.standard_normal((3, count))
        tone = np.stack([np.exp(0.15 * contrast), 12 * offset, self.grain * grain], axis=-1)
        return {
            "balance": np.exp(generator.normal(0, 0.04, (count, 3))).astype(np.float32),
            "tone": tone.astype(np.float32),
            "noise": generator.integers(0, NORMALS, count, np.int32),
        }


class Cutter(keras.layers.Layer):  # type: ignore[misc]
    """Crops, preprocessed, float32 [B, side, side, 3], as the numbers of `Sampler.batch` say."""

    def __init__(self, atlas: Atlas) -> None:
        super().__init__(name="cutter", trainable=False)
        pixels = atlas.pictures.reshape(-1, 3)
        self.size = atlas.pictures.shape[1]
        # Weights, not constants: a compiled step takes them as they are.
        self.pixels = self._held(pixels, "uint8")
        self.normals = self._held(np.random.default_rng(0).standard_normal(NORMALS, np.float32), "float32")

    def _held(self, array: npt.NDArray[Any], dtype: str) -> Any:
        return self.add_weight(
            shape=array.shape, dtype=dtype, trainable=False, initializer=lambda *_, **__: array
        )

    def compute_output_shape(self, input_shape: dict[str, Any]) -> tuple[Any, ...]:
        count, side = input_shape["rows"]
        return count, side, side, 3

    def call(self, numbers: dict[str, Any]) -> Any:
        """The crops."""
        spoiling = numbers["spoiling"][:, None, None, None]
        places = grid_places(numbers)
        moved = places + FROST * self.noise(numbers["noise"], ops.shape(places)[1:])
        crops = self.read(numbers["picture"], ops.where(spoiling == 2, moved, places))
        crops = ops.where(spoiling == 1, soften(crops), crops)
        return preprocess(self.recolour(crops, numbers))

    def noise(self, starts: Any, shape: tuple[int, ...]) -> Any:
        """Normal numbers [B, *shape], read in order from each start [B]."""
        places = (starts[:, None] + ops.arange(math.prod(shape))) % NORMALS
        return ops.reshape(ops.take(self.normals, places), (-1, *shape))

    def read(self, pictures: Any, places: Any) -> Any:
        """Pictures [B] at places [B, h, w, 2], bilinear, mirrored at the borders; float32 0..255."""
        last = self.size - 1.0
        places = ops.clip(last - ops.abs(last - ops.abs(places)), 0.0, last - 0.01)
        corner = ops.floor(places)
        rest = places - corner
        corner = ops.cast(corner, "int32")
        start = (pictures[:, None, None] * self.size + corner[..., 0]) * self.size + corner[..., 1]
        total = 0.0
        for row in (0, 1):
            for column in (0, 1):
                weight = (rest[..., 0] if row else 1 - rest[..., 0]) * (
                    rest[..., 1] if column else 1 - rest[..., 1]
                )
                value = ops.take(self.pixels, start + (row * self.size + column), axis=0)
                total = total + weight[..., None] * ops.cast(value, "float32")
        return total

    def recolour(self, crops: Any, numbers: dict[str, Any]) -> Any:
        """Crops 0..255 with changed contrast, colour balance and brightness, and a little noise."""
        contrast, offset, grain = (numbers["tone"][:, None, None, index : index + 1] for index in range(3))
        mean = ops.mean(crops, axis=(1, 2), keepdims=True)
        crops = (crops - mean) * contrast + mean * numbers["balance"][:, None, None, :] + offset
        crops += grain * self.noise(numbers["noise"], ops.shape(crops)[1:])
        return ops.clip(crops, 0, 255)


def soften(crops: Any) -> Any:
    """Crops [B, h, w, 3] by means over 3 x 3 pixels, twice."""
    for _ in range(2):
        crops = ops.average_pool(crops, 3, 1, padding="same", data_format="channels_last")
    return crops


def grid_places(numbers: dict[str, Any]) -> Any:
    """Row and column in the picture [B, side, side, 2] of each pixel of each crop."""
    rows, columns = numbers["rows"][:, :, None], numbers["columns"][:, None, :]
    sine, cosine = (numbers["turn"][:, index, None, None] for index in (0, 1))
    turned = ops.stack([cosine * rows - sine * columns, sine * rows + cosine * columns], axis=-1)
    return turned + numbers["centre"][:, None, None, :]


def preprocess(pictures: Any) -> Any:
    """RGB 0..255 to BGR less the means, Keras' "caffe" preprocessing."""
    return ops.flip(pictures, axis=-1) - np.asarray(BGR_MEANS, np.float32)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of steps `first` to `last`, the latter not among them, as Keras trains on them.

    Labels: the look for each of the heads but the last, which gets the class.
    """

    def __init__(self, sampler: Sampler, first: int, last: int, *, side: int, count: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.sampler, self.first, self.steps = sampler, first, last - first
        self.side, self.count = side, count

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> tuple[Numbers, tuple[Labels, ...]]:
        numbers, classes, looks = self.sampler.batch(self.first + index, side=self.side, count=self.count)
        return numbers, (*[looks] * (self.heads - 1), classes)
