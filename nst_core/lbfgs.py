"""L-BFGS: a search for the least loss that asks where to look and is told what was found there."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CORRECTIONS = 10  # pairs of moves and gradient changes that are remembered, each two pictures
TRIALS = 10  # points along one direction before the search gives up
LOWER, FLATTER = 1e-3, 0.9  # Wolfe's conditions: of the promised gain the least share, of the slope the most
EPSILON = float(np.finfo(np.float32).eps)
CHUNK = 1 << 14  # values of every remembered vector at a time: they stay in the processor's cache

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bounds = tuple[float, float] | None
Search = Generator[Floats, tuple[float, Floats], str]


@dataclass(frozen=True, slots=True)
class Place:
    """A point, flat, with the loss and the gradient found there."""

    point: Floats
    loss: float
    gradient: Floats


def search(start: Floats, bounds: Bounds = None) -> Search:
    """The points, flat, at which loss and gradient are wanted; they are to be sent. Returns why it ended.

    It is stopped from outside; by itself it ends only where nothing lower is found. Within bounds, values
    that the gradient pushes against their bound stay there, the others are clipped on their way (after
    Bertsekas 1982, who also holds those that are merely near a bound).

    The first step leads as far as the slope would bring the loss to zero (Polyak 1969): a picture's losses
    begin at several times the least they can be, so that is the right order of length at any scale of them.
    A line without anything lower has all that is remembered forgotten, and the next one is straight downhill.
    """
    here, curvature, length = Place(start, *(yield start)), Curvature(start.size), 0.0
    while True:
        direction = _downward(curvature, here, bounds)
        slope = float(direction @ here.gradient)
        if not slope < 0:
            return "no direction leads down"
        step = 1.0
        if not curvature.pairs:  # straight downhill, where the slope is the gradient's square
            step = length / math.sqrt(-slope) if length else abs(here.loss / slope) or 1.0
        there = yield from _along(here, direction, _Bracket(here.loss, slope, step), bounds)
        if there is not None:
            length = _remember(curvature, here, there, bounds)
            here = there
        elif curvature.pairs:
            curvature.forget()
        else:
            return "the line search failed"


def _downward(curvature: Curvature, here: Place, bounds: Bounds) -> Floats:
    if bounds is None:
        return curvature.direction(here.gradient)
    held_low = (here.point <= bounds[0]) & (here.gradient > 0)
    held_high = (here.point >= bounds[1]) & (here.gradient < 0)
    free = ~(held_low | held_high)
    return free * curvature.direction(free * here.gradient)


def _along(
    here: Place, direction: Floats, bracket: _Bracket, bounds: Bounds
) -> Generator[Floats, tuple[float, Floats], Place | None]:
    """A place along the direction that is lower and flatter, or but lower; None where there is no such."""
    lower = None
    for _ in range(TRIALS):
        point, promised, moving = here.point + np.float32(bracket.step) * direction, bracket.promised, None
        if bounds is not None:
            free, point = point, np.clip(point, *bounds)
            moving, promised = free == point, min(float(here.gradient @ (point - here.point)), 0.0)
            del free  # a picture, for as long as the loss is being evaluated
        place = Place(point, *(yield point))
        slope = float((direction if moving is None else direction * moving) @ place.gradient)
        if not (place.loss < here.loss + LOWER * promised and math.isfinite(slope)):
            bracket.shorten(place.loss)
        elif slope < FLATTER * bracket.slope:
            bracket.lengthen(place.loss, slope)
            lower = place
        else:
            return place
        del place
    return lower


def _remember(curvature: Curvature, here: Place, there: Place, bounds: Bounds) -> float:
    """Note what the move tells of the curvature; how long it was."""
    move, change = there.point - here.point, there.gradient - here.gradient
    if bounds is not None:
        change *= move != 0  # what is held tells nothing of the others
    return curvature.add(move, change)


class _Bracket:
    """The next step along a direction, between one that stopped too early and one that went too far.

    After Lewis and Overton (2013), "Nonsmooth optimization via quasi-Newton methods", algorithm 2.6, which
    halves or doubles; here the loss and the slopes tell where between.
    """

    def __init__(self, loss: float, slope: float, step: float) -> None:
        self.slope, self.step = slope, step
        self._early, self._loss, self._slope = 0.0, loss, slope
        self._far = math.inf

    @property
    def promised(self) -> float:
        """The change of loss that the slope at the start promises for the step."""
        return self.step * self.slope

    def shorten(self, loss: float) -> None:
        """The loss did not fall enough: to the lowest point of the parabola through it."""
        self._far, ahead = self.step, self.step - self._early
        excess = loss - self._loss - self._slope * ahead
        lowest = -self._slope * ahead**2 / (2 * excess) if excess > 0 else ahead / 2
        self.step = self._early + min(max(lowest, 0.1 * ahead), 0.6 * ahead)

    def lengthen(self, loss: float, slope: float) -> None:
        """It still falls steeply: to where the slope would be zero, or halfway to what was too far."""
        ahead = self.step - self._early
        flat = ahead * slope / (self._slope - slope) if slope > self._slope else math.inf
        self._early, self._loss, self._slope = self.step, loss, slope
        if self._far < math.inf:
            self.step = (self._early + self._far) / 2
        else:
            self.step += min(max(flat, 0.1 * ahead), 4 * ahead)


class Curvature:
    """What the last moves s and gradient changes y tell of the inverse Hessian (Nocedal 1980).

    The two loops of Nocedal and Wright (2006), algorithm 7.4, are run on coefficients of the remembered
    vectors, from their inner products (Chen, Wang and Zhou 2014, "Large-scale L-BFGS using MapReduce"): two
    passes over the memory for a direction, instead of one for every pair and loop.
    """

    def __init__(self, size: int, most: int = CORRECTIONS) -> None:
        self._most = most
        self._rows = np.zeros((2 * most, size), np.float32)  # every s, then every y
        self._moves_changes = np.zeros((most, most))  # s_i . y_j
        self._changes = np.zeros((most, most))  # y_i . y_j
        self._order: list[int] = []  # slots in use, the oldest pair first
        self._newest: list[int] = []  # slots of pairs whose inner products are not known yet

    @property
    def pairs(self) -> int:
        """How many are remembered."""
        return len(self._order)

    def forget(self) -> None:
        """Begin anew."""
        self._order, self._newest = [], []

    def add(self, move: Floats, change: Floats) -> float:
        """Remember a pair, for the oldest where there is no more room; not one that does not curve upward.

        Returns how long the move is.
        """
        length = float(np.linalg.norm(move))
        if not move @ change > EPSILON * length * np.linalg.norm(change):
            return length
        slot = self.pairs if self.pairs < self._most else self._order.pop(0)
        self._order.append(slot)
        self._rows[slot], self._rows[self._most + slot] = move, change
        self._newest.append(slot)
        return length

    def direction(self, gradient: Floats) -> Floats:
        """Minus the inverse Hessian times the gradient; minus the gradient while nothing is remembered."""
        if not self._order:
            return -gradient
        scale, coefficients = self._coefficients(self._products(gradient))
        found = np.empty_like(gradient)
        for part in _chunks(gradient.size):
            found[part] = coefficients @ self._rows[:, part] - scale * gradient[part]
        return found

    def _products(self, gradient: Floats) -> Doubles:
        """Each remembered vector times the gradient, added up in float64; those of new pairs are noted."""
        vectors = [gradient, *(self._rows[self._most + slot] for slot in self._newest)]
        products = np.zeros((len(vectors), 2 * self._most))
        for part in _chunks(gradient.size):
            rows = self._rows[:, part]
            products += [rows @ vector[part] for vector in vectors]
        for slot, known in zip(self._newest, products[1:], strict=True):
            self._moves_changes[:, slot] = known[: self._most]
            self._changes[:, slot] = self._changes[slot] = known[self._most :]
        self._newest = []
        return np.asarray(products[0])

    def _coefficients(self, products: Doubles) -> tuple[np.float32, Floats]:
        """How much of the gradient, downward, and of each remembered vector the direction is made of."""
        moves, changes = products[: self._most], products[self._most :]
        curvatures = self._moves_changes.diagonal()
        first, second = np.zeros((2, self._most))
        for i in reversed(self._order):
            first[i] = (moves[i] - self._moves_changes[i] @ first) / curvatures[i]
        newest = self._order[-1]
        scale = curvatures[newest] / self._changes[newest, newest]
        for i in self._order:
            along = scale * (changes[i] - self._changes[i] @ first) + self._moves_changes[:, i] @ second
            second[i] = first[i] - along / curvatures[i]
        return np.float32(scale), np.concatenate([-second, scale * first]).astype(np.float32)


def _chunks(size: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK) for start in range(0, size, CHUNK))
