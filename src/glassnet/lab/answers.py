"""What the desk answers about runs; every function runs in the desk's process and gives plain values and arrays."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import GlassnetError, InputError, PhotoError
from glassnet.lab.sureness import Sureness, find_sureness
from glassnet.lab.weights import first_weights
from glassnet.recipes import Recipe

if TYPE_CHECKING:
    from glassnet.evaluation import Evaluation
    from glassnet.lab.developing import Way
    from glassnet.prediction import Prediction
    from glassnet.runs import Run

NEIGHBOURS = 8

MOST_RUNS = 8
"""Networks that stay in memory."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a run says about one image.

    Args:
        image: what the network saw, `uint8`.
        label: the most probable class.
        probabilities: of all classes, in their order; calibrated where images were held out for it.
        classes: their names.
        truth: the right class, where it is known; else "".
        source: where the image came from.
        sureness: how sure the run may be; None where no held-out images tell.
        warnings: what makes the answer for a photo doubtful, one sentence each.
        picture: the file that was drawn, so that its steps can be shown; empty for other images.
        way: the steps of a photo, where they are known.
    """

    image: np.ndarray
    label: str
    probabilities: list[float]
    classes: tuple[str, ...]
    truth: str
    source: str
    sureness: Sureness | None = None
    warnings: tuple[str, ...] = ()
    picture: bytes = b""
    way: "Way | None" = None


def ask_picture(run: Path, picture: bytes, source: str) -> Answer:
    """Say what a run sees in a picture file, such as a photo or a drawing.

    Raises:
        PhotoError: it is no picture.
    """
    from glassnet.photos import develop
    from glassnet.prediction import photo_facts, predict_developed

    opened = recall(run)
    try:
        developed = develop(picture, opened.passport.image_shape, photo_facts(opened), watched=False)
    except PhotoError as error:
        raise PhotoError(f"cannot read the picture that you passed: {error}; pass a PNG, JPEG, WebP, GIF, …") from None
    return _plain(opened, *predict_developed(opened, [developed], sources=[source]))


def ask_image(run: Path, split: str, index: int) -> Answer:
    """Say what a run sees in an image of its data set."""
    image, label = recall(run).dataset().split(split).at(index)
    return _ask(run, image, label, f"{split} image {index:,}")


@dataclass(frozen=True, eq=False)
class Reasons:
    """Why a run gave an answer.

    Args:
        label: the class that was asked about.
        values: how much each pixel pushes for it, `float (height, width)`; None if the network cannot be asked so.
        nearest: the training images that are most like the image, `uint8 (n, height, width[, channels])`.
        labels: their classes.
    """

    label: str
    values: np.ndarray | None
    nearest: np.ndarray
    labels: tuple[str, ...]


def warm_up(run: Path) -> None:
    """Load a run and compile its answer, so that the first question is answered at once."""
    _ask(run, np.zeros(recall(run).passport.image_shape, np.uint8), None, "")


@dataclass(frozen=True, eq=False)
class Scores:
    """How well a run does on the test images.

    Args:
        record: what `glassnet evaluate --json` says.
        labels: the right class of every test image.
        predicted: the most probable one.
        confidence: its probability.
        reliability: a chart of how often answers are right, by how sure the network is; SVG.
    """

    record: dict[str, Any]
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    reliability: str


def score(run: Path) -> Scores:
    """Measure a run on its test images."""
    found = recall_scores(run)
    from glassnet.sharing.curves import reliability_chart

    return Scores(
        record=found.record(),
        labels=np.asarray(found.labels),
        predicted=found.predicted,
        confidence=found.confidence,
        reliability=str(reliability_chart(found)),
    )


def report(run: Path) -> Path:
    """Write the report of a run, and return its file."""
    from glassnet.sharing.report import write_report

    return write_report(recall(run))


def code(run: Path) -> str:
    """Return the Keras code that builds and trains a run's network."""
    from glassnet.sharing.keras_code import keras_code

    return keras_code(recall(run))


def draft_code(plan: Recipe, data: str, seed: int) -> str:
    """Return the Keras program that builds and trains what a tab is set to."""
    from glassnet.lab.sets import set_facts
    from glassnet.runs import Passport, Run
    from glassnet.sharing.keras_code import keras_code

    facts = set_facts(data)
    shape = facts.image_shape
    # Nothing is trained yet, so this passport has only what the program is written from.
    passport = Passport.model_construct(
        recipe=plan.name,
        dataset=data,
        image_shape=shape,
        classes=facts.classes,
        settings=plan.settings(),
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        seed=seed,
    )
    return keras_code(Run(plan.build(shape, len(facts.classes)), passport))


