"""How accuracy falls when images get worse: noise, blur, shift, rotation, contrast, occlusion, stroke width."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.datasets import Dataset
from glassnet.errors import InputError, UnknownNameError
from glassnet.evaluation.intervals import wilson_interval
from glassnet.evaluation.records import plain
from glassnet.evaluation.scores import check_fit
from glassnet.runs import Run
from glassnet.types import Images

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class RobustnessPoint:
    """Accuracy at one level of a corruption.

    Args:
        level: how strong, in the unit of its curve.
        accuracy: share of the images that is still recognised.
        interval: its 95 % interval.
    """

    level: float
    accuracy: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class RobustnessCurve:
    """Accuracy as images get worse in one way.

    Args:
        name: the corruption.
        unit: of its levels.
        untouched: the level at which the images are as they were.
        n: images at every level, evenly spread over the test split.
        seed: of what is random in the corruption.
        points: by level.
    """

    name: str
    unit: str
    untouched: float
    n: int
    seed: int
    points: tuple[RobustnessPoint, ...]

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return plain(self)


@dataclass(frozen=True)
class Corruption:
    """A way in which images get worse.

    Args:
        change: makes worse images of images, at a level.
        unit: of the levels.
        levels: those that `robustness` measures.
        untouched: the level that changes nothing.
    """

    change: Change
    unit: str
    levels: tuple[float, ...]
    untouched: float = 0.0


def measure_robustness(
    run: Run, data: Dataset | None = None, *, images: int = 1000, seed: int = 0
) -> tuple[RobustnessCurve, ...]:
    """Measure the accuracy on test images that are made worse, step by step, in seven ways.

    Args:
        run: a trained network.
        data: the data set; the one that the run was trained on if None.
        images: how many test images, evenly spread over the split.
        seed: of what is random; every level takes the same draws, so that a curve shows the level alone.

    Raises:
        InputError: the data does not fit the network, or fewer than 1 image.

    Example:
        >>> import glassnet
        >>> run = glassnet.train("baseline", epochs=1)
        >>> [curve.name for curve in measure_robustness(run, images=100)][:3]
        ['noise', 'blur', 'shift']

    References:
        D. Hendrycks and T. Dietterich, "Benchmarking neural network robustness to common corruptions and
        perturbations", ICLR 2019, arXiv:1903.12261.
    """
    from glassnet.training.inference import predict

    data = run.dataset() if data is None else data
    check_fit(run, data.test.images.shape[1:], data.classes)
    if images < 1 or not len(data.test):
        raise InputError(f"{images} of {len(data.test)} test images were asked for; take at least 1")
    chosen = spread(images, len(data.test))
    originals, labels = data.test.images[chosen], data.test.labels[chosen]

    def measured(level: float, changed: np.ndarray) -> RobustnessPoint:
        right = int((predict(run.model, changed).argmax(-1) == labels).sum())
        return RobustnessPoint(level, right / len(labels), wilson_interval(right, len(labels)))

    untouched = measured(0.0, originals)
    curves = []
    for name, one in CORRUPTIONS.items():
        points = tuple(
            measured(level, corrupt(originals, name, level, seed=seed))
            if level != one.untouched
            else RobustnessPoint(level, untouched.accuracy, untouched.interval)
            for level in one.levels
        )
        curves.append(RobustnessCurve(name, one.unit, one.untouched, len(labels), seed, points))
    return tuple(curves)


def spread(wanted: int, there: int) -> np.ndarray:
    """Return the numbers of so many images, or of all: the first ones may be of one class, if they lie in its order."""
    count = min(wanted, there)
    return np.arange(count) * there // count


def corrupt(images: Images, corruption: str, level: float, *, seed: int = 0) -> Images:
    """Return the images made worse in one way.

    Args:
        images: `uint8 (n, height, width[, channels])`.
        corruption: one of `CORRUPTIONS`.
        level: how strong, in its unit.
        seed: of what is random in it.

    Raises:
        UnknownNameError: no corruption has that name.

    Example:
        >>> corrupt(np.full((1, 2, 2), 100, np.uint8), "noise", 10).shape
        (1, 2, 2)
    """
    if corruption not in CORRUPTIONS:
        raise UnknownNameError("corruption", corruption, CORRUPTIONS)
    if level == CORRUPTIONS[corruption].untouched or not len(images):
        return images
    return CORRUPTIONS[corruption].change(images, level, np.random.default_rng(seed))


def _noise(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    return _bytes(images + level * rng.standard_normal(images.shape, np.float32))


def _blur(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    sigma = (0, level, level, 0)[: images.ndim]
    return _bytes(gaussian_filter(images.astype(np.float32), sigma, mode="nearest"))


def _shift(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Move each image left, right, up or down by whole pixels; what comes in is background."""
    height, width = images.shape[1:3]
    pixels = min(round(level), height, width)
    shifted = np.broadcast_to(_bytes(_background(images)), images.shape).copy()
    direction = rng.integers(4, size=len(images))
    moves = ((0, -pixels), (0, pixels), (-pixels, 0), (pixels, 0))
    for number, (down, right) in enumerate(moves):
        chosen = direction == number
        here, there = _overlap(down, height), _overlap(right, width)
        shifted[chosen, here[1], there[1]] = images[chosen, here[0], there[0]]
    return shifted


