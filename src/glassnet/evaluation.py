"""How good a run is on images that it has not seen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from glassnet.datasets import Dataset, Split
from glassnet.errors import InputError
from glassnet.runs import Run

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Evaluation:
    """Scores with what they were measured on.

    Args:
        loss: mean loss, as the network was compiled.
        accuracy: share of the images whose most probable class is the right one.
        n: number of images.
        split: "test" or "train".
        run: the run's folder, "" if it has none.
    """

    loss: float
    accuracy: float
    n: int
    split: str
    run: str


def evaluate(run: Run, data: Dataset | None = None, *, split: str = "test") -> Evaluation:
    """Measure a run on a split of its data set, or of another one.

    Args:
        run: a trained network.
        data: the data set; the one that the run was trained on if None.
        split: which of its splits.

    Raises:
        InputError: the images or classes do not fit the network.

    Example:
        >>> import glassnet
        >>> run = glassnet.train("baseline", epochs=1)
        >>> glassnet.evaluate(run).n
        10000
    """
    data = run.dataset() if data is None else data
    part = data.split(split)
    check_fit(run, part.images.shape[1:], len(data.classes))
    loss, accuracy = measure(run.model, part)
    return Evaluation(loss, accuracy, len(part), split, run.passport.run)


def measure(model: "keras.Model", part: Split) -> tuple[float, float]:
    """Return loss and accuracy of a compiled model on a split."""
    from glassnet.training import inference

    logs = inference.evaluate(model, part.images, part.labels)
    if "accuracy" in logs:
        return logs["loss"], logs["accuracy"]
    # A model of the user's own may be compiled without the metric.
    return logs["loss"], float((inference.predict(model, part.images).argmax(-1) == part.labels).mean())


def check_fit(run: Run, image_shape: tuple[int, ...], classes: int | None = None) -> None:
    """Raise InputError unless images of this shape, with so many classes, fit the run."""
    if tuple(image_shape) != run.passport.image_shape:
        raise InputError(
            f"images have shape {tuple(image_shape)}; this run was trained on {run.passport.image_shape}; "
            "pass images of that shape"
        )
    if classes is not None and classes != len(run.passport.classes):
        raise InputError(f"the data has {classes} classes; this run tells {len(run.passport.classes)} apart")
