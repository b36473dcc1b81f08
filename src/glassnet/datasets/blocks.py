"""The pictures of a source, decoded and brought into one shape, block by block; the blocks are made in parallel.

Threads, because Pillow decodes and scales without Python's lock, and hashing does, too. At most a few blocks are in
memory at a time. A picture that cannot be read becomes a problem and leaves the others alone.
"""

import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image as Picture

from glassnet.datasets.decoding import decode, is_coloured, measure
from glassnet.datasets.items import Arrays, Files, Item, Problem
from glassnet.datasets.preparation import Preparation
from glassnet.errors import InputError

SAMPLE = 200
"""Pictures that are looked at to choose what is left open."""

LENGTH, BYTES = 128, 1 << 22
"""Of a block, at most: pictures, and bytes of its images."""

ENCODED_BYTES = 1 << 23
"""Bytes of the files of a block that is read before it is decoded, from which on it ends."""


@dataclass(frozen=True)
class Packing:
    """Some pictures more are decoded.

    Args:
        name: of the data set.
        done: pictures so far.
        total: pictures in all.
    """

    name: str
    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Block:
    """Some pictures of a source that could be used.

    Args:
        images: `uint8 (n, height, width[, 3])`.
        labels: the class number of each.
        names: its name in the source.
        stated: the split that the source states for it.
        sizes: its original (width, height), `int32 (n, 2)`.
        hashes: of its pixels, `uint64 (n,)`; equal for equal images.
        problems: the pictures that could not be used.
    """

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    stated: tuple[str | None, ...]
    sizes: np.ndarray
    hashes: np.ndarray
    problems: tuple[Problem, ...] = ()

    def without_images(self) -> "Block":
        """Return what is known of the images, without them."""
        return replace(self, images=self.images[:0].copy())


