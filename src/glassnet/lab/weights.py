"""Weights as pictures: what the first layer of a network looks for, templates or filters."""

import math
from collections.abc import Iterable

import numpy as np


def first_weights(weights: Iterable[np.ndarray], image_shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the weights of the first layer that mixes pixels, one picture for each of its units.

    Args:
        weights: of a network, in Keras's order.
        image_shape: height and width of its images, and channels where there are any.

    Returns:
        `float32 (units, height, width)`: as large as the images for neurons that see all pixels, smaller for the
        filters of a convolution; of coloured images the mean over the channels. None if there is no such layer.

    Example:
        >>> first_weights([np.ones((9, 4))], (3, 3)).shape, first_weights([np.ones((5, 5, 1, 8))], (28, 28)).shape
        ((4, 3, 3), (8, 5, 5))
    """
    for kernel in weights:
        if kernel.ndim == 4:  # height, width, channels, filters
            return np.ascontiguousarray(kernel.mean(2).transpose(2, 0, 1), np.float32)
        if kernel.ndim == 2 and kernel.shape[0] == math.prod(image_shape):
            pictures = kernel.T.reshape(-1, *image_shape)
            return np.ascontiguousarray(pictures if pictures.ndim == 3 else pictures.mean(-1), np.float32)
    return None
