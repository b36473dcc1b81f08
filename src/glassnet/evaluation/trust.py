"""What a run's own statements about its certainty are worth, measured on images that nothing was fitted on."""

from dataclasses import dataclass

import numpy as np

from glassnet.confidence.assurance import Assurance
from glassnet.confidence.verdicts import FALSE_ALARMS, SET_ERROR, judge_answers
from glassnet.evaluation.calibration import calibration_error, reliability_bins
from glassnet.types import Labels, Scores

MAX_ERROR = 0.01
"""The error rate at which refusing to answer is measured."""


@dataclass(frozen=True)
class Trust:
    """How a run's certainty fares.

    Args:
        held_out: training images that it did not learn from, and that its certainty was learned from.
        temperature: what its logits are divided by.
        calibration_error: mean distance of confidence from accuracy, with that.
        set_error: share of images whose set of classes may miss the right one,
        set_coverage: and share whose set holds it.
        set_size: classes in a set, on average.
        max_error: share of the answers that may be wrong when the network may say "I don't know",
        answered: the share of images that it answers then,
        answered_error: and the share of those answers that is wrong (null if there are none).
        false_alarms: share of images like the training images that may be called unlike them,
        unlike: and the share that is.
    """

    held_out: int
    temperature: float
    calibration_error: float
    set_error: float
    set_coverage: float
    set_size: float
    max_error: float
    answered: float
    answered_error: float | None
    false_alarms: float
    unlike: float


def measure_trust(assurance: Assurance, outputs: Scores, typicality: np.ndarray, labels: Labels) -> Trust:
    """Compare what a run says about its certainty with what is right.

    Args:
        assurance: of the run.
        outputs: of its network for the images,
        typicality: and how usual they are (see `glassnet.confidence.assurance.look`).
        labels: the right classes.
    """
    verdicts = judge_answers(assurance, outputs, typicality, max_error=MAX_ERROR)
    probabilities = np.stack([one.probabilities for one in verdicts])
    right = probabilities.argmax(1) == labels
    known = np.array([one.known for one in verdicts])
    covered = [label in one.classes for one, label in zip(verdicts, labels.tolist(), strict=True)]
    return Trust(
        held_out=assurance.n,
        temperature=assurance.temperature,
        calibration_error=calibration_error(reliability_bins(probabilities.max(1), right)),
        set_error=SET_ERROR,
        set_coverage=float(np.mean(covered)),
        set_size=float(np.mean([len(one.classes) for one in verdicts])),
        max_error=MAX_ERROR,
        answered=float(known.mean()),
        answered_error=float(1 - right[known].mean()) if known.any() else None,
        false_alarms=FALSE_ALARMS,
        unlike=float(np.mean([one.unlike for one in verdicts])),
    )
