"""Pictures are decoded once, in parallel, into files of bytes that are mapped into memory.

A pack is a folder in the cache, named after what is in the source and how it is prepared:

    images.u8    the images, one after the other: train, test, validation
    labels.npz   the label of each image, by split
    sizes.npz    its original (width, height)
    names.json   its name in the source
    pack.json    what else a start needs: preparation, counts, problems, SHA-256

It is written beside its place and renamed. What a killed packing leaves behind is removed by the next one, which holds
a lock while it works; a reader needs none. Memory is bounded, whatever the size of the set: images pass in blocks.
"""

import hashlib
import json
import mmap
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet import cache
from glassnet.atomic import new_file, new_folder
from glassnet.datasets.blocks import Block, Packing, blocks, choose, image_names
from glassnet.datasets.catalogue.mirrors import PUBLISHED
from glassnet.datasets.dataset import SPLITS, Dataset, Source, Split, combined_sha256, idx_header
from glassnet.datasets.embedded import EMBEDDED
from glassnet.datasets.items import Arrays, Files, Problem
from glassnet.datasets.preparation import Preparation
from glassnet.datasets.sources.names import clean
from glassnet.datasets.splitting import Sides, choose_sides
from glassnet.errors import InputError, OutputError
from glassnet.locks import held

FORMAT = 3
"""Changes when equal sources and preparations would give other packs: then all are made anew."""

IMAGES, LABELS, SIZES, NAMES, FACTS = "images.u8", "labels.npz", "sizes.npz", "names.json", "pack.json"

DAMAGED = (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile)
"""What reading a damaged pack may raise."""

GROUPS = "--group-by"
"""Name of the problem that groups are in several splits."""

BLOCK_BYTES = 1 << 24
"""Images that are brought into their order at once."""


def pack(
    source: Files | Arrays,
    preparation: Preparation,
    *,
    path: str = "",
    on_progress: Callable[[Packing], None] | None = None,
) -> Dataset:
    """Return a source as a data set, from its pack; the first time, the pack is made.

    Args:
        source: what `open_source` found.
        preparation: how it is prepared.
        path: of the source, as it was given.
        on_progress: is told how many pictures are decoded.

    Raises:
        InputError: there are no images that could be used.
        OutputError: neither the cache nor the folder for temporary files can be written.
    """
    if source.name in {**EMBEDDED, **PUBLISHED}:  # whatever asks for a set by its name must not take one for the other
        source = replace(source, name=f"own-{source.name}")
    where = str(Path(path).absolute()) if path else str(source.path or "")
    content = _content(source, where)
    place = cache.folder("packed", _digest(where or content))
    try:
        return _packed(place, content, source, preparation, path, on_progress)
    except OutputError:  # a cache that is read-only or full: this process packs for itself
        with tempfile.TemporaryDirectory(prefix="glassnet-", ignore_cleanup_errors=True) as folder:
            # What is mapped stays for those who have it mapped, though the folder goes: nothing is left for an exit.
            return _packed(Path(folder), content, source, preparation, path, on_progress)


def _packed(
    place: Path,
    content: str,
    source: Files | Arrays,
    preparation: Preparation,
    path: str,
    on_progress: Callable[[Packing], None] | None,
) -> Dataset:
    """Return a source from its pack; all packs of one path are in the folder `place`."""
    choice = place / f"{content}-{_digest(preparation.record())}.json"
    with suppress(*DAMAGED):  # what cannot be read is made anew
        return _opened(_folder(place, content, Preparation.from_record(json.loads(choice.read_bytes()))), source, path)
    with _locked(place):
        for leftover in place.glob(".*-*"):
            shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(missing_ok=True)
        chosen = choose(source, preparation)
        folder = _folder(place, content, chosen)
        try:
            done = _opened(folder, source, path)  # by another process while this one waited, or so chosen before
        except DAMAGED:
            shutil.rmtree(folder, ignore_errors=True)
            with new_folder(folder) as beside:
                _write(beside, source, chosen, on_progress)
            done = _opened(folder, source, path)
        for name in {choice, place / f"{content}-{_digest(chosen.record())}.json"}:
            with new_file(name) as beside:
                beside.write_text(json.dumps(chosen.record()), "utf-8")
        for old in place.glob("*-*"):
            if not old.name.startswith(content):  # of what the source held earlier
                shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
        return done


