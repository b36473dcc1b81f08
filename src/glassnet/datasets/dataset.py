"""Dataset: labelled images for training, and others for the test."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from glassnet.errors import InputError, UnknownNameError
from glassnet.types import Images, Labels

SPLITS = ("train", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels.

    Args:
        name: "train" or "test".
        images: `uint8 (n, height, width)` or `(n, height, width, channels)`, 0-255.
        labels: `integer (n,)`, the class number of each image.

    Raises:
        InputError: different numbers of images and labels, or arrays of another kind.
    """

    name: str
    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim not in (3, 4):
            raise InputError(
                f"{self.name} images are {self.images.dtype} {self.images.shape}; expected uint8 (n, height, width) "
                "or (n, height, width, channels)"
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
class Dataset:
    """A training and a test split over the same classes.

    Args:
        name: what it is called on the command line.
        classes: the name of each class; label k is `classes[k]`.
        train: what networks learn from.
        test: what they are measured on.
        known_sha256: what `sha256` would compute, where it is known.

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

    def __post_init__(self) -> None:
        if self.train.images.shape[1:] != self.test.images.shape[1:]:
            raise InputError(
                f"training images have shape {self.train.images.shape[1:]}, test images "
                f"{self.test.images.shape[1:]}; expected one shape"
            )
        for split in (self.train, self.test):
            if len(split) and not 0 <= split.labels.min() <= split.labels.max() < len(self.classes):
                raise InputError(
                    f"{split.name} labels run from {split.labels.min()} to {split.labels.max()}; with "
                    f"{len(self.classes)} classes they must be 0 to {len(self.classes) - 1}"
                )

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Height and width of one image, and channels where there are any."""
        return self.train.images.shape[1:]

    def split(self, name: str) -> Split:
        """Return the split called `name` ("train" or "test").

        Raises:
            UnknownNameError: there is no such split.
        """
        if name not in SPLITS:
            raise UnknownNameError("split", name, SPLITS)
        return self.train if name == "train" else self.test

    @cached_property
    def sha256(self) -> str:
        """One hash for the whole set: the SHA-256 of the SHA-256 of its four IDX files.

        In the order train images, train labels, test images, test labels, as hexadecimal text joined by newlines.
        """
        return self.known_sha256 or combined_sha256(
            hashlib.sha256(idx_header(array.shape) + np.ascontiguousarray(array).tobytes()).hexdigest()
            for split in (self.train, self.test)
            for array in (split.images, split.labels.astype(np.uint8))
        )


def combined_sha256(parts: Iterable[str]) -> str:
    """Return the SHA-256 of several SHA-256, as hexadecimal text joined by newlines."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Return the header of an IDX file of unsigned bytes (the format that MNIST is published in)."""
    return bytes([0, 0, 0x08, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
