"""Run: a trained network with its passport, in memory and as a folder.

runs/NAME/
  model.keras       the network, loads in plain Keras
  run.json          the passport: data set and its hash, classes, settings, seed, versions, device, metrics
  history.csv       loss and metrics of every epoch
  snapshots.npz     weights of moments during the training, where they were asked for
  *.png             pictures: curves, first predictions, the network
"""

import csv
import hashlib
import importlib.metadata
import io
import platform
import shutil
import zipfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glassnet import datasets
from glassnet.atomic import new_folder
from glassnet.datasets import Dataset
from glassnet.errors import InputError, RunError
from glassnet.paths import exists, is_file

if TYPE_CHECKING:
    import keras

    from glassnet.confidence import Assurance
    from glassnet.training.snapshots import Snapshots

MODEL, PASSPORT, HISTORY, SNAPSHOTS = "model.keras", "run.json", "history.csv", "snapshots.npz"
ASSURANCE = "assurance.npz"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, protected_namespaces=())


class Seconds(_Record):
    """How long each part took, in seconds."""

    import_: float = Field(alias="import", description="JAX and Keras")
    load: float = Field(description="the data set")
    compile: float = Field(description="tracing and compiling the training loop")
    train: float = Field(description="all epochs with their validation, without compiling")
    evaluate: float = Field(description="the test images, once")
    total: float = Field(description="all parts and what lies between them, with the import")


class Interruption(_Record):
    """Where training was stopped before its end: by Ctrl-C, by steering or by a listener."""

    epoch: int = Field(description="the epoch that was running, from 1")
    step: int = Field(description="batches that it had done")
    steps: int = Field(description="batches that it would have had")


class SourceFacts(_Record):
    """Where a data set of the user's own came from, and how its images were made."""

    path: str = Field(description='folder or file, as it was given; "" for arrays from Python')
    form: str = Field(description="what it was recognised as")
    preparation: dict[str, Any] = Field(description="see glassnet.datasets.Preparation; everything is chosen")
    problems: int = Field(description="pictures that could not be used")


class Passport(_Record):
    """Everything that is known about a run, as it stands in run.json."""

    format: Literal[1] = 1
    run: str = Field(description="its folder")
    recipe: str = Field(description="the recipe, or the name of the user's own model")
    settings: dict[str, Any] = Field(description="every setting that it was trained with")
    dataset: str
    dataset_sha256: str = Field(description="SHA-256 over the SHA-256 of the four IDX files of the data set")
    source: SourceFacts | None = Field(default=None, description="null for the data sets of the package")
    classes: tuple[str, ...] = Field(description="label k is classes[k]")
    class_counts: dict[str, tuple[int, ...]] = Field(default={}, description="images of each class, by split")
    image_shape: tuple[int, ...] = Field(description="height, width, and channels where there are any")
    subject_size: int = Field(description="longest side of the subject in the training images, in pixels (median)")
    data_facts: dict[str, Any] | None = Field(
        default=None, description="what photos have to become, see glassnet.photos.DataFacts; null in older runs"
    )
    outputs: Literal["probabilities", "logits"] = Field(description="what the network itself gives")
    parameters: int
    epochs: int = Field(description="epochs asked for")
    batch_size: int
    seed: int
    device: str
    history: dict[str, list[float]] = Field(description="one value per complete epoch; metrics of several are left out")
    interrupted: Interruption | None = Field(default=None, description="null if training went to its end")
    learning_rates: tuple[tuple[int, float], ...] = Field(default=(), description="(batches done, rate) set by hand")
    train_accuracy: float | None = Field(description="of the last epoch, while it learned")
    test_loss: float
    test_accuracy: float
    n_test: int = Field(description="test images")
    seconds: Seconds
    versions: dict[str, str]
    created: str = Field(description="when, ISO 8601 in UTC")
    model_sha256: str = Field(default="", description="of model.keras")


