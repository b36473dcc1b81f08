"""One neuron's arithmetic as a picture: image, weights, products, and the way from the largest terms to the sum."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glassnet.figures.canvas import BLUE, GRAY, LIGHT, ORANGE, PUSH, bare, open_frame, sheet, show_pixels
from glassnet.types import Image

if TYPE_CHECKING:
    from glassnet.explanation.arithmetic import Arithmetic

MOST_BARS = 10
"""Terms for, and terms against, that are drawn as bars."""


def draw_arithmetic(arithmetic: "Arithmetic", image: Image) -> Figure:
    """Draw the image, the neuron's weights, weight times input, and the largest terms adding up to the sum.

    Args:
        arithmetic: of one neuron; its inputs are drawn as they lie: pixels or a map as a picture (channels added up),
            units as a block, row by row.
        image: what the network was shown.
    """
    rows = 3 + sum(len(side[:MOST_BARS]) for side in (arithmetic.largest_for, arithmetic.largest_against))
    figure = sheet(12, max(5.0, 0.28 * rows))
    subfigures: Any = figure.subfigures(1, 2, width_ratios=[1, 1.15])
    pictures, bars = subfigures
    pictures.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    image_axes, sum_axes, weight_axes, product_axes = pictures.subplots(2, 2).ravel()
    _draw_image(image_axes, arithmetic, image)
    _draw_answer(sum_axes, arithmetic)
    _draw_map(pictures, weight_axes, arithmetic, arithmetic.weights, "weights")
    _draw_map(pictures, product_axes, arithmetic, arithmetic.products, "input × weight")
    _draw_sum(bars.subplots(), arithmetic)
    return figure


def _draw_image(axes: Any, arithmetic: "Arithmetic", image: np.ndarray) -> None:
    bare(axes)
    show_pixels(axes, image)
    axes.set_title("image", fontsize=10)
    if arithmetic.at is not None and arithmetic.source == "pixels":
        (top, left), (bottom, right) = arithmetic.positions[:, :2].min(0), arithmetic.positions[:, :2].max(0)
        corner = left - 0.5, top - 0.5
        axes.add_patch(Rectangle(corner, right - left + 1, bottom - top + 1, fill=False, edgecolor=ORANGE, linewidth=2))
        axes.set_title("image; framed: its inputs", fontsize=10)


def _draw_answer(axes: Any, arithmetic: "Arithmetic") -> None:
    """Draw the classes' probabilities, or write what the neuron gives."""
    softmax = arithmetic.softmax
    if softmax is None:
        bare(axes)
        rows = [f"sum {arithmetic.total:f}"]
        if arithmetic.activation != "linear":
            rows.append(f"{arithmetic.activation}: {arithmetic.formula}\ngives {arithmetic.value:f}")
        axes.text(0.5, 0.5, "\n\n".join(rows), ha="center", va="center", transform=axes.transAxes, fontsize=10)
        return
    order = sorted(range(len(softmax.classes)), key=lambda k: -softmax.classes[k].probability)[:MOST_BARS]
    shown = [softmax.classes[k] for k in order]
    colours = [BLUE if k == arithmetic.number else GRAY for k in order]
    drawn = axes.barh(range(len(shown)), [float(one.probability) for one in shown], color=colours)
    axes.bar_label(drawn, [f"{one.probability:f}" for one in shown], padding=3, fontsize=7)
    axes.set_yticks(range(len(shown)), [one.label for one in shown], fontsize=7)
    axes.set_xticks([])
    axes.margins(x=0.35)
    axes.invert_yaxis()
    axes.set_title("probabilities (softmax)", fontsize=10)
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def _draw_map(figure: Any, axes: Any, arithmetic: "Arithmetic", values: np.ndarray, title: str) -> None:
    """Draw values where their inputs lie, on a symmetric scale; what is outside of the sum stays grey."""
    plane = _plane(arithmetic, values)
    limit = float(np.nanmax(np.abs(plane))) or 1.0
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(LIGHT)
    axes.set_facecolor("#EEEEEE")
    drawn = axes.imshow(plane, cmap=PUSH, vmin=-limit, vmax=limit, interpolation="nearest")
    bar = figure.colorbar(drawn, ax=axes, shrink=0.7, ticks=[-limit, 0, limit], format="%.2g")
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
    several = arithmetic.positions.shape[1] == 3 and np.ptp(arithmetic.positions[:, 2]) > 0
    axes.set_title(f"{title}, all channels" if several else title, fontsize=10)


def _plane(arithmetic: "Arithmetic", values: np.ndarray) -> np.ndarray:
    """Lay values out as a picture: a map as it is, with its channels added up; a row of units in lines."""
    positions = arithmetic.positions
    if positions.shape[1] == 1:
        columns = int(np.ceil(np.sqrt(arithmetic.source_shape[0])))
        positions = np.stack(np.divmod(positions[:, 0], columns), -1)
    rows, columns = (positions[:, axis] - positions[:, axis].min() for axis in (0, 1))
    plane = np.zeros((rows.max() + 1, columns.max() + 1))
    used = np.zeros(plane.shape, bool)
    np.add.at(plane, (rows, columns), values)
    used[rows, columns] = True
    return np.where(used, plane, np.nan)


def _draw_sum(axes: Any, arithmetic: "Arithmetic") -> None:
    """Draw a waterfall: each term starts where the one above ended, and the last bar is the sum."""
    shown = arithmetic.largest_for[:MOST_BARS], arithmetic.largest_against[:MOST_BARS]
    terms = [(one.name, one.product) for side in shown for one in side]
    hidden = [one.product for side in (arithmetic.largest_for, arithmetic.largest_against) for one in side[MOST_BARS:]]
    rest = sum(hidden, arithmetic.rest)
    terms += [(f"the other {arithmetic.rest_count + len(hidden):,}", rest), ("bias", arithmetic.bias)]
    place = arithmetic.total - arithmetic.total
    for row, (_, value) in enumerate(terms):
        axes.barh(row, float(value), 0.7, left=float(place), color=BLUE if value > 0 else ORANGE)
        place += value
        axes.plot([float(place)] * 2, [row - 0.35, row + 1.35], color=GRAY, linewidth=0.7)
    axes.barh(len(terms), float(place), 0.7, color="black")
    axes.use_sticky_edges = False  # a bar may end short of the frame
    axes.margins(x=0.03)
    values = [value for _, value in terms] + [place]
    labels = [name for name, _ in terms] + ["sum" if arithmetic.softmax is None else "sum (logit)"]
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    right = axes.twinx()  # a second axis for the numbers: no bar runs through them
    right.set_ylim(len(labels) - 0.4, -0.6)
    right.set_yticks(range(len(values)), [format(value, "+f") for value in values], fontsize=8)
    right.tick_params(length=0)
    right.spines[:].set_visible(False)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.axvline(0, color=GRAY, linewidth=0.7)
    open_frame(axes)
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"{arithmetic.neuron}: blue pushes for it, orange against", fontsize=10)
