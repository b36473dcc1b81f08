"""Near copies: one picture under other brightness, contrast, compression or noise.

Pictures are compared as grey images of at most 32 × 32 pixels, without their brightness and contrast: each becomes a
vector of length 1 around 0, and two are near copies if these lie within `RADIUS`, which is a correlation above 0.9968.
A projection never makes a distance larger, so that a search among a few principal components finds every pair, with
others that the full comparison takes out again: unlike a perceptual hash, nothing within the radius is missed.

Measured for false alarms: of the 2.4 thousand million pairs of MNIST none is within the radius (the nearest two digits
lie at 0.12), of those of Fashion-MNIST 74, each the same article photographed or scaled twice, or in two colours; from
0.1 on, pairs that are only the same cut of trousers begin. A shifted, cropped or mirrored copy is not found.
"""

from collections.abc import Iterator

import numpy as np

from glassnet.audit.copies import examples_of, grouped, held_out, leaks, repetitions
from glassnet.audit.findings import Finding, counted
from glassnet.audit.survey import Survey

RADIUS = 0.08
"""Largest distance of near copies."""

SIDE = 32
"""Longest side of the images that are compared, at most."""

SEARCHED, KEPT = 8, 64
"""Principal components that are searched, and that candidates are compared by before the full comparison."""

MOST_PAIRS = 20_000_000
"""Candidates that are held in memory; of sets whose images are more alike, only nearer copies are looked for."""

LEAST_RADIUS = 1e-3
"""Below it, rounding alone parts one picture under two brightnesses; in sets still too much alike, none is named."""

FLAT = 4.0
"""Spread of brightness below which an image holds no picture that could be compared."""


def find_near_copies(survey: Survey, first: np.ndarray) -> tuple[np.ndarray, float]:
    """Return, for each image, the first image that it is a near copy of, and the radius that was searched.

    Args:
        survey: the images.
        first: for each image the first one with equal pixels (see `find_copies`); only these are compared.
    """
    chosen = np.flatnonzero((first == np.arange(len(first))) & (survey.measures.grey_spread > FLAT))
    result = first.copy()
    if len(chosen) < 2:
        return result, RADIUS
    projected = _projected(survey, chosen)
    pairs, radius = _candidates(projected)
    pairs = chosen[pairs[_near(projected, pairs, radius)]]
    if not len(pairs):
        return result, radius
    numbers, places = np.unique(pairs, return_inverse=True)
    pairs = np.sort(pairs[_near(_vectors_of(survey, numbers), places.reshape(-1, 2), radius)], axis=1)
    earliest = result.copy()
    np.minimum.at(earliest, pairs[:, 1], pairs[:, 0])
    result = earliest[first]
    while (moved := result[result] != result).any():  # a copy of a copy belongs to the first of them
        result[moved] = result[result[moved]]
    return result, radius


def check_near_copies(survey: Survey, first: np.ndarray) -> Iterator[Finding]:
    """Look for near copies in different splits, and within one; exact copies are other findings."""
    near, radius = find_near_copies(survey, first)
    originals = (group[first[group] == group] for group in grouped(near))  # one of each set of exact copies
    groups = [group for group in originals if len(group) > 1]
    across = [group for group in groups if leaks(survey, group)]
    total = len(survey)
    correlation = round(1 - radius**2 / 2, 4)
    if across:
        held = held_out(survey, across)
        yield Finding(
            "near leak",
            "warning",
            f"{counted(held, 'held-out image is', 'held-out images are')} nearly the same as a training image",
            "They are easier than new images would be; the score is a little better than it should be.",
            "look at them; where they are one picture, keep it in one split only",
            {"groups": len(across), "held_out_images": held, "least_correlation": correlation},
            held / total,
            examples_of(survey, across),
        )
    inside, extra, where = repetitions(survey, groups)
    if inside:
        yield Finding(
            "near duplicates",
            "warning" if extra / total > 0.05 else "note",
            f"{counted(extra, 'image is', 'images are')} nearly the same as another{where}",
            "They add little to what is learned, and count several times.",
            "nothing, if there are few; frames of one film should stay on one side of the split",
            {"groups": len(inside), "extra_images": extra, "least_correlation": correlation},
            extra / total,
            examples_of(survey, inside),
        )


def _projected(survey: Survey, chosen: np.ndarray) -> np.ndarray:
    """Return the images as their principal components, the strongest first."""
    sample = chosen[:: max(1, len(chosen) // 4000)]
    axes = _axes(_vectors_of(survey, sample))
    result = np.empty((len(survey), axes.shape[1]), np.float32)
    for place, images in survey.pieces():
        result[place] = _vectors(images) @ axes
    return result[chosen]


def _axes(vectors: np.ndarray) -> np.ndarray:
    """Return orthonormal axes close to the strongest principal components, by subspace iteration.

    They need not be exact: in any orthonormal axes, no distance becomes larger.

    References:
        N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness", SIAM Review 53, 2011
        (algorithm 4.4).
    """
    axes = np.random.default_rng(0).standard_normal((vectors.shape[1], min(KEPT, vectors.shape[1])), np.float32)
    for _ in range(3):
        axes, _ = np.linalg.qr(vectors.T @ (vectors @ axes))
    seen = vectors @ axes
    _, turn = np.linalg.eigh(seen.T @ seen)
    return (axes @ turn)[:, ::-1]


def _candidates(projected: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the pairs that are near in the strongest components, and within which radius."""
    from scipy.spatial import KDTree

    points, radius = projected[:, :SEARCHED], RADIUS
    sample = KDTree(points[:: max(1, len(points) // 4000)])
    scale = (len(points) / sample.n) ** 2
    while (sample.count_neighbors(sample, radius) - sample.n) / 2 * scale > MOST_PAIRS:
        radius /= 2
        if radius < LEAST_RADIUS:
            return np.empty((0, 2), np.int64), 0.0
    return KDTree(points).query_pairs(radius, output_type="ndarray"), radius


def _near(vectors: np.ndarray, pairs: np.ndarray, radius: float) -> np.ndarray:
    """Tell which pairs of vectors lie within the radius."""
    found = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), 50_000):
        one, other = pairs[start : start + 50_000].T
        apart = vectors[one] - vectors[other]
        found[start : start + 50_000] = np.einsum("ij,ij->i", apart, apart) <= radius**2
    return found


def _vectors_of(survey: Survey, numbers: np.ndarray) -> np.ndarray:
    """Return images, by their rising numbers, as vectors; in pieces, because the images are much larger than these."""
    starts = range(0, len(numbers), survey.piece)
    return np.concatenate([_vectors(survey.images(numbers[start : start + survey.piece])) for start in starts])


def _vectors(images: np.ndarray) -> np.ndarray:
    """Return images as small grey ones, without brightness and contrast: `float32 (n, pixels)`, each of length 1."""
    grey = images.mean(3, dtype=np.float32) if images.ndim == 4 else images.astype(np.float32)
    rows, columns = (-(-size // SIDE) for size in grey.shape[1:])  # that become one
    if rows * columns > 1:
        height, width = grey.shape[1] // rows, grey.shape[2] // columns
        cut = grey[:, : height * rows, : width * columns]
        grey = cut.reshape(len(cut), height, rows, width, columns).mean((2, 4))
    flat = grey.reshape(len(grey), -1)
    flat -= flat.mean(1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return flat
