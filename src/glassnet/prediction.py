"""What a run says about images: every class with its probability, best first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet import photos
from glassnet.errors import InputError
from glassnet.types import Image, Images, Probabilities, Scores

if TYPE_CHECKING:
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
        probabilities: of the classes, in the same order; they sum to 1.
        classes: the names, in that order.
        outputs: what the scores are, "probabilities" or "logits".
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

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON: source, label, probability, top, and true_label where it is known."""
        facts = {"source": self.source, "label": self.label, "probability": self.probability, "top": self.top}
        return facts if self.true_label is None else facts | {"true_label": self.true_label}


def predict(
    run: "Run",
    images: Images | Image | str | Path | Sequence[str | Path],
    *,
    labels: Sequence[int] | None = None,
    sources: Sequence[str] | None = None,
    top: int = 3,
) -> list[Prediction]:
    """Ask a run what it sees.

    Args:
        run: a trained network.
        images: an array `uint8 (n, height, width[, channels])`, one image, or photo files.
        labels: the right class numbers, where they are known.
        sources: what to call the images; their number or file name if None.
        top: how many classes to rank.

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
        paths = [images] if isinstance(images, (str, Path)) else list(images)
        sources = sources or [str(path) for path in paths]
        read = [photos.read_photo(path, passport.image_shape, passport.subject_size) for path in paths]
        array = np.stack(read) if read else np.empty((0, *passport.image_shape), np.uint8)
    if array.shape[1:] != passport.image_shape or array.dtype != np.uint8:
        raise InputError(
            f"images are {array.dtype} {array.shape}; this run takes uint8 (n, "
            f"{', '.join(map(str, passport.image_shape))}), brightness 0 to 255"
        )
    if not 1 <= top <= len(passport.classes):
        raise InputError(f"top is {top}; this run has {len(passport.classes)} classes, so 1 to {len(passport.classes)}")
    if not len(array):
        return []

    from glassnet.training.inference import predict as outputs

    scores = outputs(run.model, array)
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
            )
        )
    return predictions


def softmax(logits: Scores) -> Probabilities:
    """Turn logits `(n, classes)` into probabilities: exp(z) / Σ exp(z), with the row's maximum subtracted first.

    The subtraction changes nothing in exact arithmetic and keeps exp from overflowing.
    """
    powers = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
