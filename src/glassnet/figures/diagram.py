"""A network as a diagram: its layers from left to right, to scale, with shapes and parameter counts.

The drawing is at most 12.8 inches wide, so that it fills a slide of 1280 × 720 pixels; long networks go on in rows.
What is to scale stands in `glassnet.figures.stages`, and in words below the drawing.
"""

import math
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch, Rectangle
from matplotlib.path import Path

from glassnet.figures.canvas import BLUE, GRAY, LIGHT, bare, sheet
from glassnet.figures.stages import (
    ABOVE,
    BELOW,
    FOOT,
    HEAD,
    MARGIN,
    SMALL,
    TITLE,
    Scale,
    Stage,
    circles,
    fold,
    half_bar,
    lay_out,
    patch_of,
    place,
    row_width,
    text_height,
    text_width,
)
from glassnet.network import Summary

MERGING = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")


def draw_network(summary: Summary) -> Figure:
    """Draw a network, at most as wide as a slide.

    Args:
        summary: what `glassnet.network.summarize` says about it.

    Example:
        >>> from glassnet import network, recipes
        >>> summary = network.summarize(recipes.find("baseline").build((28, 28), 10))
        >>> bool(draw_network(summary).get_size_inches().max() <= 12.8)
        True
    """
    stages, tail = fold(summary)
    lines, scale = lay_out(stages, tail)
    height = scale.zone + text_height(stages)
    width = max(row_width(line, tail if line is lines[-1] else [], scale) for line in lines)
    width = max(width, text_width(_title(summary), TITLE) + 2 * MARGIN, 6.4)
    figure = sheet(width, HEAD + FOOT + height * len(lines), arranged=False)
    axes = figure.add_axes((0, 0, 1, 1))
    bare(axes)
    axes.set_xlim(0, width)
    axes.set_ylim(0, HEAD + FOOT + height * len(lines))
    _text(axes, width / 2, FOOT + height * len(lines) + 0.28, _title(summary), TITLE, va="center")
    _text(axes, width / 2, FOOT / 2, _legend(summary, stages, width), SMALL, va="center", color=GRAY)
    before: Stage | None = None
    for number, line in enumerate(lines):
        middle = FOOT + height * (len(lines) - number - 0.5)
        last = line is lines[-1]
        place(line, tail if last else [], scale, width)
        for stage in line:
            if stage is line[0] and before is not None:
                _turn(axes, before, stage, middle + height, middle, scale, width)
            elif before is not None:
                _connect(axes, before, stage, middle, scale)
            before = stage
        for stage in line:
            _draw(axes, stage, middle, scale)
            _text(axes, stage.x, middle + scale.zone / 2 + 0.06, stage.above, ABOVE, va="bottom")
            shade = "black" if stage.layer and stage.layer.arithmetic else GRAY
            _text(axes, stage.x, middle - scale.zone / 2 - 0.06, stage.below, BELOW, va="top", color=shade)
        if last and tail and before:
            start = before.x + scale.size(before)[0] / 2 + 0.06
            end = start + text_width("\n".join(tail), SMALL) + 0.4
            _arrow(axes, (start, middle), (end, middle))
            _label(axes, (start + end) / 2 - 0.03, middle, tail)
    return figure


def _draw(axes: Any, stage: Stage, middle: float, scale: Scale) -> None:
    """Draw what a layer gives."""
    if stage.is_map:
        width, height = scale.side(stage.pixels[1]), scale.side(stage.pixels[0])
        left, bottom = _corner(stage, middle, scale)
        count = scale.sheets(stage.shape[-1]) if len(stage.shape) > 2 else 1
        for number in reversed(range(count)):
            corner = left + number * scale.shift, bottom + number * scale.shift
            depth = 3 + 0.01 * (count - number)
            axes.add_patch(
                Rectangle(corner, width, height, facecolor="white", edgecolor=GRAY, linewidth=0.8, zorder=depth)
            )
    elif stage.is_dense:
        heights, gap = circles(stage, scale)
        radius = min(0.085, 0.4 * (heights[0] - heights[1])) if len(heights) > 1 else 0.085
        for y in heights:
            axes.add_patch(Circle((stage.x, middle + y), radius, facecolor=BLUE, edgecolor="white", zorder=3))
        if gap is not None:
            _text(axes, stage.x, middle + gap, "⋮", 11, va="center")
    else:
        half = half_bar(stage, scale)
        corner = stage.x - 0.06, middle - half
        axes.add_patch(Rectangle(corner, 0.12, 2 * half, facecolor=LIGHT, edgecolor=GRAY, linewidth=0.8, zorder=3))


