"""A network and its mirror image in one: a plain Keras network that answers with the mean of both.

What is seen from the left and from the right is the same thing, so the mean of a network's logits for an image and for
its mirror image is more often right than either. A network whose kernels are mirrored gives for an image what the
network gives for the mirror image, with mirrored maps. So both fit in one stack of layers: each filter has a twin, the
twins see twins only (a convolution in two groups), and the last layer takes half of both. What asks, explains, saves or
shows a network need not know of it.

One thing is not the same from both sides: windows of two leave out the last column of maps with an odd width. The twins
must leave out the first one, so before such a pooling their kernels lie one column to the right.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import keras

    from glassnet.runs import Passport, Run


class _Part(NamedTuple):
    """A layer of the network, and what it is given.

    Args:
        layer: of the network that was trained.
        shape: height, width and channels that it is given, also where they lie in one row.
        twins: whether these channels are there twice in the joined network.
        last: whether it gives the classes.
        uneven: whether what it gives is pooled and has an odd width.
    """

    layer: Any
    shape: tuple[int, ...]
    twins: bool
    last: bool
    uneven: bool

    @property
    def doubles(self) -> bool:
        """Whether what it gives is there twice, by itself."""
        return type(self.layer).__name__ in ("Conv2D", "Dense") and not self.last


def joined(model: "keras.Sequential") -> "keras.Sequential":
    """Return one network that gives the mean of a network's logits for an image and for its mirror image.

    Args:
        model: trained; a stack as `Recipe.build` makes it for a recipe that is mirrored.

    Returns:
        A compiled network with twice the filters and neurons.

    Example:
        >>> from dataclasses import replace
        >>> import numpy as np
        >>> from glassnet import mirroring, recipes
        >>> plan = replace(recipes.find("strong"), flip=True, output="logits")
        >>> model = plan.build((28, 28), 10)
        >>> both, image = mirroring.joined(model), np.random.default_rng(0).integers(0, 256, (1, 28, 28))
        >>> bool(np.allclose(both(image), (model(image) + model(image[:, :, ::-1])) / 2, atol=1e-4))
        True
    """
    from glassnet._keras import keras

    inputs: Any = model.inputs[0]
    layers: list[Any] = [keras.Input(inputs.shape[1:])]
    for part in _parts(model):
        settings = part.layer.get_config()
        if part.doubles:
            settings["filters" if "filters" in settings else "units"] *= 2
        if "groups" in settings and part.twins:
            settings["groups"] *= 2
        if part.uneven:
            height, width = settings["kernel_size"]
            settings["kernel_size"] = height, width + 1
        layers.append(type(part.layer).from_config(settings))
    both = keras.Sequential(layers, name=model.name)
    both.set_weights(joined_weights(model, model.get_weights()))
    both.compile_from_config(model.get_compile_config())
    return both


def joined_weights(model: "keras.Sequential", values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the weights of the joined network.

    Args:
        model: the network that was trained; its own weights do not matter.
        values: weights in the order of `model.weights`; all may have one more axis in front, such as moments.
    """
    given = iter(values)
    return [value for part in _parts(model) for value in _twice(part, [next(given) for _ in part.layer.weights])]


def has_twins(model: "keras.Model") -> bool:
    """Tell whether every filter of a convolutional network has a twin: the first ones tell."""
    first: Any = next((layer for layer in model.layers if layer.weights), None)
    if type(first).__name__ != "Conv2D" or first.filters % 2:
        return False
    filters, twins = np.split(np.asarray(first.kernel), 2, -1)
    return np.array_equal(filters, np.flip(twins, -3))


def is_joined(passport: "Passport") -> bool:
    """Tell whether a run's network was joined with its mirror image."""
    return bool(passport.settings.get("mirrored") and passport.settings.get("flip"))


def one_side(run: "Run") -> "keras.Model":
    """Return the network that was trained: of a joined one that side, with random weights; else the run's own."""
    from glassnet.recipe import Recipe

    passport = run.passport
    if not is_joined(passport):
        return run.model
    plan = Recipe(name=passport.recipe, about="", dataset=passport.dataset, **passport.settings)
    return plan.build(passport.image_shape, len(passport.classes))


def _parts(model: "keras.Sequential") -> Iterator[_Part]:
    inputs: Any = model.inputs[0]
    twins, shape = False, tuple(inputs.shape[1:])
    for layer, following in zip(model.layers, [*model.layers[1:], None], strict=True):
        flat = type(layer).__name__ == "Dense"
        if not flat:  # what lies in a row before a dense layer keeps the shape that it had before
            given: Any = layer.input
            shape = tuple(given.shape[1:]) if len(given.shape) > 2 else shape
        uneven = type(following).__name__ == "MaxPooling2D" and shape[1] % 2 == 1
        part = _Part(layer, (*shape, 1)[:3], twins, following is None, uneven)
        yield part
        if flat:
            shape = (1, 1, layer.units)
        twins = twins or part.doubles


def _twice(part: _Part, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Return a layer's weights in the joined network; what is mirrored is counted from the last axis."""
    if not weights:
        return []
    if type(part.layer).__name__ == "BatchNormalization":
        return [np.concatenate([one, one], -1) for one in weights] if part.twins else weights
    kernel, *biases = weights
    flat = type(part.layer).__name__ == "Dense"
    front = kernel.shape[: -len(part.layer.kernel.shape)]
    grid = kernel.reshape(*front, *part.shape, kernel.shape[-1]) if flat else kernel
    turned = np.flip(grid, -3)
    if part.uneven:
        nothing = np.zeros_like(grid[..., :1, :, :])
        grid, turned = np.concatenate([grid, nothing], -3), np.concatenate([nothing, turned], -3)
    if part.last:
        twin = np.concatenate([grid, turned], -2) / 2 if part.twins else (grid + turned) / 2
    else:
        if flat and part.twins:  # a dense layer has no groups: nothing of the other side is weighted with 0
            nothing = np.zeros_like(grid)
            grid, turned = np.concatenate([grid, nothing], -2), np.concatenate([nothing, turned], -2)
        twin = np.concatenate([grid, turned], -1)
        biases = [np.concatenate([bias, bias], -1) for bias in biases]
    if flat:
        twin = twin.reshape(*front, -1, twin.shape[-1])
    return [twin.astype(kernel.dtype), *biases]
