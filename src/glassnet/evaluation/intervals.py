"""How far a share that was counted may lie from the true one."""

import math

Z = 1.959963984540054
"""A normal value lies within ± this many standard deviations with a probability of 95 %."""


def wilson_interval(right: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of the share `right / n`, which stays sensible near 0 and 1.

    Args:
        right: how many of them, 0 to n.
        n: how many were counted, at least 1.

    Example:
        >>> low, high = wilson_interval(8412, 10_000)
        >>> f"{low:.4f} {high:.4f}"
        '0.8339 0.8482'

    References:
        E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    share, weight = right / n, Z * Z / n
    centre = (share + weight / 2) / (1 + weight)
    reach = Z * math.sqrt(share * (1 - share) / n + weight / (4 * n)) / (1 + weight)
    return max(0.0, centre - reach), min(1.0, centre + reach)
