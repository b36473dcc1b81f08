"""Evaluation: how good a run is on images that it has not seen, from one pass over them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.confidence.assurance import look
from glassnet.datasets import Dataset, Split
from glassnet.errors import InputError
from glassnet.evaluation.calibration import (
    CoveragePoint,
    ReliabilityBin,
    calibration_error,
    coverage_points,
    reliability_bins,
)
from glassnet.evaluation.confusion import ClassScores, ConfusedPair, confusion_matrix, most_confused, score_classes
from glassnet.evaluation.intervals import wilson_interval
from glassnet.evaluation.records import plain
from glassnet.evaluation.trust import Trust, measure_trust
from glassnet.probabilities import to_probabilities
from glassnet.runs import Run
from glassnet.types import Labels, Probabilities

if TYPE_CHECKING:
    import keras

# Crowd workers without knowledge of fashion on 1,000 of the test images, the majority of three answers for each: the
# table of benchmarks in the README of github.com/zalandoresearch/fashion-mnist, the home of H. Xiao, K. Rasul and
# R. Vollgraf, "Fashion-MNIST", 2017, arXiv:1708.07747.
HUMAN_ACCURACY = {"fashion-mnist": 0.835}
"""Published accuracy of people, by data set."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores with what they were measured on; what follows from the answers is computed when it is asked for.

    Args:
        loss: mean loss, as the network was compiled.
        accuracy: share of the images whose most probable class is the right one.
        interval: the 95 % interval of the accuracy (Wilson).
        n: number of images.
        split: "test", "train" or "validation".
        run: the run's folder, "" if it has none.
        dataset: name of the data set.
        classes: label k is `classes[k]`.
        majority: accuracy of always naming the class that is most frequent in the training images.
        labels: the right class number of each image.
        probabilities: of every class for every image, as the network itself gives them; what follows from them, such as
            `reliability`, is its own, too. `glassnet.predict` gives calibrated ones, where a run has learned to.
        trust: what the run's statements about its certainty are worth; None where no images were held out for them, and
            on the validation part that they were learned from.
    """

    loss: float
    accuracy: float
    interval: tuple[float, float]
    n: int
    split: str
    run: str
    dataset: str
    classes: tuple[str, ...] = field(repr=False)
    majority: float = field(repr=False)
    labels: Labels = field(repr=False)
    probabilities: Probabilities = field(repr=False)
    trust: Trust | None = None

    @property
    def chance(self) -> float:
        """Accuracy of guessing blindly."""
        return 1 / len(self.classes)

    @property
    def human(self) -> float | None:
        """Published accuracy of people on this data set, where there is one."""
        return HUMAN_ACCURACY.get(self.dataset)

    @cached_property
    def predicted(self) -> Labels:
        """The most probable class of each image, as its number."""
        return self.probabilities.argmax(-1)

    @cached_property
    def right(self) -> np.ndarray:
        """Whether each answer is right."""
        return self.predicted == self.labels

    @cached_property
    def confidence(self) -> np.ndarray:
        """The probability of each answer."""
        return self.probabilities.max(-1).astype(np.float64)

    @cached_property
    def per_class(self) -> tuple[ClassScores, ...]:
        """Precision, recall and F1 of every class."""
        return score_classes(self.labels, self.predicted, self.classes)

    @cached_property
    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Images of each true class (row) by predicted class (column)."""
        return confusion_matrix(self.labels, self.predicted, len(self.classes))

    @cached_property
    def confused(self) -> tuple[ConfusedPair, ...]:
        """The ten pairs of classes that are confused most often."""
        return most_confused(self.confusion, self.classes)

    @cached_property
    def reliability(self) -> tuple[ReliabilityBin, ...]:
        """How often answers of each confidence are right."""
        return reliability_bins(self.confidence, self.right)

    @property
    def calibration_error(self) -> float:
        """How far confidence is from accuracy, on average (expected calibration error)."""
        return calibration_error(self.reliability)

    @cached_property
    def coverage(self) -> tuple[CoveragePoint, ...]:
        """The error if only the surest share of the images is answered."""
        return coverage_points(self.confidence, self.right)

    def record(self) -> dict[str, Any]:
        """Return everything but the arrays, as plain values."""
        return {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "n": self.n,
            "split": self.split,
            "run": self.run,
            "dataset": self.dataset,
            "classes": list(self.classes),
            "chance": self.chance,
            "majority": self.majority,
            "human": self.human,
            "per_class": [plain(one) for one in self.per_class],
            "confusion": [list(row) for row in self.confusion],
            "confused": [plain(one) for one in self.confused],
            "reliability": [plain(one) for one in self.reliability],
            "calibration_error": self.calibration_error,
            "coverage": [plain(one) for one in self.coverage],
            "trust": None if self.trust is None else plain(self.trust),
        }


