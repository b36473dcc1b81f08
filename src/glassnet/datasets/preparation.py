"""Preparation: how pictures of any size and kind become images of one shape, and which of them are held back.

What is left open is chosen by looking at a sample, once; the choice is kept with the packed images and in the passport
of every run, so that photos are brought into the same form later.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from glassnet.errors import InputError, UnknownNameError
from glassnet.types import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Fit = Literal["letterbox", "crop", "stretch"]
FITS: tuple[Fit, ...] = get_args(Fit)
COLOURS = ("auto", "gray", "colour")

LARGEST_CHOSEN, LARGEST = 64, 1024
"""Longest side, in pixels: that is chosen for larger pictures, and that may be asked for."""

COLOURED_SHARE = 0.02
"""A set is in colour if more of its pictures are."""


@dataclass(frozen=True)
class Preparation:
    r"""How images are brought into one shape, and how many of them are for validation and test.

    Args:
        size: (height, width) in pixels; None keeps the size of pictures that all have one of at most 64 pixels, and
            otherwise makes them squares of the median side, at most 64.
        colour: "gray", "colour", or "auto": colour if the pictures have any.
        fit: "letterbox" shows the whole picture and fills up with the brightness of its border, "crop" fills the frame
            with its middle, "stretch" changes its proportions.
        validation: the share of the images that is for validation, where the source does not say.
        test: the share that is for the test, likewise.
        group_by: a regular expression; pictures in whose names it finds the same text (its first group, if it has one)
            are on one side of every split.
        seed: of the shuffling.

    Raises:
        InputError: a size, a share or an expression that cannot work.

    Example:
        >>> Preparation(size=(32, 32), fit="crop", group_by=r"patient(\d+)").fit
        'crop'
    """

    size: tuple[int, int] | None = None
    colour: Literal["auto", "gray", "colour"] = "auto"
    fit: Fit = "letterbox"
    validation: float = 0.1
    test: float = 0.2
    group_by: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size is not None and not (len(self.size) == 2 and all(1 <= side <= LARGEST for side in self.size)):
            raise InputError(f"size is {self.size}; it must be (height, width), each from 1 to {LARGEST} pixels")
        if self.fit not in FITS:
            raise UnknownNameError("fit", self.fit, FITS)
        if self.colour not in COLOURS:
            raise UnknownNameError("colour", self.colour, COLOURS)
        if not (0 <= self.validation < 1 and 0 < self.test < 1 and self.validation + self.test < 1):
            raise InputError(
                f"shares are {self.validation} for validation and {self.test} for the test; the second must be above 0 "
                "and both together below 1, such as 0.1 and 0.2"
            )
        if self.group_by is not None:
            try:
                re.compile(self.group_by)
            except re.error as error:
                raise InputError(
                    f"{self.group_by!r} is no regular expression ({error}); write one such as 'patient(\\d+)'"
                ) from error

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width), and 3 for colour; only of a preparation that is `chosen`."""
        if self.size is None or self.colour == "auto":
            raise InputError("size or colour of this preparation is still open; use the one that the data set has")
        return self.size if self.colour == "gray" else (*self.size, 3)

    def chosen(self, sizes: Sequence[tuple[int, int]], coloured: float) -> "Preparation":
        """Return the preparation with size and colour filled in.

        Args:
            sizes: (width, height) of a sample of the pictures.
            coloured: the share of the sample that is in colour.
        """
        colour = self.colour
        if colour == "auto":
            colour = "colour" if coloured > COLOURED_SHARE else "gray"
        return replace(self, size=self.size or _chosen_size(sizes), colour=colour)

    def image(self, picture: "Picture") -> Image:
        """Bring a decoded picture into the shape (of a preparation that is `chosen`)."""
        return fitted(picture, self.image_shape, self.fit)

    def group_of(self, name: str) -> str | None:
        """Return what `group_by` finds in a name; None if nothing."""
        found = re.search(self.group_by, name) if self.group_by else None
        return found and (found[1] if found.re.groups else found[0])

    def record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"size": list(self.size) if self.size else None}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Preparation":
        """Return the preparation that gave this record."""
        size: Any = tuple(record["size"]) if record["size"] else None
        return replace(cls(**{name: value for name, value in record.items() if name != "size"}), size=size)


def fitted(picture: "Picture", image_shape: tuple[int, ...], fit: Fit) -> Image:
    """Return a picture as `uint8` of the given shape.

    Args:
        picture: any size, in grayscale ("L") or colour ("RGB").
        image_shape: (height, width), and 3 for colour.
        fit: see `Preparation`.
    """
    from PIL import Image as Pictures

    height, width = image_shape[:2]
    mode = "L" if len(image_shape) == 2 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    if picture.size == (width, height):
        return np.asarray(picture)
    best = Pictures.Resampling.LANCZOS
    if fit == "stretch":
        return np.asarray(picture.resize((width, height), best))
    ratios = width / picture.width, height / picture.height
    if fit == "crop":
        ratio = max(ratios)
        # The part of the picture that is kept; rounding must not take it beyond the picture's border.
        wide, high = min(picture.width, width / ratio), min(picture.height, height / ratio)
        left, top = (picture.width - wide) / 2, (picture.height - high) / 2
        return np.asarray(
            picture.resize((width, height), best, box=(left, top, picture.width - left, picture.height - top))
        )
    ratio = min(ratios)
    size = min(width, max(1, round(picture.width * ratio))), min(height, max(1, round(picture.height * ratio)))
    small = np.asarray(picture.resize(size, best))
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    image = np.empty(image_shape, np.uint8)
    image[:] = np.median(border, axis=0).astype(np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    image[top : top + size[1], left : left + size[0]] = small
    return image


def _chosen_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    if len(set(sizes)) == 1 and max(sizes[0]) <= LARGEST_CHOSEN:
        width, height = sizes[0]
        return height, width
    side = min(LARGEST_CHOSEN, max(1, round(float(np.median(np.asarray(sizes))))))
    return side, side
