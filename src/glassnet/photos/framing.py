"""A subject gets the stroke, size and place that subjects have in the training images."""

from dataclasses import dataclass

import numpy as np
from PIL import Image as Picture
from scipy import ndimage

from glassnet.photos.facts import DataFacts
from glassnet.types import Image

FINE = 4
"""Strokes are drawn on a grid that is so many times finer than the network's input, then averaged."""

DARK, STEEPEST, GROUND = 0.7, 1.6, 0.13
"""Share of the strokes of a small drawing that is lighter than full ink, the power that grays are raised to at most,
and what is so light that it is ground: scans are softer than training images, which looks unlike them."""

LEAST = 0.05
"""Rows and columns with less ink are not part of a drawing's box."""


@dataclass(frozen=True, eq=False)
class Redrawn:
    """Strokes that were drawn anew, on the fine grid, 0 to 1.

    Args:
        drawing: with the thickness that was wanted.
        plain: with their own.
        before: that thickness, in pixels of the network's input.
        after: the thickness of the drawing.
    """

    drawing: np.ndarray
    plain: np.ndarray
    before: float
    after: float


def draw_strokes(ink: np.ndarray, threshold: float, size: float, wanted: tuple[float, float] | None) -> Redrawn:
    """Draw strokes anew at a size of their own, with a thickness inside the wanted range.

    The edge of a stroke is where the ink passes the threshold. The distance of every point of a fine grid from it is
    known, so that it can be moved outwards or inwards: strokes get thicker or thinner without losing their form.

    Args:
        ink: the cropped subject, 0 to 1.
        threshold: darkness at the edge of a stroke.
        size: longest side that the drawing shall have, in pixels of the network's input.
        wanted: thinnest and thickest stroke, in the same pixels; None leaves them.
    """
    before = after = 0.0
    grow = 0.0  # by how much the edge moves outwards, on the fine grid
    moved = own = np.zeros((1, 1))
    for attempt in range(3):
        side = max(4.0, size * FINE - 2 * grow)
        depth = _signed_distance(_scaled(ink, side, pad=round(max(grow, 0)) + 6) - threshold)
        thickness = _thickness(depth) / FINE
        if attempt == 0:
            before, own = thickness, depth
        target = thickness if wanted is None else float(np.clip(thickness, *wanted))
        # Thinning stops before the thinnest parts of the drawing would break.
        grow = (target - thickness) * FINE / 2
        if grow < 0:
            grow = max(grow, -0.6 * _thinnest(depth))
        moved = depth + grow
        after = target
        if abs(grow) < 0.25:
            break
    return Redrawn(_softened(moved), _softened(own), before, after)


def scale_grays(ink: np.ndarray, threshold: float, size: float, usual: float) -> np.ndarray:
    """Scale strokes with all their grays, and do not draw them anew.

    Where strokes are hardly wider than a pixel, the grays tell more of their form than an edge does. What is about as
    dark as their darkest becomes full ink; where that makes them thicker than usual, lighter grays become lighter, and
    the lightest become ground.

    Args:
        ink: the cropped subject, 0 to 1.
        threshold: darkness at the edge of a stroke.
        size: longest side that the drawing shall have, in pixels of the network's input.
        usual: thickness of strokes in the training images, in the same pixels.

    Returns:
        The drawing on the fine grid, 0 to 1.
    """
    scaled = _scaled(ink, size * FINE, pad=6)
    inside = scaled > threshold
    full = float(np.quantile(scaled[inside], DARK)) if inside.any() else 1.0
    drawing = np.clip(scaled / full, 0, 1)
    thickness = _thickness(_signed_distance(drawing - 0.5)) / FINE
    drawing = drawing ** float(np.clip(thickness / usual, 1, STEEPEST))
    return np.maximum(drawing - GROUND, 0) / (1 - GROUND)


