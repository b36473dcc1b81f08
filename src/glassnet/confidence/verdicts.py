"""judge: what a network may say about images, and how sure it may be."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.confidence.assurance import Assurance, look
from glassnet.confidence.temperature import calibrated, to_logits
from glassnet.types import Images, Scores

if TYPE_CHECKING:
    import keras

FALSE_ALARMS = 0.05
"""Share of images like the training images that are nevertheless called unlike them."""

SET_ERROR = 0.05
"""Share of images whose set of classes may miss the right one."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What may be said about one image.

    Args:
        probabilities: calibrated, in the order of the classes.
        classes: numbers of the classes that cannot be excluded, the most probable first; none where even the most
            probable one is less sure than it is for as many usual images as the set may miss.
        typicality: share of held-out images that are at least as unusual; 0 is unlike all of them.
        unlike: whether the image is unlike the training images.
        known: whether the answer is sure enough to be given; True where no error rate was asked for.
    """

    probabilities: np.ndarray
    classes: tuple[int, ...]
    typicality: float
    unlike: bool
    known: bool


def judge(
    model: "keras.Model",
    assurance: Assurance,
    images: Images,
    *,
    set_error: float = SET_ERROR,
    max_error: float | None = None,
    false_alarms: float = FALSE_ALARMS,
) -> list[Verdict]:
    """Ask a network about images, and say how sure it may be.

    Args:
        model: the network that the assurance was learned for.
        assurance: what held-out images say about it.
        images: `uint8 (n, height, width[, channels])`.
        set_error: share of images whose set of classes may miss the right one.
        max_error: share of the given answers that may be wrong; an answer that is not sure enough, or to an image more
            unlike the training images than every held-out one, is "I don't know". None gives all answers.
        false_alarms: share of usual images that may be called unlike the training images.

    Raises:
        InputError: a rate that is no share.
    """
    if not len(images):
        return []
    outputs, typicality = look(model, images, assurance.novelty.typicality)
    rates: Any = {"set_error": set_error, "max_error": max_error, "false_alarms": false_alarms}
    return judge_answers(assurance, outputs, typicality, **rates)


def judge_answers(
    assurance: Assurance,
    outputs: Scores,
    typicality: np.ndarray,
    *,
    set_error: float = SET_ERROR,
    max_error: float | None = None,
    false_alarms: float = FALSE_ALARMS,
) -> list[Verdict]:
    """Say how sure a network may be of answers that it gave already (see `glassnet.confidence.assurance.look`)."""
    probabilities = calibrated(to_logits(outputs, assurance.outputs), assurance.temperature)
    least = assurance.set_threshold(set_error)
    sure = -1.0 if max_error is None else assurance.answer_threshold(max_error)
    return [
        Verdict(
            probabilities=row,
            classes=tuple(int(k) for k in np.argsort(-row, kind="stable") if row[k] >= least),
            typicality=float(typical),
            unlike=bool(typical <= false_alarms),
            known=max_error is None or bool(row.max() >= sure and typical > 0),
        )
        for row, typical in zip(probabilities, typicality, strict=True)
    ]
