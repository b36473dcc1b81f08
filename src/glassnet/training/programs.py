"""Compiled programs: many batches of a Keras model's own step in one call.

Keras calls a compiled step once for each batch; for small networks the call costs more than the arithmetic. Here the
loop over the batches is compiled too: a `fori_loop` over the model's public `train_step` or `test_step`, which is the
same arithmetic in the same order. Its bounds are arguments, so that one program serves chunks of every length. The
smaller last batch is a step of its own, because padding it would change batch normalisation and the mean loss.
"""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp
import numpy as np

from glassnet._keras import keras
from glassnet.augmentation import Augmentation, augment
from glassnet.training.batches import Batches
from glassnet.training.compiler import compiler_options
from glassnet.training.fast_layers import fast_forms
from glassnet.training.flat_optimizer import NO_CHANGE, excludes_from_decay, flat_optimizer
from glassnet.training.members import members_apart
from glassnet.training.smoothing import smoothed_labels
from glassnet.training.state import State

Program = Callable[..., Any]

MOST_SHARED = 32
"""Architectures whose programs are kept for the next model like it."""

_shared_programs: OrderedDict[str, dict[Any, Program]] = OrderedDict()
_own_programs: WeakKeyDictionary[keras.Model, dict[Any, Program]] = WeakKeyDictionary()
_lock = threading.Lock()


class Extras(NamedTuple):
    """What a step of training does besides Keras's own.

    Args:
        augmentation: every batch's images (all arrays of x) are changed at random first.
        label_smoothing: the share of every label that goes to all classes alike.
        members: so many members of the network learn, each for itself.
    """

    augmentation: Augmentation | None = None
    label_smoothing: float = 0.0
    members: int = 1


PLAIN = Extras()


def loop_program(
    model: keras.Model,
    kind: Literal["train", "test"],
    state: State,
    batches: Batches,
    extras: Extras = PLAIN,
    *,
    gathered: bool = False,
) -> Program:
    """Return a compiled `program(state, data, order, start, stop) -> state`.

    It takes the step of that kind on the batches from number `start` up to `stop`. Batch k holds the examples
    `order[k * size : (k + 1) * size]`; `order` is `int32 (n,)`. Data that was gathered lies in the order already, which
    then only makes the keys.
    """
    step = model.train_step if kind == "train" else model.test_step
    size, full, n = batches.batch_size, batches.full, batches.n

    def take(state: State, data: Any, order: jax.Array, start: Any, length: int) -> State:
        rows = jax.lax.dynamic_slice_in_dim(order, start, length)
        if gathered:
            batch = jax.tree.map(lambda array: jax.lax.dynamic_slice_in_dim(array, start, length), data)
        else:
            # The order holds valid rows only; "clip" spares the check that the default mode makes for each of them.
            batch = jax.tree.map(lambda array: jnp.take(array, rows, axis=0, mode="clip"), data)
        if extras.augmentation is not None:
            change = partial(augment, key=_step_key(model, state, rows), plan=extras.augmentation)
            batch = (jax.tree.map(change, batch[0]), *batch[1:])
        return step(state, batch)[1]

    def loop(state: State, data: Any, order: jax.Array, start: jax.Array, stop: jax.Array) -> State:
        with smoothed_labels(model, extras.label_smoothing), members_apart(model, extras.members):
            return batch_by_batch(state, data, order, start, stop)

    def batch_by_batch(state: State, data: Any, order: jax.Array, start: jax.Array, stop: jax.Array) -> State:
        def body(k: jax.Array, state: State) -> State:
            return flatten(take(unflatten(state), data, order, k * size, size))

        if full:
            with flat_optimizer(model) if kind == "train" else nullcontext(NO_CHANGE) as (flatten, unflatten):
                state = unflatten(jax.lax.fori_loop(start, jnp.minimum(stop, full), body, flatten(state)))
        if full * size < n:

            def last(state: State) -> State:
                return take(state, data, order, full * size, n - full * size)

            state = jax.lax.cond(stop > full, last, lambda state: state, state)
        return state

    order = jax.ShapeDtypeStruct((n,), np.int32)
    bound = jax.ShapeDtypeStruct((), np.int32)
    arguments = (state, batches.data, order, bound, bound)
    return _compiled(model, kind, loop, batches, arguments, (extras, gathered))


def _step_key(model: keras.Model, state: State, rows: jax.Array) -> jax.Array:
    """Return the random key of a step, from what is in the state and the order already.

    The optimizer counts the steps, and the order comes from the seed: so a training that goes on after a kill changes
    its images as one that was not killed, and other seeds change them otherwise.
    """
    # Where gradients are accumulated, `iterations` is computed from this variable; where losses are scaled, it lies
    # further inside.
    steps = getattr(model.optimizer, "inner_optimizer", model.optimizer)._iterations
    counter = next(k for k, one in enumerate(model.optimizer.variables) if one is steps)
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(0), state[2][counter]), rows[0])