def _ask(run: Path, image: np.ndarray, label: int | None, source: str) -> Answer:
    from glassnet.prediction import predict

    opened = recall(run)
    return _plain(opened, *predict(opened, image, labels=None if label is None else [label], sources=[source]))


def _plain(run: "Run", said: "Prediction") -> Answer:
    return Answer(
        image=said.image,
        label=said.label,
        probabilities=[float(one) for one in said.probabilities],
        classes=said.classes,
        truth=said.true_label or "",
        source=said.source,
        sureness=find_sureness(run, said),
        warnings=said.warnings,
    )


def recall(run: Path) -> "Run":
    """Return a run; it stays in memory, and is read again if another one was written to its place."""
    return _open(run, _stamp(run))


def recall_scores(run: Path) -> "Evaluation":
    """Return a run's scores on its test images; they stay in memory too."""
    return _evaluated(run, _stamp(run))


@lru_cache(MOST_RUNS)
def _open(run: Path, stamp: int) -> "Run":
    from glassnet.runs import open_run

    opened = open_run(run)
    # What is read and converted here is so once, not with every question.
    return replace(opened, data=opened.dataset(), held_out=opened.assurance)


@lru_cache(MOST_RUNS)
def _evaluated(run: Path, stamp: int) -> "Evaluation":
    from glassnet.evaluation import evaluate

    return evaluate(recall(run))


def _stamp(run: Path) -> int:
    """Tell a run from another one that was written to its place later."""
    try:
        return (run / "run.json").stat().st_mtime_ns
    except OSError:
        raise InputError(f"the run {run.name} is no longer there; train it again") from None


@dataclass(frozen=True, eq=False)
class Worsened:
    """What a run says when the test images are made worse.

    Args:
        answer: for one of them.
        right: how many are recognised.
        n: of so many, the first ones of the test split.
    """

    answer: Answer
    right: int
    n: int


def worsen(run: Path, corruption: str, level: float, index: int, most: int) -> Worsened:
    """Make the first test images worse in one way, and say what a run makes of them, and of one."""
    from glassnet.evaluation import corrupt
    from glassnet.training.inference import predict

    opened = recall(run)
    part = opened.dataset().test
    images, labels = corrupt(part.images[:most], corruption, level), part.labels[:most]
    right = int((predict(opened.model, images).argmax(-1) == labels).sum())
    answer = _ask(run, images[index], int(labels[index]), f"test image {index:,}")
    return Worsened(answer, right, len(labels))


# -- inside one answer, and what becomes of it when weights are switched off -------------------------------------------

MOST_CHANGED = 24
"""Changed networks that stay in memory; one that was dropped is made again when it is asked."""

MOST_TILES = 8
"""In a row of a template that can be erased."""


@dataclass(frozen=True)
class Off:
    """What a tab has switched off.

    Args:
        units: hidden units, by layer and number: their weights to the next layer are 0.
        tiles: parts of templates, by class and number: their weights are 0.
    """

    units: frozenset[tuple[str, int]] = frozenset()
    tiles: frozenset[tuple[int, int]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.units or self.tiles)


@dataclass(frozen=True, eq=False)
class Inner:
    """What can be switched off in a network.

    Args:
        units: the most influential hidden units, as `glassnet.explanation.influence` tells.
        template: where there is no hidden layer, the weights of the class, `float (height, width[, channels])`.
        tiles: into how many parts a side of it is cut.
        label: the class.
    """

    units: list[dict[str, Any]]
    template: np.ndarray | None = None
    tiles: int = 0
    label: str = ""


@dataclass(frozen=True)
class Effect:
    """What switching off does to the test images.

    Args:
        images: how many were asked.
        before: how many of them the network as trained gets right.
        after: how many the changed one.
    """

    images: int
    before: int
    after: int


def ask_again(run: Path, tab: str, off: Off, answer: Answer) -> Answer:
    """Say what the network says about the same image, with what the tab has switched off."""
    from glassnet.prediction import predict

    changed = _changed(run, tab, off)
    (said,) = predict(changed, answer.image, sources=[answer.source])
    return replace(_plain(changed, said), truth=answer.truth, warnings=answer.warnings)


