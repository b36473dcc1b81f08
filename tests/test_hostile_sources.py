"""A thousand bad sources: each is opened with what is bad named, or refused with one line; none crashes or hangs.

Run as a program, it opens the same sources in a process of its own that notes what is written and how much memory it
takes.
"""

import bz2
import functools
import gzip
import io
import json
import lzma
import os
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from glassnet.datasets.decoding import decode
from glassnet.datasets.items import Arrays, Files
from glassnet.datasets.sources.opening import open_source
from glassnet.errors import InputError

EACH = 110
MOST_MEMORY = 1_000_000_000
ODD_NAMES = (
    "a b", "new\nline", "tab\t", "\x1b[31mred", "emoji 🎈", "\u202egnp.exe", "-rf", "%s%n", "$(id)", "'; drop",
    "...", "CON", "back\\slash", "x" * 200, "é", "e\u0301", " ", "*?", "<b>bold</b>", "\udcff",
)  # fmt: skip
ESCAPES = (
    "../out.png",
    "/tmp/out.png",
    "a/../../out.png",
    "..\\out.png",
    "C:\\out.png",
    "./../x/out.png",
    "//host/out.png",
)


def picture(kind: str, side: int = 12) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.arange(side * side * 3, dtype=np.uint8).reshape(side, side, 3)).save(stream, kind)
    return stream.getvalue()


