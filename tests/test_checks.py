"""What is wrong with a model or its arrays is said before the first step."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet import Dataset, InputError
from glassnet._keras import keras
from glassnet.training.checks import OutputMismatchWarning
from glassnet.training.trainer import HandedToKerasWarning


def network(activation: str | None = "softmax", *, from_logits: bool = False, **options: Any) -> keras.Model:
    layers = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, activation)]
    model = keras.Sequential(layers)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits), **options)
    return model


def with_nan(x: np.ndarray) -> np.ndarray:
    x = x.astype("float32")
    x[7, 3, 2] = np.nan
    return x


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x, y: (x, y + 1), "labels run from 1 to 10, but the network has 10 outputs"),
        (lambda x, y: (x, y.astype(int) - 1), "labels run from -1 to 8"),
        (lambda x, y: (x, y / 2), "whole class numbers, found"),
        (lambda x, y: (with_nan(x), y), r"nan at \(7, 3, 2\) and 1 values"),
        (lambda x, y: (x[:, :20], y), r"examples have shape \(20, 28\), the model's input takes \(28, 28\)"),
        (lambda x, y: (x.reshape(len(x), -1), y), r"shape \(784,\)"),
        (lambda x, y: (x, y[:10]), "one length"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(few: Dataset, change: Any, text: str) -> None:
    model = network()
    before = model.get_weights()
    with pytest.raises(InputError, match=text) as error:
        glassnet.fit(model, *change(few.train.images, few.train.labels))
    assert "\n" not in str(error.value)
    assert np.array_equal(model.get_weights()[0], before[0])


def test_whole_labels_may_be_floats(few: Dataset) -> None:
    glassnet.fit(network(), few.train.images / 255, few.train.labels.astype("float32"))


@pytest.mark.parametrize(("activation", "from_logits"), [("softmax", True), (None, False)])
def test_last_layer_and_loss_that_disagree_are_named(few: Dataset, activation: str | None, from_logits: bool) -> None:
    with pytest.warns(OutputMismatchWarning, match=f"use from_logits={not from_logits}"):
        glassnet.fit(network(activation, from_logits=from_logits), few.train.images, few.train.labels)


def test_a_last_axis_of_one_is_added_and_dropped_as_in_keras(few: Dataset) -> None:
    glassnet.fit(network(), few.train.images[..., None], few.train.labels)


def test_what_cannot_be_compiled_is_left_to_keras(few: Dataset) -> None:
    x, y = few.train.images[:64], few.train.labels[:64]

    def batches() -> Iterator[Any]:
        while True:
            yield x[:32].astype("float32"), y[:32]

    class OwnStep(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()
            self.steps = 0

        def call(self, x: Any) -> Any:
            return self.inner(x)

        def train_step(self, state: Any, data: Any) -> Any:
            self.steps += 1
            return super().train_step(state, data)

    with pytest.warns(HandedToKerasWarning, match="generator, not an array"):
        history = glassnet.fit(network(), batches(), steps_per_epoch=3, epochs=2)
    assert len(history.history["loss"]) == 2
    with pytest.warns(HandedToKerasWarning, match="run_eagerly"):
        glassnet.fit(network(run_eagerly=True), x, y)
    own = OwnStep()
    own.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.warns(HandedToKerasWarning, match="train_step"):
        glassnet.fit(own, x, y)
    assert own.steps > 0


def test_nothing_is_warned_about_where_nothing_is_wrong(few: Dataset) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        glassnet.fit(network(None, from_logits=True), few.train.images, few.train.labels)


def stacked(*, from_logits: bool) -> keras.Model:
    """A network that ends in another one."""
    layers = keras.layers
    classifier = keras.Sequential([keras.Input((784,)), layers.Dense(10, "softmax")], name="classifier")
    model = keras.Sequential([keras.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(), classifier])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits))
    return model


def functional(*, from_logits: bool) -> keras.Model:
    """A network that ends in a function, which is no layer."""
    image = keras.Input((28, 28))
    scores = keras.layers.Dense(10)(keras.layers.Flatten()(image / 255))
    model = keras.Model(image, keras.ops.softmax(scores))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits))
    return model


@pytest.mark.parametrize("build", [stacked, functional])
def test_a_softmax_is_found_wherever_the_network_ends(few: Dataset, build: Any) -> None:
    x, y = few.train.images[:64], few.train.labels[:64]
    with warnings.catch_warnings():
        warnings.simplefilter("error", OutputMismatchWarning)
        glassnet.fit(build(from_logits=False), x, y)
    with pytest.warns(OutputMismatchWarning, match="the last layer gives probabilities, .* use from_logits=False"):
        glassnet.fit(build(from_logits=True), x, y)
