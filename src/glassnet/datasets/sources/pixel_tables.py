"""CSV of pixels: an image in each row, behind or before its label, as Kaggle and others hand MNIST around."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from glassnet.datasets.items import Arrays, Problem
from glassnet.datasets.sources.entries import stamp_of
from glassnet.datasets.sources.names import clean, explain, name_data_set, split_at
from glassnet.datasets.sources.pixels import image_shape, make_arrays
from glassnet.datasets.sources.tables import (
    LABEL_WORDS,
    SPLIT_COLUMNS,
    Table,
    read_lines,
    read_rows,
    read_split,
    report_unknown_splits,
)
from glassnet.errors import InputError

_BLOCK = 2048
_FEWEST_PIXELS = 16
_MOST_NAMED = 50


def is_pixel_table(table: Table) -> bool:
    """Tell if a table has an image in each row: many columns of numbers, or one with many numbers in each cell."""
    row = table.typical
    return _packed_column(table) is not None or (
        len(row) > _FEWEST_PIXELS and sum(_number(cell) is not None for cell in row) >= len(row) - 3
    )


def open_pixel_tables(path: Path, tables: Sequence[Table]) -> Arrays:
    """Return the images and labels of one or several tables of pixels.

    The split is that of a column (`Usage`, `split`), or else that in the path of the file, where there are several.

    Raises:
        InputError: there is no column of labels, rows are no square images, or no row can be used.
    """
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    problems: list[Problem] = []
    refused: InputError | None = None
    for table in tables:
        named = (split_at(table.entry.path) or "") if len(tables) > 1 else ""
        try:
            for split, pixels, labels in _read(table, problems):
                found.setdefault(split or named, []).append((pixels, labels))
        except InputError as error:
            refused = error
            problems.append(Problem(clean(table.entry.path), str(error)))
    if not found:
        raise refused or InputError(f"{clean(str(path))} holds no table of pixels")
    shapes = dict.fromkeys(pixels.shape[1:] for pairs in found.values() for pixels, _ in pairs)
    if len(shapes) > 1:
        sizes = " and ".join(" × ".join(map(str, shape)) for shape in shapes)
        raise InputError(f"the tables in {clean(str(path))} hold images of {sizes} pixels; pass those of one size")
    return make_arrays(
        name=name_data_set(path),
        path=path,
        form="a table of pixels",
        parts={
            split: (np.concatenate([one for one, _ in pairs]), np.concatenate([one for _, one in pairs]))
            for split, pairs in found.items()
        },
        stamp=stamp_of(table.entry for table in tables),
        problems=problems,
    )


def _read(table: Table, problems: list[Problem]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield split, images and labels (as text) of a table, block by block."""
    name = clean(table.entry.path)
    packed, split = _packed_column(table), table.column(SPLIT_COLUMNS)
    label = _label_column(table)
    width = len(table.typical)
    columns = [at for at in range(width) if at not in {label, split} and not _is_number_of_row(table, at)]
    count = len(columns) if packed is None else len(table.typical[packed].split())
    shape = image_shape(count)
    if shape is None:
        raise InputError(
            f"the table {name} has {count} pixels in a row; expected those of a square, such as 784 = 28 × 28"
        )
    bad = used = 0
    unknown: Counter[str] = Counter()
    simple = packed is None and split is None and label == 0 and len(columns) == width - 1
    for rows in _blocks(_simple_rows(table) if simple else _all_rows(table, label, split, packed, columns, unknown)):
        numbers, good = _parse([text for _, _, _, text in rows], count)
        for (line, mark, _, _), fine in zip(rows, good, strict=True):
            if not fine or not mark:
                bad += 1
                if bad <= _MOST_NAMED:
                    reason = "no label" if fine else f"not {count} numbers"
                    problems.append(Problem(f"{name}, line {line}", reason))
        for wanted in dict.fromkeys(where for _, _, where, _ in rows):
            chosen = np.array(
                [fine and bool(row[1]) and row[2] == wanted for row, fine in zip(rows, good, strict=True)], bool
            )
            if chosen.any():
                used += int(chosen.sum())
                marks = np.array([row[1] for row, one in zip(rows, chosen, strict=True) if one])
                yield wanted, _compact(numbers[chosen]).reshape(-1, *shape), marks
    problems += report_unknown_splits(table, unknown)
    if (more := bad - _MOST_NAMED) > 0:
        problems.append(Problem(name, f"{more:,} more lines like these", more))
    if not used:
        raise InputError(
            f"no row of the table {name} is a label with {count} numbers; check the delimiter and the label"
        )


