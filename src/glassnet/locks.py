"""A file that one process at a time holds; the system takes it back from a killed one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from glassnet.atomic import explained


@contextmanager
def held(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a file while the body runs; it is made, with its folder, and stays.

    Args:
        path: the file; what is in it does not matter.
        wait: for whoever holds it.

    Yields:
        Whether it is held: always, if it was waited for.

    Raises:
        OutputError: it cannot be written.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    with stream:
        yield _take(stream, wait=wait)


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the file: this process or another."""
    try:
        with path.open("rb") as stream:
            return not _take(stream, wait=False)
    except OSError:
        return False


def _take(stream: BinaryIO, *, wait: bool) -> bool:
    """Lock an open file, until it is closed; return whether that went."""
    try:
        if os.name == "nt":
            import msvcrt

            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if wait:
            raise
        return False
    return True
