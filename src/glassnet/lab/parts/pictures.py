"""Pictures: many small images as one, and coloured weights."""

import math

import numpy as np

from glassnet.sharing.sprites import coloured, png_uri


def sprite(images: np.ndarray, columns: int) -> str:
    """Return `uint8 (n, height, width[, 3])` as the address of one picture that the page can show at once."""
    return png_uri(mosaic(images, columns))


def templates_sprite(templates: np.ndarray, columns: int) -> str:
    """Return weights `(n, height, width)` as one picture: blue pushes for, orange against; one scale for all."""
    return png_uri(mosaic(coloured(np.nan_to_num(templates)), columns, empty=255))


def mosaic(images: np.ndarray, columns: int, *, empty: int = 0) -> np.ndarray:
    """Return `(n, height, width[, 3])` as one image, in rows of `columns`; places without an image get one value.

    Example:
        >>> import numpy as np
        >>> mosaic(np.ones((3, 2, 2), np.uint8), 2)[:, 2:]
        array([[1, 1],
               [1, 1],
               [0, 0],
               [0, 0]], dtype=uint8)
    """
    n, height, width, *channels = images.shape
    rows = math.ceil(n / columns)
    grid = np.full((rows * columns, height, width, *channels), empty, images.dtype)
    grid[:n] = images
    lines = grid.reshape(rows, columns, height, width, *channels).swapaxes(1, 2)
    return np.ascontiguousarray(lines.reshape(rows * height, columns * width, *channels))
