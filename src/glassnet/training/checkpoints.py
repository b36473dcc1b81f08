"""Checkpoints: a training that is killed at any moment goes on where it was, to exactly the same end.

A checkpoint holds everything that the rest of a training depends on: the values of all variables (weights, optimizer,
metrics, the states of random layers), the order of the running epoch and the place in it, the generator of the orders
to come, and the history so far. It is one NumPy file, written beside its place and renamed, and read without pickle.
"""

import json
import time
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np

from glassnet._keras import keras
from glassnet.atomic import new_file
from glassnet.errors import RunError
from glassnet.training.events import LearningRateChanged
from glassnet.training.state import get_state, set_state

PATTERN = "checkpoint-*.npz"


@dataclass(frozen=True, eq=False)
class Place:
    """Where a training is, apart from the values of the variables.

    Args:
        epoch: the running epoch, from 0.
        position: batches done in it.
        order: `int32 (n,)`, its order of the examples.
        history: what earlier epochs gave; a number, or a list of them, for each.
        rates: the learning rates that were set by hand, as `LearningRateChanged` tells them.
    """

    epoch: int
    position: int
    order: np.ndarray
    history: dict[str, list[Any]]
    rates: list[LearningRateChanged]


@dataclass
class Checkpoints:
    """A folder of checkpoints of one training.

    Args:
        folder: where they are.
        seconds: how often one is written within an epoch; one more at the end of every epoch.
        keep: how many of the newest are kept.
    """

    folder: Path
    seconds: float = 30.0
    keep: int = 2
    _last: float = field(default_factory=time.perf_counter, init=False)

    def due(self) -> bool:
        """Whether it is time for one within an epoch."""
        return time.perf_counter() - self._last >= self.seconds

    def save(self, model: keras.Model, place: Place, rng: np.random.RandomState) -> None:
        """Write a checkpoint and remove those that are too old."""
        _, keys, *rest = rng.get_state()
        rates = [asdict(one) for one in place.rates]
        facts = {
            "epoch": place.epoch,
            "position": place.position,
            "history": place.history,
            "rates": rates,
            "rng": rest,
        }
        arrays = {f"value_{k}": value for k, value in enumerate(jax.tree.leaves(get_state(model, "train")))}
        path = self.folder / f"checkpoint-{place.epoch:06d}-{place.position:09d}.npz"
        with new_file(path) as beside:
            np.savez(beside, order=place.order, rng=keys, facts=np.array(json.dumps(facts)), **arrays)  # pyright: ignore[reportArgumentType]
        for old in self._files()[: -self.keep]:
            old.unlink(missing_ok=True)
        self._last = time.perf_counter()

    def restore(self, model: keras.Model, rng: np.random.RandomState) -> Place | None:
        """Put the newest checkpoint into a built model and the generator; None if there is none.

        Raises:
            RunError: it belongs to another network.
        """
        for path in reversed(self._files()):
            try:
                with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                    content = dict(stored)
            except (OSError, ValueError, zipfile.BadZipFile, EOFError):
                continue  # damaged by something else than us; the one before it is as good, only older
            return _restored(path, content, model, rng)
        return None

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(PATTERN))


def _restored(path: Path, content: dict[str, Any], model: keras.Model, rng: np.random.RandomState) -> Place:
    state = get_state(model, "train")
    leaves, structure = jax.tree.flatten(state)
    try:
        values = [content[f"value_{k}"] for k in range(len(leaves))]
        facts = json.loads(str(content["facts"]))
        rates = [LearningRateChanged(**one) for one in facts["rates"]]
    except (KeyError, ValueError, TypeError) as error:
        raise RunError(f"{path} is no checkpoint of this network; remove it and train again") from error
    if any(value.shape != leaf.shape or value.dtype != leaf.dtype for value, leaf in zip(values, leaves, strict=True)):
        raise RunError(f"{path} is a checkpoint of another network; remove it and train again")
    set_state(model, "train", jax.tree.unflatten(structure, [jax.numpy.asarray(value) for value in values]))
    rng.set_state(("MT19937", content["rng"], *facts["rng"]))
    return Place(facts["epoch"], facts["position"], content["order"], facts["history"], rates)
