"""What a run says about images: every class with its probability, best first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet import photos
from glassnet.errors import GlassnetError, InputError, PhotoError
from glassnet.photos.facts import DataFacts
from glassnet.types import Image, Images, Probabilities, Scores

if TYPE_CHECKING:
    from glassnet.confidence import Verdict
    from glassnet.photos import Development
    from glassnet.runs import Run


@dataclass(frozen=True)
class Ranked:
    """A class and how probable the network holds it."""

    label: str
    probability: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """The answer for one image.

    Args:
        source: where the image came from: a file, or a number in a split.
        label: the most probable class.
        probability: of that class.
        top: the most probable classes, best first.
        true_label: the right class, where it is known.
        image: what the network saw.
        scores: the network's own outputs, in the order of the classes.
        probabilities: of the classes, in the same order; they sum to 1. Calibrated where images were held out for it.
        classes: the names, in that order.
        outputs: what the scores are, "probabilities" or "logits".
        warnings: what makes the answer for a photo doubtful, one sentence each.
        verdict: how sure the run may be; None where no images were held out from its training.
    """

    source: str
    label: str
    probability: float
    top: tuple[Ranked, ...]
    true_label: str | None
    image: Image = field(repr=False)
    scores: np.ndarray = field(repr=False)
    probabilities: np.ndarray = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)
    outputs: Literal["probabilities", "logits"]
    warnings: tuple[str, ...] = ()
    verdict: "Verdict | None" = None

    @property
    def known(self) -> bool:
        """Whether the answer may be given; False is "I don't know", where an error rate was asked for."""
        return self.verdict is None or self.verdict.known

    @property
    def possible(self) -> tuple[str, ...] | None:
        """The classes that cannot be excluded, the most probable first; None where nothing is known of that."""
        return None if self.verdict is None else tuple(self.classes[k] for k in self.verdict.classes)

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON: source, label, probability, top; and what else is known."""
        facts: dict[str, Any] = {"source": self.source, "label": self.label, "probability": self.probability}
        facts["top"] = self.top
        if self.true_label is not None:
            facts["true_label"] = self.true_label
        if self.warnings:
            facts["warnings"] = list(self.warnings)
        if self.verdict is not None:
            facts |= {
                "known": self.verdict.known,
                "possible": list(self.possible or ()),
                "typicality": self.verdict.typicality,
                "unlike": self.verdict.unlike,
            }
        return facts


@dataclass(frozen=True)
class Unreadable:
    """A photo that could not be read, among others that could.

    Args:
        source: the file.
        reason: what is wrong with it, on one line.
    """

    source: str
    reason: str

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON: source and error."""
        return {"source": self.source, "error": self.reason}


def predict(
    run: "Run",
    images: Images | Image | str | Path | Sequence[str | Path],
    *,
    labels: Sequence[int] | None = None,
    sources: Sequence[str] | None = None,
    top: int | None = None,
    max_error: float | None = None,
) -> list[Prediction]:
    """Ask a run what it sees.

    Args:
        run: a trained network.
        images: an array `uint8 (n, height, width[, channels])`, one image, or photo files.
        labels: the right class numbers, where they are known.
        sources: what to call the images; their number or file name if None.
        top: how many classes to rank; three, or all where there are fewer, if None.
        max_error: share of the given answers that may be wrong; others are not `known`. Only for runs that held images
            out from their training (see `glassnet.confidence`).

    Returns:
        One prediction for each image; a single image is a batch of one.

    Raises:
        InputError: images that do not fit the network.
        PhotoError: a file that is no picture.

    Example:
        >>> import glassnet
        >>> run = glassnet.train("baseline")
        >>> glassnet.predict(run, glassnet.load("fashion-mnist").test.images[0])[0].label
        'Ankle boot'
    """
    passport = run.passport
    if isinstance(images, np.ndarray):
        array = images[None] if images.shape == passport.image_shape else images
    else:
        from glassnet.second_look import answer_photos

        paths = [images] if isinstance(images, (str, Path)) else list(images)
        sources = sources or [str(path) for path in paths]
        answers = answer_photos(run, paths, sources=sources, labels=labels, top=top, max_error=max_error)
        return [answer for answer, _ in answers]
    if array.shape[1:] != passport.image_shape or array.dtype != np.uint8:
        raise InputError(
            f"images are {array.dtype} {array.shape}; this run takes uint8 (n, "
            f"{', '.join(map(str, passport.image_shape))}), brightness 0 to 255"
        )
    top = min(USUAL_TOP, len(passport.classes)) if top is None else top
    if not 1 <= top <= len(passport.classes):
        raise InputError(f"top is {top}; this run has {len(passport.classes)} classes, so 1 to {len(passport.classes)}")
    if not len(array):
        return []

    scores, verdicts = _asked(run, array, max_error)
    if verdicts:
        probabilities = np.stack([one.probabilities for one in verdicts])
    else:
        probabilities = scores if passport.outputs == "probabilities" else softmax(scores)
    predictions = []
    for k, image in enumerate(array):
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

    from glassnet.confidence.assurance import ask
    from glassnet.confidence.verdicts import judge_answers

    scores, seen = ask(run.model, images)
    return scores, judge_answers(run.assurance, scores, seen, max_error=max_error)


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
        max_error: see `predict`.
    """
    images = [one.image for one in developed]
    array = np.stack(images) if images else np.empty((0, *run.passport.image_shape), np.uint8)
    answers = predict(run, array, labels=labels, sources=sources, top=top, max_error=max_error)
    return [_of_photo(answer, one, asked=max_error is not None) for answer, one in zip(answers, developed, strict=True)]


