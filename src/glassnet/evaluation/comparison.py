"""Two runs on the same images: is one really better, and where do they differ?"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.datasets import Dataset
from glassnet.errors import InputError
from glassnet.evaluation.intervals import Z
from glassnet.evaluation.records import plain
from glassnet.evaluation.scores import evaluate
from glassnet.runs import Run


@dataclass(frozen=True)
class Disagreement:
    """An image that exactly one of two runs recognises.

    Args:
        index: its number in the split.
        truth: what it is.
        first: what the first run says.
        second: what the second run says.
    """

    index: int
    truth: str
    first: str
    second: str


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same images.

    Args:
        first: folder of the first run, "" if it has none.
        second: of the second.
        dataset: name of the data set.
        split: "test", "train" or "validation".
        n: number of images.
        first_accuracy: share of the images that the first run recognises.
        second_accuracy: share that the second recognises.
        difference: second minus first; above 0 the second is better.
        interval: the 95 % interval of the difference.
        p_value: how probable so uneven a split of the images that only one recognises is between two equally good
            runs (McNemar's exact test).
        both_right: images that both recognise.
        only_first: images that only the first recognises.
        only_second: images that only the second recognises.
        both_wrong: images that neither recognises.
        differing: the images that exactly one recognises.
    """

    first: str
    second: str
    dataset: str
    split: str
    n: int
    first_accuracy: float
    second_accuracy: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    differing: tuple[Disagreement, ...]

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return plain(self)


def compare(first: Run, second: Run, data: Dataset | None = None, *, split: str = "test") -> Comparison:
    """Compare two runs on the same images.

    Args:
        first: a trained network.
        second: another one for the same classes.
        data: the images; the data set of the first run if None.
        split: which of its splits.

    Raises:
        InputError: the runs do not tell the same classes apart, or the images do not fit them.

    Example:
        >>> import glassnet
        >>> runs = [glassnet.train("baseline", epochs=1, seed=seed) for seed in (0, 1)]
        >>> found = compare(*runs)
        >>> found.both_right + found.only_first + found.only_second + found.both_wrong
        10000

    References:
        Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
        Psychometrika 12 (1947). A. Agresti and Y. Min, "Simple improved confidence intervals for comparing matched
        proportions", Statistics in Medicine 24 (2005).
    """
    from scipy.stats import binomtest

    if first.passport.classes != second.passport.classes:
        raise InputError(
            f"the runs tell different classes apart: {', '.join(first.passport.classes)}; and "
            f"{', '.join(second.passport.classes)}; compare runs of one data set"
        )
    data = first.dataset() if data is None else data
    one, other = evaluate(first, data, split=split), evaluate(second, data, split=split)
    only_first = int((one.right & ~other.right).sum())
    only_second = int((other.right & ~one.right).sum())
    discordant = only_first + only_second
    both_right = int((one.right & other.right).sum())
    return Comparison(
        first=one.run,
        second=other.run,
        dataset=one.dataset,
        split=split,
        n=one.n,
        first_accuracy=one.accuracy,
        second_accuracy=other.accuracy,
        difference=(only_second - only_first) / one.n,
        interval=_interval(only_first, only_second, one.n),
        p_value=float(binomtest(only_first, discordant).pvalue) if discordant else 1.0,
        both_right=both_right,
        only_first=only_first,
        only_second=only_second,
        both_wrong=one.n - both_right - discordant,
        differing=tuple(
            Disagreement(
                index=index,
                truth=one.classes[one.labels[index]],
                first=one.classes[one.predicted[index]],
                second=one.classes[other.predicted[index]],
            )
            for index in np.flatnonzero(one.right != other.right).tolist()
        ),
    )


def _interval(only_first: int, only_second: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference: Wald's, after half an image more in each of the four cells."""
    difference = (only_second - only_first) / (n + 2)
    discordant = (only_first + only_second + 1) / (n + 2)
    reach = Z * math.sqrt((discordant - difference**2) / (n + 2))
    return max(-1.0, difference - reach), min(1.0, difference + reach)
