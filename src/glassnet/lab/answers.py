"""What the desk answers about a run and its images, in its own process: plain values and arrays."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import PhotoError
from glassnet.lab.memory import recall, recall_scores
from glassnet.lab.sureness import Sureness, find_sureness
from glassnet.recipes import Recipe

if TYPE_CHECKING:
    from glassnet.evaluation import Evaluation
    from glassnet.lab.developing import Way
    from glassnet.prediction import Prediction
    from glassnet.runs import Run


@dataclass(frozen=True, eq=False)
class Answer:
    """What a run says about one image.

    Args:
        image: what the network saw, `uint8`.
        label: the most probable class.
        probabilities: of all classes, in their order; calibrated where images were held out for it.
        classes: their names.
        truth: the right class, where it is known; else "".
        source: where the image came from.
        sureness: how sure the run may be; None where no held-out images tell.
        warnings: what makes the answer for a photo doubtful, one sentence each.
        picture: the file that was drawn, so that its steps can be shown; empty for other images.
        way: the steps of a photo, where they are known.
    """

    image: np.ndarray
    label: str
    probabilities: list[float]
    classes: tuple[str, ...]
    truth: str
    source: str
    sureness: Sureness | None = None
    warnings: tuple[str, ...] = ()
    picture: bytes = b""
    way: "Way | None" = None


def ask_picture(run: Path, picture: bytes, source: str) -> Answer:
    """Say what a run sees in a picture file, such as a photo or a drawing.

    Raises:
        PhotoError: it is no picture.
    """
    from glassnet.prediction import answer_photos

    opened = recall(run)
    try:
        ((answer, _),) = answer_photos(opened, [picture], sources=[source])
    except PhotoError as error:
        raise PhotoError(f"cannot read the picture that you passed: {error}; pass a PNG, JPEG, WebP, GIF, …") from None
    return plain_answer(opened, answer)


def ask_image(run: Path, split: str, index: int) -> Answer:
    """Say what a run sees in an image of its data set."""
    image, label = recall(run).dataset().split(split).at(index)
    return _ask(run, image, label, f"{split} image {index:,}")


def warm_up(run: Path) -> None:
    """Load a run and compile its answer, so that the first question is answered at once."""
    _ask(run, np.zeros(recall(run).passport.image_shape, np.uint8), None, "")


@dataclass(frozen=True, eq=False)
class Scores:
    """How well a run does on the test images.

    Args:
        record: what `glassnet evaluate --json` says, but for the confidence: that is calibrated where it can be.
        labels: the right class of every test image.
        predicted: the most probable one.
        confidence: its probability, calibrated where images were held out for it.
        reliability: a chart of how often answers are right, by how sure the network is; SVG.
    """

    record: dict[str, Any]
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    reliability: str


def score(run: Path) -> Scores:
    """Measure a run on its test images, with the probabilities that its answers have."""
    from glassnet.sharing.curves import reliability_chart

    found = _calibrated(recall_scores(run))

    return Scores(
        record=found.record(),
        labels=np.asarray(found.labels),
        predicted=found.predicted,
        confidence=found.confidence,
        reliability=str(reliability_chart(found)),
    )


def _calibrated(found: "Evaluation") -> "Evaluation":
    """Return an evaluation with the probabilities at the temperature that held-out images chose, if there are any."""
    from glassnet.confidence.temperature import calibrated, to_logits

    if found.trust is None:
        return found
    return replace(
        found, probabilities=calibrated(to_logits(found.probabilities, "probabilities"), found.trust.temperature)
    )


def report(run: Path) -> Path:
    """Write the report of a run, and return its file."""
    from glassnet.sharing.report import write_report

    return write_report(recall(run))


def code(run: Path) -> str:
    """Return the Keras code that builds and trains a run's network."""
    from glassnet.sharing.keras_code import keras_code

    return keras_code(recall(run))


def draft_code(plan: Recipe, data: str, seed: int) -> str:
    """Return the Keras program that builds and trains what a tab is set to."""
    from glassnet.lab.sets import set_facts
    from glassnet.runs import Passport, Run
    from glassnet.sharing.keras_code import keras_code

    facts = set_facts(data)
    shape = facts.image_shape
    # Nothing is trained yet, so this passport has only what the program is written from.
    passport = Passport.model_construct(
        recipe=plan.name,
        dataset=data,
        image_shape=shape,
        classes=facts.classes,
        settings=plan.settings(),
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        seed=seed,
    )
    return keras_code(Run(plan.build(shape, len(facts.classes), examples=facts.train), passport))


def _ask(run: Path, image: np.ndarray, label: int | None, source: str) -> Answer:
    from glassnet.prediction import predict

    opened = recall(run)
    return plain_answer(opened, *predict(opened, image, labels=None if label is None else [label], sources=[source]))


def plain_answer(run: "Run", said: "Prediction") -> Answer:
    """Return what was predicted, and how sure the run may be of it, as plain values."""
    return Answer(
        image=said.image,
        label=said.label,
        probabilities=[float(one) for one in said.probabilities],
        classes=said.classes,
        truth=said.true_label or "",
        source=said.source,
        sureness=find_sureness(run, said),
        warnings=said.warnings,
    )


@dataclass(frozen=True, eq=False)
class Worsened:
    """What a run says when the test images are made worse.

    Args:
        answer: for one of them.
        right: how many are recognised.
        n: of so many, evenly spread over the test split.
    """

    answer: Answer
    right: int
    n: int


def worsen(run: Path, corruption: str, level: float, index: int, most: int) -> Worsened:
    """Make test images worse in one way, and say what a run makes of them, and of one."""
    from glassnet.evaluation import corrupt
    from glassnet.evaluation.robustness import spread
    from glassnet.training.inference import predict

    opened = recall(run)
    part = opened.dataset().test
    chosen = spread(most, len(part))
    images, labels = corrupt(part.images[chosen], corruption, level), part.labels[chosen]
    right = int((predict(opened.model, images).argmax(-1) == labels).sum())
    answer = _ask(run, images[index], int(labels[index]), f"test image {chosen[index]:,}")
    return Worsened(answer, right, len(labels))
