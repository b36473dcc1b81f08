"""Job: one network on its way from a recipe to a run."""

import datetime
import math
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

from glassnet import photos
from glassnet.datasets import Dataset, Split
from glassnet.first_filters import start_at_principal
from glassnet.recipes import Recipe
from glassnet.runs import Passport, Run, Seconds, versions
from glassnet.training.events import Listener
from glassnet.training.watch import Watch, check_converged, stopped_by_ctrl_c

if TYPE_CHECKING:
    import keras
    import numpy as np

    from glassnet.confidence import Assurance
    from glassnet.training.snapshots import Recorder


class NoAssuranceWarning(UserWarning):
    """What held-out images say of a network could not be learned; its run does not say how sure it is."""


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
        import numpy as np

        from glassnet import _keras
        from glassnet.training.checks import check_own

        # Rows, and not the images themselves: those may lie in a file that is larger than memory.
        self.held_out = held_out_rows(data, self.plan.held_out)
        self.learned = np.flatnonzero(~self.held_out)
        if self.own is None:
            with _keras.seeded(self.seed):
                self.model = self.plan.build(data.image_shape, len(data.classes), examples=len(self.learned))
            if self.plan.principal:
                start_at_principal(self.model, data.train.images, self.learned, self.plan.members)
            self.settings = self.plan.settings()
        else:
            self.model = self.own
            check_own(self.model, data)
            self.settings = _own_settings(self.own, self.plan)
        self.watch = Watch(self.model, on_event)

    def fit(self, data: Dataset, arrays: Any = None, **options: Any) -> None:
        """Train it; on these images and labels, if they are given, which are what it learns from."""
        import numpy as np

        from glassnet.training.trainer import fit

        before = time.perf_counter()
        measured = data.validation or data.test
        images, labels = arrays or (data.train.images, data.train.labels)
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
            rows=None if len(images) == len(self.learned) else self.learned,
            rng=np.random.RandomState(self.seed),
            **options,
        ).history
        self.train_seconds = time.perf_counter() - before - self.watch.compile_seconds

    def finish(self, data: Dataset) -> Run:
        """Join it with its mirror image, if it is to be; measure it on the test images and write its passport.

        Raises:
            DivergedError: the last steps made it give what is no number.
        """
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
        check_converged("at its end: the loss on the test images", test_loss)
        outputs = "probabilities" if gives_probabilities(self.model) else "logits"
        assurance = self._assurance(data, outputs)
        history = _kept(self.history, self.watch.complete_epochs)
        last = self.watch.logs or {name: values[-1] for name, values in history.items() if values}
        passport = Passport(
            run="",
            recipe=self.plan.name,
            settings=self.settings,
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
            learning_rates=self.watch.learning_rates(),
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

    def _assurance(self, data: Dataset, outputs: str) -> "Assurance | None":
        """Learn from the images that were held out how far the network can be trusted."""
        from glassnet.confidence.assurance import LEAST_IMAGES, fit_assurance, spacing

        learned, held_out = data.train, data.validation
        if held_out is None:
            held_out = _part(data.train, self.held_out)
        if len(held_out) < LEAST_IMAGES:
            return None
        try:
            if len(self.learned) < len(data.train):
                learned = _part(data.train, self.learned[:: spacing(self.model, len(self.learned))])
            return fit_assurance(self.model, outputs, learned, held_out)
        except (ValueError, TypeError, AttributeError) as error:  # what Keras raises for networks of unusual forms
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            text = f"how sure the network may be could not be learned ({reason}); the run says nothing about it"
            warnings.warn(text, NoAssuranceWarning, stacklevel=2)
            return None

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

    The latter are the data set's validation part where it has one, else what `held_out_rows` chooses; or none.
    """
    chosen = held_out_rows(data, share)
    if not chosen.any():
        return data.train, data.validation
    return _part(data.train, ~chosen), _part(data.train, chosen)


def held_out_rows(data: Dataset, share: float) -> "np.ndarray":
    """Choose the training images to judge a network by, `bool (n,)`: that share of every class, the same for all seeds.

    They are chosen at random; a class keeps one image at least to learn from. Where the data set has a validation part,
    or where they would be too few to say anything, none are.
    """
    import numpy as np

    from glassnet.confidence.assurance import LEAST_IMAGES

    generator = np.random.default_rng(0)
    chosen = np.zeros(len(data.train), bool)
    if data.validation is not None or not share:
        return chosen
    for label in range(len(data.classes)):
        members = np.flatnonzero(data.train.labels == label)
        count = min(round(share * len(members)), max(0, len(members) - 1))
        chosen[generator.permutation(members)[:count]] = True
    return chosen if chosen.sum() >= LEAST_IMAGES else np.zeros_like(chosen)


def _part(split: Split, rows: "np.ndarray") -> Split:
    """Return some images of a split."""
    return Split(split.name, split.images[rows], split.labels[rows])


def _own_settings(model: "keras.Model", plan: Recipe) -> dict[str, Any]:
    return {
        "optimizer": model.optimizer.name,
        "learning_rate": float(model.optimizer.learning_rate),
        "epochs": plan.epochs,
        "batch_size": plan.batch_size,
        "validation": plan.validation,
    }


def _kept(history: dict[str, list[Any]], complete_epochs: int) -> dict[str, list[float]]:
    """Return what a passport keeps of a history: of complete epochs, and of metrics that are one finite number."""
    import numpy as np

    kept = {name: values[:complete_epochs] for name, values in sorted(history.items(), key=_loss_first)}
    return {name: values for name, values in kept.items() if np.ndim(values) == 1 and np.isfinite(values).all()}


def _loss_first(item: tuple[str, Any]) -> tuple[bool, bool]:
    name = item[0]
    return name.startswith("val_"), not name.endswith("loss")
