"""What lies in a folder or an archive: files that can be opened, before anybody asks what they mean."""

import hashlib
import re
from collections.abc import Callable, Iterable
from io import BufferedIOBase
from typing import NamedTuple

from glassnet.datasets.items import Problem
from glassnet.datasets.sources.names import clean

MOST_FILES = 2_000_000
"""A folder or an archive with more files is refused: somebody named a whole disk, or is being fooled."""

MOST_BYTES = 256 * 2**20
"""A single picture with more bytes is left out."""

_CLUTTER = {"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "icon\r"}

_MAGIC = re.compile(
    rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|BM.{4}\x00{4}|II[*+]\x00|MM\x00[*+]|RIFF.{4}WEBP|P[1-6][ \r\n#]|8BPS\x00|"
    rb"DDS |\x00\x00\x01\x00[\x01-\x30]\x00|\x00{3}\x0cjP  |\xff\x4f\xff\x51|.{4}ftyp(?:avif|avis|heic|heix|mif1)|qoif|"
    rb"\x01\xda[\x00\x01][\x01\x02]",
    re.DOTALL,
)


class Entry(NamedTuple):
    """A file of a source. A tuple, because there may be a hundred thousand, and tuples are made fastest.

    Args:
        path: where it lies inside the source, parts joined by "/".
        size: in bytes.
        stamp: text that changes when its bytes change.
        open: gives a stream of its bytes; raises OSError or ValueError where it cannot.
    """

    path: str
    size: int
    stamp: str
    open: Callable[[], BufferedIOBase]


class Listing(NamedTuple):
    """What a folder or an archive holds.

    Args:
        entries: its files, in the order in which they are best read.
        problems: what was left out, and why.
    """

    entries: list[Entry]
    problems: list[Problem]


def is_clutter(name: str) -> bool:
    """Tell if a file or folder is one that systems leave lying about: skipped without a word."""
    return name.startswith(".") or name.lower() in _CLUTTER


def read_entry(entry_open: Callable[[], BufferedIOBase], most: int = MOST_BYTES) -> bytes:
    """Return all bytes of an entry, given its `open`.

    Raises:
        ValueError: there are more than `most`.
        OSError: it cannot be read.
    """
    with entry_open() as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return data


def read_head(entry: Entry, count: int = 512) -> bytes:
    """Return the first bytes of an entry; none where it cannot be read."""
    try:
        with entry.open() as stream:
            return stream.read(count)
    except (OSError, ValueError, EOFError):
        return b""


def stamp_of(entries: Iterable[Entry]) -> str:
    """Return text that changes when the bytes of any of these files change, or its path, which may state a split."""
    return hashlib.sha256(
        " ".join(sorted(f"{one.path} {one.stamp}" for one in entries)).encode("utf-8", "replace")
    ).hexdigest()


def looks_like_picture(head: bytes) -> bool:
    """Tell by its first bytes if a file is a picture in one of the common formats."""
    return _MAGIC.match(head) is not None


def leads_out(inside: str) -> bool:
    """Tell if a relative path is none: absolute, with a drive, or with `..` in it."""
    return inside.startswith("/") or inside[1:2] == ":" or ".." in inside.split("/")


class Gathering:
    """The members of an archive while they are looked at, one after the other."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.problems: list[Problem] = []
        self._seen: set[str] = set()

    def add(self, name: str, size: int, stamp: str, opened: Callable[[], BufferedIOBase], reason: str | None) -> None:
        """Take a member in: as an entry, or as a problem if there is a reason against it; clutter not at all."""
        path = name.replace("\\", "/").removeprefix("./")
        if leads_out(path):
            reason = "its name leads out of the archive"
        elif any(is_clutter(part) for part in path.split("/")):
            return
        elif path in self._seen:
            reason = "a second one of that name; the first is used"
        if reason:
            self.problems.append(Problem(clean(path), reason))
            return
        self._seen.add(path)
        self.entries.append(Entry(path, size, stamp, opened))

    def listing(self) -> Listing:
        """Return what was gathered."""
        return Listing(self.entries, self.problems)
