"""What a network did with one image: what every layer received and gave, and what any neuron in it summed up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from glassnet.runs import Run

COVERED = ("Dense", "Conv2D")
"""The kinds of layers whose neurons are weighted sums that can be written out."""

PIXELS = "pixels"
_IN_PLACE = {
    "InputLayer", "Rescaling", "Normalization", "BatchNormalization", "Flatten", "Reshape", "Activation", "ReLU",
    "LeakyReLU", "ELU", "PReLU", "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
    "ActivityRegularization", "RandomFlip", "RandomTranslation", "RandomRotation", "RandomZoom", "RandomContrast",
    "RandomBrightness",
}  # fmt: skip
"""Layers that, when a network is asked, leave every value at its place, so that it can be followed through them."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What every layer received and gave for one image.

    Args:
        run: the network.
        image: what it was shown.
        last: the layer that gives the answer.
        before: for each layer by name the one that feeds it, None for the first; those fed by several are not in it.
        inputs: what each layer received.
        outputs: what each layer gave.
        scores: what the network gave.
    """

    run: "Run"
    image: np.ndarray
    last: Any
    before: dict[str, Any]
    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]
    scores: np.ndarray


def watch(run: "Run", image: np.ndarray) -> Seen:
    """Run the network on one image, layer by layer.

    Raises:
        InputError: it has several inputs or outputs, or layers of another model.
    """
    from glassnet._keras import keras

    model = run.model
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise InputError(
            f"the model {model.name!r} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; networks with "
            "one of each are covered"
        )
    batch: Any = image[None].astype(np.float32)
    if batch.ndim < len(model.inputs[0].shape):
        batch = batch[..., None]
    if isinstance(model, keras.Sequential):
        last, before, values = _walk_sequential(model, batch)
    else:
        last, before, values = _walk_functional(model, batch)
    arrays = {name: [np.asarray(value)[0] for value in pair] for name, pair in values.items()}
    return Seen(
        run=run,
        image=image,
        last=last,
        before=before,
        inputs={name: pair[0] for name, pair in arrays.items()},
        outputs={name: pair[1] for name, pair in arrays.items()},
        scores=np.asarray(model(batch, training=False))[0],
    )


def _walk_sequential(model: Any, batch: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    # Not by the layers' own `input` and `output`: building a Sequential layer by layer, as loading does, calls its
    # layers several times, and they keep to the first.
    before, values, last = {}, {}, None
    for layer in model.layers:
        given = layer(batch)
        before[layer.name], values[layer.name] = last, (batch, given)
        batch, last = given, layer
    return last, before, values


def _walk_functional(model: Any, batch: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    from glassnet._keras import keras

    # A model inside the model has inputs and outputs of its own, outside of this one's graph.
    layers = [one for one in model.layers if not isinstance(one, keras.Model) and _ends(one)]
    layers = [one for one in layers if type(one).__name__ != "InputLayer"]
    makers = {id(model.inputs[0]): None} | {id(one.output): one for one in layers}
    before = {one.name: makers[id(one.input)] for one in layers if id(one.input) in makers}
    try:
        values = keras.Model(model.inputs[0], {one.name: _ends(one) for one in layers})(batch, training=False)
    except ValueError as error:
        raise InputError(
            f"the model {model.name!r} shares layers with another model, and cannot be followed; build it from layers "
            "of its own, or load it from a file"
        ) from error
    return makers.get(id(model.outputs[0])), before, values


def _ends(layer: Any) -> tuple[Any, Any] | None:
    """Return the tensors before and behind a layer; None if these are several, or none."""
    try:
        ends = layer.input, layer.output
    except (AttributeError, ValueError):
        return None
    return None if any(isinstance(one, (list, tuple, dict)) for one in ends) else ends


def is_covered(seen: Seen, layer: Any) -> bool:
    """Whether the sums of a layer can be written out, as it is called in this network."""
    if type(layer).__name__ not in COVERED or layer.name not in seen.inputs:
        return False
    if type(layer).__name__ == "Dense":
        return seen.inputs[layer.name].ndim == 1
    return layer.data_format == "channels_last"


def _covered_names(seen: Seen) -> str:
    """List the layers whose sums can be written out, for an error."""
    return ", ".join(one.name for one in seen.run.model.layers if is_covered(seen, one)) or "none"


def tail(seen: Seen) -> list[Any]:
    """Return the layer that the classes come from and, behind it, nothing but activations."""
    layers = [seen.last]
    while type(layers[0]).__name__ in ("Softmax", "Activation", "Dropout") and seen.before.get(layers[0].name):
        layers.insert(0, seen.before[layers[0].name])
    return layers


def answer_layer(seen: Seen) -> Any:
    """Return the Dense layer that the classes come from.

    Raises:
        InputError: they come from something else.
    """
    answer = tail(seen)[0]
    if type(answer).__name__ != "Dense" or not is_covered(seen, answer):
        raise InputError(
            f"the classes of {seen.run.model.name!r} come from a {type(answer).__name__} layer, whose numbers are no "
            f"weighted sums; name a layer whose are, with the number of a unit or filter: {_covered_names(seen)}"
        )
    return answer


def gives_classes(seen: Seen, layer: Any) -> bool:
    """Whether each neuron of a layer stands for a class."""
    return layer is tail(seen)[0] and seen.outputs[layer.name].shape == (len(seen.run.passport.classes),)


def origin(seen: Seen, layer: Any) -> tuple[str, tuple[int, ...]]:
    """Return what a layer's inputs are ("pixels" or the layer that made them), and in which shape."""
    values, current = seen.inputs[layer.name], layer
    nowhere = f"inputs of {layer.name}", values.shape
    while current.name in seen.before:
        current = seen.before[current.name]
        if current is None:
            return (PIXELS, seen.image.shape) if seen.image.size == values.size else nowhere
        if seen.outputs[current.name].size != values.size:
            return nowhere
        if type(current).__name__ not in _IN_PLACE:
            return current.name, seen.outputs[current.name].shape
    return nowhere


