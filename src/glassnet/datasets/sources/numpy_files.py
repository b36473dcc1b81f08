"""NPZ and NPY: arrays that somebody saved with NumPy, told apart by their names and shapes. Pickles are refused.

What an array is, images or labels, its own name says; of which split, its name or else the path of its file.
"""

import math
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from io import BufferedIOBase
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from glassnet.datasets.items import Arrays, Problem
from glassnet.datasets.sources.entries import Entry, stamp_of
from glassnet.datasets.sources.names import clean, explain, name_data_set, split_at, words_of
from glassnet.datasets.sources.pixels import make_arrays
from glassnet.datasets.sources.unpacking import MOST_RATIO, is_bomb
from glassnet.errors import InputError

NPY_START = b"\x93NUMPY"

_MOST_BYTES = 8 * 2**30
_IMAGES = {"x", "image", "images", "img", "imgs", "data", "pixels", "inputs", "features"}
_LABELS = {"y", "label", "labels", "target", "targets", "class"}
_CLASSES = {"classes", "classnames", "labelnames", "targetnames", "names"}
_ERRORS = (OSError, ValueError, EOFError, SyntaxError, MemoryError, OverflowError, RuntimeError, TypeError)
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error)


def open_numpy(path: Path, entries: Sequence[Entry]) -> Arrays:
    """Return the images and labels in some NPZ and NPY files.

    Args:
        path: of the source: a file, a folder or an archive.
        entries: the files.

    Raises:
        InputError: a file is damaged, holds pickles, lies about its size, no array is called like images and labels,
            or two files hold the same part of the set.
    """
    arrays: list[_Array] = []
    problems: list[Problem] = []
    for entry in entries:
        try:
            with entry.open() as stream:
                found = _read_file(stream, entry, problems)
        except (*_ERRORS, *_DAMAGED) as error:
            reason = explain(error)
            raise InputError(f"cannot read {clean(entry.path)}: {reason}") from error
        beside = split_at(entry.path) if len(entries) > 1 else None
        arrays += [_Array(entry.path, name, split_at(name) or beside or "", array) for name, array in found.items()]
    parts = _pair_up(path, arrays, problems)
    return make_arrays(
        name=name_data_set(path),
        path=path,
        form="NumPy arrays",
        parts=parts,
        classes=_class_names(path, arrays, parts),
        stamp=stamp_of(entries),
        problems=problems,
    )


class _Array(NamedTuple):
    """An array, the file that it is in, and the split that the names of both state ("" for none)."""

    file: str
    name: str
    split: str
    values: np.ndarray

    @property
    def shown(self) -> str:
        """Its name for the eyes, with its file's where they differ."""
        stem = _stem(self.file)
        return clean(self.file if stem == self.name else f"{self.file}, {self.name}")


def _read_file(stream: BufferedIOBase, entry: Entry, problems: list[Problem]) -> dict[str, np.ndarray]:
    """Return the arrays of one file by their names."""
    stem = _stem(entry.path)
    start = stream.read(6)
    stream.seek(0)
    if start == NPY_START:
        return {stem: _read_array(stream, entry.size)}
    found = {}
    with zipfile.ZipFile(stream) as archive:  # pyright: ignore[reportArgumentType]
        members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        for info in members:
            name = info.filename.removesuffix(".npy")
            if info.file_size > _MOST_BYTES or is_bomb(info.file_size, info.compress_size):
                raise ValueError(
                    f"its array {clean(name)} unpacks to {info.file_size:,} bytes, more than {MOST_RATIO} times "
                    "what is stored: a bomb, or no pictures"
                )
            if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise ValueError(f"its array {clean(name)} is compressed in an unusual way; save it with numpy.savez")
            try:
                with archive.open(info) as member:
                    found[name] = _read_array(member, info.file_size)
            except _PickledError:
                if _role(name) or split_at(name):
                    raise
                problems.append(Problem(clean(name), "holds pickled Python objects; not needed, and not opened"))
    return {stem: found["arr_0"]} if list(found) == ["arr_0"] else found


class _PickledError(ValueError):
    """An array of Python objects, which could run any program while it is loaded."""


def _read_array(stream: Any, size: int) -> np.ndarray:
    """Return the array in a stream of `size` bytes, after a look at what its header promises."""
    version = npy.read_magic(stream)
    if version not in {(1, 0), (2, 0)}:
        raise ValueError(f"NPY version {version[0]}.{version[1]}; expected 1.0 or 2.0, as plain arrays have it")
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, columns_first, kind = read_header(stream)
    if kind.hasobject:
        raise _PickledError(
            "it holds pickled Python objects, which could run any program; save plain arrays (numbers, text)"
        )
    expected = math.prod(shape) * kind.itemsize
    if not 0 <= expected < size or min(shape, default=0) < 0:
        raise ValueError(f"its header says {expected:,} bytes {kind} {shape}, but it holds fewer ({size:,} in all)")
    body = bytearray()
    while len(body) < expected and (piece := stream.read(min(1 << 24, expected - len(body)))):
        body += piece
    if len(body) < expected:
        raise ValueError(f"it is cut off: {len(body):,} bytes instead of {expected:,}")
    flat = np.frombuffer(body, kind) if expected else np.zeros(math.prod(shape), kind)
    array = flat.reshape(shape, order="F" if columns_first else "C")
    return array.astype(kind.newbyteorder("="), copy=False)


