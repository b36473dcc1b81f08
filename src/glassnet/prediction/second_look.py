"""A second look at photos: where the usual steps end in something unlike the training images, other ways are tried.

The steps from a photo to a network's input know nothing of the network, and take light for dark or a shadow for a
stroke now and then. Then what they make is nearly always unlike the training images, which the run can tell, and
what another way makes is like them, if that way is right.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from glassnet import photos
from glassnet.errors import PhotoError
from glassnet.prediction.answers import Prediction
from glassnet.prediction.developed import photo_facts, predict_developed

if TYPE_CHECKING:
    from glassnet.photos import Development, PhotoSource
    from glassnet.runs import Run

DOUBTFUL = 0.01
"""Typicality up to which a photo is looked at once more: one in a hundred images like the training images."""


def second_look(
    run: "Run",
    photo: "PhotoSource",
    first: "Development",
    answer: Prediction,
    *,
    max_error: float | None = None,
    watched: bool = False,
) -> "tuple[Prediction, Development]":
    """Return answer and development as they are, or those of the way whose result is the most like training images.

    Whoever tries several ways makes something likely of a letter, too, now and then: a photo that needed another way
    stays as unlike the training images as it was. A photo that shows nothing gets no second look, nor does one of a run
    that cannot tell what is like its training images.

    Args:
        run: a trained network.
        photo: see `glassnet.photos.develop`.
        first: what the usual way made of it.
        answer: to that.
        max_error: see `glassnet.predict`.
        watched: keep the steps with their pictures.
    """
    if first.blank or answer.verdict is None or answer.verdict.typicality > DOUBTFUL:
        return answer, first
    ways = photos.develop_otherwise(photo, run.passport.image_shape, photo_facts(run), watched=watched)
    try:
        others = [replace(one, warnings=(*one.warnings, _told(way.about))) for way, one in ways]
    except PhotoError:  # the file is gone since it was read
        return answer, first
    sources, top = [answer.source] * len(others), len(answer.top)
    said = predict_developed(run, others, sources=sources, top=top, max_error=max_error)
    answered = zip(said, others, strict=True)
    likely = [(one.verdict, one, other) for one, other in answered if one.verdict and not one.verdict.unlike]
    if not likely:
        return answer, first
    verdict, best, found = max(likely, key=lambda one: one[0].typicality)
    typicality = answer.verdict.typicality
    known = verdict.known and (max_error is None or typicality > 0)
    verdict = replace(verdict, typicality=typicality, unlike=True, known=known)
    return replace(best, true_label=answer.true_label, verdict=verdict), found


def _told(about: str) -> str:
    return f"it was read {about}, since the usual steps made something unlike the training images"
