"""The plan check: what would go wrong in a training, said before its first step."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.audit.findings import Finding, counted, ranked
from glassnet.datasets import Dataset
from glassnet.recipes import Recipe

if TYPE_CHECKING:
    import keras

USUAL_RATES = {
    "adam": 0.001, "adamw": 0.001, "nadam": 0.001, "adamax": 0.001, "rmsprop": 0.001, "adagrad": 0.001,
    "adadelta": 0.001, "lion": 0.001, "ftrl": 0.001, "muon": 0.001, "sgd": 0.01,
}  # fmt: skip
"""Keras's learning rates."""

SIGNED = ("adam", "adamw", "nadam", "adamax", "rmsprop", "lion")
"""Optimizers whose steps have the size of the learning rate, however large the gradient is."""

MOST_MOVED = 5.0
"""How far one step may move an output; the logarithm of the odds of 150 to 1."""

MOST_STEEP = 50.0
"""How many times the certainly stable learning rate plain gradient descent may have; beyond, it mostly diverges."""

SAMPLE, SAMPLE_BYTES = 2000, 32_000_000
"""Training images, at most, that the scale of the pixels is measured on, and their bytes."""


@dataclass(frozen=True)
class _Ending:
    """What a network ends in, and the loss that it is trained with."""

    units: int | None
    activation: str
    loss: str
    from_logits: bool


def check_plan(
    model: "Recipe | keras.Model",
    data: Dataset,
    *,
    learning_rate: float | None = None,
    validation_split: float = 0.0,
) -> tuple[Finding, ...]:
    """Look for what would go wrong in a training; nothing is trained.

    Args:
        model: a recipe, or a Keras model of one's own (compiled, or to be compiled with what fits it).
        data: what it would be trained on.
        learning_rate: what the optimizer would use; the model's own if None.
        validation_split: the share at the end of the training images that would be set apart, as Keras does.

    Returns:
        The findings, the gravest first; each says what would happen.

    Example:
        >>> import glassnet
        >>> from glassnet import recipes
        >>> from glassnet.audit import check_plan
        >>> [one.kind for one in check_plan(recipes.find("raw-neurons"), glassnet.load("fashion-mnist"))]
        ['pixel scale']
    """
    findings = [*_check_tail(data, validation_split)]
    if isinstance(model, Recipe):
        scale = 1 / 255 if model.scale else 1.0
        findings += _check_black(data, scale)
        if not model.filters:  # a convolution sees few pixels at once, and batch normalization takes their scale away
            findings += _check_step(data, model.optimizer, learning_rate or model.learning_rate, scale)
        return ranked(findings)
    findings += _check_ending(model, data)
    scale = _input_scale(model)
    if scale is not None:
        findings += _check_black(data, scale)
        optimizer = getattr(model, "optimizer", None)
        name = type(optimizer).__name__.lower() if optimizer is not None else "adam"
        findings += _check_step(data, name, learning_rate or _rate_of(optimizer), scale)
    return ranked(findings)


