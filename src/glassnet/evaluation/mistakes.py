"""The mistakes that a network was surest of, and whether a person would have been confused too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.datasets import Dataset, Split
from glassnet.errors import InputError
from glassnet.evaluation.neighbours import Neighbour, nearest
from glassnet.evaluation.records import plain
from glassnet.evaluation.scores import Evaluation
from glassnet.runs import Run

NEIGHBOURS = 3
"""Training images of each of the two classes that stand beside a mistake."""


@dataclass(frozen=True)
class Mistake:
    """An image that was taken for something else.

    Args:
        index: its number in the split.
        split: "test", "train" or "validation".
        truth: what it is.
        predicted: what the network says.
        probability: of what the network says.
        true_probability: what it gives to the truth.
        nearest_predicted: the training images of the predicted class that are nearest to it.
        nearest_true: those of its true class.
    """

    index: int
    split: str
    truth: str
    predicted: str
    probability: float
    true_probability: float
    nearest_predicted: tuple[Neighbour, ...]
    nearest_true: tuple[Neighbour, ...]

    @property
    def understandable(self) -> bool:
        """Would a person have been confused too?

        Yes if the nearest training image of the predicted class is nearer than that of the true class. This is a
        stand-in for asking a person: it compares pixels, and knows nothing of what people look at.
        """
        if not self.nearest_predicted or not self.nearest_true:
            return False
        return self.nearest_predicted[0].distance < self.nearest_true[0].distance

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return plain(self) | {"understandable": self.understandable}


def find_mistakes(run: Run, evaluation: Evaluation, data: Dataset | None = None, *, count: int = 10) -> list[Mistake]:
    """Return the mistakes that the network was surest of, the surest first.

    Args:
        run: the network that was evaluated.
        evaluation: of the run.
        data: the data set that it was evaluated on; the one that the run was trained on if None.
        count: how many.

    Raises:
        InputError: the evaluation is of other images, or a count below 1.

    Example:
        >>> import glassnet
        >>> run = glassnet.train("baseline", epochs=1)
        >>> surest = find_mistakes(run, glassnet.evaluate(run), count=1)[0]
        >>> surest.truth != surest.predicted and surest.probability > 0.9
        True
    """
    data = run.dataset() if data is None else data
    part = data.split(evaluation.split)
    if count < 1:
        raise InputError(f"count is {count}; ask for at least 1 mistake")
    if data.classes != evaluation.classes or not np.array_equal(part.labels, evaluation.labels):
        raise InputError(
            f"the evaluation is of {evaluation.n} {evaluation.split} images of {evaluation.dataset}, not of the "
            f"{len(part)} of {data.name}; pass the data that was evaluated"
        )
    wrong = np.flatnonzero(~evaluation.right)
    surest = wrong[np.argsort(-evaluation.confidence[wrong], kind="stable")][:count]
    truths = [data.classes[number] for number in part.labels[surest]]
    answers = [data.classes[number] for number in evaluation.predicted[surest]]
    return [
        Mistake(
            index=index,
            split=part.name,
            truth=truth,
            predicted=answer,
            probability=float(evaluation.confidence[index]),
            true_probability=float(evaluation.probabilities[index, part.labels[index]]),
            nearest_predicted=near_answer,
            nearest_true=near_truth,
        )
        for index, truth, answer, near_truth, near_answer in zip(
            surest.tolist(),
            truths,
            answers,
            _near(data, part, surest, truths),
            _near(data, part, surest, answers),
            strict=True,
        )
    ]


def _near(data: Dataset, part: Split, indices: np.ndarray, labels: Sequence[str]) -> list[tuple[Neighbour, ...]]:
    """Return the neighbours of each image in the class named for it; one search for each class."""
    found: dict[int, tuple[Neighbour, ...]] = {}
    for label in set(labels):
        chosen = [index for index, name in zip(indices.tolist(), labels, strict=True) if name == label]
        # One more than wanted: a training image is its own nearest neighbour.
        near = nearest(data, part.images[chosen], count=NEIGHBOURS + 1, label=label)
        found |= dict(zip(chosen, near, strict=True))
    itself = part.name == "train"
    return [
        tuple(one for one in found[index] if not (itself and one.index == index))[:NEIGHBOURS]
        for index in indices.tolist()
    ]
