"""Downloads, against servers on this machine that do all that servers do: stall, break off, refuse, lie, redirect."""

import errno
import gzip
import hashlib
import http.client
import io
import os
import re
import signal
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glassnet import cache
from glassnet.datasets.catalogue import loading as catalog
from glassnet.datasets.catalogue.download import Downloading, MirrorFailed, Patience, Remote, fetch
from glassnet.datasets.catalogue.loading import PUBLISHED, add_file, load_catalogued
from glassnet.datasets.catalogue.originals import read_cifar, read_emnist, read_idx, read_medmnist, read_svhn
from glassnet.datasets.dataset import idx_header
from glassnet.errors import DamagedDataError, DownloadError, GlassnetError, InputError, OutputError, UnknownNameError

BODY = np.random.default_rng(0).integers(0, 256, 300_000, np.uint8).tobytes()
SHA256, MD5 = hashlib.sha256(BODY).hexdigest(), hashlib.md5(BODY).hexdigest()
FAST = Patience(timeout=0.25, rounds=1, pause=0.01)


class Server:
    """A server whose answers are chosen by the first part of the path; it counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.bodies: dict[str, bytes] = {}
        self.done = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.close_connection = True
                way = self.path.split("/")[1]
                outer.asked.append((way, self.headers["Range"]))
                getattr(outer, way)(self, outer.bodies.get(self.path.split("?")[0].rsplit("/", 1)[-1], BODY))

            def log_message(self, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # clients that hang up are what is tested

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def start(self, handler: Any, body: bytes, code: int = 200, length: int | None = None, **headers: str) -> None:
        handler.send_response(code)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    def whole(self, handler: Any, body: bytes) -> None:
        self.start(handler, body)
        handler.wfile.write(body)

    def ranged(self, handler: Any, body: bytes, *, most: int | None = None) -> None:
        """Send what is asked for, at most so many bytes of it."""
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"] or "bytes=0-")
        assert asked
        first = int(asked[1])
        if first >= len(body):
            return handler.send_error(416)
        code = 206 if handler.headers["Range"] else 200
        rest = body[first:]
        self.start(handler, rest, code, Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")
        handler.wfile.write(rest[:most])
        return None

    def breaking(self, handler: Any, body: bytes) -> None:
        self.ranged(handler, body, most=100_000)

    def deaf(self, handler: Any, body: bytes) -> None:
        """Break off the first time; the second time, ignore what was asked for and send everything."""
        first = sum(way == "deaf" for way, _ in self.asked) == 1
        self.start(handler, body)
        handler.wfile.write(body[:100_000] if first else body)

    def stalling(self, handler: Any, body: bytes) -> None:
        self.start(handler, body)
        handler.wfile.write(body[:1000])
        self.done.wait(5)

    def silent(self, handler: Any, body: bytes) -> None:
        self.done.wait(5)

    def slow(self, handler: Any, body: bytes) -> None:
        asked = int((handler.headers["Range"] or "bytes=0-")[6:-1])
        self.start(handler, body[asked:], 206 if asked else 200, Content_Range=f"bytes {asked}-/{len(body)}")
        for start in range(asked, len(body), 10_000):
            handler.wfile.write(body[start : start + 10_000])
            time.sleep(0.03)

    def wrong(self, handler: Any, body: bytes) -> None:
        self.whole(handler, body[::-1])

    def short(self, handler: Any, body: bytes) -> None:
        self.whole(handler, body[:-1])

    def endless(self, handler: Any, body: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(body)

    def lying(self, handler: Any, body: bytes) -> None:
        """Resume, but at another place."""
        self.start(handler, body, 206, Content_Range=f"bytes 0-{len(body) - 1}/{len(body)}")
        handler.wfile.write(body)

    def forbidden(self, handler: Any, body: bytes) -> None:
        handler.send_error(403)

    def busy(self, handler: Any, body: bytes) -> None:
        handler.send_error(503)

    def once(self, handler: Any, body: bytes) -> None:
        """Be busy the first time."""
        (self.busy if sum(way == "once" for way, _ in self.asked) == 1 else self.whole)(handler, body)

    def garbage(self, handler: Any, body: bytes) -> None:
        handler.wfile.write(b"\x00\x01 no http \r\n\r\n")

    def moved(self, handler: Any, body: bytes) -> None:
        handler.send_response(302)
        handler.send_header("Location", self.address + "/ranged/" + handler.path.rsplit("/", 1)[-1])
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def circle(self, handler: Any, body: bytes) -> None:
        handler.send_response(302)
        handler.send_header("Location", self.address + "/circle/x")
        handler.send_header("Content-Length", "0")
        handler.end_headers()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    yield server
    server.done.set()
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(cache, "folder", lambda *parts: tmp_path.joinpath("cache", *parts))
    return tmp_path / "cache"


def remote(server: Server, *ways: str, **facts: Any) -> Remote:
    return Remote("data.bin", tuple(f"{server.address}/{way}/data.bin" for way in ways), **facts)


# -- one file ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ways",
    [
        ["whole"],
        ["moved"],
        ["breaking"],
        ["deaf"],
        ["silent", "whole"],
        ["stalling", "ranged"],
        ["stalling", "lying", "whole"],
        ["forbidden", "busy", "ranged"],
        ["wrong", "whole"],
        ["short", "ranged"],
        ["endless", "whole"],
        ["garbage", "circle", "moved"],
    ],
    ids="-".join,
)
def test_the_file_arrives(server: Server, tmp_path: Path, ways: list[str]) -> None:
    events: list[Any] = []
    file = remote(server, *ways, size=len(BODY), sha256=SHA256)
    path = fetch(file, tmp_path, on_progress=events.append, patience=FAST)
    assert path.read_bytes() == BODY
    assert [one.name for one in tmp_path.iterdir()] == ["data.bin"]
    arrived = [one for one in events if isinstance(one, Downloading)]
    assert arrived[-1].done == arrived[-1].total == len(BODY)
    assert {one.host for one in events if isinstance(one, MirrorFailed)} == (
        {server.address[7:]} if ways[1:] else set()
    )


def test_a_broken_transfer_is_resumed_where_it_broke_off(server: Server, tmp_path: Path) -> None:
    fetch(remote(server, "breaking", md5=MD5), tmp_path, patience=FAST)
    assert server.asked == [("breaking", None), ("breaking", "bytes=100000-"), ("breaking", "bytes=200000-")]


def test_a_mirror_is_tried_again_in_the_next_round(server: Server, tmp_path: Path) -> None:
    assert fetch(remote(server, "once", sha256=SHA256), tmp_path, patience=replace(FAST, rounds=2)).exists()


def test_what_is_there_is_not_fetched_again_and_what_is_damaged_is(server: Server, tmp_path: Path) -> None:
    file = remote(server, "whole", size=len(BODY), sha256=SHA256)
    path = fetch(file, tmp_path, patience=FAST)
    fetch(file, tmp_path, patience=FAST)
    assert len(server.asked) == 1
    path.write_bytes(BODY[:-1] + b"!")
    assert fetch(file, tmp_path, patience=FAST).read_bytes() == BODY
    assert len(server.asked) == 2


def test_without_a_published_hash_the_first_one_counts(server: Server, tmp_path: Path) -> None:
    file = remote(server, "whole", size=len(BODY))
    path = fetch(file, tmp_path, patience=FAST)
    assert (tmp_path / "data.bin.sha256").read_text().strip() == SHA256
    path.write_bytes(BODY[::-1])
    assert fetch(file, tmp_path, patience=FAST).read_bytes() == BODY
    assert len(server.asked) == 2


def test_a_part_of_another_file_does_not_spoil_it(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(b"something else")
    assert fetch(remote(server, "ranged", sha256=SHA256), tmp_path, patience=FAST).read_bytes() == BODY
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "data.bin.part").write_bytes(BODY + b"too long")
    assert fetch(remote(server, "ranged", sha256=SHA256), tmp_path / "more", patience=FAST).read_bytes() == BODY


def test_a_finished_part_needs_no_server(tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(BODY)
    file = Remote("data.bin", ("http://127.0.0.1:1/data.bin",), len(BODY), SHA256)
    assert fetch(file, tmp_path, patience=FAST).read_bytes() == BODY


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("forbidden", "answered 403 Forbidden"),
        ("busy", "answered 503 Service Unavailable"),
        ("silent", "was silent for 0.25 s"),
        ("stalling", "was silent for 0.25 s"),
        ("wrong", "sent other bytes (its SHA-256 is"),
        ("short", "offers 299,999 bytes where 300,000 are right"),
        ("endless", "sent more than 300,000 bytes"),
    ],
)
def test_the_error_names_what_each_mirror_did_and_what_to_do(
    server: Server, tmp_path: Path, way: str, reason: str
) -> None:
    file = remote(server, way, size=len(BODY), sha256=SHA256)
    with pytest.raises(DownloadError) as caught:
        fetch(file, tmp_path, patience=replace(FAST, resumes=1))
    text = str(caught.value)
    assert reason in text
    assert f"{server.address}/{way}/data.bin" in text
    assert "glassnet datasets add data.bin" in text
    assert str(tmp_path) in text
    assert "\n" not in text
    assert not (tmp_path / "data.bin").exists()


@pytest.mark.parametrize(
    ("kind", "name"), [(http.client.HTTPResponse, "read1"), (http.client.HTTPConnection, "getresponse")]
)
def test_an_error_of_the_network_is_no_full_disk(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, name: str
) -> None:
    errors = [OSError(errno.EHOSTUNREACH, "No route to host"), ssl.SSLError(1, "decryption failed")]
    act = getattr(kind, name)

    def fail(self: Any, *arguments: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return act(self, *arguments, **options)

    monkeypatch.setattr(kind, name, fail)
    events: list[Any] = []
    file = remote(server, "whole", "whole", "whole", sha256=SHA256)
    assert fetch(file, tmp_path, on_progress=events.append, patience=FAST).read_bytes() == BODY
    assert [one.reason for one in events if isinstance(one, MirrorFailed)] == [
        "broke off (decryption failed)", "broke off (No route to host)",
    ]  # fmt: skip


def test_the_finished_file_is_closed_before_it_is_renamed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to rename a file that is open."""
    opened: list[Any] = []
    replaced = Path.replace
    monkeypatch.setattr("glassnet.datasets.catalogue.download._lock", lambda stream, place: opened.append(stream))

    def replace_closed(self: Path, target: Path) -> Path:
        assert all(stream.closed for stream in opened)
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", replace_closed)
    assert fetch(remote(server, "whole", sha256=SHA256), tmp_path, patience=FAST).read_bytes() == BODY
    assert opened


