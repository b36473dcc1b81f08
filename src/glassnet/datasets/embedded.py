"""The data sets inside the wheel: complete, bit-exact, no network.

Each IDX file of MNIST and Fashion-MNIST is in the package as Brotli (see scripts/embed_data.py for the measurements).
The first load unpacks it into the user's cache, verified by SHA-256 and written atomically; later loads map that copy
into memory and check its CRC-32, which takes a tenth of the time. A damaged copy is made anew; where the cache cannot
be written, the arrays simply stay in memory.
"""

import hashlib
import mmap
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glassnet import cache
from glassnet.atomic import new_file
from glassnet.datasets.dataset import Dataset, Split, combined_sha256, idx_header
from glassnet.errors import DamagedDataError, OutputError

FOLDER = Path(__file__).with_name("data")


@dataclass(frozen=True)
class IdxFile:
    """One IDX file as its authors published it: unsigned bytes behind a header that gives the shape."""

    name: str
    shape: tuple[int, ...]
    sha256: str
    crc32: int


@dataclass(frozen=True)
class EmbeddedSet:
    """What is known of a data set before it is read.

    Args:
        title: its name in prose.
        about: one line: what the pictures show.
        classes: names of the classes.
        licence: under which it may be handed on.
        credit: who made it.
        files: train images, train labels, test images, test labels.
    """

    title: str
    about: str
    classes: tuple[str, ...]
    licence: str
    credit: str
    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]

    @property
    def sha256(self) -> str:
        """One hash for the whole set (see `Dataset.sha256`)."""
        return combined_sha256(file.sha256 for file in self.files)

    def packed_bytes(self, name: str) -> int:
        """What the set takes in the package."""
        return sum((FOLDER / name / f"{file.name}.br").stat().st_size for file in self.files)


def _files(*facts: tuple[str, int]) -> tuple[IdxFile, IdxFile, IdxFile, IdxFile]:
    train_images, train_labels, test_images, test_labels = facts
    return (
        IdxFile("train-images-idx3-ubyte", (60_000, 28, 28), *train_images),
        IdxFile("train-labels-idx1-ubyte", (60_000,), *train_labels),
        IdxFile("t10k-images-idx3-ubyte", (10_000, 28, 28), *test_images),
        IdxFile("t10k-labels-idx1-ubyte", (10_000,), *test_labels),
    )


EMBEDDED = {
    "fashion-mnist": EmbeddedSet(
        title="Fashion-MNIST",
        about="grayscale pictures of clothes, shoes and bags",
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        licence="MIT",
        credit="Zalando SE: Han Xiao, Kashif Rasul, Roland Vollgraf (2017)",
        files=_files(
            ("c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 3035799336),
            ("bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 1947878999),
            ("5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 1737482417),
            ("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 2148805663),
        ),
    ),
    "mnist": EmbeddedSet(
        title="MNIST",
        about="grayscale scans of handwritten digits",
        classes=tuple("0123456789"),
        licence="CC BY-SA 3.0",
        credit="Yann LeCun, Corinna Cortes, Christopher J. C. Burges (1998)",
        files=_files(
            ("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 3925137587),
            ("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 3771419346),
            ("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 2436316127),
            ("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 1253699577),
        ),
    ),
}


def load_embedded(name: str) -> Dataset:
    """Return an embedded data set; its arrays are read-only.

    Raises:
        DamagedDataError: a file in the package does not have its published SHA-256.
    """
    facts = EMBEDDED[name]
    with ThreadPoolExecutor(2) as pool:
        arrays = list(pool.map(lambda file: _array(name, file), facts.files))
    return Dataset(
        name=name,
        classes=facts.classes,
        train=Split("train", arrays[0], arrays[1]),
        test=Split("test", arrays[2], arrays[3]),
        known_sha256=facts.sha256,
    )


def _array(name: str, file: IdxFile) -> np.ndarray:
    path = cache.folder("datasets", name, file.name)
    if (mapped := _mapped(path, file)) is not None:
        return mapped
    raw = _unpacked(FOLDER / name / f"{file.name}.br", file)
    try:
        with new_file(path) as beside:
            beside.write_bytes(raw)
    except OutputError:
        return _body(raw, file)
    mapped = _mapped(path, file)
    return _body(raw, file) if mapped is None else mapped


def _mapped(path: Path, file: IdxFile) -> np.ndarray | None:
    """Map the cached copy into memory; None if there is none or it is damaged."""
    try:
        with path.open("rb") as stream:
            view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # mmap refuses an empty file with a ValueError
        return None
    return _body(view, file) if zlib.crc32(view) == file.crc32 else None


def _unpacked(path: Path, file: IdxFile) -> bytes:
    import brotli  # only the first load of a data set needs it

    try:
        raw = brotli.decompress(path.read_bytes())
    except (OSError, brotli.error) as error:
        raise DamagedDataError(f"the embedded file {path} cannot be read ({error}); reinstall glassnet") from error
    if hashlib.sha256(raw).hexdigest() != file.sha256:
        raise DamagedDataError(f"the embedded file {path} does not have its published SHA-256; reinstall glassnet")
    return raw


def _body(raw: bytes | mmap.mmap, file: IdxFile) -> np.ndarray:
    return np.frombuffer(raw, np.uint8, offset=len(idx_header(file.shape))).reshape(file.shape)
