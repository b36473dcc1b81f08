"""What stands in a report: every value, computed once, before anything is written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.datasets import Dataset
from glassnet.errors import InputError
from glassnet.evaluation import (
    Evaluation,
    Mistake,
    RobustnessCurve,
    corrupt,
    evaluate,
    find_mistakes,
    measure_robustness,
)
from glassnet.evaluation.robustness import CORRUPTIONS
from glassnet.network import Summary, summarize
from glassnet.runs import Run
from glassnet.sharing.sprites import Sprite, Tile, coloured
from glassnet.training.job import held_out_rows

if TYPE_CHECKING:
    from glassnet.explanation.arithmetic import Arithmetic

IN_A_CELL = 12
"""Images that a cell of the confusion matrix shows at most."""

SHEET_BYTES = 1_500_000
"""Pixels of all cells together, before compression; with more classes or larger images each cell shows fewer."""

MOST_CLASSES, MOST_UNITS = 40, 40
"""Classes that are shown with an image or in the table of confusions, and neurons that are shown with their weights."""

FULL = 0.99
"""Share of the weights that lie within the colour scale; a few are so large that they would make the rest pale."""

LEVELS = 6
"""Levels of a corruption that are shown with an image."""


@dataclass(frozen=True)
class Shown:
    """An image of the data set on the page.

    Args:
        index: its number in its split.
        tile: its place in the sprite.
        probability: of what the network says about it; None where it was not asked.
    """

    index: int
    tile: Tile
    probability: float | None = None


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix that is not empty, with its surest images."""

    truth: int
    predicted: int
    count: int
    share: float
    images: tuple[Shown, ...]


@dataclass(frozen=True)
class Weights:
    """The weights of the first layer as pictures on one scale.

    Args:
        kind: "neurons" of a dense layer or "filters" of a convolution.
        layer: its name.
        names: of the neurons that are shown.
        tiles: their places in the sprite of weights.
        sprite: that sprite.
        all: how many there are.
        largest: the absolute weight from which on the colours are full.
    """

    kind: str
    layer: str
    names: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sprite: Sprite
    all: int
    largest: float


@dataclass(frozen=True, eq=False)
class Contents:
    """Everything that a report shows.

    Args:
        run: the trained network.
        data: its data set.
        learned: how many of the training images it learned from; the others were held out.
        evaluation: on the test images.
        mistakes: the surest ones.
        robustness: the accuracy on images that were made worse.
        summary: the layers; None for a network without an input shape.
        arithmetic: of the winning neuron for the example; None for a network that ends in no weighted sum.
        weights: of the first layer; None where they are no pictures.
        sprite: the images of the data set on the page.
        examples: for each class its first training image, where it has one.
        matrix: the classes in the table of confusions: all, or those that are confused most.
        cells: the confusion matrix of these, row by row; None is an empty cell.
        pictures: the images that stand on the page by (split, index).
        worse: the example at every level of every corruption.
        example: the test image that is followed through the network.
    """

    run: Run
    data: Dataset
    learned: int
    evaluation: Evaluation
    mistakes: tuple[Mistake, ...]
    robustness: tuple[RobustnessCurve, ...]
    summary: Summary | None
    arithmetic: "Arithmetic | None"
    weights: Weights | None
    sprite: Sprite
    examples: tuple[Shown | None, ...]
    matrix: tuple[int, ...]
    cells: tuple[tuple[Cell | None, ...], ...]
    pictures: dict[tuple[str, int], Tile]
    worse: dict[str, tuple[Tile, ...]]
    example: Shown

    def record(self) -> dict[str, Any]:
        """Return the numbers, as `glassnet evaluate --report --json` does."""
        return self.evaluation.record() | {
            "mistakes": [one.record() for one in self.mistakes],
            "robustness": [one.record() for one in self.robustness],
        }

    @property
    def chosen(self) -> Cell | None:
        """The cell that is open at first: the most frequent mistake, or else the most frequent cell."""
        filled = [cell for row in self.cells for cell in row if cell and cell.images]
        return max(filled, key=lambda cell: (cell.truth != cell.predicted, cell.count), default=None)


def gather(run: Run, data: Dataset | None = None) -> Contents:
    """Compute what a report of a run shows.

    Args:
        run: a trained network.
        data: the data set; the one that it was trained on if None.

    Raises:
        InputError: the data set is not at hand, or does not fit the network.
    """
    data = run.dataset() if data is None else data
    evaluation = evaluate(run, data)
    surest = tuple(find_mistakes(run, evaluation, data)) if not evaluation.right.all() else ()
    sprite = Sprite((data.image_shape[0], data.image_shape[1]))
    example = 0
    shown = Shown(
        example, sprite.put(("test", example), data.test.images[example]), float(evaluation.confidence[example])
    )
    matrix = _most_confused(np.array(evaluation.confusion))
    return Contents(
        run=run,
        data=data,
        learned=int((~held_out_rows(data, run.passport.settings.get("held_out", 0))).sum()),
        evaluation=evaluation,
        mistakes=surest,
        robustness=measure_robustness(run, data),
        summary=_optional(summarize, run.model),
        arithmetic=_optional(_explained, run, data.test.images[example]),
        weights=_optional(_weights, run),
        sprite=sprite,
        examples=_examples(data, sprite),
        matrix=tuple(matrix.tolist()),
        cells=_cells(evaluation, matrix, data, sprite),
        pictures=_mistaken(surest, data, sprite),
        worse=_worse(data.test.images[example], sprite),
        example=shown,
    )