def _overlap(distance: int, length: int) -> tuple[slice, slice]:
    """Return which pixels stay in the image when all move by a distance, and where they go."""
    return slice(max(0, -distance), length - max(0, distance)), slice(max(0, distance), length - max(0, -distance))


def _rotate(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Turn each image clockwise or counterclockwise; the corners that open are background."""
    from scipy.ndimage import rotate

    background = _background(images)
    rotated = images - background
    clockwise = rng.random(len(images)) < 0.5
    for chosen, angle in ((clockwise, -level), (~clockwise, level)):
        if chosen.any():
            rotated[chosen] = rotate(rotated[chosen], angle, axes=(2, 1), reshape=False, order=1)
    return _bytes(rotated + background)


def _contrast(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Bring every pixel nearer to the mean brightness of its image."""
    mean = images.mean(axis=tuple(range(1, images.ndim)), keepdims=True, dtype=np.float32)
    return _bytes(mean + np.float32(level) * (images - mean))


def _occlude(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Hide a square, at a random place in each image, under background."""
    sizes = images.shape[1:3]
    side = min(round(level), *sizes)
    hidden = []
    for size in sizes:
        start = np.floor(rng.random(len(images)) * (size - side + 1))[:, None]
        hidden.append((np.arange(size) >= start) & (np.arange(size) < start + side))
    square = hidden[0][:, :, None] & hidden[1][:, None, :]
    square = square.reshape(*square.shape, *(1,) * (images.ndim - 3))
    return np.where(square, _bytes(_background(images)), images)


def _stroke(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Widen or thin what is bright, by the brightest or darkest pixel of each small square."""
    from scipy.ndimage import grey_dilation, grey_erosion

    side = abs(round(level)) + 1
    size = (1, side, side, 1)[: images.ndim]
    return grey_dilation(images, size=size) if level > 0 else grey_erosion(images, size=size)


CORRUPTIONS: dict[str, Corruption] = {
    "noise": Corruption(_noise, "standard deviation, of 255", (0, 20, 40, 60, 80, 100)),
    "blur": Corruption(_blur, "standard deviation, pixels", (0, 0.5, 1, 1.5, 2, 3)),
    "shift": Corruption(_shift, "pixels", (0, 1, 2, 3, 4, 6)),
    "rotation": Corruption(_rotate, "degrees", (0, 10, 20, 30, 45, 60)),
    "contrast": Corruption(_contrast, "share that is left", (1, 0.8, 0.6, 0.4, 0.2, 0.1), untouched=1),
    "occlusion": Corruption(_occlude, "side of a hidden square, pixels", (0, 4, 8, 12, 16, 20)),
    "stroke width": Corruption(_stroke, "pixels added to what is bright", (-2, -1, 0, 1, 2, 3)),
}
"""The ways in which images get worse, by name. Strokes that are darker than their ground get thinner where others get
wider."""


def _background(images: np.ndarray) -> np.ndarray:
    """Return the median of each image's border, in the shape of one pixel."""
    border = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    return np.median(border, axis=1)[:, None, None].astype(np.float32)


def _bytes(images: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)
