"""Printed lines - squared paper, ruled paper, the boxes of forms - are found and taken out of the ink."""

from functools import lru_cache

import numpy as np
from scipy import ndimage

from glassnet.photos.light import SMALL, shrink

WORKED = 192
"""Lines are looked for in a copy of at most so many pixels a side."""

NEAR = 2
"""Pixels from the side of a small picture where only the strokes of one that was cut out tightly are."""

TILTS = np.arange(-24, 24.5, 0.75)
"""Degrees that paper may be turned."""


def remove_lines(ink: np.ndarray) -> tuple[np.ndarray, int]:
    """Take printed lines out of the ink; a stroke that crosses one stays where it is darker than the line.

    A line is thin, straight, runs through nearly all of the picture, and more than one place of the picture would have
    to be drawn for a digit to do that. Straight runs are found by a Hough transform of the thin structures.

    Args:
        ink: `(height, width)`, 0 to 1.

    Returns:
        The ink without them, and their number; all of the ink and 0 where what is left would be nothing to read.

    References:
        Duda, Hart (1972), Use of the Hough transformation to detect lines and curves in pictures.
    """
    ink, edges = _remove_edges(ink)
    if max(ink.shape) <= SMALL:
        return ink, edges
    factor = -(-max(ink.shape) // WORKED)
    small = shrink(ink, WORKED)
    noise = 1.4826 * float(np.median(np.abs(small - np.median(small))))
    floor = max(0.05, 3 * noise, 0.12 * float(np.quantile(small, 0.995)))
    mask = small > floor
    thickest = max(3, round(0.03 * max(small.shape)))
    thin = mask & ~np.asarray(ndimage.binary_opening(mask, np.ones((thickest, thickest))), bool)
    found = _straight_runs(small, thin)
    if not found:
        return ink, edges
    on_lines = np.zeros(small.shape, bool)
    level = np.zeros(small.shape)
    for angle, offset in found:
        distance = np.abs(_offsets(small.shape, angle) - offset)
        band = distance <= 2
        typical = float(np.median(small[(distance <= 1) & thin]))
        level = np.maximum(level, np.where(band, typical, 0))
        on_lines |= band
    # What is clearly darker than the line itself is drawn over it.
    weight = np.clip((small - 1.4 * level) / (0.4 * level + 1e-6), 0, 1)
    keep = np.where(on_lines, weight, 1)
    left = small * keep
    before, after = small[small > floor].sum(), left[small > floor].sum()
    drawn = ndimage.binary_opening((left > floor) & ~on_lines, np.ones((2, 2)))
    if after < 0.05 * before or drawn.sum() < 12:
        return ink, edges
    return _restore(ink, small, keep, level, factor), len(found) + edges


def _remove_edges(ink: np.ndarray) -> tuple[np.ndarray, int]:
    """Take out the sides of a box around the subject: thin, at the edge of the picture, from one end to the other."""
    mask = ink > 0.3 * float(np.quantile(ink, 0.98))
    left, removed = ink.copy(), set[int]()
    small = max(ink.shape) <= SMALL
    for side in range(4):
        turned, cleaned = np.rot90(mask, side), np.rot90(left, side)  # views: the side is now at the top
        rows = max(2, round(0.14 * len(turned)))
        # A line that is not quite level is spread over neighbouring rows.
        cover = ndimage.maximum_filter(turned[: rows + 3].astype(np.uint8), (3, 1)).mean(1)
        full = np.flatnonzero(cover[:rows] > 0.88)
        most = 3 if small else max(5, 0.07 * len(turned))
        if len(full) and len(full) <= most and mask.sum() > 0:
            removed.add(side)
            for row in full:
                cleaned[max(0, row - 1) : row + 2] = 0
    if left.sum() < 0.25 * ink.sum():
        return ink, 0
    # What seems to be an edge may be the bar of a seven that was cut out tightly: then other sides are near, too.
    others = set(range(4)) - removed
    if small and any(np.rot90(mask & (left > 0), side)[:NEAR].any() for side in others):
        return ink, 0
    return left, len(removed)


def _restore(ink: np.ndarray, small: np.ndarray, keep: np.ndarray, level: np.ndarray, factor: int) -> np.ndarray:
    """Apply the shares at full size, and close the cuts that taking a line out leaves in strokes that cross it."""
    # A stroke that was cut has ink on both sides of the line, darker than lines are: a closing across it finds them.
    on_lines = level > 0
    kept = np.where(small * keep > 1.25 * float(np.median(level[on_lines])), small * keep, 0)
    bridged = np.maximum(ndimage.grey_closing(kept, (6, 1)), ndimage.grey_closing(kept, (1, 6)))
    share = np.where(on_lines, np.maximum(keep, np.clip(bridged / np.maximum(small, 1e-6), 0, 1)), 1)
    large = np.kron(share, np.ones((factor, factor)))
    missing = ((0, max(0, ink.shape[0] - large.shape[0])), (0, max(0, ink.shape[1] - large.shape[1])))
    return ink * np.pad(large, missing, mode="edge")[: ink.shape[0], : ink.shape[1]]


def _straight_runs(small: np.ndarray, thin: np.ndarray) -> list[tuple[float, float]]:
    """Return angle and offset of every line that thin pixels cover from one side of the picture to the other."""
    if not 0.5 * min(thin.shape) <= thin.sum() <= 20_000:
        return []  # nothing, or not lines but noise or cloth
    found = []
    for quarter in (0, 90):
        # One pixel across the line, its darkest, so that what is counted is length.
        rows, columns = np.nonzero(thin & _is_peak(small, axis=0 if quarter == 0 else 1))
        height, width = thin.shape
        span = width if quarter == 0 else height
        reach = _reach(height, width)
        table = np.stack(
            [np.bincount(_bins(rows, columns, quarter + one, reach), minlength=2 * reach) for one in TILTS]
        )
        # Two neighbouring bins together: a line does not lie in the middle of one.
        pairs, chords = table + np.roll(table, -1, 1), _chords(height, width, quarter)
        cover = np.where(chords > 0.6 * span, pairs / np.maximum(chords, 1), 0)
        cover = np.where(cover >= 0.55, cover, 0)
        peak = (cover == ndimage.maximum_filter(cover, (15, 7))) & (cover > 0)
        for k, bin_number in zip(*np.nonzero(peak), strict=True):
            found.append((quarter + TILTS[k], bin_number - reach + 0.5))
    return found


@lru_cache(16)
def _chords(height: int, width: int, quarter: int) -> np.ndarray:
    """Return how long every line is inside the picture, by angle and two neighbouring bins; cameras have one size."""
    reach = _reach(height, width)
    rows, columns = (one.ravel() for one in np.mgrid[0:height:2, 0:width:2])
    lengths = 4 * np.stack(
        [np.bincount(_bins(rows, columns, quarter + one, reach), minlength=2 * reach) for one in TILTS]
    )
    return (lengths + np.roll(lengths, -1, 1)) / 2


def _reach(height: int, width: int) -> int:
    return int(np.hypot(height, width)) + 2


def _is_peak(small: np.ndarray, axis: int) -> np.ndarray:
    """Return where a pixel is darker than both neighbours along an axis (as dark as the first, at most)."""
    padded = np.pad(small, [(1, 1) if k == axis else (0, 0) for k in (0, 1)], constant_values=-1)
    before, after = (padded[:-2], padded[2:]) if axis == 0 else (padded[:, :-2], padded[:, 2:])
    return (small >= before) & (small > after)


def _bins(rows: np.ndarray, columns: np.ndarray, angle: float, reach: int) -> np.ndarray:
    turn = np.deg2rad(angle)
    return np.rint(rows * np.cos(turn) - columns * np.sin(turn)).astype(np.int64) + reach


def _offsets(shape: tuple[int, ...], angle: float) -> np.ndarray:
    turn = np.deg2rad(angle)
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    return rows * np.cos(turn) - columns * np.sin(turn)
