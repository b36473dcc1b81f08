"""Images as pictures: one large, many in a grid, and a prediction beside its bars."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from glassnet.datasets import Dataset
from glassnet.errors import InputError
from glassnet.figures.canvas import BLUE, GREEN, LIGHT, ORANGE, bare, open_frame, sheet, show_pixels
from glassnet.types import Image, Images

if TYPE_CHECKING:
    from glassnet.prediction import Prediction

GRID = 25
"""Images in the grid that `look` draws."""

MOST_ROWS = 20
"""Predictions in one picture."""


def look(data: Dataset, index: int | None = None, *, split: str = "train") -> Figure:
    """Draw one image of a data set with its label and a colour bar, or the first 25 in a grid.

    Args:
        data: the data set.
        index: number of the image; None draws the grid.
        split: "train", "test" or "validation".

    Raises:
        InputError: no image has that number.

    Example:
        >>> import glassnet
        >>> figure = glassnet.look(glassnet.load("fashion-mnist"), 42)
    """
    part = data.split(split)
    if index is None:
        return draw_grid(part.images[:GRID], [data.classes[label] for label in part.labels[:GRID]])
    image, label = part.at(index)
    return draw_image(image, f"{data.classes[label]}   ({data.name}, {split} image {index})")


def draw_image(image: Image, title: str) -> Figure:
    """Draw one image large, with a colour bar that gives the brightness of its pixels."""
    figure = sheet(5.4, 4.6)
    axes = figure.subplots()
    drawn = show_pixels(axes, image)
    axes.set_title(title)
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    if image.ndim == 2:
        figure.colorbar(drawn, ax=axes, label="brightness, 0 to 255")
    return figure


def draw_grid(images: Images, titles: Sequence[str], *, right: Sequence[bool] | None = None) -> Figure:
    """Draw images in rows of five with a title each.

    Args:
        images: what to draw.
        titles: one text for each.
        right: colours the titles: True green, False orange.

    Raises:
        InputError: no image, or another number of titles.
    """
    if not len(images) or len(images) != len(titles):
        raise InputError(f"{len(images)} images and {len(titles)} titles; pass one title for each of 1 or more images")
    columns = min(5, len(images))
    rows = math.ceil(len(images) / columns)
    height, width = images.shape[1:3]
    head, gap = round(0.4 * height), max(1, width // 12)  # room for two lines above, and between images
    mosaic = np.full((rows * (height + head), columns * (width + gap), *images.shape[3:]), 255, np.uint8)
    # One picture for all: an axes for each image would take most of the time that a run's pictures take.
    figure = sheet(1.5 * columns, 1.5 * columns * mosaic.shape[0] / mosaic.shape[1], arranged=False)
    axes = figure.add_axes((0, 0, 1, 1))
    bare(axes)
    for number, (image, title) in enumerate(zip(images, titles, strict=True)):
        top, left = number // columns * (height + head) + head, number % columns * (width + gap) + gap // 2
        mosaic[top : top + height, left : left + width] = image
        colour = "black" if right is None else GREEN if right[number] else ORANGE
        centre = left + width / 2 - 0.5
        axes.text(centre, top - 1, title, fontsize=9, color=colour, ha="center", va="bottom")
    show_pixels(axes, mosaic)
    return figure


def draw_predictions(predictions: Sequence["Prediction"]) -> Figure:
    """Draw each image beside the probabilities of all classes, and beside its raw outputs if the network has them.

    Args:
        predictions: one row each; of more than 20 the first ones.

    Raises:
        InputError: none.
    """
    if not predictions:
        raise InputError("cannot draw 0 predictions; pass at least 1")
    shown = predictions[:MOST_ROWS]
    logits = shown[0].outputs == "logits"
    figure = sheet(11 if logits else 8, 3.4 * len(shown))
    if len(predictions) > len(shown):
        figure.suptitle(f"the first {len(shown)} of {len(predictions):,} images")
    widths = [1, 1.3, 1.3] if logits else [1, 1.5]
    grid = figure.subplots(len(shown), len(widths), width_ratios=widths, squeeze=False)
    for prediction, (picture, *before, last) in zip(shown, grid, strict=True):
        bare(picture)
        show_pixels(picture, prediction.image)
        _say(picture, prediction)
        for axes in before:
            _draw_bars(axes, prediction, prediction.scores, "raw outputs (logits)", "{:.1f}")
        origin = " (calibrated)" if prediction.verdict else " (their softmax)" if logits else ""
        _draw_bars(last, prediction, prediction.probabilities, f"probabilities{origin}", "{:.1%}")
    return figure


def _say(axes: Any, prediction: "Prediction") -> None:
    """Write the answer above the picture, and the truth where it is known."""
    answer = f"{prediction.label}, {prediction.probability:.1%}"
    if prediction.true_label is None:
        axes.set_title(answer)
    else:
        colour = GREEN if prediction.label == prediction.true_label else ORANGE
        axes.set_title(f"{answer}\n(truly: {prediction.true_label})", color=colour)
    axes.set_xlabel(prediction.source, fontsize=8)


def _draw_bars(axes: Any, prediction: "Prediction", values: np.ndarray, title: str, number: str) -> None:
    """Draw one bar for each class: the right one green, a wrong answer orange, an answer without known truth blue."""
    truth = prediction.true_label
    colours = dict.fromkeys(prediction.classes, LIGHT)
    colours[prediction.label] = BLUE if truth is None else ORANGE
    if truth is not None:
        colours[truth] = GREEN
    bars = axes.barh(range(len(values)), values, color=colours.values())
    axes.bar_label(bars, [number.format(value) for value in values], padding=3, fontsize=8)
    axes.set_yticks(range(len(values)), prediction.classes)
    axes.margins(x=0.18)
    if values is prediction.probabilities:
        axes.set_xlim(0, 1.15)  # one scale for all, so that pictures can be compared
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.invert_yaxis()
    axes.set_title(title)
    open_frame(axes)