def choose(source: Files | Arrays, preparation: Preparation) -> Preparation:
    """Fill in what the preparation leaves open, by a sample of the pictures.

    Raises:
        InputError: none of them can be read.
    """
    if preparation.size is not None and preparation.colour != "auto":
        return preparation
    if isinstance(source, Arrays):
        shapes = [(images.shape[2], images.shape[1]) for images, _ in source.splits.values() if len(images)]
        samples = [images[:: max(1, len(images) // SAMPLE)] for images, _ in source.splits.values() if images.ndim == 4]
        colours = [is_coloured(image) for sample in samples for image in sample]
        return preparation.chosen(shapes or [(1, 1)], sum(colours) / max(1, len(colours)))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sample = source.items[:: max(1, len(source.items) // SAMPLE)]
        measured = map if source.in_turn else pool.map
        found = [one for one in measured(_measured, sample) if one]
        for start in range(0, len(source.items), SAMPLE):  # perhaps the others are better
            if found:
                break
            found = [one for one in measured(_measured, source.items[start : start + SAMPLE]) if one]
    if not found:
        raise InputError(f"none of the {len(source.items)} pictures in {source.path} can be read; {_first(source)}")
    return preparation.chosen([size for size, _ in found], sum(colour for _, colour in found) / len(found))


def image_names(source: Files | Arrays) -> Iterator[str]:
    """Yield the name of every image of a source, in its order: its path, or its number in an array."""
    if isinstance(source, Files):
        yield from (item.name for item in source.items)
        return
    for split, (images, _) in source.splits.items():
        yield from _numbered(split, range(len(images)))


def blocks(
    source: Files | Arrays, preparation: Preparation, on_progress: Callable[[Packing], None] | None = None
) -> Iterator[Block]:
    """Decode all pictures of a source, in its order.

    Args:
        source: what `open_source` found.
        preparation: how images are made, with everything chosen.
        on_progress: is called after every block.
    """
    workers = os.cpu_count() or 1
    total = len(source.items) if isinstance(source, Files) else sum(len(one) for one, _ in source.splits.values())
    waiting: deque[Future[Block]] = deque()
    done = 0
    with ThreadPoolExecutor(workers) as pool:
        try:
            for task in _tasks(source, preparation):
                waiting.append(pool.submit(task))
                if len(waiting) > 2 * workers:
                    block = waiting.popleft().result()
                    yield block
                    done += len(block.labels) + len(block.problems)
                    if on_progress:
                        on_progress(Packing(source.name, done, total))
            while waiting:
                yield waiting.popleft().result()
            if on_progress:
                on_progress(Packing(source.name, total, total))
        finally:
            pool.shutdown(cancel_futures=True)


def _tasks(source: Files | Arrays, preparation: Preparation) -> Iterator[Callable[[], Block]]:
    length = min(LENGTH, max(1, BYTES // math.prod(preparation.image_shape)))
    if isinstance(source, Files):
        numbers = {name: number for number, name in enumerate(source.classes)}
        for items in _in_blocks(source, length):
            yield lambda items=items: _decoded(items, numbers, preparation)
        return
    for split, (images, labels) in source.splits.items():
        for start in range(0, len(images), length):
            part = slice(start, start + length)
            yield lambda split=split, start=start, pixels=images[part], classes=labels[part]: _shaped(
                split, start, pixels, classes, preparation
            )


def _in_blocks(source: Files, length: int) -> Iterator[Sequence[Item]]:
    """Yield the pictures in blocks; those that are read in turn are read here, and not by threads on several blocks."""
    if not source.in_turn:
        yield from (source.items[start : start + length] for start in range(0, len(source.items), length))
        return
    block: list[Item] = []
    size = 0
    for item in source.items:
        held, number = _held(item)
        block.append(held)
        size += number
        if len(block) == length or size >= ENCODED_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _held(item: Item) -> tuple[Item, int]:
    """Return a picture with its bytes in memory, or with what reading them raised; and how many there are."""
    try:
        data = item.read()
    except Exception as error:  # as in _decoded, which names it
        return replace(item, read=partial(_fail, error)), 0
    return replace(item, read=lambda: data), len(data)


def _fail(error: Exception) -> bytes:
    raise error


def _decoded(items: Sequence[Item], numbers: dict[str, int], preparation: Preparation) -> Block:
    shape = preparation.image_shape
    mode = "L" if len(shape) == 2 else "RGB"
    images = np.empty((len(items), *shape), np.uint8)
    used, sizes, problems = [], [], []
    for item in items:
        try:
            data = item.read()
            picture = decode(data, mode=mode, near=(shape[1], shape[0]))
            images[len(used)] = preparation.image(picture)
            sizes.append(picture.info.get("original_size", picture.size))
        except Exception as error:  # archives and tables raise many kinds for damaged members
            problems.append(Problem(item.name, _said(error)))
        else:
            used.append(item)
    images = images[: len(used)]
    return Block(
        images,
        np.array([numbers[item.label] for item in used], np.int64),
        tuple(item.name for item in used),
        tuple(item.split for item in used),
        np.array(sizes, np.int32).reshape(-1, 2),
        _hashes(images),
        tuple(problems),
    )


def _shaped(split: str, start: int, pixels: np.ndarray, labels: np.ndarray, preparation: Preparation) -> Block:
    if pixels.shape[1:] == preparation.image_shape:
        images = np.ascontiguousarray(pixels)
    else:
        images = np.stack([preparation.image(Picture.fromarray(image)) for image in pixels])
    n = len(images)
    return Block(
        images,
        labels.astype(np.int64),
        tuple(_numbered(split, range(start, start + n))),
        (split or None,) * n,
        np.tile(np.array(pixels.shape[2:0:-1], np.int32), (n, 1)),
        _hashes(images),
    )


def _numbered(split: str, numbers: range) -> Iterator[str]:
    return (f"{split or 'image'} {number}" for number in numbers)


def _hashes(images: np.ndarray) -> np.ndarray:
    digests = (hashlib.blake2b(image, digest_size=8).digest() for image in images)
    return np.frombuffer(b"".join(digests), np.uint64)


def _measured(item: Item) -> tuple[tuple[int, int], bool] | None:
    try:
        return measure(item.read())
    except Exception:  # as in _decoded; packing says what is wrong with it
        return None


def _first(source: Files) -> str:
    try:
        decode(source.items[0].read(), mode="L")
    except Exception as error:  # as in _decoded
        return f"{source.items[0].name}: {_said(error)}"
    return "pass another folder or file"


def _said(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
