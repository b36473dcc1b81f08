"""Members: networks side by side in one, each trained by itself.

A network of several members is one stack of layers: its convolutions have a group for each member, and the last layer
gives the mean of their logits. The mean of networks is more often right than each of them, but only if they learn
without each other: if the loss is that of the mean, they come to rely on each other, and the mean is worth little. So
while a step is traced, each answers for itself, and the loss is the mean of theirs. The model stays as it was compiled.

References:
    Lakshminarayanan, Pritzel, Blundell (2017), Simple and scalable predictive uncertainty estimation using deep
    ensembles; Jeffares, Liu, Crabbé, van der Schaar (2023), Joint training of deep ensembles fails due to learner
    collusion.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from glassnet._keras import keras
from glassnet.errors import InputError
from glassnet.training.fast_layers import fast_forms
from glassnet.training.overrides import overridden


def check_members(model: keras.Model, members: int) -> None:
    """Raise InputError unless a model is a stack of convolutions, with a group for each member, and then one layer."""
    if members == 1:
        return
    convolutions, dense = _of_kind(model, "Conv2D"), _of_kind(model, "Dense")
    if not isinstance(model, keras.Sequential) or not convolutions or dense != model.layers[-1:]:
        raise InputError(
            f"members is {members}; it is for a Sequential model of Conv2D layers with one Dense at the end"
        )
    for place, layer in enumerate(convolutions):
        groups = members if place else 1
        if layer.groups != groups or layer.filters % members:
            raise InputError(
                f"members is {members}, but {layer.name} has {layer.filters} filters and {layer.groups} groups; "
                f"it needs a number of filters that {members} divides and groups={groups}"
            )


@contextmanager
def members_apart(model: keras.Model, members: int) -> Iterator[None]:
    """While a training step is traced, each member of a network answers, and learns, for itself.

    They do so one after the other: cutting the maps of all for each convolution and joining them again took a tenth
    more time.
    """
    if members == 1:
        yield
        return
    with jax.ensure_compile_time_eval():
        member = one_member(model, members)
    channels = _of_kind(member, "Conv2D")[-1].filters
    whole_loss, whole_metrics = model.compute_loss, model.compute_metrics

    def call(inputs: jax.Array, training: bool | None = None, mask: Any = None) -> jax.Array:
        """Return what each member gives: `(members, n, classes)`."""
        learned, kept = shares("trainable_variables"), shares("non_trainable_variables")
        found: list[Any] = [
            member.stateless_call(*both, inputs, training=training) for both in zip(learned, kept, strict=True)
        ]
        for variable, *values in zip(model.non_trainable_variables, *(state for _, state in found), strict=True):
            shared = values[0].shape == variable.shape
            variable.assign(values[0] if shared else jnp.concatenate(values, -1))
        return jnp.stack([answer for answer, _ in found])

    def shares(kind: str) -> list[list[jax.Array]]:
        """Return what each member has of the weights of that kind."""
        both = zip(getattr(model, kind), getattr(member, kind), strict=True)
        parts = [_parts(jnp.asarray(whole), single.shape, members, channels) for whole, single in both]
        return [[part[number] for part in parts] for number in range(members)]

    def compute_loss(
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        again = [None if one is None else jnp.concatenate([one] * members) for one in (y, sample_weight)]
        return whole_loss(x, again[0], y_pred.reshape(-1, y_pred.shape[-1]), again[1], training=training)

    def compute_metrics(x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        softmax = model.layers[-1].activation is keras.activations.softmax
        mean = jnp.exp(jnp.log(y_pred).mean(0)) if softmax else y_pred.mean(0)
        return whole_metrics(x, y, mean, sample_weight)

    changes = (model, "call", call), (model, "compute_loss", compute_loss), (model, "compute_metrics", compute_metrics)
    with overridden(changes), fast_forms(member):
        yield


def one_member(model: keras.Model, members: int) -> keras.Sequential:
    """Return a network like each member of a model; its weights are all zero."""
    layers: list[Any] = [keras.Input(batch_shape=model.inputs[0].shape, dtype=model.inputs[0].dtype)]
    for layer in model.layers:
        config = {k: "zeros" if k.endswith("_initializer") else one for k, one in layer.get_config().items()}
        if type(layer) is keras.layers.Conv2D:
            config |= {"filters": layer.filters // members, "groups": 1}
        layers.append(type(layer).from_config(config))
    return keras.Sequential(layers)


def _parts(value: jax.Array, shape: tuple[int, ...], members: int, channels: int) -> list[jax.Array]:
    """Return what each member has of a weight, which for a network by itself has the given shape."""
    if value.shape == shape:  # all have the same: the biases of the last layer
        return [value] * members
    if value.ndim == 2:  # of the last layer, which takes the mean: a row for every channel of every place
        rows = members * value.reshape(-1, members, channels, shape[1])
        return [rows[:, number].reshape(shape) for number in range(members)]
    return jnp.split(value, members, -1)


def _of_kind(model: keras.Model, name: str) -> list[Any]:
    """Return the layers of a class, by its name."""
    return [layer for layer in model.layers if type(layer).__name__ == name]