def _of_photo(answer: Prediction, photo: "Development", *, asked: bool) -> Prediction:
    """Return the answer with the photo's warnings; a blank photo is unlike anything and gets no answer that is sure."""
    verdict = answer.verdict
    if photo.blank and verdict is not None:
        verdict = replace(verdict, typicality=0.0, unlike=True, known=verdict.known and not asked)
    return replace(answer, warnings=photo.warnings, verdict=verdict)


def predict_photos(
    run: "Run",
    paths: Sequence[str | Path],
    *,
    top: int | None = None,
    many: bool = False,
    max_error: float | None = None,
) -> Iterator[Prediction | Unreadable]:
    """Ask a run about photo files, however many: on all cores, without keeping them, and past bad ones.

    Args:
        run: a trained network.
        paths: files, and folders whose pictures are read in the order of their names.
        top: how many classes to rank; three, or all where there are fewer, if None.
        many: read every subject in a photo, in reading order, instead of the most prominent one.
        max_error: see `predict`.

    Yields:
        The answer for each photo (with `many`: for each subject), or why it cannot be read, in order.

    Raises:
        PhotoError: a path that does not exist, or a folder without a picture.
    """
    from glassnet.second_look import second_look

    files = [file for path in paths for file in photos.picture_files(Path(path))]
    reading = photos.develop_files(files, run.passport.image_shape, photo_facts(run), many=many)
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        results = list(islice(reading, len(batch)))
        developed = [one for result in results if not isinstance(result, PhotoError) for one in result]
        names = [
            f"{file}" + (f", {number} of {len(result)}" if many and len(result) > 1 else "")
            for file, result in zip(batch, results, strict=True)
            if not isinstance(result, PhotoError)
            for number in range(1, len(result) + 1)
        ]
        answers = predict_developed(run, developed, sources=names, top=top, max_error=max_error)
        if not many:
            looks = zip(names, developed, answers, strict=True)  # here a name is a file
            answers = [second_look(run, *look, max_error=max_error)[0] for look in looks]
        given = iter(answers)
        for file, result in zip(batch, results, strict=True):
            if isinstance(result, PhotoError):
                yield Unreadable(str(file), str(result))
            else:
                yield from (next(given) for _ in result)


def photo_facts(run: "Run") -> DataFacts:
    """Return what photos have to become for a run: from its passport, its data set, or the size of its subjects."""
    passport = run.passport
    if passport.data_facts:
        return DataFacts.of_record(passport.data_facts)
    try:
        return photos.kept_facts(run.dataset())
    except GlassnetError:  # its data is not at hand any more
        return photos.assumed_facts(passport.image_shape, passport.subject_size)


USUAL_TOP = 3
"""Classes that are ranked unless it is said how many."""

BATCH = 64
"""Photos that are read and asked about at once."""


def softmax(logits: Scores) -> Probabilities:
    """Turn logits `(n, classes)` into probabilities: exp(z) / Σ exp(z), with the row's maximum subtracted first.

    The subtraction changes nothing in exact arithmetic and keeps exp from overflowing.
    """
    powers = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
