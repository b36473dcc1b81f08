"""Any images in: what a path holds is told by looking at it, and opened as files to decode or arrays of pixels.

Known are: a folder for each class, a zip or tar of such, a table of file names and labels, a table of pixels, IDX, NPZ
and NPY, and Parquet with a column of pictures. Folders and archives may hold any of them but Parquet in archives.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from glassnet.datasets.items import Arrays, Files, Problem
from glassnet.datasets.sources.archives import list_zip
from glassnet.datasets.sources.entries import Entry, Listing, looks_like_picture, read_head
from glassnet.datasets.sources.folders import enter_file, find_in, list_folder
from glassnet.datasets.sources.idx import is_idx, open_idx, set_of
from glassnet.datasets.sources.layout import arrange
from glassnet.datasets.sources.name_tables import Find, open_name_tables
from glassnet.datasets.sources.names import clean, explain
from glassnet.datasets.sources.numpy_files import NPY_START, open_numpy
from glassnet.datasets.sources.parquet import PARQUET_START, open_parquet
from glassnet.datasets.sources.pixel_tables import is_pixel_table, open_pixel_tables
from glassnet.datasets.sources.pixels import make_arrays
from glassnet.datasets.sources.tables import begin_table
from glassnet.datasets.sources.tars import is_tar, list_tar
from glassnet.datasets.sources.unpacking import packing_of, unpack
from glassnet.errors import InputError

LOOKED_FOR = (
    "a folder for each class (with or without train/ and test/ above), a zip or tar of such, a CSV of file names and "
    "labels or of pixels, IDX, NPZ, NPY or Parquet"
)

_ENDINGS = {
    "table": (".csv", ".tsv", ".csv.gz", ".tsv.gz"),
    "numpy": (".npz", ".npy"),
    "parquet": (".parquet",),
}
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
_ZIP_STARTS = (b"PK\3\4", b"PK\5\6")  # the second one of an empty archive
_MOST_TABLES = 20
_MOST_FOLDERS = 200
_REFUSED = (
    (b"\x89HDF", "an HDF5 file; save its arrays with numpy.savez"),
    (b"MATLAB", "a MATLAB file; save its arrays with numpy.savez"),
    (b"7z\xbc\xaf", "a 7z archive; pack it as zip"),
    (b"Rar!", "a RAR archive; pack it as zip"),
    (b"SQLite", "a database; export a folder for each class"),
    (b"%PDF", "a PDF"),
    (b"\x80\x02", "a pickle, which could run any program when it is loaded; save its arrays with numpy.savez"),
    (b"\x80\x03", "a pickle, which could run any program when it is loaded; save its arrays with numpy.savez"),
    (b"\x80\x04", "a pickle, which could run any program when it is loaded; save its arrays with numpy.savez"),
    (b"\x80\x05", "a pickle, which could run any program when it is loaded; save its arrays with numpy.savez"),
)


def open_source(path: str | Path) -> Files | Arrays:
    """Look at what a path holds, and open it; no picture is decoded yet.

    Args:
        path: a folder, an archive or a file, in any of the known forms.

    Returns:
        `Files` (encoded pictures with their labels) or `Arrays` (pixels), with what could not be used as `problems`.

    Raises:
        InputError: nothing in it can be used; the text says what was found and what was looked for.

    Example:
        >>> source = open_source("photos")  # doctest: +SKIP
        >>> source.form, source.classes, len(source.items)  # doctest: +SKIP
        ('a folder for each class', ('cat', 'dog'), 240)
    """
    path = Path(path)
    try:
        if path.is_dir():
            with _without_collection():
                return _open_listing(path, list_folder(path), "a folder for each class", find_in(path))
        if not path.exists():
            raise InputError(f"there is nothing at {clean(str(path))}; check the name")
        if not path.is_file():
            raise InputError(f"{clean(str(path))} is neither a file nor a folder; expected {LOOKED_FOR}")
        with _without_collection():
            return _open_file(path)
    except InputError as error:
        text = " ".join(str(error).split())
        raise (error if text == str(error) else InputError(text)) from error.__cause__
    except (OSError, ValueError, MemoryError, RecursionError) as error:
        raise InputError(f"cannot open {clean(str(path))}: {explain(error)}; expected {LOOKED_FOR}") from error


def from_arrays(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray] | None = None,
    classes: Sequence[str] | None = None,
    name: str = "arrays",
) -> Arrays:
    """Take images and labels from Python.

    Args:
        train: images, `(n, height, width)`, `(n, height, width, 1 or 3)`, channels first, or `(n, pixels)`; 0 to 255 or
            0 to 1; and their labels, numbers or text `(n,)`, or one-hot.
        test: others, to measure with; without them, some of `train` will be set aside.
        classes: the names of the classes, where labels are their numbers, or are these names.
        name: of the data set.

    Raises:
        InputError: the arrays are no images, or no labels for them.

    Example:
        >>> import numpy as np
        >>> arrays = from_arrays((np.zeros((4, 8, 8)), np.array([0, 1, 0, 1])), classes=["cat", "dog"])
        >>> arrays.splits[""][0].shape, arrays.classes
        ((4, 8, 8), ('cat', 'dog'))
    """
    given = {"" if test is None else "train": train} | ({} if test is None else {"test": test})
    parts = {}
    for split, pair in given.items():
        if len(pair) != 2:
            raise InputError(f"{split or 'data'} has {len(pair)} parts; expected images and labels")
        parts[split] = (np.asarray(pair[0]), np.asarray(pair[1]))
    return make_arrays(name, None, "arrays", parts, classes=classes)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Do not look for garbage: among a hundred thousand new objects there is none, and it would double the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _open_file(path: Path) -> Files | Arrays:
    """Open a single file, by its first bytes."""
    entry = enter_file(path)
    if not entry.size:
        raise InputError(f"{clean(str(path))} is empty (0 bytes); expected {LOOKED_FOR}")
    head = read_head(entry)
    if not head:
        with path.open("rb") as stream:  # says why it cannot be read
            head = stream.read(512)
    packed = packing_of(head)
    if packed:
        with path.open("rb") as stream, unpack(stream) as plain:
            head = plain.read(512)
    if head.startswith(_ZIP_STARTS) and not packed:
        return _open_archive(path, list_zip(path))
    if is_tar(head):
        listing = list_tar(path, compressed=packed is not None)
        source = _open_archive(path, listing)
        return _in_turn(source, listing) if packed and isinstance(source, Files) else source
    if head.startswith(NPY_START):
        beside = list_folder(path.parent, nested=False).entries
        return open_numpy(path, [one for one in beside if one.path.lower().endswith(".npy")] or [entry])
    if is_idx(head):
        return open_idx(path, list_folder(path.parent, nested=False).entries, set_of(path.name))
    if head.startswith(PARQUET_START):
        return open_parquet(path, [(entry, path)])
    reason = next((text for start, text in _REFUSED if head.startswith(start)), None)
    if looks_like_picture(head):
        reason = "a single picture"
    if reason is None and b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        reason = "a file of an unknown kind"
    if reason:
        raise InputError(f"{clean(str(path))} is {reason}; expected {LOOKED_FOR}")
    return _open_tables(path, [entry], find_in(path.parent), _folders_beside(path.parent))


def _open_archive(path: Path, listing: Listing) -> Files | Arrays:
    arrays = [entry for entry in listing.entries if entry.path.endswith(".npy")]
    if arrays and len(arrays) == len(listing.entries) and not any("/" in entry.path for entry in arrays):
        return open_numpy(path, [enter_file(path)])
    by_path = {entry.path: entry for entry in listing.entries}
    return _open_listing(path, listing, "an archive with a folder for each class", by_path.get)


def _in_turn(source: Files, listing: Listing) -> Files:
    """Return the pictures of a compressed archive in the order in which they lie there, whatever a table says."""
    places = {clean(entry.path): place for place, entry in enumerate(listing.entries)}
    return replace(source, items=tuple(sorted(source.items, key=lambda one: places[one.name])), in_turn=True)


def _open_listing(path: Path, listing: Listing, form: str, find: Find) -> Files | Arrays:
    """Open a folder or an archive: as classes, if there are several, or else as what its files are."""
    if not listing.entries:
        found = f" ({listing.problems[0].name}: {listing.problems[0].reason})" if listing.problems else ""
        raise InputError(f"{clean(str(path))} holds no files{found}; expected {LOOKED_FOR}")
    as_classes = arrange(path, listing, form)
    if len(as_classes.classes) > 1:
        return as_classes
    refused: list[tuple[InputError, list[Entry]]] = []
    for kind, opener in (("table", _tables_of), ("idx", _idx_of), ("numpy", _numpy_of), ("parquet", _parquet_of)):
        entries = _of_kind(listing, kind)
        if entries:
            try:
                return _with_problems(opener(path, entries, listing, find), listing.problems)
            except InputError as error:
                refused.append((error, entries))
    if as_classes.items:
        return _with_reasons(as_classes, refused)
    if refused:
        raise refused[0][0]
    problems = [problem for problem in as_classes.problems if problem.reason != "no picture"] or as_classes.problems
    inner = next((one.path for one in listing.entries if one.path.lower().endswith(_ARCHIVES)), None)
    if inner:
        raise InputError(f"{clean(str(path))} holds no pictures, but the archive {clean(inner)}; name that instead")
    raise InputError(
        f"{clean(str(path))} holds {len(listing.entries):,} files, but no picture with a label "
        f"(such as {problems[0].name}: {problems[0].reason}); expected {LOOKED_FOR}"
    )


def _of_kind(listing: Listing, kind: str) -> list[Entry]:
    if kind == "idx":
        named = [one for one in listing.entries if "idx" in one.path.lower() or "ubyte" in one.path.lower()]
        return [*named, *(one for one in listing.entries if one.path.endswith("-mapping.txt"))] if named else []
    return [one for one in listing.entries if one.path.lower().endswith(_ENDINGS[kind])]


def _tables_of(path: Path, entries: list[Entry], listing: Listing, find: Find) -> Files | Arrays:
    folders = list(dict.fromkeys(one.path.rpartition("/")[0] for one in listing.entries))[:_MOST_FOLDERS]
    return _open_tables(path, entries[:_MOST_TABLES], find, folders)


def _idx_of(path: Path, entries: list[Entry], listing: Listing, find: Find) -> Arrays:
    return open_idx(path, entries)


def _numpy_of(path: Path, entries: list[Entry], listing: Listing, find: Find) -> Arrays:
    if len(entries) > 1 and len(whole := [one for one in entries if one.path.lower().endswith(".npz")]) == 1:
        return open_numpy(path, whole)
    return open_numpy(path, entries)


def _parquet_of(path: Path, entries: list[Entry], listing: Listing, find: Find) -> Files:
    if not path.is_dir():
        raise InputError(f"{clean(str(path))} holds Parquet in an archive; unpack it and name the folder")
    return open_parquet(path, [(entry, path / entry.path) for entry in entries])


def _open_tables(path: Path, entries: list[Entry], find: Find, folders: Sequence[str]) -> Files | Arrays:
    tables, problems = [], []
    for entry in entries:
        try:
            tables.append(begin_table(entry))
        except InputError as error:
            if len(entries) == 1:
                raise
            problems.append(Problem(clean(entry.path), str(error)))
    if not tables:
        raise InputError(f"{clean(str(path))}: {problems[0].reason}")
    pixels = [table for table in tables if is_pixel_table(table)]
    if pixels:
        return _with_problems(open_pixel_tables(path, pixels), problems)
    return _with_problems(open_name_tables(path, tables, find, folders), problems)


def _with_problems(source: Files | Arrays, problems: Sequence[Problem]) -> Files | Arrays:
    return replace(source, problems=(*problems, *source.problems)) if problems else source


def _with_reasons(source: Files, refused: Sequence[tuple[InputError, list[Entry]]]) -> Files:
    """Say of files that would have said more than the folders why they do not, instead of that they are no picture."""
    reasons = {clean(one.path): str(error) for error, entries in reversed(refused) for one in entries}
    said = (replace(one, reason=reasons.get(one.name, one.reason)) for one in source.problems)
    return replace(source, problems=tuple(said))


def _folders_beside(folder: Path) -> list[str]:
    try:
        return sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))[
            :_MOST_FOLDERS
        ]
    except OSError:
        return []
