"""Why this answer: how much every pixel pushes for or against a class, told by one of five methods."""

import inspect
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from glassnet.errors import UnknownNameError
from glassnet.explanation.attribution_methods import METHODS, convolutions
from glassnet.explanation.differentiable import Differentiable, check_image
from glassnet.explanation.sums import find_class
from glassnet.runs import Run
from glassnet.types import Image

Map = Float[np.ndarray, "height width"]
"""One number for each pixel."""

ChannelMap = Float[np.ndarray, "height width channels"]
"""One number for each channel of each pixel."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much every pixel pushes for (above 0) or against (below 0) a class.

    Args:
        method: a name of `METHODS`.
        neuron: the class number that was asked about.
        label: its name.
        values: one number for each pixel; colour channels are summed.
        channels: the same before that sum, where the method tells the channels of an image apart.
        logit: the class's score for the image.
        baseline_logit: its score for the image that the method starts from, where there is one.
        completeness: how far the values miss the difference of the two logits that they should sum to, as a share of
            it; None where the method promises no sum.
        meaning: what one value says.
        settings: what the method was run with.
    """

    method: str
    neuron: int
    label: str
    values: Map = field(repr=False)
    channels: ChannelMap | None = field(repr=False)
    logit: float
    baseline_logit: float | None
    completeness: float | None
    meaning: str
    settings: dict[str, Any]

    def largest(self, count: int = 5) -> list[tuple[int, int, float]]:
        """Return row, column and value of the pixels that push most, for or against."""
        order = np.argsort(-np.abs(self.values), axis=None, kind="stable")[:count]
        rows, columns = np.unravel_index(order, self.values.shape)
        return [(int(r), int(c), float(self.values[r, c])) for r, c in zip(rows, columns, strict=True)]

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON; the values keep four digits."""
        return {
            "method": self.method,
            "neuron": self.neuron,
            "label": self.label,
            "logit": self.logit,
            "baseline_logit": self.baseline_logit,
            "completeness": self.completeness,
            "meaning": self.meaning,
            "settings": self.settings,
            "largest": [{"row": r, "column": c, "value": _rounded(value)} for r, c, value in self.largest()],
            "values": [[_rounded(value) for value in row] for row in self.values],
        }


def attribute(
    run: Run, image: Image, method: str = "integrated-gradients", *, neuron: int | str | None = None, **options: Any
) -> Attribution:
    """Say how much every pixel of an image pushes for or against a class.

    Args:
        run: a trained network.
        image: `uint8`, in the shape of the run's images.
        method: a name of `METHODS`.
        neuron: number or name of the class; the predicted one if None.
        **options: the keyword arguments of that method's function in `METHODS`.

    Raises:
        UnknownNameError: no method, class or option of that name.
        InputError: an image that does not fit, or a network that the method does not cover.

    Example:
        >>> import glassnet
        >>> from glassnet.explanation.attributions import attribute
        >>> data = glassnet.load("fashion-mnist")
        >>> why = attribute(glassnet.train("baseline", epochs=1), data.test.images[0])
        >>> why.label, why.values.shape, why.completeness < 0.01
        ('Ankle boot', (28, 28), True)
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    check_image(run, image)
    number = None if neuron is None else find_class(run.passport.classes, neuron)
    return explain_with(Differentiable.of(run), image, method, number, options)


def methods_for(run: Run) -> tuple[str, ...]:
    """Return the names of the methods that cover a run's network."""
    convolutional = bool(convolutions(run.model))
    return tuple(name for name in METHODS if name != "grad-cam" or convolutional)


def explain_with(
    network: Differentiable, image: np.ndarray, method: str, neuron: int | None, options: dict[str, Any]
) -> Attribution:
    """Explain an image by a method, with whatever weights the network has; the rest is as for `attribute`."""
    function = METHODS[method]
    known = [one.name for one in inspect.signature(function).parameters.values() if one.kind is one.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise UnknownNameError(f"option of {method}", name, known)
    pixels = image.astype(np.float64)
    logits = network.logits(pixels[None])[0]
    neuron = int(logits.argmax()) if neuron is None else neuron
    told = function(network, pixels, neuron, **options)
    parted = told.values.ndim == 3
    return Attribution(
        method=method,
        neuron=neuron,
        label=network.run.passport.classes[neuron],
        values=told.values.sum(-1) if parted else told.values,
        channels=told.values if parted else None,
        logit=float(logits[neuron]),
        baseline_logit=told.baseline_logit,
        completeness=told.completeness,
        meaning=told.meaning,
        settings=told.settings,
    )


def _rounded(value: float) -> float:
    """Round to four digits; minus zero becomes zero."""
    return float(f"{value:.4g}") + 0.0
