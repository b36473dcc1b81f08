"""fit, evaluate, predict: what Keras's methods of these names compute, in compiled chunks of many batches.

The data sits on the device as it is (pixels stay bytes), the host draws the order, and one call trains on as many
batches as fit between two events. Callbacks, validation and histories mean what they mean in Keras: with the same
seed, `fit` leaves the weights that `model.fit` leaves.
"""

import time
from collections.abc import Sequence
from typing import Any, Literal

import jax
import numpy as np

from glassnet._keras import keras
from glassnet.errors import InputError
from glassnet.training.batches import Batches, batches, class_weight_to_sample_weight, permutation, split_tail
from glassnet.training.events import EpochEnded, Listener, Progress, TrainingStarted
from glassnet.training.programs import Program, State, loop_program, predict_program

SECONDS_BETWEEN_EVENTS = 0.1
"""How often listeners hear of progress."""

SECONDS_BETWEEN_CHECKS = 0.5
"""How often training looks up when nobody listens, so that Ctrl-C is answered."""


def fit(
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    batch_size: int | None = None,
    epochs: int = 1,
    verbose: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: bool | str = True,
    class_weight: dict[int, float] | None = None,
    sample_weight: Any = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_batch_size: int | None = None,
    validation_freq: int | list[int] = 1,
    on_event: Listener | None = None,
) -> keras.callbacks.History:
    """Train a compiled Keras model on arrays; the arguments are those of `keras.Model.fit`.

    The number of parameters is Keras's own: this is its `fit`, faster. Callbacks that have batch hooks are called after
    every batch, which costs most of the speed; all others cost nothing.

    Args:
        model: a compiled Keras model: Sequential, functional or subclassed.
        x: array (or list, tuple, dict of arrays) of inputs, first axis the examples.
        y: labels, likewise.
        batch_size: examples per step; 32 if None.
        epochs: passes over the data.
        verbose: 1 or 2 for Keras's own progress bar on the terminal.
        callbacks: Keras callbacks.
        validation_split: the share of the examples, at the end of the arrays, to validate on.
        validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on after an epoch.
        shuffle: draw a new order every epoch; "batch" shuffles within the batches only.
        class_weight: the weight of each class number in the loss.
        sample_weight: the weight of each example in the loss.
        initial_epoch: the number of the first epoch.
        steps_per_epoch: batches that make an epoch, if not all of them.
        validation_batch_size: as `batch_size` if None.
        validation_freq: validate every so many epochs, or after the epochs of a list (counted from 1).
        on_event: is called with every event of `glassnet.training.events`, about ten times a second.

    Returns:
        The History: `history.history` has a list for each metric, one value per epoch.

    Raises:
        InputError: arrays of different lengths, or a model that is not compiled.

    Example:
        >>> import glassnet
        >>> data = glassnet.load("mnist")
        >>> model = glassnet.recipes.find("digits-32").build((28, 28), 10)
        >>> history = glassnet.fit(model, data.train.images, data.train.labels, epochs=1)
        >>> history.history["accuracy"][0] > 0.8
        True
    """
    if not model.compiled:
        raise InputError("the model is not compiled; call model.compile(optimizer=…, loss=…, metrics=…) first")
    model.stop_training = False
    if class_weight is not None and sample_weight is not None:
        raise InputError("class_weight and sample_weight exclude each other; multiply them into sample_weight")
    if class_weight is not None:
        sample_weight = class_weight_to_sample_weight(y, class_weight)
    if validation_split and validation_data is None:
        (x, y, sample_weight), validation_data = split_tail((x, y, sample_weight), validation_split)
    data = batches(x, y, sample_weight, batch_size=batch_size, steps=steps_per_epoch)
    validation = None
    if validation_data is not None:
        validation = batches(*validation_data, batch_size=validation_batch_size or data.batch_size)

    if _build(model, data) and shuffle:
        # Keras, too, draws an order to look at the first batch; without it, equal seeds would not give equal runs.
        permutation(data.n if shuffle is True else data.batch_size, data.batch_size, shuffle)
    before = time.perf_counter()
    program = loop_program(model, "train", get_state(model, "train"), data)
    compile_seconds = time.perf_counter() - before

    hooks = keras.callbacks.CallbackList(
        list(callbacks),
        add_history=True,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=epochs,
        steps=min(steps_per_epoch or data.steps, data.steps),
        model=model,
    )
    training = _Training(model, data, program, hooks, shuffle, steps_per_epoch, on_event)
    training.every_batch = any(_has_hooks(callback, "train") for callback in callbacks)
    training.wants_logs = training.every_batch or verbose != 0 or on_event is not None
    logs: dict[str, Any] = {}
    hooks.on_train_begin()
    initial_epoch = getattr(model, "_initial_epoch", 0) or initial_epoch  # BackupAndRestore sets it
    if on_event:
        on_event(TrainingStarted(epochs, initial_epoch, training.steps, compile_seconds))
    try:
        for epoch in range(initial_epoch, epochs):
            started = time.perf_counter()
            model.reset_metrics()
            hooks.on_epoch_begin(epoch)
            complete = training.run(epoch)
            logs = dict(model.get_metrics_result())
            if validation is not None and _is_due(epoch, validation_freq):
                logs |= {f"val_{name}": value for name, value in _evaluate(model, validation, hooks).items()}
            hooks.on_epoch_end(epoch, logs)
            if on_event:
                on_event(EpochEnded(epoch, _floats(logs), time.perf_counter() - started, complete))
            if model.stop_training:
                break
        hooks.on_train_end(logs)
    finally:
        if epochs > 0:
            model.optimizer.finalize_variable_values(model.trainable_weights)
    return model.history


