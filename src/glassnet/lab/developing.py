"""What the desk shows of the way from a photo to a network's input: each step, and the answer after it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from glassnet.lab.memory import recall

SIDE = 120
"""Longest side of what is shown of a step, in pixels."""


@dataclass(frozen=True, eq=False)
class SeenStep:
    """One step from a photo to the network's input.

    Args:
        title: what was done.
        about: why, and with what figures.
        picture: after it, made small, `uint8 (height, width[, 3])`.
        seen: what the network would see if this were the last step, `uint8`.
        label: what it would say.
        probability: how sure it would be.
    """

    title: str
    about: str
    picture: np.ndarray
    seen: np.ndarray
    label: str
    probability: float


@dataclass(frozen=True, eq=False)
class Way:
    """The way of a photo to the network.

    Args:
        steps: first to last.
        warnings: what makes the answer doubtful, one sentence each.
    """

    steps: tuple[SeenStep, ...]
    warnings: tuple[str, ...]


def show_way(run: Path, picture: bytes) -> Way:
    """Develop a picture file for a run, and ask the run after every step.

    Raises:
        PhotoError: it is no picture.
    """
    from glassnet.prediction import answer_photos, predict

    opened = recall(run)
    ((_, found),) = answer_photos(opened, [picture], watched=True)
    said = predict(opened, np.stack([step.seen for step in found.steps]))
    steps = tuple(
        SeenStep(step.title, step.about, _small(step.image), step.seen, one.label, float(max(one.probabilities)))
        for step, one in zip(found.steps, said, strict=True)
    )
    return Way(steps, found.warnings)


def _small(image: np.ndarray) -> np.ndarray:
    """Make a picture small enough to be sent to a page; one that is small already stays as it is."""
    picture = Picture.fromarray(image)
    picture.thumbnail((SIDE, SIDE))
    return np.asarray(picture)