def predict_program(model: keras.Model, state: State, batches: Batches) -> Program:
    """Return `program(state, data) -> outputs`, one row for each example.

    One batch is compiled, for all lengths: the last batch reaches back to as many examples as the others have.
    """
    size, n = min(batches.batch_size, batches.n), batches.n

    def outputs(state: State, batch: Any) -> Any:
        return model.predict_step(state, batch)[0]

    step = _compiled(model, "predict", outputs, batches, (state, batches.example()))

    def predict(state: State, data: Any) -> Any:
        starts = [min(start, n - size) for start in range(0, n, size)]
        parts = [step(state, jax.tree.map(lambda array, at=at: array[at : at + size], data)) for at in starts]
        again = size * len(parts) - n
        return jax.tree.map(lambda *arrays: _concatenated(arrays, again), *parts)

    return predict


def _concatenated(arrays: Sequence[jax.Array], again: int) -> np.ndarray:
    """Put the rows of all batches into one array; the last batch begins with so many that were there before."""
    *whole, last = (np.asarray(array) for array in arrays)
    return np.concatenate([*whole, last[again:]])


def _compiled(
    model: keras.Model,
    kind: str,
    function: Program,
    batches: Batches,
    arguments: Any,
    options: tuple[Any, ...] = (),
) -> Program:
    """Compile the function for the shapes of the arguments, once for all models that are built and compiled alike."""
    shapes = jax.tree.map(lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype), arguments)
    leaves, structure = jax.tree.flatten(shapes)
    forms = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
    key = (kind, batches.batch_size, options, forms, structure, _constants(model))
    twins = _twins(model, kind)
    with _lock:  # several threads may train equal models: one compiles, the others wait for it
        if twins is None:
            # `compile` makes a new optimizer and new metrics: with other ones, an old program would be a wrong one.
            key += (model.optimizer, *model.metrics) if kind != "predict" else ()
            known = _own_programs.setdefault(model, {})
        else:
            known = _shared_programs.setdefault(twins, {})
            _shared_programs.move_to_end(twins)
            while len(_shared_programs) > MOST_SHARED:
                _shared_programs.popitem(last=False)
        if key not in known:
            with fast_forms(model):
                known[key] = jax.jit(function, compiler_options=compiler_options(model)).lower(*shapes).compile()
        return known[key]


def _constants(model: keras.Model) -> tuple[bytes, ...]:
    """Return the numbers that are traced into the model's programs without being variables or settings.

    A layer that was adapted to data holds what it found as plain arrays, and adapting it again makes new ones.
    """
    adapted = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Normalization)]
    arrays = [getattr(layer, name, None) for layer in adapted for name in ("mean", "variance")]
    return tuple(b"" if array is None else np.asarray(array).tobytes() for array in arrays)


def _twins(model: keras.Model, kind: str) -> str | None:
    """Return a text that is equal for models whose steps compute the same; None if that cannot be told.

    It can where everything is Keras's own. What lives in variables (weights, seeds, the learning rate) may differ, and
    so may the numbers that Keras puts at the end of names.
    """
    if type(model).__module__.split(".")[0] != "keras" or not (model.built and model.layers):
        return None
    try:
        config: dict[str, Any] = {"model": model.get_config(), "policy": model.dtype_policy.name}
        if kind != "predict":
            if excludes_from_decay(model.optimizer) or _has_function_as_rate(model.optimizer):
                return None
            settings: Any = model.get_compile_config()
            config["compile"] = settings
            if any(isinstance(value, dict) and "class_name" not in value for value in settings.values()):
                return None  # losses or metrics by the names of outputs: then names matter
            optimizer = settings["optimizer"]["config"]
            if isinstance(optimizer.get("learning_rate"), (int, float)):
                del optimizer["learning_rate"]
        text = json.dumps(_renamed(config, "", {}), sort_keys=True)
    except (TypeError, ValueError, KeyError, NotImplementedError, AttributeError):
        return None
    foreign = re.search(r'"module": "(?!keras)|"class_name": "(function|__lambda__)"|"registered_name": (?!null)', text)
    return None if foreign else text


def _has_function_as_rate(optimizer: keras.optimizers.Optimizer) -> bool:
    """Tell whether the learning rate is a plain function; Keras warns of its danger when it writes one down."""
    rate = getattr(optimizer, "_learning_rate", None)
    return callable(rate) and not isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)


def _renamed(value: Any, key: str, names: dict[str, str]) -> Any:
    """Replace the names of layers in a Keras config by the order in which they appear."""
    if isinstance(value, dict):
        return {k: _renamed(one, k, names) for k, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renamed(one, key, names) for one in value]
    if isinstance(value, str) and key in ("name", "keras_history", "input_layers", "output_layers"):
        return names.setdefault(value, f"{re.sub(r'_[0-9]+$', '', value)}#{len(names)}")
    return value
