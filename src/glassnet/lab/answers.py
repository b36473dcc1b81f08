"""What the desk answers about runs; every function runs in the desk's process and gives plain values and arrays."""

import tempfile
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InputError, PhotoError
from glassnet.recipes import Recipe

if TYPE_CHECKING:
    from glassnet.evaluation import Evaluation
    from glassnet.prediction import Prediction
    from glassnet.runs import Run

NEIGHBOURS = 8

MOST_RUNS = 8
"""Networks that stay in memory."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a run says about one image.

    Args:
        image: what the network saw, `uint8`.
        label: the most probable class.
        probabilities: of all classes, in their order.
        classes: their names.
        truth: the right class, where it is known; else "".
        source: where the image came from.
    """

    image: np.ndarray
    label: str
    probabilities: list[float]
    classes: tuple[str, ...]
    truth: str
    source: str


def ask_picture(run: Path, picture: bytes, source: str) -> Answer:
    """Say what a run sees in a picture file, such as a photo or a drawing.

    Raises:
        PhotoError: it is no picture.
    """
    from glassnet.photos import read_photo

    passport = _opened(run).passport
    with tempfile.TemporaryDirectory(prefix="glassnet-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(picture)
        try:
            image = read_photo(path, passport.image_shape, passport.subject_size)
        except PhotoError as error:
            raise PhotoError(str(error).replace(str(path), "that you passed")) from None
    return _ask(run, image, None, source)


def ask_image(run: Path, split: str, index: int) -> Answer:
    """Say what a run sees in an image of its data set."""
    image, label = _opened(run).dataset().split(split).at(index)
    return _ask(run, image, label, f"{split} image {index:,}")


@dataclass(frozen=True, eq=False)
class Reasons:
    """Why a run gave an answer.

    Args:
        label: the class that was asked about.
        values: how much each pixel pushes for it, `float (height, width)`; None if the network cannot be asked so.
        nearest: the training images that are most like the image, `uint8 (n, height, width[, channels])`.
        labels: their classes.
    """

    label: str
    values: np.ndarray | None
    nearest: np.ndarray
    labels: tuple[str, ...]


def explain(run: Path, image: np.ndarray) -> Reasons:
    """Say which pixels push for the answer, and which training images are most like the image."""
    from glassnet.evaluation.neighbours import nearest
    from glassnet.explanation.attributions import attribute

    opened = _opened(run)
    data = opened.dataset()
    (near,) = nearest(data, image, count=NEIGHBOURS)
    try:
        found = attribute(opened, image)
        label, values = found.label, np.asarray(found.values)
    except InputError:
        label, values = _ask(run, image, None, "").label, None
    images = data.train.images[[one.index for one in near]]
    return Reasons(label, values, images, tuple(one.label for one in near))


def warm_up(run: Path) -> None:
    """Load a run and compile its answer, so that the first question is answered at once."""
    opened = _opened(run)
    _ask(run, np.zeros(opened.passport.image_shape, np.uint8), None, "")


@dataclass(frozen=True, eq=False)
class Scores:
    """How well a run does on the test images.

    Args:
        record: what `glassnet evaluate --json` says.
        labels: the right class of every test image.
        predicted: the most probable one.
        confidence: its probability.
        reliability: a chart of how often answers are right, by how sure the network is; SVG.
    """

    record: dict[str, Any]
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    reliability: str


def score(run: Path) -> Scores:
    """Measure a run on its test images."""
    found = _evaluated(run, _stamp(run))
    from glassnet.sharing.curves import reliability_chart

    return Scores(
        record=found.record(),
        labels=np.asarray(found.labels),
        predicted=found.predicted,
        confidence=found.confidence,
        reliability=str(reliability_chart(found)),
    )


def report(run: Path) -> Path:
    """Write the report of a run, and return its file."""
    from glassnet.sharing.report import write_report

    return write_report(_opened(run))


def code(run: Path) -> str:
    """Return the Keras code that builds and trains a run's network."""
    from glassnet.sharing.keras_code import keras_code

    return keras_code(_opened(run))


def draft_code(plan: Recipe, data: str, seed: int) -> str:
    """Return the Keras program that builds and trains what a tab is set to."""
    from glassnet.datasets import EMBEDDED
    from glassnet.runs import Passport, Run
    from glassnet.sharing.keras_code import keras_code

    facts = EMBEDDED[data]
    shape = facts.files[0].shape[1:]
    # Nothing is trained yet, so this passport has only what the program is written from.
    passport = Passport.model_construct(
        dataset=data,
        image_shape=shape,
        classes=facts.classes,
        settings=plan.settings(),
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        seed=seed,
    )
    return keras_code(Run(plan.build(shape, len(facts.classes)), passport))


def _ask(run: Path, image: np.ndarray, label: int | None, source: str) -> Answer:
    from glassnet.prediction import predict

    (said,) = predict(_opened(run), image, labels=None if label is None else [label])
    return _plain(said, source)


def _plain(said: "Prediction", source: str) -> Answer:
    probabilities = [float(one) for one in said.probabilities]
    return Answer(said.image, said.label, probabilities, said.classes, said.true_label or "", source)


def _opened(run: Path) -> "Run":
    return _open(run, _stamp(run))


@lru_cache(MOST_RUNS)
def _open(run: Path, stamp: int) -> "Run":
    from glassnet.runs import open_run

    opened = open_run(run)
    return replace(opened, data=opened.dataset())  # so that it is read once, not with every question


@lru_cache(MOST_RUNS)
def _evaluated(run: Path, stamp: int) -> "Evaluation":
    from glassnet.evaluation import evaluate

    return evaluate(_opened(run))


def _stamp(run: Path) -> int:
    """Tell a run from another one that was written to its place later."""
    try:
        return (run / "run.json").stat().st_mtime_ns
    except OSError:
        raise InputError(f"the run {run.name} is no longer there; train it again") from None
