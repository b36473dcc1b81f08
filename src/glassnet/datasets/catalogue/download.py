"""One file from one of its mirrors: resumed where it broke off, checked, and in its place only when it is right.

What has arrived lies in `NAME.part` beside the file's place, so that a transfer that breaks off, or a process that is
killed, loses nothing: the next attempt asks for the rest. Only a file of the published size and hash takes its name.
"""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit

from glassnet.errors import DownloadError, OutputError

MOST_BYTES = 2 << 30
"""No file of the catalogue is larger; a server that sends more is not believed."""

CHUNK = 1 << 16


@dataclass(frozen=True)
class Remote:
    """A file that is published somewhere.

    Args:
        name: what it is called.
        mirrors: addresses, in the order in which they are tried.
        size: its bytes; None where that is not published.
        sha256: its published SHA-256; "" where there is none.
        md5: its published MD5, used where there is no SHA-256.
    """

    name: str
    mirrors: tuple[str, ...]
    size: int | None = None
    sha256: str = ""
    md5: str = ""

    @cached_property
    def proof(self) -> str:
        """What it is checked by, in words."""
        return "SHA-256" if self.sha256 else "MD5" if self.md5 else "size" if self.size else "nothing published"


@dataclass(frozen=True)
class Patience:
    """How long servers are waited for.

    Args:
        timeout: seconds without a byte after which a server counts as silent.
        rounds: how often all mirrors are tried.
        pause: seconds between the rounds.
        resumes: how often a mirror that breaks off is asked for the rest, as long as something arrives.
    """

    timeout: float = 30.0
    rounds: int = 2
    pause: float = 2.0
    resumes: int = 5


@dataclass(frozen=True)
class Downloading:
    """Bytes have arrived.

    Args:
        file: name of the file.
        done: bytes that are there, those of earlier attempts included.
        total: bytes of the whole file; None where nobody says.
        host: where they come from.
    """

    file: str
    done: int
    total: int | None
    host: str


@dataclass(frozen=True)
class MirrorFailed:
    """A mirror did not give the file; the next one is tried."""

    file: str
    host: str
    reason: str


T = TypeVar("T")

Listener = Callable[[Downloading | MirrorFailed], None]


def fetch(file: Remote, folder: Path, *, on_progress: Listener | None = None, patience: Patience | None = None) -> Path:
    """Return a file that is whole and right, downloaded unless it is there already.

    Args:
        file: which.
        folder: where it is kept.
        on_progress: is told what arrives and what fails.
        patience: how long servers are waited for.

    Raises:
        DownloadError: no mirror gave it.
        OutputError: the folder cannot be written.
    """
    patience, tell = patience or Patience(), on_progress or (lambda event: None)
    place = folder / file.name
    if is_right(place, file):
        return place
    with _partial(place) as part:
        failures: dict[str, str] = {}
        for number in range(patience.rounds):
            for mirror in file.mirrors:
                host = urlsplit(mirror).netloc
                if reason := _try(mirror, file, part, tell, patience):
                    failures[host] = reason
                    tell(MirrorFailed(file.name, host, reason))
                    continue
                _settle(part, place, file)
                return place
            if number + 1 < patience.rounds:
                time.sleep(patience.pause)
    said = "; ".join(f"{host} {reason}" for host, reason in failures.items())
    address = file.mirrors[0] if file.mirrors else "its authors' page"
    raise DownloadError(
        f"{file.name} could not be downloaded ({said or 'no mirror is known'}); download {address} by hand, where "
        f"there is a network, and run: glassnet datasets add {file.name} (or put it into {folder})"
    )


def is_right(path: Path, file: Remote) -> bool:
    """Tell whether a file is there and has the published size and hash, or those of its first download."""
    try:
        size = path.stat().st_size
        if not path.is_file() or (file.size is not None and size != file.size):
            return False
        sha256 = file.sha256
        if not sha256 and not file.md5:
            recorded = _record(path)
            sha256 = recorded.read_text("ascii").strip() if recorded.exists() else ""
        if sha256:
            return digest(path, "sha256") == sha256
        return digest(path, "md5") == file.md5 if file.md5 else file.size is not None
    except (OSError, ValueError):
        return False


def digest(path: Path, algorithm: str) -> str:
    """Return the hash of a file as hexadecimal text; memory does not grow with the file."""
    with path.open("rb") as stream:
        # MD5 is what some authors publish; it guards against broken transfers, not against forgery.
        return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _record(path: Path) -> Path:
    """Return where the SHA-256 of a file is kept for which none is published."""
    return path.with_name(path.name + ".sha256")


