"""Replay: a training watched again, moment by moment, from the snapshots that it kept."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.datasets import Dataset
from glassnet.errors import InputError, RunError
from glassnet.evaluation import check_fit
from glassnet.mirroring import joined_weights, one_side
from glassnet.probabilities import to_probabilities
from glassnet.recipe import check_count
from glassnet.runs import SNAPSHOTS, Run
from glassnet.types import Image, Images

if TYPE_CHECKING:
    from glassnet.training.state import State

IMAGES = 1000
"""Images that a moment is measured on."""


@dataclass(frozen=True)
class Moment:
    """When a snapshot was taken.

    Args:
        epoch: the running epoch, from 1.
        batch: batches done in it.
        batches: batches done in all.
        fraction: the share of the whole training that was done.
        name: in words: "start", "batch 5", "epoch 2", "epoch 3, batch 100".
    """

    epoch: int
    batch: int
    batches: int
    fraction: float
    name: str

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Replay:
    """A training, moment by moment. The run's own model keeps its weights, whatever is asked.

    Args:
        run: the trained network.
        moments: when the snapshots were taken, the start first.
        values: for each of the model's weights, in the order of `model.weights`, an array `(moments, …)`.
    """

    run: Run
    moments: tuple[Moment, ...]
    values: tuple[np.ndarray, ...] = field(repr=False)
    _measured: dict[tuple[str, str, int], np.ndarray] = field(default_factory=dict, repr=False)

    def probabilities(self, images: Images | Image) -> np.ndarray:
        """Return what the network thought of images at every moment: `float (moments, n, classes)`, rows sum to 1.

        Raises:
            InputError: images that do not fit the network.
        """
        from glassnet.training.batches import batches
        from glassnet.training.programs import predict_program

        passport = self.run.passport
        array = images[None] if images.shape == passport.image_shape else images
        check_fit(self.run, array.shape[1:])
        if not len(array):
            return np.zeros((len(self.moments), 0, len(passport.classes)), np.float32)
        parts = []
        for piece in batches(array, batch_size=256).pieces():
            states = self._states()
            first = next(states)
            program = predict_program(self.run.model, first, piece)
            parts.append([program(state, piece.data) for state in (first, *states)])
        scores = np.concatenate(parts, axis=1)
        return to_probabilities(scores.reshape(-1, scores.shape[-1]), passport.outputs).reshape(scores.shape)

    def confusion(self, data: Dataset | None = None, *, split: str = "test", images: int = IMAGES) -> np.ndarray:
        """Count at every moment which class was taken for which: `int (moments, truth, answer)`.

        Args:
            data: the data set; the one that the run was trained on if None.
            split: which of its splits.
            images: how many of its images, evenly spread over the split.

        Raises:
            InputError: images or classes that do not fit the network.
        """
        data = self.run.dataset() if data is None else data
        part = data.split(split)
        check_fit(self.run, part.images.shape[1:], data.classes)
        check_count("number of images", images)
        n, classes = min(images, len(part)), len(data.classes)
        key = (data.sha256, split, n)
        if key not in self._measured:
            chosen = np.arange(n) * len(part) // n
            answers = self.probabilities(part.images[chosen]).argmax(-1)
            cells = part.labels[chosen].astype(np.int64) * classes + answers
            counts = [np.bincount(row, minlength=classes**2) for row in cells]
            self._measured[key] = np.stack(counts).reshape(-1, classes, classes)
        return self._measured[key].copy()

    def accuracy(self, data: Dataset | None = None, *, split: str = "test", images: int = IMAGES) -> np.ndarray:
        """Return the share of right answers at every moment, on the images that `confusion` counts."""
        counts = self.confusion(data, split=split, images=images)
        return np.trace(counts, axis1=1, axis2=2) / counts.sum((1, 2))

    def templates(self) -> np.ndarray:
        """Return the weights of the first layer as images: `float32 (moments, units, height, width[, channels])`.

        They are per brightness from 0 to 1, whether or not the network scales its pixels itself.

        Raises:
            InputError: the first layer with weights is no Dense layer on the pixels.
        """
        model, shape = self.run.model, self.run.passport.image_shape
        factor, first = 255.0, None
        for layer in model.layers:
            if type(layer).__name__ == "Rescaling":
                factor *= layer.scale
            if layer.weights:
                first = layer
                break
        if first is None or type(first).__name__ != "Dense" or first.kernel.shape[0] != math.prod(shape):
            kind = "no layer with weights" if first is None else f"a {type(first).__name__} layer first"
            raise InputError(
                f"{self.run.passport.recipe} has {kind}; templates are the weights of a Dense layer that sees the "
                "pixels themselves"
            )
        kernels = next(value for value, weight in self._pairs() if weight is first.kernel)
        units = np.moveaxis(kernels.astype(np.float32) * np.float32(factor), 1, 2)
        return units.reshape(*units.shape[:2], *shape)

    def units(self) -> tuple[str, ...]:
        """Name the units that `templates` shows: by their classes, or by numbers if they are hidden."""
        count, classes = self.templates().shape[1], self.run.passport.classes
        weighted = [layer for layer in self.run.model.layers if layer.weights]
        hidden = len(weighted) > 1 or count != len(classes)
        return tuple(f"unit {k}" for k in range(count)) if hidden else classes

    def _pairs(self) -> Iterator[tuple[np.ndarray, Any]]:
        return zip(self.values, self.run.model.weights, strict=True)

    def _states(self) -> "Iterator[State]":
        """What a step of prediction takes, for one moment after the other."""
        import jax.numpy as jnp

        from glassnet.training.state import variables

        kept = {id(weight): value for value, weight in self._pairs()}
        groups = variables(self.run.model, "predict")
        for number in range(len(self.moments)):
            yield tuple(
                [
                    jnp.asarray(kept[id(one)][number], one.dtype) if id(one) in kept else one.value  # e.g. a seed
                    for one in group
                ]
                for group in groups
            )


def open_replay(run: Run) -> Replay:
    """Open the snapshots of a run.

    Raises:
        InputError: its training kept none.
        RunError: they are damaged or belong to another network.

    Example:
        >>> import glassnet
        >>> from glassnet.replay import open_replay
        >>> again = open_replay(glassnet.train("baseline", epochs=1, snapshots=True))
        >>> again.moments[1].name, again.templates().shape[1:]
        ('batch 1', (10, 28, 28))
    """
    from glassnet.training.snapshots import read_snapshots

    snapshots = run.snapshots
    path = run.path / SNAPSHOTS if run.path else None
    if snapshots is None:
        if path is None or not path.is_file():
            raise InputError(
                f"{run.path or run.passport.recipe} has no snapshots of its training; train again with --snapshots, "
                "or snapshots=True"
            )
        snapshots = read_snapshots(path)
    trained = one_side(run)
    if [value.shape[1:] for value in snapshots.values] != [tuple(one.shape) for one in trained.weights]:
        raise RunError(f"{path} belongs to another network than the run; restore it, or train again with snapshots")
    moments = tuple(_moment(done, snapshots.steps, snapshots.epochs) for done in snapshots.batches)
    values = snapshots.values
    return Replay(run, moments, values if trained is run.model else tuple(joined_weights(trained, values)))


def _moment(done: int, steps: int, epochs: int) -> Moment:
    epoch, batch = (math.ceil(done / steps), (done - 1) % steps + 1) if done else (1, 0)
    if not done:
        name = "start"
    elif batch == steps:
        name = f"epoch {epoch}"
    else:
        name = f"batch {batch:,}" if epoch == 1 else f"epoch {epoch}, batch {batch:,}"
    return Moment(epoch, batch, done, done / (steps * epochs), name)