def test_no_network_at_all(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="cannot be reached"):
        fetch(Remote("data.bin", ("http://127.0.0.1:1/data.bin",)), tmp_path, patience=FAST)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="XDG_CACHE_HOME"):
        fetch(Remote("data.bin", ()), tmp_path / "file", patience=FAST)


def test_two_processes_do_not_write_one_file(server: Server, tmp_path: Path) -> None:
    import fcntl

    with (tmp_path / "data.bin.part").open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="another process"):
            fetch(remote(server, "whole", sha256=SHA256), tmp_path, patience=FAST)


def test_killed_at_any_moment_the_next_run_goes_on(server: Server, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from glassnet.datasets.catalogue.download import Remote, fetch; "
        "fetch(Remote('data.bin', (sys.argv[1],), 300_000, sys.argv[2]), Path(sys.argv[3]), "
        "on_progress=lambda event: print(event.done, flush=True))"
    )
    arguments = [sys.executable, "-c", code, f"{server.address}/slow/data.bin", SHA256, str(tmp_path)]
    done = 0
    for _ in range(2):
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=os.environ | {"no_proxy": "*"})
        assert process.stdout
        for line in process.stdout:
            if int(line) >= done + 50_000:
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert not (tmp_path / "data.bin").exists()
        kept = (tmp_path / "data.bin.part").stat().st_size
        assert kept > done
        done = kept
    assert fetch(remote(server, "ranged", sha256=SHA256), tmp_path, patience=FAST).read_bytes() == BODY
    assert server.asked[1][1] is not None  # the second process asked for the rest
    assert server.asked[-1] == ("ranged", f"bytes={done}-")


