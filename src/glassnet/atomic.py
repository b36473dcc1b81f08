"""Files and folders are written beside their place and renamed: a reader sees the old or the new, never a half."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glassnet.errors import OutputError


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it takes the place of `path`, else it is removed.

    The temporary name ends like `path`, so that libraries which choose the format by the suffix do so.

    Raises:
        OutputError: the place cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"cannot write the file {path}: it is a folder; name a file in it")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        beside = Path(name)
        try:
            yield beside
            beside.chmod(0o666 & ~UMASK)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield an empty folder beside `path` to fill; on success it takes the place of `path`, else it is removed.

    Args:
        path: where the folder shall be; it may exist only if it is empty, or with `replace`.
        replace: an existing folder is replaced, at the moment when the new one is complete.

    Raises:
        OutputError: the place is taken or cannot be written.
    """
    if not replace:
        check_free(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            yield beside
            beside.chmod(0o777 & ~UMASK)
            _swap(beside, path) if path.exists() else beside.replace(path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def check_free(path: Path) -> None:
    """Raise OutputError unless a new folder can be made at `path`: nothing there, or an empty folder."""
    parent = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    if not parent.is_dir():
        raise OutputError(f"cannot make the folder {path}: {parent} is a file; name a new folder")
    with explained(path):
        if path.exists() and any(path.iterdir()):
            raise OutputError(f"the folder {path} is not empty; name a new folder or remove it first")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise OutputError(f"cannot write to {parent}: permission denied; name a folder that you may write to")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of the system in the body into one that says what cannot be written, and what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {path}: {reason}; make room there, or name another place") from error


def _swap(new: Path, path: Path) -> None:
    """Put a folder in the place of another, which is removed; if that fails, the old one is back in its place."""
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent))
    old = holder / path.name
    try:
        path.replace(old)
        new.replace(path)
    except OSError:
        if old.exists():
            old.replace(path)
        holder.rmdir()
        raise
    shutil.rmtree(holder, ignore_errors=True)


def _umask() -> int:
    """Return which rights new files do not get; asking sets it for a moment, so that it is asked before any thread."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


UMASK = _umask()