def evaluate(
    model: keras.Model, x: Any, y: Any = None, *, batch_size: int = 32, sample_weight: Any = None
) -> dict[str, float]:
    """Return the loss and metrics on arrays, as `keras.Model.evaluate(…, return_dict=True)`.

    Memory does not grow with the number of examples: they go to the device in pieces.

    Raises:
        InputError: arrays of different lengths, or a model that is not compiled.
    """
    if not model.compiled:
        raise InputError("the model is not compiled; call model.compile(optimizer=…, loss=…, metrics=…) first")
    data = batches(x, y, sample_weight, batch_size=batch_size)
    _build(model, data)
    return _evaluate(model, data, keras.callbacks.CallbackList(model=model))


def predict(model: keras.Model, x: Any, *, batch_size: int = 256) -> Any:
    """Return the outputs for arrays, as `keras.Model.predict`, one row for each example.

    Memory beyond the outputs does not grow with the number of examples: they go to the device in pieces.
    """
    data = batches(x, batch_size=batch_size)
    state = get_state(model, "predict")
    results = []
    for piece in data.pieces():
        outputs = predict_program(model, state, piece)(state, piece.data)
        results.append(jax.tree.map(np.asarray, outputs))
    return jax.tree.map(lambda *parts: np.concatenate(parts), *results)


def get_state(model: keras.Model, kind: Literal["train", "test", "predict"]) -> State:
    """Return the values of all variables that a step of that kind takes."""
    return tuple([variable.value for variable in part] for part in _variables(model, kind))


def set_state(model: keras.Model, kind: Literal["train", "test"], state: State) -> None:
    """Put the values that a step of that kind returned back into the model."""
    for part, values in zip(_variables(model, kind), state, strict=True):
        for variable, value in zip(part, values, strict=True):
            variable.assign(value)


def _variables(model: keras.Model, kind: str) -> list[list[keras.Variable]]:
    parts = [model.trainable_variables, model.non_trainable_variables]
    if kind == "train":
        parts.append(model.optimizer.variables)
    if kind != "predict":
        parts.append(model.metrics_variables)
    return parts


