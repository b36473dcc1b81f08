"""Data sets: by name from the package, or made from anybody's own images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from glassnet.datasets.catalogue.mirrors import PUBLISHED
from glassnet.datasets.dataset import SPLITS, Dataset, Source, Split
from glassnet.datasets.embedded import EMBEDDED, EmbeddedSet, load_embedded
from glassnet.datasets.items import Problem
from glassnet.datasets.preparation import Preparation
from glassnet.errors import InputError, UnknownNameError
from glassnet.paths import exists, expanded

__all__ = [
    "EMBEDDED",
    "PUBLISHED",
    "SPLITS",
    "Dataset",
    "EmbeddedSet",
    "Preparation",
    "Problem",
    "Source",
    "Split",
    "check_name",
    "load",
    "load_again",
]


def load(
    name: str | Path,
    preparation: Preparation | None = None,
    *,
    on_progress: Callable[[Any], None] | None = None,
) -> Dataset:
    """Return the data set called `name`, from the package or the catalogue, or one made from images of one's own.

    Only a set of the catalogue is downloaded, once; everything else needs no network. Images of one's own are made into
    their shape once and kept in the user's cache: the next start maps them into memory and decodes no picture, though
    it reads tables of pixels and arrays again. `data.source` says what was found, chosen and left out.

    Args:
        name: "fashion-mnist" or "mnist"; a name of the catalogue (see `glassnet datasets`); or the path of a folder
            with a folder for each class, an archive of one, a table, or arrays (see `glassnet.datasets.sources`).
        preparation: into which shape images of one's own are brought, and how they are divided; not for a set that has
            a name.
        on_progress: is told what has been downloaded (`glassnet.datasets.catalogue.download`), or how many pictures are
            decoded (`glassnet.datasets.blocks.Packing`).

    Raises:
        UnknownNameError: no data set has that name, and nothing is at such a path; the text suggests the nearest.
        InputError: there is nothing usable at that path, or a preparation for a set that has a name.
        DamagedDataError: the installed package, or what was downloaded, is damaged.
        DownloadError: no mirror gave a file.

    Example:
        >>> import glassnet
        >>> data = glassnet.load("mnist")
        >>> data.train.images.shape, int(data.test.labels[0])
        ((60000, 28, 28), 7)
    """
    check_name(name)
    if preparation is not None and str(name) in {**EMBEDDED, **PUBLISHED}:
        raise InputError(
            f"a preparation is for images of your own, and {name} is what it is; leave the preparation out"
        )
    if str(name) in EMBEDDED:
        return load_embedded(str(name))
    if str(name) in PUBLISHED:
        from glassnet.datasets.catalogue.loading import load_catalogued

        return load_catalogued(str(name), on_progress)
    return _load_own(expanded(name), preparation or Preparation(), on_progress)


def load_again(source: dict[str, Any]) -> Dataset:
    """Return the data set that a record of a source (see `Source.record`) came from.

    Raises:
        InputError: it came from arrays, or nothing is at its path any more.
    """
    path = source["path"]
    if not path:
        raise InputError("the data set was made from arrays in Python; pass it as data")
    if not exists(expanded(path)):
        # The path is kept as it was given: runs are handed on, and whole paths tell who has them and where.
        way = "put them back" if Path(path).is_absolute() else "start from the folder in which the run was trained"
        raise InputError(f"the images were at {path}, where nothing is now; {way}, or pass them as data")
    return _load_own(expanded(path), Preparation.from_record(source["preparation"]))


def _load_own(path: Path, preparation: Preparation, on_progress: Callable[[Any], None] | None = None) -> Dataset:
    # Not at the top: looking at an embedded set needs neither Pillow nor SciPy.
    from glassnet.datasets.packed import pack
    from glassnet.datasets.sources.opening import open_source

    return pack(open_source(path), preparation, path=str(path), on_progress=on_progress)


def check_name(name: str | Path) -> None:
    """Raise UnknownNameError unless `name` is a data set or something on the disk; it is not opened."""
    if str(name) not in {**EMBEDDED, **PUBLISHED} and not exists(expanded(name)):
        raise UnknownNameError(
            "data set", name, (*EMBEDDED, *PUBLISHED, "or the path of a folder or file with your own images")
        )
