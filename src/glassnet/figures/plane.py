"""A map of the images, drawn: points in the colour and shape of their class, and some of the images themselves."""

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from glassnet.errors import InputError
from glassnet.figures.canvas import GRAY, bare, sheet

if TYPE_CHECKING:
    from glassnet.explanation.plane import Plane
    from glassnet.types import Images

CLASS_COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#999933", "#882255", "#8A8A8A",
)  # fmt: skip
"""One for each class, again from the start where there are more; from Okabe & Ito (2008) and Tol ("Muted", 2021)."""

MARKERS = "os^Dv<>pPX*"
"""Shapes of points: colour is never the only cue. One more than colours, so that the pairs last for 110 classes."""

NAMES = {"pca": "PCA", "t-sne": "t-SNE", "umap": "UMAP"}

WIDTH, HEIGHT = 11.0, 7.5
"""Of the figure, in inches."""

PICTURE = 0.42
"""Height of an image on the map, in inches."""

MOST_PICTURES = 70
"""Images on the map; each takes about a hundredth of a second to draw."""


@dataclass
class _Box:
    """A place on the sheet, in inches: its middle, and its size."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: "_Box") -> bool:
        """Tell whether the two overlap."""
        across, up = (self.width + other.width) / 2, (self.height + other.height) / 2
        return abs(self.x - other.x) < across and abs(self.y - other.y) < up


def draw_plane(plane: "Plane", images: "Images") -> Figure:
    """Draw the points of a plane, the name of each class at the middle of its points, and images where they lie.

    Args:
        plane: what `project` returned.
        images: of the whole split that it was made of: `plane.indexes` numbers them.

    Raises:
        InputError: fewer images than the plane was made of.
    """
    if plane.indexes.max() >= len(images):
        raise InputError(
            f"the plane shows {plane.split} image {plane.indexes.max()}, but {len(images)} images were passed; pass "
            "all images of that split"
        )
    figure = sheet(WIDTH, HEIGHT, arranged=False)
    names = 0.5 + 0.085 * max(12, *map(len, plane.classes))  # inches for the legend
    axes = figure.add_axes((0.015, 0.05, 1 - 0.015 - names / WIDTH, 0.88))
    present = [number for number in range(len(plane.classes)) if (plane.labels == number).any()]
    points = []
    for number in present:
        mine = plane.points[plane.labels == number]
        marker = MARKERS[number % len(MARKERS)]
        look: Any = {"s": 16, "marker": marker, "color": _colour(number), "alpha": 0.75, "linewidths": 0}
        points.append(axes.scatter(mine[:, 0], mine[:, 1], **look))
    axes.margins(0.05)
    axes.set_xlim(axes.get_xlim())  # what is drawn from here on does not move the limits
    axes.set_ylim(axes.get_ylim())
    _draw_pictures(axes, plane, images, _name_classes(axes, plane, present))
    bare(axes)
    title = f"{len(plane.points):,} {plane.split} images as the network sees them"
    axes.set_title(f"{title} ({plane.layer}, {plane.features:,} values each)", fontsize=11)
    axes.set_xlabel(_explain(plane), fontsize=9, color=GRAY)
    legend = axes.legend(  # with its names passed: Matplotlib by itself leaves out those that begin with an underscore
        points,
        [plane.classes[number] for number in present],
        loc="upper left",
        bbox_to_anchor=(1.005, 1),
        frameon=False,
        fontsize=9,
        markerscale=1.6,
        handletextpad=0.2,
    )
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    wrong = float((plane.labels != plane.predicted).mean())
    note = f"{wrong:.1%} of them\nare taken for\nanother class"
    axes.text(1.02, 0.02, note, fontsize=9, color=GRAY, transform=axes.transAxes)
    return figure


def _explain(plane: "Plane") -> str:
    """Say what the two axes are."""
    if plane.explained is None:
        return f"{NAMES[plane.method]}: near points are alike to the network; how far groups are apart means little"
    across, up = plane.explained
    return f"{NAMES[plane.method]}: the two directions of most variance; {across:.0%} of it lie across, {up:.0%} up"


def _colour(number: int) -> str:
    return CLASS_COLOURS[number % len(CLASS_COLOURS)]


def _name_classes(axes: Any, plane: "Plane", present: list[int]) -> list[_Box]:
    """Write each class at the median of its points, names that would meet moved apart; return where they stand."""
    per_inch = _data_per_inch(axes)
    places = np.array([np.median(plane.points[plane.labels == number], axis=0) for number in present], np.float64)
    boxes = [
        _Box(x, y, 0.085 * len(plane.classes[number]) + 0.15, 0.24)
        for (x, y), number in zip((places / per_inch).tolist(), present, strict=True)
    ]
    for _ in range(200):
        meeting = [(one, other) for one, other in itertools.combinations(boxes, 2) if one.meets(other)]
        if not meeting:
            break
        for one, other in meeting:
            upper, lower = (one, other) if one.y >= other.y else (other, one)
            upper.y += 0.02
            lower.y -= 0.02
    for number, box in zip(present, boxes, strict=True):
        x, y = np.array([box.x, box.y]) * per_inch
        frame = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": _colour(number), "linewidth": 1.5}
        axes.text(x, y, plane.classes[number], fontsize=9, ha="center", va="center", zorder=5, bbox=frame)
    return boxes


def _draw_pictures(axes: Any, plane: "Plane", images: "Images", taken: list[_Box]) -> None:
    """Draw images at their points, framed in the colour of their class, as many as have room."""
    per_inch = _data_per_inch(axes)
    width = PICTURE * images.shape[2] / images.shape[1]
    room, taken = len(taken) + MOST_PICTURES, list(taken)
    for row, point in enumerate(plane.points):
        across, up = (point / per_inch).tolist()
        box = _Box(across, up, 1.4 * width, 1.4 * PICTURE)
        if any(box.meets(other) for other in taken):
            continue
        taken.append(box)
        (x, y), (half_width, half_height) = point, np.array([width, PICTURE]) / 2 * per_inch
        left, right, bottom, top = x - half_width, x + half_width, y - half_height, y + half_height
        axes.imshow(
            images[plane.indexes[row]], extent=(left, right, bottom, top), aspect="auto", zorder=3, cmap="gray", vmin=0,
            vmax=255, interpolation="nearest",
        )  # fmt: skip
        axes.plot(
            [left, right, right, left, left], [bottom, bottom, top, top, bottom], color=_colour(int(plane.labels[row])),
            linewidth=1.6, zorder=4, solid_joinstyle="miter",
        )  # fmt: skip
        if len(taken) == room:
            return


def _data_per_inch(axes: Any) -> np.ndarray:
    """Return how much of the horizontal and of the vertical axis an inch of the sheet is."""
    box = axes.get_position()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    return np.array([(right - left) / (box.width * WIDTH), (top - bottom) / (box.height * HEIGHT)])