class _Training:
    """The epochs of one call of `fit`: the order of the examples, the place in it, and how long chunks are.

    Attributes:
        every_batch: a callback wants to hear of every batch, so chunks are one batch long.
        wants_logs: somebody wants loss and metrics after every chunk.
    """

    every_batch = False
    wants_logs = False

    def __init__(
        self,
        model: keras.Model,
        batches: Batches,
        program: Program,
        hooks: keras.callbacks.CallbackList,
        shuffle: bool | str,
        steps_per_epoch: int | None,
        on_event: Listener | None,
    ) -> None:
        self.model, self.batches, self.program, self.hooks = model, batches, program, hooks
        self.shuffle, self.steps_per_epoch, self.on_event = shuffle, steps_per_epoch, on_event
        self.steps = min(steps_per_epoch or batches.steps, batches.steps)
        self.data = jax.device_put(batches.data)
        self.position = batches.steps
        self.chunk = 8

    def run(self, epoch: int) -> bool:
        """Train one epoch; False if it was stopped before its last batch."""
        if self.steps_per_epoch is None or self.position >= self.batches.steps:
            order = permutation(self.batches.n, self.batches.batch_size, self.shuffle)
            self.order = jax.device_put(order.astype(np.int32))
            self.position = 0
        first, last = self.position, min(self.position + self.steps, self.batches.steps)
        while self.position < last:
            start, stop = self.position, min(self.position + (1 if self.every_batch else self.chunk), last)
            self.hooks.on_train_batch_begin(start - first)
            seconds = self._train(start, stop)
            self.position = stop
            logs = _floats(self.model.get_metrics_result()) if self.wants_logs else {}
            self.hooks.on_train_batch_end(stop - first - 1, logs)
            if self.on_event:
                images = min(stop * self.batches.batch_size, self.batches.n) - start * self.batches.batch_size
                self.on_event(Progress(epoch, stop - first, last - first, logs, images / seconds))
            if self.model.stop_training:
                break
        return self.position == last

    def _train(self, start: int, stop: int) -> float:
        """Train on the batches from `start` up to `stop`; return the seconds, and choose the next chunk by them."""
        before = time.perf_counter()
        state = self.program(get_state(self.model, "train"), self.data, self.order, np.int32(start), np.int32(stop))
        set_state(self.model, "train", jax.block_until_ready(state))
        seconds = time.perf_counter() - before
        wanted = SECONDS_BETWEEN_EVENTS if self.on_event else SECONDS_BETWEEN_CHECKS
        self.chunk = max(1, min(int((stop - start) * wanted / seconds), 8 * self.chunk))
        return seconds


def _evaluate(model: keras.Model, data: Batches, hooks: keras.callbacks.CallbackList) -> dict[str, float]:
    hooks.on_test_begin()
    model.reset_metrics()
    every_batch = any(_has_hooks(callback, "test") for callback in hooks.callbacks)
    done = 0
    for piece in data.pieces():
        program = loop_program(model, "test", get_state(model, "test"), piece)
        arrays, order = jax.device_put((piece.data, np.arange(piece.n, dtype=np.int32)))
        for start in range(0, piece.steps, 1 if every_batch else piece.steps):
            stop = start + 1 if every_batch else piece.steps
            hooks.on_test_batch_begin(done + start)
            state = program(get_state(model, "test"), arrays, order, np.int32(start), np.int32(stop))
            set_state(model, "test", state)
            hooks.on_test_batch_end(done + stop - 1, _floats(model.get_metrics_result()) if every_batch else {})
        done += piece.steps
    logs = _floats(model.get_metrics_result())
    hooks.on_test_end(logs)
    return logs


def _build(model: keras.Model, data: Batches) -> bool:
    """Create the variables of model, optimizer and metrics where they are missing; tell if the model had none yet."""
    parts = [*model._flatten_layers(), model._compile_metrics, model._compile_loss]
    fresh = not all(part.built for part in parts if part is not None)
    # Keras has no public way to build metrics from shapes alone; without it, the state would change after a step.
    model._symbolic_build(data_batch=(*data.example(), None, None)[:3])
    return fresh


def _has_hooks(callback: keras.callbacks.Callback, kind: Literal["train", "test"]) -> bool:
    """Tell whether a callback wants to hear of every batch."""
    if isinstance(callback, (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)):
        return kind == "train" and callback.save_freq != "epoch"  # else their batch hooks do nothing
    if isinstance(callback, keras.callbacks.ProgbarLogger):
        return False  # it draws as well after many batches as after each
    names = [f"on_{kind}_batch_begin", f"on_{kind}_batch_end"]
    if kind == "train":
        names += ["on_batch_begin", "on_batch_end"]
    return any(
        name in vars(callback) or getattr(type(callback), name) is not getattr(keras.callbacks.Callback, name)
        for name in names
    )


def _is_due(epoch: int, validation_freq: int | list[int]) -> bool:
    return (epoch + 1) % validation_freq == 0 if isinstance(validation_freq, int) else epoch + 1 in validation_freq


def _floats(logs: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}
