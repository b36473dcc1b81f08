"""What a data set looks like as a whole: images per class, the mean image of each, how bright its pixels are."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from glassnet.datasets import Dataset, load

BINS = 32


@dataclass(frozen=True, eq=False)
class Overview:
    """The training images of a data set, summed up.

    Args:
        counts: images of each class.
        means: the mean image of each class, `uint8 (classes, height, width[, channels])`.
        histogram: pixels in each of 32 equal bins of brightness.
    """

    counts: tuple[int, ...]
    means: np.ndarray
    histogram: tuple[int, ...]


def overview(data: Dataset) -> Overview:
    """Sum up the training images of a data set.

    Example:
        >>> import glassnet
        >>> overview(glassnet.load("fashion-mnist")).counts[:3]
        (6000, 6000, 6000)
    """
    part, classes = data.train, len(data.classes)
    means = [part.images[part.labels == label].mean(0) for label in range(classes)]
    brightness = np.bincount(part.images.reshape(-1), minlength=256).reshape(BINS, -1).sum(1)
    return Overview(
        counts=tuple(np.bincount(part.labels, minlength=classes).tolist()),
        means=np.rint(means).astype(np.uint8),
        histogram=tuple(brightness.tolist()),
    )


@lru_cache
def loaded(name: str) -> Dataset:
    """Return an embedded data set, the same one every time."""
    return load(name)


@lru_cache
def overview_of(name: str) -> Overview:
    """Return the overview of an embedded data set."""
    return overview(loaded(name))
