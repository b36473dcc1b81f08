"""Recipes: named networks together with the settings that train them.

The first five are five published "your first neural network" walkthroughs, with their exact settings; the others are
convolutional.
"""

from glassnet.errors import UnknownNameError
from glassnet.recipe import ACTIVATIONS, OPTIMIZERS, SCHEDULES, Recipe

__all__ = ["ACTIVATIONS", "OPTIMIZERS", "RECIPES", "SCHEDULES", "Recipe", "find"]

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="baseline",
            about="No hidden layer: ten neurons, each with one weight for every pixel, and a softmax.",
            dataset="fashion-mnist",
            expected={"mnist": (92.6, 92.8), "fashion-mnist": (83.0, 85.0)},
            seconds={"mnist": 0.67, "fashion-mnist": 0.66},
        ),
        Recipe(
            name="digits-32",
            about="A small hidden layer of 32 neurons reads handwritten digits.",
            dataset="mnist",
            expected={"mnist": (96.0, 96.7), "fashion-mnist": (85.2, 85.9)},
            seconds={"mnist": 1.03, "fashion-mnist": 1.11},
            hidden=(32,),
        ),
        Recipe(
            name="digits-128",
            about="A hidden layer of 128 neurons reads handwritten digits.",
            dataset="mnist",
            expected={"mnist": (97.3, 97.8), "fashion-mnist": (86.2, 87.6)},
            seconds={"mnist": 1.99, "fashion-mnist": 2.14},
            hidden=(128,),
        ),
        Recipe(
            name="fashion-128",
            about="A hidden layer of 128 neurons tells clothes apart; raw outputs, softmax added for prediction.",
            dataset="fashion-mnist",
            expected={"mnist": (97.5, 98.0), "fashion-mnist": (88.2, 89.0)},
            seconds={"mnist": 3.83, "fashion-mnist": 3.77},
            hidden=(128,),
            output="logits",
            epochs=10,
        ),
        Recipe(
            name="raw-neurons",
            about="Ten neurons on pixels that are not scaled: it learns, but jumps from run to run.",
            dataset="fashion-mnist",
            expected={"mnist": (85.4, 88.9), "fashion-mnist": (74.0, 83.0)},
            seconds={"mnist": 0.63, "fashion-mnist": 0.62},
            scale=False,
            output="logits",
            validation=True,
        ),
        Recipe(
            name="cnn",
            about="Three small convolutional blocks, for any size, gray or colour: the one for images of your own.",
            dataset="mnist",
            expected={"mnist": (99.3, 99.5), "fashion-mnist": (92.1, 92.5)},
            seconds={"mnist": 29.07, "fashion-mnist": 27.7},
            filters=(16, 32, 64),
            principal=True,
            batch_norm=True,
            optimizer="adam",
            learning_rate=0.005,
            schedule="one-cycle",
            epochs=4,
            batch_size=64,
            held_out=0.05,
            least_steps=600,
        ),
        Recipe(
            name="instant",
            about="The accuracy of Keras's own example within seconds: one pass, of narrow blocks.",
            dataset="mnist",
            expected={"mnist": (99.0, 99.3), "fashion-mnist": (90.0, 90.7)},
            seconds={"mnist": 5.81, "fashion-mnist": 5.27},
            filters=(8, 32, 48),
            principal=True,
            batch_norm=True,
            learning_rate=0.015,
            schedule="one-cycle",
            epochs=1,
            batch_size=64,
            held_out=0.05,
            least_steps=600,
        ),
        Recipe(
            name="quick",
            about="The best within seconds: two passes, of narrow blocks that start with edges for filters.",
            dataset="mnist",
            expected={"mnist": (99.3, 99.4), "fashion-mnist": (91.0, 91.8)},
            seconds={"mnist": 10.36, "fashion-mnist": 10.26},
            filters=(12, 32, 48),
            principal=True,
            batch_norm=True,
            learning_rate=0.01,
            schedule="one-cycle",
            epochs=2,
            batch_size=64,
            held_out=0.05,
            least_steps=600,
        ),
        Recipe(
            name="tiny",
            about="Fewer than 20,000 parameters, for handing on.",
            dataset="mnist",
            expected={"mnist": (99.5, 99.6), "fashion-mnist": (91.5, 92.3)},
            seconds={"mnist": 103.46, "fashion-mnist": 81.03},
            filters=(8, 16, 18),
            depth=2,
            batch_norm=True,
            learning_rate=0.008,
            schedule="one-cycle",
            epochs=12,
            batch_size=64,
            held_out=0.05,
            least_steps=1500,
            adapts=True,
        ),
        Recipe(
            name="strong",
            about="The best within minutes: wider blocks, and every image changed a little in every pass.",
            dataset="mnist",
            expected={"mnist": (99.6, 99.8), "fashion-mnist": (93.6, 93.9)},
            seconds={"mnist": 131.53, "fashion-mnist": 120.55},
            filters=(24, 48, 96, 192),
            batch_norm=True,
            learning_rate=0.005,
            schedule="one-cycle",
            weight_decay=0.05,
            label_smoothing=0.1,
            epochs=8,
            batch_size=64,
            held_out=0.05,
            least_steps=1500,
            mirrored=True,
            adapts=True,
        ),
        Recipe(
            name="record",
            about="The best within half an hour: two networks side by side, of four blocks with two convolutions each.",
            dataset="mnist",
            expected={"mnist": (99.6, 99.8), "fashion-mnist": (94.7, 94.9)},
            seconds={"mnist": 1273.1, "fashion-mnist": 1265.94},
            filters=(24, 48, 96, 192),
            depth=2,
            members=2,
            batch_norm=True,
            learning_rate=0.005,
            schedule="one-cycle",
            weight_decay=0.05,
            label_smoothing=0.1,
            epochs=24,
            batch_size=128,
            held_out=0.05,
            least_steps=1500,
            shift=1,
            erase=0.3,
            mirrored=True,
            adapts=True,
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
