"""The sheet alone: what lies around it is left out, and a light sheet on something dark is no drawing."""

from dataclasses import dataclass

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull

from glassnet.photos import framing, light, strokes
from glassnet.photos.strokes import Subject

WORKED = 128
"""Sheets are looked for in a copy of at most so many pixels a side."""

LARGE = 0.12
"""Share of the picture that a sheet covers at least; the strokes of a digit cover less."""

COMPACT = 0.24
"""Thickness of a sheet at least, beside its longest side; a stroke is thinner (see `framing.thickness_of`)."""

SOLID = 0.9
"""Share of its convex outline that a sheet fills at least, together with what is drawn on it."""

WORKED_EDGES = 72
"""Edges of a sheet are looked for in a copy of at most so many pixels a side."""

OUTER = 0.38
"""Share of the picture, from each side, in which an edge of the sheet may lie."""

TILT = 0.3
"""How far an edge may rise across the picture, as a share of its width."""

STEP = 0.12
"""How much lighter or darker a sheet is than what lies beyond its edge, as a difference of logarithms (12 %)."""

SEEN = 0.6
"""Share of an edge along which that step can be seen, at least."""

DEEP = 8
"""Pixels inside an edge that the outside is compared with."""


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


def find_surface(gray: np.ndarray) -> Surface | None:
    """Look at a picture that was taken for light on dark once more; return the sheet that makes it seem so, or None.

    Args:
        gray: `(height, width)`, 0 to 255.
    """
    small = light.shrink(gray, WORKED)
    found = _first_subject(255 - small)
    if found is None:
        return None
    covered = float(found.mask.mean())
    if covered > LARGE and _thickness(found) > COMPACT:
        return _outlined(gray, small, found, covered)
    if found.sides >= 2:
        other = _first_subject(small)
        if other is not None and other.sides < found.sides:
            return Surface(covered)
    return None


def find_surroundings(gray: np.ndarray) -> Surface | None:
    """Look for straight edges of a sheet near each side of the picture; return the sheet within them, or None.

    An edge runs across the picture, or leaves it, and what lies beyond it is lighter, or darker, than the strip inside
    and than most of the picture: printed lines and strokes have the same paper on both sides.

    Args:
        gray: `(height, width)`, 0 to 255.
    """
    small = light.shrink(gray, WORKED_EDGES)
    tone = np.log(small + 8.0)
    outside = np.zeros(small.shape, bool)
    for turn in range(4):
        beyond = _beyond_edge(np.rot90(tone, turn))
        if beyond is not None:
            outside |= np.rot90(beyond, -turn)
    if not outside.any() or outside.mean() > 1 - LARGE:
        return None
    return _surface(gray, small, ~outside, ~outside)


def _beyond_edge(tone: np.ndarray) -> np.ndarray | None:
    """Return what lies above the sheet's upper edge, `(height, width)` of the logarithms; None if no edge is seen."""
    height, width = tone.shape
    deepest = int(OUTER * height)
    if deepest < 4:
        return None
    rows = np.arange(1, deepest + 1)
    # How much lighter the three rows below are than those above, where an edge may lie.
    rise = np.stack([tone[row : row + 3].mean(0) - tone[max(0, row - 3) : row].mean(0) for row in rows + 1])
    left, right = (one.ravel() for one in np.meshgrid(*[np.arange(-deepest, deepest)] * 2))
    level = np.abs(left - right) <= TILT * width
    left, right = left[level, None], right[level, None]
    places = np.rint(left + (right - left) * np.linspace(0, 1, width)).astype(int)
    within = (places >= 0) & (places < deepest)
    enough = within.mean(1) >= 0.4
    places, within = places[enough], within[enough]
    along = np.where(within, rise[np.clip(places, 0, deepest - 1), np.arange(width)], 0)
    found: tuple[float, np.ndarray] | None = None
    for signed in (along, -along):
        clear = np.clip(signed, -2 * STEP, 2 * STEP).mean(1)
        best = int(clear.argmax())
        seen = signed[best] > STEP
        if seen.sum() < SEEN * within[best].sum() or (found and found[0] > clear[best]):
            continue
        edge = np.where(within[best], places[best], -2) + 1
        beyond = np.arange(height)[:, None] <= edge
        inside = (np.arange(height)[:, None] <= edge + DEEP) & ~beyond & seen
        other = np.median(tone[beyond & seen])
        apart = np.array([np.median(tone[inside]) - other, np.median(tone[~beyond]) - other])
        if np.all((apart if signed is along else -apart) > STEP):
            found = float(clear[best]), beyond
    return found[1] if found else None


def alone(gray: np.ndarray, surface: Surface) -> np.ndarray:
    """Return the picture as if the sheet went on beyond its edges."""
    if surface.outline is None or surface.paper is None:
        return gray
    return np.where(surface.outline, gray, surface.paper)


def _outlined(gray: np.ndarray, small: np.ndarray, found: Subject, covered: float) -> Surface:
    corners = np.argwhere(found.mask)
    hull = ConvexHull(corners)
    canvas = Picture.new("1", found.mask.shape[::-1])
    ImageDraw.Draw(canvas).polygon([(int(x), int(y)) for y, x in corners[hull.vertices]], fill=1)
    inside = np.asarray(canvas)
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
    subjects = strokes.find_subjects(ink, strokes.find_strokes(ink, strokes.noise_of(ink)))
    return subjects[0] if subjects else None


def _thickness(subject: Subject) -> float:
    first, last, left, right = subject.box
    return framing.thickness_of(np.pad(subject.mask[first:last, left:right], 1)) / subject.longest
