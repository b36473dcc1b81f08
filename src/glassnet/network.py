"""What a network is made of: layers, shapes, and where every parameter comes from."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glassnet.errors import InputError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class LayerSummary:
    """One layer.

    Args:
        name: its name in the model.
        kind: its Keras class, such as "Dense".
        role: what it does, in one phrase.
        output_shape: of one image, without the batch.
        parameters: numbers that belong to the layer.
        arithmetic: where that count comes from, such as "784 × 10 + 10 = 7,850"; empty if there are none.
        activation: the function at its end, "" if it has none.
    """

    name: str
    kind: str
    role: str
    output_shape: tuple[int | None, ...]
    parameters: int
    arithmetic: str
    activation: str


@dataclass(frozen=True)
class Summary:
    """A network, layer by layer.

    Args:
        name: the model's name.
        input_shape: of one image.
        layers: in order.
        parameters: of all layers together.
        trainable: how many of them training changes.
    """

    name: str
    input_shape: tuple[int | None, ...]
    layers: tuple[LayerSummary, ...]
    parameters: int
    trainable: int

    @property
    def arithmetic(self) -> str:
        """The sum over the layers, such as "100,480 + 1,290 = 101,770"."""
        parts = [f"{layer.parameters:,}" for layer in self.layers if layer.parameters]
        return f"{' + '.join(parts) or '0'} = {self.parameters:,}" if len(parts) != 1 else parts[0]


def summarize(model: "keras.Model") -> Summary:
    """Describe a built Keras model layer by layer.

    Raises:
        InputError: a model that is not built.

    Example:
        >>> from glassnet import network, recipes
        >>> network.summarize(recipes.find("baseline").build((28, 28), 10)).layers[-1].arithmetic
        '784 × 10 + 10 = 7,850'
    """
    if not model.built or not hasattr(model, "input_shape"):
        raise InputError(f"the model {model.name!r} has no input shape yet; call it on images or build it first")
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    return Summary(
        name=model.name,
        input_shape=tuple(model.input_shape[1:]),
        layers=tuple(_layer_summary(layer) for layer in layers),
        parameters=model.count_params(),
        trainable=sum(math.prod(weight.shape) for weight in model.trainable_weights),
    )


def gives_probabilities(model: "keras.Model") -> bool:
    """Tell whether the outputs are probabilities; if not, they are logits and need a softmax."""
    last = last_operation(model)
    activation = getattr(last, "activation", None)
    kinds, functions = ("Softmax", "Sigmoid"), ("softmax", "sigmoid")
    return type(last).__name__ in kinds or getattr(activation, "__name__", "") in functions


def last_operation(model: "keras.Model") -> Any:
    """Return what makes a model's output: a layer, or a function such as keras.ops.softmax.

    Where the model ends in a network within it, this is what makes the output of that one.
    """
    outputs = getattr(model, "outputs", None)  # a model whose parts are known only to its own code has none
    last: Any = outputs[0]._keras_history.operation if outputs else model.layers[-1]
    return last_operation(last) if getattr(last, "layers", None) else last


def calls(model: "keras.Model") -> dict[Any, Any]:
    """Return for each layer or function of a model its call in that model's graph: `input_tensors` and `outputs`.

    `layer.input` and `layer.output` are those of the layer's first call, which another model may have made; of a model
    within the model they are its own ends.
    """
    found: dict[Any, Any] = {}
    waiting: list[Any] = list(model.outputs)
    while waiting:
        operation, number, _ = waiting.pop()._keras_history
        if operation not in found:
            found[operation] = operation._inbound_nodes[number]
            waiting.extend(found[operation].input_tensors)
    return found


def is_convolution(layer: "keras.Layer") -> bool:
    """Tell whether a layer slides filters over an image, depthwise or separable ones too."""
    return type(layer).__name__.endswith("Conv2D")


def gives_maps(layer: "keras.Layer") -> bool:
    """Tell whether a layer's output is `(n, height, width, channels)`."""
    return len(getattr(getattr(layer, "output", None), "shape", ())) == 4


def loss_name(model: "keras.Model") -> str:
    """Return the name of a compiled model's loss, such as "sparse_categorical_crossentropy"; "" if it has none."""
    return model.loss if isinstance(model.loss, str) else getattr(model.loss, "name", "")


def _layer_summary(layer: "keras.Layer") -> LayerSummary:
    kind = type(layer).__name__
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    activation = "" if activation == "linear" else activation
    parameters = layer.count_params()
    return LayerSummary(
        name=layer.name,
        kind=kind,
        role=_role(layer, kind, activation),
        output_shape=_output_shape(layer),
        parameters=parameters,
        arithmetic=f"{_terms(layer, kind)} = {parameters:,}" if parameters else "",
        activation=activation,
    )


def _output_shape(layer: "keras.Layer") -> tuple[int | None, ...]:
    output: Any = layer.output
    while not hasattr(output, "shape"):  # of several outputs the first
        output = next(iter(output.values() if isinstance(output, dict) else output))
    return tuple(output.shape[1:])


def _role(layer: "keras.Layer", kind: str, activation: str) -> str:
    then = f", then {activation}" if activation else ""
    if kind == "Rescaling":
        alike = all(isinstance(one, (int, float)) for one in (layer.scale, layer.offset))  # not one for each channel
        divides = alike and layer.scale and not layer.offset
        return f"divides every pixel by {1 / layer.scale:g}" if divides else "scales and shifts every pixel"
    if kind == "Flatten":
        return "puts all values in one row"
    if kind == "Reshape":
        return f"arranges the values as {' × '.join(map(str, layer.target_shape))}"
    if kind == "Dense":
        neurons = "neuron" if layer.units == 1 else "neurons"
        return f"{layer.units} {neurons}: weighted sums of all inputs{then}"
    if is_convolution(layer):
        height, width = layer.kernel_size
        groups = f", each over one of {layer.groups} groups of channels" if getattr(layer, "groups", 1) > 1 else ""
        return f"slides {height} × {width} filters over the image{groups}{then}"
    known = {
        "MaxPooling2D": "keeps the largest value of each patch",
        "AveragePooling2D": "keeps the mean of each patch",
        "GlobalAveragePooling2D": "keeps the mean of each channel",
        "GlobalMaxPooling2D": "keeps the largest value of each channel",
        "Dropout": "switches off random values while training",
        "BatchNormalization": "brings each channel to mean 0 and spread 1",
        "Softmax": "turns scores into probabilities",
        "Activation": f"applies {activation}",
        "ReLU": "sets negative values to 0",
    }
    return known.get(kind, "")


def _terms(layer: "keras.Layer", kind: str) -> str:
    """Write the parameter count as sizes of weights: each weight a product, summed."""
    if kind == "BatchNormalization":
        return f"{len(layer.weights)} × {layer.weights[0].shape[0]:,}"
    return " + ".join(" × ".join(f"{size:,}" for size in weight.shape) or "1" for weight in layer.weights)
