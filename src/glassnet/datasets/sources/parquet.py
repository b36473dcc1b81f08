"""Parquet with a column of pictures, as Hugging Face hands data sets around; needs pyarrow, an extra."""

import io
import json
import threading
from collections.abc import Sequence
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from glassnet.datasets.items import Files, Item, Problem
from glassnet.datasets.sources.entries import MOST_BYTES, Entry, read_entry
from glassnet.datasets.sources.names import clean, explain, name_classes, name_data_set, split_at, words_of
from glassnet.datasets.sources.tables import LABEL_WORDS
from glassnet.errors import InputError

PARQUET_START = b"PAR1"

_IMAGE_WORDS = ("image", "img", "picture", "photo", "images", "bytes", "png", "jpg")
_LABEL_WORDS = ("finelabel", *LABEL_WORDS)  # CIFAR-100 has coarse ones as well
_MOST_GROUP = 2**30


def open_parquet(path: Path, entries: Sequence[tuple[Entry, Path]]) -> Files:
    """Return the pictures in some Parquet files.

    The split is that in the path of each file, where there are several ("train-00000-of-00002.parquet",
    "train/0000.parquet").

    Args:
        path: of the source: a file or a folder.
        entries: the files, and where each of them is.

    Raises:
        InputError: pyarrow is missing, a file is damaged, there are no columns of pictures and labels, or the files
            name different classes.
    """
    rows: list[tuple[Item, str]] = []
    kinds: dict[tuple[str, ...], str] = {}  # for each list of classes that a file states, the first such file
    problems: list[Problem] = []
    for entry, place in entries:
        split = split_at(entry.path) if len(entries) > 1 else None
        try:
            found, stated = _read(entry, place, split, problems)
        except InputError as error:
            if len(entries) == 1 or _missing(error):
                raise
            problems.append(Problem(clean(entry.path), str(error)))
            continue
        rows += found
        if stated:
            kinds.setdefault(tuple(stated), entry.path)
    if not rows:
        raise InputError(
            f"{clean(str(path))} holds no picture with a label; expected a column image and a column label"
        )
    if {item.split for item, _ in rows} in ({"test"}, {"validation"}):
        rows = [(Item(item.name, "", None, item.read, item.stamp), label) for item, label in rows]
    names = _one_list(path, kinds, rows)
    shown = name_classes(names or {label for _, label in rows})
    order = [shown[name] for name in names] if names else list(dict.fromkeys(shown.values()))
    items = tuple(Item(item.name, shown[label], item.split, item.read, item.stamp) for item, label in rows)
    return Files(name_data_set(path), path, "Parquet with pictures", items, tuple(order), tuple(problems), in_turn=True)


def _one_list(path: Path, kinds: dict[tuple[str, ...], str], rows: list[tuple[Item, str]]) -> tuple[str, ...]:
    """Return the classes that the files name; none, if no file does. Their order may differ, their names must not."""
    if not kinds:
        return ()
    names, first = next(iter(kinds.items()))
    others = [f"{clean(file)} names {clean(', '.join(one), 80)}" for one, file in kinds.items() if {*one} != {*names}]
    others += (f"{item.name} is called {clean(label, 40)!r}" for item, label in rows if label not in names)
    if others:
        raise InputError(
            f"{clean(str(path))} holds Parquet files whose classes differ: {clean(first)} names "
            f"{clean(', '.join(names), 80)}, and {others[0]}; write the same class names into all files, or pass one"
        )
    return names


class ParquetPictures:
    """The pictures of one Parquet file, group by group; sent to another process, it opens the file anew there.

    Args:
        path: of the file.
        column: with the pictures: bytes, or a pair of bytes and path.
    """

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._lock = threading.Lock()
        self._file: Any = None
        self._groups: dict[int, Any] = {}

    def __reduce__(self) -> tuple[type["ParquetPictures"], tuple[Path, str]]:
        return ParquetPictures, (self._path, self._column)

    def open(self, group: int, row: int) -> BufferedIOBase:
        """Return the encoded picture in a row of a group.

        Raises:
            ValueError: there is none, or the file is damaged.
        """
        with self._lock:
            if group not in self._groups:
                if self._file is None:
                    self._file = _pyarrow(self._path).ParquetFile(self._path)
                if len(self._groups) > 1:  # two, because threads read on both sides of a border
                    del self._groups[min(self._groups)]
                try:
                    self._groups[group] = self._file.read_row_group(group, columns=[self._column]).column(0)
                except Exception as error:  # as in `_read`
                    raise ValueError(f"damaged in the Parquet file ({explain(error)})") from error
            value = self._groups[group][row].as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            raise ValueError("no picture in this row")
        return io.BytesIO(data)


