"""What the desk answers about the inside of one answer, and what becomes of it when weights are switched off."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import GlassnetError, InputError
from glassnet.lab.answers import Answer, plain_answer
from glassnet.lab.memory import MOST_RUNS, recall, stamp_of

if TYPE_CHECKING:
    from glassnet.runs import Run

NEIGHBOURS = 8
"""Training images that are shown beside an image."""

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
        template: where there is no hidden layer, the weights of the class, `float (height, width)`; for coloured images
            the mean over the channels.
        tiles: into how many parts a side of it is cut.
        label: the class.
    """

    units: list[dict[str, Any]]
    template: np.ndarray | None = None
    tiles: int = 0
    label: str = ""


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
    return replace(plain_answer(changed, said), truth=answer.truth, warnings=answer.warnings)


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
        return Inner(_influences(run, stamp_of(run))[:most])
    weights = templates(_changed(run, tab, off)).weights[number]
    picture = weights if weights.ndim == 2 else weights.mean(-1)
    return Inner([], picture, _tiles(picture.shape), recall(run).passport.classes[number])


def measure_off(run: Path, tab: str, off: Off) -> Effect:
    """Count how many test images the network gets right, as trained and as changed."""
    before, images = _count_right(run, stamp_of(run))
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
            if kind == "Conv2D":  # in groups, such as those of twins and of members, filters see their own group only
                group, channel = divmod(unit, kernel.shape[-2])
                of_group = kernel.shape[-1] // one.groups
                kernel[..., channel, group * of_group : (group + 1) * of_group] = 0
            else:  # Keras flattens row by row with the channel last, so a filter's values are every units-th input
                kernel[unit::units] = 0
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
