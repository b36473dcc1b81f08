"""The five systems: their settings, sizes and accuracies."""

import numpy as np
import pytest

import glassnet
from glassnet import InputError, network, recipes
from glassnet._keras import keras
from glassnet.errors import UnknownNameError

PARAMETERS = {"baseline": 7850, "digits-32": 25450, "digits-128": 101770, "fashion-128": 101770, "raw-neurons": 7850}
DATA = {name: "mnist" if "digits" in name else "fashion-mnist" for name in PARAMETERS}
BAND = 0.7
"""Percentage points around the published range within which a seed may fall."""


@pytest.mark.parametrize("name", PARAMETERS)
def test_recipe_reaches_its_published_accuracy(name: str) -> None:
    recipe = recipes.find(name)
    run = glassnet.train(name, seed=1)
    low, high = recipe.expected
    assert low - BAND <= 100 * run.passport.test_accuracy <= high + BAND
    assert run.passport.parameters == PARAMETERS[name] == recipe.parameters((28, 28), 10)
    assert run.passport.dataset == DATA[name]
    assert len(run.passport.history["loss"]) == (10 if name == "fashion-128" else 5)
    assert run.passport.train_accuracy == run.passport.history["accuracy"][-1]
    assert ("val_accuracy" in run.passport.history) == (name == "raw-neurons")


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
