"""The photo doctor: what the network would have said after each step from a photo to its input."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import GlassnetError
from glassnet.photos import Step
from glassnet.prediction import Prediction, Ranked, answer_photos, predict
from glassnet.types import Image

if TYPE_CHECKING:
    from glassnet.evaluation import Neighbour
    from glassnet.runs import Run


@dataclass(frozen=True, eq=False)
class Finding:
    """A step and the answer after it.

    Args:
        step: what was done.
        top: what the network says to the picture as it is after it, best first.
    """

    step: Step
    top: tuple[Ranked, ...]


@dataclass(frozen=True, eq=False)
class Examination:
    """A photo's way into the network, with an answer at each step.

    Args:
        prediction: the answer in the end.
        findings: the steps, each with the answer after it.
        decisive: the name of the last step that changed the answer; None if it was the same all the way.
        neighbours: the training images that are nearest to the network's input; none where the data is not at hand.
        nearest: those images.
    """

    prediction: Prediction
    findings: tuple[Finding, ...]
    decisive: str | None
    neighbours: tuple["Neighbour", ...]
    nearest: np.ndarray

    def record(self) -> dict[str, Any]:
        """Return the prediction's record with steps, the decisive one and the nearest training images."""
        steps = [
            one.step.record() | {"label": one.top[0].label, "probability": one.top[0].probability}
            for one in self.findings
        ]
        near = [{"index": one.index, "label": one.label, "distance": one.distance} for one in self.neighbours]
        return self.prediction.record() | {
            "warnings": list(self.prediction.warnings),
            "steps": steps,
            "decisive": self.decisive,
            "nearest": near,
        }


def examine_photo(
    run: "Run", path: str | Path, *, top: int | None = None, max_error: float | None = None
) -> Examination:
    """Show how a photo becomes the network's input, and what the network says at each step.

    Args:
        run: a trained network.
        path: a picture file.
        top: how many classes to rank; three, or all where there are fewer, if None.
        max_error: see `glassnet.predict`; it is about the answer in the end.

    Returns:
        The steps, the answers, the step that decided, and the nearest training images.

    Raises:
        PhotoError: no picture, or a damaged one.
    """
    asked = answer_photos(run, [path], sources=[str(path)], top=top, max_error=max_error, watched=True)
    ((answer, development),) = asked
    on_the_way = predict(run, np.stack([step.seen for step in development.steps]), top=top)
    findings = tuple(Finding(step, said.top) for step, said in zip(development.steps, on_the_way, strict=True))
    changed = [
        after.step.name for before, after in itertools.pairwise(findings) if before.top[0].label != after.top[0].label
    ]
    neighbours, images = _neighbours(run, development.image)
    return Examination(answer, findings, changed[-1] if changed else None, neighbours, images)


def _neighbours(run: "Run", image: Image) -> "tuple[tuple[Neighbour, ...], np.ndarray]":
    """Return the nearest training images, none where they are not at hand; for them alone nothing is downloaded."""
    from glassnet.datasets.catalogue.loading import PUBLISHED, is_downloaded
    from glassnet.evaluation.neighbours import nearest

    name, nothing = run.passport.dataset, ((), np.empty((0, *run.passport.image_shape), np.uint8))
    named = run.data is None and run.passport.source is None
    if named and name in PUBLISHED and not is_downloaded(name):
        return nothing
    try:
        data = run.dataset()
        (found,) = nearest(data, image, count=3)
    except GlassnetError:  # the data set is another one, or gone
        return nothing
    return found, np.asarray(data.train.images[[one.index for one in found]])
