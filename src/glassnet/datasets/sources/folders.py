"""Folders: every file in them, listed with one look at each."""

import os
from collections.abc import Callable
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from stat import S_ISREG

from glassnet.datasets.items import Problem
from glassnet.datasets.sources.entries import MOST_FILES, Entry, Listing, is_clutter, leads_out
from glassnet.datasets.sources.names import clean
from glassnet.errors import InputError

_DEEPEST = 40


def list_folder(folder: Path, *, nested: bool = True) -> Listing:
    """List the files of a folder and of the folders in it, sorted by path.

    Links are followed; a folder that links lead to twice, or back up to, is listed once.

    Args:
        folder: where to look.
        nested: look into the folders in it, too.

    Raises:
        InputError: the folder cannot be opened, or holds more files than any data set.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    seen: set[tuple[int, int]] = set()
    pending, links = [(os.fspath(folder), "", 0)], []
    while pending or links:
        place, inside, depth = (pending or links).pop()
        try:
            status = os.stat(place)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in seen:
                problems.append(Problem(clean(inside), "a link to a folder that is listed already"))
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(place) as found:
                children = sorted(found, key=_name, reverse=True)
        except OSError as error:
            if not inside:
                raise InputError(f"cannot open the folder {clean(place)}: {_reason(error)}") from error
            problems.append(Problem(clean(inside), f"cannot be opened: {_reason(error)}"))
            continue
        for child in children:
            if is_clutter(child.name):
                continue
            path = f"{inside}{child.name}"
            try:
                if child.is_dir():
                    if nested and depth == _DEEPEST:
                        problems.append(Problem(clean(path), f"more than {_DEEPEST} folders deep"))
                    elif nested:
                        (links if child.is_symlink() else pending).append((child.path, f"{path}/", depth + 1))
                    continue
                status = child.stat()
            except OSError as error:
                problems.append(Problem(clean(path), f"cannot be opened: {_reason(error)}"))
                continue
            if not S_ISREG(status.st_mode):  # a pipe or a device would never end
                problems.append(Problem(clean(path), "no file, but a pipe, a socket or a device"))
                continue
            stamp = f"{status.st_size}-{status.st_mtime_ns}"
            entries.append(Entry(path, status.st_size, stamp, partial(_open, child.path)))
        if len(entries) > MOST_FILES:
            raise InputError(
                f"the folder {clean(os.fspath(folder))} holds more than {MOST_FILES:,} files; "
                "name the folder of one data set"
            )
    entries.sort(key=_path)
    return Listing(entries, problems)


def enter_file(path: Path) -> Entry:
    """Return a single file as an entry.

    Raises:
        OSError: there is none.
    """
    status = path.stat()
    return Entry(path.name, status.st_size, f"{status.st_size}-{status.st_mtime_ns}", partial(_open, os.fspath(path)))


def find_in(folder: Path) -> Callable[[str], Entry | None]:
    """Return what gives the file at a path inside a folder, if there is one.

    It raises ValueError where the path leads out of the folder, by its words or by a link.
    """
    root = os.path.realpath(folder)
    known: dict[str, bool] = {}  # whether a folder is inside: asked once, since names come by the hundred thousand

    def is_inside(place: str) -> bool:
        return os.path.realpath(place).startswith(os.path.join(root, ""))  # noqa: PTH118  (with a separator)

    def find(inside: str) -> Entry | None:
        if leads_out(inside):
            raise ValueError("its name leads out of the folder")
        place = os.path.join(root, inside)  # noqa: PTH118
        try:
            status = os.stat(place)  # noqa: PTH116
        except (OSError, ValueError):  # none, or a name too long, or with a zero byte
            return None
        if not S_ISREG(status.st_mode):
            return None
        above = os.path.dirname(place)  # noqa: PTH120
        if above not in known:
            known[above] = above == root or is_inside(above)
        if not known[above] or (os.path.islink(place) and not is_inside(place)):  # noqa: PTH114
            raise ValueError("it is a link that leads out of the folder")
        return Entry(inside, status.st_size, f"{status.st_size}-{status.st_mtime_ns}", partial(_open, place))

    return find


def _open(place: str) -> BufferedIOBase:
    return open(place, "rb")  # noqa: PTH123


def _name(child: os.DirEntry[str]) -> str:
    return child.name


def _path(entry: Entry) -> str:
    return entry.path


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