def ask_neuron(
    run: Path, tab: str, off: Off, image: np.ndarray, layer: str | None, number: int, top: int
) -> dict[str, Any] | str:
    """Write out the arithmetic of a neuron; a text says why it cannot be."""
    from glassnet.explanation.arithmetic import explain_neuron

    try:
        return explain_neuron(_changed(run, tab, off), image, number, layer=layer, top=top).record()
    except GlassnetError as error:
        return str(error)


def explain_class(run: Path, tab: str, off: Off, image: np.ndarray, number: int) -> Reasons:
    """Say which pixels push for a class, and which training images are most like the image."""
    from glassnet.evaluation.neighbours import nearest
    from glassnet.explanation.attributions import attribute

    changed = _changed(run, tab, off)
    data = changed.dataset()
    near = nearest(data, image, count=NEIGHBOURS)[0]
    try:
        values = np.asarray(attribute(changed, image, neuron=number).values)
    except InputError:
        values = None
    images = data.train.images[[one.index for one in near]]
    return Reasons(changed.passport.classes[number], values, images, tuple(one.label for one in near))


def inner(run: Path, tab: str, off: Off, number: int, most: int) -> Inner:
    """Say what can be switched off: the most influential hidden units, or parts of the template of a class."""
    from glassnet.explanation.units import hidden_layers, templates

    if hidden_layers(recall(run).model):
        return Inner(_influences(run, _stamp(run))[:most])
    weights = templates(_changed(run, tab, off)).weights[number]
    return Inner([], weights, _tiles(weights.shape), recall(run).passport.classes[number])


def measure_off(run: Path, tab: str, off: Off) -> Effect:
    """Count how many test images the network gets right, as trained and as changed."""
    before, images = _count_right(run, _stamp(run))
    return Effect(images, before, _right(_changed(run, tab, off)) if off else before)


def forget(tab: str) -> None:
    """Drop the changed network of a tab."""
    _CHANGED.pop(tab, None)


_CHANGED: "dict[str, tuple[Run, Run]]" = {}
"""By tab: the network as trained, and its copy with weights switched off."""


def _changed(run: Path, tab: str, off: Off) -> "Run":
    """Return the run with weights switched off, in a copy that only this tab sees; the run stays as it is."""
    from glassnet._keras import keras

    opened = recall(run)
    if not off:
        return opened
    origin, copy = _CHANGED.pop(tab, (None, None))
    if origin is not opened or copy is None:
        # What held-out images say is about the network as it was trained.
        copy = replace(opened, model=keras.models.clone_model(opened.model), path=None, held_out=None)
    copy.model.set_weights(opened.model.get_weights())
    for layer, unit in off.units:
        _silence(copy.model, layer, unit)
    for number, tile in off.tiles:
        _erase(copy, number, tile)
    _CHANGED[tab] = opened, copy
    while len(_CHANGED) > MOST_CHANGED:
        del _CHANGED[next(iter(_CHANGED))]
    return copy


def _silence(model: Any, name: str, unit: int) -> None:
    """Set the weights from a unit to the next layer to 0.

    Raises:
        InputError: there is no such unit, or what lies between the two layers mixes units.
    """
    from glassnet.explanation.layers import chain, find_layer
    from glassnet.explanation.units import FOLLOWERS, KINDS

    layer, layers = find_layer(model, name, KINDS), chain(model)
    output: Any = layer.output
    units = output.shape[-1]
    if not 0 <= unit < units:
        raise InputError(f"the layer {name} has no unit {unit}; it has 0 to {units - 1}")
    for one in layers[layers.index(layer) + 1 :]:
        kind = type(one).__name__
        if kind in KINDS:
            kernel = np.array(one.kernel)
            # Keras flattens row by row with the channel last, so a filter's values are every units-th input.
            kernel[(..., slice(unit, None, units), slice(None))] = 0
            one.kernel.assign(kernel)
            return
        if kind not in (*FOLLOWERS, "Flatten") and "Pooling" not in kind:
            break
    raise InputError(f"what follows the layer {name} mixes its units; they cannot be switched off one by one")


