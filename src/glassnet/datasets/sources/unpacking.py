"""Compressed files as streams within limits: gzip, bzip2 and xz, never more than a fair multiple of what was packed."""

import bz2
import io
import lzma
import threading
import zlib
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from typing import Any

MOST_RATIO = 200
"""Pictures hardly shrink, and plain pixels tenfold; what grows more than this when unpacked is a bomb."""

FREE_BYTES = 32 * 2**20
"""So much may come out of anything, however small it was."""

_CHUNK = 1 << 18
_XZ_MEMORY = 512 * 2**20  # a header may ask for a dictionary of 4 GB
_WINDOW = 16 * 2**20
_STARTS = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"))


def packing_of(head: bytes) -> str | None:
    """Return "gzip", "bzip2" or "xz" if a file with these first bytes is compressed so."""
    return next((name for start, name in _STARTS if head.startswith(start)), None)


def is_bomb(unpacked: int, packed: int) -> bool:
    """Tell if so much cannot come out of so little in good faith."""
    return unpacked > FREE_BYTES and unpacked > MOST_RATIO * max(1, packed)


def unpack(stream: BufferedIOBase) -> BufferedIOBase:
    """Return what is compressed in a stream as a stream; one that is not compressed as it is.

    Reading raises ValueError where the data is damaged, cut off, or a bomb.
    """
    head = stream.read(6)
    stream.seek(0)
    packing = packing_of(head)
    return stream if packing is None else io.BufferedReader(_Unpacked(stream, packing), _CHUNK)


class Tape:
    """A stream that can only be read forwards, with what was read last kept: for the members of a compressed archive.

    What is read a little out of turn is found in the window; going back further starts again. Whoever reads all members
    therefore does it in their order (see `Files.in_turn`).

    Args:
        path: of the compressed file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stream: BufferedIOBase | None = None
        self._recent = bytearray()
        self._start = 0  # the place of `_recent[0]` in the unpacked stream

    def __reduce__(self) -> tuple[type["Tape"], tuple[Path]]:  # another process opens the file anew
        return Tape, (self._path,)

    def read(self, offset: int, size: int) -> BufferedIOBase:
        """Return `size` bytes from `offset` of the unpacked stream."""
        with self._lock:
            if self._stream is None or offset < self._start:
                self._close()
                self._stream = unpack(self._path.open("rb"))
            while self._start + len(self._recent) < offset + size:
                piece = self._stream.read(_CHUNK)
                if not piece:
                    raise ValueError("the archive is cut off")
                self._recent += piece
                surplus = min(len(self._recent) - _WINDOW, offset - self._start)
                if surplus > _WINDOW:
                    del self._recent[:surplus]
                    self._start += surplus
            first = offset - self._start
            return io.BytesIO(bytes(self._recent[first : first + size]))

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream, self._recent, self._start = None, bytearray(), 0

    def __del__(self) -> None:
        self._close()


class _Unpacked(io.RawIOBase):
    def __init__(self, packed: BufferedIOBase, packing: str) -> None:
        self._packed = packed
        self._new = {
            "gzip": partial(zlib.decompressobj, 16 + zlib.MAX_WBITS),
            "bzip2": bz2.BZ2Decompressor,
            "xz": partial(lzma.LZMADecompressor, memlimit=_XZ_MEMORY),
        }[packing]
        self._decompressor = self._new()
        self._pending = b""
        self._given = self._taken = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._packed.close()
        super().close()

    def tell(self) -> int:
        return self._given

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = b""
        while not data:
            if self._decompressor.eof and not self._next_stream():
                return 0
            try:
                data = self._decompress(len(view))
            except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
                raise ValueError(f"the compressed data is damaged ({error})") from error
        self._given += len(data)
        if is_bomb(self._given, self._taken):
            raise ValueError(f"it unpacks to more than {MOST_RATIO} times the size of the file: a bomb, or no pictures")
        view[: len(data)] = data
        return len(data)

    def _decompress(self, most: int) -> bytes:
        """Return up to `most` bytes; perhaps none yet."""
        if not self._pending and getattr(self._decompressor, "needs_input", True):
            self._pending = self._packed.read(1 << 16)
            self._taken += len(self._pending)
            if not self._pending:
                raise EOFError("cut off before its end")
        if isinstance(self._decompressor, (bz2.BZ2Decompressor, lzma.LZMADecompressor)):
            pending, self._pending = self._pending, b""
            return self._decompressor.decompress(pending, most)
        data = self._decompressor.decompress(self._pending, most)
        self._pending = self._decompressor.unconsumed_tail
        return data

    def _next_stream(self) -> bool:
        """Go on with the stream behind the one that has ended; padding and foreign bytes end it all."""
        rest = self._decompressor.unused_data.lstrip(b"\0")
        if len(rest) < 6:
            more = self._packed.read(1 << 16)
            self._taken += len(more)
            rest = (rest + more).lstrip(b"\0")
        if packing_of(rest) is None:
            return False
        self._decompressor, self._pending = self._new(), rest
        return True
