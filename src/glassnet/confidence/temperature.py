"""One number that makes probabilities honest: all logits are divided by it."""

import numpy as np

from glassnet.probabilities import softmax
from glassnet.types import Labels, Probabilities, Scores

LEAST, MOST = 0.05, 20.0
"""Temperatures outside would say that the network knows nothing, or everything."""


def fit_temperature(logits: Scores, labels: Labels) -> float:
    """Return the temperature under which the right classes of held-out images are most likely.

    Args:
        logits: `(n, classes)`, before the softmax; probabilities will do as their logarithms.
        labels: the right class of each.

    References:
        C. Guo et al., "On calibration of modern neural networks", ICML 2017, arXiv:1706.04599.
    """
    # Not at the top: SciPy takes a quarter of a second to import, and few commands need it.
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log_temperature: float) -> float:
        shown = log_softmax(logits / np.exp(log_temperature), axis=-1)
        return -float(shown[np.arange(len(labels)), labels].mean())

    found = minimize_scalar(loss, bounds=(np.log(LEAST), np.log(MOST)), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def calibrated(logits: Scores, temperature: float) -> Probabilities:
    """Return the probabilities at a temperature."""
    return softmax(logits / temperature)


def to_logits(outputs: Scores, kind: str) -> Scores:
    """Return logits for a network's own outputs, "logits" or "probabilities" (up to a constant for each image)."""
    values = outputs.astype(np.float64)
    return values if kind == "logits" else np.log(np.maximum(values, 1e-12))
