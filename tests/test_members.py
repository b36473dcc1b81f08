"""Members of a network learn each for itself, and the network gives their mean."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet import Dataset, InputError, Recipe, Run, recipes
from glassnet._keras import keras, seeded
from glassnet.confidence.assurance import ask
from glassnet.explanation.arithmetic import explain_neuron
from glassnet.lab.parts.network import write_arithmetic
from glassnet.mirroring import has_twins, joined
from glassnet.replay import open_replay
from glassnet.sharing.command import command_line
from glassnet.sharing.keras_code import keras_code
from glassnet.training.inference import predict

MEMBERS = 2


def plan(**settings: Any) -> Recipe:
    usual: dict[str, Any] = {"filters": (4, 6, 8), "depth": 2, "members": MEMBERS, "optimizer": "sgd"}
    return replace(recipes.find("record"), weight_decay=None, schedule="constant", least_steps=0, **usual | settings)


def of_member(values: list[np.ndarray], number: int, filters: int) -> list[np.ndarray]:
    """Return the weights of one member, as those of a network by itself whose last block has so many filters."""
    found = []
    for value in values[:-2]:
        width = value.shape[-1] // MEMBERS
        found.append(value[..., number * width : (number + 1) * width])
    kernel = values[-2].reshape(-1, MEMBERS, filters, values[-2].shape[-1])[:, number] * MEMBERS
    return [*found, kernel.reshape(-1, kernel.shape[-1]), values[-1]]


@pytest.fixture(scope="module")
def both(few: Dataset) -> Run:
    """A small network of two members, joined with its mirror image."""
    return glassnet.train(plan(optimizer="adam", epochs=2, learning_rate=0.01), few, flip=True, snapshots=True)


@pytest.mark.parametrize(
    ("shape", "output", "batch_norm"),
    [((28, 28), "softmax", True), ((19, 30, 3), "logits", True), ((28, 28), "logits", False)],
)
def test_members_learn_as_if_they_were_alone(shape: tuple[int, ...], output: Any, batch_norm: bool) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (24, *shape), dtype=np.uint8), rng.integers(0, 5, 24)
    together, alone = (plan(members=n, output=output, batch_norm=batch_norm) for n in (MEMBERS, 1))
    with seeded(1):
        model = together.changed(learning_rate=0.1).build(shape, 5)
    before = model.get_weights()
    logs: Any = glassnet.fit(
        model, images, labels, batch_size=24, shuffle=False, label_smoothing=0.1, members=MEMBERS
    ).history
    losses = []
    for number in range(MEMBERS):
        single = alone.changed(learning_rate=0.1 / MEMBERS).build(shape, 5)
        start = of_member(before, number, 8)
        single.set_weights(start)
        history: Any = glassnet.fit(single, images, labels, batch_size=24, shuffle=False, label_smoothing=0.1).history
        losses.append(history["loss"][0])
        learned = single.get_weights()
        for one, other in zip(of_member(model.get_weights(), number, 8)[:-2], learned[:-2], strict=True):
            np.testing.assert_allclose(one, other, atol=2e-5)
        assert any(np.abs(one - was).max() > 1e-3 for one, was in zip(learned, start, strict=True))
    assert logs["loss"][0] == pytest.approx(np.mean(losses), abs=1e-5)
    assert "call" not in vars(model.layers[-1])
    assert not {"compute_loss", "compute_metrics"} & set(vars(model))


@pytest.mark.parametrize("mirrored", [False, True])
def test_it_gives_the_mean_of_their_logits(mirrored: bool) -> None:
    with seeded(1):
        model = plan(output="logits", flip=True).build((28, 28), 5)
    rng = np.random.default_rng(0)
    model.set_weights([one + rng.uniform(0, 0.1, one.shape).astype("float32") for one in model.get_weights()])
    images = rng.integers(0, 256, (3, 28, 28), dtype=np.uint8)
    logits = []
    for number in range(MEMBERS):
        single = plan(members=1, output="logits").build((28, 28), 5)
        single.set_weights(of_member(model.get_weights(), number, 8))
        logits += [predict(single, side) for side in ([images, images[:, :, ::-1]] if mirrored else [images])]
    size = np.abs(logits).max()
    answer = predict(joined(model) if mirrored else model, images)
    np.testing.assert_allclose(answer / size, np.mean(logits, 0) / size, atol=1e-5)
    assert np.std(logits, 0).max() > 1e-3 * size


def test_a_run_is_a_plain_network_with_its_mean(both: Run, few: Dataset, tmp_path: Any) -> None:
    assert both.passport.settings["members"] == MEMBERS
    assert both.passport.parameters == both.model.count_params()
    measured = (predict(both.model, few.test.images).argmax(1) == few.test.labels).mean()
    assert both.passport.test_accuracy == pytest.approx(measured)
    model: Any = keras.saving.load_model(both.save(tmp_path / "both").path / "model.keras")
    images = few.test.images[:9]
    answers = predict(both.model, images)
    np.testing.assert_allclose(np.asarray(model(images)), answers, atol=1e-5)
    np.testing.assert_allclose(open_replay(both).probabilities(images)[-1], answers, atol=1e-5)
    assert [layer.groups for layer in model.layers if isinstance(layer, keras.layers.Conv2D)] == [1, 4, 4, 4, 4]


def test_its_neurons_are_explained_and_what_is_unlike_the_training_images(both: Run, few: Dataset) -> None:
    last = explain_neuron(both, few.test.images[0], 2 * 8 + 3, layer="conv_5", at=(1, 1))
    assert set(last.positions[:, 2]) <= set(range(2 * 8, 3 * 8))  # the mirror image of the first member
    assert float(last.value) == pytest.approx(last.network_value, abs=1e-3)
    assert has_twins(both.model)
    seen, turned = (ask(both.model, side)[1] for side in (few.test.images, few.test.images[:, :, ::-1]))
    for one, other in zip(seen.averages, turned.averages, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_what_repeats_it_says_so(both: Run) -> None:
    code = keras_code(both)
    assert f"groups={MEMBERS}" in code
    assert "# The run trained each group of filters by itself; this trains them together." in code
    usual = recipes.find("record").adapted("items", 28)
    for members, said in ((usual.members, False), (3, True)):
        settings = replace(usual, members=members).settings()
        passport = both.passport.model_copy(update={"dataset": "fashion-mnist", "settings": settings})
        command = command_line(passport)
        assert command is not None and command.startswith("glassnet train record --data fashion-mnist ")
        assert ("--members 3" in command, "--members" in command) == (said, said)


@pytest.mark.parametrize("shape", [(28, 28), (9, 64, 3)])
def test_parameters_are_counted(shape: tuple[int, ...]) -> None:
    for one in (plan(), plan(members=3, batch_norm=False)):
        assert one.parameters(shape, 3) == one.build(shape, 3).count_params()
        told = write_arithmetic(one, shape, 3)
        assert f"<b>{one.parameters(shape, 3):,}</b> parameters" in told


def test_hidden_layers_see_all_filters_so_there_is_one_member() -> None:
    assert plan().changed(hidden=[8]).members == 1
    assert plan().changed(filters=[]).members == 1
    assert plan().changed(epochs=2).members == MEMBERS
    with pytest.raises(InputError, match="members is 2, but only networks of convolutional blocks"):
        plan().changed(hidden=[8], members=2)


@pytest.mark.parametrize(
    ("groups", "hidden", "text"),
    [
        ((1, 1), (), "second has 4 filters and 1 groups; it needs a number of filters that 2 divides and groups=2"),
        ((2, 2), (), "first has 4 filters and 2 groups; it needs a number of filters that 2 divides and groups=1"),
        ((1, 2), (7,), "one Dense at the end"),
    ],
)
def test_other_networks_are_refused(groups: tuple[int, int], hidden: tuple[int, ...], text: str) -> None:
    layers: list[Any] = [keras.Input((8, 8, 2))]
    layers += [
        keras.layers.Conv2D(4, 3, groups=n, name=name) for n, name in zip(groups, ("first", "second"), strict=True)
    ]
    layers += [keras.layers.Flatten(), *(keras.layers.Dense(one) for one in hidden), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(InputError, match=text):
        glassnet.fit(model, np.zeros((4, 8, 8, 2)), np.zeros(4, int), members=2)