def _connect(axes: Any, before: Stage, stage: Stage, middle: float, scale: Scale) -> None:
    """Draw how a stage takes its values: a kernel's cone, the lines of a dense layer, or an arrow."""
    start = before.x + scale.size(before)[0] / 2 + 0.05
    end = stage.x - scale.size(stage)[0] / 2 - 0.05
    between = (start + end) / 2
    if patch := patch_of(before, stage):
        left, bottom = _corner(stage, middle, scale)
        target = left + 0.22 * scale.side(stage.pixels[1]), bottom + 0.78 * scale.side(stage.pixels[0])
        low, high = _cone(axes, before, patch, middle, target, scale, _colour(stage))
        axes.add_patch(Circle(target, 0.025, facecolor=_colour(stage), edgecolor="none", zorder=5))
        _text(axes, between, max(high, target[1]) + 0.03, _times(patch), SMALL, va="bottom", color=_colour(stage))
        _label(axes, between, min(low, target[1]) - 0.1, stage.labels, va="top")
    elif stage.is_dense:
        points = [
            (x, middle + y)
            for start_y in _ends(before, scale)
            for end_y in circles(stage, scale)[0]
            for x, y in ((start - 0.05, start_y), (stage.x, end_y))
        ]
        codes = [Path.MOVETO, Path.LINETO] * (len(points) // 2)
        axes.add_patch(PathPatch(Path(points, codes), fill=False, edgecolor=GRAY, linewidth=0.4, alpha=0.5, zorder=1))
        _label(axes, between, middle, stage.labels)
    else:
        _arrow(axes, (start, middle), (end, middle))
        _label(axes, between, middle, stage.labels)


def _cone(
    axes: Any,
    before: Stage,
    patch: tuple[int, int],
    middle: float,
    target: tuple[float, float],
    scale: Scale,
    colour: str,
) -> tuple[float, float]:
    """Draw a kernel on the front sheet of a feature map, and lines to the one value that it gives there.

    Returns:
        Between which heights the kernel is.
    """
    left, bottom = _corner(before, middle, scale)
    width, height = scale.side(before.pixels[1]), scale.side(before.pixels[0])
    across = max(0.04, width * min(1, patch[1] / before.pixels[1]))
    down = max(0.04, height * min(1, patch[0] / before.pixels[0]))
    x, y = left + 0.78 * (width - across), bottom + 0.78 * (height - down)
    axes.add_patch(Rectangle((x, y), across, down, facecolor=colour, alpha=0.25, edgecolor="none", zorder=4))
    axes.add_patch(Rectangle((x, y), across, down, fill=False, edgecolor=colour, linewidth=1.0, zorder=4))
    for corner in (y, y + down):
        axes.plot([x + across, target[0]], [corner, target[1]], color=colour, linewidth=0.7, zorder=4.5)
    return y, y + down


def _turn(axes: Any, before: Stage, stage: Stage, above: float, middle: float, scale: Scale, width: float) -> None:
    """Lead from the end of one row to the beginning of the next."""
    start = before.x + scale.size(before)[0] / 2 + 0.05
    end = stage.x - scale.size(stage)[0] / 2 - 0.05
    between = (above + middle) / 2
    labels = stage.labels
    if patch := patch_of(before, stage):
        _cone(axes, before, patch, above, (start, above), scale, _colour(stage))
        labels = [_times(patch), *labels]
    path = [(start, above), (width - MARGIN / 2, above), (width - MARGIN / 2, between)]
    path += [(MARGIN / 2, between), (MARGIN / 2, middle), (end, middle)]
    axes.plot(*zip(*path[:-1], strict=True), color=LIGHT, linewidth=1.2, zorder=1, solid_joinstyle="round")
    _arrow(axes, path[-2], path[-1])
    _label(axes, (MARGIN / 2 + end) / 2, middle, labels)


def _colour(stage: Stage) -> str:
    """Blue is what has weights."""
    return BLUE if stage.layer and stage.layer.arithmetic else GRAY


def _times(patch: tuple[int, int]) -> str:
    return f"{patch[0]} × {patch[1]}"


def _corner(stage: Stage, middle: float, scale: Scale) -> tuple[float, float]:
    """Return the lower left corner of a feature map's front sheet."""
    width, height = scale.size(stage)
    return stage.x - width / 2, middle - height / 2


def _ends(stage: Stage, scale: Scale) -> list[float]:
    """Return the heights at which connections leave a stage."""
    if stage.is_dense:
        return circles(stage, scale)[0]
    half = 0.46 * scale.size(stage)[1] if stage.is_map else half_bar(stage, scale)
    return [half * (k / 4 - 1) for k in range(9)]


def _title(summary: Summary) -> str:
    parameters = f"{summary.parameters:,} parameters"
    if summary.trainable != summary.parameters:
        parameters += f", {summary.trainable:,} trainable"
    return f"{summary.name}: {parameters}"


def _legend(summary: Summary, stages: list[Stage], width: float) -> str:
    notes = []
    if any(len(stage.shape) > 2 for stage in stages):
        notes.append("sides: square root of the pixels; sheets: one more for each doubling of the channels")
    if any(stage.is_dense and math.prod(stage.shape) > 10 for stage in stages):
        notes.append("circles: one for each unit up to 10, then one more for each doubling")
    if any(layer.kind in MERGING for layer in summary.layers):
        notes.append("branches are drawn one after the other")
    text = "; ".join(notes)
    return text if text_width(text, SMALL) < width - MARGIN else "\n".join(notes)


def _text(axes: Any, x: float, y: float, text: str, size: float, **options: Any) -> None:
    axes.text(x, y, text, fontsize=size, ha="center", zorder=6, linespacing=1.15, **options)


def _label(axes: Any, x: float, y: float, labels: list[str], *, va: str = "center") -> None:
    """Write the layers that are only labels on a connection."""
    if labels:
        box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": LIGHT, "linewidth": 0.6}
        _text(axes, x, y, "\n".join(labels), SMALL, va=va, bbox=box)


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "->", "color": GRAY, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow, zorder=1)
