"""Arrays as training sees them: one tree of inputs, labels and weights, and the order in which batches take them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from glassnet._keras import keras
from glassnet.errors import InputError


@dataclass(frozen=True)
class Batches:
    """Arrays of equal length, cut into batches; the last batch may be smaller.

    Args:
        data: `(x,)`, `(x, y)` or `(x, y, sample_weight)`; each a tree of arrays.
        n: how many examples there are.
        batch_size: examples per batch.
        rows: `(n,)`, which rows of the arrays they are; all, in their order, if None.
    """

    data: tuple[Any, ...]
    n: int
    batch_size: int
    rows: np.ndarray | None = None

    @property
    def full(self) -> int:
        """Batches that are complete."""
        return self.n // self.batch_size

    @property
    def steps(self) -> int:
        """All batches, with the smaller last one."""
        return math.ceil(self.n / self.batch_size)

    def example(self) -> tuple[Any, ...]:
        """The first batch."""
        return self.slice(0, self.batch_size)

    def slice(self, start: int, stop: int) -> tuple[Any, ...]:
        """The examples from `start` to `stop`."""
        return jax.tree.map(lambda array: array[self.places(slice(start, stop))], self.data)

    def places(self, examples: Any) -> Any:
        """Return where examples stand in the arrays."""
        return examples if self.rows is None else self.rows[examples]

    def pieces(self, most_bytes: int = 1 << 26) -> Iterator["Batches"]:
        """Cut the arrays, at batch boundaries, into pieces of at most `most_bytes` (but at least one batch)."""
        example = sum(array.nbytes // len(array) for array in jax.tree.leaves(self.data)) or 1
        length = max(1, most_bytes // (example * self.batch_size)) * self.batch_size
        for start in range(0, self.n, length):
            stop = min(start + length, self.n)
            yield Batches(self.slice(start, stop), stop - start, self.batch_size)


def batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None,
    steps: int | None = None,
    rows: np.ndarray | None = None,
) -> Batches:
    """Check the arrays as `keras.Model.fit` does and bring them into one tree.

    Args:
        x: array, or tree of arrays, of inputs.
        y: labels, likewise.
        sample_weight: weight of each example, likewise.
        batch_size: examples per batch; None is 32, or what makes `steps` batches.
        steps: batches in an epoch, where no batch size is given.
        rows: of the arrays that are the examples; all if None.

    Raises:
        InputError: arrays of different lengths, or none at all; a batch size below 1.
    """
    if batch_size is not None and batch_size < 1:
        raise InputError(f"batch size is {batch_size}; it must be a whole number of at least 1")
    tree = {"x": x, "y": y, "sample_weight": sample_weight}
    tree = {name: jax.tree.map(_array, value) for name, value in tree.items()}
    lengths = {name: {len(array) for array in jax.tree.leaves(value)} for name, value in tree.items()}
    if len(set().union(*lengths.values())) != 1:
        found = ", ".join(
            f"{name} has {' and '.join(str(one) for one in sorted(sizes))}" for name, sizes in lengths.items() if sizes
        )
        raise InputError(f"the arrays must have one length, the number of examples; {found}")
    n = lengths["x"].pop() if rows is None else len(rows)
    if n == 0:
        raise InputError("there are no examples: x is empty; pass at least one")
    if batch_size is None:
        batch_size = math.ceil(n / steps) if steps else 32
    values = tuple(tree.values())
    while values[-1] is None:
        values = values[:-1]
    return Batches(values, n, min(batch_size, n), rows)


def class_weight_to_sample_weight(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    """Return the weight of each label's class; classes that are not named weigh 1."""
    if y is None:
        raise InputError("class_weight weighs the classes of labels, but y is None; pass y")
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] != 1 else labels[..., 0]
    weights = np.ones(len(labels), keras.config.floatx())
    for number, weight in class_weight.items():
        weights[np.round(labels) == number] = weight
    return weights


def split_tail(tree: Any, fraction: float) -> tuple[Any, Any]:
    """Cut the last `fraction` of every array off, as `validation_split` does, before any shuffling."""
    n = len(jax.tree.leaves(tree)[0])
    cut = math.floor(n * (1.0 - fraction))
    if not 0 < cut < n:
        raise InputError(
            f"validation_split={fraction} of {n} examples leaves {cut} to train on; "
            "choose a fraction between 0 and 1 that leaves some on both sides"
        )
    return jax.tree.map(lambda array: array[:cut], tree), jax.tree.map(lambda array: array[cut:], tree)


def permutation(rng: np.random.RandomState, n: int, batch_size: int, shuffle: bool | str) -> np.ndarray:
    """Draw the order of one epoch, as `int32 (n,)`, with the calls that Keras makes."""
    if shuffle == "batch":
        starts = range(0, n, batch_size)
        order = np.concatenate([rng.permutation(min(batch_size, n - start)) + start for start in starts])
    else:
        order = rng.permutation(n) if shuffle else np.arange(n)
    return order.astype(np.int32)


def _array(value: Any) -> Any:
    """Keep integers as they are (pixels stay bytes); floats become Keras's float type."""
    array = value if isinstance(value, jax.Array) else np.asarray(value)
    if array.ndim == 0:
        raise InputError(f"expected an array with one entry for each example, got the single value {value!r}")
    floatx = keras.config.floatx()
    return array.astype(floatx) if array.dtype == np.float64 != np.dtype(floatx) else array
