"""Small charts as SVG inside a page: lines that carry their names, in the page's own colours."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDE, NARROW = (400, 230), (270, 190)
"""Width and height of a drawing that has half of the page, and of one that has a third."""

LEFT, RIGHT, TOP, BOTTOM = 44, 14, 22, 40

LETTER = 7.0
"""Mean width of a letter of a label, in the units of the drawing."""

LINE_HEIGHT = 13


@dataclass(frozen=True)
class Axis:
    """One direction of a chart.

    Args:
        name: what it counts, with the unit.
        low: its start.
        high: its end.
        ticks: where numbers stand.
        form: how a number is written.
    """

    name: str
    low: float
    high: float
    ticks: tuple[float, ...]
    form: Callable[[float], str] = "{:g}".format


@dataclass(frozen=True)
class Line:
    """Points in order, with a name that stands at the end.

    Args:
        name: is written beside the last point; "" leaves it away.
        points: (x, y).
        look: a class of the page's style sheet: "for", "against" or "quiet".
        sizes: radius of the dot at each point; no dots if empty.
        joined: draw the line between the points.
    """

    name: str
    points: Sequence[tuple[float, float]]
    look: str = "for"
    sizes: Sequence[float] = ()
    joined: bool = True


def chart(lines: Sequence[Line], x: Axis, y: Axis, *, about: str, size: tuple[int, int] = WIDE) -> Markup:
    """Draw lines over two axes.

    Args:
        lines: from back to front.
        x: to the right.
        y: upwards; its name stands above it.
        about: what a reader who does not see the chart is told.
        size: width and height of the drawing.
    """
    width, height = size
    names = max((len(line.name) for line in lines), default=0)
    right = RIGHT + (names * LETTER if names else 0)
    place = _Place(x, y, LEFT, width - right, TOP, height - BOTTOM)
    parts = [*_grid(place), *(_drawn(line, place) for line in lines), *_names(lines, place)]
    return Markup(  # noqa: S704  (all foreign text is escaped)
        f'<svg class="chart" viewBox="0 0 {width} {height}" style="--width:{width}" role="img" '
        f'aria-label="{escape(about)}">{"".join(parts)}</svg>'
    )


def axis(name: str, values: Sequence[float], *, shares: bool = False, zero: bool = False) -> Axis:
    """Return an axis with round numbers that holds all values.

    Args:
        name: what it counts.
        values: those that are drawn.
        shares: they are shares, and written in percent; the axis ends at 100 % at most.
        zero: begin at 0.
    """
    low, high = min(values), max(values)
    low = min(low, 0.0) if zero else low
    if high - low < 1e-9:
        low, high = low - 0.05 * (abs(low) or 1), high + 0.05 * (abs(high) or 1)
    step = _step((high - low) / 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(number * step, 12) for number in range(first, last + 1))
    if shares:
        ticks = tuple(tick for tick in ticks if 0 <= tick <= 1)
        return Axis(name, ticks[0], ticks[-1], ticks, "{:.0%}".format if step > 0.0099 else "{:.1%}".format)
    return Axis(name, ticks[0], ticks[-1], ticks)


def counts(name: str, last: int) -> Axis:
    """Return an axis of whole numbers from 1 to `last`, with at most seven of them written."""
    step = max(1, math.ceil((last - 1) / 6))
    ticks = tuple(float(number) for number in range(1, last + 1, step))
    return Axis(name, 1.0, float(max(2, last)), ticks)


def whole(name: str) -> Axis:
    """Return the axis of all shares, 0 % to 100 %."""
    return Axis(name, 0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0), "{:.0%}".format)


@dataclass(frozen=True)
class _Place:
    """Where numbers lie in the drawing."""

    x: Axis
    y: Axis
    left: float
    right: float
    top: float
    bottom: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x.low) / (self.x.high - self.x.low)
        up = (y - self.y.low) / (self.y.high - self.y.low)
        return (
            round(self.left + across * (self.right - self.left), 1),
            round(self.bottom - up * (self.bottom - self.top), 1),
        )


def _grid(place: _Place) -> list[str]:
    """Draw the numbers of both axes, with a faint line for each height."""
    parts = [f'<text class="axis" x="0" y="10">{escape(place.y.name)}</text>']
    for tick in place.y.ticks:
        _, y = place.at(place.x.low, tick)
        parts.append(f'<path class="rule" d="M{place.left} {y}H{place.right:.1f}"/>')
        parts.append(
            f'<text class="tick" x="{place.left - 6}" y="{y + 4}" text-anchor="end">{place.y.form(tick)}</text>'
        )
    for tick in place.x.ticks:
        x, _ = place.at(tick, place.y.low)
        label = place.x.form(tick)
        parts.append(f'<text class="tick" x="{x}" y="{place.bottom + 16}" text-anchor="middle">{label}</text>')
    middle = (place.left + place.right) / 2
    name = escape(place.x.name)
    parts.append(f'<text class="axis" x="{middle:.1f}" y="{place.bottom + 34}" text-anchor="middle">{name}</text>')
    return parts


def _drawn(line: Line, place: _Place) -> str:
    points = [place.at(x, y) for x, y in line.points]
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    parts = [f'<path class="line {line.look}" d="{path}"/>'] if line.joined and len(points) > 1 else []
    parts += [
        f'<circle class="dot {line.look}" cx="{x}" cy="{y}" r="{size:.1f}"/>'
        for (x, y), size in zip(points, line.sizes, strict=False)
    ]
    return "".join(parts)


def _names(lines: Sequence[Line], place: _Place) -> list[str]:
    """Write each name beside the end of its line, moved apart where they would overlap."""
    wanted = sorted(
        (place.at(*line.points[-1])[::-1], number) for number, line in enumerate(lines) if line.name and line.points
    )
    heights: list[float] = []
    for (y, _), _ in wanted:
        heights.append(max(y, heights[-1] + LINE_HEIGHT) if heights else y)
    over = max(0.0, heights[-1] - place.bottom) if heights else 0.0
    parts = []
    for ((_, x), number), y in zip(wanted, heights, strict=True):
        line = lines[number]
        height = f"{y - over + 4:.1f}"
        parts.append(f'<text class="name {line.look}" x="{x + 7}" y="{height}">{escape(line.name)}</text>')
    return parts


def _step(width: float) -> float:
    """Return the round number (1, 2 or 5 with zeros) next above a width."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= width * (1 - 1e-9))