def _folder(place: Path, content: str, chosen: Preparation) -> Path:
    return place / f"{content}-{_digest(chosen.record())}"


def _opened(folder: Path, source: Files | Arrays, path: str) -> Dataset:
    """Map the images of a complete pack into memory, and read the rest: the folder is not needed any more.

    Raises:
        OSError, ValueError, TypeError, KeyError, BadZipFile: there is none, or it is damaged.
    """
    facts = json.loads((folder / FACTS).read_bytes())
    preparation, counts = Preparation.from_record(facts["preparation"]), facts["counts"]
    shape = preparation.image_shape
    with (folder / IMAGES).open("rb") as stream:
        view = np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), np.uint8).reshape(-1, *shape)
    labels, sizes = _arrays(folder / LABELS), _arrays(folder / SIZES)
    if len(view) != sum(counts.values()) or {name: len(array) for name, array in labels.items()} != counts:
        raise ValueError(f"{folder} does not hold {counts}")
    splits, start = {}, 0
    for name in SPLITS:
        stop = start + counts[name]
        splits[name] = Split(name, view[start:stop], labels[name])
        start = stop
    problems = (*source.problems, *(Problem(*one) for one in facts["problems"]))
    names = json.loads((folder / NAMES).read_text("utf-8"))
    return Dataset(
        name=source.name,
        classes=source.classes,
        train=splits["train"],
        test=splits["test"],
        known_sha256=facts["sha256"],
        validation=splits["validation"] if counts["validation"] else None,
        source=Source(path, source.form, preparation, problems, names, sizes, folder),
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    # NumPy leaves a file that is no archive open; a stream of one's own is closed in any case.
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        return dict(file)


def _write(
    folder: Path, source: Files | Arrays, chosen: Preparation, on_progress: Callable[[Packing], None] | None
) -> None:
    _check_groups(source, chosen)
    unsorted = folder / "unsorted.u8"
    found: list[Block] = []
    with unsorted.open("wb") as stream:
        for block in blocks(source, chosen, on_progress):
            stream.write(block.images.data)
            found.append(block.without_images())
    labels = np.concatenate([block.labels for block in found])
    names = [name for block in found for name in block.names]
    problems = [problem for block in found for problem in block.problems]
    if len(labels) < 2:
        said = f"; {problems[0].name}: {problems[0].reason}" if problems else ""
        raise InputError(
            f"{len(labels)} of {len(problems) + len(labels)} pictures can be used; pass more of them{said}"
        )
    copies = np.unique(np.concatenate([block.hashes for block in found]), return_inverse=True)[1]
    stated = [split for block in found for split in block.stated]
    sides = choose_sides(labels, copies, [chosen.group_of(name) for name in names], stated, chosen)
    problems[:0] = _parted_groups(sides, chosen)
    problems += [
        Problem(
            source.classes[label],
            "all its images are equal, so that copies of one are in training and in test",
            left_out=False,
        )
        for label in sides.torn
    ]
    orders = _orders(sides, shuffled=isinstance(source, Files), seed=chosen.seed)
    dtype = np.uint8 if len(source.classes) <= 256 else np.int32
    parts = {name: labels[order].astype(dtype) for name, order in orders.items()}
    sha256 = _sort(unsorted, folder / IMAGES, orders, parts, chosen.image_shape)
    unsorted.unlink()
    sizes = np.concatenate([block.sizes for block in found])
    np.savez(folder / LABELS, allow_pickle=False, **parts)
    np.savez(folder / SIZES, allow_pickle=False, **{name: sizes[order] for name, order in orders.items()})
    by_split = {name: [names[row] for row in order] for name, order in orders.items()}
    (folder / NAMES).write_text(json.dumps(by_split, ensure_ascii=True), "utf-8")
    facts = {
        "preparation": chosen.record(),
        "counts": {name: len(order) for name, order in orders.items()},
        "problems": [astuple(one) for one in problems],
        "sha256": sha256,
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=2), "utf-8")


