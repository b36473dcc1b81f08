"""What a run gets right and wrong, as a picture of numbers: the confusion matrix."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from glassnet.figures.canvas import GREEN, LIGHT, ORANGE, sheet

if TYPE_CHECKING:
    from glassnet.evaluation import Evaluation

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
    axes.imshow(np.ma.masked_array(shares, diagonal), cmap=WRONG, vmin=0, vmax=shares[~diagonal].max(initial=0) or 1)
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


def _scores(evaluation: "Evaluation") -> str:
    low, high = evaluation.interval
    return (
        f"{evaluation.accuracy:.1%} of {evaluation.n:,} {evaluation.split} images right\n"
        f"95 % interval {low:.1%} to {high:.1%}"
    )
