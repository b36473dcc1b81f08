"""What photos have to become: facts about the images that a network was trained on."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from glassnet.datasets.preparation import Fit
from glassnet.types import Image, Images

SAMPLE = 1000
"""Images that are measured, spread over the set."""

Kind = Literal["drawings", "items", "scenes"]


@dataclass(frozen=True)
class DataFacts:
    """How the images of a data set were made, as far as the images tell.

    Args:
        kind: "drawings" (strokes on an empty ground: digits), "items" (filled things on an empty ground: clothes) or
            "scenes" (no empty ground, or colour: nothing is cut out).
        background: brightness of the empty ground, 0 to 255 (median of the outermost pixels).
        subject_size: longest side of what is not ground, in pixels (median).
        centring: what is put in one place of the frame, the subject's "mass" or the middle of its "box".
        centre: that place, as (row, column) in pixels from 0 (mean); MNIST's is half a pixel off the middle.
        thickness: of the strokes, in pixels: the 10 %, 50 % and 90 % quantiles.
        brightness: of the subject's pixels, by their distance from the ground: 10 %, 25 %, 50 %, 75 %, 90 % quantiles.
        fit: how whole pictures were brought into their shape (see `glassnet.datasets.Preparation`); the images do not
            tell.
    """

    kind: Kind
    background: int
    subject_size: int
    centring: Literal["mass", "box"]
    centre: tuple[float, float]
    thickness: tuple[float, float, float]
    brightness: tuple[int, int, int, int, int]
    fit: Fit = "stretch"

    def record(self) -> dict[str, Any]:
        """Return what is kept in a passport; `DataFacts.of_record` reads it again."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> "DataFacts":
        """Return the facts that `record` wrote."""
        facts: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in record.items()}
        return cls(**facts)


