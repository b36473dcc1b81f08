"""Recipes: named networks together with the settings that train them.

The first five are five published "your first neural network" walkthroughs, with their exact settings. A recipe is a
frozen record; `changed` gives another one, and `build` a plain, compiled Keras model.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from glassnet.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    import keras

ACTIVATIONS = (
    "relu", "sigmoid", "tanh", "gelu", "silu", "elu", "selu", "leaky_relu", "softplus", "softsign", "linear",
)  # fmt: skip
OPTIMIZERS = ("adam", "sgd", "rmsprop", "adamw", "nadam", "adamax", "adagrad", "adadelta", "lion", "ftrl", "muon")


class Settings(TypedDict, total=False):
    """What can be changed in a recipe; the meaning of each stands at `Recipe`."""

    hidden: Sequence[int]
    activation: str
    scale: bool
    optimizer: str
    learning_rate: float | None
    epochs: int
    batch_size: int
    validation: bool


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it is trained.

    Args:
        name: what it is called on the command line.
        about: what it is, in one sentence.
        dataset: the data set that it is meant for.
        expected: the range of test accuracies over many seeds, in percent, on that data set.
        hidden: the width of each hidden layer.
        activation: of the hidden layers, a name of `ACTIVATIONS`.
        scale: divide the pixels by 255, inside the network.
        output: "softmax" makes the network's outputs probabilities; "logits" leaves them raw.
        optimizer: a name of `OPTIMIZERS`.
        learning_rate: step size; None is Keras's default for the optimizer.
        epochs: passes over the training images.
        batch_size: images per step.
        validation: measure loss and accuracy on the test images after every epoch.

    Raises:
        InputError: a setting that cannot work.

    Example:
        >>> from glassnet import recipes
        >>> recipes.find("baseline").changed(hidden=(64,), epochs=1).hidden
        (64,)
    """

    name: str
    about: str
    dataset: str
    expected: tuple[float, float]
    hidden: Sequence[int] = ()
    activation: str = "relu"
    scale: bool = True
    output: Literal["softmax", "logits"] = "softmax"
    optimizer: str = "adam"
    learning_rate: float | None = None
    epochs: int = 5
    batch_size: int = 32
    validation: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.hidden, Sequence) or isinstance(self.hidden, str):
            raise InputError(f"hidden is {self.hidden!r}; it must be a list of widths, such as [128, 64]")
        object.__setattr__(self, "hidden", tuple(self.hidden))
        check_count("epochs", self.epochs)
        check_count("batch size", self.batch_size)
        for width in self.hidden:
            check_count("width of a hidden layer", width, most=1_000_000)
        check_learning_rate(self.learning_rate)
        if self.activation not in ACTIVATIONS:
            raise UnknownNameError("activation", self.activation, ACTIVATIONS)
        if self.optimizer not in OPTIMIZERS:
            raise UnknownNameError("optimizer", self.optimizer, OPTIMIZERS)

    def changed(self, **settings: Unpack[Settings]) -> "Recipe":
        """Return the recipe with other settings.

        Raises:
            InputError: a setting that does not exist or cannot work.
        """
        for name in settings:
            if name not in Settings.__annotations__:
                raise UnknownNameError("setting", name, Settings.__annotations__)
        return replace(self, **settings)

    def settings(self) -> dict[str, Any]:
        """Return what this recipe trains with, as it is kept in the passport of a run."""
        notes = {"name", "about", "dataset", "expected"}
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in notes}
        return values | {"hidden": list(self.hidden)}

    def parameters(self, image_shape: tuple[int, ...], classes: int) -> int:
        """Count weights and biases, without building the network."""
        widths = [math.prod(image_shape), *self.hidden, classes]
        return sum(inputs * outputs + outputs for inputs, outputs in pairwise(widths))

    def build(self, image_shape: tuple[int, ...], classes: int) -> "keras.Sequential":
        """Return the network, compiled; its weights are random.

        Args:
            image_shape: (height, width) or (height, width, channels).
            classes: how many outputs it has.
        """
        from glassnet._keras import keras

        layers: list[Any] = [keras.Input(image_shape)]
        if self.scale:
            layers.append(keras.layers.Rescaling(1 / 255, name="scale"))
        layers.append(keras.layers.Flatten(name="flatten"))
        for number, width in enumerate(self.hidden, 1):
            layers.append(keras.layers.Dense(width, activation=self.activation, name=f"hidden_{number}"))
        softmax = self.output == "softmax"
        layers.append(keras.layers.Dense(classes, activation="softmax" if softmax else None, name=self.output))
        model = keras.Sequential(layers, name=self.name.replace("-", "_"))

        rate = {} if self.learning_rate is None else {"learning_rate": self.learning_rate}
        optimizer = keras.optimizers.get({"class_name": self.optimizer, "config": rate})
        model.compile(
            optimizer=optimizer,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=not softmax),
            metrics=["accuracy"],
        )
        return model


def check_count(what: str, value: object, *, most: int | None = None) -> None:
    """Raise InputError unless `value` is a whole number of at least 1 (and at most `most`)."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1 or (most and value > most):
        limit = f" and at most {most:,}" if most else ""
        raise InputError(f"{what} is {value!r}; it must be a whole number of at least 1{limit}")


def check_learning_rate(value: float | None) -> None:
    """Raise InputError unless `value` is None or a finite number above 0."""
    if value is None:
        return
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise InputError(f"learning rate is {value!r}; it must be a finite number above 0, such as 0.001")


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="baseline",
            about="No hidden layer: ten neurons, each with one weight for every pixel, and a softmax.",
            dataset="fashion-mnist",
            expected=(83.0, 85.0),
        ),
        Recipe(
            name="digits-32",
            about="A small hidden layer of 32 neurons reads handwritten digits.",
            dataset="mnist",
            expected=(96.0, 96.7),
            hidden=(32,),
        ),
        Recipe(
            name="digits-128",
            about="A hidden layer of 128 neurons reads handwritten digits.",
            dataset="mnist",
            expected=(97.3, 97.8),
            hidden=(128,),
        ),
        Recipe(
            name="fashion-128",
            about="A hidden layer of 128 neurons tells clothes apart; raw outputs, softmax added for prediction.",
            dataset="fashion-mnist",
            expected=(88.2, 89.0),
            hidden=(128,),
            output="logits",
            epochs=10,
        ),
        Recipe(
            name="raw-neurons",
            about="Ten neurons on pixels that are not scaled: it learns, but jumps from run to run.",
            dataset="fashion-mnist",
            expected=(74.0, 83.0),
            scale=False,
            output="logits",
            validation=True,
        ),
    )
}
"""The recipes by name."""


def find(name: str) -> Recipe:
    """Return the recipe called `name`.

    Raises:
        UnknownNameError: no recipe has that name; the text suggests the nearest.
    """
    if name not in RECIPES:
        raise UnknownNameError("recipe", name, RECIPES)
    return RECIPES[name]
