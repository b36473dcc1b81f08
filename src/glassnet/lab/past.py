"""What the desk answers about the moments of a training, in its own process: plain values and arrays."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.lab.memory import MOST_RUNS, recall, stamp_of
from glassnet.lab.weights import first_weights


@dataclass(frozen=True, eq=False)
class Past:
    """A training, moment by moment.

    Args:
        names: of the moments, the start first.
        templates: weights of the first units as pictures, `float32 (moments, units, height, width)`.
        neurons: how many there are in all.
        hidden: they are no classes.
        confusion: `int (moments, truth, answer)`, of 1,000 test images or fewer.
        classes: their names.
        image_shape: height and width of an image, and channels where there are any.
    """

    names: tuple[str, ...]
    templates: np.ndarray
    neurons: int
    hidden: bool
    confusion: np.ndarray
    classes: tuple[str, ...]
    image_shape: tuple[int, ...]


def replay(run: Path, most_templates: int) -> Past | None:
    """Measure every moment that a run has kept; None if it kept none."""
    from glassnet.explanation.units import weighted_layers
    from glassnet.runs import SNAPSHOTS

    opened = recall(run)
    if not (run / SNAPSHOTS).is_file():
        return None
    again = _replayed(run, stamp_of(run))
    shape, classes = opened.passport.image_shape, opened.passport.classes
    pictures = [first_weights([value[k] for value in again.values], shape) for k in range(len(again.moments))]
    templates = np.stack([np.zeros((0, 1, 1), np.float32) if one is None else one for one in pictures])
    return Past(
        names=tuple(moment.name for moment in again.moments),
        templates=np.ascontiguousarray(templates[:, :most_templates]),
        neurons=templates.shape[1],
        hidden=len(weighted_layers(opened.model)) > 1,
        confusion=again.confusion(),
        classes=tuple(classes),
        image_shape=shape,
    )


def ask_past(run: Path, image: np.ndarray) -> np.ndarray:
    """Return what a run made of one image at every moment: probabilities `(moments, classes)`."""
    return _replayed(run, stamp_of(run)).probabilities(image)[:, 0]


@lru_cache(MOST_RUNS)
def _replayed(run: Path, stamp: int) -> Any:
    from glassnet.replay import open_replay

    return open_replay(recall(run))
