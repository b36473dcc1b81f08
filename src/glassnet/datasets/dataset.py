"""Dataset: labelled images for training, others for the test, and some for validation where there are any."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.datasets.items import Problem
from glassnet.datasets.preparation import Preparation
from glassnet.errors import InputError, UnknownNameError
from glassnet.types import Images, Labels

SPLITS = ("train", "test", "validation")
"""The splits of a data set; the last is there only where there is one."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels.

    Args:
        name: "train", "validation" or "test".
        images: `uint8 (n, height, width)` or `(n, height, width, channels)`, 0-255, with 1 or 3 channels.
        labels: `integer (n,)`, the class number of each image.

    Raises:
        InputError: different numbers of images and labels, or arrays of another kind.
    """

    name: str
    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim < 3 or self.images.shape[3:] not in ((), (1,), (3,)):
            raise InputError(
                f"{self.name} images are {self.images.dtype} {self.images.shape}; expected uint8 (n, height, width) "
                "or (n, height, width, channels) with 1 or 3 channels"
            )
        if self.labels.shape != self.images.shape[:1] or not np.issubdtype(self.labels.dtype, np.integer):
            raise InputError(
                f"{self.name} labels are {self.labels.dtype} {self.labels.shape} for {len(self.images)} images; "
                "expected one whole number for each image"
            )

    def __len__(self) -> int:
        return len(self.images)

    def at(self, index: int) -> tuple[np.ndarray, int]:
        """Return image number `index` and its label.

        Raises:
            InputError: no image has that number.
        """
        if not 0 <= index < len(self):
            raise InputError(f"no {self.name} image {index}; they are numbered 0 to {len(self) - 1}")
        return self.images[index], int(self.labels[index])


@dataclass(frozen=True, eq=False)
class Source:
    """Where a data set of one's own came from, and what became of it.

    Args:
        path: of the folder or file, as it was given; "" for arrays from Python.
        form: what it was recognised as, in words.
        preparation: how the images were made, with everything chosen.
        problems: what could not be used, or not as it was meant.
        names: for each split, the name that every image has in the source; empty where that is not known.
        sizes: for each split, the original (width, height) of every image, `int32 (n, 2)`; empty where not known.
        folder: of the packed images; it may be gone, when the source has changed.
    """

    path: str
    form: str
    preparation: Preparation
    problems: tuple[Problem, ...] = ()
    names: Mapping[str, list[str]] = field(default_factory=dict, repr=False)
    sizes: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    folder: Path | None = None

    @property
    def left_out(self) -> int:
        """How many pictures, rows and files could not be used."""
        return sum(one.count for one in self.problems if one.left_out)

    def record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "path": self.path,
            "form": self.form,
            "preparation": self.preparation.record(),
            "problems": [asdict(one) for one in self.problems],
        }


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test split over the same classes, and a validation split where there is one.

    Args:
        name: what it is called on the command line.
        classes: the name of each class; label k is `classes[k]`.
        train: what networks learn from.
        test: what they are measured on.
        known_sha256: what `sha256` would compute, where it is known.
        validation: what is measured while networks learn; None where the data set has no such part.
        source: where it came from, if it is no set of the package.

    Raises:
        InputError: a label without a class, or splits with images of different shapes.

    Example:
        >>> import glassnet
        >>> data = glassnet.load("fashion-mnist")
        >>> data.train.images.shape, data.classes[data.train.labels[0]]
        ((60000, 28, 28), 'Ankle boot')
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    known_sha256: str | None = None
    validation: Split | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        for split in self.splits[1:]:
            if self.train.images.shape[1:] != split.images.shape[1:]:
                raise InputError(
                    f"training images have shape {self.train.images.shape[1:]}, {split.name} images "
                    f"{split.images.shape[1:]}; expected one shape"
                )
        for split in self.splits:
            if len(split) and not 0 <= split.labels.min() <= split.labels.max() < len(self.classes):
                raise InputError(
                    f"{split.name} labels run from {split.labels.min()} to {split.labels.max()}; with "
                    f"{len(self.classes)} classes they must be 0 to {len(self.classes) - 1}"
                )

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Height and width of one image, and channels where there are any."""
        return self.train.images.shape[1:]

    @property
    def splits(self) -> tuple[Split, ...]:
        """Train and test, and validation where there is one."""
        return (self.train, self.test) if self.validation is None else (self.train, self.test, self.validation)

    def split(self, name: str) -> Split:
        """Return the split called `name` ("train", "test", or "validation" where there is one).

        Raises:
            UnknownNameError: there is no such split.
        """
        known = dict(zip(SPLITS, self.splits, strict=False))
        if name not in known:
            raise UnknownNameError("split", name, known)
        return known[name]

    @cached_property
    def sha256(self) -> str:
        """One hash for the whole set: the SHA-256 of the SHA-256 of its four IDX files.

        In the order train images, train labels, test images, test labels (validation images, validation labels), as
        hexadecimal text joined by newlines.
        """
        return self.known_sha256 or combined_sha256(
            idx_sha256(array) for split in self.splits for array in (split.images, split.labels.astype(np.uint8))
        )


def combined_sha256(parts: Iterable[str]) -> str:
    """Return the SHA-256 of several SHA-256, as hexadecimal text joined by newlines."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def idx_sha256(array: np.ndarray) -> str:
    """Return the SHA-256 of the IDX file of an array of bytes; memory does not grow with the array."""
    found = hashlib.sha256(idx_header(array.shape))
    for start in range(0, len(array), 4096):
        found.update(np.ascontiguousarray(array[start : start + 4096]).data)
    return found.hexdigest()


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Return the header of an IDX file of unsigned bytes (the format that MNIST is published in)."""
    return bytes([0, 0, 0x08, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
