"""What a data set looks like as a whole: images per class, the mean image of each, how bright its pixels are."""

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from glassnet.datasets import Dataset, load, load_again
from glassnet.runs import Passport

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
    """Return a data set by its name or path, the same one every time."""
    return load(name)


def data_of(passport: Passport) -> Dataset:
    """Return the data set that a run was trained on, the same one every time."""
    source = passport.source
    return loaded(passport.dataset) if source is None else _loaded_again(source.model_dump_json())


@lru_cache
def _loaded_again(source: str) -> Dataset:
    return load_again(json.loads(source))


@lru_cache
def overview_of(name: str) -> Overview:
    """Return the overview of a data set."""
    return overview(loaded(name))
