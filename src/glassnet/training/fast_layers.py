"""A model's own convolution, pooling and normalisation layers compute in their fast form while a step is traced."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from glassnet._keras import keras
from glassnet.training.convolution import (
    Window,
    add_bias,
    average_pool,
    convolution,
    depthwise_convolution,
    max_pool,
)
from glassnet.training.normalization import batch_normalization
from glassnet.training.overrides import overridden

MOST_TAPS = 49
"""A larger window is left to Keras."""


class _Origin(NamedTuple):
    """What a convolution layer's outputs were computed from, for a pooling layer that follows."""

    outputs: jax.Array
    images: jax.Array
    kernel: jax.Array
    window: Window
    finish: Callable[[jax.Array], jax.Array]


@contextmanager
def fast_forms(model: Any) -> Iterator[None]:
    """Makes the model's own convolution, pooling and batch normalisation layers compute in their fast form.

    Meant to be open only while a step function is traced.  The forms are set on the layer objects and
    taken away again on exit; classes, configuration and weights are not touched.  Layers that are
    subclassed, `channels_first` or otherwise unsupported keep Keras's computation.  Off the CPU
    nothing happens, for other devices have good convolutions of their own.

    Args:
        model: A built Keras model; nested models are included.
    """
    if jax.default_backend() != "cpu":
        yield
        return
    origins: list[_Origin] = []
    calls = ((layer, _fast_call(layer, origins)) for layer in model._flatten_layers())
    try:
        with overridden([(layer, "call", call) for layer, call in calls if call is not None]):
            yield
    finally:
        origins.clear()


def _fast_call(layer: Any, origins: list[_Origin]) -> Callable | None:
    """Returns the fast form of a layer's `call`, or None to leave the layer alone."""
    layers = keras.layers
    if type(layer) is layers.BatchNormalization:
        return _normalization_call(layer, layer.call)
    for base, make in (
        (layers.Conv2D, _conv_call),
        (layers.DepthwiseConv2D, _depthwise_call),
        (layers.SeparableConv2D, _separable_call),
        (layers.MaxPooling2D, _max_pool_call),
        (layers.AveragePooling2D, _average_pool_call),
    ):
        if isinstance(layer, base):
            own = type(layer).call is base.call and _same(type(layer), base, "convolution_op")
            if own and layer.data_format == "channels_last":
                return make(layer, layer.call, origins)
    return None


def _same(kind: type, base: type, name: str) -> bool:
    return getattr(kind, name, None) is getattr(base, name, None)


def _conv_call(layer: Any, original: Callable, origins: list[_Origin]) -> Callable:
    after_pooling = layer.activation in (None, keras.activations.relu, keras.activations.linear)

    def call(inputs: jax.Array) -> jax.Array:
        window = _window_of(layer, inputs, layer.kernel_size)
        weights = _tensor(layer.kernel)
        if window is None or inputs.shape[3] % weights.shape[2]:
            return original(inputs)
        images = _tensor(inputs, dtype=weights.dtype)

        def finish(outputs: jax.Array) -> jax.Array:
            return _finish(layer, outputs)

        if weights.shape[2] == 1 and images.shape[3] > 1:
            depth = weights.reshape(*weights.shape[:2], images.shape[3], -1)
            return finish(depthwise_convolution(images, depth, window))
        outputs = finish(convolution(images, weights, window))
        if after_pooling:
            origins.append(_Origin(outputs, images, weights, window, finish))
        return outputs

    return call


def _depthwise_call(layer: Any, original: Callable, origins: list[_Origin]) -> Callable:
    def compute(inputs: jax.Array, window: Window) -> jax.Array:
        weights = _tensor(layer.kernel)
        return _finish(layer, depthwise_convolution(inputs, weights, window))

    return _windowed(layer, layer.kernel_size, original, compute)


