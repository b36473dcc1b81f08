"""What excites a unit most among the images, and which part of each it sees."""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.datasets import Dataset
from glassnet.errors import InputError
from glassnet.evaluation import check_fit
from glassnet.explanation.layers import chain, find_layer
from glassnet.explanation.units import FOLLOWERS, KINDS, PIXELWISE, images_of, maps_of
from glassnet.recipe import check_count
from glassnet.runs import Run
from glassnet.types import Image

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Exciting:
    """The images that excite one unit most.

    Args:
        layer: the name of its layer.
        unit: its number in the layer.
        split: whose images they are.
        indexes: numbers of the images, the most exciting first.
        values: what the unit gives for each; of a filter the largest value on its map; of an output its logit.
        positions: (row, column) on the map of a filter where that is; None for neurons.
        boxes: (top, left, height, width) of what the filter sees there, in pixels of the image; None where it is not
            known.
    """

    layer: str
    unit: int
    split: str
    indexes: tuple[int, ...]
    values: tuple[float, ...]
    positions: tuple[tuple[int, int], ...] | None
    boxes: tuple[tuple[int, int, int, int], ...] | None

    def record(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return asdict(self)


def most_exciting(
    run: Run,
    *,
    layer: str,
    unit: int | None = None,
    count: int = 9,
    data: Dataset | None = None,
    split: str = "test",
    images: int | None = None,
) -> list[Exciting]:
    """Find the images for which units give most.

    Args:
        run: a trained network.
        layer: name of a Dense or Conv2D layer.
        unit: number of one unit; all units of the layer if None.
        count: how many images for each unit.
        data: whose images; the run's own data set if None.
        split: "test", "train" or "validation".
        images: only look at the first so many; at all if None.

    Returns:
        One for each unit, in the order of their numbers.

    Raises:
        UnknownNameError: there is no such layer or split.
        InputError: there is no such unit, or the images do not fit.
    """
    found = find_layer(run.model, layer, KINDS)
    output: Any = found.output
    units = output.shape[-1]
    if unit is not None and not 0 <= unit < units:
        raise InputError(f"no unit {unit} in layer {layer}; its units are numbered 0 to {units - 1}")
    check_count("number of images for each unit", count)
    if images is not None:
        check_count("images", images)
    part = images_of(run, data, split)
    values, places, shape = [], [], ()
    for maps in maps_of(run.model, found, part.images[:images]):
        shape = maps.shape[1:-1]
        flat = maps.reshape(len(maps), -1, units)
        places.append(flat.argmax(1))
        values.append(flat.max(1))
    value, place = np.concatenate(values), np.concatenate(places)
    sees = _field(run.model, found) if len(shape) == 2 else None
    result = []
    for k in range(units) if unit is None else (unit,):
        indexes = np.argsort(-value[:, k], kind="stable")[:count]
        rows, columns = np.unravel_index(place[indexes, k], shape) if len(shape) == 2 else ((), ())
        positions = tuple((int(row), int(column)) for row, column in zip(rows, columns, strict=True))
        result.append(
            Exciting(
                layer=layer,
                unit=k,
                split=split,
                indexes=tuple(indexes.tolist()),
                values=tuple(value[indexes, k].tolist()),
                positions=positions if len(shape) == 2 else None,
                boxes=tuple(sees.box(position) for position in positions) if sees else None,
            )
        )
    return result


def unit_values(run: Run, image: Image, layer: str) -> np.ndarray:
    """Return how strongly an image excites each unit of a layer.

    It is what a neuron gives, the largest value on the map of a filter, the logit of an output.

    Args:
        run: a trained network.
        image: `uint8 (height, width[, channels])`.
        layer: name of a Dense or Conv2D layer.

    Returns:
        `float32 (units,)`.

    Raises:
        UnknownNameError: there is no such layer.
        InputError: the image does not fit the network.
    """
    check_fit(run, image.shape)
    (maps,) = maps_of(run.model, find_layer(run.model, layer, KINDS), image[None])
    return maps.max(axis=tuple(range(1, maps.ndim - 1)))[0]


@dataclass(frozen=True)
class _Field:
    """The pixels that one position of a feature map depends on; each value is (row, column).

    Args:
        size: of the window, in pixels.
        step: from one position to the next.
        start: upper left pixel of the window at position (0, 0); negative where it begins in the padding.
        image: size of the image.
    """

    size: tuple[int, int] = (1, 1)
    step: tuple[int, int] = (1, 1)
    start: tuple[int, int] = (0, 0)
    image: tuple[int, int] = (0, 0)

    def box(self, position: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return (top, left, height, width) of what the position sees of the image."""
        first = [begin + at * step for begin, at, step in zip(self.start, position, self.step, strict=True)]
        low = [max(0, one) for one in first]
        high = [min(side, one + size) for side, one, size in zip(self.image, first, self.size, strict=True)]
        return low[0], low[1], high[0] - low[0], high[1] - low[1]


def _field(model: "keras.Model", layer: "keras.Layer") -> _Field | None:
    """Follow a window from a layer's map back to the image; None where layers in between are not understood."""
    try:
        layers = chain(model)
    except InputError:
        return None
    sides = []
    for side in (0, 1):
        size, step, start = 1, 1, 0
        for one in layers[: layers.index(layer) + 1]:
            kind = type(one).__name__
            if kind in ("Conv2D", "MaxPooling2D", "AveragePooling2D"):
                any_layer: Any = one
                window = (any_layer.kernel_size if kind == "Conv2D" else any_layer.pool_size)[side]
                reach = (window - 1) * (any_layer.dilation_rate[side] if kind == "Conv2D" else 1)
                stride, pixels = any_layer.strides[side], any_layer.input.shape[1 + side]
                if any_layer.padding == "same":  # the odd pixel of the padding lies behind
                    start -= max((math.ceil(pixels / stride) - 1) * stride + reach + 1 - pixels, 0) // 2 * step
                size, step = size + reach * step, step * stride
            elif kind not in FOLLOWERS and (kind not in PIXELWISE or kind == "Flatten"):
                return None
        sides.append((size, step, start))
    size, step, start = zip(*sides, strict=True)
    return _Field(size, step, start, tuple(model.input_shape[1:3]))
