"""Paths as users write them: asking about one never fails."""

from contextlib import suppress
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """Return a path with the home folder for `~`; one of a user who does not exist stays as it is."""
    with suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


def exists(path: Path) -> bool:
    """Tell whether something is there; not of what cannot be asked about, for its length or for want of rights."""
    with suppress(OSError, ValueError):
        return path.exists()
    return False


def is_file(path: Path) -> bool:
    """Tell whether a file is there (see `exists`)."""
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


def is_folder(path: Path) -> bool:
    """Tell whether a folder is there (see `exists`)."""
    with suppress(OSError, ValueError):
        return path.is_dir()
    return False
