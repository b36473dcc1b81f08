"""How unlike the training images an image is: several distances from them, and how usual these are."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from glassnet.confidence import distances
from glassnet.confidence.distances import Seen, Space
from glassnet.types import Labels

SPACES = "features", "details", "pictures"
"""What is compared in directions of its own, beside the averages."""

HALVED = "wholes", "features_bank", "details_bank", "pictures_bank"
"""Arrays that a run's file keeps in half precision: the large ones."""

ALONE = 5
"""Distances that are not of averages."""

TAIL, FAR_TAIL = 0.05, 0.01
"""Shares of usual distances that are taken for the tail, and for the tail of what counts in its tail only."""

FEW = 500
"""Held-out images up to which each is ranked beside the others; of more, itself among them changes little."""


@dataclass(frozen=True, eq=False)
class Novelty:
    """What training images look like, as distances from them measure it.

    The distances are: how far an image's features point away from those of the nearest training images; how far its
    blurred pixels do; how far its details are from those of training images; how low its largest logit is; and, for
    each convolution, how far the averages of its maps are from those of the nearest class. A face of circles has
    details as no digit has, and a letter has features as no digit has; a face that fills a bag's place has other things
    in it than bags have, which the averages tell wherever they are. What is a little unusual in all of them counts like
    what is very unusual in one. How much of its pixels lies outside of the directions in which training images vary
    counts only where it is more than in nearly all of them: noise.

    Args:
        features: of training images, each of length 1.
        averages: for each convolution that is looked at, the middles of the classes.
        wholes: training images, blurred, each of length 1, `float32 (m, pixels)`.
        details: small parts of training images.
        pictures: the directions in which their pixels vary.
        usual: for each of the distances, those of held-out images, sorted, `(distances, n)`.
        sums: for each held-out image the sum of the logarithms of its ranks, sorted, `(n,)`.
    """

    features: Space
    averages: tuple[Space, ...]
    wholes: np.ndarray
    details: Space
    pictures: Space
    usual: np.ndarray
    sums: np.ndarray

    def typicality(self, seen: Seen) -> np.ndarray:
        """Return the share of held-out images that are at least as unusual, `(n,)`: 0 is unlike all of them."""
        sums = _rank_sums(self.usual, self.distances(seen))
        return np.searchsorted(self.sums, sums, side="right") / len(self.sums)

    def distances(self, seen: Seen) -> np.ndarray:
        """Return the distances of each image, `(distances, n)`; that which counts in its tail only is the last."""
        features = distances.unit(self.features.place(distances.unit(seen.features)))
        averages = seen.averages[: len(self.averages)]  # runs from before they were looked at have none
        far = (
            distances.angle(features, self.features.bank),
            distances.angle(distances.blurred_wholes(seen.pixels), self.wholes),
            distances.strangeness(self.details, seen.pixels),
            -seen.peak,
            *(distances.from_nearest(*pair) for pair in zip(self.averages, averages, strict=True)),
            distances.outside(self.pictures, seen.pixels),
        )
        return np.stack(far).astype(np.float32)

    def beside(self, far: np.ndarray) -> "Novelty":
        """Return it with the distances of held-out images (see `distances`): what is usual.

        Few of them are ranked each beside the others, as a new image will be: beside itself, it is never the farthest.
        """
        usual = np.sort(far, axis=1)
        if far.shape[1] > FEW:
            return replace(self, usual=usual, sums=np.sort(_rank_sums(usual, far)))
        alone = np.split(far, far.shape[1], axis=1)
        others = [np.sort(np.delete(far, number, axis=1), axis=1) for number in range(len(alone))]
        sums = np.concatenate([_rank_sums(*pair) for pair in zip(others, alone, strict=True)])
        return replace(self, usual=usual, sums=np.sort(sums))

    def record(self) -> dict[str, np.ndarray]:
        """Return its arrays by names, large ones in half precision (`HALVED`); `Novelty.of_record` reads them again."""
        spaces = {name: getattr(self, name) for name in SPACES}
        spaces |= {f"averages_{number}": space for number, space in enumerate(self.averages)}
        parts = {f"{name}_{part}": value for name, space in spaces.items() for part, value in vars(space).items()}
        kept = parts | {"wholes": self.wholes, "usual": self.usual, "rank_sums": self.sums}
        return {name: value.astype(np.float16) if name in HALVED else value for name, value in kept.items()}

    @classmethod
    def of_record(cls, arrays: Mapping[str, np.ndarray]) -> "Novelty":
        """Return the one that `record` wrote.

        Raises:
            KeyError: an array is missing.
        """
        arrays = {name: value.astype(np.float32) if name in HALVED else value for name, value in arrays.items()}
        parts = [field.name for field in fields(Space)]

        def space(name: str) -> Space:
            return Space(**{part: arrays[f"{name}_{part}"] for part in parts})

        return cls(
            averages=tuple(space(f"averages_{number}") for number in range(len(arrays["usual"]) - ALONE)),
            wholes=arrays["wholes"],
            usual=arrays["usual"],
            sums=arrays["rank_sums"],
            **{name: space(name) for name in SPACES},
        )


def fit_novelty(train: Seen, labels: Labels) -> Novelty:
    """Learn what training images of these classes look like; `Novelty.beside` adds how far from them is usual.

    References:
        M. Tipping and C. Bishop, "Probabilistic principal component analysis", JRSS B 61 (1999): what lies outside.
        Y. Sun et al., "Out-of-distribution detection with deep nearest neighbors", ICML 2022, arXiv:2204.06507.
        K. Roth et al., "Towards total recall in industrial anomaly detection", CVPR 2022, arXiv:2106.08265 (details,
        there of features; those of pixels tell more here).
        D. Hendrycks et al., "Scaling out-of-distribution detection for real-world settings", ICML 2022,
        arXiv:1911.11132: the largest logit.
        K. Lee et al., "A simple unified framework for detecting out-of-distribution samples and adversarial attacks",
        NeurIPS 2018, arXiv:1807.03888: distance from the nearest class, as far as its images spread.
        R. A. Fisher, "Statistical methods for research workers" (1925): the sum of logarithms.
    """
    return Novelty(
        features=distances.feature_space(train.features),
        averages=tuple(distances.average_space(one, labels) for one in train.averages),
        wholes=distances.known_wholes(train.pixels),
        details=distances.detail_space(train.pixels),
        pictures=distances.picture_space(train.pixels),
        usual=np.empty(0),
        sums=np.empty(0),
    )


def _rank_sums(usual: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Return, for each image, the sum of the logarithms of the shares of usual distances that reach its own.

    Beyond the farthest 5 % an exponential tail is taken, so that what is far beyond them all counts as such. Of the
    last distance, only what is beyond the farthest 1 % counts.
    """
    shares = [
        np.log(_share(known, own)) + _beyond(known, own, TAIL) for known, own in zip(usual[:-1], far, strict=False)
    ]
    return np.sum(shares, axis=0) + _beyond(usual[-1], far[-1], FAR_TAIL)


def _share(known: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the share of known distances that reach one's own, at least that of the tail."""
    return np.maximum((1 + len(known) - np.searchsorted(known, own)) / (len(known) + 1), TAIL)


def _beyond(known: np.ndarray, own: np.ndarray, tail: float) -> np.ndarray:
    """Return the logarithm of the share of the tail that reaches as far, 0 within."""
    start = float(np.quantile(known, 1 - tail))
    scale = max(float(known[known >= start].mean()) - start, 1e-6 * abs(start), 1e-12)
    return -np.maximum(own - start, 0) / scale
