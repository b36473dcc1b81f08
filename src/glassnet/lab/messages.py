"""What the lab and its workers say to each other, besides the events of training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glassnet.recipes import Recipe


@dataclass(frozen=True)
class Order:
    """Train this.

    Args:
        plan: the recipe with its changes.
        data: name of the data set.
        seed: of the start and the order of the images.
        out: the run folder to write.
        resume: go on with what is unfinished there.
    """

    plan: Recipe
    data: str
    seed: int
    out: Path
    resume: bool = False


@dataclass(frozen=True)
class Steer:
    """Call this method of the training's `Steering`.

    Args:
        verb: "pause", "resume", "step", "stop" or "set_learning_rate".
        value: its argument, if it takes one.
    """

    verb: str
    value: float | None = None


@dataclass(frozen=True)
class Ready:
    """The worker is warm, and idle."""


@dataclass(frozen=True)
class Opened:
    """The images are there: training comes next.

    Args:
        classes: the names of their classes.
        measured: the split that is measured after every epoch, if one is.
    """

    classes: tuple[str, ...]
    measured: str


@dataclass(frozen=True, eq=False)
class Looks:
    """What the units of the first layer, neurons or filters, look like by now.

    Args:
        templates: `float32 (units, height, width)`, their weights as pictures; only the first of many.
        neurons: how many there are in all.
    """

    templates: np.ndarray
    neurons: int


@dataclass(frozen=True, eq=False)
class Counts:
    """Which class is taken for which by now, on some of the test images.

    Args:
        counts: `int (truth, answer)`.
    """

    counts: np.ndarray


@dataclass(frozen=True)
class Finished:
    """The training is over and the run is written.

    Args:
        out: the run folder.
        test_accuracy: share of the test images that it gets right.
        seconds: for training, without compiling.
    """

    out: Path
    test_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Failed:
    """The training ended in an error.

    Args:
        text: what went wrong, for people.
        diverged: the loss was no longer a number.
    """

    text: str
    diverged: bool
