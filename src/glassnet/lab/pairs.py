"""What the desk answers about two runs side by side, in its own process: plain values and arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.errors import InputError
from glassnet.lab.memory import recall, recall_scores
from glassnet.lab.weights import first_weights

MOST_UNITS = 20
"""Pictures of weights of each run."""

MOST_IMAGES = 24
"""Images that only one of the two recognises, of each."""


@dataclass(frozen=True, eq=False)
class Side:
    """One of two runs.

    Args:
        record: what `glassnet evaluate --json` says.
        weights: of the first units of its first layer, `float32 (units, height, width)`; None if they are no pictures.
        units: how many there are in all.
        only: numbers of test images that it recognises and the other one does not, the first ones.
    """

    record: dict[str, Any]
    weights: np.ndarray | None
    units: int
    only: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Pair:
    """Two runs beside each other.

    Args:
        sides: the first and the second.
        comparison: what `glassnet compare --json` says, without its list of images; None if they cannot be compared.
        reason: why they cannot.
    """

    sides: tuple[Side, Side]
    comparison: dict[str, Any] | None
    reason: str


def pair(first: Path, second: Path) -> Pair:
    """Measure two runs, and compare them image by image where they were measured on the same ones."""
    from glassnet.evaluation import compare

    one, other = _side(first), _side(second)
    sets = [recall(run).passport for run in (first, second)]
    if len({passport.dataset_sha256 for passport in sets}) > 1:
        names = list(dict.fromkeys(passport.dataset for passport in sets))
        told = " and ".join(names) if len(names) > 1 else f"two sets that are both called {names[0]}"
        return Pair((one, other), None, f"they were measured on other images: {told}")
    try:
        record = compare(recall(first), recall(second)).record()
    except InputError as error:
        return Pair((one, other), None, str(error))
    differing = record.pop("differing")
    only = [
        tuple(image["index"] for image in differing if (image["first"] == image["truth"]) is wanted)[:MOST_IMAGES]
        for wanted in (True, False)
    ]
    sides = (Side(one.record, one.weights, one.units, only[0]), Side(other.record, other.weights, other.units, only[1]))
    return Pair(sides, record, "")


def _side(run: Path) -> Side:
    here = recall(run)
    weights = first_weights(here.model.get_weights(), here.passport.image_shape)
    shown = None if weights is None else weights[:MOST_UNITS]
    return Side(recall_scores(run).record(), shown, 0 if weights is None else len(weights))