# -- one neuron of it --------------------------------------------------------------------------------------------------


def find_class(classes: Sequence[str], neuron: str | int) -> int:
    """Return the number of a class that is given by its name or number.

    A name comes first: where the classes are digits, "7" is the class of that name.

    Raises:
        UnknownNameError: no class has that name.
        InputError: no class has that number.
    """
    if neuron in classes:
        return list(classes).index(str(neuron))
    if isinstance(neuron, int) or neuron.removeprefix("-").isdecimal():
        return _in_range("class", int(neuron), len(classes), ": " + ", ".join(classes))
    raise UnknownNameError("class", neuron, classes)


def choose_neuron(seen: Seen, layer: Any, neuron: str | int | None, at: Any) -> tuple[int, tuple[int, int] | None]:
    """Return the number that was asked for, and for a filter the place in its map.

    Raises:
        UnknownNameError: a class that does not exist.
        InputError: a number out of range, or a layer whose sums cannot be written out.
    """
    if not is_covered(seen, layer):
        raise InputError(
            f"the layer {layer.name!r} is called in a way that is not covered; layers whose sums can be written out: "
            f"{_covered_names(seen)}"
        )
    outputs = seen.outputs[layer.name]
    is_map = outputs.ndim == 3
    if at is not None and not is_map:
        raise InputError(f"the layer {layer.name!r} has no rows and columns; leave the place {tuple(at)} away")
    if neuron is None:
        number = int(outputs.max((0, 1)).argmax() if is_map else outputs.argmax())
    elif gives_classes(seen, layer):
        number = find_class(seen.run.passport.classes, neuron)
    elif isinstance(neuron, str) and not neuron.removeprefix("-").isdecimal():
        last = outputs.shape[-1] - 1
        raise InputError(f"no neuron {neuron!r} in the layer {layer.name!r}; they are numbered 0 to {last}")
    else:
        number = _in_range("filter" if is_map else "unit", int(neuron), outputs.shape[-1], f" in {layer.name}")
    if not is_map:
        return number, None
    row, column = divmod(int(outputs[..., number].argmax()), outputs.shape[1]) if at is None else at
    return number, (
        _in_range("row", row, outputs.shape[0], f" in {layer.name}"),
        _in_range("column", column, outputs.shape[1], f" in {layer.name}"),
    )


def _in_range(what: str, number: int, count: int, rest: str) -> int:
    if not 0 <= number < count:
        raise InputError(f"no {what} {number}; they are numbered 0 to {count - 1}{rest}")
    return number


def find_terms(layer: Any, inputs: np.ndarray, number: int, at: tuple[int, int] | None) -> tuple[Any, Any, Any]:
    """Return every x, its w, and its place in the flattened inputs."""
    kernel = np.asarray(layer.kernel, np.float64)
    flat = inputs.astype(np.float64).ravel()
    if at is None:
        return flat, kernel[:, number], np.arange(len(flat))
    height, width, channels = inputs.shape
    each = kernel.shape[2]  # channels that one filter sees: all, unless the layer is grouped
    first = number // (layer.filters // layer.groups) * each
    rows, columns = (
        at[axis] * layer.strides[axis] + np.arange(kernel.shape[axis]) * layer.dilation_rate[axis] - before
        for axis, before in enumerate(padding(layer, layer.kernel_size, layer.dilation_rate, inputs.shape))
    )
    row, column, channel = np.meshgrid(rows, columns, first + np.arange(each), indexing="ij")
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)  # the padding is 0 and adds nothing
    places = ((row * width + column) * channels + channel)[inside]
    return flat[places], kernel[..., number][inside], places


def padding(layer: Any, window: Sequence[int], dilation: Sequence[int], shape: tuple[int, ...]) -> list[int]:
    """Return how many rows and columns of padding lie before the image (as XLA's SAME puts them)."""
    if layer.padding != "same":
        return [0, 0]
    before = []
    for size, length, step, spread in zip(shape[:2], window, layer.strides, dilation, strict=True):
        needed = (math.ceil(size / step) - 1) * step + (length - 1) * spread + 1
        before.append(max(needed - size, 0) // 2)
    return before
