"""Answers: every class with its probability, best first; or why a photo cannot be read."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.types import Image

if TYPE_CHECKING:
    from glassnet.confidence import Verdict


@dataclass(frozen=True)
class Ranked:
    """A class and how probable the network holds it."""

    label: str
    probability: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """The answer for one image.

    Args:
        source: where the image came from: a file, or a number in a split.
        label: the most probable class.
        probability: of that class.
        top: the most probable classes, best first.
        true_label: the right class, where it is known.
        image: what the network saw.
        scores: the network's own outputs, in the order of the classes.
        probabilities: of the classes, in the same order; they sum to 1. Calibrated where images were held out for it.
        classes: the names, in that order.
        outputs: what the scores are, "probabilities" or "logits".
        warnings: what makes the answer for a photo doubtful, one sentence each.
        verdict: how sure the run may be; None where no images were held out from its training.
    """

    source: str
    label: str
    probability: float
    top: tuple[Ranked, ...]
    true_label: str | None
    image: Image = field(repr=False)
    scores: np.ndarray = field(repr=False)
    probabilities: np.ndarray = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)
    outputs: Literal["probabilities", "logits"]
    warnings: tuple[str, ...] = ()
    verdict: "Verdict | None" = None

    @property
    def known(self) -> bool:
        """Whether the answer may be given; False is "I don't know", where an error rate was asked for."""
        return self.verdict is None or self.verdict.known

    @property
    def possible(self) -> tuple[str, ...] | None:
        """The classes that cannot be excluded, the most probable first; None where nothing is known of that."""
        return None if self.verdict is None else tuple(self.classes[k] for k in self.verdict.classes)

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON: source, label, probability, top; and what else is known."""
        facts: dict[str, Any] = {"source": self.source, "label": self.label, "probability": self.probability}
        facts["top"] = self.top
        if self.true_label is not None:
            facts["true_label"] = self.true_label
        if self.warnings:
            facts["warnings"] = list(self.warnings)
        if self.verdict is not None:
            facts |= {
                "known": self.verdict.known,
                "possible": list(self.possible or ()),
                "typicality": self.verdict.typicality,
                "unlike": self.verdict.unlike,
            }
        return facts


@dataclass(frozen=True)
class Unreadable:
    """A photo that could not be read, among others that could.

    Args:
        source: the file.
        reason: what is wrong with it, on one line.
    """

    source: str
    reason: str

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON: source and error."""
        return {"source": self.source, "error": self.reason}
