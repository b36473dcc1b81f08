"""From a network's outputs to probabilities."""

import numpy as np

from glassnet.types import Probabilities, Scores

ROUNDING = 1e-3
"""How far the sum of a softmax may be from 1; in 16 bits it is that far."""


def softmax(logits: Scores) -> Probabilities:
    """Turn logits `(n, classes)` into probabilities: exp(z) / Σ exp(z), with the row's maximum subtracted first.

    The subtraction changes nothing in exact arithmetic and keeps exp from overflowing.
    """
    powers = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def to_probabilities(outputs: Scores, kind: str) -> Probabilities:
    """Turn a network's own outputs, "logits" or "probabilities", into probabilities that sum to 1.

    A softmax gives such rows, and they stay as they are. A sigmoid for each class does not: its rows are divided by
    their sums.
    """
    if kind == "logits":
        return softmax(outputs)
    sums = outputs.sum(-1, keepdims=True)
    shares = np.divide(outputs, sums, out=np.full_like(outputs, 1 / outputs.shape[-1]), where=sums != 0)
    return np.where(np.abs(sums - 1) < ROUNDING, outputs, shares)
