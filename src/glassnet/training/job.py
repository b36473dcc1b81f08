"""Job: one network on its way from a recipe to a run."""

import datetime
import math
import sys
import time
from typing import TYPE_CHECKING, Any

from glassnet import photos
from glassnet.datasets import Dataset, Split
from glassnet.errors import InputError
from glassnet.first_filters import start_at_principal
from glassnet.recipes import Recipe
from glassnet.runs import Passport, Run, Seconds, versions
from glassnet.training.events import Listener
from glassnet.training.watch import Watch, stopped_by_ctrl_c

if TYPE_CHECKING:
    import keras

    from glassnet.confidence import Assurance
    from glassnet.training.snapshots import Recorder


class Job:
    """One network on its way from a recipe to a run.

    Args:
        plan: the recipe; for a model of one's own, only how to train it.
        own: a model of one's own.
        seed: of the start and the order.
        start: when the call began.
        load_seconds: how long the data took.
    """

    def __init__(self, plan: Recipe, own: "keras.Model | None", seed: int, start: float, load_seconds: float) -> None:
        self.plan, self.own, self.seed = plan, own, seed
        self.start, self.load_seconds = start, load_seconds
        self.imported_before = "keras" in sys.modules
        self.recorder: Recorder | None = None

    def run(self, data: Dataset, on_event: Listener | None, *, snapshots: bool = False, **options: Any) -> Run:
        """Do it all, keeping snapshots if wanted; the options are those of `fit`."""
        self.prepare(data, on_event)
        if snapshots:
            self._record(options)
        with stopped_by_ctrl_c([self.watch]):
            self.fit(data, **options)
        return self.finish(data)

    def prepare(self, data: Dataset, on_event: Listener | None) -> None:
        """Build the network."""
        # Here and not at the top: importing Keras takes longer than refusing a wrong argument should.
        from glassnet import _keras

        self.learned, self.held_out = hold_out(data, self.plan.held_out)
        if self.own is None:
            with _keras.seeded(self.seed):
                self.model = self.plan.build(data.image_shape, len(data.classes), examples=len(self.learned))
            if self.plan.principal:
                start_at_principal(self.model, self.learned.images)
        else:
            self.model = self.own
            _check_own(self.model, data)
        self.watch = Watch(self.model, on_event)

    def fit(self, data: Dataset, arrays: Any = None, **options: Any) -> None:
        """Train it."""
        import numpy as np

        from glassnet.training.trainer import fit

        before = time.perf_counter()
        measured = data.validation or data.test
        images, labels = arrays or (self.learned.images, self.learned.labels)
        self.history = fit(
            self.model,
            images,
            labels,
            batch_size=self.plan.batch_size,
            epochs=self.plan.epochs,
            validation_data=(measured.images, measured.labels) if self.plan.validation else None,
            on_event=self.watch,
            augmentation=self.plan.augmentation if self.plan.augmentation.any else None,
            label_smoothing=self.plan.label_smoothing,
            members=self.plan.members,
            rng=np.random.RandomState(self.seed),
            **options,
        ).history
        self.train_seconds = time.perf_counter() - before - self.watch.compile_seconds

    def finish(self, data: Dataset) -> Run:
        """Join it with its mirror image, if it is to be; measure it on the test images and write its passport."""
        from glassnet import _keras
        from glassnet.evaluation import measure
        from glassnet.mirroring import joined
        from glassnet.network import gives_probabilities

        snapshots = self.recorder.finish(self.model) if self.recorder else None
        if self.plan.both_ways:
            self.model = joined(self.model)
        before = time.perf_counter()
        test_loss, test_accuracy = measure(self.model, data.test)
        evaluate_seconds = time.perf_counter() - before
        outputs = "probabilities" if gives_probabilities(self.model) else "logits"
        assurance = self._assurance(outputs)
        history = _kept(self.history, self.watch.complete_epochs)
        last = self.watch.logs or {name: values[-1] for name, values in history.items() if values}
        passport = Passport(
            run="",
            recipe=self.plan.name,
            settings=self.plan.settings() if self.own is None else _own_settings(self.own, self.plan),
            dataset=data.name,
            dataset_sha256=data.sha256,
            classes=data.classes,
            image_shape=data.image_shape,
            subject_size=photos.subject_size(data.train.images),
            data_facts=photos.kept_facts(data).record(),
            outputs=outputs,
            parameters=self.model.count_params(),
            epochs=self.plan.epochs,
            batch_size=self.plan.batch_size,
            seed=self.seed,
            device=_keras.device(),
            history=history,
            interrupted=self.watch.interruption(),
            train_accuracy=last.get("accuracy"),
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            n_test=len(data.test),
            seconds=Seconds(
                **{"import": _keras.IMPORT_SECONDS},
                load=self.load_seconds,
                compile=self.watch.compile_seconds,
                train=self.train_seconds,
                evaluate=evaluate_seconds,
                total=time.perf_counter() - self.start + (_keras.IMPORT_SECONDS if self.imported_before else 0),
            ),
            versions=versions(),
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )
        return Run(self.model, passport, data=data, snapshots=snapshots, held_out=assurance)

    def _assurance(self, outputs: str) -> "Assurance | None":
        """Learn from the images that were held out how far the network can be trusted."""
        from glassnet.confidence.assurance import LEAST_IMAGES, fit_assurance

        if self.held_out is None or len(self.held_out) < LEAST_IMAGES:
            return None
        return fit_assurance(self.model, outputs, self.learned, self.held_out)

    def _record(self, options: dict[str, Any]) -> None:
        """Put a recorder between training and its steering."""
        from glassnet.training.snapshots import Recorder

        steps = math.ceil(len(self.learned) / self.plan.batch_size)
        steering, checkpoints = options.get("steering"), options.get("checkpoints")
        folder = checkpoints.folder if checkpoints else None
        self.recorder = Recorder(self.model, steps=steps, epochs=self.plan.epochs, steering=steering, folder=folder)
        options["steering"] = self.recorder


def hold_out(data: Dataset, share: float) -> tuple[Split, Split | None]:
    """Divide the training images into those to learn from and those to judge the network by.

    The latter are the data set's validation part where it has one, else that share of every class, at random but the
    same for every seed. With a share of 0, and without a validation part, there are none.
    """
    import numpy as np

    if data.validation is not None:
        return data.train, data.validation
    generator = np.random.default_rng(0)
    chosen = np.zeros(len(data.train), bool)
    for label in range(len(data.classes)):
        members = np.flatnonzero(data.train.labels == label)
        chosen[generator.permutation(members)[: round(share * len(members))]] = True
    if not chosen.any():
        return data.train, None
    images, labels = data.train.images, data.train.labels
    return Split("train", images[~chosen], labels[~chosen]), Split("validation", images[chosen], labels[chosen])


def _check_own(model: "keras.Model", data: Dataset) -> None:
    """Build and compile a user's model where that is missing, and refuse one that does not fit the data."""
    from glassnet._keras import keras
    from glassnet.network import gives_probabilities, loss_name

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
    if loss_name(model) == "categorical_crossentropy":
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


def _kept(history: dict[str, list[Any]], complete_epochs: int | None) -> dict[str, list[float]]:
    """Return what a passport keeps of a history: of complete epochs, and of metrics that are one number."""
    import numpy as np

    named = sorted(history.items(), key=_loss_first)
    return {name: values[:complete_epochs] for name, values in named if np.ndim(values) == 1}


def _loss_first(item: tuple[str, Any]) -> tuple[bool, bool]:
    name = item[0]
    return name.startswith("val_"), not name.endswith("loss")
