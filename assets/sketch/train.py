"""Train one backbone's sketch weights: python -m assets.sketch.train --backbone vgg19 --steps 6000."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras

from assets.sketch.atlas import Atlas, cached_atlas, default_cache
from assets.sketch.checkpoints import CheckpointError, restore, save
from assets.sketch.crops import Batches, Sampler
from assets.sketch.objective import HEADS, Plan, adam_w, compile_for, cutting, with_heads
from nst_core.backbones import BACKBONES, Backbone
from nst_core.cli_run import STOPPED, stopping_by_interrupt

WIDTH = 0.25
# Far from every training step's crops.
SETTLING_STEP, EVALUATION_STEP = 1 << 40, 1 << 41
CLEAN_GRAIN = 4.0  # of 255: noise of the crops that the end is settled and measured on
LAST = f"head{HEADS - 1}"  # the head that names the class


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the training curve; loss in nats, `right` the share of crops put in their class."""

    step: int
    loss: float
    right: float
    seconds: float


class Training:
    """A network in training that can be stopped at any step and goes on from its last checkpoint."""

    def __init__(
        self, backbone: Backbone, plan: Plan, atlas: Atlas, *, folder: Path, width: float = WIDTH
    ) -> None:
        keras.utils.set_random_seed(plan.seed)
        self.plan, self.folder = plan, folder
        self.architecture = backbone.architecture(width)
        self.body, self.model = with_heads(
            backbone, self.architecture, classes=len(atlas.cells), pictures=len(atlas.pictures)
        )
        self.optimizer = adam_w(plan, self.model)
        self.sampler = Sampler(atlas, plan.seed)
        self.clean = Sampler(atlas, plan.seed, spoiled=0, grain=CLEAN_GRAIN)
        self.whole = cutting(atlas, self.model)
        compile_for(self.whole, self.optimizer)
        self.curve: list[Point] = []
        self.step, self.seconds = restore(folder, self.variables, settings=asdict(plan))
        if self.step:
            self.curve = [point for point in read_curve(folder) if point.step <= self.step]

    @property
    def variables(self) -> list[Any]:
        """Everything that a checkpoint holds."""
        return [*self.model.variables, *self.optimizer.variables]

    def run(self, *, until: int | None = None, every: int = 50, keep: int = 500) -> Iterator[Point]:
        """Train to the plan's end (or `until`): a point `every` so many steps, a checkpoint each `keep`."""
        began = time.perf_counter() - self.seconds
        last = self.plan.steps if until is None else until
        while self.step < last:
            side, count = self.plan.shape(self.step)
            stop = min(last, self.step + every - self.step % every, self.plan.same_shape_until(self.step))
            batches = Batches(self.sampler, self.step, stop, side=side, count=count, heads=HEADS)
            told = self.whole.fit(batches, shuffle=False, verbose=0).history
            kept, self.step = self.step // keep, stop
            self.seconds = time.perf_counter() - began
            point = Point(stop, told[f"{LAST}_loss"][0], told[f"{LAST}_right"][0], self.seconds)
            self.curve.append(point)
            yield point
            if stop // keep > kept or stop == last:
                self.save()

    def save(self) -> None:
        """Keep everything as it is after the last point."""
        save(self.folder, self.variables, settings=asdict(self.plan), step=self.step, seconds=self.seconds)
        write_curve(self.folder, self.curve)

    def settle(self) -> None:
        """Average the batch statistics anew with the weights held still, over large crops.

        The running averages of training lag behind the weights (Wu and Johnson 2021, section 3). An epoch at
        a rate of nothing moves only them, and forgets all but 1/e^6 of what they were.
        """
        count = self.plan.settling
        if not count:
            return
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = max(0.0, 1 - 6 / count)
        still = keras.Model(self.whole.input, self.whole.output)
        compile_for(still, keras.optimizers.SGD(0.0))
        still.fit(self._large(SETTLING_STEP, count, 48), shuffle=False, verbose=0)

    def accuracy(self) -> float:
        """Share of fresh unspoiled crops put in their class, the batch normalisations as at inference."""
        fresh = self._large(EVALUATION_STEP, self.plan.evaluation, 64)
        return float(self.whole.evaluate(fresh, verbose=0, return_dict=True)[f"{LAST}_right"])

    def _large(self, first: int, steps: int, count: int) -> Batches:
        side = self.plan.large_crop
        return Batches(self.clean, first, first + steps, side=side, count=count, heads=HEADS)


