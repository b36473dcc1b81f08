"""What every explanation walks over: the layers in order, what each gives, and the logits as a function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InputError, UnknownNameError
from glassnet.network import calls, gives_probabilities, last_operation

if TYPE_CHECKING:
    import jax
    import keras


def chain(model: "keras.Model") -> "list[keras.Layer]":
    """Return the layers of a plain stack in order, without its input layer.

    Raises:
        InputError: the model branches, shares a layer, or has several inputs or outputs.
    """
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    if type(model).__name__ == "Sequential":
        return layers  # a stack by construction; loaded from a file, its layers also keep tensors of its making
    try:
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise ValueError
        tensor = model.inputs[0]
        for layer in layers:
            if layer.input is not tensor:
                raise ValueError
            tensor = layer.output
        if tensor is not model.outputs[0]:  # a function such as keras.ops.softmax comes last, which is no layer
            raise ValueError
    except (AttributeError, ValueError) as error:
        raise InputError(
            f"the model {model.name!r} is no plain stack of layers, one after the other; only such a stack can be "
            "followed layer by layer"
        ) from error
    return layers


def find_layer(model: "keras.Model", name: str, kinds: Sequence[str] = ()) -> "keras.Layer":
    """Return the layer of that name.

    Args:
        model: a built model.
        name: the layer's name.
        kinds: Keras classes that it may have, such as "Dense"; any if empty.

    Raises:
        UnknownNameError: there is none (of these kinds).
    """
    known = {layer.name: layer for layer in model.layers if not kinds or type(layer).__name__ in kinds}
    if name not in known:
        raise UnknownNameError(f"{' or '.join(kinds) or 'layer'}{' layer' if kinds else ''}", name, known)
    return known[name]


def activations(model: "keras.Model", images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
    """Return what the named layers give for images.

    Args:
        model: a built Sequential or functional model.
        images: `uint8 (n, height, width[, channels])`.
        layers: their names.

    Returns:
        For each name an array `(n, …)`.
    """
    from glassnet._keras import keras
    from glassnet.training.inference import predict

    made = calls(model)
    outputs = {name: made[find_layer(model, name)].outputs[0] for name in layers}
    return predict(keras.Model(model.inputs, outputs), images) if outputs else {}


@dataclass(frozen=True, eq=False)
class Logits:
    """A network as a function of its weights and an image, up to the scores before the softmax.

    Args:
        weights: everything that the function depends on besides the images.
        function: `(weights, images) -> logits`, from `float32 (n, height, width[, channels])`, brightness 0 to 255, to
            `float32 (n, classes)`; pure, for `jax.grad` and `jax.jit`.
    """

    weights: Any
    function: "Callable[[Any, jax.Array], jax.Array]"

    def __call__(self, images: Any) -> "jax.Array":
        """Return the logits of images."""
        import jax.numpy as jnp

        return self.function(self.weights, jnp.asarray(images, jnp.float32))


def logits_of(model: "keras.Model") -> Logits:
    """Return a network as a function to its logits; where it ends in a softmax, that is left away.

    Raises:
        InputError: the last layer is not understood.
    """
    from glassnet._keras import keras

    last = last_operation(model)
    kind = type(last).__name__
    head: Any = ()
    if not gives_probabilities(model):
        body = model
    elif model.outputs[0]._keras_history.operation is not last:
        inner = model.layers[-1].name
        raise InputError(
            f"the model {model.name!r} ends in a softmax inside of the network {inner!r}; logits are known where it is "
            f"a layer of the model itself: build the model of the layers of {inner!r}"
        )
    elif kind in ("Softmax", "Sigmoid", "Activation", "Dense"):
        body = keras.Model(model.inputs, calls(model)[last].input_tensors[0])
        head = tuple(weight.value for weight in last.weights) if kind == "Dense" else ()
    else:
        raise InputError(
            f"the model {model.name!r} ends in a {kind} layer; logits are known where a Dense, Softmax or Activation "
            "layer comes last"
        )

    def function(weights: Any, images: Any) -> Any:
        trainable, fixed, head = weights
        outputs: Any = body.stateless_call(trainable, fixed, images, training=False)[0]
        if head:
            outputs = outputs @ head[0]
        return outputs + head[1] if len(head) > 1 else outputs

    trainable = [variable.value for variable in body.trainable_variables]
    fixed = [variable.value for variable in body.non_trainable_variables]
    return Logits((trainable, fixed, head), function)
