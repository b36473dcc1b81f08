"""Photo files, however many, are developed on all cores, one after the other in their order."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from glassnet.errors import PhotoError
from glassnet.photos.development import develop
from glassnet.photos.facts import DataFacts
from glassnet.photos.many import develop_many
from glassnet.photos.steps import Development

PROCESSES = 150
"""From so many photos on, processes develop them: they take a second to start and then do a third more than threads,
of which one at a time runs Python."""

MOST = 8
"""Threads or processes at most, for memory's sake."""


def develop_files(
    files: Sequence[Path], image_shape: tuple[int, ...], facts: DataFacts, *, many: bool = False
) -> Iterator[list[Development] | PhotoError]:
    """Bring photo files into the form of the training images, without the steps' pictures; some are read ahead.

    Args:
        files: of photos.
        image_shape: see `develop`.
        facts: see `develop`.
        many: all drawings of a photo (see `develop_many`), instead of the most prominent one.

    Yields:
        For each file its developments (one, unless all drawings are wanted), or why it cannot be read.
    """
    work = partial(_developed, shape=image_shape, facts=facts, many=many)
    with _pool(len(files)) as pool:
        yield from pool.map(work, files)


def _pool(photos: int) -> Executor:
    workers = min(MOST, os.cpu_count() or 1)
    if photos < PROCESSES:
        return ThreadPoolExecutor(workers)
    # Loky's processes, unlike those of the standard library, do not run the user's script once more.
    from joblib.externals.loky import ProcessPoolExecutor

    try:
        return ProcessPoolExecutor(workers)
    except (OSError, NotImplementedError):  # a system without shared memory or semaphores
        return ThreadPoolExecutor(workers)


def _developed(file: Path, shape: tuple[int, ...], facts: DataFacts, many: bool) -> list[Development] | PhotoError:
    try:
        if many:
            return develop_many(file, shape, facts, watched=False)
        return [develop(file, shape, facts, watched=False)]
    except PhotoError as error:
        return error
