"""Batch normalisation in its fast form computes what Keras's layer computes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassnet._keras import keras
from glassnet.training.fast_layers import fast_forms
from glassnet.training.normalization import batch_normalization, sum_of_rows


def reference(inputs: jax.Array, gamma: jax.Array, beta: jax.Array, epsilon: float) -> jax.Array:
    axes = tuple(range(inputs.ndim - 1))
    mean, variance = inputs.mean(axes), inputs.var(axes)
    return (inputs - mean) / jnp.sqrt(variance + epsilon) * gamma + beta


@pytest.mark.parametrize("shape", [(8, 5, 5, 3), (7, 4, 6, 16), (13, 10), (1, 3, 3, 2)])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_outputs_and_gradients(shape: tuple[int, ...], offset: float) -> None:
    draw = np.random.default_rng(0)
    inputs = jnp.asarray(draw.normal(offset, 2, shape), jnp.float32)
    gamma, beta = (jnp.asarray(draw.normal(1, 1, shape[-1]), jnp.float32) for _ in range(2))
    slope = jnp.asarray(draw.normal(size=shape), jnp.float32)

    outputs, mean, variance = batch_normalization(inputs, gamma, beta, 1e-3)  # pyright: ignore[reportGeneralTypeIssues]
    np.testing.assert_allclose(outputs, reference(inputs, gamma, beta, 1e-3), atol=2e-4)
    np.testing.assert_allclose(mean, inputs.mean(range(inputs.ndim - 1)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(variance, inputs.var(range(inputs.ndim - 1)), rtol=1e-4)

    own = jax.grad(lambda *a: (batch_normalization(*a, 1e-3)[0] * slope).sum(), (0, 1, 2))  # pyright: ignore[reportIndexIssue]
    known = jax.grad(lambda *a: (reference(*a, 1e-3) * slope).sum(), (0, 1, 2))
    for mine, theirs in zip(own(inputs, gamma, beta), known(inputs, gamma, beta), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-3)


def test_sum_of_rows_is_a_sum() -> None:
    rows = np.random.default_rng(1).normal(size=(6, 5, 7)).astype(np.float32)
    np.testing.assert_allclose(sum_of_rows(jnp.asarray(rows)), rows.sum((0, 1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [{}, {"momentum": 0.5, "epsilon": 0.1}, {"scale": False}, {"center": False}, {"trainable": False}, {"axis": 1}],
)
def test_a_layer_gives_keras_s_outputs_and_moving_statistics(settings: dict) -> None:
    images = np.random.default_rng(2).normal(3, 2, (9, 4, 4, 6)).astype(np.float32)
    plain, fast = (
        keras.Sequential([keras.Input((4, 4, 6)), keras.layers.BatchNormalization(**settings)]) for _ in "12"
    )
    wanted = plain(images, training=True)
    with fast_forms(fast):
        found = fast(images, training=True)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    for mine, theirs in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(fast(images), plain(images), atol=1e-5)