def _read(
    entry: Entry, place: Path, split: str | None, problems: list[Problem]
) -> tuple[list[tuple[Item, str]], list[str] | None]:
    """Return pictures and labels of a file, and the names of the classes if it states them."""
    parquet = _pyarrow(place)
    try:
        file = parquet.ParquetFile(place)
        image, label, names = _columns(entry, file.schema_arrow)
        for group in range(file.metadata.num_row_groups):
            if file.metadata.row_group(group).total_byte_size > _MOST_GROUP:
                raise InputError(
                    f"{clean(entry.path)} has a group of rows of more than {_MOST_GROUP >> 30} GB; write smaller ones"
                )
        labels = file.read(columns=[label]).column(0).to_pylist()
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    except InputError:
        raise
    except Exception as error:  # pyarrow's own exceptions have no common base among these
        raise InputError(f"cannot read the Parquet file {clean(entry.path)}: {explain(error)}") from error
    pictures = ParquetPictures(place, image)
    found: list[tuple[Item, str]] = []
    places = [(group, row) for group, size in enumerate(sizes) for row in range(size)]
    for number, (at, mark) in enumerate(zip(places, labels, strict=False)):
        name = f"{clean(entry.path)}, row {number}"
        label = _label(mark, names)
        if label is None:
            reason = "no label" if mark is None else f"its label is {clean(str(mark), 40)}, no class"
            problems.append(Problem(name, reason))
            continue
        read = partial(read_entry, partial(pictures.open, *at), MOST_BYTES)
        found.append((Item(name, "", split, read, f"{entry.stamp}-{number}"), label))
    return found, names


def _columns(entry: Entry, schema: Any) -> tuple[str, str, list[str] | None]:
    """Return the columns of pictures and labels, and the names of the classes if the file states them."""
    features = _features(schema.metadata or {})
    plain = {"".join(words_of(name)): name for name in schema.names}
    image = next(
        (name for name, facts in features.items() if facts.get("_type") == "Image" and name in schema.names), None
    )
    image = image or next((plain[word] for word in _IMAGE_WORDS if word in plain), None)
    label = next((plain[word] for word in _LABEL_WORDS if word in plain), None)
    label = label or next(
        (n for n, facts in features.items() if facts.get("_type") == "ClassLabel" and n in schema.names), None
    )
    if image is None or label is None:
        raise InputError(
            f"{clean(entry.path)} has the columns {clean(', '.join(schema.names), 80)}; expected one with "
            "pictures (image) and one with labels (label)"
        )
    names = features.get(label, {}).get("names")
    good = isinstance(names, list) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    return image, label, names if good else None


def _features(metadata: dict[bytes, bytes]) -> dict[str, dict[str, Any]]:
    """Return what Hugging Face wrote about the columns."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    if not isinstance(features, dict):
        return {}
    return {name: facts for name, facts in features.items() if isinstance(facts, dict)}


def _label(mark: object, names: list[str] | None) -> str | None:
    """Return the class that a cell means; None if it means none."""
    if isinstance(mark, float) and mark.is_integer():
        mark = int(mark)  # whole numbers become floats where some are missing
    if names:
        return names[mark] if isinstance(mark, int) and 0 <= mark < len(names) else None
    return str(mark) if isinstance(mark, (str, int)) else None


def _missing(error: InputError) -> bool:
    return isinstance(error.__cause__, ImportError)


def _pyarrow(path: Path) -> Any:
    try:
        from pyarrow import parquet  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise InputError(
            f"{clean(str(path))} is Parquet, which needs pyarrow; install it with: pip install 'glassnet[parquet]'"
        ) from error
    return parquet
