"""What a run gets right and wrong, as pictures of numbers: confusion, reliability, coverage, robustness."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from glassnet.errors import InputError
from glassnet.figures.canvas import BLUE, GRAY, GREEN, LIGHT, ORANGE, open_frame, sheet

if TYPE_CHECKING:
    from glassnet.evaluation import Evaluation, RobustnessCurve

MOST_NUMBERED = 20
"""Classes up to which a confusion matrix has its numbers written in."""

RIGHT = LinearSegmentedColormap.from_list("right", ["#FFFFFF", GREEN])
WRONG = LinearSegmentedColormap.from_list("wrong", ["#FFFFFF", ORANGE])


def draw_confusion(evaluation: "Evaluation") -> Figure:
    """Draw the confusion matrix: right answers green, mistakes orange, the darker the larger their share of the row.

    Green runs from 0 to all images of the class; orange from 0 to the largest share that any mistake has, so that
    mistakes can be seen beside the many right answers.
    """
    classes = evaluation.classes
    counts = np.array(evaluation.confusion)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    diagonal = np.eye(len(classes), dtype=bool)
    size = max(5.0, 0.62 * min(len(classes), MOST_NUMBERED) + 1.6)
    figure = sheet(size + 0.8, size)
    axes = figure.subplots()
    axes.imshow(np.ma.masked_array(shares, diagonal), cmap=WRONG, vmin=0, vmax=shares[~diagonal].max() or 1)
    axes.imshow(np.ma.masked_array(shares, ~diagonal), cmap=RIGHT, vmin=0, vmax=1)
    if len(classes) <= MOST_NUMBERED:
        for row, column in np.argwhere(counts):
            axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", fontsize=9)
        axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(classes)), classes)
        axes.set_xticks(np.arange(len(classes) - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(len(classes) - 1) + 0.5, minor=True)
        axes.grid(which="minor", color=LIGHT, linewidth=0.6)
        axes.tick_params(which="both", length=0)
    axes.set_xlabel("what the network says")
    axes.set_ylabel("what it is")
    axes.set_title(_scores(evaluation), fontsize=10)
    return figure


def draw_reliability(evaluation: "Evaluation") -> Figure:
    """Draw how often answers of each confidence are right, and below how many there are of each."""
    bins = evaluation.reliability
    confidence, accuracy = [one.confidence for one in bins], [one.accuracy for one in bins]
    figure = sheet(5.2, 5.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    above.plot([0, 1], [0, 1], "--", color=GRAY, linewidth=1, label="as often as it says")
    above.vlines(confidence, confidence, accuracy, color=ORANGE, linewidth=2, label="distance")
    above.plot(confidence, accuracy, "o", color=BLUE, label="right answers")
    above.set_ylim(-0.03, 1.03)
    above.set_ylabel("share that is right")
    above.legend(frameon=False, loc="upper left")
    above.set_title(f"expected calibration error {evaluation.calibration_error:.1%}\n{_scores(evaluation)}", fontsize=9)
    below.bar(
        [one.low for one in bins],
        [one.n for one in bins],
        width=[one.high - one.low for one in bins],
        align="edge",
        color=LIGHT,
        edgecolor="white",
    )
    below.set_xlim(0, 1)
    below.set_xlabel("how sure the network is")
    below.set_ylabel("images")
    for axes in (above, below):
        open_frame(axes)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    above.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def draw_coverage(evaluation: "Evaluation") -> Figure:
    """Draw the share of wrong answers if only the surest images are answered."""
    points = evaluation.coverage
    figure = sheet(5.2, 3.8)
    axes = figure.subplots()
    axes.plot([one.coverage for one in points], [one.error for one in points], "o-", color=BLUE, markersize=4)
    axes.set_xlim(0, 1.03)
    axes.set_ylim(bottom=0, top=max(one.error for one in points) * 1.15 or 0.01)
    axes.set_xlabel("share of the images that is answered, the surest first")
    axes.set_ylabel("share of the answers that is wrong")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_title(_scores(evaluation), fontsize=9)
    open_frame(axes)
    return figure


def draw_robustness(curves: "Sequence[RobustnessCurve]") -> Figure:
    """Draw accuracy against the level of each corruption, with its 95 % interval; a ring marks the images as they were.

    Raises:
        InputError: no curves.
    """
    if not curves:
        raise InputError("there are no robustness curves to draw; pass what measure_robustness(run) returned")
    columns = min(4, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure = sheet(2.9 * columns, 2.7 * rows + 0.4)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, curve in zip(grid.flat, curves, strict=False):
        _draw_curve(axes, curve)
    for axes in list(grid.flat)[len(curves) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("accuracy")
    figure.suptitle(f"the first {curves[0].n:,} test images, made worse; shaded: 95 % interval", fontsize=11)
    return figure


def _draw_curve(axes: Any, curve: "RobustnessCurve") -> None:
    levels = [point.level for point in curve.points]
    lows, highs = zip(*(point.interval for point in curve.points), strict=True)
    axes.fill_between(levels, lows, highs, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(levels, [point.accuracy for point in curve.points], "o-", color=BLUE, markersize=4)
    untouched = [point for point in curve.points if point.level == curve.untouched]
    axes.plot(
        [point.level for point in untouched], [point.accuracy for point in untouched], "o", markersize=9,
        markerfacecolor="none", markeredgecolor=GREEN, markeredgewidth=1.5,
    )  # fmt: skip
    axes.set_title(curve.name, fontsize=10)
    axes.set_xlabel(curve.unit, fontsize=8)
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    if curve.untouched == max(levels):
        axes.invert_xaxis()  # worse is to the right, as everywhere
    open_frame(axes)


def _scores(evaluation: "Evaluation") -> str:
    low, high = evaluation.interval
    return (
        f"{evaluation.accuracy:.1%} of {evaluation.n:,} {evaluation.split} images right\n"
        f"95 % interval {low:.1%} to {high:.1%}"
    )
