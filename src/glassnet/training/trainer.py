"""fit: what `keras.Model.fit` computes, in compiled chunks of many batches.

The data sits on the device as it is (pixels stay bytes; data larger than memory passes in windows), the host draws the
order, and one call trains on as many batches as fit between two events. Callbacks, validation and histories mean what
they mean in Keras: with the same seed, `fit` leaves the weights that `model.fit` leaves.
"""

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import jax
import numpy as np

from glassnet._keras import keras, seeded
from glassnet.augmentation import Augmentation
from glassnet.errors import InputError
from glassnet.training.batches import batches, class_weight_to_sample_weight, permutation, split_tail
from glassnet.training.checkpoints import Checkpoints
from glassnet.training.checks import check_compiled, check_labels, check_shapes, check_values
from glassnet.training.epochs import Epochs
from glassnet.training.events import EpochEnded, Listener, TrainingStarted
from glassnet.training.hooks import wants_batches
from glassnet.training.inference import floats, measure
from glassnet.training.members import check_members
from glassnet.training.programs import PLAIN, Extras
from glassnet.training.smoothing import check_smoothing
from glassnet.training.state import build, get_state
from glassnet.training.steering import Steering
from glassnet.training.streaming import feed
from glassnet.training.telling import Telling


class HandedToKerasWarning(UserWarning):
    """`fit` could not compile this training into chunks and left it to `keras.Model.fit`."""


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
    batch_hooks: Literal["batch", "chunk"] = "batch",
    on_event: Listener | None = None,
    steering: Steering | None = None,
    checkpoints: Checkpoints | None = None,
    augmentation: Augmentation | None = None,
    label_smoothing: float = 0.0,
    members: int = 1,
    memory_limit: int | None = None,
    rows: np.ndarray | None = None,
    rng: np.random.RandomState | None = None,
) -> keras.callbacks.History:
    """Train a compiled Keras model on arrays; the arguments are those of `keras.Model.fit`.

    The number of parameters is Keras's own: this is its `fit`, faster. What cannot be compiled into chunks (generators,
    `run_eagerly`, a `train_step` of one's own, distributions) is left to `model.fit`, with a warning: it tells
    its events, but has neither steering nor checkpoints.

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
        batch_hooks: callbacks with batch hooks hear of every "batch", exactly as in Keras, which costs most of the
            speed; or once per "chunk", with the number and logs of its last batch. Others cost nothing either way.
        on_event: is called with every event of `glassnet.training.events`, about ten times a second.
        steering: pauses, steps, slows down or ends the training from another thread.
        checkpoints: where to keep what the training needs to go on after it was killed; if there is a checkpoint
            already, the training goes on from it.
        augmentation: every image of a step is changed by this much at random, inside the compiled step.
        label_smoothing: the share of every label that goes to all classes alike while training; for class numbers and
            their cross-entropy. Evaluation does not know of it.
        members: networks side by side in the model, each a group of its convolutions, that learn each for itself (see
            `glassnet.training.members`); the model gives the mean of theirs.
        memory_limit: bytes of data from which on it is streamed instead of being on the device as a whole, with the
            same results; half of the memory that is available if None.
        rows: the numbers of the examples to train on, all if None (without `validation_split`): so a part of
            a mapped file is used, and no copy of it.
        rng: draws the orders; NumPy's global generator, as in Keras, if None.

    Returns:
        The History: `history.history` has a list for each metric, one value per epoch.

    Raises:
        InputError: a model that is not compiled, or arrays that do not fit it or each other.

    Example:
        >>> import glassnet
        >>> data = glassnet.load("mnist")
        >>> model = glassnet.recipes.find("digits-32").build((28, 28), 10)
        >>> history = glassnet.fit(model, data.train.images, data.train.labels, epochs=1)
        >>> history.history["accuracy"][0] > 0.8
        True
    """
    check_compiled(model)
    check_smoothing(model, label_smoothing)
    check_members(model, members)
    extras = Extras(augmentation, label_smoothing, members)
    if reason := _why_not(model, x, validation_data):
        if extras != PLAIN:
            wanted = next(name for name, one in extras._asdict().items() if one != getattr(PLAIN, name))
            raise InputError(f"{wanted} needs a training that can be compiled, but {reason}")
        wishes = {"pausing, steps and snapshots": steering, "checkpoints": checkpoints}
        lost = "".join(f", without {name}" for name, wish in wishes.items() if wish is not None)
        warnings.warn(f"training is left to keras.Model.fit{lost}: {reason}", HandedToKerasWarning, stacklevel=2)
        if rows is not None:
            x, y, sample_weight = jax.tree.map(lambda array: array[rows], (x, y, sample_weight))
        told = [Telling(on_event, initial_epoch, 0 if _iterated(x) else batch_size or 32)] if on_event else []
        try:
            with _drawing_from(rng):
                return model.fit(
                    x,
                    y,
                    batch_size=batch_size,
                    epochs=epochs,
                    verbose=verbose,  # pyright: ignore[reportArgumentType]  (Keras documents 0, 1, 2)
                    callbacks=[*told, *callbacks],
                    validation_split=validation_split,
                    validation_data=validation_data,
                    shuffle=False if _iterated(x) else shuffle,  # pyright: ignore[reportArgumentType]  (or "batch")
                    class_weight=class_weight,
                    sample_weight=sample_weight,
                    initial_epoch=initial_epoch,
                    steps_per_epoch=steps_per_epoch,
                    validation_batch_size=validation_batch_size,
                    validation_freq=validation_freq,  # pyright: ignore[reportArgumentType]  (or a list)
                )
        finally:
            if steering:
                steering.end(model)
    model.stop_training = False
    if class_weight is not None and sample_weight is not None:
        raise InputError("class_weight and sample_weight exclude each other; multiply them into sample_weight")
    if validation_split and validation_data is None:
        (x, y, sample_weight), validation_data = split_tail((x, y, sample_weight), validation_split)
    if class_weight is not None:  # after the split: Keras validates without them
        sample_weight = class_weight_to_sample_weight(y, class_weight)
    data = batches(x, y, sample_weight, batch_size=batch_size, steps=steps_per_epoch, rows=rows)
    check_shapes(model, data.example())
    check_values(data.data[0])
    check_labels(model, data.data[1] if len(data.data) > 1 else None)
    validation = None
    if validation_data is not None:
        validation = batches(*validation_data, batch_size=validation_batch_size or data.batch_size)

    rng = np.random.mtrand._rand if rng is None else rng
    if build(model, data.example()) and shuffle:
        # Keras, too, draws an order to look at the first batch; without it, equal seeds would not give equal runs.
        permutation(rng, data.n if shuffle is True else data.batch_size, data.batch_size, shuffle)
    source = feed(data, memory_limit)
    before = time.perf_counter()
    program = source.program(model, get_state(model, "train"), extras)
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
    training = Epochs(model, source, program, hooks, shuffle, steps_per_epoch, rng)
    training.on_event, training.steering, training.checkpoints = on_event, steering, checkpoints
    hooked = any(wants_batches(callback, "train") for callback in callbacks)
    training.every_batch = hooked and batch_hooks == "batch"
    training.wants_logs = hooked or verbose != 0 or on_event is not None
    logs: dict[str, Any] = {}
    hooks.on_train_begin()
    initial_epoch = getattr(model, "_initial_epoch", 0) or initial_epoch  # BackupAndRestore sets it
    if checkpoints and (place := checkpoints.restore(model, rng)):
        initial_epoch = training.go_on_from(place)
    if on_event:
        on_event(TrainingStarted(epochs, initial_epoch, training.steps, compile_seconds))
        for change in training.rates:  # before a kill
            on_event(change)
    try:
        for epoch in range(initial_epoch, epochs):
            started = time.perf_counter()
            hooks.on_epoch_begin(epoch)
            complete = training.run(epoch)
            logs = dict(model.get_metrics_result())
            if validation is not None and _is_due(epoch, validation_freq):
                logs |= {f"val_{name}": value for name, value in measure(model, validation, hooks).items()}
            hooks.on_epoch_end(epoch, logs)
            if checkpoints and complete:
                training.save(epoch + 1)
            if on_event:
                on_event(EpochEnded(epoch, floats(logs), time.perf_counter() - started, complete))
            if model.stop_training:
                break
        hooks.on_train_end(logs)
    finally:
        source.close()
        if epochs > 0:
            model.optimizer.finalize_variable_values(model.trainable_weights)
        if steering:
            steering.end(model)
    return model.history


