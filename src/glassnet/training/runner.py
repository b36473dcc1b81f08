"""train: a recipe or a Keras model of one's own becomes a run."""

import datetime
import importlib.metadata
import math
import platform
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Unpack

from glassnet import datasets, photos, recipes
from glassnet.atomic import check_free
from glassnet.datasets import Dataset
from glassnet.errors import DivergedError, InputError
from glassnet.recipes import Recipe, Settings
from glassnet.runs import Interruption, Passport, Run, Seconds, is_run
from glassnet.training.events import EpochEnded, Event, Listener, Progress, TrainingStarted

if TYPE_CHECKING:
    import keras


def train(
    recipe: "str | Recipe | keras.Model",
    data: str | Dataset | None = None,
    *,
    seed: int = 0,
    out: str | Path | None = None,
    replace: bool = False,
    on_event: Listener | None = None,
    **settings: Unpack[Settings],
) -> Run:
    """Train a network, measure it on the test images, and return the run.

    Ctrl-C stops training and keeps what was learned: the run then says where it was interrupted.

    Args:
        recipe: the name of a recipe, a recipe, or a Keras model of one's own (it is trained in place; if it is not
            compiled, it gets Adam and the cross-entropy that fits its output).
        data: name or data set; the recipe's own if None.
        seed: of the random start and of the order of the images. Equal seeds give equal bits on one machine.
        out: folder to write the run to; None keeps it in memory (see `Run.save`).
        replace: an existing run at `out` is replaced, once the new one is complete.
        on_event: is called with every event of training.
        **settings: what to change in the recipe (see `glassnet.recipes.Settings`).

    Raises:
        InputError: a name, a setting, data or a place that cannot work.
        DivergedError: the loss is no longer a number.

    Example:
        >>> import glassnet
        >>> run = glassnet.train("digits-32", epochs=1, seed=7)
        >>> run.passport.test_accuracy > 0.9
        True
    """
    start = time.perf_counter()
    plan = _planned(recipe, settings)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise InputError(f"seed is {seed!r}; it must be a whole number from 0 to {2**32 - 1}")
    if out is not None and not (replace and is_run(Path(out))):
        check_free(Path(out))
    before = time.perf_counter()
    data = _data(data, plan)
    load_seconds = time.perf_counter() - before
    if plan.batch_size > len(data.train):
        raise InputError(
            f"batch size is {plan.batch_size}, but there are only {len(data.train)} training images; "
            f"choose at most {len(data.train)}"
        )

    # Here and not at the top: importing Keras takes longer than refusing a wrong argument should.
    imported_before = "keras" in sys.modules
    from glassnet import _keras
    from glassnet.evaluation import measure
    from glassnet.network import gives_probabilities
    from glassnet.training.trainer import fit

    before = time.perf_counter()
    watch = _Watch(on_event)
    with _keras.seeded(seed):
        model = plan.build(data.image_shape, len(data.classes)) if isinstance(recipe, (str, Recipe)) else recipe
        _prepare_own(model, data) if model is recipe else None
        with _stopped_by_ctrl_c(model, watch):
            history = fit(
                model,
                data.train.images,
                data.train.labels,
                batch_size=plan.batch_size,
                epochs=plan.epochs,
                validation_data=(data.test.images, data.test.labels) if plan.validation else None,
                on_event=watch,
            ).history
    train_seconds = time.perf_counter() - before - watch.compile_seconds

    before = time.perf_counter()
    test_loss, test_accuracy = measure(model, data.test)
    now = time.perf_counter()
    passport = Passport(
        run="",
        recipe=plan.name,
        settings=plan.settings() if model is not recipe else _own_settings(model, plan),
        dataset=data.name,
        dataset_sha256=data.sha256,
        classes=data.classes,
        image_shape=data.image_shape,
        subject_size=photos.subject_size(data.train.images),
        outputs="probabilities" if gives_probabilities(model) else "logits",
        parameters=model.count_params(),
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        seed=seed,
        device=_keras.device(),
        history={name: values[: watch.complete_epochs] for name, values in sorted(history.items(), key=_loss_first)},
        interrupted=watch.interruption(),
        train_accuracy=watch.logs.get("accuracy"),
        test_loss=test_loss,
        test_accuracy=test_accuracy,
        n_test=len(data.test),
        seconds=Seconds(
            **{"import": _keras.IMPORT_SECONDS},
            load=load_seconds,
            compile=watch.compile_seconds,
            train=train_seconds,
            evaluate=now - before,
            total=now - start + (_keras.IMPORT_SECONDS if imported_before else 0),
        ),
        versions=versions(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    run = Run(model, passport, data=data)
    return run if out is None else run.save(out, replace=replace)


def versions() -> dict[str, str]:
    """Return the versions of everything that decides about the numbers."""
    packages = ("glassnet", "keras", "jax", "jaxlib", "numpy")
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages}


def _planned(recipe: "str | Recipe | keras.Model", settings: Settings) -> Recipe:
    """Return the recipe with the changes; for a model of one's own, a recipe that only says how to train it."""
    if isinstance(recipe, str):
        recipe = recipes.find(recipe)
    if isinstance(recipe, Recipe):
        return recipe.changed(**settings)
    if not hasattr(recipe, "train_step"):
        raise InputError(
            f"cannot train {recipe!r}; pass a Keras model, a Recipe or the name of one: {', '.join(recipes.RECIPES)}"
        )
    allowed = ("epochs", "batch_size", "validation")
    if wrong := [name for name in settings if name not in allowed]:
        raise InputError(f"{wrong[0]} cannot be changed in a model of your own; build and compile the model with it")
    return Recipe(name=recipe.name, about="A model of the user's own.", dataset="", expected=(0.0, 100.0)).changed(
        **settings
    )


def _data(data: str | Dataset | None, plan: Recipe) -> Dataset:
    if isinstance(data, Dataset):
        return data
    name = data or plan.dataset
    if not name:
        raise InputError(f"say what to train {plan.name!r} on: data={' or '.join(map(repr, datasets.EMBEDDED))}")
    return datasets.load(name)


def _prepare_own(model: "keras.Model", data: Dataset) -> None:
    """Build and compile a user's model where that is missing, and refuse one that does not fit the data."""
    from glassnet._keras import keras
    from glassnet.network import gives_probabilities

    if not model.built:
        model.build((None, *data.image_shape))
    shape, classes = tuple(model.input_shape[1:]), model.output_shape[-1]
    if shape != data.image_shape or classes != len(data.classes):
        raise InputError(
            f"the model takes images of shape {shape} and has {classes} outputs; {data.name} has images of shape "
            f"{data.image_shape} and {len(data.classes)} classes: change the model's Input or its last layer"
        )
    if not model.compiled:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=not gives_probabilities(model))
        model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    loss = model.loss if isinstance(model.loss, str) else getattr(model.loss, "name", "")
    if loss == "categorical_crossentropy":
        raise InputError(
            "the model's loss categorical_crossentropy wants one-hot labels, but labels here are class numbers; "
            "compile it with loss='sparse_categorical_crossentropy'"
        )