def evaluate(run: Run, data: Dataset | None = None, *, split: str = "test") -> Evaluation:
    """Measure a run on a split of its data set, or of another one.

    Args:
        run: a trained network.
        data: the data set; the one that the run was trained on if None.
        split: which of its splits.

    Raises:
        InputError: the images or classes do not fit the network, or there are none.

    Example:
        >>> import glassnet
        >>> run = glassnet.train("baseline", epochs=1)
        >>> glassnet.evaluate(run).n
        10000
    """
    from glassnet.training.inference import predict

    data = run.dataset() if data is None else data
    part = data.split(split)
    check_fit(run, part.images.shape[1:], data.classes)
    if not len(part):
        raise InputError(f"the {split} split of {data.name} has no images; name a split that has some")
    # What a run says of its certainty was learned from its validation part, where it has one: that would flatter it.
    fitted = split == "validation" and data.sha256 == run.passport.dataset_sha256
    if run.assurance is None or fitted:
        outputs, trust = predict(run.model, part.images), None
    else:
        outputs, typicality = look(run.model, part.images, run.assurance.novelty.typicality)
        trust = measure_trust(run.assurance, outputs, typicality, part.labels)
    probabilities = to_probabilities(outputs, run.passport.outputs)
    right = int((probabilities.argmax(-1) == part.labels).sum())
    return Evaluation(
        loss=_loss(run.model, part, outputs),
        accuracy=right / len(part),
        interval=wilson_interval(right, len(part)),
        n=len(part),
        split=split,
        run=run.passport.run,
        dataset=data.name,
        classes=data.classes,
        majority=float((part.labels == _most_frequent(data.train)).mean()),
        labels=part.labels,
        probabilities=probabilities,
        trust=trust,
    )


def measure(model: "keras.Model", part: Split) -> tuple[float, float]:
    """Return loss and accuracy of a compiled model on a split."""
    from glassnet.training import inference

    logs = inference.evaluate(model, part.images, part.labels)
    if "accuracy" in logs:
        # A count over a count; Keras's float32 would make 0.8411999940872192 of 0.8412.
        return logs["loss"], round(logs["accuracy"] * len(part)) / len(part)
    # A model of the user's own may be compiled without the metric.
    return logs["loss"], float((inference.predict(model, part.images).argmax(-1) == part.labels).mean())


def check_fit(run: Run, image_shape: tuple[int, ...], classes: Sequence[str] | None = None) -> None:
    """Raise InputError unless images of this shape, of these classes, fit the run."""
    if tuple(image_shape) != run.passport.image_shape:
        raise InputError(
            f"images have shape {tuple(image_shape)}; this run was trained on {run.passport.image_shape}; "
            "pass images of that shape"
        )
    known = run.passport.classes
    if classes is not None and len(classes) != len(known):
        raise InputError(f"the data has {len(classes)} classes; this run tells {len(known)} apart")
    for number, (one, own) in enumerate(zip(classes or (), known, strict=False)):
        if one != own:
            raise InputError(
                f"class {number} of the data is {one!r}, that of this run {own!r}; pass data whose classes have the "
                "names and the order of the run's"
            )


def _loss(model: "keras.Model", part: Split, outputs: np.ndarray) -> float:
    """Return the mean loss: from the outputs, or by a pass of its own where layers may add to it on the way."""
    layers = [model, *_layers(model)]
    plain = all(type(one).__module__.startswith("keras.") and one.activity_regularizer is None for one in layers)
    if not model.compiled or not plain:
        return measure(model, part)[0]
    total: Any = model.compute_loss(y=part.labels, y_pred=outputs, training=False)
    return float(total)


def _layers(model: "keras.Model") -> Iterator[Any]:
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from _layers(layer)


def _most_frequent(part: Split) -> int | None:
    return Counter(part.labels.tolist()).most_common(1)[0][0] if len(part) else None
