"""IDX: the form in which MNIST, Fashion-MNIST, EMNIST, KMNIST and QMNIST were published, plain or as gzip.

A header gives the type and the shape; the numbers follow, the last axis fastest, large bytes first. The pairs of images
and labels are found by their names, their splits by these or by the folders that they are in.

References:
    Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits, "The IDX file format".
    G. Cohen, S. Afshar, J. Tapson, A. van Schaik: EMNIST: an extension of MNIST to handwritten letters, 2017 (its
    images are transposed, its letters begin at 1).
"""

import math
import re
import string
from collections.abc import Sequence
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from glassnet.datasets.items import Arrays
from glassnet.datasets.sources.entries import Entry, read_entry, stamp_of
from glassnet.datasets.sources.names import SPLIT_WORDS, clean, explain, name_data_set, split_at
from glassnet.datasets.sources.pixels import make_arrays
from glassnet.datasets.sources.unpacking import unpack
from glassnet.errors import InputError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 4
_MOST_BYTES = 4 * 2**30
_PIECE = 1 << 24
_MERGED = string.digits + string.ascii_uppercase + "abdefghnqrt"  # EMNIST: letters whose two cases look alike are one
EMNIST_CLASSES = {
    "letters": string.ascii_uppercase,
    "balanced": _MERGED,
    "bymerge": _MERGED,
    "byclass": string.digits + string.ascii_uppercase + string.ascii_lowercase,
}
"""The classes of the parts of EMNIST; its letters are large and small ones together."""


def is_idx(head: bytes) -> bool:
    """Tell by its first bytes if a file is IDX."""
    return len(head) >= 8 and head[:2] == b"\0\0" and head[2] in _TYPES and 1 <= head[3] <= _MOST_AXES


def open_idx(path: Path, entries: Sequence[Entry], only: str | None = None) -> Arrays:
    """Return the images and labels of the IDX files among some entries.

    Args:
        path: of the source: a file, a folder or an archive.
        entries: the files in it.
        only: the set that is meant, as its files begin, where there may be several ("emnist-letters").

    Raises:
        InputError: a file is damaged or lies about its size, images or labels are missing, or there are several sets,
            by their names or because several files would be the same part of one.
    """
    pairs: dict[str, dict[str, dict[str, Entry]]] = {}
    for entry in entries:
        if role := _role(entry.path):
            part = pairs.setdefault(set_of(entry.path), {}).setdefault(split_at(entry.path) or "", {})
            if only in {None, set_of(entry.path)} and not _same(part.setdefault(role, entry), entry):
                raise InputError(
                    f"{clean(str(path))} holds two IDX files for the same {role}, {clean(part[role].path)} and "
                    f"{clean(entry.path)}; name the folder or a file of the one you mean, or their folders train and "
                    "test"
                )
    if not pairs or (only is not None and only not in pairs):
        raise InputError(f"{clean(str(path))} holds IDX files without names such as train-images-idx3-ubyte: rename")
    if only is None and len(pairs) > 1:
        raise InputError(
            f"{clean(str(path))} holds several sets of IDX files ({clean(', '.join(sorted(pairs)))}); "
            "pass a file of the one you mean"
        )
    chosen = next(iter(pairs)) if only is None else only
    splits = {split: both for split, both in pairs[chosen].items() if "images" in both}
    for both in splits.values():
        if "labels" not in both:
            raise InputError(
                f"there are no labels for {clean(both['images'].path)}; expected a file like "
                f"{clean(re.sub('images?', 'labels', _base(both['images'])).replace('idx3', 'idx1'))} beside it"
            )
    if not splits:
        raise InputError(
            f"{clean(str(path))} holds labels without images; expected a file like train-images-idx3-ubyte"
        )
    parts = {split: _read_pair(both["images"], both["labels"]) for split, both in splits.items()}
    return make_arrays(
        name=chosen or name_data_set(path),
        path=path,
        form="IDX files",
        parts=parts,
        classes=_classes(chosen, entries, parts),
        stamp=stamp_of(entry for both in splits.values() for entry in both.values()),
    )


def set_of(file: str) -> str:
    """Return the set that an IDX file belongs to, as its name begins: "emnist-letters", "" for MNIST's own names."""
    return re.split(
        rf"(?i)(?:^|[-_.])(?:{'|'.join(SPLIT_WORDS)}|images?|labels?)(?=[-_.\d]|$)",
        file.rsplit("/", 1)[-1],
    )[0]


