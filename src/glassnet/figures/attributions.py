"""Why a network answers as it does: maps of what pushes for and against, and the smallest change that flips it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from glassnet.errors import InputError
from glassnet.figures.canvas import LIGHT, PUSH, bare, sheet, show_pixels
from glassnet.types import Image

if TYPE_CHECKING:
    from glassnet.explanation.attributions import Attribution
    from glassnet.explanation.flips import Flip

CUT = 99.5
"""Percentile of the sizes at which the colours end: a single bright pixel shall not make all others pale."""


def draw_attributions(image: Image, attributions: Sequence["Attribution"]) -> Figure:
    """Draw one row for each attribution: the image, the map with its scale, and the map over the faded image.

    Args:
        image: what was explained.
        attributions: one or more.

    Raises:
        InputError: no attribution.
    """
    if not attributions:
        raise InputError("no attribution to draw; pass one or more")
    figure = sheet(9.6, 3.5 * len(attributions))
    grid = figure.subplots(len(attributions), 3, squeeze=False)
    for (picture, plain, over), attribution in zip(grid, attributions, strict=True):
        _frame(picture, plain, over)
        show_pixels(picture, image)
        picture.set_xlabel(f"logit of {attribution.label}: {_number(attribution.logit)}", fontsize=9)
        plain.set_title(_caption(attribution), fontsize=11)
        drawn, extend = _show_map(plain, attribution.values)
        _add_scale(plain, drawn, extend)
        plain.set_xlabel(_sum_of(attribution), fontsize=9)
        _show_faded(over, image)
        _show_map(over, attribution.values, see_through=True)
    return figure


def draw_flip(flip: "Flip") -> Figure:
    """Draw the image, what was changed, and the changed image with its new answer."""
    figure = sheet(9.6, 3.7)
    before, change, after = figure.subplots(1, 3)
    _frame(before, change, after)
    for axes, image, answer in ((before, flip.original, flip.before), (after, flip.image, flip.after)):
        show_pixels(axes, image)
        axes.set_title(f"{answer.label}, {answer.probability:.1%}", fontsize=11)
    difference = flip.difference if flip.difference.ndim == 2 else flip.difference.mean(-1)
    end = max(float(np.abs(difference).max()), 1.0)
    drawn = change.imshow(difference, cmap=PUSH, vmin=-end, vmax=end, interpolation="nearest")
    _add_scale(change, drawn)
    change.set_title("+ blue brighter, orange darker", fontsize=11)
    pixels = f"{flip.changed} pixels change, by at most {flip.largest} of 255"
    change.set_xlabel(f"{pixels}\nlength {flip.l2:.3g} (brightness 0 to 1)", fontsize=9)
    return figure


def _frame(*several: Any) -> None:
    """Draw a thin frame: without one, a map that is white at its border has no end."""
    for axes in several:
        bare(axes)
        axes.spines[:].set(visible=True, color=LIGHT)


def _add_scale(axes: Any, drawn: Any, extend: str = "neither") -> None:
    # Inside the axes' own frame, so that all three panels keep one size.
    bar = axes.figure.colorbar(drawn, cax=axes.inset_axes((1.03, 0, 0.045, 1)), extend=extend)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)


def _caption(attribution: "Attribution") -> str:
    label = attribution.label
    if attribution.method == "smoothgrad":  # slopes: they also speak of pixels that are black now
        return f"smoothgrad: brighter pushes for {label} where blue, against where orange"
    if attribution.method == "grad-cam":
        return f"grad-cam: blue pushes for {label} (what pushes against is not shown)"
    return f"{attribution.method}: blue pushes for {label}, orange against"


def _sum_of(attribution: "Attribution") -> str:
    if attribution.baseline_logit is None:
        return ""
    total, logit, baseline = map(
        _number, (float(attribution.values.sum()), attribution.logit, attribution.baseline_logit)
    )
    return f"sum {total} ≈ {logit} − ({baseline}),\nthe logit without the baseline's"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _show_map(axes: Any, values: np.ndarray, *, see_through: bool = False) -> tuple[Any, str]:
    """Draw values, symmetric around white; return what was drawn, and at which ends colours were cut."""
    sizes = np.abs(values)
    end = float(np.percentile(sizes, CUT)) or float(sizes.max()) or 1.0
    strength = np.minimum(sizes / end, 1) ** 0.5 if see_through else None
    drawn = axes.imshow(values, cmap=PUSH, vmin=-end, vmax=end, alpha=strength, interpolation="nearest")
    below, above = bool(values.min() < -end), bool(values.max() > end)
    return drawn, {(True, True): "both", (True, False): "min", (False, True): "max"}.get((below, above), "neither")


def _show_faded(axes: Any, image: np.ndarray) -> None:
    """Draw an image as a pale print, what is bright as light gray, so that colours over it can be seen."""
    flat = image if image.ndim == 2 else image.mean(-1)
    axes.imshow(flat, cmap="gray_r", vmin=0, vmax=3 * 255, interpolation="nearest")
