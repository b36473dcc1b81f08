"""The sheet alone: what lies around it is left out, and a light sheet on something dark is no drawing."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glassnet.photos import edges, framing, light, regions, strokes
from glassnet.photos.pieces import fill_hull
from glassnet.photos.subjects import Subject, find_subjects

WORKED = 128
"""Sheets are looked for in a copy of at most so many pixels a side."""

LARGE = 0.12
"""Share of the picture that a sheet covers at least; the strokes of a digit cover less."""

COMPACT = 0.24
"""Thickness of a sheet at least, beside its longest side; a stroke is thinner (see `framing.thickness_of`)."""

SOLID = 0.9
"""Share of its convex outline that a sheet fills at least, together with what is drawn on it."""

DRAWN = 0.2
"""Size of what is drawn on a dark sheet at least, beside the sheet's."""

TABLE = 160
"""Pictures of fewer pixels a side were cut out, and show no table."""


@dataclass(frozen=True, eq=False)
class Surface:
    """What looked like a light drawing is what was drawn on.

    Args:
        share: of the picture that it covers.
        outline: where it is, if all of it is seen, `(height, width)` of the picture; None where shade hides it.
        paper: its brightness where nothing is drawn, spread out beyond its edges, same shape; None with the outline.
    """

    share: float
    outline: np.ndarray | None = None
    paper: np.ndarray | None = None


def find_surface(seeming: np.ndarray, *, light_drawing: bool) -> Surface | None:
    """Look once more at what seems to be drawn; return the sheet that makes it seem so, or None.

    Args:
        seeming: `(height, width)`, 0 to 255: the picture, turned so that the drawing seems to be dark on light.
        light_drawing: whether it seems to be light on dark in the picture itself. A light sheet on something dark is
            common; a dark one on something light is taken for one only if something is drawn on it.
    """
    small = light.shrink(seeming, WORKED)
    found = _first_subject(small)
    if found is None:
        return None
    covered = float(found.mask.mean())
    if covered > LARGE and _thickness(found) > COMPACT:
        surface = _outlined(seeming, small, found, covered)
        return surface if light_drawing or _is_drawn_on(alone(seeming, surface), found) else None
    if light_drawing and found.sides >= 2:
        other = _first_subject(255 - small)
        if other is not None and other.sides < found.sides:
            return Surface(covered)
    return None


def _is_drawn_on(sheet: np.ndarray, found: Subject) -> bool:
    """Tell whether strokes are on a dark sheet, away from its edges."""
    drawn = _first_subject(255 - light.shrink(sheet, WORKED))
    if drawn is None or drawn.sides or not DRAWN * found.longest < drawn.longest < found.longest:
        return False
    return _thickness(drawn) < COMPACT


def find_sheet(colour: np.ndarray, gray: np.ndarray) -> Surface | None:
    """Return the sheet that stands out from all around it, or within its edges near the sides of the picture.

    Args:
        colour: `(height, width, 3)`, 0 to 255.
        gray: the same picture, `(height, width)`.
    """
    if max(gray.shape) < TABLE:
        return None
    inside = regions.region_within(light.shrink(colour, regions.WORKED))
    if inside is not None:
        return _surface(gray, light.shrink(gray, regions.WORKED), inside, inside)
    small = light.shrink(gray, edges.WORKED)
    outside = edges.beyond_edges(small)
    if outside is None or outside.mean() > 1 - LARGE:
        return None
    inside = np.asarray(ndimage.binary_erosion(~outside, iterations=2, border_value=1), bool)
    return _surface(gray, small, inside, inside)


def alone(gray: np.ndarray, surface: Surface) -> np.ndarray:
    """Return the picture as if the sheet went on beyond its edges."""
    if surface.outline is None or surface.paper is None:
        return gray
    return np.where(surface.outline, gray, surface.paper)


def _outlined(gray: np.ndarray, small: np.ndarray, found: Subject, covered: float) -> Surface:
    inside = fill_hull(found.mask)
    filled = np.asarray(ndimage.binary_fill_holes(found.mask))
    if filled[inside].mean() < SOLID:
        return Surface(covered)
    # What lies beyond the frame is not an edge of the sheet.
    edge = round(0.02 * max(small.shape)) + 1
    inside = np.asarray(ndimage.binary_erosion(inside, iterations=edge, border_value=1), bool)
    blank = inside & np.asarray(ndimage.binary_erosion(found.mask, iterations=2, border_value=1), bool)
    return _surface(gray, small, inside, blank) or Surface(covered)


def _surface(gray: np.ndarray, small: np.ndarray, inside: np.ndarray, blank: np.ndarray) -> Surface | None:
    """Return the surface with its paper spread out beyond its edges; None if nothing of it is blank.

    Args:
        gray: the picture.
        small: its small copy.
        inside: where the sheet is in the small copy.
        blank: where nothing is drawn on it.
    """
    if not blank.any():
        return None
    spread = 0.06 * max(small.shape)
    weight = ndimage.gaussian_filter(blank.astype(np.float32), spread)
    paper = ndimage.gaussian_filter(np.where(blank, small, 0).astype(np.float32), spread) / np.maximum(weight, 1e-6)
    near = ndimage.distance_transform_edt(weight < 0.05, return_distances=False, return_indices=True)
    paper = paper[tuple(np.asarray(near))]
    outline = light.enlarge(inside.astype(np.float32), gray.shape) > 0.5
    return Surface(float(inside.mean()), outline, light.enlarge(paper, gray.shape))


def _first_subject(dark: np.ndarray) -> Subject | None:
    ink = light.flatten(dark)
    noise = strokes.noise_of(ink)
    subjects = find_subjects(ink, strokes.find_strokes(ink, noise), noise)
    return subjects[0] if subjects else None


def _thickness(subject: Subject) -> float:
    first, last, left, right = subject.box
    return framing.thickness_of(np.pad(subject.mask[first:last, left:right], 1)) / subject.longest
