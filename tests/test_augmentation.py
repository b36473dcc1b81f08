"""Augmentation: changes of images, inside the compiled step."""

import jax
import numpy as np
import pytest
import scipy.ndimage

import glassnet
from glassnet import Dataset, InputError, recipes
from glassnet.augmentation import LIMITS, Augmentation, augment
from glassnet.training.trainer import fit
from tests.conftest import part

KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def shoes(fashion: Dataset) -> np.ndarray:
    return fashion.train.images[:64]


def test_nothing_wanted_changes_nothing(shoes: np.ndarray) -> None:
    assert augment(shoes, KEY, Augmentation()) is shoes


@pytest.mark.parametrize(
    "plan",
    [{"shift": 3}, {"rotate": 20}, {"zoom": 0.2}, {"elastic": 1.5}, {"erase": 0.5}, {"flip": True}, {"shift": 1.5}],
    ids=str,
)
def test_every_change_keeps_shape_and_range_and_differs_by_image_and_key(shoes: np.ndarray, plan: dict) -> None:
    changed = np.asarray(augment(shoes, KEY, Augmentation(**plan)))
    assert changed.shape == shoes.shape and changed.dtype == np.float32
    assert changed.min() >= 0 and changed.max() <= 255.001
    assert not np.allclose(changed, shoes)
    same = np.repeat(shoes[:1], 64, axis=0)
    alike = np.asarray(augment(same, KEY, Augmentation(**plan)))
    assert len(np.unique(alike.round(2).reshape(64, -1), axis=0)) >= 2
    np.testing.assert_array_equal(changed, augment(shoes, KEY, Augmentation(**plan)))
    assert not np.array_equal(changed, augment(shoes, jax.random.key(4), Augmentation(**plan)))


def test_colour_channels_move_together(shoes: np.ndarray) -> None:
    colour = np.stack([shoes, shoes // 2, shoes // 4], axis=-1)
    changed = np.asarray(augment(colour, KEY, Augmentation(shift=2, rotate=15, erase=0.3, flip=True)))
    gray = np.asarray(augment(shoes, KEY, Augmentation(shift=2, rotate=15, erase=0.3, flip=True)))
    assert changed.shape == colour.shape
    np.testing.assert_allclose(changed[..., 0], gray, atol=1e-3)


def test_a_recipe_adapts_to_what_the_images_show(fashion: Dataset) -> None:
    strong = recipes.find("strong")
    assert not strong.augmentation.any
    drawings, items, scenes = (strong.adapted(kind, 28) for kind in ("drawings", "items", "scenes"))
    assert drawings.rotate and drawings.zoom and not drawings.flip
    assert items.flip and scenes.flip and not items.rotate
    assert strong.adapted("scenes", 56).shift == 2 * scenes.shift
    assert strong.changed(zoom=0.2).adapted("items", 28).augmentation == Augmentation(zoom=0.2)
    assert recipes.find("cnn").adapted("items", 28) == recipes.find("cnn")
    assert recipes.find("record").adapted("drawings", 28).erase == recipes.find("record").erase > 0

    settings = glassnet.train("strong", part(fashion, 300, 50), epochs=1).passport.settings
    assert {name: settings[name] for name in ("flip", "shift", "rotate")} == {"flip": True, "shift": 0, "rotate": 0}


def test_whole_pixels_move_without_loss(shoes: np.ndarray) -> None:
    changed = np.asarray(augment(shoes, KEY, Augmentation(shift=2)))
    for before, after in zip(shoes, changed, strict=True):
        moves = [
            scipy.ndimage.shift(before, (down, across), order=0) for down in range(-2, 3) for across in range(-2, 3)
        ]
        assert any(np.array_equal(after, one) for one in moves)


def test_looking_up_between_pixels_agrees_with_scipy(shoes: np.ndarray) -> None:
    from glassnet.augmentation import _looked_up

    rows = np.random.default_rng(0).uniform(0, 27, (4, 28, 28)).astype(np.float32)
    columns = np.random.default_rng(1).uniform(0, 27, (4, 28, 28)).astype(np.float32)
    found = _looked_up(shoes[:4, ..., None].astype(np.float32), rows, columns)[..., 0]
    for k in range(4):
        wanted = scipy.ndimage.map_coordinates(shoes[k].astype(float), [rows[k], columns[k]], order=1)
        np.testing.assert_allclose(found[k], wanted, atol=0.02)


@pytest.mark.parametrize("plan", [{"shift": 3}, {"shift": 1.5, "rotate": 10, "zoom": 0.1, "elastic": 1}])
def test_what_comes_into_view_is_as_bright_as_the_ground(shoes: np.ndarray, plan: dict) -> None:
    key = jax.random.key(5)
    dark, light = (np.asarray(augment(images, key, Augmentation(**plan))) for images in (shoes, 255 - shoes))
    np.testing.assert_allclose(light, 255 - dark, atol=1e-3)


def test_half_are_mirrored_and_nothing_else(shoes: np.ndarray) -> None:
    changed = np.asarray(augment(shoes, KEY, Augmentation(flip=True)))
    mirrored = [np.array_equal(after, before[:, ::-1]) for before, after in zip(shoes, changed, strict=True)]
    kept = [np.array_equal(after, before) for before, after in zip(shoes, changed, strict=True)]
    assert all(a or b for a, b in zip(mirrored, kept, strict=True)) and 16 < sum(mirrored) < 48


def test_turning_keeps_the_angle_within_its_limit() -> None:
    bar = np.zeros((200, 41, 41), np.uint8)
    bar[:, 20, 5:36] = 255
    changed = np.asarray(augment(bar, KEY, Augmentation(rotate=30)))
    down, across = np.mgrid[-20:21, -20:21]
    angles = []
    for image in changed:
        xx, yy, xy = (image * across**2).sum(), (image * down**2).sum(), (image * across * down).sum()
        angles.append(np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)))
    assert 25 < np.abs(angles).max() < 31 and np.min(angles) < -20 and np.max(angles) > 20


