"""What units look for, drawn: templates, filters, feature maps, and the units of a layer beside what excites them."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glassnet.errors import InputError
from glassnet.figures.canvas import BLUE, GRAY, GREEN, LIGHT, ORANGE, PUSH, bare, sheet, show_pixels
from glassnet.types import Image, Images

if TYPE_CHECKING:
    from glassnet.explanation.exciting import Exciting
    from glassnet.explanation.influence import UnitInfluence
    from glassnet.explanation.units import Filters, Templates

MOST = 144
"""Pictures in one figure; of more, the first are drawn, and the title says so."""

MOST_ROWS = 20
"""Units in the table of units."""

LETTER = 0.082
"""Width of a letter of the titles, in inches."""

MINUS = "\N{MINUS SIGN}"

MOST_SIDE = 32
"""Rows and columns of a table of kernels."""


def draw_templates(templates: "Templates") -> Figure:
    """Draw the weights of each unit as an image, all on one scale: blue pushes for, orange against."""
    title = f"{templates.layer}: the weight of every pixel, for each unit of its brightness"
    return _draw_weights(templates.weights, templates.names, title, channels=False)


def draw_filters(filters: "Filters") -> Figure:
    """Draw the kernels of a convolution, all on one scale: a picture each, or a row each with one for every channel."""
    numbers = [str(number) for number in range(len(filters.weights))]
    return _draw_weights(filters.weights, numbers, f"{filters.layer}: the kernel of each filter", channels=True)


def draw_feature_maps(image: Image, maps: np.ndarray, *, title: str = "what each filter gives") -> Figure:
    """Draw an image beside what each filter of a convolution gives for it, on one scale: blue above 0, orange below.

    Args:
        image: `uint8 (height, width[, channels])`.
        maps: `float32 (filters, height, width)`.
        title: above the maps.

    Raises:
        InputError: no maps.
    """
    if not len(maps):
        raise InputError("there are no feature maps to draw; pass at least one")
    count = min(len(maps), MOST)
    columns = _columns(count, 1.4)
    height = 0.9 * math.ceil(count / columns) * 1.15 + 0.6
    figure = sheet(2.6 + 0.9 * columns, max(2.8, height))
    picture, grid = figure.subplots(1, 2, width_ratios=[2, 0.9 * columns])
    bare(picture)
    show_pixels(picture, image)
    picture.set_title("the image", fontsize=10)
    limit = float(np.abs(maps).max()) or 1.0
    _tiles(grid, maps[:count], [str(number) for number in range(count)], limit, columns)
    grid.set_title(title + _first(count, len(maps)), fontsize=10)
    _colour_bar(figure, grid, limit, "below 0 … above 0")
    return figure


def draw_units(
    influences: Sequence["UnitInfluence"],
    exciting: Sequence["Exciting"],
    images: Images,
    weights: "Templates | Filters | None" = None,
) -> Figure:
    """Draw a table of units: the weights of each, the images that excite it most, how much it matters, and for what.

    Args:
        influences: one row for each, 1 to 20.
        exciting: what excites these units, in any order; more units do no harm.
        images: those that `exciting` numbers.
        weights: of all units of the layer; None where they are no pictures.

    Raises:
        InputError: no unit, more than 20, or one without exciting images.
    """
    if not 1 <= len(influences) <= MOST_ROWS:
        raise InputError(f"cannot draw {len(influences)} units in one picture; pass 1 to {MOST_ROWS}")
    excited = {one.unit: one for one in exciting}
    if missing := [one.unit for one in influences if one.unit not in excited]:
        raise InputError(f"no exciting images for unit {missing[0]}; pass those of every unit that is drawn")
    pictures = {} if weights is None else _pictures(weights.weights, [one.unit for one in influences])
    limit = _limit(np.stack(list(pictures.values()))) if pictures else 1.0
    strongest = max(one.influence for one in influences) or 1.0
    count = max(len(one.indexes) for one in exciting)

    # Inches on the sheet: where each column starts, from left to right.
    side, pitch, head = 0.78, 0.86, 0.75
    template = 0.75
    shown = template + (max(side * picture.shape[1] / picture.shape[0] for picture in pictures.values()) + 0.25
                        if pictures else 0)  # fmt: skip
    bars = shown + count * pitch * images.shape[2] / images.shape[1] + 0.2
    words = bars + 1.75
    longest = max(len(name or "") for one in influences for name in (one.pushes_for, one.pushes_against))
    width, height = words + 1.2 + 0.085 * longest, head + pitch * len(influences) + 0.3
    figure = sheet(width, height, arranged=False)
    axes = figure.add_axes((0, 0, 1, 1))
    bare(axes)
    first = influences[0]
    axes.text(0.12, 0.27, f"{first.layer}: what its units look for, and how much they matter", fontsize=12, va="center")
    for x, text in ((0.12, "unit"), (template, "weights" if pictures else ""), (shown, "excited most by"),
                    (bars, "influence"), (words, "pushes on average")):  # fmt: skip
        axes.text(x, head - 0.14, text, fontsize=9, color=GRAY, va="center")
    for row, one in enumerate(influences):
        top = head + row * pitch
        middle = top + side / 2
        axes.text(0.12, middle, str(one.unit), fontsize=11, va="center")
        if pictures:
            _place(axes, pictures[one.unit], template, top, side, cmap=PUSH, vmin=-limit, vmax=limit)
        _draw_exciting(axes, excited[one.unit], images, shown, top, side)
        length = 1.1 * one.influence / strongest
        axes.add_patch(Rectangle((bars, middle - 0.12), length, 0.24, color=GRAY, linewidth=0))
        axes.text(bars + length + 0.06, middle, f"{one.influence:.2f}", fontsize=9, va="center")
        if one.pushes_for is None:
            axes.text(words, middle, "changes nothing", fontsize=9, va="center", color=GRAY)
            continue
        for shift, word, name, by, colour in (
            (-0.13, "for", one.pushes_for, one.raises, BLUE),
            (0.13, "against", one.pushes_against, one.lowers, ORANGE),
        ):
            axes.text(
                words,
                middle + shift,
                f"{word} {name} {f'{by:+.2f}'.replace('-', MINUS)}",
                fontsize=9,
                va="center",
                color=colour,
            )
    notes = [f"influence: mean change of the logits when the unit is switched off, over {first.images:,} images"]
    notes += ["weights: blue pushes for, orange against"] if pictures else []
    notes += ["green: what the filter sees"] if any(one.boxes for one in exciting) else []
    axes.text(0.12, height - 0.16, "; ".join(notes), fontsize=8, color=GRAY, va="center")
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_aspect("auto")
    return figure


def _draw_exciting(axes: Any, one: "Exciting", images: Images, left: float, top: float, side: float) -> None:
    """Draw the images that excite a unit in a row, with a frame around what a filter sees."""
    scale = side / images.shape[1]
    for k, index in enumerate(one.indexes):
        x = left + k * (images.shape[2] * scale + 0.08)
        _place(axes, images[index], x, top, side, cmap="gray", vmin=0, vmax=255)
        if one.boxes:
            row, column, height, width = (scale * value for value in one.boxes[k])
            axes.add_patch(
                Rectangle((x + column, top + row), width, height, fill=False, edgecolor=GREEN, linewidth=1.5)
            )


def _place(axes: Any, picture: np.ndarray, left: float, top: float, side: float, **colours: Any) -> None:
    """Put a picture of that height on the sheet."""
    width = side * picture.shape[1] / picture.shape[0]
    axes.imshow(picture, extent=(left, left + width, top + side, top), interpolation="nearest", **colours)
    axes.add_patch(Rectangle((left, top), width, side, fill=False, edgecolor=LIGHT, linewidth=0.6))


def _pictures(weights: np.ndarray, units: Sequence[int]) -> dict[int, np.ndarray]:
    """Return a picture for each unit, colour channels side by side; none where there are more channels than colours."""
    if weights.ndim == 4 and weights.shape[3] > 3:
        return {}
    if weights.ndim == 3:
        return {unit: weights[unit] for unit in units}
    return {unit: np.concatenate(np.moveaxis(weights[unit], -1, 0), axis=1) for unit in units}


def _draw_weights(weights: np.ndarray, names: Sequence[str], title: str, *, channels: bool) -> Figure:
    """Draw weights `(units, height, width[, channels])`: a grid of pictures, or a table of units and channels."""
    limit = _limit(weights)
    if weights.ndim == 4 and weights.shape[3] == 1:
        weights = weights[..., 0]
    if weights.ndim == 3:
        count = min(len(weights), MOST)
        columns = min(5, count) if count <= 15 else _columns(count, 1.6)
        side = 1.5 if count <= 15 else 0.75
        title += _first(count, len(weights))
        figure = sheet(
            max(5.0, side * columns + 1.0, LETTER * len(title)), side * 1.2 * math.ceil(count / columns) + 0.6
        )
        axes = figure.subplots()
        _tiles(axes, weights[:count], names, limit, columns)
    else:
        rows, columns = min(len(weights), MOST_SIDE), min(weights.shape[3], MOST_SIDE)
        title += f"{_first(rows, len(weights))}, for every channel{_first(columns, weights.shape[3])}"
        side = 0.42 if max(weights.shape[1:3]) <= 9 else 1.1
        figure = sheet(max(5.0, side * columns + 2.4, LETTER * len(title)), max(3.0, side * rows + 1.2))
        axes = figure.subplots()
        _table(axes, weights[:rows, ..., :columns], names, limit)
        axes.set_ylabel("filter" if channels else "")
    figure.suptitle(title, fontsize=10)
    _colour_bar(figure, axes, limit, "pushes against … pushes for")
    return figure


def _limit(weights: np.ndarray) -> float:
    """Return where the scale of colours ends: where 99.5 % of the weights do, as a few would leave all others pale."""
    return float(np.quantile(np.abs(weights), 0.995)) or 1.0


def _tiles(axes: Any, pictures: np.ndarray, names: Sequence[str], limit: float, columns: int) -> None:
    """Draw pictures `(n, height, width)` in rows, with a name above each."""
    height, width = pictures.shape[1:]
    small = max(len(name) for name in names[: len(pictures)]) <= 8 and len(pictures) > 15
    # A third of a picture's height more is room for its name.
    rows, head, gap = math.ceil(len(pictures) / columns), height * (0.3 if small else 0.2), width * 0.1
    bare(axes)
    for number, picture in enumerate(pictures):
        left, top = number % columns * (width + gap), number // columns * (height + head)
        extent = (left, left + width, top + height, top)
        axes.imshow(picture, extent=extent, cmap=PUSH, vmin=-limit, vmax=limit, interpolation="nearest")
        axes.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=LIGHT, linewidth=0.8))
        size = 7 if small else 9
        axes.text(left + width / 2, top - 0.03 * height, names[number], fontsize=size, ha="center", va="bottom")
    axes.set_xlim(-gap / 2, columns * (width + gap) - gap / 2)
    axes.set_ylim(rows * (height + head) - head + gap / 2, -head)
    axes.set_aspect("equal")


def _table(axes: Any, weights: np.ndarray, names: Sequence[str], limit: float) -> None:
    """Draw weights `(units, height, width, channels)`: a row for each unit, a column for each channel."""
    units, height, width, channels = weights.shape
    gap = max(height, width) * 0.15
    for unit in range(units):
        for channel in range(channels):
            left, top = channel * (width + gap), unit * (height + gap)
            extent = (left, left + width, top + height, top)
            axes.imshow(
                weights[unit, ..., channel], extent=extent, cmap=PUSH, vmin=-limit, vmax=limit, interpolation="nearest"
            )
            axes.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=LIGHT, linewidth=0.5))
    axes.set_xlim(-gap, channels * (width + gap))
    axes.set_ylim(units * (height + gap), -gap)
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=7)
    colours = ["red", "green", "blue"] if channels == 3 else [str(channel) for channel in range(channels)]
    axes.set_xticks([k * (width + gap) + width / 2 for k in range(channels)], colours)
    axes.set_yticks([k * (height + gap) + height / 2 for k in range(units)], names[:units])
    axes.set_xlabel("channel")


def _colour_bar(figure: Figure, axes: Any, limit: float, label: str) -> None:
    colours = ScalarMappable(Normalize(-limit, limit), PUSH)
    bar = figure.colorbar(colours, ax=axes, label=label, shrink=0.8, aspect=25, pad=0.02)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]  (the stubs take the outline for a list)
    bar.ax.tick_params(labelsize=8)


def _columns(count: int, wide: float) -> int:
    """Return how many columns make a grid about `wide` times as wide as high, with few empty places in the last row."""
    about = math.sqrt(wide * count)
    near = range(max(1, int(0.8 * about)), math.ceil(1.2 * about) + 1)
    return min(near, key=lambda columns: (-count % columns, abs(columns - about)))


def _first(count: int, of: int) -> str:
    """Say that not all are drawn."""
    return "" if count == of else f" (the first {count} of {of})"
