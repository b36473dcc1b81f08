"""Differing answers, as pictures of the images themselves."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from glassnet.datasets import Dataset
from glassnet.errors import InputError
from glassnet.figures.canvas import GREEN, ORANGE, bare, sheet, show_pixels

if TYPE_CHECKING:
    from glassnet.evaluation import Comparison

MOST_DIFFERING = 15
"""Images in the picture of a comparison."""

GAP = 1.1
"""From one image to the next, in widths of an image."""

TILE, HEAD = 1.3, 0.48
"""Width of an image and height of the two lines above it, in inches."""


def draw_comparison(comparison: "Comparison", data: Dataset) -> Figure:
    """Draw the first 15 images that exactly one of two runs recognises, and both answers, the right one green.

    Args:
        comparison: of two runs.
        data: the data set that it is of.

    Raises:
        InputError: there is no such image.
    """
    shown = comparison.differing[:MOST_DIFFERING]
    if not shown:
        raise InputError("the two runs are right on the same images, so there is no difference to draw")
    part = data.split(comparison.split)
    columns = min(5, len(shown))
    board = _Board(GAP * columns, -(-len(shown) // columns), data.image_shape, top=0.45)
    board.head(0, f"1: {comparison.first or 'the first run'}\n2: {comparison.second or 'the second run'}")
    for number, one in enumerate(shown):
        lines = [
            (f"{place}: {answer} ✓", GREEN) if answer == one.truth else (f"{place}: {answer}", ORANGE)
            for place, answer in ((1, one.first), (2, one.second))
        ]
        board.put(GAP * (number % columns), number // columns, part.images[one.index], *lines)
    return board.figure


class _Board:
    """A sheet of images in rows with two lines of text above each, all in one pair of axes.

    An axes for each image would take most of the time. The units of the board are the width of an image.

    Args:
        width: in tiles.
        rows: how many.
        image_shape: of one image.
        top: height of the heading in inches.
    """

    def __init__(self, width: float, rows: int, image_shape: tuple[int, ...], *, top: float) -> None:
        self.tall = image_shape[0] / image_shape[1]
        self.pitch = self.tall + HEAD / TILE
        self.top = top / TILE
        margin, height = 0.1, self.top + rows * self.pitch + 0.1
        self.figure = sheet(TILE * (width + 2 * margin), TILE * height, arranged=False)
        self.axes: Any = self.figure.add_axes((0, 0, 1, 1))
        bare(self.axes)
        self.limits = (-margin, width + margin, height, 0)

    def head(self, left: float, text: str) -> None:
        """Write a heading."""
        self.axes.text(left, 0.12, text, ha="left", va="top", fontsize=9, weight="bold")
        self._keep_limits()

    def put(self, left: float, row: int, image: np.ndarray, *lines: tuple[str, str]) -> None:
        """Draw an image with its lines of text, each with a colour."""
        above = self.top + row * self.pitch
        for number, (text, colour) in enumerate(lines):
            y = above + (HEAD - 0.04 - 0.18 * (len(lines) - 1 - number)) / TILE
            self.axes.text(left + 0.5, y, text, ha="center", va="bottom", fontsize=8, color=colour)
        low = above + self.pitch
        drawn = show_pixels(self.axes, image)
        drawn.set_extent((left, left + 1, low, low - self.tall))
        self._keep_limits()

    def _keep_limits(self) -> None:
        left, right, bottom, top = self.limits
        self.axes.set(xlim=(left, right), ylim=(bottom, top), aspect="auto")