_Row = tuple[int, str, str, str]
"""Line, label, split, and the pixels as text parted by blanks or commas."""


def _simple_rows(table: Table) -> Iterator[_Row]:
    """The common form, without looking into every cell: label first, then nothing but pixels."""
    lines = enumerate(read_lines(table.entry, table.encoding), 1)
    for number, line in islice(lines, 1 if table.header else 0, None):
        label, _, pixels = line.replace('"', "").partition(table.delimiter)
        if line.strip():
            yield number, label.strip(), "", pixels.replace(table.delimiter, ",").strip()


def _all_rows(
    table: Table, label: int, split: int | None, packed: int | None, columns: list[int], unknown: Counter[str]
) -> Iterator[_Row]:
    """Any form; what the column of splits says and is no split is counted in `unknown`."""
    width = len(table.typical)
    for number, cells in read_rows(table):
        if len(cells) <= max(label, split or 0, packed or 0) or (packed is None and len(cells) != width):
            yield number, "", "", ""
            continue
        where = (read_split(cells[split], unknown) or "") if split is not None else ""
        pixels = ",".join(cells[packed].split()) if packed is not None else ",".join(cells[at] for at in columns)
        yield number, cells[label].strip(), where, pixels


def _blocks(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    try:
        while block := list(islice(rows, _BLOCK)):
            yield block
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"cannot read the table to its end: {explain(error)}") from error


def _parse(texts: list[str], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `(rows, count)` numbers and which rows are good."""
    good = np.ones(len(texts), bool)
    try:
        numbers = np.loadtxt(texts, np.float32, delimiter=",", comments=None, ndmin=2)
        if numbers.shape == (len(texts), count):
            return numbers, good
    except ValueError:
        pass
    numbers = np.zeros((len(texts), count), np.float32)
    for row, text in enumerate(texts):
        try:
            cells = list(map(float, text.split(",")))
        except ValueError:
            cells = []
        good[row] = len(cells) == count
        if good[row]:
            numbers[row] = np.clip(cells, -1e30, 1e30)
    return numbers, good


def _compact(numbers: np.ndarray) -> np.ndarray:
    """Return whole numbers from 0 to 255 as bytes, which takes a quarter of the memory."""
    with np.errstate(invalid="ignore"):
        small = numbers.astype(np.uint8)
    return small if np.array_equal(small, numbers) else numbers


def _label_column(table: Table) -> int:
    named = table.column(LABEL_WORDS)
    if named is not None:
        return named
    if table.header and re.fullmatch(r"(?i)\s*(pixel|px|p|x|col)?[-_ ]*\d+(x\d+)?\s*", table.header[0]):
        last = len(table.header) - 1
        if not re.fullmatch(r"(?i)\s*(pixel|px|p|x|col)?[-_ ]*\d+(x\d+)?\s*", table.header[last]):
            return last
        raise InputError(
            f"the table {clean(table.entry.path)} has no column of labels ({clean(', '.join(table.header), 60)}); "
            "expected one called label, first"
        )
    return len(table.typical) - 1 if _is_label_last(table) else 0


def _is_label_last(table: Table) -> bool:
    """Tell if a table without names has its labels last: its first column says nothing, and its last a few things.

    The first pixel of a picture is mostly ground. So is the last one, if the labels stand first and are sorted; its
    values then are nearly all the same, or nearly all different.
    """
    rows = [row for row in table.rows if len(row) == len(table.typical)]
    last = Counter(row[-1].strip() for row in rows)
    few = 1 < len(last) <= len(rows) / 2 and max(last.values()) <= len(rows) * 3 / 4
    nameless = not table.header and _packed_column(table) is None
    return nameless and few and len({row[0].strip() for row in rows}) == 1


def _packed_column(table: Table) -> int | None:
    """Return the column whose cells hold all pixels of an image, parted by blanks."""
    row = table.typical
    return next(
        (
            at
            for at, cell in enumerate(row)
            if len(parts := cell.split()) >= _FEWEST_PIXELS and all(_number(part) is not None for part in parts)
        ),
        None,
    )


def _is_number_of_row(table: Table, at: int) -> bool:
    """Tell if a column is what pandas writes when nobody asked: a nameless count of the rows."""
    return at < len(table.header) and table.header[at].lower() in {"", "index", "id", "unnamed: 0"}


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
