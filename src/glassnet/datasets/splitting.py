"""Which images are for training, validation and test: stratified, shuffled with the seed, groups kept together.

What belongs together (equal images, and what `group_by` says) is never on two sides: a network that has seen a copy of
a test image would be measured by its memory. Splits that the source states are used as they are; groups that these part
are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassnet.datasets.dataset import SPLITS
from glassnet.datasets.preparation import Preparation
from glassnet.errors import InputError
from glassnet.types import Labels

TRAIN, TEST, VALIDATION = range(3)
"""The places of the splits in `SPLITS`."""


@dataclass(frozen=True, eq=False)
class Sides:
    """On which side each image is.

    Args:
        codes: for each image, the place of its split in `SPLITS`.
        torn: class numbers whose images are all equal, so that their copies had to go to both sides.
        parted: groups that are on several sides, because the source states its splits.
    """

    codes: np.ndarray
    torn: tuple[int, ...] = ()
    parted: tuple[str, ...] = ()

    def order(self, side: int, shuffle: np.random.Generator | None) -> np.ndarray:
        """Return the numbers of the images on a side, shuffled if a generator is given."""
        rows = np.flatnonzero(self.codes == side)
        return rows if shuffle is None else shuffle.permutation(rows)


def choose_sides(
    labels: Labels,
    copies: np.ndarray,
    groups: Sequence[str | None],
    stated: Sequence[str | None],
    preparation: Preparation,
) -> Sides:
    """Decide for every image on which side it is.

    Where the source states training and test images, they stay; images of which it says nothing then are for training.
    Where it states training images alone, or nothing, the shares of the preparation decide, class by class; where test
    images are all that is missing, they are taken from those for training.

    Args:
        labels: the class number of each image.
        copies: a number for each image; equal numbers mean equal images.
        groups: what `group_by` found in the name of each image.
        stated: the split that the source states for each image.
        preparation: the shares and the seed.

    Raises:
        InputError: there is nothing to train or to test on.
    """
    codes = np.array([SPLITS.index(one) if one in SPLITS else TRAIN for one in stated], np.int8)
    if len(codes) < 2:
        raise InputError(f"there are {len(codes)} usable images; at least one to train and one to test on are needed")
    has = [bool(np.any(codes == side)) for side in range(3)]
    if has[TRAIN] and has[TEST]:
        return Sides(codes, parted=_parted(codes, groups))
    if has[TEST] or not has[TRAIN]:  # only what the source calls test or validation: as if it had said nothing
        codes[:] = TRAIN
        has[VALIDATION] = False
    free = np.flatnonzero(codes == TRAIN)
    together, torn = _together(labels[free], copies[free], [groups[k] for k in free.tolist()])
    shares = {TEST: preparation.test}
    if not has[VALIDATION] and preparation.validation:
        shares[VALIDATION] = preparation.validation
    codes[free] = _assigned(labels[free], together, shares, np.random.default_rng(preparation.seed))
    if not np.any(codes == TEST) or not np.any(codes == TRAIN):
        raise InputError(
            f"the {len(free)} images cannot be divided into training and test: all belong to one group; choose another "
            "--group-by, or put the test images into a folder test/"
        )
    return Sides(codes, torn, _parted(codes, groups))


def _parted(codes: np.ndarray, groups: Sequence[str | None]) -> tuple[str, ...]:
    """Return the groups that are on several sides, in the order in which they appear."""
    first: dict[str, int] = {}
    pairs = ((group, code) for group, code in zip(groups, codes.tolist(), strict=True) if group is not None)
    return tuple(dict.fromkeys(group for group, code in pairs if first.setdefault(group, code) != code))


def _together(labels: np.ndarray, copies: np.ndarray, groups: list[str | None]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return a number for each image, equal for those that must stay together; and the classes that were torn.

    A class of which there is but one image, in many copies, would be missing on one side; there the copies part.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    torn = []
    copies = copies.astype(np.int64)
    fresh = copies.max() + 1 + np.arange(len(copies))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) > 1 and len(np.unique(copies[rows])) == 1:
            copies[rows] = fresh[rows]
            torn.append(int(label))
    named = np.flatnonzero([group is not None for group in groups])
    if not len(named):
        return np.unique(copies, return_inverse=True)[1], tuple(torn)
    # Images, and beyond them copies and groups, are the nodes; what is connected stays together.
    n = len(copies)
    copy = np.unique(copies, return_inverse=True)[1] + n
    names = np.unique([str(groups[k]) for k in named.tolist()], return_inverse=True)[1] + copy.max() + 1
    left, right = np.concatenate([np.arange(n), named]), np.concatenate([copy, names])
    nodes = int(names.max()) + 1
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1][:n], tuple(torn)


def _assigned(
    labels: np.ndarray, together: np.ndarray, shares: dict[int, float], generator: np.random.Generator
) -> np.ndarray:
    """Give every group of images a side, class by class (that of most of its images), groups in random order."""
    numbers, members, sizes = np.unique(together, return_inverse=True, return_counts=True)
    classes = int(labels.max()) + 1
    pairs, counts = np.unique(members * classes + labels, return_counts=True)
    rising = pairs[np.argsort(counts, kind="stable")]
    main = np.empty(len(numbers), np.int64)
    main[rising // classes] = rising % classes  # where a group appears again, the last, largest count stays
    sides = np.full(len(numbers), TRAIN, np.int8)
    for label in np.unique(main):
        groups = generator.permutation(np.flatnonzero(main == label))
        n = sizes[groups].sum()
        wanted = {side: n * share for side, share in shares.items()}
        filled = dict.fromkeys(shares, 0)
        for group in groups.tolist():
            for side in shares:
                if filled[side] + sizes[group] / 2 <= wanted[side]:
                    sides[group] = side
                    filled[side] += int(sizes[group])
                    break
        for spare, side in enumerate(shares):  # one image at least, where training keeps one
            trained = groups[sides[groups] == TRAIN]
            if not filled[side] and len(trained) > 1 and len(groups) > 1 + spare:
                sides[trained[sizes[trained].argmin()]] = side
    if not np.any(sides == TEST) and len(sides) > 1:  # one image of each class: one of them is for the test
        sides[generator.integers(len(sides))] = TEST
    return sides[members]