def _check_groups(source: Files | Arrays, chosen: Preparation) -> None:
    """Refuse an expression that groups nothing, before anything is decoded: it would promise what it does not do."""
    if chosen.group_by is None or any(chosen.group_of(name) is not None for name in image_names(source)):
        return
    example = next(image_names(source), "")
    raise InputError(
        f"--group-by {chosen.group_by!r} finds nothing in any name of an image, such as {example!r}; expected an "
        "expression for what the names of a group share: mind capitals, or leave --group-by out"
    )


def _parted_groups(sides: Sides, chosen: Preparation) -> list[Problem]:
    if not sides.parted:
        return []
    shown = clean(", ".join(sides.parted[:5]), 80) + (", …" if len(sides.parted) > 5 else "")
    reason = (
        f"{len(sides.parted):,} groups are in several splits ({shown}), because the source states its splits, which "
        "are used as they are; move each group into one of them"
    )
    return [Problem(GROUPS, reason, left_out=False)]


def _orders(sides: Sides, *, shuffled: bool, seed: int) -> dict[str, np.ndarray]:
    """Return which images are in each split, in the order that they will have.

    Pictures are found class by class, and therefore shuffled; arrays have an order that means something to people.
    """
    generator = np.random.default_rng(seed) if shuffled else None
    return {name: sides.order(SPLITS.index(name), generator) for name in SPLITS}


def _sort(
    unsorted: Path, images: Path, orders: dict[str, np.ndarray], labels: dict[str, np.ndarray], shape: tuple[int, ...]
) -> str:
    """Write the images in their order; return the SHA-256 of the set (as `Dataset.sha256` computes it)."""
    rows = np.memmap(unsorted, np.uint8, "r").reshape(-1, *shape)
    length = max(1, BLOCK_BYTES // int(np.prod(shape)))
    hashes = []
    with images.open("wb") as stream:
        for name, order in orders.items():
            if name == "validation" and not len(order):
                continue
            found = hashlib.sha256(idx_header((len(order), *shape)))
            for start in range(0, len(order), length):
                block = np.ascontiguousarray(rows[order[start : start + length]])
                found.update(block.data)
                stream.write(block.data)
            parts = labels[name].astype(np.uint8)
            hashes += [found.hexdigest(), hashlib.sha256(idx_header(parts.shape) + parts.tobytes()).hexdigest()]
    return combined_sha256(hashes)


def _content(source: Files | Arrays, where: str) -> str:
    """Return a digest of everything in a source that a pack depends on, without reading the pictures.

    The stamps of files are sizes and times, which other files may share: so the place is part of it.
    """
    facts: list[Any] = [FORMAT, where, source.classes]
    if isinstance(source, Files):
        return _digest([*facts, [(one.name, one.label, one.split, one.stamp) for one in source.items]])
    facts += [source.stamp, [(name, one.shape) for name, (one, _) in source.splits.items()]]
    if not source.stamp:
        arrays = [array for pair in source.splits.values() for array in pair]
        facts.append([hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() for array in arrays])
    return _digest(facts)


def _digest(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Inside, no other process packs here; the system takes the lock back from a killed one."""
    try:
        with held(place / "lock", wait=True):
            yield
    except OSError as error:
        raise OutputError(f"cannot write to {place}: {error.strerror or error}; make room there") from error
