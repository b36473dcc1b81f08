"""Members: networks side by side in one, each trained by itself.

A network of several members is one stack of layers: its convolutions have a group for each member, and the last layer
gives the mean of their logits. The mean of networks is more often right than each of them, but only if they learn
without each other: if the loss is that of the mean, they come to rely on each other, and the mean is worth little. So
while a step is traced, the last layer answers for every member, and the loss is the mean of theirs. The model stays as
it was compiled.

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
from glassnet.training.overrides import overridden


def check_members(model: keras.Model, members: int) -> None:
    """Raise InputError unless a model is a stack whose last convolution has that many groups, and then one layer."""
    if members == 1:
        return
    convolutions, dense = _of_kind(model, "Conv2D"), _of_kind(model, "Dense")
    if not isinstance(model, keras.Sequential) or not convolutions or dense != model.layers[-1:]:
        raise InputError(
            f"members is {members}; it is for a Sequential model of Conv2D layers with one Dense at the end"
        )
    if (groups := convolutions[-1].groups) != members:
        raise InputError(f"members is {members}, but the last convolution has {groups} groups; give one to each member")


@contextmanager
def members_apart(model: keras.Model, members: int) -> Iterator[None]:
    """While a training step is traced, each member of a network answers, and learns, for itself."""
    if members == 1:
        yield
        return
    last: Any = model.layers[-1]
    channels = _of_kind(model, "Conv2D")[-1].filters
    whole_loss, whole_metrics = model.compute_loss, model.compute_metrics

    def call(inputs: jax.Array, *_: Any, **__: Any) -> jax.Array:
        """Return what each member gives: `(members, n, classes)`."""
        shape = (-1, members, channels // members)  # the places of the maps, and the channels of each member
        each = inputs.reshape(len(inputs), *shape), jnp.asarray(last.kernel).reshape(*shape, last.units)
        logits = members * jnp.einsum("npmf,pmfc->mnc", *each) + jnp.asarray(last.bias)
        return last.activation(logits)

    def compute_loss(
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        again = [None if one is None else jnp.concatenate([one] * members) for one in (y, sample_weight)]
        return whole_loss(x, again[0], y_pred.reshape(-1, y_pred.shape[-1]), again[1], training=training)

    def compute_metrics(x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        softmax = last.activation is keras.activations.softmax
        mean = jnp.exp(jnp.log(y_pred).mean(0)) if softmax else y_pred.mean(0)
        return whole_metrics(x, y, mean, sample_weight)

    changes = (last, "call", call), (model, "compute_loss", compute_loss), (model, "compute_metrics", compute_metrics)
    with overridden(changes):
        yield


def _of_kind(model: keras.Model, name: str) -> list[Any]:
    """Return the layers of a class, by its name."""
    return [layer for layer in model.layers if type(layer).__name__ == name]
