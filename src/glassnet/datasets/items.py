"""What a source of images holds, as it was found: encoded pictures with their labels, or arrays of pixels."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Item:
    """One picture of a source, still encoded.

    Args:
        name: its path inside the source, as the user knows it.
        label: the name of its class.
        split: "train", "validation" or "test" where the source says so; None where it does not.
        read: gives the encoded bytes (of a PNG, JPEG, …); raises OSError or ValueError where it cannot.
        stamp: text that changes when the picture's bytes change (size and time of a file, CRC of an archive's member).
    """

    name: str
    label: str
    split: str | None
    read: Callable[[], bytes] = field(repr=False, compare=False)
    stamp: str = ""


@dataclass(frozen=True)
class Problem:
    """Something in a source that could not be used, or not as it was meant; the rest could.

    Args:
        name: its path inside the source.
        reason: what is wrong with it, in words.
        count: how many pictures, rows or files it stands for.
        left_out: whether these are left out; False where they are used in another way than was meant.
    """

    name: str
    reason: str
    count: int = 1
    left_out: bool = True


@dataclass(frozen=True)
class Files:
    """A source of encoded pictures: a folder, an archive, a table of file names, Parquet.

    Args:
        name: of the data set, made from the path.
        path: of the source.
        form: what it was recognised as, in words ("a folder for each class").
        items: the pictures, in an order that does not depend on the file system.
        classes: the names of the classes; label k is `classes[k]`.
        problems: what could not be used.
        in_turn: whether reading the pictures in another order, or several at once, costs a multiple.
    """

    name: str
    path: Path
    form: str
    items: tuple[Item, ...]
    classes: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    in_turn: bool = False


@dataclass(frozen=True, eq=False)
class Arrays:
    """A source of pixels: IDX, NPZ, NPY, a CSV of pixels, arrays from Python.

    Args:
        name: of the data set, made from the path.
        path: of the source; None for arrays from Python.
        form: what it was recognised as, in words ("four IDX files").
        splits: (images, labels) under "train", "validation" or "test", or under "" where the source does not say;
            images are `uint8 (n, height, width)` or `(n, height, width, 3)`, labels `int64 (n,)`.
        classes: the names of the classes; label k is `classes[k]`.
        problems: what could not be used (rows that were left out).
        stamp: text that changes when the content changes.
    """

    name: str
    path: Path | None
    form: str
    splits: dict[str, tuple[np.ndarray, np.ndarray]]
    classes: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    stamp: str = ""
