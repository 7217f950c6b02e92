"""Batches cut from the atlas inside the TensorFlow graph: a pure function of (seed, step)."""

from typing import Any

from assets.sketch.atlas import Atlas
from nst_core.backbones import BGR_MEANS


class Sampler:
    """Draws jittered, turned, scaled and mildly recoloured crops of the atlas' cells.

    Turns are small and crops are not mirrored, so that direction stays something to be told apart;
    colour changes little, so that colour stays in the features.
    """

    def __init__(self, atlas: Atlas, seed: int) -> None:
        import tensorflow as tf

        self.size = atlas.pictures.shape[1]
        self.pixels = tf.constant(atlas.pictures.reshape(-1, 3))
        self.cells = tf.constant(atlas.cells)
        self.seed = seed

    def batch(self, step: Any, *, side: int, count: int) -> tuple[Any, Any, Any]:
        """Preprocessed crops [count, side, side, 3], and the class and picture of each [count]."""
        import tensorflow as tf

        keys = tf.random.split(tf.stack([tf.constant(self.seed, tf.int64), tf.cast(step, tf.int64)]), 3)
        classes = tf.random.stateless_uniform([count], keys[0], 0, len(self.cells), tf.int32)
        cells = tf.gather(self.cells, classes)
        places = self._places(cells, keys[1], side=side)
        crops = recolour(self._read(tf.cast(cells[:, 0], tf.int32), places), keys[2])
        return preprocess(crops), classes, tf.cast(cells[:, 0], tf.int32)

    def _places(self, cells: Any, key: Any, *, side: int) -> Any:
        # Row and column in the picture [B, side, side, 2] of each pixel of each crop.
        import tensorflow as tf

        count = len(cells)
        keys = tf.random.split(key, 2)
        turn, scale, aspect = tf.unstack(
            tf.random.stateless_normal([3, count], keys[0]) * [[0.2], [0.22], [0.06]]
        )
        wander = cells[:, 3:4] - 6.0
        wander = tf.where(cells[:, 3:4] > 100, cells[:, 3:4] - side / 2, wander * 0.7)
        centre = cells[:, 1:3] + wander * tf.random.stateless_uniform([count, 2], keys[1], -1, 1)
        scale = tf.exp(tf.clip_by_value(scale, -0.6, 0.6))
        row_scale, column_scale = scale * tf.exp(aspect), scale * tf.exp(-aspect)
        line = tf.range(side, dtype=tf.float32) - (side - 1) / 2
        rows = row_scale[:, None, None] * line[None, :, None]
        columns = column_scale[:, None, None] * line[None, None, :]
        sine, cosine = tf.sin(turn)[:, None, None], tf.cos(turn)[:, None, None]
        turned = tf.stack([cosine * rows - sine * columns, sine * rows + cosine * columns], axis=-1)
        return turned + centre[:, None, None, :]

    def _read(self, pictures: Any, places: Any) -> Any:
        # Bilinear reading, the picture mirrored at its borders; float32 0..255.
        import tensorflow as tf

        last = self.size - 1.0
        places = tf.clip_by_value(last - tf.abs(last - tf.abs(places)), 0.0, last - 0.01)
        corner = tf.floor(places)
        rest = places - corner
        corner = tf.cast(corner, tf.int32)
        start = (pictures[:, None, None] * self.size + corner[..., 0]) * self.size + corner[..., 1]
        total = tf.zeros([])
        for row in (0, 1):
            for column in (0, 1):
                weight = (rest[..., 0] if row else 1 - rest[..., 0]) * (
                    rest[..., 1] if column else 1 - rest[..., 1]
                )
                value = tf.cast(tf.gather(self.pixels, start + row * self.size + column), tf.float32)
                total += weight[..., None] * value
        return total


def recolour(crops: Any, key: Any) -> Any:
    """Crops 0..255 with slightly changed brightness, contrast, colour balance and a little noise."""
    import tensorflow as tf

    count = len(crops)
    keys = tf.random.split(key, 3)
    gain = tf.exp(tf.random.stateless_normal([count, 1, 1, 3], keys[0]) * 0.04)
    contrast, offset, grain = tf.unstack(tf.random.stateless_normal([3, count, 1, 1, 1], keys[1]))
    mean = tf.reduce_mean(crops, axis=(1, 2), keepdims=True)
    crops = (crops - mean) * tf.exp(0.15 * contrast) + mean * gain + 12 * offset
    crops += 4 * grain * tf.random.stateless_normal(tf.shape(crops), keys[2])
    return tf.clip_by_value(crops, 0, 255)


def preprocess(pictures: Any) -> Any:
    """RGB 0..255 to BGR less the means, Keras' "caffe" preprocessing."""
    import tensorflow as tf

    return tf.reverse(pictures, [-1]) - tf.constant(BGR_MEANS)
