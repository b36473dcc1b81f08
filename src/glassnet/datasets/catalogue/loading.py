"""The catalogue: data sets that are downloaded once, checked, and kept as arrays in the user's cache.

The files lie in `downloads/` of the cache, the arrays made of them in `published/`: these are mapped into memory, so
that the second start is at once. Both are written beside their place and renamed; whatever a killed process leaves
behind is gone on with or made anew.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from glassnet import cache
from glassnet.atomic import new_file, new_folder
from glassnet.datasets.catalogue.download import Listener, Patience, Remote, digest, fetch, is_right
from glassnet.datasets.catalogue.mirrors import PUBLISHED, Published
from glassnet.datasets.catalogue.originals import Original
from glassnet.datasets.dataset import Dataset, Split, combined_sha256, idx_sha256
from glassnet.errors import DamagedDataError, InputError, OutputError, UnknownNameError

FACTS = "facts.json"

FORMAT = 1
"""Changes when the arrays of the cache would be others: then they are made anew."""


def load_catalogued(name: str, on_progress: Listener | None = None, *, patience: Patience | None = None) -> Dataset:
    """Return a data set of the catalogue; the first time, it is downloaded.

    Args:
        name: one of `PUBLISHED`.
        on_progress: is told what arrives and what fails.
        patience: how long servers are waited for.

    Raises:
        UnknownNameError: the catalogue has no such name; the text suggests the nearest.
        DownloadError: no mirror gave a file; the text says how to get it by hand.
        DamagedDataError: a file with the right hash that cannot be read.
        OutputError: the cache cannot be written.
    """
    if name not in PUBLISHED:
        raise UnknownNameError("data set to download", name, PUBLISHED)
    entry = PUBLISHED[name]
    place = cache.folder("published", name)
    if (kept := _kept(place, entry)) is not None:
        return kept
    folder = downloads(entry)
    original = entry.read([fetch(file, folder, on_progress=on_progress, patience=patience) for file in entry.files])
    data = _dataset(entry, original.splits, original.classes)
    try:
        _keep(place, data)
    except OutputError:  # the files are there, the arrays stay in memory
        return data
    return _kept(place, entry) or data


def is_downloaded(name: str) -> bool:
    """Tell whether a data set of the catalogue can be had without a network, by what lies in the cache."""
    entry = PUBLISHED[name]
    if (cache.folder("published", name) / FACTS).exists():
        return True
    return all((downloads(entry) / file.name).exists() for file in entry.files)


def downloads(entry: Published) -> Path:
    """Return the folder where the files of a data set belong."""
    return cache.folder("downloads", entry.folder)


def add_file(path: str | Path) -> tuple[Remote, tuple[str, ...], Path]:
    """Take in a file of the catalogue that was downloaded by hand.

    It is recognised by its hash, whatever it is called; where none is published, by its name and size.

    Args:
        path: the file; it stays where it is.

    Returns:
        Which file it is, the data sets that need it, and where the copy lies.

    Raises:
        InputError: there is no such file, or the catalogue does not know it.
        OutputError: the cache cannot be written.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}; pass one that was downloaded by hand")
    file, names = _recognised(path)
    place = downloads(PUBLISHED[names[0]]) / file.name
    if path.resolve() != place.resolve():
        with new_file(place) as beside:
            shutil.copyfile(path, beside)
    return file, names, place


def missing_files(name: str) -> list[Remote]:
    """Return the files of a data set that are not in the cache, or are damaged there."""
    entry = PUBLISHED[name]
    return [file for file in entry.files if not is_right(downloads(entry) / file.name, file)]


def _recognised(path: Path) -> tuple[Remote, tuple[str, ...]]:
    """Return which file of the catalogue this is, and the data sets that need it."""
    found: dict[Remote, list[str]] = {}
    for name, entry in PUBLISHED.items():
        for file in entry.files:
            found.setdefault(file, []).append(name)
    try:
        size, hashes = path.stat().st_size, {name: digest(path, name) for name in ("sha256", "md5")}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; make it readable") from error
    for file, names in found.items():
        published = ("sha256", file.sha256) if file.sha256 else ("md5", file.md5)
        if published[1]:
            if hashes[published[0]] == published[1]:
                return file, tuple(names)
        elif file.name == path.name and file.size in (None, size):
            return file, tuple(names)
    named = [file for file in found if file.name == path.name]
    if named:
        expected = f"{named[0].size:,} bytes" if named[0].size else f"the MD5 {named[0].md5}"
        raise InputError(
            f"{path} is called like a file of {', '.join(found[named[0]])} but holds something else ({size:,} bytes, "
            f"SHA-256 {hashes['sha256'][:12]}…; expected {expected}); download it again"
        )
    raise InputError(
        f"{path} is no file of the catalogue (by its hash); images of your own need no adding: pass the path, such as "
        "glassnet train cnn --data PATH"
    )


def _dataset(
    entry: Published, arrays: Mapping[str, tuple[np.ndarray, np.ndarray]], classes: tuple[str, ...], sha256: str = ""
) -> Dataset:
    """Make a data set of arrays, if these are what the catalogue says."""
    names = entry.classes or classes
    splits = {name: Split(name, images, labels) for name, (images, labels) in arrays.items()}
    counts = {name: len(split) for name, split in splits.items()}
    if len(names) != entry.class_count or any(counts.get(name) != n for name, n in entry.counts.items()):
        raise DamagedDataError(
            f"the files of {entry.name} hold {counts} images of {len(names)} classes, expected {entry.counts} of "
            f"{entry.class_count}; remove {downloads(entry)} and download them again"
        )
    try:
        return Dataset(entry.name, names, splits["train"], splits["test"], sha256 or None, splits.get("validation"))
    except InputError as error:
        raise DamagedDataError(f"the files of {entry.name} do not fit ({error}); remove {downloads(entry)}") from error


def _keep(place: Path, data: Dataset) -> None:
    """Write the arrays of a data set to the cache."""
    with new_folder(place, replace=True) as beside:
        for split in data.splits:
            np.save(beside / f"{split.name}-images.npy", split.images, allow_pickle=False)
            np.save(beside / f"{split.name}-labels.npy", split.labels, allow_pickle=False)
        sha256 = combined_sha256(
            idx_sha256(array) for split in data.splits for array in (split.images, split.labels.astype(np.uint8))
        )
        facts = {
            "format": FORMAT,
            "splits": [split.name for split in data.splits],
            "classes": list(data.classes),
            "sha256": sha256,
            "bytes": sum(file.stat().st_size for file in beside.glob("*.npy")),
        }
        (beside / FACTS).write_text(json.dumps(facts, indent=2), "utf-8")


def _kept(place: Path, entry: Published) -> Dataset | None:
    """Map the arrays of the cache into memory; None if there are none, or they are damaged."""
    try:
        facts = json.loads((place / FACTS).read_text("utf-8"))
        if facts["format"] != FORMAT or facts["bytes"] != sum(one.stat().st_size for one in place.glob("*.npy")):
            return None
        arrays = {
            name: (
                np.load(place / f"{name}-images.npy", mmap_mode="r", allow_pickle=False),
                np.asarray(np.load(place / f"{name}-labels.npy", allow_pickle=False)),
            )
            for name in facts["splits"]
        }
        return _dataset(entry, arrays, tuple(facts["classes"]), facts["sha256"])
    except (OSError, ValueError, KeyError, TypeError, DamagedDataError):
        return None


__all__ = [
    "PUBLISHED",
    "Original",
    "Published",
    "add_file",
    "downloads",
    "is_downloaded",
    "load_catalogued",
    "missing_files",
]
