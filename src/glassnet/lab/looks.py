"""What a data set looks like as a whole: images per class, the mean image of each, how bright its pixels are."""

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from glassnet.datasets import Dataset, load, load_again
from glassnet.runs import Passport

BINS = 32

SLICE = 2_000
"""Images that are looked at together: a set may be larger than the memory."""


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
    counts, sums = np.bincount(part.labels, minlength=classes), np.zeros((classes, *data.image_shape))
    brightness = np.zeros(256, np.int64)
    for start in range(0, len(part), SLICE):
        images, labels = part.images[start : start + SLICE], part.labels[start : start + SLICE]
        brightness += np.bincount(images.reshape(-1), minlength=256)
        for label in np.unique(labels):
            sums[label] += images[labels == label].sum(0)
    means = sums / np.maximum(counts, 1).reshape(-1, *[1] * len(data.image_shape))  # a class may be without images
    return Overview(
        counts=tuple(counts.tolist()),
        means=np.rint(means).astype(np.uint8),
        histogram=tuple(brightness.reshape(BINS, -1).sum(1).tolist()),
    )


@lru_cache
def loaded(name: str) -> Dataset:
    """Return a data set by its name or path, the same one every time."""
    return load(name)


def data_of(passport: Passport) -> Dataset:
    """Return the data set that a run was trained on, the same one every time."""
    source = passport.source
    return loaded(passport.dataset) if source is None else loaded_again(source.model_dump_json())


@lru_cache
def loaded_again(source: str) -> Dataset:
    """Return the data set that a record of a source, as JSON, came from, the same one every time."""
    return load_again(json.loads(source))


@lru_cache
def overview_of(name: str) -> Overview:
    """Return the overview of a data set."""
    return overview(loaded(name))