@dataclass(frozen=True, eq=False)
class Run:
    """A trained network and its passport.

    Args:
        model: the plain Keras model.
        passport: how it came about, and how well it does.
        path: its folder; None as long as it is only in memory.
        data: the data set, where it is at hand.
        snapshots: moments of its training, after a training that kept them; those of a run folder stay in their file
            (see `glassnet.replay`).
        held_out: what held-out images say about it, after a training that held some out; that of a run folder stays in
            its file (see `assurance`).
    """

    model: "keras.Model"
    passport: Passport
    path: Path | None = None
    data: Dataset | None = None
    snapshots: "Snapshots | None" = None
    held_out: "Assurance | None" = None

    @cached_property
    def assurance(self) -> "Assurance | None":
        """How far the network can be trusted; None where no images were held out from its training.

        Raises:
            RunError: the file is damaged.
        """
        if self.held_out is None and self.path and (self.path / ASSURANCE).is_file():
            from glassnet.confidence import read_assurance

            return read_assurance(self.path / ASSURANCE)
        return self.held_out

    def dataset(self) -> Dataset:
        """Return the data set that this run was trained on.

        Raises:
            InputError: it is not at hand, or is another one of the same name.
        """
        if self.data is not None:
            return self.data
        source = self.passport.source
        if source is None and self.passport.dataset not in {**datasets.EMBEDDED, **datasets.PUBLISHED}:
            raise InputError(
                f"the data set {self.passport.dataset!r} of {self.path} is none that glassnet knows; "
                "load it and pass it as data"
            )
        data = datasets.load_again(source.model_dump()) if source else datasets.load(self.passport.dataset)
        if data.sha256 != self.passport.dataset_sha256:
            raise InputError(
                f"{self.path} was trained on another {data.name} (SHA-256 {self.passport.dataset_sha256[:12]}…) than "
                f"the one at hand ({data.sha256[:12]}…); "
                + (f"{source.path} has changed since: " if source else "")
                + "pass the data set that belongs to it"
            )
        return data

    def save(self, path: str | Path, *, replace: bool = False) -> "Run":
        """Write the run folder, all of it or nothing; return the run with its path.

        Args:
            path: the new folder.
            replace: an existing run there is replaced.

        Raises:
            OutputError: the place is taken or cannot be written.
        """
        from glassnet.figures.run import draw_run

        path = Path(path)
        with new_folder(path, replace=replace and is_run(path)) as folder:
            self.model.save(folder / MODEL)
            saved = self._with(path=path, model_sha256=_sha256(folder / MODEL), **self._data_facts())
            (folder / PASSPORT).write_text(saved.passport.model_dump_json(by_alias=True, indent=2) + "\n", "utf-8")
            (folder / HISTORY).write_text(_history_csv(self.passport.history), "utf-8")
            if self.snapshots:
                self.snapshots.write(folder / SNAPSHOTS)
            elif self.path and (self.path / SNAPSHOTS).is_file():
                shutil.copyfile(self.path / SNAPSHOTS, folder / SNAPSHOTS)
            if self.assurance:
                self.assurance.write(folder / ASSURANCE)
            draw_run(saved, folder)
        return saved

    def _data_facts(self) -> dict[str, Any]:
        """Return what the folder must say of the data set, which in memory is at hand itself."""
        if self.data is None:
            return {}
        counts = {
            split.name: tuple(np.bincount(split.labels, minlength=len(self.data.classes)).tolist())
            for split in self.data.splits
        }
        if self.data.source is None:
            return {"class_counts": counts}
        source = self.data.source
        facts = SourceFacts(
            path=source.path,
            form=source.form,
            preparation=source.preparation.record(),
            problems=source.left_out,
        )
        return {"class_counts": counts, "source": facts}

    def _with(self, path: Path, **facts: Any) -> "Run":
        return replace(self, path=path, passport=self.passport.model_copy(update={"run": str(path), **facts}))


def open_run(path: str | Path) -> Run:
    """Read a run folder.

    Args:
        path: what `glassnet train` wrote.

    Raises:
        RunError: the folder is no run, or its model is damaged or belongs to another run.
    """
    path = Path(path)
    passport = read_passport(path)
    model_file = path / MODEL
    if not model_file.is_file():
        raise RunError(f"{path} has no {MODEL}; train again, or restore the file")
    if not zipfile.is_zipfile(model_file):
        raise RunError(f"{model_file} is truncated or is no Keras model; train again, or restore the file")
    if passport.model_sha256 and _sha256(model_file) != passport.model_sha256:
        raise RunError(
            f"{model_file} is not the model that {path / PASSPORT} describes; restore the file or train again"
        )

    from glassnet._keras import keras

    try:
        model = keras.saving.load_model(model_file, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for files that are not what they seem
        reason = str(error).strip().split("\n")[0]
        raise RunError(f"{model_file} does not load as a Keras model ({reason}); train again") from error
    return Run(model=model, passport=passport, path=path)


def read_passport(path: Path) -> Passport:
    """Read run.json of a run folder, without loading the model.

    Raises:
        RunError: the folder is no run.
    """
    if not exists(path):
        known = sorted(str(one) for one in path.parent.glob("[!.]*") if is_run(one)) if path.parent.is_dir() else []
        hint = f"there are {', '.join(known[:5])}" if known else "train one first: glassnet train baseline"
        raise RunError(f"no run at {path}; {hint}")
    if not is_run(path):
        raise RunError(f"{path} is no run: it has no {PASSPORT}; name a folder that glassnet train wrote")
    try:
        passport = Passport.model_validate_json((path / PASSPORT).read_bytes())
    except (ValidationError, OSError) as error:
        reason = str(error).strip().split("\n")[0]
        raise RunError(f"{path / PASSPORT} cannot be read ({reason}); restore the file or train again") from error
    return passport.model_copy(update={"run": str(path)})


def is_run(path: Path) -> bool:
    """Tell whether the folder is one that `Run.save` wrote."""
    return is_file(path / PASSPORT)


def fingerprint(path: Path) -> str:
    """Return what tells a run folder from every other one, even of the same recipe and seed; "" if it is no run."""
    return _sha256(path / PASSPORT) if is_run(path) else ""


def free_name(recipe: str, folder: Path = Path("runs")) -> Path:
    """Return `runs/RECIPE`, or the first of `runs/RECIPE-2`, `-3`, … that does not exist."""
    path, number = folder / recipe, 1
    while path.exists() or unfinished_of(path).exists():
        number += 1
        path = folder / f"{recipe}-{number}"
    return path


def unfinished_of(out: Path) -> Path:
    """Return where a training keeps its checkpoints until the run folder `out` is complete.

    Raises:
        InputError: `out` has no name of its own, as "." and "..".
    """
    if out.name in ("", ".."):
        raise InputError(f"{out} is the folder that you are in, or around it; name one in it, such as {out / 'first'}")
    return out.with_name(f"{out.name}.unfinished")


def versions() -> dict[str, str]:
    """Return the versions of everything that decides about the numbers."""
    packages = ("glassnet", "keras", "jax", "jaxlib", "numpy")
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages}


def _history_csv(history: dict[str, list[float]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *history])
    writer.writerows([epoch, *values] for epoch, values in enumerate(zip(*history.values(), strict=True), 1))
    return text.getvalue()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
