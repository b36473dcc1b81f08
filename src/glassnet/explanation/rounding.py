"""From a neuron's sum to what it gives, and figures that add up.

They are rounded so that each step, repeated from the figures shown, gives the next figure shown.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from glassnet.errors import InputError
from glassnet.explanation.decision import EXACT, FUNCTIONS, Function, rounded
from glassnet.explanation.sums import Seen, gives_classes, tail
from glassnet.probabilities import softmax

MOST_DECIMALS = 12
"""Beyond these the 64 bits that the sums are computed in would show."""


# -- what becomes of the sum -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class End:
    """What follows the sums of a layer.

    Args:
        labels: of its neurons.
        name: the function, as it is told.
        function: of each sum by itself.
        logits: what a softmax goes over, in 64 bits; None without one.
        inside: whether that softmax is in the network.
        network_value: what the network gives.
    """

    labels: Sequence[str]
    name: str
    function: Function
    logits: np.ndarray | None
    inside: bool
    network_value: float


def find_end(seen: Seen, layer: Any, number: int, at: tuple[int, int] | None, total: float) -> End:
    """Return what becomes of a neuron's sum.

    Raises:
        InputError: more follows than one function and a softmax.
    """
    outputs, passport = seen.outputs[layer.name], seen.run.passport
    classes = gives_classes(seen, layer)
    labels = passport.classes if classes else [f"unit {k}" for k in range(outputs.shape[-1])]
    functions = [layer.activation]
    if classes:
        behind = tail(seen)[1:]
        functions += [one if type(one).__name__ == "Softmax" else getattr(one, "activation", None) for one in behind]
        outputs = seen.scores
    named = [(_function_name(one), one) for one in functions if one is not None]
    named = [(name, one) for name, one in named if name != "linear"]
    inside = bool(named) and named[-1][0] == "softmax" and at is None
    before = named[: len(named) - inside]
    if len(before) > 1 or any(name == "softmax" for name, _ in before):
        raise InputError(
            f"after the layer {layer.name!r} come {', '.join(name for name, _ in named)}; one function and a softmax "
            "after it are covered"
        )
    function = _as_function(*before[0]) if before else FUNCTIONS["linear"]
    logits = None
    if inside or (classes and passport.outputs == "logits"):
        sums = seen.inputs[layer.name].astype(np.float64) @ np.asarray(layer.kernel, np.float64)
        sums += 0 if layer.bias is None else np.asarray(layer.bias, np.float64)
        sums[number] = total  # the same, but for the order of the terms
        logits = np.array([function.of(one) for one in sums.tolist()])
    return End(
        labels=labels,
        name="softmax" if inside else before[0][0] if before else "linear",
        function=function,
        logits=logits,
        inside=inside,
        network_value=float(outputs[number] if at is None else outputs[(*at, number)]),
    )


def _function_name(activation: Any) -> str:
    return getattr(activation, "__name__", type(activation).__name__).lower()


def _as_function(name: str, activation: Any) -> Function:
    """Return a function in 64 bits; one that glassnet does not know is asked of Keras, in 32."""
    known = FUNCTIONS.get(name)
    return known or Function(f"{name}(z)", lambda z: float(np.asarray(activation(np.array([z], np.float32)))[0]))


def check_agreement(seen: Seen, layer: Any, end: End, number: int, total: float, products: np.ndarray) -> None:
    """Raise InputError unless the network itself gives the same, up to the rounding of 32 bits.

    The errors of n rounded additions grow as √n of the terms' sizes (Higham & Mary, "A New Approach to Probabilistic
    Rounding Error Analysis", SIAM Journal on Scientific Computing 41, 2019).
    """
    value, size = end.function.of(total), np.abs(products).sum()
    if end.inside and end.logits is not None:
        value = float(softmax(end.logits[None])[0, number])
        size = (np.abs(seen.inputs[layer.name].astype(np.float64)) @ np.abs(np.asarray(layer.kernel))).max()
    allowed = 1e-4 * abs(value) + float(np.finfo(np.float32).eps) * math.sqrt(len(products)) * size
    if not abs(value - end.network_value) <= allowed:
        raise InputError(
            f"the sum of the layer {layer.name!r} leads to {value:.7g}, but the network itself gives "
            f"{end.network_value:.7g}; covered is what computes in float32, and this does in {layer.compute_dtype}"
        )


# -- figures that add up -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassShare:
    """One class in a softmax: exp(logit - largest logit), and its share in the sum of all of them."""

    label: str
    logit: Decimal
    power: Decimal
    probability: Decimal

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON."""
        figures = {"logit": self.logit, "power": self.power, "probability": self.probability}
        return {"label": self.label} | {name: written(figure) for name, figure in figures.items()}


