"""Doubts: labels that a trained network finds unlikely, by the rule of confident learning."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from glassnet.audit.findings import Finding, counted, example_of
from glassnet.datasets import Dataset
from glassnet.types import Labels, Probabilities

if TYPE_CHECKING:
    from glassnet.runs import Run

SHOWN = 24


def doubt_labels(labels: Labels, probabilities: Probabilities) -> np.ndarray:
    """Return the numbers of the images whose label is probably wrong, the most doubtful first.

    The threshold of a class is the mean probability that its own images get for it. An image is counted to the class
    whose threshold it reaches; of several, to the most probable one. It is doubted if that is not the class of its
    label, unless the network's own answer is.

    Args:
        labels: as they are given.
        probabilities: of a network that did not learn from these labels.

    References:
        C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
        Journal of Artificial Intelligence Research 70, 2021, section 3.1 (the confident joint); ranked by its
        normalized margin. That the answer must differ, too, is the rule of its authors' library, cleanlab
        (`filter.find_label_issues`).

    Example:
        >>> import numpy as np
        >>> doubt_labels(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]]))
        array([1])
    """
    classes = probabilities.shape[1]
    own = probabilities[np.arange(len(labels)), labels]
    sums = np.bincount(labels, own, minlength=classes)
    counts = np.bincount(labels, minlength=classes)
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    reached = probabilities >= thresholds
    confident = np.where(reached, probabilities, -1.0)
    best = confident.argmax(1)
    doubted = np.flatnonzero(reached.any(1) & (best != labels) & (probabilities.argmax(1) != labels))
    margin = probabilities[doubted, best[doubted]] - own[doubted]
    return doubted[np.argsort(-margin, kind="stable")]


def check_labels(data: Dataset, run: "Run") -> Iterator[Finding]:
    """Look for labels that a trained network finds unlikely, among the images outside of the training set."""
    from glassnet.evaluation import evaluate

    own = data.sha256 == run.passport.dataset_sha256
    learned = "" if own else " It was trained on other data, perhaps on some of these images with these labels."
    for split in data.splits:
        if split.name == "train" or not len(split):
            continue
        evaluation = evaluate(run, data, split=split.name)
        doubted = doubt_labels(split.labels, evaluation.probabilities)
        if not len(doubted):
            continue
        answers = (
            (k, data.classes[evaluation.predicted[k]], evaluation.confidence[k]) for k in doubted[:SHOWN].tolist()
        )
        examples = tuple(
            example_of(data, split.name, k, note=f"{answer} {100 * sure:.0f} %") for k, answer, sure in answers
        )
        yield Finding(
            "doubtful labels",
            "note",
            f"the network doubts {counted(len(doubted), 'label')} of the {split.name} images",
            "It is surer of another class than it usually is of that one. With "
            f"{100 * evaluation.accuracy:.1f} % accuracy many of these are its own errors; the first are worth a look."
            + learned,
            "look at the first ones and mend the labels that are wrong; a better network doubts more rightly",
            {"images": len(doubted), "accuracy": round(evaluation.accuracy, 6)},
            len(doubted) / len(split),
            examples,
        )
