"""Origin: files that could not be read, and images whose size or shape is unlike the others'."""

from collections.abc import Iterator

import numpy as np

from glassnet.audit.findings import Example, Finding, counted
from glassnet.datasets import Dataset

LONG = 2.0
"""Ratio of the sides, relative to the usual one, from which an image counts as odd."""

SMALL, LARGE = 1 / 4, 4.0
"""Length of an image, relative to the usual one, outside of which it counts as odd."""

SHOWN, NAMED = 12, 20


def check_origin(data: Dataset) -> Iterator[Finding]:
    """Look at what the source of a data set says: its problems, and the original sizes."""
    if data.source is None:
        return
    problems = data.source.problems
    if problems:
        total = sum(map(len, data.splits)) + len(problems)
        yield Finding(
            "unreadable",
            "warning",
            f"{counted(len(problems), 'file')} could not be used",
            "They are left out; the rest is used as if they were not there.",
            "mend or remove them, so that nothing is left out that you count on",
            {"files": len(problems)},
            len(problems) / total,
            details=tuple(f"{one.name}: {one.reason}" for one in problems[:NAMED])
            + ((f"… and {len(problems) - NAMED:,} more",) if len(problems) > NAMED else ()),
        )
    yield from _sizes(data, {name: sizes for name, sizes in data.source.sizes.items() if len(sizes)})


def _sizes(data: Dataset, sizes: dict[str, np.ndarray]) -> Iterator[Finding]:
    if not sizes:
        return
    every = np.concatenate(list(sizes.values())).astype(np.float64)
    places = [(name, index) for name, of_split in sizes.items() for index in range(len(of_split))]
    length = np.sqrt(every.prod(1))
    shape = np.log(every[:, 0] / every[:, 1])
    usual_length, usual_shape = float(np.median(length)), float(np.median(shape))
    height, width = data.image_shape[:2]
    for kind, odd, title, meaning, advice in (
        (
            "odd shape",
            np.abs(shape - usual_shape) > np.log(LONG),
            "much longer or wider than the others",
            "They are squeezed, cut or padded the most when all are brought to one size.",
            "look at them; crop those where the object is small beside its background",
        ),
        (
            "odd size",
            (length < SMALL * usual_length) | (length > LARGE * usual_length),
            "much smaller or larger than the others",
            f"All are brought to {width} × {height}: tiny ones become a blur, and often are thumbnails or icons.",
            "look at them; take out what is no picture of its class",
        ),
    ):
        numbers = np.flatnonzero(odd)
        if not len(numbers):
            continue
        far = np.abs(shape - usual_shape) if kind == "odd shape" else np.abs(np.log(length / usual_length))
        order = numbers[np.argsort(-far[numbers], kind="stable")]
        yield Finding(
            kind,
            "note",
            f"{counted(len(numbers), 'image')} {'is' if len(numbers) == 1 else 'are'} {title}",
            meaning,
            advice,
            {"images": len(numbers), "usual_side": round(usual_length, 1)},
            len(numbers) / len(every),
            tuple(_example(data, places[number], every[number]) for number in order[:SHOWN]),
        )


def _example(data: Dataset, place: tuple[str, int], size: np.ndarray) -> Example:
    split, index = place
    names = data.source.names.get(split, []) if data.source else []
    label = data.classes[int(data.split(split).labels[index])]
    name = names[index] if index < len(names) else ""
    return Example(split, index, label, 0, f"{size[0]:.0f} × {size[1]:.0f}", name)