def _erase(run: "Run", number: int, tile: int) -> None:
    """Set the weights of a class in one part of its template to 0."""
    from glassnet.explanation.layers import find_layer
    from glassnet.explanation.units import templates

    shape = run.passport.image_shape
    tiles = _tiles(shape)
    row, column = divmod(tile, tiles)
    high, wide = shape[0] // tiles, shape[1] // tiles
    layer: Any = find_layer(run.model, templates(run).layer)
    kernel = np.array(layer.kernel)
    if not (0 <= number < kernel.shape[1] and 0 <= row < tiles):
        raise InputError(f"there is no part {tile} of the template of class {number}")
    weights = kernel[:, number].reshape(shape)
    weights[row * high : (row + 1) * high, column * wide : (column + 1) * wide] = 0
    kernel[:, number] = weights.ravel()
    layer.kernel.assign(kernel)


def _tiles(shape: tuple[int, ...]) -> int:
    """Return into how many equal parts both sides can be cut, at most MOST_TILES."""
    return max(one for one in range(1, MOST_TILES + 1) if shape[0] % one == shape[1] % one == 0)


MOST_ASKED = 1000
"""Test images that a network with convolutions is asked about; others answer them all at once."""


def _right(run: "Run") -> int:
    """Count the test images that a network gets right."""
    from glassnet.training.inference import predict

    part = run.dataset().test
    images = _asked(run)
    return int((np.asarray(predict(run.model, part.images[:images])).argmax(-1) == part.labels[:images]).sum())


def _asked(run: "Run") -> int:
    slow = any("Conv" in type(layer).__name__ for layer in run.model.layers)
    return min(len(run.dataset().test.labels), MOST_ASKED if slow else 10**9)


@lru_cache(MOST_RUNS)
def _count_right(run: Path, stamp: int) -> tuple[int, int]:
    return _right(recall(run)), _asked(recall(run))


@lru_cache(MOST_RUNS)
def _influences(run: Path, stamp: int) -> list[dict[str, Any]]:
    """Return all hidden units, the most influential first."""
    from glassnet.explanation.influence import influence
    from glassnet.explanation.units import hidden_layers

    opened = recall(run)
    found = [one for layer in hidden_layers(opened.model) for one in influence(opened, layer=layer)]
    return [one.record() for one in sorted(found, key=lambda one: -one.influence)]


@dataclass(frozen=True, eq=False)
class Past:
    """A training, moment by moment.

    Args:
        names: of the moments, the start first.
        templates: weights of the first units as pictures, `float32 (moments, units, height, width)`.
        neurons: how many there are in all.
        hidden: they are no classes.
        confusion: `int (moments, truth, answer)`, of 1,000 test images.
        classes: their names.
        image_shape: height and width of an image, and channels where there are any.
    """

    names: tuple[str, ...]
    templates: np.ndarray
    neurons: int
    hidden: bool
    confusion: np.ndarray
    classes: tuple[str, ...]
    image_shape: tuple[int, ...]


def replay(run: Path, most_templates: int) -> Past | None:
    """Measure every moment that a run has kept; None if it kept none."""
    from glassnet.explanation.units import weighted_layers
    from glassnet.runs import SNAPSHOTS

    opened = recall(run)
    if not (run / SNAPSHOTS).is_file():
        return None
    again = _replayed(run, _stamp(run))
    shape, classes = opened.passport.image_shape, opened.passport.classes
    pictures = [first_weights([value[k] for value in again.values], shape) for k in range(len(again.moments))]
    templates = np.stack([np.zeros((0, 1, 1), np.float32) if one is None else one for one in pictures])
    return Past(
        names=tuple(moment.name for moment in again.moments),
        templates=np.ascontiguousarray(templates[:, :most_templates]),
        neurons=templates.shape[1],
        hidden=len(weighted_layers(opened.model)) > 1,
        confusion=again.confusion(),
        classes=tuple(classes),
        image_shape=shape,
    )


def ask_past(run: Path, image: np.ndarray) -> np.ndarray:
    """Return what a run made of one image at every moment: probabilities `(moments, classes)`."""
    return _replayed(run, _stamp(run)).probabilities(image)[:, 0]


@lru_cache(MOST_RUNS)
def _replayed(run: Path, stamp: int) -> Any:
    from glassnet.replay import open_replay

    return open_replay(_open(run, stamp))
