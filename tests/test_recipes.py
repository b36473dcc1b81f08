"""The five systems: their settings, sizes and accuracies."""

import json
from pathlib import Path

import numpy as np
import pytest

import glassnet
from glassnet import InputError, network, recipes
from glassnet._keras import keras
from glassnet.errors import UnknownNameError
from tests.conftest import part


@pytest.fixture(scope="module")
def mnist() -> glassnet.Dataset:
    return glassnet.load("mnist")


PARAMETERS = {"baseline": 7850, "digits-32": 25450, "digits-128": 101770, "fashion-128": 101770, "raw-neurons": 7850}
DATA = {name: "mnist" if "digits" in name else "fashion-mnist" for name in PARAMETERS}
MEASURED = Path(__file__).parents[1] / "benchmarks" / "results" / "recipes.json"
BAND = 0.7
"""Percentage points around the published range within which a seed may fall."""


@pytest.mark.parametrize("name", PARAMETERS)
def test_recipe_reaches_its_published_accuracy(name: str) -> None:
    recipe = recipes.find(name)
    run = glassnet.train(name, seed=1)
    low, high = recipe.expected[recipe.dataset]
    assert low - BAND <= 100 * run.passport.test_accuracy <= high + BAND
    assert run.passport.parameters == PARAMETERS[name] == recipe.parameters((28, 28), 10)
    assert run.passport.dataset == DATA[name]
    assert len(run.passport.history["loss"]) == (10 if name == "fashion-128" else 5)
    assert run.passport.train_accuracy == run.passport.history["accuracy"][-1]
    assert ("val_accuracy" in run.passport.history) == (name == "raw-neurons")


@pytest.mark.parametrize("name", recipes.RECIPES)
@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3), (61, 40, 1)])
def test_parameters_are_counted_without_building(name: str, shape: tuple[int, ...]) -> None:
    recipe = recipes.find(name)
    assert recipe.parameters(shape, 7) == recipe.build(shape, 7).count_params()


def test_tiny_is_tiny() -> None:
    assert recipes.find("tiny").parameters((28, 28), 10) < 20_000


def test_expected_accuracies_and_seconds_are_those_that_were_measured() -> None:
    rows = json.loads(MEASURED.read_text("utf-8"))
    for recipe in recipes.RECIPES.values():
        for data, (low, high) in recipe.expected.items():
            found = [row for row in rows if (row["recipe"], row["data"]) == (recipe.name, data)]
            assert found and all(low <= row["accuracy"] <= high for row in found), (recipe.name, data)
            # None where the trainings shared the cores with other work.
            assert recipe.seconds.get(data) in {None, min(row["seconds"] for row in found)}, (recipe.name, data)


@pytest.mark.parametrize("name", PARAMETERS)
def test_recipe_is_the_plain_keras_network_of_its_walkthrough(name: str) -> None:
    model = recipes.find(name).build((28, 28), 10)
    raw, logits = name == "raw-neurons", name in ("fashion-128", "raw-neurons")
    assert any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers) != raw
    assert model.layers[-1].activation is (keras.activations.linear if logits else keras.activations.softmax)
    assert model.loss.from_logits == logits
    assert network.gives_probabilities(model) != logits
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}


def test_changes_are_built() -> None:
    recipe = recipes.find("baseline").changed(
        hidden=[64, 32], activation="tanh", scale=False, optimizer="sgd", learning_rate=0.5
    )
    model = recipe.build((28, 28), 7)
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [64, 32, 7]
    assert model.layers[1].activation is keras.activations.tanh
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.5)
    assert not any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers)


@pytest.mark.parametrize("name", recipes.OPTIMIZERS)
def test_every_optimizer_trains(name: str) -> None:
    recipe = recipes.find("digits-32").changed(optimizer=name, learning_rate=0.01)
    model = recipe.build((28, 28), 10)
    before = model.get_weights()[0].copy()
    glassnet.fit(model, np.full((8, 28, 28), 9, np.uint8), np.arange(8) % 10, batch_size=4)
    assert not np.array_equal(model.get_weights()[0], before)


@pytest.mark.parametrize("name", recipes.ACTIVATIONS)
def test_every_activation_exists_in_keras(name: str) -> None:
    assert keras.activations.get(name) is not None


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 2.5}, "epochs is 2.5"),
        ({"epochs": True}, "epochs is True"),
        ({"batch_size": -1}, "batch size is -1"),
        ({"batch_size": "32"}, "batch size is '32'"),
        ({"learning_rate": 0}, "learning rate is 0"),
        ({"learning_rate": float("inf")}, "learning rate is inf"),
        ({"learning_rate": float("nan")}, "learning rate is nan"),
        ({"hidden": (0,)}, "width of a hidden layer is 0"),
        ({"hidden": 128}, "hidden is 128"),
        ({"hidden": "128"}, "hidden is '128'"),
        ({"activation": "rely"}, "did you mean 'relu'"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"epoch": 3}, "did you mean 'epochs'"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        recipes.find("baseline").changed(**settings)  # type: ignore[arg-type]


