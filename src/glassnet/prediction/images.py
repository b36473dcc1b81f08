"""What a run says about images that are as it takes them: the network's outputs become answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import InputError
from glassnet.prediction.answers import Prediction, Ranked
from glassnet.probabilities import to_probabilities
from glassnet.types import Images, Scores

if TYPE_CHECKING:
    from glassnet.confidence import Verdict
    from glassnet.runs import Run

USUAL_TOP = 3
"""Classes that are ranked unless it is said how many."""


def predict_images(
    run: "Run",
    images: Images,
    *,
    labels: Sequence[int] | None = None,
    sources: Sequence[str] | None = None,
    top: int | None = None,
    max_error: float | None = None,
) -> list[Prediction]:
    """Ask a run what it sees in images.

    Args:
        run: a trained network.
        images: of the run's own size.
        labels: see `glassnet.predict`.
        sources: see `glassnet.predict`.
        top: see `glassnet.predict`.
        max_error: see `glassnet.predict`.

    Raises:
        InputError: images of another size or type, a `top` that there is not, or other labels or sources than images.
    """
    passport = run.passport
    if images.shape[1:] != passport.image_shape or images.dtype != np.uint8:
        raise InputError(
            f"images are {images.dtype} {images.shape}; this run takes uint8 (n, "
            f"{', '.join(map(str, passport.image_shape))}), brightness 0 to 255"
        )
    top = min(USUAL_TOP, len(passport.classes)) if top is None else top
    if not 1 <= top <= len(passport.classes):
        raise InputError(f"top is {top}; this run has {len(passport.classes)} classes, so 1 to {len(passport.classes)}")
    for what, given in (("labels", labels), ("sources", sources)):
        if given is not None and len(given) != len(images):
            raise InputError(f"{len(given)} {what} for {len(images)} images; pass one for each")
    if labels is not None and not all(0 <= label < len(passport.classes) for label in labels):
        raise InputError(
            f"labels run from {min(labels)} to {max(labels)}; with {len(passport.classes)} classes they must be 0 to "
            f"{len(passport.classes) - 1}"
        )
    if not len(images):
        return []

    scores, verdicts = _asked(run, images, max_error)
    if verdicts:
        probabilities = np.stack([one.probabilities for one in verdicts])
    else:
        probabilities = to_probabilities(scores, passport.outputs)
    predictions = []
    for k, image in enumerate(images):
        order = np.argsort(-probabilities[k], kind="stable")[:top]
        ranked = tuple(Ranked(passport.classes[i], float(probabilities[k, i])) for i in order)
        predictions.append(
            Prediction(
                source=sources[k] if sources else str(k),
                label=ranked[0].label,
                probability=ranked[0].probability,
                top=ranked,
                true_label=None if labels is None else passport.classes[labels[k]],
                image=image,
                scores=scores[k],
                probabilities=probabilities[k],
                classes=passport.classes,
                outputs=passport.outputs,
                verdict=verdicts[k] if verdicts else None,
            )
        )
    return predictions


def _asked(run: "Run", images: Images, max_error: float | None) -> "tuple[Scores, list[Verdict]]":
    """Return the network's own outputs, and what may be said of them where that was learned."""
    if run.assurance is None:
        if max_error is not None:
            raise InputError(
                "max_error needs a run that held images out from its training; train it with held_out=0.05 "
                "(--held-out 0.05)"
            )
        from glassnet.training.inference import predict as outputs

        return outputs(run.model, images), []

    from glassnet.confidence.assurance import look
    from glassnet.confidence.verdicts import judge_answers

    scores, typicality = look(run.model, images, run.assurance.novelty.typicality)
    return scores, judge_answers(run.assurance, scores, typicality, max_error=max_error)
