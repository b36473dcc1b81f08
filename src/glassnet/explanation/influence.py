"""How much each hidden unit matters: it is switched off, and the logits change."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.datasets import Dataset
from glassnet.errors import InputError
from glassnet.explanation.layers import chain, find_layer, logits_of
from glassnet.explanation.units import KINDS, choose, end_of, hidden_layers, images_of, maps_of
from glassnet.network import gives_probabilities
from glassnet.runs import Run

if TYPE_CHECKING:
    import keras

IMAGES = {"Dense": 1000, "Conv2D": 200}
"""Images on which the influence of a layer's units is measured; a filter costs far more than a neuron."""


@dataclass(frozen=True)
class UnitInfluence:
    """How much one hidden unit matters, found by switching it off.

    Args:
        layer: the name of its layer.
        unit: its number in the layer.
        influence: by how much the logits change when the unit gives 0, mean of the absolute values over images and
            classes. What shifts all logits of an image alike changes no probability and is left out.
        active: share of the images for which the unit gives more than 0 (a filter: anywhere).
        pushes_for: the class whose logit the unit raises most, on average over the images; None if it changes none.
        raises: by how much.
        pushes_against: the class whose logit it lowers most.
        lowers: by how much; a negative number.
        images: number of test images that all this is measured on.
    """

    layer: str
    unit: int
    influence: float
    active: float
    pushes_for: str | None
    raises: float
    pushes_against: str | None
    lowers: float
    images: int

    def record(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return asdict(self)


def influence(
    run: Run, *, layer: str | None = None, data: Dataset | None = None, images: int | None = None, seed: int = 0
) -> list[UnitInfluence]:
    """Switch every unit of a hidden layer off in turn, and see by how much the logits change.

    The change is computed, not estimated: the rest of the network runs once more for each unit, with that unit at 0.

    Args:
        run: a trained network, a plain stack of layers.
        layer: name of a hidden Dense or Conv2D layer; the first one if None.
        data: whose test images to use; the run's own if None.
        images: how many of them, at random; None: 1,000 for neurons, 200 for filters.
        seed: of the choice.

    Returns:
        One for each unit, the most influential first.

    Raises:
        UnknownNameError: there is no such layer.
        InputError: the network has no hidden layer, the layer is the last one, or the images do not fit.

    References:
        Meyes, Lu, Waubert de Puiseau, Meisen, "Ablation Studies in Artificial Neural Networks", 2019.
    """
    import jax
    import jax.numpy as jnp

    model = run.model
    hidden = _hidden_layer(model, layer)
    end = end_of(model, hidden)
    weights, logits = _logits_after(model, end)
    part = images_of(run, data, "test")
    chosen = choose(len(part), IMAGES[type(hidden).__name__] if images is None else images, seed)
    output: Any = end.output
    units = output.shape[-1]

    @jax.jit
    def without(weights: Any, values: Any, unit: Any) -> Any:
        return logits(weights, jnp.where(jnp.arange(units) == unit, 0, values))

    totals, pushes, active = np.zeros(units), np.zeros((units, len(run.passport.classes))), np.zeros(units)
    for values in maps_of(model, hidden, part.images[chosen]):
        active += (values > 0).any(axis=tuple(range(1, values.ndim - 1))).sum(0)
        on_device = jnp.asarray(values)
        whole = np.asarray(without(weights, on_device, -1), np.float64)
        # A loop of calls, not a loop inside of the program: XLA computes convolutions slowly within its own loops.
        for unit in range(units):
            adds = whole - np.asarray(without(weights, on_device, unit))
            adds -= adds.mean(-1, keepdims=True)
            totals[unit] += np.abs(adds).mean(-1).sum()
            pushes[unit] += adds.sum(0)
    n, classes = len(chosen), run.passport.classes
    return [
        UnitInfluence(
            layer=hidden.name,
            unit=int(unit),
            influence=float(totals[unit] / n),
            active=float(active[unit] / n),
            pushes_for=classes[pushes[unit].argmax()] if totals[unit] else None,
            raises=float(pushes[unit].max() / n),
            pushes_against=classes[pushes[unit].argmin()] if totals[unit] else None,
            lowers=float(pushes[unit].min() / n),
            images=n,
        )
        for unit in np.argsort(-totals, kind="stable")
    ]


def _logits_after(model: "keras.Model", end: "keras.Layer") -> tuple[Any, Callable[[Any, Any], Any]]:
    """Return the rest of a network behind a layer: its weights and `(weights, outputs of the layer) -> logits`."""
    from glassnet._keras import keras

    logits_of(model)  # raises where it is not known how the network ends
    layers = chain(model)
    rest = layers[layers.index(end) + 1 :]
    head: Any = rest[-1]
    variables = [variable for layer in rest for variable in layer.weights]

    def function(weights: Any, values: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, weights, strict=True))):
            for layer in rest[:-1]:
                values = layer(values)
            if not gives_probabilities(model):
                return head(values)
            if type(head).__name__ == "Dense":  # without its softmax
                values = keras.ops.matmul(values, head.kernel)
                return values + head.bias if head.use_bias else values
            return values

    return [variable.value for variable in variables], function


def _hidden_layer(model: "keras.Model", name: str | None) -> "keras.Layer":
    """Return the hidden layer of that name, or the first one."""
    hidden = hidden_layers(model)
    if not hidden:
        raise InputError(
            f"the network {model.name!r} has no hidden Dense or Conv2D layer whose units could be switched off; "
            "its templates show what its outputs look for"
        )
    layer = find_layer(model, hidden[0] if name is None else name, KINDS)
    if layer.name not in hidden:
        raise InputError(
            f"{layer.name} is the last layer: its units are the classes; units that can be switched off are in "
            f"{', '.join(hidden)}"
        )
    return layer
