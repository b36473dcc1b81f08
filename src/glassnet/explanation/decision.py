"""The smallest neuron: a weighted sum, a bias, and a function that turns the sum into a decision.

References:
    F. Rosenblatt, "The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain",
    Psychological Review 65, 1958.
"""

import decimal
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from glassnet.errors import InputError, UnknownNameError

EXACT = decimal.Context(prec=3000, rounding=decimal.ROUND_HALF_UP)
"""Decimals as on paper: sums and products of floats are kept to the last digit, and halves are rounded up."""


@dataclass(frozen=True)
class Function:
    """What a neuron does with its sum z.

    Args:
        formula: as one types it into a calculator, with z for the sum.
        of: the same, computed.
    """

    formula: str
    of: Callable[[float], float]


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))  # neither exp can overflow


FUNCTIONS = {
    "linear": Function("z", lambda z: z),
    "sigmoid": Function("1 / (1 + exp(-z))", _sigmoid),
    "relu": Function("z if z > 0, else 0", lambda z: max(z, 0.0)),
    "tanh": Function("tanh(z)", math.tanh),
    "leaky_relu": Function("z if z > 0, else 0.2 × z", lambda z: z if z > 0 else 0.2 * z),
    "elu": Function("z if z > 0, else exp(z) - 1", lambda z: z if z > 0 else math.expm1(z)),
    "selu": Function(
        "1.05070099 × z if z > 0, else 1.75809934 × (exp(z) - 1)",
        lambda z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * math.expm1(z)),
    ),
    "gelu": Function("z × (1 + erf(z / √2)) / 2", lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2),
    "silu": Function("z / (1 + exp(-z))", lambda z: z * _sigmoid(z)),
    "softplus": Function("ln(1 + exp(z))", lambda z: max(z, 0.0) + math.log1p(math.exp(-abs(z)))),
    "softsign": Function("z / (1 + |z|)", lambda z: z / (1 + abs(z))),
}
"""The functions of neurons by the names that Keras has for them."""

ACTIVATIONS = ("step", "sigmoid")
"""The functions that decide; Keras has no step, as nothing can be learned through it."""


def _check_finite(numbers: Mapping[str, float]) -> None:
    for name, value in numbers.items():
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise InputError(f"{name} is {value!r}; it must be a finite number, such as 1")


@dataclass(frozen=True)
class Neuron:
    """A neuron of one's own.

    Args:
        weights: how much each input counts, by its name; negative: against.
        bias: added to the sum; negative: how much must speak for it before the answer is yes.
        activation: "step" answers yes or no; "sigmoid" answers between 0 and 1.

    Raises:
        InputError: no weights, or a number that is not finite.
        UnknownNameError: another activation.
    """

    weights: Mapping[str, float]
    bias: float = 0.0
    activation: str = "step"

    def __post_init__(self) -> None:
        if not self.weights:
            raise InputError("the neuron has no weights; give it one for each input, such as salary=6")
        _check_finite({f"the weight of {name}": weight for name, weight in self.weights.items()} | {"bias": self.bias})
        if self.activation not in ACTIVATIONS:
            raise UnknownNameError("activation", self.activation, ACTIVATIONS)


JOB_OFFER = Neuron(
    {"salary": 6, "kind team": 4, "room to learn": 5, "short commute": 3, "overtime": -4, "moving house": -6}, bias=-7
)
"""Accept the job offer? Every input is 1 (true of this offer) or 0; without enough that speaks for it, stay."""


@dataclass(frozen=True)
class Product:
    """One input times its weight."""

    name: str
    x: Decimal
    w: Decimal
    product: Decimal


