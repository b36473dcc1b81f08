"""What is wrong with a model or its arrays, said before the first step rather than by a number that makes no sense."""

import warnings
from typing import Any

import jax
import numpy as np

from glassnet._keras import keras
from glassnet.datasets import Dataset
from glassnet.errors import InputError
from glassnet.network import gives_probabilities, loss_name


class OutputMismatchWarning(UserWarning):
    """The last layer and the loss disagree on whether outputs are probabilities; Keras trains all the same."""


def check_compiled(model: keras.Model) -> None:
    """Raise InputError unless the model is compiled."""
    if not model.compiled:
        raise InputError("the model is not compiled; call model.compile(optimizer=…, loss=…, metrics=…) first")


def check_values(x: Any) -> None:
    """Raise InputError if an array of floats has values that are no finite number."""
    for array in jax.tree.leaves(x):
        if np.issubdtype(array.dtype, np.floating) and not (finite := np.isfinite(np.asarray(array))).all():
            where = tuple(int(axis[0]) for axis in np.nonzero(~finite))
            raise InputError(
                f"x has {np.asarray(array)[where]} at {where} and {int((~finite).sum())} values in all that are no "
                "finite number; remove those examples or fill them in"
            )


def check_shapes(model: keras.Model, example: Any) -> None:
    """Raise InputError unless the arrays fit a model whose inputs are known."""
    inputs = getattr(model, "inputs", None)
    arrays = jax.tree.leaves(example[0])
    if not inputs or len(inputs) != len(arrays):
        return
    for tensor, array in zip(jax.tree.leaves(inputs), arrays, strict=True):
        expected = tuple(tensor.shape[1:])
        found = tuple(array.shape[1:])
        if len(arrays) == 1 and not fits(found, expected):
            raise InputError(
                f"the examples have shape {found}, the model's input takes {expected}; "
                "change the model's Input or reshape the array"
            )


def check_labels(model: keras.Model, y: Any) -> None:
    """Check labels against a loss of class numbers, and the last layer against that loss.

    Raises:
        InputError: labels that are no class numbers of this network.
    """
    loss = model.loss
    if loss_name(model) != "sparse_categorical_crossentropy" or y is None or not hasattr(y, "shape"):
        return
    from_logits = getattr(loss, "from_logits", False)
    outputs = getattr(model, "output_shape", None)
    if model.layers and outputs and gives_probabilities(model) == from_logits:
        had, wanted = ("probabilities", "logits") if from_logits else ("logits", "probabilities")
        warnings.warn(
            f"the last layer gives {had}, but the loss takes {wanted} (from_logits={from_logits}): training will be "
            f"wrong without an error; use from_logits={not from_logits}",
            OutputMismatchWarning,
            stacklevel=3,
        )
    labels = np.asarray(y)
    if not labels.size:
        return
    if np.issubdtype(labels.dtype, np.floating) and not (labels == np.round(labels)).all():
        odd = labels[labels != np.round(labels)][0]
        raise InputError(f"labels must be whole class numbers, found {odd}; convert them with labels.astype(int)")
    if outputs and isinstance(outputs[-1], int) and not 0 <= labels.min() <= labels.max() < outputs[-1]:
        raise InputError(
            f"labels run from {labels.min():g} to {labels.max():g}, but the network has {outputs[-1]} outputs, for "
            f"labels 0 to {outputs[-1] - 1}; renumber the labels or change the last layer"
        )


def check_own(model: keras.Model, data: Dataset) -> None:
    """Build and compile a user's model where that is missing.

    Raises:
        InputError: it does not fit the data, or `train` cannot tell.
    """
    if isinstance(model, keras.Sequential) and not model.built:
        model.build((None, *data.image_shape))
    inputs = getattr(model, "inputs", None) or ()
    if len(inputs) != 1:
        raise InputError(
            f"{model.name!r} is a {type(model).__name__} with {len(inputs) or 'no known'} inputs; train takes a "
            "Sequential or functional model with one, glassnet.fit takes any"
        )
    shape, classes = tuple(inputs[0].shape[1:]), model.output_shape[-1]
    if not fits(data.image_shape, shape) or classes != len(data.classes):
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


def fits(found: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    """Tell whether examples of a shape can go into an input, to whose last axis of 1 Keras adds one, or drops it."""
    if abs(len(found) - len(expected)) == 1:
        longer, shorter = (found, expected) if len(found) > len(expected) else (expected, found)
        return longer[-1] == 1 and fits(found[: len(shorter)], expected[: len(shorter)])
    return len(found) == len(expected) and all(want in (None, have) for have, want in zip(found, expected, strict=True))
