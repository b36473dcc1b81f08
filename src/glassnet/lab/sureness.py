"""How sure a run may be of an answer, in plain values: what the images held out from its training say."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from glassnet.lab.memory import MOST_RUNS
from glassnet.lab.state import ALL_ANSWERS, ERRORS

if TYPE_CHECKING:
    from glassnet.confidence import Assurance
    from glassnet.prediction import Prediction
    from glassnet.runs import Run


@dataclass(frozen=True)
class Sureness:
    """How sure a run may be of one answer.

    Args:
        possible: the classes that cannot be excluded, the most probable first.
        coverage: share of images whose right class is among those.
        typicality: share of held-out images that are at least as unusual; 0 is unlike all of them.
        unlike: whether the image is unlike the training images.
        least_error: the smallest of `ERRORS` at which the answer is given; `ALL_ANSWERS` if it is sure enough for none.
        held_out: images that all this was learned from.
    """

    possible: tuple[str, ...]
    coverage: float
    typicality: float
    unlike: bool
    least_error: float
    held_out: int

    def known(self, max_error: float) -> bool:
        """Tell whether the answer may be given where so many of the answers may be wrong."""
        return self.least_error <= max_error


def find_sureness(run: "Run", said: "Prediction") -> Sureness | None:
    """Say how sure a run may be of its answer; None where no images were held out from its training."""
    from glassnet.confidence.verdicts import SET_ERROR

    verdict, assurance = said.verdict, run.assurance
    if verdict is None or assurance is None:
        return None
    least = ALL_ANSWERS
    if verdict.typicality > 0:  # what is unlike every held-out image is never known
        fitting = (error for error, sure in _thresholds(assurance).items() if said.probability >= sure)
        least = next(fitting, ALL_ANSWERS)
    return Sureness(
        possible=said.possible or (),
        coverage=1 - SET_ERROR,
        typicality=verdict.typicality,
        unlike=verdict.unlike,
        least_error=least,
        held_out=assurance.n,
    )


@lru_cache(MOST_RUNS)
def _thresholds(assurance: "Assurance") -> dict[float, float]:
    """Return the least confidence for each of the errors, the smallest error first."""
    return {error: assurance.answer_threshold(error) for error in ERRORS}