@contextmanager
def _partial(place: Path) -> Iterator[BinaryIO]:
    """Yield the partial file at its end, for this process alone; it stays unless it has become the file."""
    part = place.with_name(place.name + ".part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as stream:
            _lock(stream, place)
            yield stream
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot write {part}: {reason}; make room there, or set XDG_CACHE_HOME to a folder that you may write to"
        ) from error


def _lock(stream: BinaryIO, place: Path) -> None:
    """Take the partial file; the lock goes with the process, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows itself refuses to rename a file that another process has open
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DownloadError(f"{place} is being downloaded by another process; wait until it is there") from None


def _try(mirror: str, file: Remote, part: BinaryIO, tell: Listener, patience: Patience) -> str:
    """Get the rest of a file from one mirror; return what went wrong, "" if it is whole and right."""
    reason = ""
    for _ in range(patience.resumes + 1):
        before = part.tell()
        resumed = before > 0
        try:
            _transfer(mirror, file, part, tell, patience.timeout)
        except _BrokenOffError as error:
            reason = str(error)
            if part.tell() > before:
                continue
            return reason
        except _RefusedError as error:
            reason = str(error)
            if resumed and not part.tell():  # the rest did not fit what was there: once more, from the start
                continue
            return reason
        if not (reason := _wrong(part, file)):
            return ""
        _empty(part)
        if not resumed:  # it was wrong from its first to its last byte; what was there before may be another's fault
            return reason
    return reason


class _BrokenOffError(Exception):
    """The transfer ended early; what has arrived is good."""


class _RefusedError(Exception):
    """The server does not give the file."""


def _transfer(mirror: str, file: Remote, part: BinaryIO, tell: Listener, timeout: float) -> None:
    """Append to the partial file what a mirror has beyond it."""
    start = part.tell()
    if file.size is not None and start >= file.size:
        if start > file.size:
            _empty(part)
        else:
            return  # a killed process had all of it
        start = 0
    host = urlsplit(mirror).netloc
    headers = {"User-Agent": f"glassnet/{version('glassnet')}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(mirror, headers=headers)  # noqa: S310  (addresses of the catalogue)
    try:
        answer = _network(lambda: urllib.request.urlopen(request, timeout=timeout), timeout)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:  # more is there than the server has: from the start, next time
            _empty(part)
        raise _RefusedError(f"answered {error.code} {error.reason}") from None
    with answer:
        if start and answer.status != 206:
            _empty(part)  # the server does not resume, and sends everything
            start = 0
        elif start and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            _empty(part)
            raise _RefusedError("resumed at another place than it was asked for")
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length and length.isdecimal() else None
        if file.size is not None and total not in (None, file.size):
            raise _RefusedError(f"offers {total:,} bytes where {file.size:,} are right")
        total = total or file.size
        most = file.size if file.size is not None else MOST_BYTES
        tell(Downloading(file.name, part.tell(), total, host))
        while chunk := _network(lambda: answer.read1(CHUNK), timeout):
            if part.tell() + len(chunk) > most:
                _empty(part)
                raise _RefusedError(f"sent more than {most:,} bytes")
            part.write(chunk)
            tell(Downloading(file.name, part.tell(), total, host))
        part.flush()
        if total is not None and part.tell() < total:
            raise _BrokenOffError(f"broke off after {part.tell():,} of {total:,} bytes")


def _network(act: Callable[[], T], timeout: float) -> T:
    """Do what concerns the network alone: where the disk is in play, the same errors mean that it is full.

    Raises:
        HTTPError: the server refuses.
        _BrokenOffError: it cannot be reached, is silent, or breaks off.
    """
    try:
        return act()
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, TimeoutError):
            raise _BrokenOffError(f"was silent for {timeout:g} s") from None
        if reason is not error:
            raise _BrokenOffError(f"cannot be reached ({reason})") from None
        raise _BrokenOffError(f"broke off ({getattr(error, 'strerror', None) or type(error).__name__})") from None


def _wrong(part: BinaryIO, file: Remote) -> str:
    """Return what is wrong with a whole download, "" if nothing is."""
    part.flush()
    path = Path(part.name)
    if file.size is not None and path.stat().st_size != file.size:
        return f"sent {path.stat().st_size:,} bytes where {file.size:,} are right"
    for algorithm, published in (("sha256", file.sha256), ("md5", file.md5)):
        if published:
            found = digest(path, algorithm)
            return "" if found == published else f"sent other bytes (its {file.proof} is {found[:12]}…)"
    return ""


def _settle(part: BinaryIO, place: Path, file: Remote) -> None:
    """Give the finished partial file its name."""
    path = Path(part.name)
    part.close()  # Windows renames no open file
    if not file.sha256 and not file.md5:
        _record(place).write_text(digest(path, "sha256") + "\n", "ascii")
    path.replace(place)


def _empty(part: BinaryIO) -> None:
    part.seek(0)
    part.truncate()
