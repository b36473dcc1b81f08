"""The training images that are nearest to an image, pixel by pixel."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glassnet.datasets import Dataset
from glassnet.errors import InputError, UnknownNameError
from glassnet.types import Image, Images

MOST_BYTES = 1 << 25
"""Memory for a piece of the training images, and for its distances."""


@dataclass(frozen=True)
class Neighbour:
    """A training image near another image.

    Args:
        index: its number in the training split.
        label: its class.
        distance: Euclidean distance of the pixels, each from 0 to 1.
    """

    index: int
    label: str
    distance: float


def nearest(
    data: Dataset, images: Images | Image, *, count: int = 3, label: str | None = None
) -> list[tuple[Neighbour, ...]]:
    """Find the training images that are nearest to each image.

    Args:
        data: whose training images are searched.
        images: of its shape; a single image is a batch of one.
        count: how many for each; fewer where there are not so many.
        label: search only this class.

    Returns:
        For each image its neighbours, the nearest first.

    Raises:
        InputError: images of another shape or kind, a count below 1.
        UnknownNameError: a class that the data does not have.

    Example:
        >>> import glassnet
        >>> data = glassnet.load("mnist")
        >>> nearest(data, data.train.images[7], count=1)
        [(Neighbour(index=7, label='3', distance=0.0),)]
    """
    batch = images[None] if images.shape == data.image_shape else images
    if batch.shape[1:] != data.image_shape or batch.dtype != np.uint8:
        shape = ", ".join(map(str, data.image_shape))
        raise InputError(
            f"images are {images.dtype} {images.shape}; {data.name} has uint8 (n, {shape}): pass images of that shape"
        )
    if count < 1:
        raise InputError(f"count is {count}; ask for at least 1 neighbour")
    if label is not None and label not in data.classes:
        raise UnknownNameError("class", label, data.classes)

    labels = data.train.labels
    numbers = np.arange(len(labels)) if label is None else np.flatnonzero(labels == data.classes.index(label))
    rows_at_once = max(1, MOST_BYTES // (8 * batch[0].size)) if len(batch) else 1
    queries_at_once = max(1, MOST_BYTES // (8 * rows_at_once))
    return [
        tuple(
            Neighbour(number, data.classes[labels[number]], square**0.5 / 255)
            for number, square in zip(*found, strict=True)
        )
        for queries in _pieces(batch, queries_at_once)
        for found in _search(data.train.images, numbers, queries, count, rows_at_once)
    ]


def _search(
    images: np.ndarray, numbers: np.ndarray, queries: np.ndarray, count: int, rows_at_once: int
) -> list[tuple[list[int], list[float]]]:
    """Return, for each query, the numbers and squared distances of the nearest among the numbered images."""
    best_numbers = np.empty((len(queries), 0), np.int64)
    best_squares = np.empty((len(queries), 0))
    for some in _pieces(numbers, rows_at_once):
        squares = _squared_distances(queries, images[some])
        nearest_of_some = np.argpartition(squares, min(count, len(some)) - 1)[:, :count]
        found_numbers = np.hstack([best_numbers, some[nearest_of_some]])
        found_squares = np.hstack([best_squares, np.take_along_axis(squares, nearest_of_some, -1)])
        order = np.lexsort((found_numbers, found_squares))[:, :count]
        best_numbers = np.take_along_axis(found_numbers, order, -1)
        best_squares = np.take_along_axis(found_squares, order, -1)
    return list(zip(best_numbers.tolist(), best_squares.tolist(), strict=True))


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return |a - b|² = |a|² + |b|² - 2 a·b; exact, since the pixels are integers and fit float64."""
    a = first.reshape(len(first), -1).astype(np.float64)
    b = second.reshape(len(second), -1).astype(np.float64)
    return np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b) - 2 * a @ b.T


def _pieces(array: np.ndarray, length: int) -> Iterator[np.ndarray]:
    for start in range(0, len(array), length):
        yield array[start : start + length]
