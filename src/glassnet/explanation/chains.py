"""The way back from a class to the pixels: its neuron, the neurons that moved it most, and so on."""

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.explanation.arithmetic import Arithmetic, check_question, explain_sum
from glassnet.explanation.sums import Seen, answer_layer, choose_neuron, is_covered, origin, padding, watch
from glassnet.recipe import check_count
from glassnet.types import Image

if TYPE_CHECKING:
    from glassnet.runs import Run


def explain_chain(
    run: "Run", image: Image, neuron: str | int | None = None, *, units: int = 3, digits: int = 4, top: int = 5
) -> tuple[Arithmetic, ...]:
    """Write out the way from a class back to the pixels: its neuron, those that moved it most, and so on.

    Of each layer before, these are the `units` neurons whose value times weight is largest in the neuron that was most
    influential in the layer after. Through max pooling the way leads to the place that won; through other layers that
    mix their inputs it cannot be followed, and ends.

    Args:
        run: a trained network.
        image: `uint8`, of the shape that the run takes.
        neuron: a class by name or number; None is the predicted one.
        units: how many neurons of each layer.
        digits: as in `explain_neuron`.
        top: as in `explain_neuron`.

    Returns:
        From the class to the first layer; each layer's neurons in order of their influence.
    """
    check_count("units", units)
    check_question(run, image, digits, top)
    seen = watch(run, image)
    answer = answer_layer(seen)
    steps = [explain_sum(seen, answer, *choose_neuron(seen, answer, neuron, None), digits=digits, top=top)]
    strongest = steps[0]
    while sources := _sources(seen, strongest, units):
        step = [explain_sum(seen, *source, digits=digits, top=top) for source in sources]
        steps += step
        strongest = step[0]
    return tuple(steps)


def _sources(seen: Seen, current: Arithmetic, units: int) -> list[tuple[Any, int, tuple[int, int] | None]]:
    """Return the neurons that moved this one most, as layer, number and place; none where the way ends."""
    layers: dict[str, Any] = {one.name: one for one in seen.run.model.layers}
    pooling = source = layers.get(current.source)
    if is_pooled := type(source).__name__ == "MaxPooling2D":
        name, shape = origin(seen, source)
        source = layers.get(name) if shape == seen.inputs[current.source].shape else None
    if source is None or not is_covered(seen, source):
        return []
    found: dict[tuple[int, ...], None] = {}
    for k in np.argsort(-np.abs(current.products), kind="stable"):
        position = tuple(current.positions[k].tolist())
        if current.products[k] and len(found) < units:
            found[_winner(seen, pooling, position) if is_pooled else position] = None
    return [(source, place[-1], (place[0], place[1]) if len(place) == 3 else None) for place in found]


def _winner(seen: Seen, pooling: Any, position: tuple[int, ...]) -> tuple[int, ...]:
    """Return the place of the value that a max pooling kept."""
    values = seen.inputs[pooling.name]
    before = padding(pooling, pooling.pool_size, (1, 1), values.shape)
    spans = []
    for axis in (0, 1):
        start = position[axis] * pooling.strides[axis] - before[axis]
        spans.append(range(max(start, 0), min(start + pooling.pool_size[axis], values.shape[axis])))
    return max(((r, c, position[2]) for r in spans[0] for c in spans[1]), key=lambda place: values[place])