def test_unknown_recipe_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'digits-128'"):
        recipes.find("digit128")


def test_summary_explains_every_parameter() -> None:
    summary = network.summarize(recipes.find("fashion-128").build((28, 28), 10))
    assert [layer.arithmetic for layer in summary.layers if layer.parameters] == [
        "784 × 128 + 128 = 100,480",
        "128 × 10 + 10 = 1,290",
    ]
    assert summary.arithmetic == "100,480 + 1,290 = 101,770"
    assert summary.layers[0].role == "divides every pixel by 255"


def test_summary_of_a_convolutional_network_adds_up() -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    summary = network.summarize(model)
    assert summary.layers[0].arithmetic == "3 × 3 × 1 × 8 + 8 = 80"
    assert summary.layers[1].arithmetic == "4 × 8 = 32"
    assert summary.trainable == summary.parameters - 16


def test_summary_of_a_network_without_shapes_is_refused() -> None:
    with pytest.raises(InputError, match="no input shape yet"):
        network.summarize(keras.Sequential([keras.layers.Dense(3)]))


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (9, 64), (3, 3), (1, 1, 3)], ids=str)
@pytest.mark.parametrize("batch_norm", [True, False])
def test_convolutional_networks_fit_any_picture(shape: tuple[int, ...], batch_norm: bool) -> None:
    recipe = recipes.find("cnn").changed(batch_norm=batch_norm, depth=2, hidden=[7], dropout=0.1)
    model = recipe.build(shape, 3)
    assert model.count_params() == recipe.parameters(shape, 3)
    assert model.output_shape == (None, 3)
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}


def test_cnn_learns_digits(mnist: glassnet.Dataset) -> None:
    data = part(mnist, train=6000, test=1000)
    run = glassnet.train("cnn", data, epochs=2)
    assert run.passport.test_accuracy > 0.95
    assert run.passport.settings["filters"] == [16, 32, 64]


def test_one_cycle_rises_and_falls() -> None:
    schedule = recipes.find("cnn").changed(epochs=1, batch_size=10).build((28, 28), 10, examples=1000).optimizer
    rates = [float(schedule._learning_rate(step)) for step in range(101)]
    assert rates[0] == pytest.approx(0.0005) and max(rates) == pytest.approx(0.005) and rates.index(max(rates)) == 20
    assert rates[100] == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        ("filters", "16", "filters is '16'; it must be a list of widths"),
        ("filters", [0], "number of filters is 0; it must be a whole number of at least 1"),
        ("dropout", 1, "dropout is 1; it must be a share from 0"),
        ("schedule", "one-cicle", "did you mean 'one-cycle'"),
        ("shift", -1, "shift is -1; it must be a number from 0 to 64"),
        ("flip", "yes", "flip is 'yes'; it must be True or False"),
    ],
)
def test_settings_that_cannot_work(setting: str, value: object, text: str, unchecked: None) -> None:
    with pytest.raises(InputError, match=text):
        recipes.find("cnn").changed(**{setting: value})


def test_a_recipe_fits_itself_to_few_images_unless_told(mnist: glassnet.Dataset) -> None:
    few = part(mnist, train=200, test=100)
    run = glassnet.train("cnn", few)
    assert run.passport.batch_size == 25 and run.passport.epochs == 75
    assert run.passport.test_accuracy > 0.75


def test_who_chooses_epochs_or_a_batch_size_gets_them() -> None:
    cnn = recipes.find("cnn")
    assert cnn.fitted(60_000) == cnn
    assert cnn.changed(epochs=1).fitted(200).epochs == 1
    assert cnn.changed(batch_size=64).fitted(200).batch_size == 64
    assert recipes.find("baseline").fitted(200).epochs == 5


@pytest.mark.parametrize("decay", [0, 0.05])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "muon"])
def test_weights_decay_as_they_are_told_to(optimizer: str, decay: float) -> None:
    model = recipes.find("baseline").changed(optimizer=optimizer, weight_decay=decay).build((28, 28), 10)
    kept = {value for name, value in model.optimizer.get_config().items() if name.endswith("weight_decay")}
    assert kept == {decay}
