"""What bounds a step: python -m tests.bench.step_speed [--backbone vgg19] [--width 1] [--size 512 384].

Our objective and a plain step in the manner of TensorFlow's tutorial (zero padding, max pooling, TensorFlow's
own gradients, Adam on clipped pixels; the same layers) take turns with a matrix product of 4096 cubed, on one
network with random weights in one process. The figures are medians of the seconds on the clock and the least
processor seconds, which a busy machine disturbs less. A rate counts convolutions and Gram products.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from nst_core.architectures import INPUT
from nst_core.backbones import BACKBONES, find_backbone
from nst_core.config import TransferConfig
from nst_core.engine import Engine
from nst_core.estimate import gigaflops, product_gigaflops
from nst_core.features import preprocess
from nst_core.networks import Network, random_network
from nst_core.operations import onednn_computes

CUBE = 4096


def plain_maps(network: Network, picture: tf.Tensor, layers: tuple[str, ...]) -> list[tf.Tensor]:
    """Maps of the layers by TensorFlow's plain operations."""
    maps = {INPUT: preprocess(picture)[tf.newaxis]}
    for layer in network.architecture.up_to(layers):
        source = maps[layer.inputs[0]]
        sides = [[0, 0], [layer.padding] * 2, [layer.padding] * 2, [0, 0]]
        match layer.kind:
            case "convolution":
                kernel, bias = network.arrays[layer.name]
                inside = "SAME" if layer.padding else "VALID"
                made = tf.nn.bias_add(tf.nn.conv2d(source, kernel, layer.stride, inside), bias)
                made = tf.nn.relu(made) if layer.relu else made
            case "max_pool":
                made = tf.nn.max_pool2d(source, layer.kernel, layer.stride, "VALID")
            case "pad":
                made = tf.pad(source, sides)
            case "add":
                made = source + maps[layer.inputs[1]]
            case _:
                made = tf.nn.relu(source)
        maps[layer.name] = made
    return [maps[name] for name in layers]


def plain_step(
    network: Network, style: tuple[str, ...], content: str, picture: np.ndarray
) -> Callable[[], None]:
    """One step of Adam on pixels, its targets the maps of the noisy picture."""
    tensors = {name: tuple(tf.constant(each) for each in pair) for name, pair in network.arrays.items()}
    network = Network(network.architecture, tensors)
    names = (*style, content)

    def grams(maps: list[tf.Tensor]) -> list[tf.Tensor]:
        return [
            tf.linalg.einsum("bijc,bijd->bcd", each, each)
            / tf.cast(tf.shape(each)[1] * tf.shape(each)[2], tf.float32)
            for each in maps
        ]

    targets = plain_maps(network, tf.constant(picture), names)
    wanted = grams(targets[:-1])
    pixels = tf.Variable(
        np.clip(picture + np.random.default_rng(1).normal(0, 0.1, picture.shape), 0, 1), dtype=tf.float32
    )
    first, second = tf.Variable(tf.zeros_like(pixels)), tf.Variable(tf.zeros_like(pixels))

    @tf.function(autograph=False)
    def step() -> None:
        with tf.GradientTape() as tape:
            maps = plain_maps(network, pixels, names)
            loss = tf.add_n(
                [tf.reduce_mean((a - b) ** 2) for a, b in zip(grams(maps[:-1]), wanted, strict=True)]
            )
            loss += tf.reduce_mean((maps[-1] - targets[-1]) ** 2)
        gradient = tape.gradient(loss, pixels)
        first.assign(0.99 * first + 0.01 * gradient)
        second.assign(0.999 * second + 0.001 * gradient**2)
        pixels.assign(tf.clip_by_value(pixels - 0.02 * first / (tf.sqrt(second) + 0.1), 0.0, 1.0))

    return step


def our_step(network: Network, config: TransferConfig, picture: np.ndarray) -> Callable[[], object]:
    """One evaluation of the objective with its gradient."""
    engine = Engine({config.backbone: network}, config)
    ones = tuple(1.0 for _ in config.style_layers or ())
    targets = engine.targets(picture, picture, style_weights=ones, content_weights=(1.0,), balance="relative")
    noisy = np.clip(picture + np.random.default_rng(1).normal(0, 0.1, picture.shape), 0, 1).astype(np.float32)
    return lambda: engine.evaluate(tf.constant(noisy), targets, (0.1, 1.0, 0.01))


def measure(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, tuple[float, float]]:
    """Of each the median seconds and the least processor seconds, in turns; the first turn compiles."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            began, used = time.perf_counter(), time.process_time()
            step()
            times[name].append((time.perf_counter() - began, time.process_time() - used))
    return {
        name: (statistics.median(wall for wall, _ in pairs[1:]), min(used for _, used in pairs[1:]))
        for name, pairs in times.items()
    }


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", choices=list(BACKBONES), default="vgg19")
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--size", type=int, nargs=2, default=(512, 384), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    row = find_backbone(options.backbone)
    network = random_network(row.architecture(options.width), seed=0)
    picture = np.random.default_rng(0).random((*reversed(options.size), 3), np.float32)
    config = TransferConfig(
        backbone=row.name,
        weights="random",
        style_layers=tuple((name, 1.0) for name in row.style_layers),
        content_layers=((row.content_layer, 1.0),),
    )
    cube = tf.random.normal([CUBE, CUBE])
    steps = {
        "ours": our_step(network, config, picture),
        "plain": plain_step(network, row.style_layers, row.content_layer, picture),
        "matrix product": lambda: tf.matmul(cube, cube)[0, 0].numpy(),
    }
    size = (options.size[0], options.size[1])
    work = gigaflops(network.architecture, (*row.style_layers, row.content_layer), size)
    work += product_gigaflops(network.architecture, row.style_layers, size)
    measured = measure(steps, options.rounds)
    words = " x ".join(map(str, size))
    onednn = "on" if onednn_computes() else "off"
    print(f"{row.label}, width {options.width:g}, {words}: {work:.1f} GFLOP a step; oneDNN {onednn}\n")
    print("| what | ms | processor ms | GFLOP/s | GFLOP a processor second |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (wall, used) in measured.items():
        done = 2 * CUBE**3 / 1e9 if name == "matrix product" else work
        print(f"| {name} | {1e3 * wall:.0f} | {1e3 * used:.0f} | {done / wall:.0f} | {done / used:.0f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory of the process: {peak:.0f} MiB.")


if __name__ == "__main__":
    main()
