"""What the way from a photo to a network's input consists of."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image as Picture

from glassnet.types import Image

STEPS = (
    "gray",
    "sheet",
    "polarity",
    "flatten",
    "lines",
    "separate",
    "specks",
    "crop",
    "thickness",
    "centre",
    "brightness",
)
"""The names of the steps that can be left out."""

Box = tuple[float, float, float, float]
"""Of a subject in its photo, as shares of the photo's size: top, bottom, left, right."""


@dataclass(frozen=True, eq=False)
class Step:
    """One step from a photo to a network's input.

    Args:
        name: one of `STEPS`, or "upright", "fits" or "resize".
        title: what was done, in a few words.
        about: why, and with what figures.
        image: the picture after it, `uint8 (height, width[, 3])` of any size.
        shape: of the network's input.
        made: the network's input, from the step on that makes one; before it, the picture is resized to be seen.
    """

    name: str
    title: str
    about: str
    image: np.ndarray = field(repr=False)
    shape: tuple[int, ...]
    made: Image | None = field(default=None, repr=False)

    @cached_property
    def seen(self) -> Image:
        """What the network would see if this were the last step; most photos are read without asking for it."""
        return resize(self.image, self.shape) if self.made is None else self.made

    def record(self) -> dict[str, Any]:
        """Return name, title and about."""
        return {"name": self.name, "title": self.title, "about": self.about}


@dataclass(frozen=True, eq=False)
class Development:
    """A photo on its way to the network.

    Args:
        image: the network's input.
        steps: how it came about, first to last.
        warnings: what makes the answer doubtful, one sentence each.
        box: of the subject in the photo; None where nothing was cut out.
        blank: whether nothing stands out in the photo, so that there is nothing to be answered.
    """

    image: Image = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)
    warnings: tuple[str, ...]
    box: Box | None = None
    blank: bool = False

    def record(self) -> dict[str, Any]:
        """Return the steps in words, the warnings and the box."""
        return {
            "steps": [step.record() for step in self.steps],
            "warnings": list(self.warnings),
            "box": None if self.box is None else list(self.box),
        }


def to_bytes(picture: np.ndarray) -> np.ndarray:
    """Return brightness as `uint8`; what lies below 0 or above 255 is cut off."""
    if picture.dtype == np.uint8:
        return picture
    cut = np.clip(picture, 0, 255)
    return np.rint(cut, out=cut).astype(np.uint8)


def is_colour(shape: tuple[int, ...]) -> bool:
    """Tell whether images of this shape are in colour; gray ones may have an axis of one channel."""
    return shape[2:] == (3,)


def resize(picture: np.ndarray, shape: tuple[int, ...]) -> Image:
    """Return the whole picture at the network's size, gray where the network takes gray; proportions may change."""
    source = Picture.fromarray(picture).convert("RGB" if is_colour(shape) else "L")
    resized = source.resize((shape[1], shape[0]), Picture.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(resized).reshape(shape)