def write_curve(folder: Path, curve: list[Point]) -> None:
    """The whole curve, one JSON object a line."""
    part = folder / "curve.part"
    part.write_text("".join(json.dumps(asdict(point)) + "\n" for point in curve))
    part.replace(folder / "curve.jsonl")


def read_curve(folder: Path) -> list[Point]:
    """The curve as last written."""
    return [Point(**json.loads(line)) for line in (folder / "curve.jsonl").read_text().splitlines()]


def show(point: Point, steps: int) -> None:
    """A bar that overwrites itself on a terminal and is a line in a log."""
    done = point.step / steps
    left = point.seconds / max(done, 1e-9) * (1 - done)
    bar = "#" * int(24 * done) + "." * (24 - int(24 * done))
    text = (
        f"[{bar}] {point.step}/{steps} loss {point.loss:.3f} right {point.right:.1%} {left / 60:.1f} min left"
    )
    print(text, end="\r" if sys.stdout.isatty() else "\n", flush=True)


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", choices=sorted(BACKBONES), required=True)
    parser.add_argument("--steps", type=_at_least(1), default=6000)
    parser.add_argument("--seed", type=_at_least(0), default=0)
    parser.add_argument("--batch", type=_at_least(1), default=96)
    parser.add_argument("--crop", type=_at_least(32), default=48, help="side of the smaller crops, pixels")
    parser.add_argument(
        "--large-crop", type=_at_least(32), default=80, help="side of the crops at the end, pixels"
    )
    parser.add_argument("--large-batch", type=_at_least(1), default=48)
    parser.add_argument("--textures", type=_at_least(1), default=12, help="generated pictures of each family")
    parser.add_argument("--width", type=float, default=WIDTH, help="share of the published width")
    parser.add_argument(
        "--cache", type=Path, default=default_cache(), help="folder for pictures and checkpoints"
    )
    parser.add_argument("--bf16", action="store_true", help="let oneDNN compute in bfloat16")
    parser.add_argument("--note", default="", help="anything else to say in the JSON file")
    parser.add_argument("--no-export", action="store_true", help="leave the files in this folder alone")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    """What argparse calls for a whole number that may not be smaller."""

    def number(text: str) -> int:
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more; received {value}")
        return value

    number.__name__ = "whole number"  # argparse's word for what is no number at all
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, going on where a stopped training ended, then write the weights beside this file.

    The exit code: 0, or 130 when Ctrl-C stopped it, which keeps what was trained. A second one keeps less.
    """
    parser = options()
    asked = parser.parse_args(arguments)
    if asked.bf16:
        if keras.backend.backend() != "tensorflow":
            parser.error("--bf16 is for Keras on TensorFlow; leave it out or set KERAS_BACKEND=tensorflow.")
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": True})
    print("Painting pictures to learn from, some minutes unless they are in the cache.", flush=True)
    atlas = cached_atlas(asked.cache, each=asked.textures, seed=asked.seed)
    print(f"{len(atlas.pictures)} pictures, {len(atlas.cells)} classes", flush=True)
    given = ("steps", "seed", "batch", "crop", "large_crop", "large_batch")
    plan = Plan(**{name: getattr(asked, name) for name in given})
    backbone, folder = BACKBONES[asked.backbone], asked.cache / asked.backbone
    try:
        training = Training(backbone, plan, atlas, folder=folder, width=asked.width)
    except CheckpointError as error:
        parser.error(str(error))
    if not finish(training):
        print(f"\nStopped and kept at step {training.step}; the same command goes on from there.")
        return STOPPED
    if not asked.no_export:
        from assets.sketch.export import export

        notes = {"bfloat16": asked.bf16, "note": asked.note}
        export(training, atlas, asked.backbone, Path(__file__).parent, notes=notes)
    return 0


def finish(training: Training) -> bool:
    """Train to the plan's end, showing how far it is; False when Ctrl-C stopped it at a point, kept."""
    with stopping_by_interrupt() as stop:
        for point in training.run():
            show(point, training.plan.steps)
            if stop.is_set() and point.step < training.plan.steps:
                training.save()
                return False
    return True


if __name__ == "__main__":
    sys.exit(main())
