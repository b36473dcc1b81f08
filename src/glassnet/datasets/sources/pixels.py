"""Arrays from elsewhere become images and labels: any common shape, any common scale, any labels.

The largest value of the whole source decides. Up to 1 it is a scale from 0 to 1 (also for whole numbers: black and
white) and is multiplied by 255; up to 255 whole numbers stay and floats are rounded; `uint16` above 255 is divided by
257.
Anything else is refused, since a guess would be wrong without a word.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from glassnet.datasets.items import Arrays, Problem
from glassnet.datasets.sources.names import name_classes
from glassnet.errors import InputError

_ROWS = 1024
_LONGEST_SIDE = 8192
_MOST_NAMED = 20


def make_arrays(
    name: str,
    path: Path | None,
    form: str,
    parts: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    classes: Sequence[str] | None = None,
    stamp: str = "",
    problems: Sequence[Problem] = (),
) -> Arrays:
    """Return images and labels as found in the form in which glassnet has them.

    Args:
        name: of the data set.
        path: where the arrays are from.
        form: what they were recognised as.
        parts: images and labels for each split, "" where the source does not say.
        classes: names of the classes, where labels are their numbers, or are these names.
        stamp: text that changes with the content; computed from the content where it is empty.
        problems: what was left out before.

    Raises:
        InputError: the arrays are no images, or no labels for them.
    """
    if not parts:
        raise InputError(f"{form}: no images found")
    if set(parts) in ({"test"}, {"validation"}):
        parts = {"": next(iter(parts.values()))}  # the only split says nothing
    images = {split: _shaped(split, pair[0]) for split, pair in parts.items()}
    if len({one.shape[1:] for one in images.values()}) > 1:
        shapes = ", ".join(f"{split}: {one.shape[1:]}" for split, one in images.items())
        raise InputError(f"{form}: the splits have images of different shapes ({shapes}); expected one shape")
    labels = {split: _plain_labels(split, pair[1], len(images[split])) for split, pair in parts.items()}
    lowest, highest, finite = _range(images)
    factor = _factor(images, lowest, highest)
    kept, lost = {}, list(problems)
    for split, one in images.items():
        bad = np.flatnonzero(~finite[split])
        lost += [Problem(f"{_called(split)} {row}", "a pixel in it is no number") for row in bad[:_MOST_NAMED]]
        if (more := len(bad) - _MOST_NAMED) > 0:
            lost.append(Problem(_called(split), f"{more:,} more with a pixel that is no number", more))
        pixels, marks = (one[finite[split]], labels[split][finite[split]]) if len(bad) else (one, labels[split])
        kept[split] = (_scaled(pixels, factor), marks)
    if not any(len(pixels) for pixels, _ in kept.values()):
        raise InputError(f"{form}: no image is left; expected pixels from 0 to 255 or from 0 to 1")
    numbered, names = _number_labels({split: marks for split, (_, marks) in kept.items()}, classes)
    splits = {split: (pixels, numbered[split]) for split, (pixels, _) in kept.items()}
    return Arrays(name, path, form, splits, names, tuple(lost), stamp or hash_arrays(splits))


def hash_arrays(splits: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """Return text that changes with any pixel or label."""
    digest = hashlib.sha256()
    for split, pair in sorted(splits.items()):
        for array in pair:
            digest.update(f"{split} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return digest.hexdigest()


def image_shape(count: int) -> tuple[int, ...] | None:
    """Return the shape of a square image that was written as one row of `count` pixels, gray or of 3 colours."""
    side = math.isqrt(count)
    if side * side == count:
        return side, side
    side = math.isqrt(count // 3)
    return (side, side, 3) if side * side * 3 == count else None


def _called(split: str) -> str:
    return f"{split} image" if split else "image"


def _shaped(split: str, array: np.ndarray) -> np.ndarray:
    """Return an array as `(n, height, width)` or `(n, height, width, 3)`, in the type that it has."""
    shape, what = array.shape, f"{_called(split)}s"
    if array.dtype.kind not in "biuf":
        raise InputError(f"{what} are {array.dtype} {shape}; expected numbers of shape (n, height, width)")
    if not array.size:
        raise InputError(f"{what} have shape {shape}: there are none; expected (n, height, width)")
    if array.ndim == 2 and (flat := image_shape(shape[1])) and shape[1] > 1:
        array = array.reshape(len(array), *flat)
    elif array.ndim == 4 and shape[3] not in {1, 3, 4} and shape[1] in {1, 3, 4}:
        array = array.transpose(0, 2, 3, 1)  # channels first
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    elif array.ndim == 4 and array.shape[3] == 4 and array.dtype == np.uint8:
        array = _on_white(array)
    if array.ndim not in {3, 4} or (array.ndim == 4 and array.shape[3] != 3):
        raise InputError(
            f"{what} have shape {shape}; expected (n, height, width), (n, height, width, 1 or 3) "
            "or (n, pixels of a square)"
        )
    if max(array.shape[1:3]) > _LONGEST_SIDE:
        raise InputError(
            f"{what} have shape {shape}; sides up to {_LONGEST_SIDE:,} pixels are expected: make them smaller"
        )
    return array


def _on_white(images: np.ndarray) -> np.ndarray:
    """Return colours with opacity as they look on white paper."""
    result = np.empty((*images.shape[:3], 3), np.uint8)
    for start in range(0, len(images), _ROWS):
        part = images[start : start + _ROWS].astype(np.uint16)
        opacity = part[..., 3:]
        result[start : start + _ROWS] = (part[..., :3] * opacity + 255 * (255 - opacity) + 127) // 255
    return result


def _plain_labels(split: str, labels: np.ndarray, count: int) -> np.ndarray:
    """Return labels as `int64 (n,)` or text `(n,)`."""
    what = f"{split} labels" if split else "labels"
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    elif labels.ndim == 2 and labels.dtype.kind in "biuf" and _one_hot(labels):
        labels = labels.argmax(axis=1)
    if labels.shape != (count,):
        raise InputError(f"{what} have shape {labels.shape} for {count:,} images; expected one label for each image")
    if labels.dtype.kind == "O" and all(isinstance(one, str) for one in labels):
        labels = labels.astype(str)  # pandas keeps text so
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind == "f" and not (np.isfinite(labels).all() and (labels == np.rint(labels)).all()):
        raise InputError(f"{what} are no whole numbers; expected a class for each image")
    if labels.dtype.kind not in "biufU" or (labels.dtype.kind in "uf" and abs(labels).max() > 2**53):
        raise InputError(f"{what} are {labels.dtype}; expected whole numbers or text")
    return labels if labels.dtype.kind == "U" else labels.astype(np.int64)


def _one_hot(labels: np.ndarray) -> bool:
    return labels.shape[1] > 1 and bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def _range(images: Mapping[str, np.ndarray]) -> tuple[float, float, dict[str, np.ndarray]]:
    """Return smallest and largest pixel of all splits, and which images consist of numbers."""
    lowest, highest, finite = math.inf, -math.inf, {}
    for split, array in images.items():
        finite[split] = np.ones(len(array), bool)
        if array.dtype == np.uint8:  # nothing to ask, but whether it is all black and white
            lowest, highest = min(lowest, 0), max(highest, int(array.max()))
            continue
        for start in range(0, len(array), _ROWS):
            part = array[start : start + _ROWS]
            if array.dtype.kind == "f":
                good = np.isfinite(part).all(axis=tuple(range(1, part.ndim)))
                finite[split][start : start + _ROWS] = good
                part = part[good]
            if part.size:
                lowest, highest = min(lowest, float(part.min())), max(highest, float(part.max()))
    return lowest, highest, finite


def _factor(images: Mapping[str, np.ndarray], lowest: float, highest: float) -> float:
    """Return what pixels are to be multiplied by to fill 0 to 255."""
    if lowest > highest:
        return 1  # no image is whole
    wide = all(array.dtype == np.uint16 for array in images.values())
    if lowest < 0 or highest > (65535 if wide else 255):
        raise InputError(f"pixels run from {lowest:g} to {highest:g}; expected 0 to 255 or 0 to 1: scale them before")
    if highest > 255:
        return 1 / 257
    return 255 if highest <= 1 else 1


def _scaled(images: np.ndarray, factor: float) -> np.ndarray:
    if images.dtype == np.uint8 and factor == 1:
        return np.ascontiguousarray(images)
    result = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), _ROWS):
        result[start : start + _ROWS] = np.rint(images[start : start + _ROWS] * np.float32(factor))
    return result


def _number_labels(
    labels: Mapping[str, np.ndarray], classes: Sequence[str] | None
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return the number of each label's class, and the names of the classes."""
    if classes is not None:
        shown = name_classes(classes)
        if len(shown) < len(classes):
            raise InputError(f"{len(classes)} names of classes, but only {len(shown)} different ones; name each once")
        labels = {split: _named(marks, classes) for split, marks in labels.items()}
        for split, marks in labels.items():
            if marks.dtype.kind == "U" or (len(marks) and not 0 <= marks.min() <= marks.max() < len(classes)):
                found = ", ".join(map(str, np.unique(marks)[:5]))
                raise InputError(
                    f"labels of {_called(split)}s are {found}, …; "
                    f"with {len(classes)} classes they must be 0 to {len(classes) - 1}"
                )
        return dict(labels), tuple(shown[one] for one in classes)
    known = sorted({value for marks in labels.values() for value in np.unique(marks).tolist()}, key=str)
    shown = name_classes(map(str, known))
    names = tuple(dict.fromkeys(shown.values()))
    number = {name: index for index, name in enumerate(names)}
    numbered = {}
    for split, marks in labels.items():
        values, places = np.unique(marks, return_inverse=True)
        numbers = np.array([number[shown[str(value)]] for value in values.tolist()], np.int64)
        numbered[split] = numbers[places] if len(values) else np.zeros(0, np.int64)
    return numbered, names


def _named(marks: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the numbers of labels that all are names of classes; others as they are."""
    number = {name: index for index, name in enumerate(classes)}
    values, places = np.unique(marks, return_inverse=True)
    if marks.dtype.kind != "U" or not all(value in number for value in values.tolist()):
        return marks
    return np.array([number[value] for value in values.tolist()], np.int64)[places]
