"""The pieces of a mask that do not touch."""

import numpy as np
from scipy import ndimage


def label_pieces(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the pieces of a mask that do not touch, from 1; corners touch."""
    labels = np.empty(mask.shape, np.int32)
    return labels, int(ndimage.label(mask, np.ones((3, 3)), output=labels))  # pyright: ignore[reportArgumentType]


def count_pieces(mask: np.ndarray) -> int:
    """Return how many pieces that do not touch a mask has."""
    return label_pieces(mask)[1]