def data_facts(images: Images) -> DataFacts:
    """Measure the images that a network is trained on.

    Args:
        images: the training images; at most 1,000, spread over them, are looked at.

    Returns:
        Their facts.

    Example:
        >>> import glassnet
        >>> data_facts(glassnet.load("mnist").train.images).kind
        'drawings'
    """
    sample = _sample(images)
    flat = sample if sample.ndim == 3 else sample.max(-1)
    if not flat.size:
        return _scenes(images, 0)
    frame = np.concatenate([flat[:, 0], flat[:, -1], flat[:, :, 0], flat[:, :, -1]], axis=1)
    background = int(np.median(frame))
    corners = flat[:, [0, 0, -1, -1], [0, -1, 0, -1]].astype(np.int16)
    empty = np.abs(corners - background) < 32
    if sample.ndim == 4 or empty.mean() < 0.8 or 64 < background < 192:
        return _scenes(images, background)

    away = np.abs(flat.astype(np.int16) - background).astype(np.uint8)
    subjects = [one for one in away if (one > 64).any()]
    if not subjects:
        return _scenes(images, background)
    strokes = np.array([stroke_thickness(one) for one in subjects[:: max(1, len(subjects) // 300)]])
    low, middle, high = np.quantile(strokes, (0.1, 0.5, 0.9))
    size = subject_size(away)
    # A stroke is thin beside what it draws; the inside of a shoe is not.
    kind: Kind = "drawings" if middle < 0.2 * size else "items"
    inside = np.concatenate([one[one > 24] for one in subjects])
    masses, boxes = zip(*(_centres(one) for one in subjects), strict=True)
    by_mass = np.var(masses, axis=0).sum() < np.var(boxes, axis=0).sum()
    centre = np.mean(masses if by_mass else boxes, axis=0)
    quantiles = [round(float(value)) for value in np.quantile(inside, (0.1, 0.25, 0.5, 0.75, 0.9))]
    return DataFacts(
        kind=kind,
        background=background,
        subject_size=size,
        centring="mass" if by_mass else "box",
        centre=(round(float(centre[0]), 2), round(float(centre[1]), 2)),
        thickness=(round(float(low), 2), round(float(middle), 2), round(float(high), 2)),
        brightness=(quantiles[0], quantiles[1], quantiles[2], quantiles[3], quantiles[4]),
    )


def subject_size(images: Images) -> int:
    """Return the median longest side of what is not background in the images, in pixels.

    Measured on at most 1,000 of them, spread over the set.
    """
    sample = _sample(images)
    flat = sample if sample.ndim == 3 else sample.max(-1)
    inked: np.ndarray = flat > 64
    rows, columns = np.max(inked, axis=2), np.max(inked, axis=1)
    return int(np.median(np.maximum(_extents(rows), _extents(columns))))


def assumed_facts(image_shape: tuple[int, ...], subject_size: int) -> DataFacts:
    """Return likely facts where only the size of the subject is known, as runs of earlier versions have it.

    Gray images whose subjects fill the frame are taken for things on black, others for drawings on black like MNIST's.
    """
    middle = _middle(image_shape[:2])
    if len(image_shape) == 3:
        return DataFacts("scenes", 0, max(image_shape[:2]), "box", middle, (0.0, 0.0, 0.0), (0, 0, 0, 0, 0))
    if subject_size >= 0.9 * max(image_shape):
        thing = (0.1 * subject_size, 0.26 * subject_size, 0.44 * subject_size)
        return DataFacts("items", 0, subject_size, "box", middle, thing, (61, 107, 172, 213, 233))
    stroke = (0.103 * subject_size, 0.133 * subject_size, 0.178 * subject_size)
    centre = middle[0] + 0.5, middle[1] + 0.5
    return DataFacts("drawings", 0, subject_size, "mass", centre, stroke, (60, 127, 223, 253, 254))


def measure_subject(away: Image, centring: Literal["mass", "box"]) -> tuple[int, tuple[float, float]]:
    """Return the longest side of an image's subject and where it is, by mass or by box.

    Args:
        away: how far each pixel is from the ground.
        centring: what to measure the place of.
    """
    if not (away > 64).any():
        return 0, _middle(away.shape)
    by_mass, by_box = _centres(away)
    return subject_size(away[None]), by_mass if centring == "mass" else by_box


def stroke_thickness(ink: Image) -> float:
    """Return how thick the strokes of a drawing are, in its pixels; 0 where there are none.

    In a stroke of thickness t, the distance of a point from the edge runs from 0 to t/2, so that its mean is t/4.

    Args:
        ink: light on dark, gray edges count in part.
    """
    from scipy import ndimage

    large = np.asarray(ndimage.zoom(ink.astype(np.float32), 4, order=1, grid_mode=True, mode="nearest"))
    drawn = large > 24
    if not drawn.any():
        return 0.0
    inside = np.pad(large > 0.5 * np.quantile(large[drawn], 0.9), 1)
    depth = ndimage.distance_transform_edt(inside)
    return float(np.asarray(depth)[inside].mean()) - 0.25  # four times the mean, in pixels a quarter as large


def _sample(images: np.ndarray) -> np.ndarray:
    return images[:: max(1, -(-len(images) // SAMPLE))]


def _scenes(images: np.ndarray, background: int) -> DataFacts:
    """Return the facts of images that fill their frame."""
    return DataFacts(
        "scenes",
        background,
        max(images.shape[1:3]),
        "box",
        _middle(images.shape[1:3]),
        (0.0, 0.0, 0.0),
        (0, 0, 0, 0, 0),
    )


def _middle(shape: tuple[int, ...]) -> tuple[float, float]:
    return (shape[0] - 1) / 2, (shape[1] - 1) / 2


def _centres(away: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the centre of mass and the middle of the box of what is not background, as (row, column)."""
    rows, columns = np.flatnonzero((away > 64).any(1)), np.flatnonzero((away > 64).any(0))
    weights = away / max(float(away.sum()), 1.0)
    mass_row, mass_column = weights.sum(1) @ np.arange(len(away)), weights.sum(0) @ np.arange(away.shape[1])
    return (float(mass_row), float(mass_column)), ((rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2)


def _extents(inked: np.ndarray) -> np.ndarray:
    """Return, for each row of `(n, length)`, the distance from the first to the last that is inked; length if none."""
    length = inked.shape[1]
    return np.where(inked.any(axis=1), length - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1), length)
