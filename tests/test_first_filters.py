"""First filters that start at what the patches of the training images are made of."""

from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet import Dataset, recipes
from glassnet._keras import keras, seeded
from glassnet.first_filters import principal_filters, start_at_principal
from glassnet.replay import open_replay
from glassnet.sharing.command import command_line
from glassnet.sharing.keras_code import keras_code


def first_kernel(model: Any) -> np.ndarray:
    return np.asarray(next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)).kernel)


@pytest.mark.parametrize("shape", [(28, 28), (12, 17, 3)])
def test_they_are_the_directions_in_which_patches_vary_most(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    # Neighbours resemble each other, as in pictures.
    rough = rng.integers(0, 200, (300, *shape)).astype(float)
    images = ((rough + np.roll(rough, 1, 1) + np.roll(rough, 1, 2)) / 3).astype(np.uint8)
    directions = principal_filters(images, (3, 3))
    channels = images.reshape(*images.shape[:3], -1).shape[-1]
    assert directions.shape == (3, 3, channels, 9 * channels)
    rows = directions.reshape(-1, 9 * channels).T
    np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-5)

    windows = np.lib.stride_tricks.sliding_window_view(images.reshape(300, *shape[:2], -1), (3, 3), (1, 2))
    patches = np.moveaxis(windows, 3, -1).reshape(-1, 9 * channels).astype(float)
    strengths = (patches @ rows.T).var(0)
    best = np.sort(np.linalg.eigvalsh(np.cov(patches, rowvar=False)))[::-1]
    np.testing.assert_allclose(strengths, best, rtol=0.1)


def test_each_direction_has_a_filter_for_either_sign(few: Dataset) -> None:
    with seeded(3):
        model = recipes.find("cnn").changed(filters=(24, 8)).build((28, 28), 10)
    before = first_kernel(model).reshape(9, 24)
    others = [np.array(one) for one in model.get_weights()[1:]]
    start_at_principal(model, few.train.images)
    after = first_kernel(model).reshape(9, 24)
    lengths = np.linalg.norm(after, axis=0)
    np.testing.assert_allclose(lengths, np.linalg.norm(before, axis=0), rtol=1e-5)
    np.testing.assert_allclose(after[:, 9:18] / lengths[9:18], -after[:, :9] / lengths[:9], atol=1e-5)
    # Patches of nine pixels have nine directions.
    np.testing.assert_array_equal(after[:, 18:], before[:, 18:])
    for one, other in zip(model.get_weights()[1:], others, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_member_starts_there(few: Dataset) -> None:
    with seeded(3):
        model = recipes.find("cnn").changed(filters=(8, 8), members=2).build((28, 28), 10)
    start_at_principal(model, few.train.images, members=2)
    kernel = first_kernel(model).reshape(9, 16)
    first, second = np.split(kernel / np.linalg.norm(kernel, axis=0), 2, -1)
    np.testing.assert_allclose(first, second, atol=1e-5)
    np.testing.assert_allclose(first[:, 4:], -first[:, :4], atol=1e-5)


@pytest.mark.parametrize(("filters", "shape"), [((), (28, 28)), ((6,), (2, 9))])
def test_where_there_is_no_patch_all_stay_as_they_are(filters: tuple[int, ...], shape: tuple[int, int]) -> None:
    with seeded(3):
        model = recipes.find("cnn").changed(filters=filters).build(shape, 10)
    before = [np.array(one) for one in model.get_weights()]
    start_at_principal(model, np.zeros((5, *shape), np.uint8))
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_images_without_any_contrast_give_filters_all_the_same() -> None:
    assert np.isfinite(principal_filters(np.full((1, 5, 5), 7, np.uint8), (3, 3))).all()


def test_a_recipe_starts_there_and_says_so(few: Dataset) -> None:
    run = glassnet.train("quick", few, epochs=1, snapshots=True)
    start = open_replay(run).values[0][0].reshape(9, 12)
    np.testing.assert_allclose(
        start[:, 6:] / np.linalg.norm(start[:, 6:], axis=0),
        -start[:, :6] / np.linalg.norm(start[:, :6], axis=0),
        atol=1e-5,
    )
    assert "principal" in keras_code(run)
    other = glassnet.train("quick", few, epochs=1, principal=False)
    assert "principal" not in keras_code(other)
    fashion = other.passport.model_copy(update={"dataset": "fashion-mnist"})
    assert "--no-principal" in str(command_line(fashion))