# -- the files of the authors ------------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    if array.dtype == np.uint8:
        return gzip.compress(idx_header(array.shape) + array.tobytes(), 1)
    header = bytes([0, 0, 0x0C, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(header + array.astype(">i4").tobytes(), 1)


def some(n: int, *shape: int, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    return rng.integers(0, 256, (n, *shape), np.uint8), rng.integers(0, classes, n, np.uint8)


TRAIN, TEST = some(40, 28, 28), some(20, 28, 28)
COLOUR_TRAIN, COLOUR_TEST = some(40, 32, 32, 3), some(20, 32, 32, 3)


def packed_tar(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def cifar(images: np.ndarray, labels: np.ndarray, before: int) -> bytes:
    coarse = np.full((len(images), before - 1), 99, np.uint8)
    pixels = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return np.concatenate([coarse, labels[:, None], pixels], axis=1).tobytes()


def same(original: Any, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> None:
    for name, (images, labels) in (("train", train), ("test", test)):
        np.testing.assert_array_equal(original.splits[name][0], images)
        np.testing.assert_array_equal(original.splits[name][1], labels)


def test_idx_files_with_plain_and_extended_labels(tmp_path: Path) -> None:
    extended = [
        np.repeat(labels[:, None].astype(np.int32), 8, axis=1) * [1, *[1000] * 7] for _, labels in (TRAIN, TEST)
    ]
    for labels in ([TRAIN[1], TEST[1]], extended):
        paths = [tmp_path / str(number) for number in range(4)]
        for path, array in zip(paths, (TRAIN[0], labels[0], TEST[0], labels[1]), strict=True):
            path.write_bytes(idx(np.ascontiguousarray(array)))
        same(read_idx(paths), TRAIN, TEST)


def test_emnist_is_turned_upright(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as archive:
        for split, (images, labels) in (("train", TRAIN), ("test", TEST)):
            turned = np.ascontiguousarray(images.transpose(0, 2, 1))
            archive.writestr(f"gzip/emnist-letters-{split}-images-idx3-ubyte.gz", idx(turned))
            archive.writestr(f"gzip/emnist-letters-{split}-labels-idx1-ubyte.gz", idx(labels + np.uint8(1)))
    same(read_emnist([tmp_path / "gzip.zip"], part="letters", first=1), TRAIN, TEST)


def test_cifar_in_both_sizes(tmp_path: Path) -> None:
    halves = [(COLOUR_TRAIN[0][rows], COLOUR_TRAIN[1][rows]) for rows in (slice(0, 20), slice(20, 40))]
    ten = {f"cifar-10-batches-bin/data_batch_{k}.bin": cifar(*half, 1) for k, half in enumerate(halves, 1)}
    ten |= {"cifar-10-batches-bin/test_batch.bin": cifar(*COLOUR_TEST, 1), "a/batches.meta.txt": b"dog\ncat\n\n"}
    (tmp_path / "10").write_bytes(packed_tar(ten))
    original = read_cifar([tmp_path / "10"], label_bytes=1, names="batches.meta.txt")
    same(original, COLOUR_TRAIN, COLOUR_TEST)
    assert original.classes == ("dog", "cat")
    hundred = {"c/train.bin": cifar(*COLOUR_TRAIN, 2), "c/test.bin": cifar(*COLOUR_TEST, 2)}
    (tmp_path / "100").write_bytes(packed_tar(hundred))
    same(read_cifar([tmp_path / "100"], label_bytes=2, names="x"), COLOUR_TRAIN, COLOUR_TEST)


def test_svhn_counts_zero_as_ten(tmp_path: Path) -> None:
    from scipy.io import savemat

    paths = [tmp_path / "train.mat", tmp_path / "test.mat"]
    for path, (images, labels) in zip(paths, (COLOUR_TRAIN, COLOUR_TEST), strict=True):
        savemat(path, {"X": images.transpose(1, 2, 3, 0), "y": np.where(labels == 0, 10, labels)[:, None]})
    same(read_svhn(paths), COLOUR_TRAIN, COLOUR_TEST)


def test_medmnist_has_a_validation_part(tmp_path: Path) -> None:
    arrays = {"train": COLOUR_TRAIN, "val": COLOUR_TEST, "test": COLOUR_TEST}
    parts = {f"{name}_images": pair[0] for name, pair in arrays.items()}
    parts |= {f"{name}_labels": pair[1][:, None] for name, pair in arrays.items()}
    np.savez(tmp_path / "blood.npz", **parts)
    original = read_medmnist([tmp_path / "blood.npz"])
    same(original, COLOUR_TRAIN, COLOUR_TEST)
    np.testing.assert_array_equal(original.splits["validation"][0], COLOUR_TEST[0])


def pickled() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, train_images=np.array([print], object))
    return stream.getvalue()


HUGE = gzip.compress(idx_header((65_535, 65_535, 255)) + b"\0" * 100)


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (lambda path: read_idx([path] * 4), b""),
        (lambda path: read_idx([path] * 4), b"no gzip"),
        (lambda path: read_idx([path] * 4), gzip.compress(b"no idx")),
        (lambda path: read_idx([path] * 4), HUGE),
        (lambda path: read_idx([path] * 4), idx(TRAIN[0])[:-200]),
        (lambda path: read_idx([path] * 4), idx(TRAIN[0])),
        (lambda path: read_emnist([path], part="letters", first=1), b"PK no zip"),
        (lambda path: read_cifar([path], label_bytes=1, names="x"), gzip.compress(b"no tar")),
        (lambda path: read_cifar([path], label_bytes=1, names="x"), packed_tar({"data.bin": b"123"})),
        (lambda path: read_svhn([path] * 2), b"no mat"),
        (lambda path: read_medmnist([path]), pickled()),
    ],
    # named: the bytes themselves hold the time, and would name the tests differently in each process
    ids=[
        "empty",
        "no-gzip",
        "no-idx",
        "a-huge-header",
        "images-cut-short",
        "images-for-labels",
        "no-zip",
        "no-tar",
        "a-short-tar",
        "no-mat",
        "a-pickle",
    ],
)
def test_damaged_files_cost_one_line(tmp_path: Path, read: Callable[[Path], Any], data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(DamagedDataError, match="remove") as caught:
        read(tmp_path / "file")
    assert "\n" not in str(caught.value)


# -- the catalogue -----------------------------------------------------------------------------------------------------


def test_the_catalogue_says_what_must_be_known() -> None:
    assert {"emnist-letters", "emnist-balanced", "kmnist", "qmnist", "cifar-10", "cifar-100", "svhn"} < set(PUBLISHED)
    assert {"pathmnist", "bloodmnist"} < set(PUBLISHED)
    for name, entry in PUBLISHED.items():
        assert name == entry.name
        assert entry.licence and entry.credit and entry.about and entry.home.startswith("http")
        assert not entry.classes or len(entry.classes) == len(set(entry.classes)) == entry.class_count
        for file in entry.files:
            assert file.mirrors and all(one.startswith("http") for one in file.mirrors)
            assert re.fullmatch("[0-9a-f]{64}|", file.sha256) and re.fullmatch("[0-9a-f]{32}|", file.md5)
            assert file.sha256 or file.md5


@pytest.fixture
def kmnist(server: Server, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """KMNIST as this machine's server publishes it: small, with hashes of its own; returns its files."""
    entry = PUBLISHED["kmnist"]
    arrays = (TRAIN[0], TRAIN[1], TEST[0], TEST[1])
    files = {file.name: idx(array) for file, array in zip(entry.files, arrays, strict=True)}
    server.bodies.update(files)
    remotes = tuple(
        Remote(name, (f"{server.address}/ranged/{name}",), len(data), hashlib.sha256(data).hexdigest())
        for name, data in files.items()
    )
    own = replace(entry, files=remotes, counts={"train": 40, "test": 20})
    monkeypatch.setitem(PUBLISHED, "kmnist", own)
    monkeypatch.setattr(catalog, "fetch", lambda *a, **k: fetch(*a, **k | {"patience": FAST}))
    return files


def test_a_data_set_is_downloaded_once(server: Server, kmnist: dict[str, bytes]) -> None:
    events: list[Any] = []
    assert not catalog.is_downloaded("kmnist")
    data = load_catalogued("kmnist", events.append)
    assert len(server.asked) == 4
    assert {event.file for event in events} == set(kmnist)
    same_data(data)
    again = load_catalogued("kmnist", events.append)
    same_data(again)
    assert len(server.asked) == 4
    assert catalog.is_downloaded("kmnist")
    assert isinstance(again.train.images, np.memmap) or isinstance(again.train.images.base, np.memmap)
    plain = replace(again, known_sha256=None)
    assert plain.sha256 == again.sha256 == load_catalogued("kmnist").sha256


def same_data(data: Any) -> None:
    assert data.name == "kmnist" and data.classes[1] == "ki"
    np.testing.assert_array_equal(data.train.images, TRAIN[0])
    np.testing.assert_array_equal(data.test.labels, TEST[1])


def test_a_damaged_cache_is_made_anew(server: Server, kmnist: dict[str, bytes], own_cache: Path) -> None:
    load_catalogued("kmnist")
    folder = own_cache / "published" / "kmnist"
    for damage in (
        lambda: (folder / "train-images.npy").write_bytes(b"\x93NUMPY"),
        lambda: (folder / "facts.json").write_text("{"),
        lambda: (folder / "test-labels.npy").unlink(),
    ):
        damage()
        same_data(load_catalogued("kmnist"))
    assert len(server.asked) == 4  # the files themselves were still there
    (own_cache / "downloads" / "kmnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    (folder / "facts.json").unlink()
    same_data(load_catalogued("kmnist"))
    assert len(server.asked) == 5


def test_by_hand(kmnist: dict[str, bytes], own_cache: Path, tmp_path: Path, server: Server) -> None:
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(DownloadError, match="glassnet datasets add train-images-idx3-ubyte.gz"):
        load_catalogued("kmnist")
    for number, (name, data) in enumerate(kmnist.items()):
        (tmp_path / f"download ({number})").write_bytes(data)  # recognised by its hash, not by its name
        assert len(catalog.missing_files("kmnist")) == 4 - number
        file, names, place = add_file(tmp_path / f"download ({number})")
        assert (file.name, names, place.read_bytes()) == (name, ("kmnist",), data)
    same_data(load_catalogued("kmnist"))


def test_files_that_are_not_of_the_catalogue(kmnist: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "photo.zip").write_bytes(b"mine")
    with pytest.raises(InputError, match="no file of the catalogue"):
        add_file(tmp_path / "photo.zip")
    (tmp_path / "train_32x32.mat").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"called like a file of svhn but holds something else \(6 bytes"):
        add_file(tmp_path / "train_32x32.mat")
    with pytest.raises(InputError, match="there is no file"):
        add_file(tmp_path)


def test_unknown_names_and_files_that_hold_something_else(
    kmnist: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'kmnist'"):
        load_catalogued("kmnits")
    monkeypatch.setitem(PUBLISHED, "kmnist", replace(PUBLISHED["kmnist"], counts={"train": 41, "test": 20}))
    with pytest.raises(DamagedDataError, match="expected .*41"):
        load_catalogued("kmnist")


def test_a_cache_for_arrays_that_cannot_be_written(
    kmnist: dict[str, bytes], own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_cache.mkdir()
    (own_cache / "published").write_text("a file where the folder should be")
    same_data(load_catalogued("kmnist"))


# -- commands ----------------------------------------------------------------------------------------------------------


def test_get_and_add(
    kmnist: dict[str, bytes], tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    from glassnet.cli import downloads

    (tmp_path / "x").write_bytes(kmnist["train-labels-idx1-ubyte.gz"])
    downloads.add([tmp_path / "x"])
    assert "still missing: train-images-idx3-ubyte.gz, t10k-images" in " ".join(capsys.readouterr().out.split())
    downloads.get("kmnist", timeout=1)
    out = capsys.readouterr().out
    assert "40 train, 20 test images" in out and "CC BY-SA 4.0" in out
    assert len(server.asked) == 3
    with pytest.raises(GlassnetError, match="did you mean"):
        downloads.get("kmnits")