def _own_settings(model: "keras.Model", plan: Recipe) -> dict[str, Any]:
    return {
        "optimizer": model.optimizer.name,
        "learning_rate": float(model.optimizer.learning_rate),
        "epochs": plan.epochs,
        "batch_size": plan.batch_size,
        "validation": plan.validation,
    }


def _loss_first(item: tuple[str, Any]) -> tuple[bool, bool]:
    name = item[0]
    return name.startswith("val_"), not name.endswith("loss")


class _Watch:
    """Listens to training: keeps what the passport needs, and ends a training that has diverged."""

    def __init__(self, listener: Listener | None) -> None:
        self.listener = listener
        self.compile_seconds = 0.0
        self.complete_epochs = 0
        self.logs: dict[str, float] = {}
        self.last: Progress | None = None
        self.stopped = False

    def __call__(self, event: Event) -> None:
        if isinstance(event, TrainingStarted):
            self.compile_seconds = event.compile_seconds
        else:
            self.logs = event.logs
            if not math.isfinite(event.logs["loss"]):
                raise DivergedError(
                    f"training diverged in epoch {event.epoch + 1}: the loss is {event.logs['loss']}; likely causes: a "
                    "learning rate that is too large, pixels that are not scaled, or bad values in the data"
                )
        if isinstance(event, Progress):
            self.last = event
        if isinstance(event, EpochEnded) and event.complete:
            self.complete_epochs += 1
        if self.listener:
            self.listener(event)

    def interruption(self) -> Interruption | None:
        """Where training was stopped, if it was."""
        if not self.stopped or self.last is None:
            return None
        return Interruption(epoch=self.last.epoch + 1, step=self.last.step, steps=self.last.steps)


@contextmanager
def _stopped_by_ctrl_c(model: "keras.Model", watch: _Watch) -> Iterator[None]:
    """Inside, Ctrl-C ends training after the running chunk, with the weights of that moment.

    The second Ctrl-C interrupts at once. Only the main thread of a program can listen for it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        watch.stopped = model.stop_training = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
