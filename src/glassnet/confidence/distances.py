"""How far an image is from training images: its features, what is in it at all, the whole of it, its details."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image as Picture

from glassnet.types import Images

DIRECTIONS = 128
"""Directions in which the features of training images vary most; features are compared in these."""

AVERAGE_DIRECTIONS, FLOOR = 256, 1e-3
"""In how many directions averages of maps are compared, and the share of their mean variance that each has at least."""

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
        pixels: `float32 (n, height, width, channels)`, made smaller where they are large (see `shrunk`).
        features: inputs of the last layer, `(n, features)`.
        averages: the mean of each map that a convolution ends in, `(n, maps)` for every convolution that is looked at;
            without convolutions, the features.
        peak: the largest logit, `(n,)`.
    """

    pixels: np.ndarray
    features: np.ndarray
    averages: Sequence[np.ndarray]
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


def average_space(averages: np.ndarray, labels: np.ndarray) -> Space:
    """Return the classes' middles, in directions in which the images of a class spread equally far."""
    classes = np.unique(labels)
    middles = np.stack([averages[labels == one].mean(0) for one in classes])
    within = averages - middles[np.searchsorted(classes, labels)]
    _, directions, spread = _principal(within, AVERAGE_DIRECTIONS)
    # What hardly varies would count without bound; where nothing varies, nothing can be told.
    spread = np.sqrt(spread**2 + FLOOR * within.var(0).mean())
    directions = np.divide(directions, spread[:, None], out=np.zeros_like(directions), where=spread[:, None] > 0)
    space = Space(averages.mean(0).astype(np.float32), directions, np.empty(0))
    return replace(space, bank=space.place(middles).astype(np.float32))


def from_nearest(space: Space, vectors: np.ndarray) -> np.ndarray:
    """Return how far vectors are from the nearest of those that are known, in the directions of the space, `(n,)`."""
    return np.sqrt(_squares_to_nearest(space.place(vectors), space.bank))


def picture_space(pixels: np.ndarray) -> Space:
    """Return the directions in which the pixels of training images vary; nothing is kept to be compared with."""
    mean, directions, _ = _principal(_rows(_some(pixels, LEARNED)), PICTURE_DIRECTIONS)
    return Space(mean, directions, np.empty(0, np.float32))


def outside(space: Space, pixels: np.ndarray) -> np.ndarray:
    """Return how much of each image lies outside of the directions, `(n,)`."""
    rows = _rows(pixels)
    return ((rows - space.mean) ** 2).sum(1) - (space.place(rows) ** 2).sum(1)


def detail_space(pixels: np.ndarray) -> Space:
    """Return the details' directions and some details of all training images; empty ground is no detail."""
    details = _details(_some(pixels, LEARNED))
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
    with np.errstate(invalid="ignore"):  # shares of the variance, where there is none
        pca: Any = PCA(count, svd_solver=solver, iterated_power=2, random_state=0).fit(vectors)  # pyright: ignore[reportArgumentType]
    mean, directions, spread = pca.mean_, pca.components_, pca.explained_variance_**0.5
    return mean.astype(np.float32), directions.astype(np.float32), spread.astype(np.float32)


def angle(vectors: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """Return 1 - the cosine between vectors and the nearest ones of the bank, on average, `(n,)`."""
    known = bank.T
    nearest = min(NEIGHBOURS, known.shape[1])
    pieces = [vectors[start : start + 1024] @ known for start in range(0, len(vectors), 1024)]
    return np.concatenate([1 - np.partition(one, -nearest, axis=1)[:, -nearest:].mean(1) for one in pieces])


def known_wholes(pixels: np.ndarray) -> np.ndarray:
    """Return what `blurred_wholes` gives for some of the training images, `float32 (m, pixels)`."""
    size = blurred_wholes(pixels[:1]).size
    return as_kept(blurred_wholes(_some(pixels, max(500, BANK_BYTES // (2 * size)))))


def blurred_wholes(pixels: np.ndarray) -> np.ndarray:
    """Return the blurred pixels of each image, as rows of length 1."""
    from scipy import ndimage

    return unit(_rows(ndimage.gaussian_filter(pixels, (0, BLUR, BLUR, 0))[:, ::2, ::2]))


def strangeness(space: Space, pixels: np.ndarray) -> np.ndarray:
    """Return how far the details of each image are from the nearest ones that are known, on average, `(n,)`."""
    found = [np.empty(0)]
    for start in range(0, len(pixels), 256):
        places = space.place(_details(pixels[start : start + 256]))
        squares = _squares_to_nearest(places.reshape(-1, places.shape[-1]), space.bank)
        found.append(np.sqrt(squares).reshape(places.shape[:2]).mean(1))
    return np.concatenate(found)


def _squares_to_nearest(rows: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """Return the square of each row's distance from the nearest one of the bank."""
    lengths = np.einsum("mk,mk->m", bank, bank)
    return np.maximum((rows**2).sum(1) + (lengths - 2 * (rows @ bank.T)).min(1), 0)


def _details(pixels: np.ndarray) -> np.ndarray:
    """Return the pixels of each detail of each image, `float32 (n, details, pixels)`."""
    framed = np.pad(pixels, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), "edge")
    sides = min(DETAIL, framed.shape[1]), min(DETAIL, framed.shape[2])
    windows = np.lib.stride_tricks.sliding_window_view(framed, sides, (1, 2))[:, ::STEP, ::STEP]
    return windows.reshape(len(pixels), windows.shape[1] * windows.shape[2], -1)


def _rows(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), math.prod(pixels.shape[1:]))


def shrunk(images: Images) -> np.ndarray:
    """Return images as `float32 (n, height, width, channels)`, made smaller where they are large."""
    height, width = images.shape[1:3]
    if max(height, width) > LARGEST_SIDE:
        factor = LARGEST_SIDE / max(height, width)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        images = images[..., 0] if images.shape[3:] == (1,) else images  # Pillow knows no axis of one channel
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
