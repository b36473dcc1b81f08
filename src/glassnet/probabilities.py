"""From logits to probabilities."""

import numpy as np

from glassnet.types import Probabilities, Scores


def softmax(logits: Scores) -> Probabilities:
    """Turn logits `(n, classes)` into probabilities: exp(z) / Σ exp(z), with the row's maximum subtracted first.

    The subtraction changes nothing in exact arithmetic and keeps exp from overflowing.
    """
    powers = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
