"""The region of even colour in the middle of a picture, such as a piece of paper on cloth, and what lies around it."""

from typing import Any

import numpy as np
from scipy import ndimage

from glassnet.photos.boxes import box_of, sides, slices_of
from glassnet.photos.medians import median_around
from glassnet.photos.pieces import areas_of_pieces, fill_hull, label_pieces, largest_piece

WORKED = 96
"""Regions are looked for in a picture of at most so many pixels a side; widths below are of such a picture."""

EVEN = (0.08, 0.13, 0.2)
"""How much a colour changes between neighbouring pixels of a region at most, in logarithms; tried in turn."""

SHARE = 0.18, 0.85
"""Share of the picture that a region covers at least, and at most."""

SIDES = 1
"""Sides of the picture that a region reaches at most; what reaches more is the ground, or a part of it in shade."""

SOLID = 0.9
"""Share of its convex outline that a region fills at least, together with what is drawn on it."""

DRAWN = 0.004
"""Share of a region that is drawn on, at least: a black cell of a printed puzzle is no sheet."""

STEP = 0.12
"""How much the colour differs between a region and what lies beyond its edge, as a difference of logarithms."""

SEEN = 0.85
"""Share of its outline along which that step can be seen, at least."""

BEYOND = 4, 8
"""Pixels outside of a region that it is compared with: beyond a printed line or a soft edge."""

HOLE = 0.08
"""Width of a hole at least, beside the region's longest side, through which paper is seen; writing is narrower."""

GROUND = 14
"""Pixels outside of a region from which on everything is the ground."""


def region_within(small: np.ndarray) -> np.ndarray | None:
    """Return the largest region of even colour that stands out from everything around it, `(height, width)`, or None.

    Within it colours change slowly, as light does; what is drawn on it counts as part of it. A box that is printed has
    the same paper on both sides, and the ground reaches most sides of the picture: neither is such a region.

    Args:
        small: `float32 (height, width, 3)`, 0 to 255, `WORKED` pixels a side at most.
    """
    tone = np.log(ndimage.uniform_filter(small, (2, 2, 1)) + 12)  # pyright: ignore[reportArgumentType]
    change = (ndimage.maximum_filter(tone, (3, 3, 1)) - ndimage.minimum_filter(tone, (3, 3, 1))).max(-1)
    for level in EVEN:
        found = _largest(np.asarray(ndimage.binary_opening(change < level, np.ones((2, 2)))))
        if found is not None and _is_sheet(tone, *found):
            return found[1]
    return None


def _largest(even: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the largest piece that can be a sheet, and its outline, filled; None if none can."""
    labels, count = label_pieces(even)
    for number in np.argsort(-areas_of_pieces(labels, count))[:3]:
        piece = labels == number + 1
        outline = _outline(piece)
        if outline is not None:
            return piece, outline
    return None


def _outline(piece: np.ndarray) -> np.ndarray | None:
    """Return the convex outline of a piece, filled; None if a sheet has no such form or nothing is on it."""
    reached = sum(bool(one.any()) for one in (piece[:2], piece[-2:], piece[:, :2], piece[:, -2:]))
    filled = np.asarray(ndimage.binary_fill_holes(piece))
    if reached > SIDES or not SHARE[0] < filled.mean() < SHARE[1] or piece.sum() > (1 - DRAWN) * filled.sum():
        return None
    inside = fill_hull(filled)
    return inside if filled[inside].mean() > SOLID else None


def _is_sheet(tone: np.ndarray, piece: np.ndarray, outline: np.ndarray) -> bool:
    """Tell whether a piece stands out from all around it, and is no thick stroke."""
    found: Any = ndimage.distance_transform_edt(~outline, return_indices=True)
    away, nearest = found
    ring = (away >= BEYOND[0]) & (away <= BEYOND[1])
    if not ring.any() or not _stands_out(tone, outline, ring, away > GROUND, nearest):
        return False
    return not _is_stroke(tone, piece, outline, ring)


def _is_stroke(tone: np.ndarray, piece: np.ndarray, outline: np.ndarray, ring: np.ndarray) -> bool:
    """Tell whether a piece is a thick stroke: its largest hole is wide and shows the paper that lies around it."""
    holes = np.asarray(ndimage.binary_fill_holes(piece)) & ~piece
    if not holes.any():
        return False
    hole = largest_piece(holes)
    depth = np.asarray(ndimage.distance_transform_edt(hole))
    if 2 * depth.max() < HOLE * max(sides(slices_of(box_of(outline)))) or hole[fill_hull(hole)].mean() < SOLID:
        return False
    low, high = np.quantile(tone[ring], (0.1, 0.9), axis=0)
    within = np.median(tone[depth > depth.max() / 2], axis=0)
    return bool(((within > low - STEP) & (within < high + STEP)).all())


def _stands_out(
    tone: np.ndarray, region: np.ndarray, ring: np.ndarray, ground: np.ndarray, nearest: np.ndarray
) -> bool:
    """Tell whether the colour just inside differs from that beyond, all along the outline, and farther."""
    inside = median_around(tone, 5, "symmetric")[tuple(nearest)]
    apart = np.abs(median_around(tone, 3, "symmetric") - inside).max(-1)
    if (apart[ring] > STEP).mean() <= SEEN:
        return False
    # Within a thick, round stroke is the same paper as around it.
    return not ground.any() or float(np.abs(np.median(tone[region], 0) - np.median(tone[ground], 0)).max()) > STEP
