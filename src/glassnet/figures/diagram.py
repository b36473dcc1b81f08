"""A network as a diagram: its layers from left to right with shapes and parameter counts; needs no graphviz."""

import math
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from glassnet.figures.canvas import BLUE, GRAY, LIGHT, bare, sheet
from glassnet.network import LayerSummary, Summary

STEP = 2.3
"""Distance between two layers, in inches."""

MOST_CIRCLES = 10
"""A layer with more neurons is drawn with a gap."""


def draw_network(summary: Summary) -> Figure:
    """Draw a network: images as stacks of sheets, vectors as bars, dense layers as neurons with their connections."""
    columns = [(summary.input_shape, None), *((layer.output_shape, layer) for layer in summary.layers)]
    figure = sheet(max(4.0, STEP * len(columns)), 4.4)
    axes = figure.subplots()
    bare(axes)
    axes.set_xlim(-STEP / 2, STEP * (len(columns) - 0.5))
    axes.set_ylim(-2.2, 2.2)
    axes.set_aspect("equal")
    edges: list[float] = []
    for number, (shape, layer) in enumerate(columns):
        x = number * STEP
        before, edges = edges, _draw_values(axes, x, shape, layer)
        dense = layer is not None and layer.kind == "Dense"
        _connect(axes, x, before, edges, crossed=dense)
        _write(axes, x, shape, layer)
    parameters = f"{summary.parameters:,} parameters"
    if summary.trainable != summary.parameters:
        parameters += f", {summary.trainable:,} trainable"
    axes.set_title(f"{summary.name}: {parameters}")
    return figure


def _draw_values(axes: Any, x: float, shape: tuple[int | None, ...], layer: LayerSummary | None) -> list[float]:
    """Draw what a layer gives; return the heights at which connections start and end."""
    sizes = [size or 1 for size in shape]
    if len(sizes) >= 2:
        side = 0.35 + 0.25 * math.log10(max(sizes[0], 2))
        sheets = min(6, 1 + int(math.log2(sizes[2]))) if len(sizes) > 2 else 1
        for number in range(sheets):
            shift = 0.07 * (number - (sheets - 1) / 2)
            corner = x - side / 2 + shift, -side / 2 - shift
            axes.add_patch(Rectangle(corner, side, side, facecolor="white", edgecolor=GRAY, zorder=2))
        return [0.0]
    count = math.prod(sizes)
    if layer is None or layer.kind != "Dense":
        half = min(1.2, 0.3 + 0.3 * math.log10(count + 1))
        axes.add_patch(Rectangle((x - 0.06, -half), 0.12, 2 * half, facecolor=LIGHT, edgecolor=GRAY, zorder=2))
        return [half * (k / 4 - 1) for k in range(9)]
    shown = min(count, MOST_CIRCLES)
    gap = 1 if count > MOST_CIRCLES else 0
    pitch = 2.4 / MOST_CIRCLES
    slots = [y for y in range(shown + gap) if not gap or y != shown // 2]
    heights = [((shown + gap - 1) / 2 - slot) * pitch for slot in slots]
    for y in heights:
        axes.add_patch(Circle((x, y), 0.09, facecolor=BLUE, edgecolor="white", zorder=3))
    if gap:
        axes.text(x, ((shown + gap - 1) / 2 - shown // 2) * pitch, "⋮", ha="center", va="center")
    return heights


def _connect(axes: Any, x: float, before: list[float], after: list[float], *, crossed: bool) -> None:
    """Draw every connection of a dense layer, or one arrow."""
    if not before:
        return
    if crossed:
        lines = [((x - STEP + 0.1, start), (x - 0.1, end)) for start in before for end in after]
        for start, end in lines:
            axes.plot(*zip(start, end, strict=True), color=GRAY, linewidth=0.4, alpha=0.5, zorder=1)
    else:
        place = {"xy": (x - 0.55, 0), "xytext": (x - STEP + 0.55, 0)}
        axes.annotate("", **place, arrowprops={"arrowstyle": "->", "color": GRAY})


def _write(axes: Any, x: float, shape: tuple[int | None, ...], layer: LayerSummary | None) -> None:
    """Write kind and shape of a layer, and where its parameters come from."""
    size = " × ".join("?" if one is None else f"{one:,}" for one in shape)
    kind = "input" if layer is None else layer.kind + (f" ({layer.activation})" if layer.activation else "")
    axes.text(x, 1.5, f"{kind}\n{size}", ha="center", va="bottom", fontsize=9)
    if layer is None:
        return
    below = layer.arithmetic.replace(" = ", "\n= ") + " parameters" if layer.arithmetic else "no parameters"
    axes.text(x, -1.5, below, ha="center", va="top", fontsize=8, color="black" if layer.arithmetic else GRAY)
