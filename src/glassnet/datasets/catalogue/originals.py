"""Files as the authors of data sets publish them, read into arrays: IDX, NPZ, CIFAR's binary form, SVHN's MATLAB form.

Every reader takes the files of a data set and returns its splits. Nothing is unpickled, nothing is unpacked to disk.
"""

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glassnet.datasets.sources.idx import read_numbers
from glassnet.errors import DamagedDataError

Splits = dict[str, tuple[np.ndarray, np.ndarray]]
"""Images and labels under "train", "test" and, where there is one, "validation"."""

MOST_BYTES = 2 << 30
"""No published array is larger."""

DAMAGED = (
    OSError, EOFError, ValueError, KeyError, IndexError, TypeError, NotImplementedError, zlib.error, tarfile.TarError,
    zipfile.BadZipFile,
)  # fmt: skip
"""What readers raise on files that are not what they should be."""


@dataclass(frozen=True)
class Original:
    """What was read.

    Args:
        splits: images `uint8 (n, height, width[, 3])` and labels `uint8 (n,)`.
        classes: the names of the classes, where the files hold them.
    """

    splits: Splits
    classes: tuple[str, ...] = ()


def read_idx(paths: Sequence[Path]) -> Original:
    """Read four gzip files: training images and labels, test images and labels.

    Labels may have columns (QMNIST's, whose first one is the class).
    """
    arrays = [_idx_file(path) for path in paths]
    return Original({"train": _pair(paths[0], *arrays[:2]), "test": _pair(paths[2], *arrays[2:])})


def read_emnist(paths: Sequence[Path], *, part: str, first: int) -> Original:
    """Read a part of EMNIST from its zip; its images are stored transposed.

    Args:
        paths: the zip.
        part: "letters", "balanced", …
        first: the smallest label, which becomes 0.
    """
    with _explained(paths[0]), zipfile.ZipFile(paths[0]) as archive:
        splits: Splits = {}
        for split in ("train", "test"):
            arrays = []
            for kind in ("images-idx3", "labels-idx1"):
                name = f"gzip/emnist-{part}-{split}-{kind}-ubyte.gz"
                with archive.open(name) as packed, gzip.open(packed) as stream:
                    arrays.append(read_numbers(stream))
            images, labels = arrays
            splits[split] = _pair(paths[0], images.transpose(0, 2, 1), labels - np.uint8(first))
        return Original(splits)


def read_cifar(paths: Sequence[Path], *, label_bytes: int, names: str) -> Original:
    """Read CIFAR's binary form: records of label bytes and 3,072 pixels, red, then green, then blue.

    Args:
        paths: the tar.
        label_bytes: before the pixels of each image; the last one is the class.
        names: the member that holds the names of the classes.
    """
    with _explained(paths[0]), tarfile.open(paths[0], "r:gz") as archive:
        found: dict[str, list[np.ndarray]] = {"train": [], "test": []}
        classes: tuple[str, ...] = ()
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            name = Path(member.name).name
            if stream is None or member.size > MOST_BYTES:
                continue
            if name == names:
                classes = tuple(stream.read(1 << 16).decode("ascii").split())
            elif name.endswith(".bin"):
                records = np.frombuffer(stream.read(), np.uint8).reshape(-1, label_bytes + 3072)
                found["test" if name.startswith("test") else "train"].append(records)
        splits: Splits = {}
        for split, parts in found.items():
            records = np.concatenate(parts)
            images = records[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            splits[split] = _pair(paths[0], images, records[:, label_bytes - 1])
        return Original(splits, classes)


def read_svhn(paths: Sequence[Path]) -> Original:
    """Read SVHN's MATLAB files, training and test; the digit 0 is stored as 10."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    splits: Splits = {}
    for split, path in zip(("train", "test"), paths, strict=True):
        with _explained(path):
            try:
                arrays = loadmat(path, variable_names=["X", "y"])
            except MatReadError as error:
                raise ValueError(str(error)) from error
            splits[split] = _pair(path, arrays["X"].transpose(3, 0, 1, 2), arrays["y"].reshape(-1) % 10)
    return Original(splits)


def read_medmnist(paths: Sequence[Path]) -> Original:
    """Read MedMNIST's NPZ: `train_images`, `train_labels`, and so on for `val` and `test`."""
    names = {"train": "train", "test": "test", "validation": "val"}
    with _explained(paths[0]), np.load(paths[0], allow_pickle=False) as file:
        return Original(
            {
                split: _pair(paths[0], file[f"{name}_images"], file[f"{name}_labels"].reshape(-1))
                for split, name in names.items()
            }
        )


def _pair(path: Path, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels in their final form, after a look at both."""
    labels = labels[:, 0] if labels.ndim == 2 else labels
    fit = images.dtype == np.uint8 and images.ndim in (3, 4) and labels.shape == images.shape[:1]
    if not fit or not len(labels) or labels.min() < 0 or labels.max() > 255:
        raise DamagedDataError(
            f"{path} holds images {images.dtype} {images.shape} and labels {labels.shape}, which do not fit; "
            "remove the file, so that it is downloaded again"
        )
    return np.ascontiguousarray(images), labels.astype(np.uint8)


def _idx_file(path: Path) -> np.ndarray:
    with _explained(path), gzip.open(path) as stream:
        return read_numbers(stream)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what readers raise on damaged files into one line."""
    try:
        yield
    except DAMAGED as error:
        raise DamagedDataError(
            f"{path} cannot be read ({' '.join(str(error).split()) or type(error).__name__}); remove it, so that it is "
            "downloaded again"
        ) from error
