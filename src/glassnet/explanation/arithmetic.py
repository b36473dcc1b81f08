"""One neuron's arithmetic: inputs times weights, the bias, the sum and its function, in figures that add up.

The sums are computed in 64 bits from the network's own weights and from what the network itself feeds the neuron, and
must agree with what it gives. Then they are rounded so that each step, repeated with a pocket calculator from the
figures shown, gives the next figure shown, to its last digit: where a step would not, more decimals are shown.
"""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InputError
from glassnet.evaluation import check_fit
from glassnet.explanation.decision import EXACT, rounded
from glassnet.explanation.layers import find_layer
from glassnet.explanation.rounding import Softmax, check_agreement, find_end, round_end, round_factors, written
from glassnet.explanation.sums import COVERED, PIXELS, Seen, answer_layer, choose_neuron, find_terms, origin, watch
from glassnet.recipe import check_count
from glassnet.types import Image

if TYPE_CHECKING:
    from glassnet.runs import Run


@dataclass(frozen=True)
class Term:
    """One input times its weight.

    Args:
        name: where the input comes from, such as "row 5, column 12" or "unit 17".
        position: the same as numbers, counted from 0.
        pixel: the brightness of that pixel, 0 to 255; None where the inputs are not the image's.
        x: what the neuron receives.
        w: its weight.
        product: x × w.
    """

    name: str
    position: tuple[int, ...]
    pixel: int | None
    x: Decimal
    w: Decimal
    product: Decimal

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON."""
        figures = {"x": self.x, "w": self.w, "product": self.product}
        place = {"name": self.name, "position": list(self.position), "pixel": self.pixel}
        return place | {name: written(figure) for name, figure in figures.items()}


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """What one neuron computed for one image: largest_for + largest_against + rest + bias = total, exactly.

    Args:
        layer: its layer's name.
        neuron: the class, "unit 17", or "filter 3 at row 5, column 7".
        number: of the class, unit or filter, from 0.
        at: row and column of a filter; None for others.
        source: what its inputs are: "pixels", or the name of the layer that they come from.
        largest_for: the inputs that push its sum up most, largest first.
        largest_against: the inputs that push it down most, largest first.
        rest: all other products together.
        rest_count: how many they are.
        bias: the constant that is added.
        total: the sum.
        activation: the function that follows; "softmax" goes over all neurons of the layer.
        formula: that function, with z for the sum; "" for a softmax, which stands in `softmax`.
        value: what the neuron gives: the function of the sum.
        network_value: the same from the network itself, which computes in 32 bits.
        softmax: where the neurons are classes that share out 1.
        inputs: every x.
        weights: every w.
        positions: where each input comes from, one row each.
        source_shape: the shape that the positions are in.
    """

    layer: str
    neuron: str
    number: int
    at: tuple[int, int] | None
    source: str
    largest_for: tuple[Term, ...]
    largest_against: tuple[Term, ...]
    rest: Decimal
    rest_count: int
    bias: Decimal
    total: Decimal
    activation: str
    formula: str
    value: Decimal
    network_value: float
    softmax: Softmax | None
    inputs: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)
    positions: np.ndarray = field(repr=False)
    source_shape: tuple[int, ...]

    @property
    def products(self) -> np.ndarray:
        """Every x × w, unrounded."""
        return self.inputs * self.weights

    @property
    def probability(self) -> Decimal | None:
        """Of the neuron's class; None for a neuron that stands for no class."""
        return self.softmax.classes[self.number].probability if self.softmax else None

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON; decimals are texts, so that they keep their last digit."""
        return {
            "layer": self.layer,
            "neuron": self.neuron,
            "number": self.number,
            "at": None if self.at is None else list(self.at),
            "source": self.source,
            "inputs": len(self.inputs),
            "largest_for": [one.record() for one in self.largest_for],
            "largest_against": [one.record() for one in self.largest_against],
            "rest": written(self.rest),
            "rest_count": self.rest_count,
            "bias": written(self.bias),
            "total": written(self.total),
            "activation": self.activation,
            "formula": self.formula,
            "value": written(self.value),
            "network_value": self.network_value,
            "softmax": self.softmax and self.softmax.record(),
        }


def explain_neuron(
    run: "Run",
    image: Image,
    neuron: str | int | None = None,
    *,
    layer: str | None = None,
    at: tuple[int, int] | None = None,
    digits: int = 4,
    top: int = 10,
) -> Arithmetic:
    """Write out how one neuron came to its value for an image.

    Args:
        run: a trained network.
        image: `uint8`, of the shape that the run takes.
        neuron: in the last layer a class by name or number, None the predicted one; in another Dense layer the number
            of a unit, in a Conv2D layer that of a filter, None the one that gives most.
        layer: name of a Dense or Conv2D layer; None is the layer that the classes come from.
        at: row and column in the map of a filter, from 0; None is where it gives most.
        digits: at least so many decimals are shown, 1 to 7.
        top: how many inputs are shown of those that push up, and of those that push down.

    Raises:
        UnknownNameError: a class or layer that does not exist, or a layer without weighted sums.
        InputError: a number out of range, an image that does not fit, or a network that computes otherwise.

    Example:
        >>> import glassnet
        >>> run = glassnet.train("baseline", epochs=1)
        >>> boot = explain_neuron(run, run.dataset().test.images[0], "Ankle boot")
        >>> products = [term.product for term in boot.largest_for + boot.largest_against]
        >>> sum(products) + boot.rest + boot.bias == boot.total
        True
    """
    check_question(run, image, digits, top)
    seen = watch(run, image)
    asked = answer_layer(seen) if layer is None else find_layer(run.model, layer, COVERED)
    return explain_sum(seen, asked, *choose_neuron(seen, asked, neuron, at), digits=digits, top=top)


def check_question(run: "Run", image: np.ndarray, digits: int, top: int) -> None:
    """Raise InputError for an image that does not fit, or a number out of range."""
    check_fit(run, image.shape)
    if image.dtype != np.uint8:
        raise InputError(f"the image is {image.dtype}; expected uint8, brightness 0 to 255")
    check_count("digits", digits, most=7)
    check_count("top", top)


def explain_sum(
    seen: Seen, layer: Any, number: int, at: tuple[int, int] | None, *, digits: int, top: int
) -> Arithmetic:
    """Write out the sum of one neuron of a layer; `at` is the place in a filter's map."""
    x, w, places = find_terms(layer, seen.inputs[layer.name], number, at)
    bias = 0.0 if layer.bias is None else float(np.asarray(layer.bias)[number])
    if not (np.isfinite(w).all() and np.isfinite(x).all() and math.isfinite(bias)):
        raise InputError(f"the layer {layer.name!r} holds numbers that are not finite; train again, with smaller steps")
    products = x * w  # exact: both have 24 bits
    total = math.fsum([*products, bias])
    end = find_end(seen, layer, number, at, total)
    check_agreement(seen, layer, end, number, total, products)
    decimals, value, softmax = round_end(end, total, number, digits)

    source, shape = origin(seen, layer)
    positions = np.stack(np.unravel_index(places, shape), -1)
    order = np.argsort(-np.abs(products), kind="stable")
    for_, against = ([k for k in order if sign * products[k] > 0][:top] for sign in (1, -1))
    xs, ws = round_factors(x[for_ + against], w[for_ + against], decimals)
    terms = [
        Term(
            name=_place(position, shape),
            position=position,
            pixel=int(seen.image[position]) if source == PIXELS else None,
            x=one_x,
            w=one_w,
            product=rounded(EXACT.multiply(one_x, one_w), decimals),
        )
        for position, one_x, one_w in zip((tuple(positions[k].tolist()) for k in for_ + against), xs, ws, strict=True)
    ]
    shown_total, shown_bias = rounded(total, decimals), rounded(bias, decimals)
    return Arithmetic(
        layer=layer.name,
        neuron=end.labels[number] if at is None else f"filter {number} at row {at[0]}, column {at[1]}",
        number=number,
        at=at,
        source=source,
        largest_for=tuple(terms[: len(for_)]),
        largest_against=tuple(terms[len(for_) :]),
        rest=shown_total - shown_bias - sum((term.product for term in terms), Decimal(0)),
        rest_count=len(x) - len(terms),
        bias=shown_bias,
        total=shown_total,
        activation=end.name,
        formula="" if end.name == "softmax" else end.function.formula,
        value=value,
        network_value=end.network_value,
        softmax=softmax,
        inputs=x,
        weights=w,
        positions=positions,
        source_shape=tuple(shape),
    )


def _place(position: tuple[int, ...], shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"unit {position[0]}"
    if len(shape) not in (2, 3):
        return f"place {', '.join(map(str, position))}"
    channel = f", channel {position[2]}" if len(shape) == 3 and shape[2] > 1 else ""
    return f"row {position[0]}, column {position[1]}{channel}"
