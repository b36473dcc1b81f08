"""The pieces of a mask that do not touch, and the outline of one."""

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError


def label_pieces(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the pieces of a mask that do not touch, from 1; corners touch."""
    labels = np.empty(mask.shape, np.int32)
    return labels, int(ndimage.label(mask, np.ones((3, 3)), output=labels))  # pyright: ignore[reportArgumentType]


def count_pieces(mask: np.ndarray) -> int:
    """Return how many pieces that do not touch a mask has."""
    return label_pieces(mask)[1]


def of_pieces(labels: np.ndarray, count: int, numbers: np.ndarray) -> np.ndarray:
    """Return where those pieces are that have one of the numbers; 0, which is no piece, does not count."""
    chosen = np.zeros(count + 1, bool)
    chosen[numbers] = True
    chosen[0] = False
    return chosen[labels]


def areas_of_pieces(labels: np.ndarray, count: int) -> np.ndarray:
    """Return how many pixels every piece has, from number 1."""
    return np.bincount(labels.ravel(), minlength=count + 1)[1:]


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """Return where the largest piece of a mask is, same shape; the mask must have one."""
    labels, count = label_pieces(mask)
    return labels == areas_of_pieces(labels, count).argmax() + 1


def ink_of_pieces(ink: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the ink of every piece, from number 1."""
    drawn = np.flatnonzero(labels)  # a small part of the picture
    return np.bincount(labels.ravel()[drawn], ink.ravel()[drawn], count + 1)[1:]


def widen(mask: np.ndarray) -> np.ndarray:
    """Return the mask with all pixels beside it, corners included, same shape."""
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide


def fill_hull(mask: np.ndarray) -> np.ndarray:
    """Return what lies within the convex outline of a mask, same shape."""
    places = np.argwhere(mask)
    try:
        outline = places[ConvexHull(places).vertices]
    except QhullError:  # all of them on one line, whose ends are the first and the last
        outline = places[[0, -1]]
    canvas = Picture.new("1", mask.shape[::-1])
    ImageDraw.Draw(canvas).polygon([(int(x), int(y)) for y, x in outline], fill=1)
    return np.asarray(canvas)
