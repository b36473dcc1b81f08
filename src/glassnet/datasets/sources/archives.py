"""Zip archives: the members as they lie in them; they are read when needed and never written to disk."""

import io
import stat
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from glassnet.datasets.sources.entries import MOST_FILES, Gathering, Listing
from glassnet.datasets.sources.names import clean, explain
from glassnet.datasets.sources.unpacking import MOST_RATIO, is_bomb
from glassnet.errors import InputError

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others may ask for any amount of memory
_MOST_DIRECTORY = 128 * 2**20  # becomes about 1.5 GB of Python objects
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, RuntimeError)


def list_zip(path: Path) -> Listing:
    """List the members of a zip, sorted by path.

    Raises:
        InputError: it is damaged, or a bomb.
    """
    members = ZipMembers(path)
    size = path.stat().st_size
    try:
        infos = members.infos()
    except (OSError, *_ZIP_ERRORS) as error:
        reason = explain(error)
        raise InputError(f"cannot read the archive {clean(str(path))}: {reason}; pack or download it again") from error
    if len(infos) > MOST_FILES:
        raise InputError(
            f"the archive {clean(str(path))} holds more than {MOST_FILES:,} files; pack those of one data set"
        )
    if is_bomb(sum(info.file_size for info in infos), size):
        raise InputError(
            f"the archive {clean(str(path))} claims to unpack to more than {MOST_RATIO} times its size: "
            "a bomb, or no pictures; unpack it yourself"
        )
    found = Gathering()
    offsets = set()
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        reason = None
        if info.is_dir():
            continue
        if kind and not stat.S_ISREG(kind):
            reason = "a link or a device, not a file"
        elif info.flag_bits & 0x1:
            reason = "encrypted; unpack it yourself"
        elif info.compress_type not in _METHODS:
            reason = "compressed in an unusual way; unpack it yourself"
        elif is_bomb(info.file_size, info.compress_size):
            reason = f"unpacks to more than {MOST_RATIO} times its size: a bomb"
        elif info.header_offset in offsets:
            reason = "shares its bytes with another member"
        offsets.add(info.header_offset)
        stamp = f"{info.file_size}-{info.CRC:08x}"
        found.add(info.filename, info.file_size, stamp, partial(members.open, info.header_offset), reason)
    found.entries.sort(key=lambda entry: entry.path)
    return found.listing()


class ZipMembers:
    """The members of one zip, for many threads; sent to another process, it opens the file anew there.

    Args:
        path: of the zip.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._zip: zipfile.ZipFile | None = None
        self._by_offset: dict[int, zipfile.ZipInfo] = {}

    def __reduce__(self) -> tuple[type["ZipMembers"], tuple[Path]]:
        return ZipMembers, (self._path,)

    def infos(self) -> list[zipfile.ZipInfo]:
        """Return what the zip says about its members."""
        return self._opened().infolist()

    def open(self, offset: int) -> BufferedIOBase:
        """Return the member whose header is at `offset` as a stream.

        Raises:
            ValueError: it is damaged, or cannot be read.
        """
        try:
            archive = self._opened()
            return io.BufferedReader(_Member(archive.open(self._by_offset[offset])))
        except (KeyError, OSError, *_ZIP_ERRORS) as error:
            raise ValueError(f"damaged in the archive ({explain(error)})") from error

    def _opened(self) -> zipfile.ZipFile:
        with self._lock:
            if self._zip is None:
                _check_directory(self._path)
                self._zip = zipfile.ZipFile(self._path)
                for info in self._zip.infolist():
                    self._by_offset.setdefault(info.header_offset, info)
            return self._zip


class _Member(io.RawIOBase):
    """A member of a zip whose every fault is a ValueError."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        return self._guarded(self._stream.seek, place, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Any) -> int:
        return self._guarded(self._stream.readinto, buffer)  # checks the CRC at the end

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _guarded(self, act: Callable[..., int], *arguments: Any) -> int:
        try:
            return act(*arguments)
        except (OSError, *_ZIP_ERRORS) as error:
            raise ValueError(f"damaged in the archive ({explain(error)})") from error


def _check_directory(path: Path) -> None:
    """Raise ValueError if the table of contents is too large to be held in memory as Python objects."""
    with path.open("rb") as stream:
        stream.seek(0, io.SEEK_END)
        stream.seek(max(0, stream.tell() - 66_000))
        tail = stream.read()
    for start, place, layout in ((b"PK\5\6", 12, "<L"), (b"PK\6\6", 40, "<Q")):
        at = tail.rfind(start)
        if at >= 0 and len(tail) >= at + place + 8:
            (size,) = struct.unpack_from(layout, tail, at + place)
            if _MOST_DIRECTORY < size != 0xFFFFFFFF:
                raise ValueError(f"its table of contents has {size:,} bytes; at most {_MOST_DIRECTORY:,} are read")
