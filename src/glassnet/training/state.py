"""The values of a model's variables, as the steps take and return them."""

from typing import Literal

import jax

from glassnet._keras import keras

State = tuple[list[jax.Array], ...]
Kind = Literal["train", "test", "predict"]


def get_state(model: keras.Model, kind: Kind) -> State:
    """Return the values of all variables that a step of that kind takes."""
    return tuple([variable.value for variable in part] for part in variables(model, kind))


def set_state(model: keras.Model, kind: Kind, state: State) -> None:
    """Put the values that a step of that kind returned back into the model."""
    for part, values in zip(variables(model, kind), state, strict=True):
        for variable, value in zip(part, values, strict=True):
            variable.assign(value)


def variables(model: keras.Model, kind: Kind) -> list[list[keras.Variable]]:
    """Return the model's variables in the groups and the order in which Keras's steps take them."""
    parts = [model.trainable_variables, model.non_trainable_variables]
    if kind == "train":
        parts.append(model.optimizer.variables)
    if kind != "predict":
        parts.append(model.metrics_variables)
    return parts


def build(model: keras.Model, example: tuple) -> bool:
    """Create the variables of model, optimizer and metrics where they are missing; tell if the model had none yet.

    Args:
        model: a compiled model.
        example: a batch `(x,)`, `(x, y)` or `(x, y, sample_weight)`; only its shapes and types matter.
    """
    parts = [*model._flatten_layers(), model._compile_metrics, model._compile_loss]
    fresh = not all(part.built for part in parts if part is not None)
    # Keras has no public way to build metrics from shapes alone; without it, the state would change after a step.
    model._symbolic_build(data_batch=(*example, None, None)[:3])
    return fresh