def _pair_up(path: Path, arrays: Sequence[_Array], problems: list[Problem]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return images and labels for each split, by the names of the arrays, or else by their shapes."""
    found: dict[str, dict[str, _Array]] = {}
    for array in arrays:
        if not (role := _role(array.name)):
            continue
        first = found.setdefault(array.split, {}).setdefault(role, array)
        if first.file != array.file and not np.array_equal(first.values, array.values):
            raise InputError(
                f"{clean(str(path))} has two arrays for the same {role}, {first.shown} and {array.shown}; name the "
                "file that you mean, or give the files or their folders names such as train and test"
            )
        if first is not array:
            problems.append(Problem(array.shown, f"{first.shown} is used for the {role} already"))
    parts = {split: (both["images"].values, both["labels"].values) for split, both in found.items() if len(both) == 2}
    for split, both in found.items():
        if parts and split not in parts:
            problems += [Problem(one.shown, f"no {_other(role)} with it") for role, one in both.items()]
    if "train" in parts and "" in parts:
        del parts[""]
        problems += [Problem(one.shown, "names no split, where others do") for one in found[""].values()]
    elif len(parts) > 1 and "" in parts:
        parts["train"] = parts.pop("")
    parts = parts or _pair_nameless(arrays)
    if not parts:
        have = ", ".join(f"{clean(one.name, 40)} {one.values.shape}" for one in arrays[:8]) or "no array"
        raise InputError(
            f"{clean(str(path))} has {have}; expected images and their labels, such as x_train, y_train, x_test, "
            "y_test or images, labels"
        )
    return parts


def _pair_nameless(arrays: Sequence[_Array]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what `np.savez(file, images, labels)` wrote, perhaps with two more for the test or in a file for each."""
    nameless: dict[str, list[_Array]] = {}
    for array in sorted(arrays, key=lambda one: one.name):
        if array.name.startswith("arr_"):
            nameless.setdefault(array.split, []).append(array)
    if [len(group) for group in nameless.values()] == [4]:
        (group,) = nameless.values()
        nameless = {"train": group[:2], "test": group[2:]}
    parts = {}
    for split, group in nameless.items():
        if len(group) != 2 or group[0].file != group[1].file:
            return {}
        images, labels = sorted((one.values for one in group), key=lambda one: -one.ndim)
        parts[split] = images, labels
    return parts


def _class_names(
    path: Path, arrays: Sequence[_Array], parts: dict[str, tuple[np.ndarray, np.ndarray]]
) -> tuple[str, ...] | None:
    """Return the names of the classes, if an array holds them."""
    images = {labels.shape[:1] for _, labels in parts.values()}  # so many names are those of the files
    classes = max(_count_classes(labels) for _, labels in parts.values())
    found = {
        tuple(map(str, one.values.ravel().tolist())): one.shown
        for one in arrays
        if _names_classes(one.name) and one.values.dtype.kind == "U"
        if one.values.size == classes or (one.values.size,) not in images
    }
    if len(found) > 1:
        raise InputError(
            f"{clean(str(path))} has different names of the classes in {' and '.join(list(found.values())[:2])}; "
            "name the file that you mean"
        )
    return next(iter(found), None)


def _count_classes(labels: np.ndarray) -> int:
    """Return how many classes labels speak of, be they numbers, text or one-hot."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return labels.shape[1]
    numbers = labels.size and labels.dtype.kind in "iuf"
    return int(labels.max()) + 1 if numbers and np.isfinite(labels.max()) else len(np.unique(labels))


def _names_classes(name: str) -> bool:
    return "".join(words_of(name)) in _CLASSES


def _role(name: str) -> str | None:
    """Return what an array is by its name: "images", "labels", or neither."""
    words = words_of(name)
    if _names_classes(name):
        return None
    if any(word in _LABELS for word in words):
        return "labels"
    return "images" if any(word in _IMAGES for word in words) else None


def _other(role: str) -> str:
    return "labels" if role == "images" else "images"


def _stem(file: str) -> str:
    """Return the name of a file without its folders and its ending."""
    return re.sub(r"\.np[yz]$", "", file.rsplit("/", 1)[-1])
