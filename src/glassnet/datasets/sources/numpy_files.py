"""NPZ and NPY: arrays that somebody saved with NumPy, told apart by their names and shapes. Pickles are refused."""

import hashlib
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from glassnet.datasets.items import Arrays, Problem
from glassnet.datasets.sources.entries import Entry
from glassnet.datasets.sources.names import clean, explain, name_data_set, split_of, words_of
from glassnet.datasets.sources.pixels import make_arrays
from glassnet.datasets.sources.unpacking import MOST_RATIO, is_bomb
from glassnet.errors import InputError

NPY_START = b"\x93NUMPY"

_MOST_BYTES = 8 * 2**30
_IMAGES = {"x", "image", "images", "img", "imgs", "data", "pixels", "inputs", "features"}
_LABELS = {"y", "label", "labels", "target", "targets", "class"}
_CLASSES = {"classes", "classnames", "labelnames", "names"}
_ERRORS = (OSError, ValueError, EOFError, SyntaxError, MemoryError, OverflowError, RuntimeError, TypeError)
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error)


def open_numpy(path: Path, entries: Sequence[Entry]) -> Arrays:
    """Return the images and labels in some NPZ and NPY files.

    Args:
        path: of the source: a file, a folder or an archive.
        entries: the files.

    Raises:
        InputError: a file is damaged, holds pickles, lies about its size, or no array is called like images and labels.
    """
    arrays: dict[str, np.ndarray] = {}
    problems: list[Problem] = []
    for entry in entries:
        try:
            with entry.open() as stream:
                arrays |= _read_file(stream, entry, problems)
        except (*_ERRORS, *_DAMAGED) as error:
            reason = explain(error)
            raise InputError(f"cannot read {clean(entry.path)}: {reason}") from error
    names = next((value for name, value in arrays.items() if "".join(words_of(name)) in _CLASSES), None)
    return make_arrays(
        name=name_data_set(path),
        path=path,
        form="NumPy arrays",
        parts=_pair_up(path, arrays),
        classes=None if names is None or names.dtype.kind != "U" else tuple(map(str, names.ravel().tolist())),
        stamp=hashlib.sha256(" ".join(sorted(entry.stamp for entry in entries)).encode()).hexdigest(),
        problems=problems,
    )


def _read_file(stream: BufferedIOBase, entry: Entry, problems: list[Problem]) -> dict[str, np.ndarray]:
    """Return the arrays of one file by their names."""
    stem = re.sub(r"\.np[yz]$", "", entry.path.rsplit("/", 1)[-1])
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
                if _role(name) != (None, None):
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


def _pair_up(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return images and labels for each split, by the names of the arrays, or else by their shapes."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        role, split = _role(name)
        if role:
            found.setdefault(split or "", {}).setdefault(role, array)
    parts = {
        split: (both["images"], both["labels"])
        for split, both in found.items()
        if len(both) == 2 and split in {"", "train", "validation", "test"}
    }
    if len(parts) > 1:
        parts.pop("", None)
    nameless = [array for name, array in sorted(arrays.items()) if name.startswith("arr_")]
    if not parts and len(nameless) in {2, 4}:  # np.savez(file, images, labels), or with two more for the test
        pairs = [sorted(nameless[at : at + 2], key=lambda one: -one.ndim) for at in range(0, len(nameless), 2)]
        parts = {
            split: (pair[0], pair[1])
            for split, pair in zip(("train", "test") if len(pairs) == 2 else ("",), pairs, strict=True)
        }
    if not parts:
        have = ", ".join(f"{clean(name, 40)} {array.shape}" for name, array in list(arrays.items())[:8]) or "no array"
        raise InputError(
            f"{clean(str(path))} has {have}; expected images and their labels, such as x_train, y_train, x_test, "
            "y_test or images, labels"
        )
    return parts


def _role(name: str) -> tuple[str | None, str | None]:
    """Return what an array is by its name, "images" or "labels", and of which split."""
    words = words_of(name)
    split = next((split for word in words if (split := split_of(word))), None)
    if any(word in _LABELS for word in words):
        return "labels", split
    if any(word in _IMAGES for word in words):
        return "images", split
    return None, split