def _separable_call(layer: Any, original: Callable, origins: list[_Origin]) -> Callable:
    def compute(inputs: jax.Array, window: Window) -> jax.Array:
        outputs = depthwise_convolution(inputs, _tensor(layer.depthwise_kernel), window)
        point = _tensor(layer.pointwise_kernel)
        return _finish(layer, jnp.tensordot(outputs, point[0, 0], 1))

    return _windowed(layer, layer.kernel_size, original, compute)


def _finish(layer: Any, outputs: jax.Array) -> jax.Array:
    if layer.use_bias:
        outputs = add_bias(outputs, _tensor(layer.bias))
    return outputs if layer.activation is None else layer.activation(outputs)


def _max_pool_call(layer: Any, original: Callable, origins: list[_Origin]) -> Callable:
    def compute(inputs: jax.Array, window: Window) -> jax.Array:
        size = _pair(layer.pool_size)
        origin = next((origin for origin in origins if origin.outputs is inputs), None)
        if origin is None or window.strides != size or any(map(any, window.padding)):
            return max_pool(inputs, size, window)
        # Pooling before bias and ReLU gives the same result from a quarter of the elements, and the
        # convolution need not compute rows and columns the pooling drops.  The convolution computed
        # for its own layer is dead code then, unless another layer uses it.
        used = origin.window.cropped(_pair(inputs.shape[1:3]), size)
        return origin.finish(max_pool(convolution(origin.images, origin.kernel, used), size, window))

    return _windowed(layer, layer.pool_size, original, compute)


def _average_pool_call(layer: Any, original: Callable, origins: list[_Origin]) -> Callable:
    def compute(inputs: jax.Array, window: Window) -> jax.Array:
        return average_pool(inputs, _pair(layer.pool_size), window)

    return _windowed(layer, layer.pool_size, original, compute)


def _normalization_call(layer: Any, original: Callable) -> Callable:
    special = layer.renorm or layer.synchronized or not (layer.scale and layer.center)

    def call(inputs: jax.Array, training: bool | None = None, mask: Any = None) -> jax.Array:
        last = layer.axis in (-1, len(inputs.shape) - 1)
        if special or not (training and layer.trainable and last) or mask is not None or inputs.dtype != jnp.float32:
            return original(inputs, training=training, mask=mask)
        found: Any = batch_normalization(inputs, _tensor(layer.gamma), _tensor(layer.beta), layer.epsilon)
        outputs, mean, variance = found
        for moving, value in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
            moving.assign(_tensor(moving) * layer.momentum + value * (1.0 - layer.momentum))
        return outputs

    return call


def _windowed(layer: Any, size: Sequence[int], original: Callable, compute: Callable) -> Callable:
    """Returns a call that computes with the layer's window, or is the original where there is none."""

    def call(inputs: jax.Array) -> jax.Array:
        window = _window_of(layer, inputs, size)
        return original(inputs) if window is None else compute(inputs, window)

    return call


def _window_of(layer: Any, inputs: Any, size: Sequence[int]) -> Window | None:
    """Returns the layer's window on its inputs, or None where Keras's own form is to be used."""
    if not isinstance(inputs, jax.Array) or inputs.ndim != 4 or inputs.size == 0:
        return None
    if not jnp.issubdtype(inputs.dtype, jnp.floating) or math.prod(size) > MOST_TAPS:
        return None
    if layer.padding not in ("valid", "same"):
        return None
    image = inputs.shape[1], inputs.shape[2]
    strides = _pair(layer.strides if layer.strides is not None else size)
    window = Window.of(image, _pair(size), strides, _pair(getattr(layer, "dilation_rate", (1, 1))), layer.padding)
    return window if min(window.outputs(image, _pair(size))) > 0 else None


def _pair(size: Sequence[int]) -> tuple[int, int]:
    """Return height and width as a pair."""
    height, width = size
    return height, width


def _tensor(value: Any, dtype: Any = None) -> jax.Array:
    tensor: Any = keras.ops.convert_to_tensor(value, dtype=dtype)  # of the backend's kind, which is JAX's
    return tensor
