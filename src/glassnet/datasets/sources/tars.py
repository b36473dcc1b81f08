"""Tar archives, plain or compressed: the members as they lie in them, read when needed and never written to disk.

The headers are read here and not by `tarfile`: that one lets a header decide how much memory is taken and whether
reading ever ends, which is fair for one's own archives and not for strangers'.
"""

import io
from collections.abc import Iterator
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

from glassnet.datasets.items import Problem
from glassnet.datasets.sources.entries import MOST_FILES, Gathering, Listing
from glassnet.datasets.sources.names import clean, explain
from glassnet.datasets.sources.unpacking import Tape, unpack
from glassnet.errors import InputError

_BLOCK = 512
_LONGEST_NOTE = 1 << 16
_FILES = (b"0", b"\0", b"7")
_WITHOUT_BYTES = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, folders, pipes: whatever size they state
_PASSED_OVER = (b"5", b"g", b"K", b"V")  # folders, notes for all, long names of links, labels
_LONG_NAME, _NOTES, _SPARSE = b"L", b"x", b"S"


class _Member(NamedTuple):
    name: str
    kind: bytes
    place: int
    size: int


def is_tar(head: bytes) -> bool:
    """Tell by its first 512 bytes if a file is a tar: the header carries a sum of its own bytes."""
    return len(head) >= _BLOCK and head[0] != 0 and _sum(head) == _number(head[148:156])


def list_tar(path: Path, *, compressed: bool) -> Listing:
    """List the members of a tar: sorted by path, or, if it is compressed, as they follow each other in it.

    Raises:
        InputError: nothing in it can be read, or it is a bomb.
    """
    status = path.stat()
    stamp = f"{status.st_size}-{status.st_mtime_ns}"
    tape = Tape(path) if compressed else None
    found = Gathering()
    try:
        with unpack(path.open("rb")) as stream:
            for member in _members(stream):
                opener = partial(tape.read if tape else partial(_open_slice, path), member.place, member.size)
                reason = None if member.kind in _FILES else "a link or a device, not a file"
                found.add(member.name, member.size, f"{member.size}-{member.place}-{stamp}", opener, reason)
                if len(found.entries) + len(found.problems) > MOST_FILES:
                    raise ValueError(f"it holds more than {MOST_FILES:,} files")
    except (OSError, ValueError) as error:
        reason = explain(error)
        if not found.entries:
            raise InputError(
                f"cannot read the archive {clean(str(path))}: {reason}; pack or download it again"
            ) from error
        found.problems.append(Problem(clean(path.name), f"the archive breaks off: {reason}"))
    if not compressed:
        found.entries.sort(key=lambda entry: entry.path)
    return found.listing()


def _members(stream: BufferedIOBase) -> Iterator[_Member]:
    """Yield the members of a tar that can only be read forwards."""
    place = 0
    name = size = None
    while header := stream.read(_BLOCK).rstrip(b"\0"):
        header = header.ljust(_BLOCK, b"\0")
        place += _BLOCK
        if not is_tar(header):
            raise ValueError("cut off or damaged, where the header of a member should be")
        kind, stated = header[156:157], _number(header[124:136])
        if kind in {_LONG_NAME, _NOTES}:
            if not 0 <= stated <= _LONGEST_NOTE:
                raise ValueError("a header in it is absurdly large")
            note = stream.read(_padded(stated))[:stated]
            place += _padded(stated)
            if kind == _LONG_NAME:
                name = _text(note)
            else:
                notes = _read_notes(note)
                name, size = notes.get("path", name), _whole_number(notes.get("size"))
            continue
        if kind == _SPARSE and header[482]:
            place += _skip_sparse(stream)
        length = 0 if kind in _WITHOUT_BYTES else stated if size is None else size
        if length < 0:
            raise ValueError("a member in it has a negative size")
        member = _Member(name or _stated_name(header), kind, place, length)
        if _skip(stream, _padded(length)) < length:
            raise ValueError(f"cut off inside of {clean(member.name)}")
        if kind not in _PASSED_OVER:
            yield member
        place += _padded(length)
        name = size = None


def _open_slice(path: Path, place: int, size: int) -> BufferedIOBase:
    with path.open("rb") as stream:
        stream.seek(place)
        data = stream.read(size)
    if len(data) < size:
        raise ValueError("the archive is cut off")
    return io.BytesIO(data)


def _skip(stream: BufferedIOBase, count: int) -> int:
    """Read over `count` bytes; return how many there were."""
    done = 0
    while done < count and (piece := stream.read(min(count - done, 1 << 18))):
        done += len(piece)
    return done


def _skip_sparse(stream: BufferedIOBase) -> int:
    """Read over the further headers of a file with holes; return their length."""
    length = 0
    while len(header := stream.read(_BLOCK)) == _BLOCK:
        length += _BLOCK
        if not header[504]:
            break
    return length


def _stated_name(header: bytes) -> str:
    name, prefix = _text(header[:100]), _text(header[345:500])
    return f"{prefix}/{name}" if prefix and header[257:263] == b"ustar\0" else name


def _read_notes(notes: bytes) -> dict[str, str]:
    """Return what a header of notes says, line by line: `length key=value`."""
    found, at = {}, 0
    while at < len(notes):
        length = _whole_number(_text(notes[at : at + 8].split(b" ")[0])) or 0
        key, equals, value = notes[at : at + length].partition(b" ")[2].rstrip(b"\n").partition(b"=")
        if not equals:
            raise ValueError("a header in it is damaged")
        found[_text(key)] = _text(value)
        at += length
    return found


def _whole_number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError("a header in it is damaged")
    return int(text)


def _number(field: bytes) -> int:
    """Return a number of a header: octal digits, or, for large ones, binary behind a first byte of 128 or 255."""
    if field[0] in {0x80, 0xFF}:
        return int.from_bytes(field[1:], "big") - (256 ** (len(field) - 1) if field[0] == 0xFF else 0)
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and all(digit in b"01234567" for digit in digits) else 0 if not digits else -1


def _sum(header: bytes) -> int:
    return sum(header) - sum(header[148:156]) + 8 * 32


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].decode("utf-8", "surrogateescape")
