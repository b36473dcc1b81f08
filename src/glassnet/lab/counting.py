"""Counting: what a recipe's network takes for what while it learns, worked out with NumPy.

A compiled program of its own for so few images would take longer to compile than many a training takes.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from glassnet.building import convolutions
from glassnet.datasets import Dataset
from glassnet.lab.stages import KERNEL
from glassnet.recipe import Recipe

COUNTED, FEWER = 500, 150
"""Test images: of networks that answer quickly, and of others."""

MOST_PRODUCTS, MOST_PRODUCTS_OF_FEWER = 200_000, 3_000_000
"""Products for one image. Of larger networks, answers would hold up the training."""

EPSILON = 1e-3
"""What Keras adds to the variance when it normalises."""


def images_to_count(plan: Recipe, image_shape: tuple[int, ...], classes: int) -> int:
    """Return how many test images a network can be asked about again and again while it learns; 0 for a large one.

    Example:
        >>> from glassnet.recipes import find
        >>> images_to_count(find("baseline"), (28, 28), 10), images_to_count(find("cnn"), (28, 28), 10)
        (500, 150)
    """
    height, width, channels = (*image_shape, 1)[:3]
    products = 0
    for _, filters, size in convolutions(plan, height, width):
        products += plan.members * height * width * KERNEL * KERNEL * channels * filters
        height, width, channels = *size, filters
    before = height * width * channels * plan.members
    for units in (*plan.hidden, classes):
        products += before * units
        before = units
    return COUNTED if products <= MOST_PRODUCTS else FEWER if products <= MOST_PRODUCTS_OF_FEWER else 0


def count_answers(plan: Recipe, weights: Sequence[np.ndarray], data: Dataset, images: int = COUNTED) -> np.ndarray:
    """Count which class a recipe's network takes for which, on the first test images: `int (truth, answer)`.

    Args:
        plan: the recipe.
        weights: of its network, in Keras's order.
        data: whose test images are asked about.
        images: how many.
    """
    part, classes = data.test, len(data.classes)
    values = part.images[:images].astype(np.float32)
    if plan.scale:
        values /= 255
    left = iter(weights)
    if plan.filters and values.ndim == 3:
        values = values[..., None]
    for one in convolutions(plan, *data.image_shape[:2]):
        values = _convolved(plan, values, one.size, left)
    values = values.reshape(len(values), -1)
    for _ in plan.hidden:
        values = _activated(plan.activation, values @ next(left) + next(left))
    answers = (values @ next(left) + next(left)).argmax(1)  # softmax keeps the order
    cells = part.labels[: len(answers)].astype(np.int64) * classes + answers
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def _convolved(plan: Recipe, values: np.ndarray, size: tuple[int, int], weights: Iterator[np.ndarray]) -> np.ndarray:
    """Compute a convolution of a recipe, pooling to maps of that size, normalisation and activation."""
    kernel = next(weights)
    groups = values.shape[-1] // kernel.shape[-2]
    parts = zip(np.split(values, groups, -1), np.split(kernel, groups, -1), strict=True)
    values = np.concatenate([_columns(part) @ filters.reshape(-1, filters.shape[-1]) for part, filters in parts], -1)
    if not plan.batch_norm:
        return _pooled(_activated(plan.activation, values + next(weights)), size)
    gamma, beta, mean, variance = (next(weights) for _ in range(4))
    values = _pooled(values, size)
    return _activated(plan.activation, (values - mean) * (gamma / np.sqrt(variance + EPSILON)) + beta)


def _columns(values: np.ndarray) -> np.ndarray:
    """Put what a filter sees at each place of the maps into one row."""
    framed = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = values.shape[1:3]
    pieces = [
        framed[:, down : down + height, across : across + width] for down in range(KERNEL) for across in range(KERNEL)
    ]
    return np.concatenate(pieces, -1)


def _pooled(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Keep the largest of two by two values, where that size asks for it."""
    n, height, width, channels = values.shape
    high, wide = size
    if size == (height, width):
        return values
    return values[:, : 2 * high, : 2 * wide].reshape(n, high, 2, wide, 2, channels).max((2, 4))


def _activated(name: str, values: np.ndarray) -> np.ndarray:
    if name == "relu":
        return np.maximum(values, 0)
    import jax.numpy as jnp

    from glassnet._keras import keras

    return np.asarray(keras.activations.get(name)(jnp.asarray(values)))
