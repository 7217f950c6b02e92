"""Loss curves as inline SVG, drawn here so that a report needs nothing from anywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from nst_core.series import Series, values

# Units of the drawing; at the width it is shown at, one is about a pixel.
WIDTH, HEIGHT = 440, 280
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 22, 40
DASHES = {"solid": "", "dash": "8 4", "dot": "2 3", "dashdot": "8 3 2 3", "longdash": "14 4"}
MOST_TICKS = 6

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Frame:
    """From (step, loss) to the drawing: steps evenly, losses by their logarithm."""

    last: int
    low: float  # log10 of the least and the largest loss
    high: float

    def x(self, step: float) -> float:
        return LEFT + (step - 1) / max(1, self.last - 1) * (WIDTH - LEFT - RIGHT)

    def y(self, loss: float) -> float:
        return TOP + (self.high - math.log10(loss)) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)


def loss_curves(lines: Sequence[Series], *, part: str, title: str) -> str:
    """An `<svg>` of one loss (see `figures.values`) of several runs over the steps, on a logarithmic axis.

    A dot is a run's best step, a thin line where the picture changes its size. Losses of 0, and those that
    are not finite, have no place on the axis and leave a gap. Colours of text follow the page.
    """
    curves = [_points(line, part) for line in lines]
    losses = [loss for curve in curves for _, loss in curve]
    label = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
    if not losses:
        return f'{label}<text x="{WIDTH / 2}" y="{HEIGHT / 2}" class="tick middle">always 0</text></svg>'
    frame = _frame(losses, max(len(line.steps) for line in lines))
    marks = "".join(
        _curve(line, curve, frame) + _best(line, curve, frame)
        for line, curve in zip(lines, curves, strict=True)
    )
    return f"{label}{_loss_axis(frame)}{_step_axis(frame)}{_sizes(lines, frame)}{marks}</svg>"


def _points(line: Series, part: str) -> list[Point]:
    numbers = zip(line.steps, values(line, part), strict=True)
    return [(step.index, loss) for step, loss in numbers if math.isfinite(loss) and loss > 0]


def _frame(losses: Sequence[float], last: int) -> _Frame:
    low, high = math.log10(min(losses)), math.log10(max(losses))
    if high - low < 0.1:  # a nearly level line in the middle
        low, high = low - 0.1, high + 0.1
    room = (high - low) * 0.05
    return _Frame(last, low - room, high + room)


def _curve(line: Series, curve: Sequence[Point], frame: _Frame) -> str:
    """Polylines without the gaps; a step that stands alone is drawn by its dot, or by a short stroke."""
    pieces: list[list[Point]] = []
    for point in curve:
        if not pieces or point[0] != pieces[-1][-1][0] + 1:
            pieces.append([])
        pieces[-1].append(point)
    path = "".join(
        "M" + "L".join(f"{frame.x(step):.1f} {frame.y(loss):.1f}" for step, loss in piece)
        + ("h1" if len(piece) == 1 else "")
        for piece in pieces
    )  # fmt: skip
    dash = f' stroke-dasharray="{DASHES[line.dash]}"' if DASHES.get(line.dash) else ""
    return f'<path class="curve" d="{path}" stroke="{escape(line.colour)}"{dash}/>'


def _best(line: Series, curve: Sequence[Point], frame: _Frame) -> str:
    loss = dict(curve).get(line.best_step)
    if loss is None:
        return ""
    told = escape(f"{line.label}: best at step {line.best_step}")
    place = f'cx="{frame.x(line.best_step):.1f}" cy="{frame.y(loss):.1f}"'
    return f'<circle class="best" {place} r="4.5" fill="{escape(line.colour)}"><title>{told}</title></circle>'


def loss_ticks(low: float, high: float) -> list[float]:
    """Round losses between two powers of ten (given as exponents): 1, 2, 5 times 10^n, or thinner."""
    exponents = range(math.floor(low), math.ceil(high) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10.0**power for power in exponents for digit in digits]
        inside = [tick for tick in ticks if low <= math.log10(tick) <= high]
        if len(inside) <= MOST_TICKS:
            break
    inside = inside[:: math.ceil(len(inside) / MOST_TICKS)] if inside else inside
    if len(inside) >= 2:
        return inside
    return [float(f"{10 ** (low + (high - low) * share):.2g}") for share in (0.1, 0.5, 0.9)]


def step_ticks(last: int) -> list[int]:
    """1, the last step, and round steps between them, none too near to either end."""
    stride = next(
        digit * 10**power for power in range(9) for digit in (1, 2, 5) if last <= 5 * digit * 10**power
    )
    between = range(stride, last, stride)
    return sorted(
        {1, last, *(step for step in between if stride / 2 < step - 1 and step < last - stride / 2)}
    )


def tick_text(value: float) -> str:
    """A tick's number: plain where it is short, else a power of ten."""
    if 0.001 <= value < 10_000:
        return f"{value:g}"
    digits, exponent = f"{value:.0e}".split("e")
    power = f'10<tspan dy="-4" font-size="9">{int(exponent)}</tspan>'
    return power if digits == "1" else f"{digits}·{power}"


def _loss_axis(frame: _Frame) -> str:
    parts = []
    for tick in dict.fromkeys(loss_ticks(frame.low, frame.high)):
        y = f"{frame.y(tick):.1f}"
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 6}" y="{y}" dy="4">{tick_text(tick)}</text>')
    return "".join(parts)


def _step_axis(frame: _Frame) -> str:
    foot = HEIGHT - BOTTOM
    axis = f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{foot}" y2="{foot}"/>'
    ticks = "".join(
        f'<text class="tick {"end" if step == frame.last > 1 else "middle"}"'
        f' x="{frame.x(step) + (RIGHT if step == frame.last > 1 else 0):.1f}" y="{foot + 16}">{step}</text>'
        for step in step_ticks(frame.last)
    )
    middle = (LEFT + WIDTH - RIGHT) / 2
    return f'{axis}{ticks}<text class="tick middle" x="{middle}" y="{HEIGHT - 6}">step</text>'


def _sizes(lines: Sequence[Series], frame: _Frame) -> str:
    """Where any run's picture changes its size, and its longer side from there on."""
    changes = {
        (step.index, max(step.size))
        for line in lines
        for before, step in zip(line.steps, line.steps[1:], strict=False)
        if step.scale != before.scale
    }
    return "".join(
        f'<line class="size" x1="{frame.x(index):.1f}" x2="{frame.x(index):.1f}" y1="{TOP}"'
        f' y2="{HEIGHT - BOTTOM}"/><text class="tick middle" x="{frame.x(index):.1f}" y="{TOP - 8}">{side} px'
        "</text>"
        for index, side in sorted(changes)
    )
