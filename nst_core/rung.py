"""One rung of the ladder: a canvas of one size, an optimiser on it, and the best picture so far."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nst_core.canvas import canvas_for
from nst_core.choices import JITTERS, LEARNING_RATES
from nst_core.easel import Easel
from nst_core.engine import Losses, weight_shares
from nst_core.images import resize
from nst_core.losses import Targets
from nst_core.material import Material
from nst_core.optimisers import LBFGS, Adam, Descent
from nst_core.plan import rung_method
from nst_core.shifts import STILL, Shift

Pixels = npt.NDArray[np.float32]

WORTH_RESTARTING = 5  # steps, one of them lower, that L-BFGS must have made to be started afresh


class Rung:
    """A rung at work. Made, asked to `advance` as long as it is `ready`, read out by `result`, closed.

    recoveries: how often the run has gone back to its best picture after a loss that was not finite; each
    time Adam's rate is halved, and L-BFGS gives way to Adam.
    """

    def __init__(self, material: Material, scale: int, picture: Pixels, *, recoveries: int = 0) -> None:
        self._material = material
        content, style = material.at(material.sizes[scale])
        size = (content.shape[1], content.shape[0])
        last = scale == len(material.sizes) - 1
        self._canvas, self._optimiser = rung_method(material.config, last=last)
        if self._optimiser == "lbfgs" and max(size) > material.lbfgs_up_to:
            self._canvas, self._optimiser = material.config.canvas, "adam"
        self.easel = Easel(canvas_for(self._canvas, self._optimiser), size)
        self.recoveries = recoveries
        self.best_step = 0
        self.notes: list[str] = []
        self._least = math.inf
        self._best = self.easel.canvas.encode(resize(picture, size))
        self._since = 0  # steps since the optimiser was started
        self._first = math.inf  # the loss at the first of them
        self._targets: dict[Shift, Targets] = {}
        self._pictures = (content, style) if material.config.jitter else None
        if self._pictures is None:
            self._targets[STILL] = material.targets(content, style)
        self._shifts = _shifts(material.config.jitter, material.config.seed + scale)
        self._mean: Any = 0.0
        self._averaged = 0
        self._descent = self._start()  # last: nobody closes a rung that could not be made

    def _start(self) -> Descent:
        self._since = 0
        if self._optimiser == "lbfgs":
            return LBFGS(self.easel.canvas, self._best)
        return Adam(self.easel.canvas, self._best, self._rate())

    def _rate(self) -> float:
        config, name = self._material.config, self._canvas
        # The rate was chosen for the run's own canvas.
        chosen = config.learning_rate if config.canvas == name else None
        return (chosen or LEARNING_RATES[name]) / 2.0**self.recoveries

    def ready(self, steps: int) -> bool:
        """Whether there is a next step. Where L-BFGS has ended it is started afresh once it pays."""
        if self._descent.position() is not None:
            return True
        why = f"L-BFGS ended after step {steps} ({self._descent.ended})"
        if self._since < WORTH_RESTARTING or not self._least < self._first:
            self.notes.append(f"{why}: nothing lower was found, so the size was left there.")
            return False
        self.notes.append(f"{why} and was started afresh from the best picture.")
        self._descent.close()
        self._descent = self._start()
        return self._descent.position() is not None

    def advance(self, step: int) -> tuple[Pixels, Losses]:
        """The next picture, [H, W, 3] in 0..1, not to be changed, and its losses; step: its number in the
        run."""
        factors = self._material.factors
        position: Any = self._descent.position()
        shift = self._shifts[step % len(self._shifts)] if self._optimiser == "adam" else STILL
        picture = self.easel.paint(position)
        losses, gradient = self._material.engine.evaluate(picture, self._targets_at(shift), factors, shift)
        total = losses.total(factors)
        if not math.isfinite(total):
            self._recover(step)
            return picture, losses
        if total < self._least:
            self._least, self._best, self.best_step = total, position, step
        if not self._since:
            self._first = total
        self._since += 1
        self._average(picture)
        # As large as a picture: one of them at a time.
        gradient = self.easel.pull_back(picture, gradient)
        self._descent.advance(losses.total(weight_shares(factors)), gradient)
        return picture, losses

    def _recover(self, step: int) -> None:
        self.recoveries += 1
        self._descent.close()
        how = f"with the learning rate halved to {self._rate():.3g}"
        if self._optimiser == "lbfgs":
            self._optimiser = "adam"
            how = f"and on with Adam, its learning rate {self._rate():.3g}"
        self.notes.append(
            f"The loss was not a finite number at step {step}: went back to the best picture {how}."
        )
        self._descent = self._start()

    def _targets_at(self, shift: Shift) -> Targets:
        if shift not in self._targets and self._pictures is not None:
            content, style = self._pictures
            margin, down, right = shift
            height, width = content.shape[:2]
            sides = ((margin, margin), (margin, margin), (0, 0))
            padded = np.pad(content, sides, "symmetric") if margin else content
            moved = padded[down : down + height, right : right + width]
            self._targets[shift] = self._material.targets(moved, style)
        return self._targets[shift]

    def _average(self, picture: Pixels) -> None:
        decay = float(self._material.config.averaging)
        if decay:
            self._mean = decay * self._mean + (1 - decay) * picture
            self._averaged += 1

    def result(self, before: Pixels) -> Pixels:
        """The picture of least total loss; `before` when there was none whose loss is a finite number."""
        if self._least == math.inf:
            return before
        best = np.clip(self.easel.paint(self._best), 0.0, 1.0)  # a copy: on pixels it is the very parameters
        if not self._averaged:
            return best
        mean = self._mean / (1 - self._material.config.averaging**self._averaged)
        mean = np.clip(mean, 0.0, 1.0)
        # Both at rest: the best one's own loss may be that of a shifted picture.
        least, total = (self._total_of(picture) for picture in (best, mean))
        if not total < least:
            return best
        self.notes.append(
            f"At {max(self.easel.size)} pixels the running average of the pictures had a lower total loss"
            f" ({total:.4g}) than the best single one ({least:.4g}) and was taken."
        )
        return np.asarray(mean, np.float32)

    def _total_of(self, picture: Pixels) -> float:
        losses = self._material.engine.errors(picture, self._targets_at(STILL))
        return losses.total(self._material.factors)

    def close(self) -> None:
        """End the optimiser, at any time."""
        self._descent.close()


def _shifts(jitter: int, seed: int) -> tuple[Shift, ...]:
    if not jitter:
        return (STILL,)
    places = np.random.default_rng(seed).integers(0, 2 * jitter + 1, (JITTERS, 2))
    return tuple((jitter, int(down), int(right)) for down, right in places)
