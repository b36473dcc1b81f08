"""evaluate and predict: what Keras's methods of these names compute, compiled, with bounded memory."""

from typing import Any

import jax
import numpy as np

from glassnet._keras import keras
from glassnet.training.batches import Batches, batches
from glassnet.training.checks import check_compiled
from glassnet.training.hooks import wants_batches
from glassnet.training.programs import loop_program, predict_program
from glassnet.training.state import build, get_state, set_state


def evaluate(
    model: keras.Model, x: Any, y: Any = None, *, batch_size: int = 32, sample_weight: Any = None
) -> dict[str, Any]:
    """Return the loss and metrics on arrays, as `keras.Model.evaluate(…, return_dict=True)`.

    Memory does not grow with the number of examples: they go to the device in pieces.

    Raises:
        InputError: arrays of different lengths, or a model that is not compiled.
    """
    check_compiled(model)
    data = batches(x, y, sample_weight, batch_size=batch_size)
    build(model, data.example())
    return measure(model, data, keras.callbacks.CallbackList(model=model))


def predict(model: keras.Model, x: Any, *, batch_size: int = 256) -> Any:
    """Return the outputs for arrays, as `keras.Model.predict`, one row for each example.

    Memory beyond the outputs does not grow with the number of examples: they go to the device in pieces.
    """
    data = batches(x, batch_size=batch_size)
    state = get_state(model, "predict")
    results = [predict_program(model, state, piece)(state, piece.data) for piece in data.pieces()]
    return results[0] if len(results) == 1 else jax.tree.map(lambda *parts: np.concatenate(parts), *results)


def measure(model: keras.Model, data: Batches, hooks: keras.callbacks.CallbackList) -> dict[str, Any]:
    """Evaluate a built model, and tell the callbacks."""
    hooks.on_test_begin()
    model.reset_metrics()
    every_batch = any(wants_batches(callback, "test") for callback in hooks.callbacks)
    done = 0
    for piece in data.pieces():
        program = loop_program(model, "test", get_state(model, "test"), piece)
        arrays, order = jax.device_put((piece.data, np.arange(piece.n, dtype=np.int32)))
        for start in range(0, piece.steps, 1 if every_batch else piece.steps):
            stop = start + 1 if every_batch else piece.steps
            hooks.on_test_batch_begin(done + start)
            state = program(get_state(model, "test"), arrays, order, np.int32(start), np.int32(stop))
            set_state(model, "test", state)
            hooks.on_test_batch_end(done + stop - 1, plain(model.get_metrics_result()) if every_batch else {})
        done += piece.steps
    logs = plain(model.get_metrics_result())
    hooks.on_test_end(logs)
    return logs


def plain(logs: dict[str, Any]) -> dict[str, Any]:
    """Return Keras's logs as plain numbers; a metric with a value for each class is an array of them, as in Keras."""
    return {name: np.asarray(value) if np.ndim(value) else float(value) for name, value in logs.items()}


def floats(logs: dict[str, Any]) -> dict[str, float]:
    """Return the numbers among Keras's logs, which is what events tell and passports keep."""
    return {name: float(value) for name, value in logs.items() if not np.ndim(value)}
