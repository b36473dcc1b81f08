"""Boxes around what is in a picture, as the slices of its rows and columns."""

import numpy as np

Slices = tuple[slice, slice]
"""Rows and columns."""


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Return the first row, the row after the last, the first column and the column after the last of a mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def slices_of(box: tuple[int, int, int, int]) -> Slices:
    """Return first and last rows and columns as slices."""
    return slice(box[0], box[1]), slice(box[2], box[3])


def sides(box: Slices) -> tuple[int, int]:
    """Return height and width."""
    return box[0].stop - box[0].start, box[1].stop - box[1].start


def around(boxes: list[Slices]) -> Slices:
    """Return the box around boxes."""
    rows, columns = (slice(min(b[a].start for b in boxes), max(b[a].stop for b in boxes)) for a in range(2))
    return rows, columns


def extended(box: Slices, margin: int) -> Slices:
    """Return the box with so many more pixels on every side, as far as the picture goes."""
    rows, columns = (slice(max(one.start - margin, 0), one.stop + margin) for one in box)
    return rows, columns


def reached(box: Slices, shape: tuple[int, ...]) -> int:
    """Return how many sides of the picture a box reaches."""
    rows, columns = box
    return (rows.start <= 1) + (columns.start <= 1) + (rows.stop >= shape[0] - 1) + (columns.stop >= shape[1] - 1)


def is_within(box: Slices, frame: Slices, margin: float) -> bool:
    """Tell whether a box lies within a frame, so many pixels or more from every side of it."""
    return all(
        outer.start + margin <= inner.start and inner.stop <= outer.stop - margin
        for inner, outer in zip(box, frame, strict=True)
    )


def gap(one: Slices, other: Slices) -> int:
    """Return how many rows or columns lie between two boxes, the more of the two; below 0 they overlap."""
    return -min(overlap(a, b) for a, b in zip(one, other, strict=True))


def overlap(one: slice, other: slice) -> int:
    """Return how many rows or columns two boxes share; below 0 how many lie between them."""
    return min(one.stop, other.stop) - max(one.start, other.start)
