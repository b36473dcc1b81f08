"""Which classes a network takes for which."""

from dataclasses import dataclass

import numpy as np

from glassnet.types import Labels

MOST_PAIRS = 10
"""Confused pairs that are listed."""


@dataclass(frozen=True)
class ClassScores:
    """How well one class is recognised.

    Args:
        label: the class.
        precision: share of the images called this that are this; 0 if none was called this.
        recall: share of the images of this class that were called this; 0 if there are none.
        f1: harmonic mean of the two.
        support: images of this class.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class ConfusedPair:
    """Images of one class that were taken for another.

    Args:
        truth: what they are.
        predicted: what the network says.
        count: how many.
        share: of all images of the true class.
    """

    truth: str
    predicted: str
    count: int
    share: float


def confusion_matrix(labels: Labels, predicted: Labels, classes: int) -> tuple[tuple[int, ...], ...]:
    """Count the images of each true class (row) by the class that was predicted (column).

    Example:
        >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
        ((1, 1), (0, 1))
    """
    cells = labels.astype(np.int64) * classes + predicted.astype(np.int64)
    counts = np.bincount(cells, minlength=classes * classes).reshape(classes, classes)
    return tuple(tuple(row) for row in counts.tolist())


def most_confused(
    confusion: tuple[tuple[int, ...], ...], classes: tuple[str, ...], *, count: int = MOST_PAIRS
) -> tuple[ConfusedPair, ...]:
    """Return the pairs of classes that are confused most often, the most frequent first."""
    pairs = [
        ConfusedPair(truth, predicted, cell, cell / sum(row))
        for truth, row in zip(classes, confusion, strict=True)
        for predicted, cell in zip(classes, row, strict=True)
        if cell and truth != predicted
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.count)[:count])


def score_classes(labels: Labels, predicted: Labels, classes: tuple[str, ...]) -> tuple[ClassScores, ...]:
    """Return precision, recall and F1 of every class, in the order of the classes."""
    from sklearn.metrics import precision_recall_fscore_support

    *scores, support = precision_recall_fscore_support(
        labels,
        predicted,
        labels=range(len(classes)),
        zero_division=0,  # pyright: ignore[reportArgumentType]  (its annotation knows only the text)
    )
    support = np.asarray(support).astype(int)  # where no answer is right, scikit-learn counts in floats
    rows = zip(classes, *(np.asarray(column).tolist() for column in (*scores, support)), strict=True)
    return tuple(ClassScores(*row) for row in rows)