def _why_not(model: keras.Model, x: Any, validation_data: Any) -> str | None:
    """Say why a training cannot be compiled into chunks; None if it can."""
    if model.run_eagerly:
        return "the model is compiled with run_eagerly=True"
    if type(model).train_step is not keras.Model.train_step or type(model).test_step is not keras.Model.test_step:
        return f"{type(model).__name__} has a train_step or test_step of its own"
    if keras.distribution.distribution() is not None:
        return "a Keras distribution is set"
    if _iterated(x):
        return f"x is a {type(x).__name__}, not an array"
    if validation_data is not None and not isinstance(validation_data, (tuple, list)):
        return f"validation_data is a {type(validation_data).__name__}, not (x, y)"
    return None


def _iterated(x: Any) -> bool:
    """Tell whether inputs come from something that is iterated over, and not from arrays."""
    parts = jax.tree.leaves(x) if isinstance(x, (list, tuple, dict)) else [x]
    return any(
        isinstance(part, keras.utils.PyDataset) or (hasattr(part, "__iter__") and not hasattr(part, "__array__"))
        for part in parts
    )


@contextmanager
def _drawing_from(rng: np.random.RandomState | None) -> Iterator[None]:
    """Inside, Keras draws its orders from this generator, and all else from what that was seeded with."""
    if rng is None:
        yield
        return
    state: Any = rng.get_state()
    with seeded(int(state[1][0])):
        np.random.set_state(state)
        yield
        rng.set_state(np.random.get_state())


def _is_due(epoch: int, validation_freq: int | list[int]) -> bool:
    return (epoch + 1) % validation_freq == 0 if isinstance(validation_freq, int) else epoch + 1 in validation_freq
