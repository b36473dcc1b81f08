"""CSV of file names and labels: the pictures lie beside the table, or in a folder beside it."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from glassnet.datasets.items import Files, Item, Problem
from glassnet.datasets.sources.entries import MOST_BYTES, Entry, leads_out
from glassnet.datasets.sources.layout import make_item, picture_endings
from glassnet.datasets.sources.names import clean, explain, name_classes, name_data_set, split_at, splits_at
from glassnet.datasets.sources.tables import (
    LABEL_WORDS,
    NAME_WORDS,
    SPLIT_COLUMNS,
    Table,
    read_rows,
    read_split,
    report_unknown_splits,
)
from glassnet.errors import InputError

Find = Callable[[str], Entry | None]
"""Gives the file at a path of the source, if there is one; raises ValueError where the path leads out of it."""

_ENDINGS = ("", ".jpg", ".png", ".jpeg", ".JPG", ".PNG", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
_MOST_LOOKS = 5_000_000


def open_name_tables(path: Path, tables: Sequence[Table], find: Find, folders: Sequence[str]) -> Files:
    """Return the pictures that one or several tables name.

    Names are relative to the table, or to a folder of the source; their ending may be missing. The split is that of a
    column, or else that in the path of the table, where there are several. A row of one split never means a picture in
    a folder of another, and what lies in several folders is not guessed.

    Args:
        path: of the source.
        tables: with a column of names and one of labels.
        find: gives the file at a path of the source.
        folders: of the source, in which the pictures may be.

    Raises:
        InputError: there are no such columns, or none of the pictures exists.
    """
    found: list[tuple[Entry, str, str | None]] = []
    problems: list[Problem] = []
    refused: InputError | None = None
    for table in tables:
        named = split_at(table.entry.path) if len(tables) > 1 else None
        try:
            found += [(entry, label, split or named) for entry, label, split in _read(table, find, folders, problems)]
        except InputError as error:
            refused = error
            problems.append(Problem(clean(table.entry.path), str(error)))
    if not found:
        raise refused or InputError(f"{clean(str(path))} holds no table of file names and labels")
    if {split for _, _, split in found} in ({"test"}, {"validation"}):
        found = [(entry, label, None) for entry, label, _ in found]
    shown = name_classes(label for _, label, _ in found)
    items: tuple[Item, ...] = tuple(make_item(entry, shown[label], split) for entry, label, split in found)
    classes = tuple(dict.fromkeys(shown.values()))
    return Files(name_data_set(path), path, "a table of file names and labels", items, classes, tuple(problems))


def _read(
    table: Table, find: Find, folders: Sequence[str], problems: list[Problem]
) -> list[tuple[Entry, str, str | None]]:
    name_column, label_column = _columns(table)
    split_column = table.column(SPLIT_COLUMNS)
    locate = _locator(table, find, folders)
    table_name = clean(table.entry.path)
    found: list[tuple[Entry, str, str | None]] = []
    unknown: Counter[str] = Counter()
    try:
        for line, cells in read_rows(table):
            if max(name_column, label_column) >= len(cells):
                problems.append(Problem(f"{table_name}, line {line}", "too few columns"))
                continue
            cell = cells[split_column] if split_column is not None and split_column < len(cells) else ""
            stated = read_split(cell, unknown)
            name, label = cells[name_column].strip(), cells[label_column].strip()
            shown = clean(name) or f"{table_name}, line {line}"
            try:
                entry = locate(name, stated)
            except ValueError as error:
                problems.append(Problem(shown, str(error)))
                continue
            if entry is None:
                problems.append(Problem(shown, "there is no such file"))
            elif not label:
                problems.append(Problem(shown, "no label"))
            elif not 0 < entry.size <= MOST_BYTES:
                problems.append(
                    Problem(shown, f"larger than {MOST_BYTES >> 20} MB" if entry.size else "empty (0 bytes)")
                )
            else:
                found.append((entry, label, stated))
    except (OSError, ValueError, EOFError) as error:
        problems.append(Problem(table_name, f"breaks off: {explain(error)}"))
    problems += report_unknown_splits(table, unknown)
    if not found:
        reason = f" ({problems[-1].name}: {problems[-1].reason})" if problems else ""
        raise InputError(f"none of the pictures that {table_name} names can be used{reason}; names are relative to it")
    return found


def _columns(table: Table) -> tuple[int, int]:
    """Return the columns of the names and of the labels, by their headers or else by what is in them."""
    endings = picture_endings()
    width = min(map(len, table.rows), default=0)
    looks = [
        sum(any(row[at].strip().lower().endswith(ending) for ending in endings) for row in table.rows)
        for at in range(width)
    ]
    name_column = looks.index(max(looks)) if any(looks) else table.column(NAME_WORDS)
    label_column = table.column(LABEL_WORDS)
    if name_column is not None and label_column in {None, name_column}:
        others = [at for at in range(width) if at not in {name_column, table.column(SPLIT_COLUMNS)}]
        label_column = others[0] if len(others) == 1 else None
    if name_column is None or label_column is None:
        missing = "file names (file_name, path, image, …)" if name_column is None else "labels (label, class, …)"
        named = clean(", ".join(table.header), 80)
        begins = clean(", ".join(table.rows[0] if table.rows else ()), 80)
        columns = named or f"{width} columns without names, and begins with: {begins}"
        raise InputError(f"the table {clean(table.entry.path)} has no column of {missing}; it has {columns}")
    return name_column, label_column


def _locator(table: Table, find: Find, folders: Sequence[str]) -> Callable[[str, str | None], Entry | None]:
    """Return what finds the file of a name for a split: beside the table, or in a folder, with or without an ending."""
    base = table.entry.path.rpartition("/")[0]
    ranks: dict[str | None, list[list[str]]] = {}  # for each split, the places to look in, the nearest first
    used: set[str] = set()  # places that have held files
    usual: list[str] = []  # endings that have led to files
    looks = _MOST_LOOKS  # for files that are not there; then only places and endings that have led to files are tried
    own = splits_at(table.entry.path)
    default = own[0] if len(own) == 1 else None

    def look(inside: str, places: Sequence[str], endings: Sequence[str]) -> Entry | None:
        hits: list[tuple[str, str, Entry]] = []
        for place in places:
            above = f"{place}/{inside}" if place else inside
            hits += islice(((place, one, entry) for one in endings if (entry := find(f"{above}{one}"))), 1)
        for place, ending, _ in hits:
            used.add(place)
            if ending not in usual:
                usual.append(ending)
        if len(hits) > 1:
            shown = clean(", ".join(entry.path for _, _, entry in hits[:3]))
            raise ValueError(f"it is in {len(hits)} folders ({shown}); write the folder before the name in the table")
        return hits[0][2] if hits else None

    def locate(name: str, split: str | None) -> Entry | None:
        nonlocal looks
        inside = _relative(name)
        if not inside:
            return None
        if leads_out(inside):
            raise ValueError("its name leads out of the folder of the table")
        split = split or default
        if split not in ranks:
            ranks[split] = _rank(base, folders, split)
        wide = looks > 0
        rest = [ending for ending in _ENDINGS if ending not in usual] if wide else []
        for endings in (usual, rest):
            for places in ranks[split]:
                if entry := look(inside, places if wide else [one for one in places if one in used], endings):
                    return entry
        looks -= len(_ENDINGS) * sum(map(len, ranks[split]))
        return None

    return locate


def _rank(base: str, folders: Sequence[str], split: str | None) -> list[list[str]]:
    """Return where the pictures of a table may be: its own folder, those in it, others; each time its split's first.

    Pictures of one split are never looked for in a folder of another, where equal names mean other pictures.
    """
    ranks: dict[tuple[bool, bool], list[str]] = {}
    for place in dict.fromkeys(folders):
        stated = splits_at(place)
        if place != base and (not stated or split is None or split in stated):
            far = bool(base) and not place.startswith(f"{base}/")
            ranks.setdefault((far, split is not None and not stated), []).append(place)
    return [[base], *(ranks[rank] for rank in sorted(ranks))]


def _relative(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./")
