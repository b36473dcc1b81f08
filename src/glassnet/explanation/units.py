"""Units and what they look for: weights and kernels as images, and what each filter makes of an image.

A unit is a neuron of a Dense layer or a filter of a Conv2D layer. What it gives is taken after the normalisation,
activation and dropout that follow its layer directly: they belong to it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.datasets import Dataset, Split
from glassnet.errors import InputError
from glassnet.evaluation import check_fit
from glassnet.explanation.layers import activations, chain, find_layer, logits_of
from glassnet.network import calls
from glassnet.recipe import check_count
from glassnet.runs import Run
from glassnet.types import Image, Images

if TYPE_CHECKING:
    import keras

KINDS = ("Dense", "Conv2D")
"""Keras classes whose units can be looked at."""

FOLLOWERS = (
    "BatchNormalization", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Dropout", "SpatialDropout2D",
    "GaussianDropout", "GaussianNoise",
)  # fmt: skip
"""Layers that treat every unit by itself; what follows a layer directly belongs to its units."""

PIXELWISE = ("Rescaling", "Normalization", "BatchNormalization", "Flatten", "Reshape", "Dropout", "GaussianNoise")
"""Layers that only scale and shift each pixel: they can be folded into the weights that come after them."""

PIECE = 1 << 26
"""Bytes of activations that are held at once."""


@dataclass(frozen=True, eq=False)
class Templates:
    """The weights of a dense first layer, as images.

    For an image with brightness 0 to 1, Σ weight × brightness + bias is what the unit computes before its activation.

    Args:
        layer: its name.
        names: of the units; the classes where the layer is the last one.
        weights: `float32 (units, height, width[, channels])`, for each unit of brightness, 0 black to 1 white.
        biases: `float32 (units,)`.
    """

    layer: str
    names: tuple[str, ...]
    weights: np.ndarray = field(repr=False)
    biases: np.ndarray = field(repr=False)


@dataclass(frozen=True, eq=False)
class Filters:
    """The kernels of a convolution, as small images.

    Args:
        layer: its name.
        weights: `float32 (filters, height, width, channels)`, as they stand in the layer.
        biases: `float32 (filters,)`.
    """

    layer: str
    weights: np.ndarray = field(repr=False)
    biases: np.ndarray = field(repr=False)


def templates(model_or_run: "keras.Model | Run") -> Templates:
    """Return the weights of a dense first layer as images.

    What scales the pixels before the layer is folded into the weights, so that networks with and without it can be
    compared.

    Args:
        model_or_run: a run, or a built Keras model.

    Raises:
        InputError: the first layer with weights is no Dense layer that sees all pixels.

    Example:
        >>> import glassnet
        >>> from glassnet.explanation.units import templates
        >>> templates(glassnet.train("baseline", epochs=1)).weights.shape
        (10, 28, 28)
    """
    model, classes = (
        (model_or_run.model, model_or_run.passport.classes) if isinstance(model_or_run, Run) else (model_or_run, ())
    )
    layers = chain(model)
    before = next((k for k, layer in enumerate(layers) if type(layer).__name__ not in PIXELWISE), len(layers))
    first: Any = layers[before] if before < len(layers) else None
    shape = tuple(model.input_shape[1:])
    kind = type(first).__name__
    if kind != "Dense" or tuple(first.input.shape[1:]) != (math.prod(shape),):
        hint = "; its kernels can be seen as filters" if kind == "Conv2D" else ""
        raise InputError(
            f"the first layer of {model.name!r} that mixes pixels is {f'{first.name} ({kind})' if first else 'missing'}"
            f"{hint}; templates are covered for a Dense layer that sees all pixels, after nothing but "
            f"{', '.join(PIXELWISE)}"
        )
    values: Any = np.stack([np.zeros(shape, np.float32), np.full(shape, 255, np.float32)])
    for layer in layers[:before]:
        values = layer(values)
    # These layers scale and shift each pixel, so black and white tell all that they do to it.
    black, white = np.asarray(values, np.float64).reshape(2, -1)
    kernel, bias = _kernel(first)
    weights = (kernel * (white - black)[:, None]).T.reshape(-1, *shape)
    named = first is weighted_layers(model)[-1] and len(classes) == len(weights)
    return Templates(
        layer=first.name,
        names=tuple(classes) if named else tuple(f"unit {k}" for k in range(len(weights))),
        weights=weights.astype(np.float32),
        biases=(bias + black @ kernel).astype(np.float32),
    )


def filters(run: Run, layer: str | None = None) -> Filters:
    """Return the kernels of a convolution.

    Args:
        run: a trained network.
        layer: name of a Conv2D layer; the first one if None.

    Raises:
        UnknownNameError: there is no Conv2D layer of that name.
        InputError: the network has no Conv2D layer at all.
    """
    convolution = _convolution(run.model, layer)
    kernel, bias = _kernel(convolution)
    return Filters(convolution.name, np.moveaxis(kernel, -1, 0).astype(np.float32), bias.astype(np.float32))


def feature_maps(run: Run, image: Image, layer: str | None = None) -> np.ndarray:
    """Return what each filter of a convolution gives for an image.

    Args:
        run: a trained network.
        image: `uint8 (height, width[, channels])`.
        layer: name of a Conv2D layer; the first one if None.

    Returns:
        `float32 (filters, height, width)`.

    Raises:
        UnknownNameError: there is no Conv2D layer of that name.
        InputError: the network has no Conv2D layer at all, or the image does not fit it.
    """
    check_fit(run, image.shape)
    end = end_of(run.model, _convolution(run.model, layer)).name
    return np.moveaxis(activations(run.model, image[None], [end])[end][0], -1, 0)


def hidden_layers(model: "keras.Model") -> list[str]:
    """Return the names of the Dense and Conv2D layers before the one that gives the classes."""
    return [layer.name for layer in weighted_layers(model)[:-1] if type(layer).__name__ in KINDS]


def weighted_layers(model: "keras.Model") -> "list[keras.Layer]":
    """Return the layers that mix their inputs by weights: all that have some, but for normalisations and the like."""
    alone = {*FOLLOWERS, *PIXELWISE, "LayerNormalization", "GroupNormalization"}
    return [layer for layer in model.layers if layer.weights and type(layer).__name__ not in alone]


def end_of(model: "keras.Model", layer: "keras.Layer") -> "keras.Layer":
    """Return the last layer that belongs to the units of a layer; where the network branches, the layer itself."""
    try:
        layers = chain(model)
    except InputError:
        return layer
    position = layers.index(layer)
    while position + 1 < len(layers) and type(layers[position + 1]).__name__ in FOLLOWERS:
        position += 1
    return layers[position]


def maps_of(model: "keras.Model", layer: "keras.Layer", images: Images) -> Iterator[np.ndarray]:
    """Yield what the layer's units give, `(k, …, units)`, for k images at a time; of the last layer the logits."""
    import jax

    from glassnet._keras import keras
    from glassnet.training.inference import predict

    if layer is weighted_layers(model)[-1]:
        logits = logits_of(model)
        function = jax.jit(logits.function)

        def give(piece: np.ndarray) -> np.ndarray:
            return np.asarray(function(logits.weights, piece.astype(np.float32)))
    else:
        end = end_of(model, layer)
        body = keras.Model(model.inputs, calls(model)[end].outputs[0])

        def give(piece: np.ndarray) -> np.ndarray:
            return predict(body, piece)

    output: Any = layer.output
    one = 4 * max(math.prod(model.input_shape[1:]), math.prod(output.shape[1:]))
    length = max(1, PIECE // one)
    for start in range(0, len(images), length):
        yield give(images[start : start + length])


def images_of(run: Run, data: Dataset | None, split: str) -> Split:
    """Return the images to look at."""
    data = run.dataset() if data is None else data
    part = data.split(split)
    check_fit(run, part.images.shape[1:], data.classes)
    return part


def choose(n: int, count: int, seed: int) -> np.ndarray:
    """Return the numbers of `count` of n images (of all, if there are not more), chosen at random, in order."""
    check_count("images", count)
    return np.sort(np.random.default_rng(seed).choice(n, min(n, count), replace=False))


def _convolution(model: "keras.Model", name: str | None) -> "keras.Layer":
    """Return the Conv2D layer of that name, or the first one."""
    known = [layer.name for layer in model.layers if type(layer).__name__ == "Conv2D"]
    if not known:
        kinds = ", ".join(dict.fromkeys(type(layer).__name__ for layer in model.layers))
        raise InputError(f"the network {model.name!r} has no Conv2D layer (it has {kinds}), so there are no filters")
    return find_layer(model, known[0] if name is None else name, ("Conv2D",))


def _kernel(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of a Dense or Conv2D layer and its biases, 0 where it has none, as float64."""
    kernel = np.asarray(layer.kernel.value, np.float64)
    return kernel, np.asarray(layer.bias.value, np.float64) if layer.use_bias else np.zeros(kernel.shape[-1])
