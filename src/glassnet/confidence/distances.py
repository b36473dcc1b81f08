"""How far an image is from training images: its features, the whole of it, its details."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image as Picture

from glassnet.types import Images

DIRECTIONS = 128
"""Directions in which the features of training images vary most; features are compared in these."""

NEIGHBOURS = 5
"""Training images that an image is compared with, the nearest ones."""

BANK_BYTES = 2_000_000
"""What the features of training images may take in a run's folder, and what their pictures may."""

LARGEST_SIDE = 32
"""Pictures are compared at this size at most."""

BLUR = 1.2
"""Pixels that pictures as a whole are blurred by before every second one is compared: a shift changes little then."""

PICTURE_DIRECTIONS = 64
"""Directions in which the pixels of training images vary most."""

DETAIL, STEP, MARGIN = 11, 4, 2
"""Pixels of a detail's side, from one detail to the next, and of empty ground around the picture."""

DETAIL_DIRECTIONS, DETAILS = 32, 1500
"""In how many directions details are compared, and with how many of the training images."""

LEARNED = 2000
"""Training images from which directions and details are learned."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Images, and what a network sees of them.

    Args:
        images: `uint8 (n, height, width[, channels])`.
        features: inputs of the last layer, `(n, features)`.
        peak: the largest logit, `(n,)`.
    """

    images: Images
    features: np.ndarray
    peak: np.ndarray


@dataclass(frozen=True, eq=False)
class Space:
    """Directions in which some vectors vary most, and some of these vectors in them.

    Args:
        mean: of the vectors, `(length,)`.
        directions: `(k, length)`; strong ones are shortened where all are to count alike.
        bank: the vectors to be compared with, `float32 (m, k)`, as precise as `float16` is.
    """

    mean: np.ndarray
    directions: np.ndarray
    bank: np.ndarray

    def place(self, vectors: np.ndarray) -> np.ndarray:
        """Return vectors in these directions, `(n, k)`."""
        return (vectors - self.mean) @ self.directions.T


def feature_space(features: np.ndarray) -> Space:
    """Return the features' directions, the strong ones shortened to the root of their strength."""
    vectors = unit(features)
    mean, directions, spread = _principal(_some(vectors, LEARNED), DIRECTIONS)
    space = Space(mean, directions / np.maximum(spread[:, None], 1e-12) ** 0.5, np.empty(0))
    most = max(500, BANK_BYTES // (2 * len(directions)))
    return replace(space, bank=as_kept(unit(space.place(_some(vectors, most)))))


def picture_space(images: Images) -> Space:
    """Return the directions in which the pixels of training images vary; nothing is kept to be compared with."""
    mean, directions, _ = _principal(_pixels(_some(images, LEARNED)), PICTURE_DIRECTIONS)
    return Space(mean, directions, np.empty(0, np.float32))


def outside(space: Space, images: Images) -> np.ndarray:
    """Return how much of each image lies outside of the directions, `(n,)`."""
    pixels = _pixels(images)
    return ((pixels - space.mean) ** 2).sum(1) - (space.place(pixels) ** 2).sum(1)


def detail_space(images: Images) -> Space:
    """Return the details' directions and some details of all training images; empty ground is no detail."""
    details = _details(_some(images, LEARNED))
    details = details.reshape(-1, details.shape[-1])
    shown = np.ptp(details, axis=1) > 60
    details = details[shown] if shown.sum() > 1 else details
    mean, directions, _ = _principal(_some(details, 10 * LEARNED), DETAIL_DIRECTIONS)
    space = Space(mean, directions, np.empty(0))
    chosen = np.random.default_rng(0).permutation(len(details))[:DETAILS]
    return replace(space, bank=as_kept(space.place(details[chosen])))


def _principal(vectors: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, principal directions, and the standard deviation along each."""
    from sklearn.decomposition import PCA

    count = max(1, min(most, len(vectors) - 1, vectors.shape[1]))
    solver = "randomized" if vectors.shape[1] > 2 * count else "full"
    pca: Any = PCA(count, svd_solver=solver, iterated_power=2, random_state=0).fit(vectors)  # pyright: ignore[reportArgumentType]
    mean, directions, spread = pca.mean_, pca.components_, pca.explained_variance_**0.5
    return mean.astype(np.float32), directions.astype(np.float32), spread.astype(np.float32)


def angle(vectors: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """Return 1 - the cosine between vectors and the nearest ones of the bank, on average, `(n,)`."""
    known = bank.T
    nearest = min(NEIGHBOURS, known.shape[1])
    pieces = [vectors[start : start + 1024] @ known for start in range(0, len(vectors), 1024)]
    return np.concatenate([1 - np.partition(one, -nearest, axis=1)[:, -nearest:].mean(1) for one in pieces])


def known_wholes(images: Images) -> np.ndarray:
    """Return what `blurred_wholes` gives for some of the training images, `float32 (m, pixels)`."""
    size = blurred_wholes(images[:1]).size
    return as_kept(blurred_wholes(_some(images, max(500, BANK_BYTES // (2 * size)))))


def blurred_wholes(images: Images) -> np.ndarray:
    """Return the blurred pixels of each image, as rows of length 1."""
    from scipy import ndimage

    layers = _small(images)
    blurred = ndimage.gaussian_filter(layers, (0, BLUR, BLUR, 0))[:, ::2, ::2]
    return unit(blurred.reshape(len(images), -1))


def strangeness(space: Space, images: Images) -> np.ndarray:
    """Return how far the details of each image are from the nearest ones that are known, on average, `(n,)`."""
    bank = space.bank
    lengths = np.einsum("mk,mk->m", bank, bank)
    found = [np.empty(0)]
    for start in range(0, len(images), 256):
        places = space.place(_details(images[start : start + 256]))
        rows = places.reshape(-1, places.shape[-1])
        nearest = (rows**2).sum(1) + (lengths - 2 * (rows @ bank.T)).min(1)
        found.append(np.sqrt(np.maximum(nearest, 0)).reshape(places.shape[:2]).mean(1))
    return np.concatenate(found)


def _details(images: Images) -> np.ndarray:
    """Return the pixels of each detail of each image, `float32 (n, details, pixels)`."""
    layers = _small(images)
    framed = np.pad(layers, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), "edge")
    sides = min(DETAIL, framed.shape[1]), min(DETAIL, framed.shape[2])
    windows = np.lib.stride_tricks.sliding_window_view(framed, sides, (1, 2))[:, ::STEP, ::STEP]
    return windows.reshape(len(images), windows.shape[1] * windows.shape[2], -1)


def _pixels(images: Images) -> np.ndarray:
    return _small(images).reshape(len(images), -1)


def _small(images: Images) -> np.ndarray:
    """Return images as `float32 (n, height, width, channels)`, made smaller where they are large."""
    height, width = images.shape[1:3]
    if max(height, width) > LARGEST_SIDE:
        factor = LARGEST_SIDE / max(height, width)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        images = np.stack([np.asarray(Picture.fromarray(one).resize(size, Picture.Resampling.BOX)) for one in images])
    return images.reshape(*images.shape[:3], -1).astype(np.float32)


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many rows, spread over all."""
    return rows[:: max(1, -(-len(rows) // most))]


def as_kept(vectors: np.ndarray) -> np.ndarray:
    """Return vectors as a run's file keeps them: in half precision, widened once and not for every answer."""
    return vectors.astype(np.float16).astype(np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors made 1 long."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
