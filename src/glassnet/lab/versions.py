"""Versions of a set of one's own: a table of its images, each with its class and its split."""

import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.lab.ownset import OwnClass, OwnSet

LEAST_GROUPS = 3
"""Seconds of recording below which a class is divided frame by frame: else it would be missing from a split."""


def write_table(own: "OwnSet", rows: Sequence[tuple["OwnClass", str]]) -> str:
    """Return the table of the images, divided by class with the usual shares.

    Equal images stay on one side of the split, and so do the frames that were recorded in one second: frames of one
    film are so much alike that the score would measure memory.
    """
    from glassnet.datasets import SPLITS
    from glassnet.datasets.preparation import Preparation
    from glassnet.datasets.splitting import choose_sides
    from glassnet.lab.ownset import side_of

    keys = list(dict.fromkeys(one.key for one, _ in rows))
    labels = np.array([keys.index(one.key) for one, _ in rows], np.int64)
    digests = [own.digest(one.key, image) for one, image in rows]
    copies = np.unique(digests, return_inverse=True)[1].astype(np.int64)
    stated = [side_of(image) for _, image in rows]
    sides = choose_sides(labels, copies, _groups(rows), stated, Preparation())
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("file_name", "label", "split"))
    for (one, image), code in zip(rows, sides.codes, strict=True):
        writer.writerow((f"images/{one.key}/{image}", one.name, SPLITS[code]))
    return stream.getvalue()


def forget_packs(tables: Iterable[Path]) -> None:
    """Delete the packed images of tables from the cache."""
    from glassnet.datasets import load

    for table in tables:
        try:
            source = load(table).source
        except (GlassnetError, OSError):
            continue
        if source and source.folder:
            shutil.rmtree(source.folder.parent, ignore_errors=True)


def _groups(rows: Sequence[tuple["OwnClass", str]]) -> list[str | None]:
    """Return the second of each frame as its group, in classes that have some of them."""
    from glassnet.lab.ownset import second_of

    seconds = [(one.key, second_of(image)) for one, image in rows]
    several = Counter(key for key, second in set(seconds) if second is not None)
    return [
        f"{key}-{second}" if second is not None and several[key] >= LEAST_GROUPS else None for key, second in seconds
    ]
