"""What a run says about photos that have been developed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from glassnet import photos
from glassnet.errors import GlassnetError
from glassnet.photos.facts import DataFacts
from glassnet.prediction.answers import Prediction
from glassnet.prediction.images import predict_images

if TYPE_CHECKING:
    from glassnet.photos import Development
    from glassnet.runs import Run


def predict_developed(
    run: "Run",
    developed: "Sequence[Development]",
    *,
    sources: Sequence[str],
    labels: Sequence[int] | None = None,
    top: int | None = None,
    max_error: float | None = None,
) -> list[Prediction]:
    """Ask a run what it sees in photos that have been developed; their warnings stay with the answers.

    Args:
        run: a trained network.
        developed: see `glassnet.photos.develop`.
        sources: what to call the photos.
        labels: the right class numbers, where they are known.
        top: how many classes to rank; three, or all where there are fewer, if None.
        max_error: see `glassnet.predict`.
    """
    images = [one.image for one in developed]
    array = np.stack(images) if images else np.empty((0, *run.passport.image_shape), np.uint8)
    answers = predict_images(run, array, labels=labels, sources=sources, top=top, max_error=max_error)
    return [_of_photo(answer, one, asked=max_error is not None) for answer, one in zip(answers, developed, strict=True)]


def _of_photo(answer: Prediction, photo: "Development", *, asked: bool) -> Prediction:
    """Return the answer with the photo's warnings; a blank photo is unlike anything and gets no answer that is sure."""
    verdict = answer.verdict
    if photo.blank and verdict is not None:
        verdict = replace(verdict, typicality=0.0, unlike=True, known=verdict.known and not asked)
    return replace(answer, warnings=photo.warnings, verdict=verdict)


def photo_facts(run: "Run") -> DataFacts:
    """Return what photos have to become for a run: from its passport, its data set, or the size of its subjects."""
    passport = run.passport
    if passport.data_facts:
        made = {"fit": passport.source.preparation["fit"]} if passport.source else {}  # older runs do not repeat it
        return DataFacts.of_record(made | passport.data_facts)
    try:
        return photos.kept_facts(run.dataset())
    except GlassnetError:  # its data is not at hand any more
        return photos.assumed_facts(passport.image_shape, passport.subject_size)
