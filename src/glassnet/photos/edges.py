"""The straight edges of a sheet near the sides of a picture, and what lies beyond them."""

import functools

import numpy as np
from scipy import ndimage

WORKED = 72
"""Edges are looked for in a picture of at most so many pixels a side; widths below are of such a picture."""

OUTER = 0.38
"""Share of the picture, from each side, in which an edge of the sheet may lie."""

TILT = 0.3
"""How far an edge may rise across the picture, as a share of its width."""

LONG = 0.4
"""Share of the picture's width that an edge has at least, within the picture."""

STEP = 0.12
"""How much lighter or darker a sheet is than what lies beyond its edge, as a difference of logarithms (12 %)."""

SEEN = 0.6
"""Share of an edge along which that step can be seen, at least."""

DEEP = 8
"""Pixels inside an edge that the outside is compared with."""

CROSSED = 0.08
"""How much darker than its surroundings on both sides of an edge, in logarithms, is something that crosses it."""

WIDE = 13
"""Pixels that a stroke which crosses an edge has along it at most; a shadow has more."""


def beyond_edges(small: np.ndarray) -> np.ndarray | None:
    """Return what lies beyond straight edges of a sheet, same shape; None if no edge is seen.

    An edge runs across the picture, or leaves it, and what lies beyond it, up to the frame, is lighter, or darker, than
    the strip inside and than most of the picture: printed lines and strokes have the same paper on both sides. What
    strokes run across is the edge of a shadow.

    Args:
        small: `(height, width)`, 0 to 255, `WORKED` pixels a side at most.
    """
    tone = np.log(small.astype(np.float32) + 8)
    outside = np.zeros(small.shape, bool)
    for turn in range(4):
        beyond = _beyond_upper(np.rot90(tone, turn))
        if beyond is not None:
            outside |= np.rot90(beyond, -turn)
    return outside if outside.any() else None


def _beyond_upper(tone: np.ndarray) -> np.ndarray | None:
    """Return what lies above the sheet's upper edge, `(height, width)` of the logarithms; None if none is seen."""
    height, width = tone.shape
    deepest = int(OUTER * height)
    if deepest < 4:
        return None
    # How much lighter the three rows below a place are than the three above.
    strips = (tone[:-2] + tone[1:-1] + tone[2:]) / 3
    outer = np.concatenate([tone[:2].mean(0, keepdims=True), strips[: deepest - 1]])
    rise = strips[2 : 2 + deepest] - outer
    places, within = _lines(deepest, width)
    along = np.where(within, rise[np.clip(places, 0, deepest - 1), np.arange(width)], 0)
    best: tuple[float, np.ndarray] | None = None
    for signed, sign in ((along, 1), (-along, -1)):
        clear = np.clip(signed, -2 * STEP, 2 * STEP).mean(1)
        line = int(clear.argmax())
        seen = signed[line] > STEP
        if seen.sum() < SEEN * within[line].sum() or (best and best[0] > clear[line]):
            continue
        edge = np.where(within[line], places[line], -2) + 1
        if _is_of_sheet(sign * tone, edge, seen) and not _is_crossed(tone, edge, seen):
            best = float(clear[line]), np.arange(height)[:, None] <= edge
    return best[1] if best else None


@functools.lru_cache(4)
def _lines(deepest: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows, at each column, of all lines that may be an edge, and where these are within the picture."""
    left, right = (one.reshape(-1, 1) for one in np.meshgrid(*[np.arange(-deepest, deepest, 2)] * 2))
    places = np.rint(left + (right - left) * np.linspace(0, 1, width)).astype(np.intp)
    within = (places >= 0) & (places < deepest)
    chosen = (np.abs(left - right)[:, 0] <= TILT * width) & (within.mean(1) >= LONG)
    return places[chosen], within[chosen]


def _is_of_sheet(tone: np.ndarray, edge: np.ndarray, seen: np.ndarray) -> bool:
    """Tell whether all that lies above an edge is darker than what lies below it."""
    rows = np.arange(len(tone))[:, None]
    beyond = rows <= edge
    sheet = min(np.median(tone[~beyond & (rows <= edge + DEEP) & seen]), np.median(tone[~beyond]))
    around = max(np.median(tone[beyond & seen]), np.median(tone[0, seen]))
    return bool(sheet - around > STEP)


def _is_crossed(tone: np.ndarray, edge: np.ndarray, seen: np.ndarray) -> bool:
    """Tell whether something dark runs on across an edge where it is seen, as strokes do where it is a shadow's."""
    whole = np.flatnonzero(seen & (edge >= 2))
    if not len(whole):
        return False
    columns = np.arange(whole[0], whole[-1] + 1)  # beyond them are the corners of the sheet
    above, below = (
        tone[np.clip(edge[columns] + rows[:, None], 0, len(tone) - 1), columns].mean(0)
        for rows in (np.arange(-3, 0), np.arange(2, 5))
    )
    beside = [ndimage.median_filter(part, 2 * WIDE) - part for part in (above, below)]
    if np.minimum(*beside).max() > CROSSED:
        return True
    dark = np.minimum(np.median(above) - above, np.median(below) - below) > 3 * CROSSED
    ends = np.flatnonzero(np.diff(np.concatenate([[False], dark, [False]])))
    return len(ends) > 0 and int((ends[1::2] - ends[::2]).min()) < WIDE  # what is wider is a shadow
