"""Strokes: where a pen, a marker or chalk has left enough ink."""

import numpy as np
from scipy import ndimage

from glassnet.photos.boxes import around, box_of, extended, reached, sides, slices_of
from glassnet.photos.light import SMALL, stroke_width
from glassnet.photos.pieces import ink_of_pieces, label_pieces, of_pieces, widen

FADED = 0.2
"""Ink that still is of strokes, or joins two pieces, beside that of the others: the pen faded there."""

FARTHER, WIDER = 1.3, 1.5
"""How long and how wide what is faded may be, beside the strokes that it goes on from."""


def noise_of(ink: np.ndarray) -> float:
    """Return the standard deviation of the ink between neighbouring pixels; strokes, which are few, do not move it."""
    if ink.shape[1] < 3:
        return 0.0
    middle, beside = ink[::2, 1:-1], (ink[::2, 2:] + ink[::2, :-2]) / 2
    return 1.4826 * float(np.median(np.abs(middle - beside))) / 1.5**0.5


def find_strokes(ink: np.ndarray, noise: float) -> np.ndarray:
    """Return where strokes are: darker than a share of the darkest ink, joined to something clearly darker than that.

    Where a pen fades, they go on with less.

    Args:
        ink: `(height, width)`, 0 to 1.
        noise: of the ink (see `noise_of`).
    """
    if max(ink.shape) <= SMALL:
        peak = float(np.quantile(ink, 0.98))
        return _hysteresis(ink > max(0.2 * peak, 0.02), ink > max(0.35 * peak, 0.02))
    peak, least = _peak(ink, noise), max(5 * noise, 0.03)
    low = max(0.38 * peak, least)
    strokes = _hysteresis(ink > low, ink > max(0.6 * peak, low))
    return _with_faded(strokes, ink > max(FADED * peak, least)) if strokes.any() else strokes


def _hysteresis(dark: np.ndarray, darker: np.ndarray) -> np.ndarray:
    """Return the pieces of what is dark that have something darker in them (thresholds with hysteresis)."""
    labels, count = label_pieces(dark)
    return of_pieces(labels, count, np.unique(labels[darker]))


def _with_faded(strokes: np.ndarray, faint: np.ndarray) -> np.ndarray:
    """Return strokes, their soft edges and where they go on with less ink.

    The edge of a shadow that a stroke crosses does not count, being wide or reaching the side of the picture; nor does
    a box around a digit, which is larger than it.

    Args:
        strokes: where there is much ink; at least one pixel.
        faint: where there is enough of it, the strokes among it.
    """
    beside = widen(strokes)
    labels, _ = label_pieces(faint & ~beside)
    numbers = [int(one) for one in np.unique(labels[widen(beside)]) if one]
    if not numbers:
        return beside & faint
    boxes, pieces = ndimage.find_objects(labels), label_pieces(strokes)[0]
    whole = ndimage.find_objects(pieces)
    widest = WIDER * stroke_width(strokes[slices_of(box_of(strokes))]) + 1
    found = beside.copy()
    for number in numbers:
        box = boxes[number - 1]
        here = extended(box, 2)
        own = labels[here] == number
        origin = around([whole[one - 1] for one in np.unique(pieces[here][widen(widen(own))]) if one])
        if reached(box, faint.shape) or max(sides(box)) > FARTHER * max(sides(origin)):
            continue
        there = extended(box, int(widest))
        depth = np.asarray(ndimage.distance_transform_edt(np.pad(faint[there], 1)))[1:-1, 1:-1]
        if 2 * float(depth[labels[there] == number].max()) <= widest:
            found[here] |= own
    return found & faint


def _peak(ink: np.ndarray, noise: float) -> float:
    """Return the darkness of the darkest strokes, without what touches the edge (a table beside the paper)."""
    count = max(20, round(0.0012 * ink.size))
    inner = ink.copy()
    threshold = max(0.3 * float(np.partition(ink.ravel(), -count)[-count:].mean()), 4 * noise, 0.03)
    labels, number = label_pieces(ink > threshold)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    edge = edge[edge > 0]
    mass = ink_of_pieces(ink, labels, number)
    if 0 < len(edge) < number and mass.sum() - mass[edge - 1].sum() > 0.2 * mass.sum():
        inner[of_pieces(labels, number, edge)] = 0
    count = min(count, max(20, int((inner > threshold).sum() // 3)))
    return float(np.partition(inner.ravel(), -count)[-count:].mean())
