"""Origin: files that could not be read, splits that could not be followed, and images unlike the others in size."""

from collections.abc import Iterator, Sequence

import numpy as np

from glassnet.audit.findings import Finding, counted, example_of
from glassnet.datasets import Dataset, Problem

LONG = 2.0
"""Ratio of the sides, relative to the usual one, from which an image counts as odd."""

SMALL, LARGE = 1 / 4, 4.0
"""Length of an image, relative to the usual one, outside of which it counts as odd."""

SHOWN, NAMED = 12, 20


def check_origin(data: Dataset) -> Iterator[Finding]:
    """Look at what the source of a data set says: its problems, and the original sizes."""
    if data.source is None:
        return
    images, lost = sum(map(len, data.splits)), data.source.left_out
    if lost:
        yield Finding(
            "unreadable",
            "warning",
            f"{counted(lost, 'file or row', 'files or rows')} could not be used",
            "They are left out; the rest is used as if they were not there.",
            "mend or remove them, so that nothing is left out that you count on",
            {"files": lost},
            lost / (images + lost),
            details=_named([one for one in data.source.problems if one.left_out]),
        )
    kept = [one for one in data.source.problems if not one.left_out]
    if kept:
        yield Finding(
            "split",
            "warning",
            f"the splits are not as they should be, for {counted(len(kept), 'reason')}",
            "Nothing is left out, but images that belong together may be on both sides, or not where they were meant.",
            "look at the reasons, and state the splits so that they can be followed",
            {"reasons": len(kept)},
            min(1.0, sum(one.count for one in kept) / max(1, images)),
            details=_named(kept),
        )
    yield from _sizes(data, {name: sizes for name, sizes in data.source.sizes.items() if len(sizes)})


def _named(problems: Sequence[Problem]) -> tuple[str, ...]:
    """Return the first problems as lines, and how many there are more."""
    more = sum(one.count for one in problems[NAMED:])
    lines = tuple(f"{one.name}: {one.reason}" for one in problems[:NAMED])
    return (*lines, f"… and {more:,} more") if more else lines


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
            tuple(
                example_of(data, *places[number], note=f"{every[number, 0]:.0f} × {every[number, 1]:.0f}")
                for number in order[:SHOWN]
            ),
        )
