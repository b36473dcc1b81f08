"""Charts of the lab: curves while they grow, and a histogram of brightness."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from glassnet.lab.parts.markup import escape
from glassnet.sharing.charts import Axis, Line, axis, chart

MOST_TICKS = 8
WIDTH, HEIGHT = 350, 196


def epoch_axis(epochs: int) -> Axis:
    """Return the axis from the first batch to the last epoch."""
    step = max(1, math.ceil(epochs / MOST_TICKS))
    return Axis("epoch", 0.0, float(max(1, epochs)), tuple(float(one) for one in range(0, epochs + 1, step)))


def draw_curves(metric: str, lines: Iterable[Line], epochs: int, *, size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
    """Draw a metric over the epochs, each line named at its end.

    Args:
        metric: "loss" or "accuracy".
        lines: from back to front; what is no number in them is left out.
        epochs: where the axis ends.
        size: width and height of the drawing.
    """
    shares = metric.endswith("accuracy")
    clean = [_finite(line) for line in lines]
    shown = [line for line in clean if line.points]
    values = [y for line in shown for _, y in line.points]
    if not shares and values:  # the first batches' loss would flatten all that follows
        most = 3 * float(np.median(values))
        shown = [_clipped(line, most) for line in shown]
        values = [min(y, most) for y in values]
    y = axis(metric, values, shares=shares, zero=not shares) if values else Axis(metric, 0, 1, (0.0, 0.5, 1.0))
    shown = [_with_value(line, shares) for line in shown]
    ends = ", ".join(line.name for line in shown if line.name)
    about = f"{metric} over the epochs; last values: {ends}" if ends else f"{metric} over the epochs; no value yet"
    return str(chart(shown, epoch_axis(epochs), y, about=about, size=size))


def draw_histogram(counts: Sequence[int], about: str) -> str:
    """Draw how many pixels have which brightness; heights are square roots, so that few are seen too."""
    roots = np.sqrt(np.asarray(counts, float))
    heights = roots / (roots.max() or 1) * 56
    width = 256 / len(counts)
    bars = "".join(
        f'<rect x="{k * width:.1f}" y="{58 - height:.1f}" width="{width - 1:.1f}" height="{height + 0.5:.1f}"/>'
        for k, height in enumerate(heights)
    )
    ends = '<text x="0" y="72">0 black</text><text x="256" y="72" text-anchor="end">255 white</text>'
    return f'<svg class="histogram" viewBox="0 0 256 76" role="img" aria-label="{escape(about)}">{bars}{ends}</svg>'


def _with_value(line: Line, shares: bool) -> Line:
    """Name a line with its last value."""
    last = line.points[-1][1]
    return replace(line, name=f"{line.name} {last:.1%}" if shares else f"{line.name} {last:.3f}") if line.name else line


def _finite(line: Line) -> Line:
    points = [(x, y) for x, y in line.points if math.isfinite(y)]
    return replace(line, points=points, sizes=line.sizes[: len(points)])


def _clipped(line: Line, most: float) -> Line:
    return replace(line, points=[(x, min(y, most)) for x, y in line.points])
