"""A second look at photos: where the usual steps end in something unlike the training images, other ways are tried.

The steps from a photo to a network's input know nothing of the network, and take light for dark or a shadow for a
stroke now and then. Then what they make is nearly always unlike the training images, which the run can tell, and
what another way makes is like them, if that way is right.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from glassnet import photos
from glassnet.errors import PhotoError
from glassnet.prediction import Prediction, photo_facts, predict_developed

if TYPE_CHECKING:
    from glassnet.photos import Development, PhotoSource
    from glassnet.runs import Run

DOUBTFUL = 0.01
"""Typicality up to which a photo is looked at once more: one in a hundred images like the training images."""


def answer_photos(
    run: "Run",
    pictures: "Sequence[PhotoSource]",
    *,
    sources: Sequence[str] | None = None,
    labels: Sequence[int] | None = None,
    top: int | None = None,
    max_error: float | None = None,
    without: Collection[str] = (),
    watched: bool = False,
) -> "list[tuple[Prediction, Development]]":
    """Ask a run what it sees in photos, in another way than the usual one where that ends in no likely image.

    Args:
        run: a trained network.
        pictures: see `glassnet.photos.develop`.
        sources: what to call them; their number if None.
        labels: the right class numbers, where they are known.
        top: see `glassnet.predict`.
        max_error: see `glassnet.predict`.
        without: names of steps that are left out the first time.
        watched: keep the steps with their pictures.

    Returns:
        Each answer, and the development that it was given for.

    Raises:
        PhotoError: no picture, or a damaged one.
    """
    shape, facts = run.passport.image_shape, photo_facts(run)
    usual = [photos.develop(one, shape, facts, without=without, watched=watched) for one in pictures]
    names = sources or [str(number) for number in range(len(usual))]
    answers = predict_developed(run, usual, sources=names, labels=labels, top=top, max_error=max_error)
    return [
        second_look(run, picture, first, answer, max_error=max_error, watched=watched)
        for picture, first, answer in zip(pictures, usual, answers, strict=True)
    ]


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