@dataclass(frozen=True)
class Softmax:
    """From logits to probabilities.

    Args:
        classes: all of them, in their order; the probabilities add up to 1 exactly.
        largest: the largest logit; subtracting it changes no probability and keeps exp small.
        powers: the sum of the classes' powers.
        inside: whether the network itself ends in it, or it is added for the prediction.
    """

    classes: tuple[ClassShare, ...]
    largest: Decimal
    powers: Decimal
    inside: bool

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON."""
        return {
            "inside": self.inside,
            "largest": written(self.largest),
            "classes": [one.record() for one in self.classes],
            "powers": written(self.powers),
        }


def round_end(end: End, total: float, number: int, digits: int) -> tuple[int, Decimal, Softmax | None]:
    """Return how many decimals the sum is shown with, the value, and the softmax in shown figures.

    So many that the function of the shown sum, and the softmax of the shown logits, are what the network gives.
    """
    if end.logits is None:
        value, decimals = rounded(end.function.of(total), digits), digits
        while decimals < MOST_DECIMALS and value != rounded(end.function.of(float(rounded(total, decimals))), digits):
            decimals += 1
        return decimals, value, None
    exact = softmax(end.logits[None])[0].tolist()
    shares = adding_up(exact, digits, {number, exact.index(max(exact))})
    logits, powers, decimals = [], [], digits
    for decimals in range(digits, MOST_DECIMALS + 1):
        logits = [rounded(one, decimals) for one in end.logits.tolist()]
        powers = [rounded(math.exp(one - max(logits)), decimals) for one in logits]
        gives = end.function.of(float(rounded(total, decimals)))
        if rounded(gives, decimals) == logits[number] and all(
            rounded(power / sum(powers), digits) == rounded(share, digits)
            for power, share in zip(powers, exact, strict=True)
        ):
            break
    shown = Softmax(
        classes=tuple(itertools.starmap(ClassShare, zip(end.labels, logits, powers, shares, strict=True))),
        largest=max(logits),
        powers=sum(powers, Decimal(0)),
        inside=end.inside,
    )
    return decimals, shares[number] if end.inside else logits[number], shown


def adding_up(shares: list[float], digits: int, kept: set[int]) -> list[Decimal]:
    """Round shares of 1 so that they add up to 1: those with the largest remainders up, the others down.

    This is Hamilton's method of apportionment, but for the shares numbered `kept`, which are rounded as ever.
    """
    unit = Decimal(1).scaleb(-digits)
    floors = [Decimal(share) // unit * unit for share in shares]
    remainders = [(Decimal(share) - floor) / unit for share, floor in zip(shares, floors, strict=True)]
    for k in kept:
        remainders[k] = Decimal(2 if remainders[k] * 2 >= 1 else -1)
    missing = int((1 - sum(floors)) / unit)
    for k in sorted(range(len(shares)), key=lambda k: -remainders[k])[:missing]:
        floors[k] += unit
    return floors


def round_factors(x: np.ndarray, w: np.ndarray, decimals: int) -> tuple[list[Decimal], list[Decimal]]:
    """Round every x and w with so many decimals that their products, to `decimals`, are those of the unrounded."""
    pairs = [(Decimal(a), Decimal(b)) for a, b in zip(x.tolist(), w.tolist(), strict=True)]
    products = [rounded(EXACT.multiply(a, b), decimals) for a, b in pairs]
    shown, places = [], decimals
    while products != [rounded(EXACT.multiply(a, b), decimals) for a, b in shown]:
        shown = [(rounded(a, places), rounded(b, places)) for a, b in pairs]
        places += 1
    return _without_zeros([a for a, _ in shown]), _without_zeros([b for _, b in shown])


def _without_zeros(numbers: list[Decimal]) -> list[Decimal]:
    """Leave those zeros at the end away that all have."""
    exponents = [int(EXACT.normalize(one).as_tuple().exponent) for one in numbers]
    places = max((-one for one in exponents), default=0)
    return [rounded(one, max(places, 0)) for one in numbers]


def written(number: Decimal) -> str:
    """Write a decimal with all its digits and without an exponent."""
    return format(number, "f")
