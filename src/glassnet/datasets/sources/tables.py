"""Tables as text: CSV and TSV, read line by line whatever their encoding, delimiter and size."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO, NamedTuple, cast

from glassnet.datasets.items import Problem
from glassnet.datasets.sources.entries import Entry
from glassnet.datasets.sources.names import clean, explain, split_of, words_of
from glassnet.datasets.sources.unpacking import unpack
from glassnet.errors import InputError

LABEL_WORDS = (
    "label", "labels", "class", "classes", "classname", "labelname", "target", "category", "y", "digit", "letter",
    "species", "breed", "diagnosis", "emotion", "tag",
)  # fmt: skip
"""Names of a column with the labels, the surest first."""

NAME_WORDS = (
    "filename", "filepath", "file", "path", "imagepath", "imagefile", "imagename", "image", "img", "imageid", "idcode",
    "name", "images", "id",
)  # fmt: skip
"""Names of a column with the files, the surest first."""

SPLIT_COLUMNS = ("split", "subset", "partition", "set", "usage", "dataset")
"""Names of a column that says which split a row belongs to."""

_LONGEST_LINE = 4 * 2**20
_SAMPLE = 50


class Table(NamedTuple):
    """The beginning of a table, from which its meaning is told.

    Args:
        entry: the file.
        encoding: of its text.
        delimiter: between its cells.
        header: the names of the columns; empty if there are none.
        rows: the first rows below the header.
    """

    entry: Entry
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: list[list[str]]

    @property
    def typical(self) -> list[str]:
        """The first row that is as long as most."""
        length = Counter(map(len, self.rows)).most_common(1)
        return next((row for row in self.rows if len(row) == length[0][0]), [])

    def column(self, words: Sequence[str]) -> int | None:
        """Return the column with the first of these names that there is."""
        plain = ["".join(words_of(name)) for name in self.header]
        return next((plain.index(word) for word in words if word in plain), None)


def begin_table(entry: Entry) -> Table:
    """Read the first rows of a table.

    Raises:
        InputError: it is no text, or has no rows.
    """
    try:
        with entry.open() as stream, unpack(stream) as plain:
            head = plain.read(1 << 16)
        encoding = _encoding(head)
        first = head.decode(encoding, "replace").splitlines()
        delimiter = _delimiter(first)
        rows = [cells for _, cells in islice(_cells(entry, encoding, delimiter), _SAMPLE)]
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"cannot read the table {clean(entry.path)}: {explain(error)}") from error
    if not rows:
        raise InputError(
            f"the table {clean(entry.path)} is empty; expected rows of file names and labels, or of pixels"
        )
    header: tuple[str, ...] = ()
    if _is_header(rows):
        header, rows = tuple(cell.strip() for cell in rows[0]), rows[1:]
    return Table(entry, encoding, delimiter, header, rows)


def read_rows(table: Table) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table below its header with the number of their line; empty ones are passed over.

    Raises:
        ValueError: the file is damaged or no text.
        OSError: it cannot be read.
    """
    rows = _cells(table.entry, table.encoding, table.delimiter)
    return islice(rows, 1, None) if table.header else rows


def read_split(cell: str, unknown: Counter[str]) -> str | None:
    """Return the split that a cell of the column of splits names; a word that is none is counted."""
    word = cell.strip()
    split = split_of(word)
    if word and not split:
        unknown[word] += 1
    return split


def report_unknown_splits(table: Table, words: Counter[str]) -> list[Problem]:
    """Return what to say of the cells of the column of splits that name none, counted; nothing, if there are none."""
    if not words:
        return []
    shown = clean(", ".join(repr(word) for word, _ in words.most_common(5)), 80)
    reason = (
        f"its column of splits says {shown} in {words.total():,} rows, which is no split; they are used as if it said "
        "nothing: write train, validation or test"
    )
    return [Problem(clean(table.entry.path), reason, words.total(), left_out=False)]


def read_lines(entry: Entry, encoding: str) -> Iterator[str]:
    """Yield the lines of a text, each of them in reason."""
    with entry.open() as stream, unpack(stream) as plain:
        text = io.TextIOWrapper(cast(BinaryIO, plain), encoding, "replace", newline=None)
        while line := text.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise ValueError(f"a line of it has more than {_LONGEST_LINE:,} characters: it is no table")
            yield line


def _cells(entry: Entry, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(read_lines(entry, encoding), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num}: {error}") from error
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in head:
        raise ValueError("it is no text")
    try:
        head[: max(0, len(head) - 3) if len(head) == 1 << 16 else None].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return "utf-8-sig" if error.start > len(head) - 4 and len(head) == 1 << 16 else "cp1252"
    return "utf-8-sig"


def _delimiter(lines: list[str]) -> str:
    """Return the delimiter that parts the first lines most evenly."""
    sample = [line for line in lines[:10] if line.strip()]
    counts = {delimiter: [line.count(delimiter) for line in sample] for delimiter in ",\t;|"}
    even = [one for one, count in counts.items() if count and min(count) > 0]
    return max(even or list(counts), key=lambda one: (min(counts[one], default=0), sum(counts[one])))


def _is_header(rows: list[list[str]]) -> bool:
    """Tell if the first row names the columns: by a name that is known, or by words above numbers."""
    first = rows[0]
    words = {"".join(words_of(cell)) for cell in first}
    if words & {*LABEL_WORDS, *NAME_WORDS, *SPLIT_COLUMNS} and not any(
        re.search(r"[/\\]|\.\w{2,4}$", cell) for cell in first
    ):
        return True
    below = rows[1] if len(rows) > 1 else []
    return len(below) == len(first) > 2 and sum(map(_numeric, below)) > sum(map(_numeric, first)) + 1


def _numeric(cell: str) -> bool:
    return re.fullmatch(r"\s*[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?\s*", cell) is not None
