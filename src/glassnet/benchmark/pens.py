"""Pens: a digit as one round pen writes it, with strokes of even width and round ends that leave its loops open."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from glassnet.benchmark.fresh import FELT_DYES, PEN_DYES, dye
from glassnet.benchmark.scenes import inked
from glassnet.benchmark.stationery import Pair
from glassnet.photos.pieces import count_pieces, label_pieces
from glassnet.types import Image


class Pen(NamedTuple):
    """A pen: how wide its strokes are, in millimetres, how well they cover the paper, and how unevenly it writes."""

    width: Pair
    cover: Pair
    uneven: float
    dyes: list[str]


PENS = [
    Pen((0.6, 0.9), (0.78, 0.92), 0.1, PEN_DYES),  # ballpoint
    Pen((0.5, 1.0), (0.9, 0.98), 0.02, PEN_DYES),  # gel pen
    Pen((0.7, 1.3), (0.82, 0.95), 0.08, ["blue", "blue", "black", "violet", "green"]),  # fountain pen
    Pen((1.2, 2.6), (0.85, 0.96), 0.05, FELT_DYES),  # felt pen
    Pen((2.8, 5.5), (0.88, 0.98), 0.04, FELT_DYES),  # marker
]
FINEST, WIDEST = 3, 0.15  # strokes: in pixels, and as a share of the size of a digit
SMALLEST = 0.2  # digit, as a share of the frame's shorter side
LEVELS = 0.4, 0.3, 0.22, 0.15  # from where on an image is ink: as high as leaves a stroke whole
FLECK = 0.12  # what is a smaller share of all ink was not meant
FINE = 6  # how much finer than an image the middle of its strokes is found


def penned(
    paper: np.ndarray, image: Image, rng: np.random.Generator, place: np.ndarray, sizes: tuple[float, float]
) -> np.ndarray:
    """Write a digit on paper with one round pen; sizes are the digit's longer side and a millimetre, in pixels."""
    pen, (long, scale) = PENS[rng.integers(len(PENS))], sizes
    far, middle, extent = _spine(image)
    long = max(long, SMALLEST * min(place.shape[1:]))
    unit = long / extent
    width = min(max(rng.uniform(*pen.width) * scale, FINEST), WIDEST * long)
    while width > FINEST and count_pieces(far > width / unit / 2 + 1) != count_pieces(far > 1.5):  # loops stay open
        width *= 0.93
    turn, shear = np.deg2rad(np.clip(rng.normal(0, 2.5), -5, 5)), rng.normal(0, 0.04)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn) + shear, np.cos(turn)]]) / unit
    at = np.tensordot(matrix, place, 1) + middle[:, None, None]
    away = unit * np.asarray(ndimage.map_coordinates(far, at, order=1, cval=1e3))
    flow, grain = (cloud(rng, away.shape, blur) for blur in (6, 0.8))
    ink = np.clip(width / 2 * (1 + 0.6 * pen.uneven * flow) + 0.5 - away, 0, 1)
    ink = ink * np.clip(1 - pen.uneven * np.abs(flow + grain), 0, 1)
    return inked(paper, ink, dye(rng, pen.dyes), rng.uniform(*pen.cover))


def _spine(image: Image) -> tuple[np.ndarray, np.ndarray, float]:
    """Return how far each point of a finer image is from the middle of a stroke; the digit's middle and longer side."""
    fine = np.asarray(ndimage.zoom(image / 255, FINE, order=3, grid_mode=True, mode="grid-constant"))
    soft, before = ndimage.gaussian_filter(fine, 0.33 * FINE), -1
    thin = soft > next((one for one in LEVELS if count_pieces(soft > one) <= count_pieces(image > 20)), LEVELS[-1])
    parts, count = label_pieces(thin)
    areas = np.bincount(parts.ravel(), minlength=count + 1)
    thin &= (areas > FLECK * areas[1:].sum())[parts]
    deep = np.asarray(ndimage.distance_transform_edt(thin))
    while before != thin.sum():  # thinned after Zhang and Suen (1984)
        before = thin.sum()
        for first in (True, False):
            around = [(1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1)]
            near = np.array([np.roll(thin, shift, (0, 1)) for shift in around])
            north, east, south, west = near[::2]
            edge = (~near & np.roll(near, -1, 0)).sum(0) == 1
            kept = east & south & (north | west) if first else north & west & (east | south)
            thin = thin & ~(edge & (near.sum(0) >= 2) & (near.sum(0) <= 6) & ~kept)
    far = np.asarray(ndimage.distance_transform_edt(~_pruned(thin)))
    far = np.minimum(far, np.maximum(1.45 * np.median(deep[thin]) - deep, 0))  # where strokes met, they are wider
    ends = np.array([(np.flatnonzero(thin.any(1 - k))[[0, -1]]) for k in (0, 1)])
    return np.maximum(ndimage.gaussian_filter(far, 2) - 1.4, 0), ends.mean(1), float(np.ptp(ends, axis=1).max())


def _pruned(thin: np.ndarray) -> np.ndarray:
    """Remove the short branches that thinning leaves at corners."""
    near = ndimage.convolve(thin.astype(int), np.ones((3, 3), int)) * thin
    knots = np.asarray(ndimage.binary_dilation(near > 3, np.ones((3, 3)))) & thin
    parts, count = label_pieces(thin & ~knots)
    joined = np.asarray(ndimage.binary_dilation(knots, np.ones((3, 3))))
    for part in (parts == k for k in range(1, count + 1)):
        if part.sum() < 2.3 * FINE and (part & joined).any() and (part & (near == 2)).any():
            thin = thin & ~part
    return thin


def cloud(rng: np.random.Generator, size: tuple[int, ...], blur: float | Pair) -> np.ndarray:
    """Return soft noise, about 0 and mostly from -1 to 1."""
    noise = ndimage.gaussian_filter(rng.normal(0, 1, size), blur)
    return noise / noise.std() / 2