def _check_step(data: Dataset, optimizer: str, rate: float | None, scale: float) -> Iterator[Finding]:
    """Compare the size of the first steps with that of the pixels.

    A signed optimizer moves every weight by about the learning rate, and an output therefore by the rate times the sum
    of an image's inputs. Plain gradient descent on a layer of softmax neurons is stable up to 2 divided by the largest
    curvature, which is at most half of the largest eigenvalue of the inputs' second moments.

    References:
        D. Böhning, "Multinomial logistic regression algorithm", Annals of the Institute of Statistical Mathematics 44,
        1992, pages 197-200 (the bound of the curvature).
    """
    rate = rate or USUAL_RATES.get(optimizer, 0.001)
    images = _sample(data)
    inputs = images.reshape(len(images), -1).astype(np.float32) * scale
    if not inputs.size:
        return
    if optimizer in SIGNED:
        moved, limit = float(rate * np.abs(inputs).sum(1).mean()), MOST_MOVED
        said = f"one step moves an output by about {moved:,.0f}, where 5 is already near certainty"
    elif optimizer == "sgd":
        stable = 4 / max(_largest_eigenvalue(inputs), 1e-12)
        moved, limit = rate / stable, MOST_STEEP
        said = f"the learning rate is {moved:,.0f} times the one that is certain to be stable ({stable:.2g})"
    else:
        return
    if moved <= limit:
        return
    counts = {"learning_rate": rate, "step": round(moved, 3), "limit": limit}
    if scale * 255 > 50 and inputs.max() > 50:
        wild = optimizer == "sgd"
        yield Finding(
            "pixel scale",
            "serious" if wild else "warning",
            f"the pixels go in as 0 to {inputs.max():.0f}, and {optimizer} has the learning rate {rate:g}",
            f"On such pixels {said}. "
            + (
                "The loss will jump, and may end as no number."
                if wild
                else "It will learn, but jump from step to step."
            ),
            "divide the pixels by 255 inside the network (--scale; a Rescaling layer in Keras)",
            counts,
            min(1.0, moved / 1000),
        )
    else:
        yield Finding(
            "learning rate",
            "warning",
            f"the learning rate {rate:g} is large for {optimizer}",
            f"On these pixels {said}. The loss will jump, or grow.",
            f"try {_round_rate(rate * limit / moved / 5)}; usual for {optimizer} is {USUAL_RATES[optimizer]:g}",
            counts,
            min(1.0, moved / 1000),
        )


def _check_black(data: Dataset, scale: float) -> Iterator[Finding]:
    """Look for pixels that were scaled before, and would be scaled once more."""
    top = int(_sample(data).max(initial=0))
    if top <= 1 and scale < 0.1:
        yield Finding(
            "scaled twice",
            "serious",
            f"no training pixel is brighter than {top}, and the network divides by {1 / scale:.0f} once more",
            "All inputs are almost 0, so that the network sees every image as black and learns next to nothing.",
            "give pixels from 0 to 255, or leave the division out (--no-scale)",
            {"brightest": top},
            1.0,
        )


