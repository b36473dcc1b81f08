"""Sets of classes that hold the right one as often as asked for."""

import math

import numpy as np

from glassnet.errors import InputError
from glassnet.types import Labels, Probabilities


def conformity_scores(probabilities: Probabilities, labels: Labels) -> np.ndarray:
    """Return, sorted, how little the network believed in the right class: 1 - its probability."""
    return np.sort(1 - probabilities[np.arange(len(labels)), labels])


def set_threshold(scores: np.ndarray, error: float) -> float:
    """Return the score up to which a class belongs to the set.

    Args:
        scores: of held-out images, sorted (see `conformity_scores`).
        error: the share of images whose set may miss the right class, between 0 and 1.

    Returns:
        The ⌈(n + 1)(1 - error)⌉-th smallest score; 1 (every class) where the held-out images are too few for the error.

    Raises:
        InputError: an error that is no share.

    References:
        V. Vovk, A. Gammerman, G. Shafer, "Algorithmic learning in a random world" (2005).
        M. Sadinle, J. Lei, L. Wasserman, "Least ambiguous set-valued classifiers with bounded error levels",
        JASA 114 (2019), arXiv:1609.00451.
    """
    check_share("error", error)
    rank = math.ceil((len(scores) + 1) * (1 - error))
    return 1.0 if rank > len(scores) else float(scores[rank - 1])


def check_share(what: str, value: float) -> None:
    """Raise InputError unless the value lies between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1:
        raise InputError(f"{what} is {value!r}; it must be a share between 0 and 1, such as 0.01")