PICTURES = {kind: picture(kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO")}
GOOD = {"cat/good 1.png": PICTURES["PNG"], "dog/good 2.jpg": PICTURES["JPEG"]}


def png_of(width: int, height: int, data: bytes) -> bytes:
    """A PNG whose header states any size, whatever its data is."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


BOMBS = (
    png_of(50_000, 50_000, bytes(1 << 22)),
    png_of(2**31 - 1, 2**31 - 1, b""),
    png_of(0, 0, b""),
    png_of(20_000, 1, bytes(20_001)),
    b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 2**31 - 1, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
    b"P6 99999999 99999999 255\n",
    b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0xF7, 0, 0) + bytes(900),
    b"II*\0" + struct.pack("<I", 8) + b"\xff" * 200,
)


def damage(data: bytes, draw: random.Random) -> bytes:
    """Cut off, flip, blow up or replace some bytes."""
    changed = bytearray(data)
    way = draw.randrange(5)
    if way == 0:
        return bytes(changed[: draw.randrange(len(changed))])
    if way == 1:
        for _ in range(draw.randint(1, 30)):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
    elif way == 2:
        at = draw.randrange(min(64, len(changed)))
        changed[at : at + 4] = draw.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0"])
    elif way == 3:
        at = draw.randrange(len(changed))
        changed[at:at] = draw.randbytes(draw.randint(1, 3000))
    else:
        at = draw.randrange(len(changed))
        del changed[at : at + draw.randint(1, 600)]
    return bytes(changed)


@functools.cache
def bomb_zip(name: str, start: bytes) -> bytes:
    """A zip with a member of 40 MB of zeros."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, start + bytes(40 << 20))
    return stream.getvalue()


def write(folder: Path, members: dict[str, bytes]) -> None:
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


# Each family makes a bad source from a number, and names what has to be complained of (None where it may be good).


def bad_picture(folder: Path, draw: random.Random) -> tuple[Path, str | None]:
    kind = draw.choice(list(PICTURES))
    way = draw.randrange(5)
    certain = True
    if way == 0:
        data = PICTURES[kind][: draw.randrange(12)]
    elif way == 1:
        data = draw.choice(BOMBS)
        certain = data is not BOMBS[3]
    elif way == 2:
        data = draw.choice(
            [b"", b"\0" * 500, b"just text", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"]
        )
    elif way == 3:
        data = draw.randbytes(draw.randint(1, 2000))
    else:
        data, certain = damage(PICTURES[kind], draw), False
    name = f"cat/bad.{draw.choice(['png', 'jpg', 'gif', 'txt', 'xyz', 'tif', 'webp', 'pdf', 'eps', 'h5'])}"
    write(folder, {**GOOD, name: data})
    return folder, name if certain else None


def bad_folder(folder: Path, draw: random.Random) -> tuple[Path, str | None]:
    write(folder, GOOD)
    place, name = folder / draw.choice(["cat", "dog", "."]), draw.choice(ODD_NAMES)
    way = draw.randrange(6)
    if way == 0:
        (place / "loop").symlink_to(draw.choice([folder, place, folder / "cat", Path("loop"), Path("nowhere")]))
    elif way == 1:
        os.mkfifo(place / "pipe.png")
        return folder, os.path.normpath(os.path.relpath(place / "pipe.png", folder))
    elif way == 2:
        write(place / name, {"x.png": PICTURES["PNG"], f"{name}.png": b"no picture"})
    elif way == 3:
        write(place, {"/".join("d" * draw.randint(30, 90)) + "/x.png": PICTURES["PNG"]})
    elif way == 4:
        (place / "device.png").symlink_to(draw.choice(["/dev/zero", "/dev/random", "/proc/self/mem", "/proc/kmsg"]))
    else:
        write(folder, {f"{draw.choice(['train', 'test', 'val'])}/{name}": b"", "labels.csv": draw.randbytes(300)})
    return folder, None


def bad_zip(folder: Path, draw: random.Random) -> tuple[Path, str | None]:
    way = draw.randrange(6)
    stream = io.BytesIO(bomb_zip("cat/bomb.png", b"") if way == 2 else b"")
    with zipfile.ZipFile(stream, "a", draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, data in GOOD.items():
            archive.writestr(name, data)
        if way == 0:
            archive.writestr(draw.choice(ESCAPES), PICTURES["PNG"])
        elif way == 1:
            archive.writestr(f"cat/{draw.choice(ODD_NAMES)}".replace("\udcff", "?"), damage(PICTURES["PNG"], draw))
        elif way == 3:
            link = zipfile.ZipInfo("cat/link.png")
            link.external_attr = draw.choice([0o120777, 0o020666, 0o010666, 0o140777]) << 16
            archive.writestr(link, "/etc/passwd")
        elif way == 4:
            archive.writestr("dog/lzma.png", PICTURES["PNG"], draw.choice([zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]))
    data = stream.getvalue()
    (folder / "x.zip").write_bytes(damage(data, draw) if way == 5 else data)
    named = {2: "times its size: a bomb", 3: "cat/link.png", 4: "dog/lzma.png"}
    return folder / "x.zip", named.get(way)


def bad_tar(folder: Path, draw: random.Random) -> tuple[Path, str | None]:
    stream, way = io.BytesIO(), draw.randrange(6)
    form = draw.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:

        def add(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, stated: int | None = None) -> None:
            member = tarfile.TarInfo(name)
            member.size, member.type, member.linkname = (
                len(data),
                kind,
                "/etc/passwd" if kind != tarfile.REGTYPE else "",
            )
            if stated is not None:
                member.size = stated
                stream.write(member.tobuf(form))
                archive.offset = stream.tell()
            else:
                archive.addfile(member, io.BytesIO(data))

        for name, data in GOOD.items():
            add(name, data)
        if way == 0:
            add(draw.choice(ESCAPES), PICTURES["PNG"])
        elif way == 1:
            add(f"cat/{draw.choice(ODD_NAMES)}", damage(PICTURES["PNG"], draw))
        elif way == 2:
            add("cat/link.png", kind=draw.choice([b"1", b"2", b"3", b"4", b"6"]))
        elif way == 3:
            add("cat/lie.png", stated=draw.choice([8**11 - 1, 2**62, 1 << 20]))
        elif way == 4:
            add(
                "cat/note",
                kind=draw.choice([b"x", b"L", b"g", b"S", b"K"]),
                stated=draw.choice([2**40, 70_000, 512, 3]),
            )
    data = stream.getvalue()
    if way == 5:
        data = damage(data, draw)
    pack = draw.choice([bytes, gzip.compress, bz2.compress, lzma.compress])
    packed = pack(data)
    (folder / "x.tar").write_bytes(damage(packed, draw) if draw.random() < 0.3 else packed)
    return folder / "x.tar", None


def bad_table(folder: Path, draw: random.Random) -> tuple[Path, str | None]:
    write(folder, GOOD)
    rows = [["file", "label", "split"], *([name, name[:3], "train"] for name in GOOD)]
    way = draw.randrange(9)
    if way == 0:
        rows = [[cell for at, cell in enumerate(row) if at != draw.randrange(3)] for row in rows]
    elif way == 1:
        rows += [
            [draw.choice([*ESCAPES, *ODD_NAMES, "", "gone.png", "cat"]), draw.choice([*ODD_NAMES, ""])]
            for _ in range(9)
        ]
    elif way == 2:
        rows = [
            ["label", *map(str, range(25))],
            *([draw.choice([*ODD_NAMES, "1"]), *map(str, range(draw.randrange(30)))] for _ in "abc"),
        ]
    elif way == 3:
        rows = [
            ["1", *(draw.choice(["nan", "inf", "1e400", "-3", "999", "x", "", "0x10", "1_0"]) for _ in range(25))]
            for _ in "abc"
        ]
    elif way == 4:
        rows += [['"unclosed', "x" * 200_000]]
    elif way == 5:
        rows = [[str(draw.random()) for _ in range(draw.randrange(40))] for _ in range(draw.randrange(9))]
    elif way == 6:
        rows = [["id", "label"], *([str(k), draw.choice(["a", ""])] for k in range(30))]
    text = "\n".join(draw.choice([",", ",", ";", "\t"]).join(row) for row in rows).encode("utf-8", "surrogateescape")
    if way == 7:
        text = draw.choice([b"\xff\xfe", b"\xef\xbb\xbf", b"\xfe\xff", b""]) + draw.randbytes(500)
    elif way == 8:
        text = damage(draw.choice([gzip.compress, bz2.compress, bytes])(text), draw)
    name = draw.choice(["x.csv", "x.tsv", "x.txt", "x"])
    (folder / name).write_bytes(text)
    return folder / name, None


def bad_idx(folder: Path, draw: random.Random) -> tuple[Path, str | None]:
    images = bytes([0, 0, 8, 3]) + struct.pack(">III", 4, 5, 5) + bytes(range(100))
    labels = bytes([0, 0, 8, 1]) + struct.pack(">I", 4) + bytes([0, 1, 2, 3])
    way = draw.randrange(4)
    if way == 0:
        shape = [draw.choice([0, 1, 4, 5, 2**16, 2**31, 2**32 - 1]) for _ in range(draw.randint(1, 4))]
        images = (
            bytes([0, 0, draw.choice([8, 9, 11, 12, 13, 14]), len(shape)])
            + struct.pack(f">{len(shape)}I", *shape)
            + bytes(100)
        )
    elif way == 1:
        images = damage(images, draw)
    elif way == 2:
        labels = damage(labels, draw)
    else:
        images = damage(gzip.compress(images), draw)
    prefix = draw.choice(["", "emnist-letters-", "emnist-byclass-"])
    write(folder, {f"{prefix}train-images-idx3-ubyte": images, f"{prefix}train-labels-idx1-ubyte": labels})
    if draw.random() < 0.3:
        write(folder, {f"{prefix}mapping.txt": damage(b"1 65 97\n2 66 98\n", draw)})
    return draw.choice([folder, folder / f"{prefix}train-images-idx3-ubyte"]), None


class Trap:
    """What a pickle would do, if anybody opened it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.abort, ()  # type: ignore[return-value]


def bad_numpy(folder: Path, draw: random.Random) -> tuple[Path, str | None]:
    kinds = [np.uint8, np.float64, np.complex64, np.int64, "U3", "S2", "M8[s]", bool, [("a", "u1")], np.float16]
    images = np.zeros(
        draw.choice([(4, 5, 5), (4, 25), (4, 7), (0, 5, 5), (4,), (), (4, 3, 5, 5), (4, 1, 1, 1, 1)]),
        draw.choice(kinds),
    )
    labels = np.zeros(draw.choice([4, 4, 4, 3, 0, (4, 1), (4, 2), (2, 2, 2)]), draw.choice(kinds))
    stream, way = io.BytesIO(), draw.randrange(6)
    if way == 0:
        np.savez(stream, images=images, labels=np.array([Trap()] * 4, object))
    elif way == 1:
        np.savez_compressed(
            stream, x_train=images, y_train=labels, x_test=images[:0] if images.ndim else images, y_test=labels
        )
    elif way == 2:
        header = str(
            {
                "descr": draw.choice(["|u1", "<f8", "|O", "<U9", "bad"]),
                "fortran_order": draw.random() < 0.5,
                "shape": tuple(draw.choice([-1, 0, 4, 2**31, 2**62, 10**30]) for _ in range(draw.randrange(5))),
            }
        )
        npy = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + bytes(100)
        (folder / "images.npy").write_bytes(npy)
        np.save(folder / "labels.npy", np.arange(4))
        return folder / "images.npy", None
    elif way == 3:
        (folder / "x.npz").write_bytes(bomb_zip("images.npy", b"\x93NUMPY\1\0"))
        return folder / "x.npz", "a bomb"
    else:
        np.savez(stream, **{draw.choice(["images", "x", "a/b", "..", "train_x"]): images, "labels": labels})
    data = stream.getvalue()
    (folder / "x.npz").write_bytes(damage(data, draw) if way == 5 else data)
    return folder / "x.npz", None


def bad_bytes(folder: Path, draw: random.Random) -> tuple[Path, str | None]:
    starts = [
        b"PK\3\4",
        b"PK\5\6",
        b"\x1f\x8b\x08",
        b"BZh9",
        b"\xfd7zXZ\0",
        b"PAR1",
        b"\x93NUMPY",
        b"\0\0\x08\x03",
        b"\x89HDF",
        b"\x80\4",
        b"",
        b"a,b\n",
        b"MATLAB",
    ]
    endings = ["zip", "tar", "tgz", "csv", "npz", "npy", "parquet", "gz", "png", "pkl", "mat", "txt", ""]
    path = folder / f"x.{draw.choice(endings)}"
    path.write_bytes(draw.choice(starts) + draw.choice([b"", bytes(600), draw.randbytes(draw.randrange(3000))]))
    return draw.choice([folder, path]), None


FAMILIES = [bad_picture, bad_folder, bad_zip, bad_tar, bad_table, bad_idx, bad_numpy, bad_bytes]


def check(path: Path, named: str | None) -> str:
    """Open a source as training would, to the last picture; return what it complained of."""
    try:
        source = open_source(path)
    except InputError as error:
        text = str(error)
        assert text.isprintable(), text
        assert len(text) < 1000, text
        assert named is None or named in text, (named, text)
        return text
    complaints = [f"{one.name}: {one.reason}" for one in source.problems]
    if isinstance(source, Files):
        assert source.items
        good = 0
        for item in source.items:
            assert item.label in source.classes
            try:
                decode(item.read(), mode="RGB", near=(16, 16))
                good += 1
            except (InputError, OSError, ValueError) as error:
                complaints.append(f"{item.name}: {error}")
        assert good or complaints
    else:
        assert isinstance(source, Arrays)
        for images, labels in source.splits.values():
            assert images.dtype == np.uint8
            assert labels.dtype == np.int64
            assert images.shape[:1] == labels.shape
            assert not labels.size or 0 <= labels.min() <= labels.max() < len(source.classes)
    assert all("\n" not in line and "\x1b" not in line for line in complaints), complaints
    assert named is None or any(named in line for line in complaints), (named, complaints)
    return "; ".join(complaints)


def make(
    family: Callable[[Path, random.Random], tuple[Path, str | None]], seed: int, place: Path
) -> tuple[Path, str | None]:
    folder = place / f"{family.__name__}-{seed}"
    folder.mkdir()
    return family(folder, random.Random(f"{family.__name__} {seed}"))


@pytest.mark.filterwarnings("ignore:Duplicate name", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("family", FAMILIES)
def test_bad_sources(family: Callable[[Path, random.Random], tuple[Path, str | None]], tmp_path: Path) -> None:
    complaints = set()
    for seed in range(EACH):
        path, named = make(family, seed, tmp_path)
        try:
            complaints.add(check(path, named))
        except Exception as error:
            raise AssertionError(f"{family.__name__} {seed} at {path}") from error
    assert len(complaints) > 5  # they are bad in many ways, and each is told
    assert EACH * len(FAMILIES) + HEAVY >= 1000


def test_what_may_not_be_read_is_named() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        write(
            folder, {**GOOD, "cat/locked.png": PICTURES["PNG"], "away/x.png": PICTURES["PNG"], "t.csv": b"file,label\n"}
        )
        check(folder, None)
        for name in ("cat/locked.png", "away", "t.csv"):
            (folder / name).chmod(0)
        with nobody():
            said = check(folder, "away")
            assert "cat/locked.png" in said
            assert "permission denied" in said.lower()
            assert "permission denied" in check(folder / "t.csv", "t.csv").lower()
        folder.chmod(0)
        with nobody():
            assert "permission denied" in check(folder, place).lower()
        folder.chmod(0o755)


@contextmanager
def nobody() -> Iterator[None]:
    """Root may read everything: become somebody else for a moment."""
    if os.geteuid():
        yield
        return
    try:
        os.seteuid(65534)
    except OSError:
        pytest.skip("root may read everything, and cannot become somebody else here")
    try:
        yield
    finally:
        os.seteuid(0)


# In a process of its own

HEAVY = 130


def test_memory_and_writing(tmp_path: Path) -> None:
    """Nothing is written, and memory stays small, while sources are opened that would unpack to gigabytes."""
    command = [sys.executable, "-m", "tests.test_hostile_sources", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["opened"] >= HEAVY
    assert said["written"] == []
    assert said["memory"] < MOST_MEMORY, said
    assert {path.name.split("-")[0] for path in tmp_path.iterdir()} >= {"bad_zip", "heavy"}


def heavy(place: Path) -> list[tuple[Path, str | None]]:
    """Sources that would take gigabytes, if anybody unpacked them."""
    zeros = bytes(1 << 24)
    folder = place / "heavy"
    folder.mkdir()
    packed = gzip.compress(zeros) * 32
    layers = bz2.compress(zeros)
    tar = io.BytesIO()
    member = tarfile.TarInfo("cat/1.png")
    member.size = 1 << 38
    tar.write(member.tobuf())
    xz = lzma.compress(zeros, preset=0)
    made = {
        "idx.gz": packed,
        "train-images-idx3-ubyte.gz": gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">III", 30_000, 300, 300))
        + packed,
        "train-labels-idx1-ubyte.gz": gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 30_000)) + packed,
        "tar.gz": gzip.compress(tar.getvalue()) + packed,
        "tar.bz2": bz2.compress(tar.getvalue()) + layers * 64,
        "tar.xz": lzma.compress(tar.getvalue()) + xz * 32,
        "line.csv": b"x" * (20 << 20),
        "line.csv.gz": packed,
        "quotes.csv": b'"' + b"file,label\n" * 1_000_000,
    }
    write(folder, made)
    with zipfile.ZipFile(folder / "zip.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("cat/1.png", "dog/2.png", "cat/3.csv"):
            with archive.open(name, "w", force_zip64=True) as stream:
                for _ in range(8):
                    stream.write(zeros)
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(3_000):
            archive.writestr(f"{'cat' if number % 2 else 'dog'}/{number}.png", b"no picture")
    (folder / "many.zip").write_bytes(many.getvalue())
    return [(path, None) for path in sorted(folder.iterdir())]


def _main(place: Path) -> None:
    written: list[str] = []
    watching = False

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching:
            return
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.append(str(arguments[0]))
        elif event in {
            "os.mkdir",
            "os.rename",
            "os.remove",
            "os.symlink",
            "os.link",
            "subprocess.Popen",
            "socket.connect",
        }:
            written.append(f"{event} {arguments}")

    sources = [make(family, 1000 + seed, place) for family in FAMILIES for seed in range(15)] + heavy(place)
    sys.addaudithook(watch)
    watching = True
    for path, named in sources:
        check(path, named)
    watching = False
    # Not ru_maxrss: it begins with what the process that started this one had.
    status = Path("/proc/self/status").read_text("ascii")
    memory = int(status.split("VmHWM:")[1].split()[0]) * 1024
    sys.stdout.write(json.dumps({"opened": len(sources), "written": written, "memory": memory}))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
