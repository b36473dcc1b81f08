"""Label smoothing: training asks for a little less than certainty, which a network could only reach by growing weights.

The model stays as it was compiled: its loss, what it is evaluated by, and what is saved know nothing of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from glassnet._keras import keras
from glassnet.errors import InputError
from glassnet.network import loss_name
from glassnet.recipe import check_share
from glassnet.training.overrides import overridden

LOSS = "sparse_categorical_crossentropy"


def check_smoothing(model: keras.Model, share: float) -> None:
    """Raise InputError unless the model's labels can be smoothed by that share."""
    if not share:
        return
    check_share("label_smoothing", share)
    if loss_name(model) != LOSS:
        raise InputError(
            f"label_smoothing is for the loss {LOSS}, and this model's is {loss_name(model) or 'not known'}; "
            "compile it with that loss, or smooth in the loss itself"
        )


@contextmanager
def smoothed_labels(model: keras.Model, share: float) -> Iterator[None]:
    """While a step is traced, the loss is the cross-entropy with labels of which a share goes to all classes alike.

    References:
        Szegedy, Vanhoucke, Ioffe, Shlens, Wojna (2016), Rethinking the Inception architecture for computer vision.
    """
    if not share:
        yield
        return
    plain = model.compute_loss
    from_logits = getattr(model.loss, "from_logits", False)

    def compute_loss(
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        loss: Any = plain(x, y, y_pred, sample_weight, training=training)
        return loss + share * _excess(y, y_pred, sample_weight, from_logits=from_logits)

    with overridden([(model, "compute_loss", compute_loss)]):
        yield


def _excess(labels: jax.Array, outputs: jax.Array, weight: jax.Array | None, *, from_logits: bool) -> jax.Array:
    """Return by how much the cross-entropy is larger when labels are all classes alike, over the batch as in Keras."""
    if from_logits:
        logs = jax.nn.log_softmax(outputs)
    else:
        tiny = keras.config.epsilon()  # as Keras bounds probabilities in its own losses
        logs = jnp.log(jnp.clip(outputs / outputs.sum(-1, keepdims=True), tiny, 1 - tiny))
    right = jnp.take_along_axis(logs, labels.reshape(-1, 1).astype(jnp.int32), -1)[:, 0]
    each = right - logs.mean(-1)
    return (each if weight is None else each * weight.reshape(each.shape)).mean()
