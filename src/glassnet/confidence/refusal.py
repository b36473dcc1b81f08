"""From which confidence on an answer may be given, if only so many of the answers may be wrong."""

import numpy as np

from glassnet.confidence.sets import check_share


def answer_threshold(confidence: np.ndarray, right: np.ndarray, max_error: float) -> float:
    """Return the lowest confidence at which held-out answers stay within an error rate.

    Args:
        confidence: of held-out answers, `(n,)`.
        right: whether each was right.
        max_error: the share of the given answers that may be wrong.

    Returns:
        The threshold; infinity where no answer is sure enough. One more wrong answer than there was is counted, so that
        few held-out images make a careful threshold.

    Raises:
        InputError: a rate that is no share.

    References:
        Y. Geifman and R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017, arXiv:1705.08500.
        A. Angelopoulos et al., "Conformal risk control", ICLR 2024, arXiv:2208.02814 (the one more).
    """
    check_share("max_error", max_error)
    order = np.argsort(-confidence, kind="stable")
    surest = confidence[order]
    answered = np.arange(1, len(order) + 1)
    error = (np.cumsum(~right[order]) + 1) / (answered + 1)
    last_of_its_kind = np.append(surest[1:] < surest[:-1], True)  # equal confidences are answered together
    fitting = np.flatnonzero((error <= max_error) & last_of_its_kind)
    return float(surest[fitting[-1]]) if len(fitting) else float("inf")
