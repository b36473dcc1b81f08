"""Snapshots: the weights at a few moments of a training, small enough to keep, so that it can be watched again.

Most happens early, so the moments lie close together at first: the start, then after 1, 2, 5, 10, 20, 50, … batches of
the first epoch, then the end of every epoch. At most 40 moments and 20 MB are kept of one training. Which ones is known
before the first step, so nothing that was kept has to be thrown away. Small networks are kept as they are (float32),
larger ones in half precision (float16: about three decimals).
"""

import bisect
import math
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glassnet._keras import keras
from glassnet.atomic import new_file
from glassnet.errors import InputError, RunError
from glassnet.training.steering import Steering

MOST_MOMENTS = 40
EXACT_BYTES = 4_000_000
"""Up to here all moments together are kept in float32, above it in float16."""

MOST_BYTES = 20_000_000
PATTERN = "snapshot-*.npz"


@dataclass(frozen=True, eq=False)
class Snapshots:
    """The weights of one training at several moments.

    Args:
        batches: how many batches the training had done, for each moment.
        steps: batches in one epoch.
        epochs: epochs asked for.
        values: for each of the model's weights, in the order of `model.weights`, an array `(moments, …)`.
    """

    batches: tuple[int, ...]
    steps: int
    epochs: int
    values: tuple[np.ndarray, ...] = field(repr=False)

    def write(self, path: Path) -> None:
        """Write them to one NumPy file, which needs no pickle to be read."""
        facts = {"batches": np.array(self.batches), "steps": np.array(self.steps), "epochs": np.array(self.epochs)}
        _write(path, list(self.values), **facts)


def read_snapshots(path: Path) -> Snapshots:
    """Read what `Snapshots.write` wrote.

    Raises:
        RunError: the file is damaged, or is something else.
    """
    try:
        facts, values = _read(path)
        batches = tuple(int(one) for one in facts["batches"])
        steps, epochs = int(facts["steps"]), int(facts["epochs"])
        if not batches or steps < 1 or epochs < 1 or any(value.shape[:1] != (len(batches),) for value in values):
            raise ValueError("its arrays do not fit each other")
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} cannot be read ({error}); restore the file, or train again with snapshots") from error
    return Snapshots(batches, steps, epochs, tuple(values))


class Recorder(Steering):
    """Takes the snapshots of one training.

    Training asks its steering before every chunk how far to go. The recorder stands between the two: it looks at the
    weights when a moment is due, and lets no chunk run past the next one. The steps themselves are not touched.

    Args:
        model: what is trained, built and compiled.
        steps: batches in one epoch.
        epochs: how many there will be.
        steering: the user's own, which decides as before.
        folder: where every snapshot is kept at once, for a training that may be killed and resumed.

    Raises:
        InputError: the network is too large for two snapshots.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        steps: int,
        epochs: int,
        steering: Steering | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.steps, self.epochs, self.steering, self.folder = steps, epochs, steering, folder
        size = sum(math.prod(weight.shape) for weight in model.weights)
        most = min(MOST_MOMENTS, MOST_BYTES // max(1, 2 * size))
        if most < 2:
            raise InputError(
                f"snapshots of {model.name!r} would need more than {MOST_BYTES // 1_000_000} MB: it has {size:,} "
                f"parameters, and at most {MOST_BYTES // 4:,} fit; train it without snapshots"
            )
        self.due = choose_moments(steps, epochs, most)
        self.dtype = np.dtype(np.float32 if 4 * size * len(self.due) <= EXACT_BYTES else np.float16)
        self.kept: dict[int, list[np.ndarray]] = {}
        self.done: int | None = None
        self._iterations = int(model.optimizer.iterations)

    def next_chunk(self, model: keras.Model, length: int) -> int:
        """Called by training: take a snapshot if one is due, and return how many batches to train on."""
        done = self._begun(model)
        if done in self.due:
            self._take(model, done)
        following = bisect.bisect_right(self.due, done)
        if following < len(self.due):
            length = min(length, self.due[following] - done)
        granted = self.steering.next_chunk(model, length) if self.steering else length
        self.done = done + granted
        return granted

    def end(self, model: keras.Model) -> None:
        """Called by training when it is over."""
        if self.steering:
            self.steering.end(model)

    def finish(self, model: keras.Model) -> Snapshots | None:
        """Take the last snapshot and return them all; None if there is no other, as when Keras did the training."""
        self._take(model, self._begun(model))
        batches = sorted(self.kept)
        if len(batches) < 2:
            return None
        values = zip(*(self.kept[number] for number in batches), strict=True)
        return Snapshots(tuple(batches), self.steps, self.epochs, tuple(np.stack(value) for value in values))

    def _begun(self, model: keras.Model) -> int:
        """Return how many batches are done, and take up what was kept before if this is the first look."""
        if self.done is None:
            # A training that is resumed begins with the count of the optimizer in its checkpoint.
            self.done = int(model.optimizer.iterations) - self._iterations
            self._take_up(self.done)
        return self.done

    def _take(self, model: keras.Model, done: int) -> None:
        if done in self.kept:
            return
        self.kept[done] = [_small(value, self.dtype) for value in model.get_weights()]
        if self.folder:
            _write(self.folder / f"snapshot-{done:012d}.npz", self.kept[done])

    def _take_up(self, done: int) -> None:
        """Read what was kept before a kill, up to the place where training goes on; the rest it will take again."""
        for path in sorted(self.folder.glob(PATTERN)) if self.folder else ():
            number = int(path.stem.removeprefix("snapshot-"))
            try:
                kept = _read(path)[1]
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                continue  # damaged by something else than us: one moment less
            if number <= done:
                self.kept[number] = kept


def choose_moments(steps: int, epochs: int, most: int = MOST_MOMENTS) -> list[int]:
    """Return after how many batches snapshots are taken; the first and the last batch are always among them.

    Args:
        steps: batches in one epoch.
        epochs: how many there will be.
        most: if there are more moments, every so many are left out.

    Example:
        >>> choose_moments(steps=60, epochs=3)
        [0, 1, 2, 5, 10, 20, 50, 60, 120, 180]
    """
    early = [digit * 10**power for power in range(len(str(steps))) for digit in (1, 2, 5)]
    moments = [0, *(one for one in early if one < steps), *(steps * epoch for epoch in range(1, epochs + 1))]
    if len(moments) > most:
        chosen = np.linspace(0, len(moments) - 1, most).round().astype(int)
        moments = [moments[number] for number in chosen]
    return moments


def _small(value: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return a copy in that precision; counters stay what they are, and what float16 cannot hold stays float32."""
    if value.dtype.kind in "iub":
        return value.copy()
    exact = value.astype(np.float32)
    with np.errstate(over="ignore"):
        rounded = exact.astype(dtype)
    return rounded if np.isfinite(rounded).all() else exact


def _write(path: Path, values: list[np.ndarray], **facts: np.ndarray) -> None:
    with new_file(path) as beside:
        np.savez(beside, **facts, **{f"value_{k}": value for k, value in enumerate(values)})  # pyright: ignore[reportArgumentType]


def _read(path: Path) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    with zipfile.ZipFile(path) as archive:  # a file from elsewhere could unpack to any size
        size = sum(entry.file_size for entry in archive.infolist())
    if size > 2 * MOST_BYTES:
        raise ValueError(f"it unpacks to {size:,} bytes, more than snapshots ever have")
    with np.load(path, allow_pickle=False) as stored:
        content = dict(stored)
    values = [content.pop(f"value_{k}") for k in range(sum(name.startswith("value_") for name in content))]
    return content, values