def _sample(data: Dataset) -> np.ndarray:
    """Return training images that lie evenly."""
    images = data.train.images
    return images[:: max(1, len(images) // SAMPLE, -(-images.nbytes // SAMPLE_BYTES))]


def _check_tail(data: Dataset, share: float) -> Iterator[Finding]:
    """Look for classes that a validation part at the end of sorted images would take as a whole."""
    n = len(data.train)
    start = int(n * (1 - share))
    if not 0 < share < 1 or not 0 < start < n:
        return
    labels = data.train.labels
    learned, held = set(labels[:start].tolist()), set(labels[start:].tolist())
    unseen = sorted(held - learned)
    if not unseen and not (len(held) < len(learned) and bool((labels[1:] >= labels[:-1]).all())):
        return
    names = ", ".join(data.classes[label] for label in (unseen or sorted(held))[:6])
    yield Finding(
        "sorted tail",
        "serious",
        f"the last {100 * share:g} % of the training images hold {counted(len(held), 'class', 'classes')} of "
        f"{len(learned | held)}: they are sorted by class",
        "Keras takes the validation part from the end, unshuffled. "
        + (
            f"{names} would never be learned, and the validation accuracy be near 0."
            if unseen
            else f"Validation would measure nothing but {names}."
        ),
        "shuffle images and labels together first, or split them by class (stratified)",
        {"classes_in_tail": len(held), "classes_never_learned": len(unseen)},
        share,
    )


def _check_ending(model: "keras.Model", data: Dataset) -> Iterator[Finding]:
    """Compare the last layer with the loss and with the classes."""
    ending = _ending(model)
    classes = len(data.classes)
    one_hot = ending.loss == "categorical_crossentropy"
    if ending.units is not None and ending.units < classes and not (ending.units == 1 and classes == 2):
        yield Finding(
            "outputs",
            "serious",
            f"the network has {counted(ending.units, 'output')} for {counted(classes, 'class', 'classes')}",
            "Labels beyond its outputs have no meaning for the loss: it becomes no number, or training stops with an "
            "error.",
            f"end the network in {classes} outputs",
            {"outputs": ending.units, "classes": classes},
            1 - ending.units / classes,
        )
    if ending.units == 1 and ending.activation == "softmax":
        yield Finding(
            "output layer",
            "serious",
            "the network ends in a softmax over one output",
            "Softmax makes all outputs add up to 1: a single one is always 1, and nothing can be learned.",
            f"end it in {classes} outputs with softmax, or in one with sigmoid and binary_crossentropy",
            {"outputs": 1},
            1.0,
        )
    if "crossentropy" not in ending.loss:
        return
    if ending.from_logits and ending.activation in ("softmax", "sigmoid"):
        yield Finding(
            "loss",
            "serious",
            f"the last layer is a {ending.activation}, and the loss expects raw outputs (from_logits=True)",
            f"The {ending.activation} is taken twice: gradients become faint, training slow, and the loss never comes "
            "near 0.",
            f"set from_logits=False, or take the {ending.activation} out of the last layer",
            share=0.9,
        )
    elif not ending.from_logits and ending.activation in ("linear", "relu", "tanh", "leaky_relu", "gelu"):
        yield Finding(
            "loss",
            "serious",
            f"the last layer gives raw outputs ({ending.activation}), and the loss expects probabilities",
            "The loss takes the logarithm of numbers that are no probabilities; where they are negative it learns "
            "nothing, and accuracy stays near chance.",
            "set from_logits=True, or end the network in a softmax",
            share=0.9,
        )
    elif ending.activation == "relu":
        yield Finding(
            "output layer",
            "warning",
            "the last layer ends in relu",
            "It cannot say that a class is unlikely: outputs below 0 are cut off, and with them the gradient.",
            "leave the activation of the last layer out",
            share=0.5,
        )
    if one_hot:
        yield Finding(
            "labels",
            "serious",
            "the loss expects one-hot labels (categorical_crossentropy), and the labels are class numbers",
            "Training stops with an error about shapes.",
            "use sparse_categorical_crossentropy",
            share=0.8,
        )


def _ending(model: "keras.Model") -> _Ending:
    """Read from a model what it ends in; an uncompiled one gets the loss that fits it."""
    layers = [layer for layer in model.layers if type(layer).__name__ not in ("Dropout", "Flatten", "Reshape")]
    last: Any = layers[-1] if layers else None
    shape = getattr(model, "output_shape", None) if getattr(model, "built", False) else None
    units = shape[-1] if isinstance(shape, tuple) and len(shape) == 2 else None
    if type(last).__name__ == "Softmax":
        activation = "softmax"
    else:
        activation = getattr(getattr(last, "activation", None), "__name__", "")
    loss: Any = getattr(model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", "")) or ""
    return _Ending(units, activation, name, bool(getattr(loss, "from_logits", False)))


def _input_scale(model: "keras.Model") -> float | None:
    """Return the factor that pixels are multiplied with before the first weights; None where that is not known."""
    scale = 1.0
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "Rescaling":
            factor = getattr(layer, "scale", None)
            if not isinstance(factor, (int, float)):
                return None
            scale *= float(factor)
        elif "Normalization" in kind or hasattr(layer, "layers"):
            return None  # normalized pixels are no larger than about 1; what is inside of a model is not looked at
        elif layer.weights or kind in ("Lambda", "EinsumDense"):
            return scale if kind == "Dense" else None
    return None


def _rate_of(optimizer: Any) -> float | None:
    """Return the learning rate of an optimizer at its first step."""
    if optimizer is None:
        return None
    rate = optimizer.learning_rate
    return float(np.asarray(rate(0) if callable(rate) else rate))


def _largest_eigenvalue(inputs: np.ndarray) -> float:
    """Return the largest eigenvalue of the second moments of inputs, by power iteration."""
    vector = inputs.mean(0)
    vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
    size = 0.0
    for _ in range(20):
        moved = inputs.T @ (inputs @ vector) / len(inputs)
        size = float(np.linalg.norm(moved))
        if size == 0:
            break
        vector = moved / size
    return size


def _round_rate(rate: float) -> str:
    """Write a rate with one digit."""
    return f"{float(f'{rate:.0e}'):g}"
