"""Compiled programs: many batches of a Keras model's own step in one call.

Keras calls a compiled step once for each batch; for small networks the call costs more than the arithmetic. Here the
loop over the batches is compiled too: a `fori_loop` over the model's public `train_step` or `test_step`, which is the
same arithmetic in the same order. Its bounds are arguments, so that one program serves chunks of every length. The
smaller last batch is a step of its own, because padding it would change batch normalisation and the mean loss.
"""

from collections.abc import Callable
from typing import Any, Literal
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp
import numpy as np

from glassnet._keras import keras
from glassnet.training.batches import Batches

State = tuple[list[jax.Array], ...]
Program = Callable[..., Any]

_programs: WeakKeyDictionary[keras.Model, dict[Any, Program]] = WeakKeyDictionary()


def loop_program(model: keras.Model, kind: Literal["train", "test"], state: State, batches: Batches) -> Program:
    """Return a compiled `program(state, data, order, start, stop) -> state`.

    It takes the step of that kind on the batches from number `start` up to `stop`. Batch k holds the examples
    `order[k * size : (k + 1) * size]`; `order` is `int32 (n,)`.
    """
    step = model.train_step if kind == "train" else model.test_step
    size, full, n = batches.batch_size, batches.full, batches.n

    def take(state: State, data: Any, rows: jax.Array) -> State:
        # The order holds valid rows only; "clip" spares the check that the default mode makes for each of them.
        batch = jax.tree.map(lambda array: jnp.take(array, rows, axis=0, mode="clip"), data)
        return step(state, batch)[1]

    def loop(state: State, data: Any, order: jax.Array, start: jax.Array, stop: jax.Array) -> State:
        def body(k: jax.Array, state: State) -> State:
            return take(state, data, jax.lax.dynamic_slice_in_dim(order, k * size, size))

        if full:
            state = jax.lax.fori_loop(start, jnp.minimum(stop, full), body, state)
        if full * size < n:
            last = order[full * size :]
            state = jax.lax.cond(stop > full, lambda state: take(state, data, last), lambda state: state, state)
        return state

    order = jax.ShapeDtypeStruct((n,), np.int32)
    bound = jax.ShapeDtypeStruct((), np.int32)
    return _compiled(model, kind, loop, batches, (state, batches.data, order, bound, bound))


def predict_program(model: keras.Model, state: State, batches: Batches) -> Program:
    """Return a compiled `program(state, data) -> outputs`, one row for each example, a batch at a time."""
    size, full, n = batches.batch_size, batches.full, batches.n

    def predict(state: State, data: Any) -> Any:
        def outputs(batch: Any) -> Any:
            return model.predict_step(state, batch)[0]

        def many(array: jax.Array) -> jax.Array:
            return array[: full * size].reshape(full, size, *array.shape[1:])

        def flat(array: jax.Array) -> jax.Array:
            return array.reshape(full * size, *array.shape[2:])

        results = []
        if full:
            results.append(jax.tree.map(flat, jax.lax.map(outputs, jax.tree.map(many, data))))
        if full * size < n:
            results.append(outputs(jax.tree.map(lambda array: array[full * size :], data)))
        return jax.tree.map(lambda *parts: jnp.concatenate(parts), *results)

    return _compiled(model, "predict", predict, batches, (state, batches.data))


def _compiled(model: keras.Model, kind: str, function: Program, batches: Batches, arguments: Any) -> Program:
    """Compile the function for the shapes of the arguments, once for a model as long as it stays compiled alike."""
    shapes = jax.tree.map(lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype), arguments)
    leaves, structure = jax.tree.flatten(shapes)
    # `compile` makes a new optimizer and new metrics: with other ones, an old program would be a wrong one.
    parts = (model.optimizer, *model.metrics) if kind != "predict" else ()
    key = (kind, batches.batch_size, tuple((leaf.shape, leaf.dtype) for leaf in leaves), structure, parts)
    known = _programs.setdefault(model, {})
    if key not in known:
        known[key] = jax.jit(function).lower(*shapes).compile()
    return known[key]