def read_idx(entry: Entry) -> np.ndarray:
    """Return the numbers of an IDX file, plain or compressed.

    Raises:
        InputError: it is none, or its size is not what its header says.
    """
    try:
        with entry.open() as stream, unpack(stream) as plain:
            return read_numbers(plain)
    except (OSError, ValueError, EOFError) as error:
        reason = explain(error)
        raise InputError(f"cannot read the IDX file {clean(entry.path)}: {reason}; download it again") from error


def read_numbers(plain: BufferedIOBase) -> np.ndarray:
    """Return the numbers of an IDX file that is a stream.

    Raises:
        ValueError: it is none, or its size is not what its header says.
    """
    head = plain.read(4)
    if not is_idx(head.ljust(8, b"\0")) or len(head) < 4:
        raise ValueError("it does not begin like an IDX file")
    sizes = plain.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise ValueError("it ends within its header")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    kind = np.dtype(_TYPES[head[2]])
    expected = math.prod(shape) * kind.itemsize
    if expected > _MOST_BYTES:
        raise ValueError(f"its header says {' × '.join(map(str, shape))}, more than {_MOST_BYTES >> 30} GB")
    body = bytearray()  # grows with what is really there, whatever the header says
    while len(body) <= expected and (piece := plain.read(min(_PIECE, expected + 1 - len(body)))):
        body += piece
    if len(body) != expected:
        more = "more" if len(body) > expected else f"{len(body):,}"
        raise ValueError(f"its header says {expected:,} bytes ({' × '.join(map(str, shape))}), but it holds {more}")
    return np.frombuffer(body, kind).reshape(shape)


def _read_pair(images: Entry, labels: Entry) -> tuple[np.ndarray, np.ndarray]:
    pixels, marks = read_idx(images), read_idx(labels)
    if marks.ndim == 2 and marks.shape[1] == 8:
        marks = marks[:, 0]  # QMNIST: the class stands first, then who wrote it
    if pixels.ndim == 3 and set_of(images.path).lower().startswith("emnist"):
        pixels = pixels.transpose(0, 2, 1)
    native = np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("="), copy=False)
    return native, marks


def _classes(
    name: str, entries: Sequence[Entry], parts: dict[str, tuple[np.ndarray, np.ndarray]]
) -> tuple[str, ...] | None:
    """Return the names of EMNIST's classes, from its table of characters or else by heart."""
    for entry in entries:
        if _base(entry) == f"{name}-mapping.txt" and (found := _read_mapping(entry)):
            codes = [found.get(number, []) for number in range(max(found) + 1)]
            named = ["/".join(map(chr, one)) for one in codes]
            break
    else:
        named = list(EMNIST_CLASSES.get(name.lower().removeprefix("emnist-"), ""))
        if name.lower() == "emnist-letters":
            named = ["", *named]
    if not named:
        return None
    if not named[0] and not any(len(labels) and labels.min() == 0 for _, labels in parts.values()):
        for split, (images, labels) in parts.items():
            parts[split] = images, labels.astype(np.int64) - 1  # EMNIST's letters begin at 1
        named = named[1:]
    highest = max((int(labels.max()) for _, labels in parts.values() if labels.size), default=0)
    return tuple(named) if all(named) and highest < len(named) else None


def _read_mapping(entry: Entry) -> dict[int, list[int]]:
    try:
        rows = [list(map(int, line.split())) for line in read_entry(entry.open, 1 << 20).decode().splitlines()]
    except (OSError, ValueError):
        return {}
    return {
        row[0]: row[1:]
        for row in rows
        if len(row) > 1 and 0 <= row[0] < 1000 and all(32 < one < 0x3000 for one in row[1:])
    }


def _role(path: str) -> str | None:
    name = path.rsplit("/", 1)[-1].lower()
    return "labels" if "label" in name else "images" if "image" in name else None


def _same(one: Entry, other: Entry) -> bool:
    """Tell if two files hold the same numbers: as one beside its packed form does, or a copy in another folder."""
    plain = re.compile(r"(?i)\.(gz|bz2|xz|zst)$")
    return plain.sub("", one.path) == plain.sub("", other.path) or np.array_equal(read_idx(one), read_idx(other))


def _base(entry: Entry) -> str:
    return entry.path.rsplit("/", 1)[-1]
