"""What every check looks at: the images of all splits as one list, measured once, in pieces."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from glassnet.audit.findings import Example, example_of
from glassnet.datasets import Dataset, Split
from glassnet.types import Labels

PIECE_BYTES = 1 << 24
"""Pixels that are looked at at once, so that memory does not grow with the data set."""


@dataclass(frozen=True, eq=False)
class Survey:
    """A data set as the checks see it: image number k is one of the whole set, in the order of the splits.

    Args:
        data: the data set.
        rows: for each split, the numbers of its images that are looked at, rising.
    """

    data: Dataset
    rows: tuple[np.ndarray, ...]

    @property
    def complete(self) -> bool:
        """Whether every image is looked at."""
        return len(self) == sum(map(len, self.data.splits))

    def __len__(self) -> int:
        return sum(map(len, self.rows))

    @cached_property
    def split_of(self) -> np.ndarray:
        """For each image, the number of its split in `data.splits`."""
        return np.repeat(np.arange(len(self.rows)), [len(rows) for rows in self.rows])

    @cached_property
    def index(self) -> np.ndarray:
        """For each image, its number in its split."""
        return np.concatenate(self.rows)

    @cached_property
    def labels(self) -> Labels:
        """For each image, the number of its class."""
        return np.concatenate([split.labels[rows] for split, rows in self._parts()]).astype(np.int64)

    def images(self, numbers: np.ndarray) -> np.ndarray:
        """Return images by their numbers, which must rise."""
        sides = np.searchsorted(numbers, np.cumsum([0, *map(len, self.rows)]))
        start, found = 0, []
        for (split, rows), low, high in zip(self._parts(), sides[:-1], sides[1:], strict=True):
            if high > low:
                found.append(split.images[rows[numbers[low:high] - start]])
            start += len(rows)
        return np.concatenate(found) if found else np.empty((0, *self.data.image_shape), np.uint8)

    @property
    def piece(self) -> int:
        """How many images are looked at at once."""
        return max(1, PIECE_BYTES // max(1, int(np.prod(self.data.image_shape))))

    def pieces(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield all images in pieces, each with its place."""
        step, start = self.piece, 0
        for split, rows in self._parts():
            whole = len(rows) == len(split)
            for low in range(0, len(rows), step):
                numbers = rows[low : low + step]
                images = split.images[low : low + step] if whole else split.images[numbers]
                yield slice(start + low, start + low + len(numbers)), np.ascontiguousarray(images)
            start += len(rows)

    @cached_property
    def measures(self) -> "Measures":
        """Digest, brightness and range of every image."""
        kinds = ("V16", np.float32, np.float32, np.float32, np.uint8, np.uint8)
        found = Measures(*(np.empty(len(self), kind) for kind in kinds))
        for place, images in self.pieces():
            flat = images.reshape(len(images), -1)
            found.digest[place] = np.array(
                [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in flat], "V16"
            )
            found.mean[place] = flat.mean(1, dtype=np.float32)
            found.low[place], found.high[place] = flat.min(1), flat.max(1)
            channels = [images] if images.ndim == 3 else [*np.moveaxis(images, 3, 0)]
            spreads = [_deviations(one) for one in channels]
            found.spread[place] = np.max(spreads, axis=0)
            several = len(channels) > 1
            found.grey_spread[place] = _deviations(images.mean(3, dtype=np.float32)) if several else spreads[0]
        return found

    def example(self, number: int, *, group: int = 0, note: str = "") -> Example:
        """Return an image as an example of a finding."""
        split = self.data.splits[self.split_of[number]]
        return example_of(self.data, split.name, int(self.index[number]), group=group, note=note)

    def _parts(self) -> Iterator[tuple[Split, np.ndarray]]:
        return zip(self.data.splits, self.rows, strict=True)


@dataclass(frozen=True, eq=False)
class Measures:
    """Numbers about every image.

    Args:
        digest: 16 bytes; equal for equal pixels, and for no others.
        mean: brightness, 0-255.
        spread: standard deviation of its pixels, in the channel in which it is largest: 0 for a single colour.
        grey_spread: standard deviation of the brightness of its pixels.
        low: its darkest value.
        high: its brightest value.
    """

    digest: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    grey_spread: np.ndarray
    low: np.ndarray
    high: np.ndarray


def _deviations(images: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the pixels of each image, of `(n, height, width)`."""
    apart = images.reshape(len(images), -1).astype(np.float32)
    apart -= apart.mean(1, keepdims=True)
    return np.sqrt(np.einsum("ij,ij->i", apart, apart) / apart.shape[1])


def survey(data: Dataset, *, most_bytes: int | None = None) -> Survey:
    """Look at a data set, or at a sample of it.

    Args:
        data: the data set.
        most_bytes: pixels to look at in all; of a larger set, images that lie evenly are taken. None takes all.
    """
    total = sum(split.images.nbytes for split in data.splits)
    step = 1 if most_bytes is None else max(1, -(-total // most_bytes))
    return Survey(data, tuple(np.arange(0, len(split), step) for split in data.splits))