def _optional(function: Any, *arguments: Any) -> Any:
    """Return what the function gives, or None for a network that it does not cover."""
    try:
        return function(*arguments)
    except InputError:
        return None


def _explained(run: Run, image: np.ndarray) -> "Arithmetic":
    from glassnet.explanation.arithmetic import explain_neuron

    return explain_neuron(run, image, top=5)


def _weights(run: Run) -> Weights | None:
    """Return the first layer's templates, or its filters where it is a convolution."""
    from glassnet.explanation.units import Templates, filters, templates

    try:
        found, kind = templates(run), "neurons"
    except InputError:
        found, kind = filters(run), "filters"
    values = found.weights.astype(np.float64)
    if values.ndim == 4:  # colours or channels: their mean, which is what a picture on one scale can show
        values = values.mean(-1)
    classes = isinstance(found, Templates) and found.names == run.passport.classes
    strength = np.square(values).sum((1, 2))
    order = np.arange(len(values)) if classes else np.argsort(-strength, kind="stable")
    order = order[:MOST_UNITS]
    values = values[order]
    largest = float(np.quantile(np.abs(values), FULL)) or 1.0
    pictures = coloured(values, largest)
    sprite = Sprite(pictures.shape[1:3])
    tiles = tuple(sprite.put(number, picture) for number, picture in enumerate(pictures))
    names = tuple(found.names[k] if isinstance(found, Templates) else f"filter {k}" for k in order.tolist())
    return Weights(kind, found.layer, names, tiles, sprite, len(found.weights), largest)


def _examples(data: Dataset, sprite: Sprite) -> tuple[Shown | None, ...]:
    labels, first = np.unique(data.train.labels, return_index=True)
    places = dict(zip(labels.tolist(), first.tolist(), strict=True))
    return tuple(
        Shown(places[label], sprite.put(("train", places[label]), data.train.images[places[label]]))
        if label in places
        else None
        for label in range(min(len(data.classes), MOST_CLASSES))
    )


def _most_confused(counts: np.ndarray) -> np.ndarray:
    """Return the numbers of the classes, ascending: of very many, those that most mistakes are about."""
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    return np.sort(np.argsort(-(wrong.sum(0) + wrong.sum(1)), kind="stable")[:MOST_CLASSES])


def _cells(
    evaluation: Evaluation, matrix: np.ndarray, data: Dataset, sprite: Sprite
) -> tuple[tuple[Cell | None, ...], ...]:
    """Choose the surest images of every cell; the fullest cells come first where there is no room for all."""
    counts = np.array(evaluation.confusion)
    supports = counts.sum(-1)
    filled = matrix[np.argwhere(counts[np.ix_(matrix, matrix)])]
    height, width = sprite.tile
    room = max(1, SHEET_BYTES // (height * width * (3 if data.test.images.ndim == 4 else 1)))
    each = int(np.clip(room // max(1, len(filled)), 1, IN_A_CELL))
    surest = np.argsort(-evaluation.confidence, kind="stable")
    key = evaluation.labels.astype(np.int64)[surest] * len(counts) + evaluation.predicted[surest]
    cells: dict[tuple[int, int], Cell] = {}
    by_count = filled[np.argsort(-counts[tuple(filled.T)], kind="stable")]
    for rank, (truth, predicted) in enumerate(by_count.tolist()):
        members = surest[key == truth * len(counts) + predicted][: each if rank < room else 0].tolist()
        images = tuple(
            Shown(index, sprite.put(("test", index), data.test.images[index]), float(evaluation.confidence[index]))
            for index in members
        )
        total = int(counts[truth, predicted])
        cells[truth, predicted] = Cell(truth, predicted, total, total / int(supports[truth]), images)
    return tuple(tuple(cells.get((i, j)) for j in matrix.tolist()) for i in matrix.tolist())


def _mistaken(surest: tuple[Mistake, ...], data: Dataset, sprite: Sprite) -> dict[tuple[str, int], Tile]:
    """Put the mistakes and their neighbours on the sprite."""
    wanted = [("test", one.index) for one in surest]
    wanted += [("train", near.index) for one in surest for near in (*one.nearest_predicted, *one.nearest_true)]
    return {key: sprite.put(key, data.split(key[0]).images[key[1]]) for key in wanted}


def _worse(image: np.ndarray, sprite: Sprite) -> dict[str, tuple[Tile, ...]]:
    """Make the example worse in every way, at every level."""
    return {
        name: tuple(sprite.put((name, level), corrupt(image[None], name, level)[0]) for level in one.levels[:LEVELS])
        for name, one in CORRUPTIONS.items()
    }
