"""Data sets by name."""

from glassnet.datasets.dataset import SPLITS, Dataset, Split
from glassnet.datasets.embedded import EMBEDDED, EmbeddedSet, load_embedded
from glassnet.errors import UnknownNameError

__all__ = ["EMBEDDED", "SPLITS", "Dataset", "EmbeddedSet", "Split", "load"]


def load(name: str) -> Dataset:
    """Return the data set called `name`, from the package itself: nothing is downloaded.

    Args:
        name: "fashion-mnist" or "mnist".

    Raises:
        UnknownNameError: no data set has that name; the text suggests the nearest.
        DamagedDataError: the installed package is damaged.

    Example:
        >>> import glassnet
        >>> data = glassnet.load("mnist")
        >>> data.train.images.shape, int(data.test.labels[0])
        ((60000, 28, 28), 7)
    """
    if name not in EMBEDDED:
        raise UnknownNameError("data set", name, EMBEDDED)
    return load_embedded(name)