@dataclass(frozen=True)
class Decision:
    """A neuron's answer with every number on the way; the products and the bias add up to the total exactly.

    Args:
        products: one for each input.
        bias: of the neuron.
        total: Σ products + bias.
        activation: "step" or "sigmoid".
        value: what the neuron gives: 0 or 1, or between them (rounded to six decimals).
        yes: the decision: whether the total is above 0.
    """

    products: tuple[Product, ...]
    bias: Decimal
    total: Decimal
    activation: str
    value: Decimal
    yes: bool

    def sentence(self) -> str:
        """Return the whole arithmetic in one line."""
        terms = " + ".join(f"{plain(one.x)} × {_bracketed(one.w)}" for one in self.products)
        answer = f"{self._conclusion()}: {'yes' if self.yes else 'no'}"
        return f"{terms} + {_bracketed(self.bias)} = {plain(self.total)}; {answer}"

    def lines(self) -> list[str]:
        """Return the arithmetic as aligned lines: one for each input, the bias, the sum, the decision."""
        names = [*(one.name for one in self.products), "bias", "sum"]
        steps = [f"{plain(one.x)} × {_bracketed(one.w)} =" for one in self.products] + ["", ""]
        values = [plain(value) for value in (*(one.product for one in self.products), self.bias, self.total)]
        wide = [max(map(len, column)) for column in (names, steps, values)]
        rows = [
            f"{name:<{wide[0]}}  {step:>{wide[1]}} {value:>{wide[2]}}"
            for name, step, value in zip(names, steps, values, strict=True)
        ]
        rule = "-" * len(rows[0])
        return [*rows[:-1], rule, rows[-1], f"{self._conclusion()}: {'yes' if self.yes else 'no'}"]

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON; decimals are texts, so that they keep their last digit."""
        return {
            "products": [
                {"name": one.name, "x": plain(one.x), "w": plain(one.w), "product": plain(one.product)}
                for one in self.products
            ],
            "bias": plain(self.bias),
            "sum": plain(self.total),
            "activation": self.activation,
            "value": plain(self.value),
            "yes": self.yes,
        }

    def _conclusion(self) -> str:
        if self.activation == "step":
            return f"step gives {plain(self.value)}, as {plain(self.total)} is {'above' if self.yes else 'not above'} 0"
        formula = FUNCTIONS[self.activation].formula.replace("-z", plain(EXACT.minus(self.total)))
        return f"{self.activation} gives {formula} = {plain(self.value)}"


def decide(neuron: Neuron, inputs: Mapping[str, float]) -> Decision:
    """Ask a neuron: Σ input × weight + bias, then its function.

    Args:
        neuron: weights, bias and function.
        inputs: a number for every weight, by its name; 1 for what is true and 0 for what is not.

    Raises:
        UnknownNameError: an input that the neuron has no weight for.
        InputError: an input is missing or not finite.

    Example:
        >>> decision = decide(Neuron({"salary": 6, "overtime": -4}, bias=-1), {"salary": 1, "overtime": 1})
        >>> decision.sentence()
        '1 × 6 + 1 × (-4) + (-1) = 1; step gives 1, as 1 is above 0: yes'
    """
    for name in inputs:
        if name not in neuron.weights:
            raise UnknownNameError("input", name, neuron.weights)
    if missing := [name for name in neuron.weights if name not in inputs]:
        raise InputError(f"no input for {', '.join(missing)}; pass a number for each weight, such as {missing[0]}=1")
    _check_finite({f"the input {name}": value for name, value in inputs.items()})
    products = tuple(_product(name, inputs[name], weight) for name, weight in neuron.weights.items())
    bias = as_written(neuron.bias)
    total = bias
    for one in products:
        total = EXACT.add(total, one.product)
    yes = total > 0  # asked of the decimal: a float of it may round to 0
    value = Decimal(int(yes)) if neuron.activation == "step" else rounded(FUNCTIONS["sigmoid"].of(float(total)), 6)
    return Decision(products, bias, total, neuron.activation, value, yes)


def as_written(number: float) -> Decimal:
    """Return the decimal that a person would write for a float: 0.1 for 0.1, not what it is in binary."""
    return Decimal(repr(float(number)))


def rounded(number: float | Decimal, decimals: int) -> Decimal:
    """Round to so many decimals, halves away from 0; there is no -0."""
    return EXACT.plus(EXACT.quantize(Decimal(number), Decimal(1).scaleb(-decimals)))


def plain(number: Decimal) -> str:
    """Write a decimal as a person would: no exponent, and no zeros at the end of what was not rounded."""
    if number == EXACT.to_integral_value(number):
        return format(EXACT.to_integral_value(number), "f")
    return format(EXACT.normalize(number), "f")


def _product(name: str, x: float, weight: float) -> Product:
    return Product(name, as_written(x), as_written(weight), EXACT.multiply(as_written(x), as_written(weight)))


def _bracketed(number: Decimal) -> str:
    return f"({plain(number)})" if number < 0 else plain(number)
