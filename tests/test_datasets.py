"""The embedded data: bit-exact, fast after the first load, and unharmed by a damaged or read-only cache."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

import glassnet
from glassnet import Dataset, InputError, Split
from glassnet.datasets import embedded
from glassnet.datasets.dataset import idx_header
from glassnet.errors import DamagedDataError, UnknownNameError

TRAIN_LABELS = "train-labels-idx1-ubyte"


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "glassnet" / "datasets"


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_arrays_are_the_published_files_bit_for_bit(name: str) -> None:
    data = glassnet.load(name)
    arrays = [data.train.images, data.train.labels, data.test.images, data.test.labels]
    for array, file in zip(arrays, embedded.EMBEDDED[name].files, strict=True):
        assert hashlib.sha256(idx_header(array.shape) + array.tobytes()).hexdigest() == file.sha256
    assert data.train.images.shape == (60_000, 28, 28)
    assert data.test.images.shape == (10_000, 28, 28)
    assert np.bincount(data.test.labels).sum() == 10_000
    assert len(data.classes) == 10


def test_published_facts_of_single_images() -> None:
    fashion = glassnet.load("fashion-mnist")
    assert fashion.classes[fashion.train.labels[0]] == "Ankle boot"
    assert glassnet.load("mnist").train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert fashion.train.images[0][5][5] == 0


def test_sha256_of_the_set_is_the_one_computed_from_its_arrays(fashion: Dataset) -> None:
    same = Dataset("copy", fashion.classes, fashion.train, fashion.test)
    assert same.sha256 == fashion.sha256
    assert embedded.EMBEDDED["mnist"].sha256 != fashion.sha256


def test_second_load_maps_the_cached_file(cache: Path) -> None:
    glassnet.load("mnist")
    before = (cache / "mnist" / TRAIN_LABELS).stat().st_mtime_ns
    again = glassnet.load("mnist")
    assert (cache / "mnist" / TRAIN_LABELS).stat().st_mtime_ns == before
    assert not again.train.labels.flags.writeable
    assert [file.name for file in (cache / "mnist").iterdir() if file.name.startswith(".")] == []


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "longer"])
def test_damaged_cache_repairs_itself(cache: Path, damage: str) -> None:
    good = glassnet.load("mnist").train.labels.copy()
    path = cache / "mnist" / TRAIN_LABELS
    stat, raw = path.stat(), bytearray(path.read_bytes())
    if damage == "flip":
        raw[5000] ^= 1
    changed = {"flip": raw, "truncate": raw[:1000], "empty": b"", "longer": raw + b"\0"}[damage]
    path.write_bytes(changed)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # a failing disk leaves no date
    assert np.array_equal(glassnet.load("mnist").train.labels, good)
    assert np.array_equal(glassnet.load("mnist").train.labels, good)
    assert path.stat().st_size == 60_008


def test_cache_that_cannot_be_written_still_loads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")  # a file where a folder should be stops even root
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(glassnet.load("mnist").train) == 60_000


def test_damaged_package_is_found_out(cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for source in (embedded.FOLDER / "mnist").iterdir():
        (tmp_path / "mnist").mkdir(exist_ok=True)
        (tmp_path / "mnist" / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(embedded, "FOLDER", tmp_path)
    target = tmp_path / "mnist" / f"{TRAIN_LABELS}.br"
    good = target.read_bytes()
    for bad in (good[:-10], b"", good[:5000] + bytes([good[5000] ^ 1]) + good[5001:]):
        target.write_bytes(bad)
        with pytest.raises(DamagedDataError, match="reinstall glassnet"):
            glassnet.load("mnist")
    target.unlink()
    with pytest.raises(DamagedDataError, match="reinstall glassnet"):
        glassnet.load("mnist")


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'fashion-mnist'"):
        glassnet.load("fashion_mnist")


@pytest.mark.usefixtures("unchecked")
def test_own_arrays_are_checked(few: Dataset) -> None:
    images, labels = few.train.images, few.train.labels
    with pytest.raises(InputError, match="expected uint8"):
        Split("train", images.astype(np.float32), labels)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="one whole number for each image"):
        Split("train", images, labels[:-1])
    with pytest.raises(InputError, match="with 3 classes they must be 0 to 2"):
        Dataset("own", ("a", "b", "c"), few.train, few.test)
    with pytest.raises(InputError, match="expected one shape"):
        Dataset("own", few.classes, few.train, Split("test", images[:, :20], labels))
    with pytest.raises(InputError, match="numbered 0 to 1999"):
        few.train.at(2000)
    with pytest.raises(InputError, match="numbered 0 to 1999"):
        few.train.at(-1)
