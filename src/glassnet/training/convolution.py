"""Convolutions and pooling that stay fast inside a compiled loop on the CPU.

XLA's CPU backend has a fast convolution, but only for operands in its canonical layout (images `NHWC`, kernels `HWIO`),
and it brings operands into that layout only outside of loops. The gradients that JAX derives for a convolution are not
canonical, so inside a loop they fall back to scalar code that is ten times and more slower. Here the gradients are
written as what XLA does well anywhere: matrix products over columns, and convolutions that are canonical themselves.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from glassnet.training.normalization import sum_of_rows

_DIMENSIONS = ("NHWC", "HWIO", "NHWC")

FEW_GROUPS = 4
"""So many groups of channels are convolved one by one: together, XLA takes three to four times as long."""

Size = tuple[int, int]
"""Height and width."""


class Window(NamedTuple):
    """How a window moves over an image; every field has one entry for the height and one for the width.

    Attributes:
        strides: Steps between neighbouring outputs.
        dilation: Steps between neighbouring taps of the kernel.
        padding: Zeros `(before, after)` each axis.
    """

    strides: Size
    dilation: Size
    padding: tuple[Size, Size]

    @classmethod
    def of(cls, image: Size, size: Size, strides: Size, dilation: Size, padding: str) -> Window:
        """Builds the window for an image of height and width `image` from Keras's arguments."""

        def pads(axis: int) -> tuple[int, int]:
            reach = (size[axis] - 1) * dilation[axis] + 1
            total = max((-(-image[axis] // strides[axis]) - 1) * strides[axis] + reach - image[axis], 0)
            return total // 2, total - total // 2

        return cls(strides, dilation, (pads(0), pads(1)) if padding == "same" else ((0, 0), (0, 0)))

    def outputs(self, image: Size, size: Size) -> Size:
        """Returns the height and width of the result."""

        def length(axis: int) -> int:
            reach = (size[axis] - 1) * self.dilation[axis] + 1
            return (image[axis] + sum(self.padding[axis]) - reach) // self.strides[axis] + 1

        return length(0), length(1)

    def cropped(self, outputs: Size, size: Size) -> Window:
        """Returns the window without the last outputs that windows of `size` do not cover."""
        (top, bottom), (left, right) = self.padding
        down, across = (outputs[axis] % size[axis] * self.strides[axis] for axis in range(2))
        return self._replace(padding=((top, bottom - down), (left, right - across)))


def taps(images, size, window: Window, fill=0.0) -> list[jax.Array]:
    """Returns for each tap of a window, row by row, the elements of all outputs under that tap."""
    height, width = window.outputs(images.shape[1:3], size)
    (top, bottom), (left, right) = window.padding
    if top or bottom or left or right:
        pads = ((0, 0, 0), (top, bottom, 0), (left, right, 0), (0, 0, 0))
        images = lax.pad(images, jnp.asarray(fill, images.dtype), pads)
    (down, across), (row_step, column_step) = window.strides, window.dilation
    return [
        lax.slice(
            images,
            (0, i * row_step, j * column_step, 0),
            (
                images.shape[0],
                i * row_step + (height - 1) * down + 1,
                j * column_step + (width - 1) * across + 1,
                images.shape[3],
            ),
            (1, down, across, 1),
        )
        for i in range(size[0])
        for j in range(size[1])
    ]


@jax.custom_vjp
def add_bias(images: jax.Array, bias: jax.Array) -> jax.Array:
    """Adds one number to each channel."""
    return images + bias


def _bias_gradient(_, gradient):
    return gradient, sum_of_rows(gradient)


add_bias.defvjp(lambda images, bias: (images + bias, None), _bias_gradient)


def _is_thin(images, kernel) -> bool:
    """Tells whether a patch is too small for XLA's convolution to fill the vector units."""
    return kernel.shape[2] == images.shape[3] and math.prod(kernel.shape[:3]) <= 32


def convolution(images: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """Convolves images `NHWC` with a kernel `HWIO`; the groups follow from the channels."""
    groups = images.shape[3] // kernel.shape[2]
    if not 1 < groups <= FEW_GROUPS:
        return _convolution(images, kernel, window)
    parts = zip(jnp.split(images, groups, 3), jnp.split(kernel, groups, 3), strict=True)
    return jnp.concatenate([_convolution(image, part, window) for image, part in parts], 3)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _convolution(images: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    return _convolution_forward(images, kernel, window)[0]


def _convolution_forward(images, kernel, window):
    size, depth, filters = kernel.shape[:2], kernel.shape[2], kernel.shape[3]
    if _is_thin(images, kernel):
        columns = jnp.concatenate(taps(images, size, window), -1)
        return jnp.tensordot(columns, kernel.reshape(-1, filters), 1), (images, kernel, columns)
    if size == (1, 1) and window.strides == (1, 1) and depth == images.shape[3]:
        (top, bottom), (left, right) = window.padding
        image = lax.pad(images, jnp.zeros((), images.dtype), ((0, 0, 0), (top, bottom, 0), (left, right, 0), (0, 0, 0)))
        return jnp.tensordot(image, kernel[0, 0], 1), (images, kernel, None)
    outputs = lax.conv_general_dilated(
        images,
        kernel,
        window.strides,
        window.padding,
        rhs_dilation=window.dilation,
        dimension_numbers=_DIMENSIONS,
        feature_group_count=images.shape[3] // depth,
    )
    return outputs, (images, kernel, None)


def _convolution_backward(window, saved, gradient):
    images, kernel, columns = saved
    if columns is not None:
        to_kernel = _kernel_product(columns, gradient).reshape(kernel.shape)
    elif kernel.shape[2] == images.shape[3]:
        to_kernel = _kernel_gradient(images, kernel, gradient, window)
    else:
        to_kernel = _grouped_kernel_gradient(images, kernel, gradient, window)
    return _image_gradient(images, kernel, gradient, window), to_kernel


_convolution.defvjp(_convolution_forward, _convolution_backward)


def _image_gradient(images, kernel, gradient, window: Window):
    """Returns the gradient to the images: the output's gradient convolved with the turned kernel."""
    rows, columns, depth, filters = kernel.shape
    groups = images.shape[3] // depth
    turned = kernel[::-1, ::-1].reshape(rows, columns, depth, groups, filters // groups)
    turned = turned.transpose(0, 1, 4, 3, 2).reshape(rows, columns, filters // groups, groups * depth)
    pads = []
    for axis in range(2):
        reach = (kernel.shape[axis] - 1) * window.dilation[axis]
        before = reach - window.padding[axis][0]
        spread = (gradient.shape[axis + 1] - 1) * window.strides[axis] + 1
        pads.append((before, images.shape[axis + 1] + reach - spread - before))
    return lax.conv_general_dilated(
        gradient,
        turned,
        (1, 1),
        pads,
        lhs_dilation=window.strides,
        rhs_dilation=window.dilation,
        dimension_numbers=_DIMENSIONS,
        feature_group_count=groups,
    )


def _kernel_gradient(images, kernel, gradient, window: Window):
    """Returns the gradient to the kernel: the images convolved with the output's gradient.

    Channels take the place of the batch and the batch that of the channels.  The two transposed copies are what makes
    it canonical; they cost a tenth of what it gains on columns.
    """
    pads = []
    for axis in range(2):
        spread = (gradient.shape[axis + 1] - 1) * window.strides[axis] + 1
        reach = (kernel.shape[axis] - 1) * window.dilation[axis]
        before = window.padding[axis][0]
        pads.append((before, spread + reach - images.shape[axis + 1] - before))

    to_kernel = lax.conv_general_dilated(
        _transposed(images, (3, 1, 2, 0)),
        _transposed(gradient, (1, 2, 0, 3)),
        window.dilation,
        pads,
        rhs_dilation=window.strides,
        dimension_numbers=_DIMENSIONS,
    )
    return to_kernel.transpose(1, 2, 0, 3)


def _transposed(array, axes):
    """Returns the array with its axes permuted, computed from the array in memory.

    Without the branch, XLA computes the whole layer before anew for the transposed copy, in an order that misses the
    caches: 11 ms a step where the copy takes 1 ms. It removes optimization barriers before it decides on that.
    """
    first = array.reshape(-1)[0]
    nothing = jnp.full([array.shape[axis] for axis in axes], jnp.nan, array.dtype)
    return lax.cond(first == first, lambda: array.transpose(axes), lambda: nothing)  # noqa: PLR0124 (false for NaN)


def _grouped_kernel_gradient(images, kernel, gradient, window: Window):
    """Returns the gradient to the kernel of a convolution in groups, as products of columns."""
    rows, columns, depth, filters = kernel.shape
    groups = images.shape[3] // depth
    taken = jnp.stack(taps(images, (rows, columns), window), 3).reshape(-1, rows * columns, groups, depth)
    slope = gradient.reshape(-1, groups, filters // groups)
    return jnp.einsum("ntgd,ngf->tdgf", taken, slope).reshape(kernel.shape)


def _kernel_product(columns, gradient):
    # One product with so many rows to sum over runs at half speed; four independent parts do not.
    parts = math.gcd(gradient.shape[0], 4)
    left, right = (array.reshape(parts, -1, array.shape[-1]) for array in (columns, gradient))
    return _sum_of_products(left, right)


def _sum_of_products(left, right):
    return lax.dot_general(left, right, (((1,), (1,)), ((0,), (0,)))).sum(0)


def depthwise_convolution(images: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """Convolves each channel on its own, with a kernel of height, width, channels and multiplier."""
    rows, columns, channels, multiplier = kernel.shape
    weights = kernel.reshape(rows * columns, channels, multiplier)
    parts = taps(images, (rows, columns), window)
    if multiplier == 1:
        return functools.reduce(jnp.add, [tap * weight[:, 0] for tap, weight in zip(parts, weights, strict=True)])
    total = functools.reduce(jnp.add, [tap[..., None] * weight for tap, weight in zip(parts, weights, strict=True)])
    return total.reshape(*total.shape[:3], channels * multiplier)


def average_pool(images: jax.Array, size: tuple[int, int], window: Window) -> jax.Array:
    """Averages over windows, counting only the elements inside the image."""
    total = functools.reduce(jnp.add, taps(images, size, window))
    if not any(map(any, window.padding)):
        return total / math.prod(size)
    ones = jnp.ones((1, *images.shape[1:3], 1), images.dtype)
    return total / functools.reduce(jnp.add, taps(ones, size, window))


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def max_pool(images: jax.Array, size: tuple[int, int], window: Window) -> jax.Array:
    """Takes the maximum over windows; the gradient goes to the first maximum, as XLA's does."""
    return functools.reduce(jnp.maximum, taps(images, size, window, -jnp.inf))


def _max_pool_forward(images, size, window):
    largest, *others = taps(images, size, window, -jnp.inf)
    first = jnp.zeros(largest.shape, jnp.int8)
    for index, tap in enumerate(others, 1):
        first = jnp.where(tap > largest, jnp.int8(index), first)
        largest = jnp.maximum(largest, tap)
    return largest, (first, images.shape[1:3])


def _max_pool_backward(size, window, saved, gradient):
    first, (height, width) = saved
    rows, columns = size
    (top, bottom), (left, right) = window.padding
    if window.strides == tuple(size) and not (top or bottom or left or right):
        index = jnp.arange(rows * columns, dtype=jnp.int8).reshape(1, 1, rows, 1, columns, 1)
        routed = jnp.where(first[:, :, None, :, None] == index, gradient[:, :, None, :, None], 0)
        outer = gradient.shape[1] * rows, gradient.shape[2] * columns
        routed = routed.reshape(gradient.shape[0], *outer, gradient.shape[3])
        rest = height - outer[0], width - outer[1]
        return (jnp.pad(routed, ((0, 0), (0, rest[0]), (0, rest[1]), (0, 0))),)
    total: Any = 0
    zero = jnp.zeros((), gradient.dtype)
    for index in range(rows * columns):
        part = jnp.where(first == index, gradient, zero)
        pads = [(0, 0, 0)]
        for axis, offset in enumerate(divmod(index, columns)):
            before = offset - window.padding[axis][0]
            extent = (height, width)[axis]
            stride = window.strides[axis]
            after = extent - before - ((gradient.shape[axis + 1] - 1) * stride + 1)
            pads.append((before, after, stride - 1))
        total = total + lax.pad(part, zero, [*pads, (0, 0, 0)])
    return (total,)


max_pool.defvjp(_max_pool_forward, _max_pool_backward)
