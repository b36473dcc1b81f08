"""From a recipe to a compiled Keras network."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from glassnet.recipe import Recipe

if TYPE_CHECKING:
    import keras

LEAST_POOLED, LEAST_POOLED_BETWEEN = 10, 6
"""Maps with a shorter side are not pooled: in general, and by the third block where more follow.

With 28 × 28, three blocks end with maps of 7 × 7 and not 3 × 3, at little cost: 16, 32 and 64 filters reached 92.1 % of
Fashion-MNIST's held-out images after two epochs, where it had been 91.2 %. A fourth block sees maps of 3 × 3, which
costs little and gives 0.3 points after nine epochs (24, 48, 96 and 128 filters).
"""


class Convolution(NamedTuple):
    """One convolution of a recipe's network.

    Args:
        block: the number of its block, from 0.
        filters: how many it has.
        size: height and width of its maps, pooled if it is the last of its block.
    """

    block: int
    filters: int
    size: tuple[int, int]


def convolutions(recipe: Recipe, height: int, width: int) -> Iterator[Convolution]:
    """Yield the convolutions from the image on: `depth` in every block but the first, which has one."""
    before = height, width
    sizes = map_sizes(len(recipe.filters), height, width)
    for block, (filters, size) in enumerate(zip(recipe.filters, sizes, strict=True)):
        depth = recipe.depth if block else 1
        for place in range(1, depth + 1):
            yield Convolution(block, filters, size if place == depth else before)
        before = size


def map_sizes(blocks: int, height: int, width: int) -> list[tuple[int, int]]:
    """Return the size of each block's maps: halved, unless they are too small to be pooled.

    Example:
        >>> map_sizes(3, 28, 28), map_sizes(4, 28, 28)
        ([(14, 14), (7, 7), (7, 7)], [(14, 14), (7, 7), (3, 3), (3, 3)])
    """
    sizes = []
    for block in range(blocks):
        between = 2 <= block < blocks - 1
        if min(height, width) >= (LEAST_POOLED_BETWEEN if between else LEAST_POOLED):
            height, width = height // 2, width // 2
        sizes.append((height, width))
    return sizes


def count_parameters(recipe: Recipe, image_shape: tuple[int, ...], classes: int) -> int:
    """Count weights, biases and what batch normalisation keeps, without building the network."""
    height, width, channels = (*image_shape, 1)[:3]
    count = 0
    for _, filters, size in convolutions(recipe, height, width):
        count += recipe.members * filters * (9 * channels + (4 if recipe.batch_norm else 1))
        height, width, channels = *size, filters
    widths = [height * width * channels * recipe.members, *recipe.hidden, classes]
    return count + sum(inputs * outputs + outputs for inputs, outputs in pairwise(widths))


def build(recipe: Recipe, image_shape: tuple[int, ...], classes: int, examples: int) -> "keras.Sequential":
    """Return the network, compiled; its weights are random.

    Args:
        recipe: what to build.
        image_shape: (height, width) or (height, width, channels).
        classes: how many outputs it has.
        examples: training images, from which a schedule knows how many steps there will be.
    """
    from glassnet._keras import keras

    layers: list[Any] = [keras.Input(image_shape)]
    if recipe.scale:
        layers.append(keras.layers.Rescaling(1 / 255, name="scale"))
    layers += _blocks(recipe, image_shape)
    layers.append(keras.layers.Flatten(name="flatten"))
    for number, width in enumerate(recipe.hidden, 1):
        layers.append(keras.layers.Dense(width, activation=recipe.activation, name=f"hidden_{number}"))
    if recipe.dropout:
        layers.append(keras.layers.Dropout(recipe.dropout, name="dropout"))
    softmax = recipe.output == "softmax"
    layers.append(keras.layers.Dense(classes, activation="softmax" if softmax else None, name=recipe.output))
    model = keras.Sequential(layers, name=recipe.name.replace("-", "_"))

    optimizer: Any = keras.optimizers.get(recipe.optimizer)
    if recipe.learning_rate is not None:
        optimizer.learning_rate = recipe.learning_rate
    settings: dict[str, Any] = {}
    if recipe.schedule == "one-cycle":
        steps = math.ceil(examples / recipe.batch_size) * recipe.epochs
        settings["learning_rate"] = _one_cycle(float(optimizer.learning_rate), steps)
    if recipe.weight_decay is not None:
        names = {"weight_decay", "adam_weight_decay"} & set(optimizer.get_config())  # Muon has both, for its two halves
        settings |= dict.fromkeys(names, float(recipe.weight_decay))
    if settings:
        optimizer = type(optimizer).from_config(optimizer.get_config() | settings)
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=not softmax),
        metrics=["accuracy"],
    )
    return model


def _blocks(recipe: Recipe, image_shape: tuple[int, ...]) -> list[Any]:
    """Return the layers of the convolutional blocks."""
    from glassnet._keras import keras

    height, width = image_shape[:2]
    layers: list[Any] = []
    if recipe.filters and len(image_shape) == 2:
        layers.append(keras.layers.Reshape((height, width, 1), name="one_channel"))
    for number, (_, filters, size) in enumerate(convolutions(recipe, height, width), 1):
        # Pooling comes before normalisation and activation, which then have a quarter of the work.
        activation = None if recipe.batch_norm else recipe.activation
        layers.append(
            keras.layers.Conv2D(
                recipe.members * filters,
                3,
                padding="same",
                groups=recipe.members if number > 1 else 1,
                activation=activation,
                use_bias=not recipe.batch_norm,
                name=f"conv_{number}",
            )
        )
        if size != (height, width):
            layers.append(keras.layers.MaxPooling2D(2, name=f"pool_{number}"))
            height, width = size
        if recipe.batch_norm:
            layers.append(keras.layers.BatchNormalization(momentum=0.9, name=f"norm_{number}"))
            layers.append(keras.layers.Activation(recipe.activation, name=f"activation_{number}"))
    return layers


def _one_cycle(highest: float, steps: int) -> "keras.optimizers.schedules.LearningRateSchedule":
    """Rise from a tenth over a fifth of the steps, then fall to zero along a cosine.

    References:
        Smith, Topin (2017), Super-convergence: very fast training of neural networks using large learning rates.
    """
    from glassnet._keras import keras

    rising = max(1, steps // 5)
    return keras.optimizers.schedules.CosineDecay(
        highest / 10, max(1, steps - rising), warmup_target=highest, warmup_steps=rising
    )