def place(drawing: np.ndarray, shape: tuple[int, ...], facts: DataFacts, *, centred: bool = True) -> Image:
    """Put a drawing on the fine grid into the network's frame, and average it down.

    Args:
        drawing: 0 to 1, `FINE` times as fine as the frame.
        shape: of the network's input.
        facts: tell what lies in the middle, mass or box.
        centred: False puts the middle of the drawing's box there in any case.
    """
    height, width = shape[:2]
    frame = np.zeros((height * FINE, width * FINE))
    rows, columns = (np.flatnonzero((drawing > LEAST).any(axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros((height, width), np.uint8)
    part = drawing[max(rows[0] - 2, 0) : rows[-1] + 3, max(columns[0] - 2, 0) : columns[-1] + 3]
    part = part[: frame.shape[0], : frame.shape[1]]
    middle, centre = ((part.shape[0] - 1) / 2, (part.shape[1] - 1) / 2), ((height - 1) / 2, (width - 1) / 2)
    if centred:
        centre = facts.centre
        if facts.centring == "mass":
            weights = part / part.sum()
            middle = weights.sum(1) @ np.arange(len(part)), weights.sum(0) @ np.arange(part.shape[1])
    corner = [
        int(np.clip(round(FINE * goal + (FINE - 1) / 2 - at), 0, room - length))
        for goal, room, at, length in zip(centre, frame.shape, middle, part.shape, strict=True)
    ]
    frame[corner[0] : corner[0] + part.shape[0], corner[1] : corner[1] + part.shape[1]] = part
    small = frame.reshape(height, FINE, width, FINE).mean((1, 3))
    return np.rint(np.clip(small * 255, 0, 255)).astype(np.uint8)


def thickness_of(mask: np.ndarray) -> float:
    """Return the mean thickness of what a mask shows, in its pixels; nothing may touch its edge."""
    return _thickness(_signed_distance(mask - 0.5))


def letterbox(picture: np.ndarray, shape: tuple[int, ...], background: int = 0) -> Image:
    """Scale a picture to fit into the frame, keep its proportions, and fill the rest."""
    height, width = shape[:2]
    factor = min(height / picture.shape[0], width / picture.shape[1])
    size = max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor))
    small = np.asarray(
        Picture.fromarray(picture).resize(size, Picture.Resampling.BOX if factor < 0.5 else Picture.Resampling.BILINEAR)
    )
    frame = np.full((height, width, *picture.shape[2:]), background, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    frame[top : top + size[1], left : left + size[0]] = small
    return frame


def _scaled(ink: np.ndarray, side: float, pad: int) -> np.ndarray:
    """Return the ink with its longest side at `side` pixels, in an empty margin."""
    factor = side / max(ink.shape)
    size = max(1, round(ink.shape[1] * factor)), max(1, round(ink.shape[0] * factor))
    way = (
        Picture.Resampling.BICUBIC
        if factor > 1
        else Picture.Resampling.BOX
        if factor < 0.5
        else Picture.Resampling.BILINEAR
    )
    return np.pad(np.asarray(Picture.fromarray(ink.astype(np.float32)).resize(size, way)), pad)


def _signed_distance(above: np.ndarray) -> np.ndarray:
    """Return the distance to the edge, positive inside of strokes."""
    inside = above > 0
    if not inside.any():
        return np.full(above.shape, -1e3)
    inner, outer = ndimage.distance_transform_edt(inside), ndimage.distance_transform_edt(~inside)
    return np.where(inside, np.asarray(inner) - 0.5, 0.5 - np.asarray(outer))


def _softened(depth: np.ndarray) -> np.ndarray:
    """Return the ink for distances from the edge: sharper than the data's own edges would be as strange as blurred."""
    return 1.06 * ndimage.gaussian_filter(np.clip(depth + 0.5, 0, 1), 0.3 * FINE)


def _thinnest(depth: np.ndarray) -> float:
    """Return half the thickness of the thinner strokes, on the line in their middle."""
    middle = (depth == ndimage.maximum_filter(depth, 3)) & (depth > 0)
    return float(np.quantile(depth[middle], 0.15)) if middle.any() else 0.0


def _thickness(depth: np.ndarray) -> float:
    """Return the mean thickness of strokes: four times the mean distance of their points from the edge."""
    inside = depth[depth > 0]
    return 4 * float(inside.mean()) if inside.size else 0.0
