"""Whether a network is right as often as it says, and what it gains by staying silent when it is not sure."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

BINS = 10
"""Bins of equal width that confidence is sorted into."""

POINTS = 20
"""Shares of the images, from the surest on, for which the error is given."""

Confidence = Float[np.ndarray, " n"]
"""The probability of each winner."""

Right = Bool[np.ndarray, " n"]
"""Whether each answer is right."""


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of similar confidence.

    Args:
        low: their confidence is above this,
        high: and at most this.
        confidence: its mean.
        accuracy: share of them that is right; a calibrated network has it equal to the confidence.
        n: how many.
    """

    low: float
    high: float
    confidence: float
    accuracy: float
    n: int


@dataclass(frozen=True)
class CoveragePoint:
    """What happens if only the surest answers are given.

    Args:
        coverage: share of the images that are answered.
        error: share of those answers that is wrong.
        threshold: the confidence from which on an answer is given.
    """

    coverage: float
    error: float
    threshold: float


def reliability_bins(confidence: Confidence, right: Right) -> tuple[ReliabilityBin, ...]:
    """Sort answers by confidence into ten bins of equal width; empty ones are left out.

    References:
        C. Guo et al., "On calibration of modern neural networks", ICML 2017, arXiv:1706.04599.
    """
    edges = np.arange(BINS + 1) / BINS
    places = np.searchsorted(edges[1:-1], confidence)
    members = [(place, places == place) for place in np.unique(places).tolist()]
    return tuple(
        ReliabilityBin(
            low=float(edges[place]),
            high=float(edges[place + 1]),
            confidence=float(confidence[chosen].mean()),
            accuracy=float(right[chosen].mean()),
            n=int(chosen.sum()),
        )
        for place, chosen in members
    )


def calibration_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """Return the expected calibration error: |accuracy - confidence|, averaged over the answers in the bins."""
    n = sum(one.n for one in bins)
    return sum(one.n * abs(one.accuracy - one.confidence) for one in bins) / n


def coverage_points(confidence: Confidence, right: Right) -> tuple[CoveragePoint, ...]:
    """Return the error among the surest 5 %, 10 %, … 100 % of the answers.

    Answers of equal confidence are given or withheld together, so where many are equally sure there are fewer points.

    References:
        R. El-Yaniv and Y. Wiener, "On the foundations of noise-free selective classification", JMLR 11 (2010).
    """
    n = len(confidence)
    order = np.argsort(-confidence, kind="stable")
    surest = confidence[order]
    wrong = np.cumsum(~right[order])
    ranks = np.ceil(np.arange(1, POINTS + 1) * n / POINTS).astype(int)
    # The last answer that is as sure as the one at the rank.
    answered = np.unique(np.searchsorted(-surest, -surest[ranks - 1], side="right")).tolist()
    return tuple(CoveragePoint(k / n, float(wrong[k - 1] / k), float(surest[k - 1])) for k in answered)