def test_erasing_covers_half_of_the_images_within_its_share() -> None:
    changed = np.asarray(augment(np.full((400, 20, 20), 300.0, np.float32), KEY, Augmentation(erase=0.5)))
    covered = (changed != 300).sum((1, 2))
    assert 0.4 < (covered > 0).mean() < 0.6
    assert covered.max() <= 11 * 11


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [-1, 1e9, float("nan"), "much", True])
def test_a_value_out_of_range_says_which_is_possible(name: str, value: object, unchecked: None) -> None:
    with pytest.raises(InputError, match=f"^{name} is .*; it must be a number from 0 to"):
        Augmentation(**{name: value})


def test_training_with_it_is_repeatable_and_seeds_differ(few: Dataset) -> None:
    def weights(seed: int) -> np.ndarray:
        run = glassnet.train("baseline", few, seed=seed, epochs=1, shift=2, rotate=10)
        assert run.passport.settings["shift"] == 2
        return run.model.get_weights()[0]

    np.testing.assert_array_equal(weights(1), weights(1))
    plain = glassnet.train("baseline", few, seed=1, epochs=1).model.get_weights()[0]
    assert not np.array_equal(weights(1), plain) and not np.array_equal(weights(1), weights(2))


def test_a_step_trains_on_the_changed_images(few: Dataset) -> None:
    from glassnet._keras import seeded

    models = []
    for _ in range(2):
        with seeded(0):
            models.append(recipes.find("baseline").changed(optimizer="sgd").build((28, 28), 10))
    images, labels = few.train.images[:32], few.train.labels[:32]
    fit(models[0], images, labels, batch_size=32, shuffle=False, augmentation=Augmentation(flip=True))
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(0), 0), 0)
    fit(models[1], np.asarray(augment(images, key, Augmentation(flip=True))), labels, batch_size=32, shuffle=False)
    for one, other in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_what_keras_trains_itself_cannot_be_augmented(few: Dataset) -> None:
    model = recipes.find("baseline").build((28, 28), 10)
    model.run_eagerly = True
    with pytest.raises(InputError, match="augmentation needs a training that can be compiled, but the model"):
        fit(model, few.train.images, few.train.labels, augmentation=Augmentation(flip=True))


def test_images_are_changed_where_gradients_are_accumulated(few: Dataset) -> None:
    from glassnet._keras import keras, seeded

    def weights(**options: Augmentation) -> np.ndarray:
        with seeded(0):
            model = recipes.find("baseline").build((28, 28), 10)
        model.compile(keras.optimizers.SGD(gradient_accumulation_steps=2), "sparse_categorical_crossentropy")
        fit(model, few.train.images[:320], few.train.labels[:320], rng=np.random.RandomState(0), **options)
        return model.get_weights()[0]

    changed = weights(augmentation=Augmentation(shift=2))
    assert np.isfinite(changed).all()
    assert not np.array_equal(changed, weights())
