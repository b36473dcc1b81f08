"""Training data that does not fit into memory goes to the device window by window, in the order of the epoch.

While the device trains on one window, a thread gathers the next from the arrays, which are mapped files. There is
memory for two windows, which the device uses as it is, without a copy. A step takes the same examples, in the same
order, with the same arithmetic as one on data that is on the device as a whole, and therefore leaves the same bits.
"""

import math
import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import jax
import numpy as np

from glassnet._keras import keras
from glassnet.training.batches import Batches
from glassnet.training.mapped import Mapped
from glassnet.training.programs import Extras, Program, loop_program
from glassnet.training.state import State

WINDOW_BYTES = 1 << 25
"""What is gathered at once: large enough to take longer to train on than to gather, small enough to hold several."""

ALIGNMENT = 64
"""Bytes that addresses are multiples of where JAX takes an array of NumPy's as it is; any other it copies."""

SHARE = 0.5
"""Of the memory that is available, data may take so much; more is streamed."""


@dataclass(frozen=True, eq=False)
class Window:
    """A part of an epoch that is on the device, until another one is asked for: then its memory is used again.

    Args:
        data: the examples.
        order: `int32`, the numbers that they have in the whole.
        first: the batch of the epoch that it begins with.
        stop: the batch of the epoch that comes after it.
    """

    data: Any
    order: jax.Array
    first: int
    stop: int


class Whole:
    """All of the data, on the device.

    Args:
        batches: the data.
    """

    def __init__(self, batches: Batches) -> None:
        self.data = jax.device_put(batches.data if batches.rows is None else batches.slice(0, batches.n))
        self.batches = Batches(self.data, batches.n, batches.batch_size)

    def program(self, model: keras.Model, state: State, extras: Extras) -> Program:
        """Return the compiled loop over batches of a window."""
        return loop_program(model, "train", state, self.batches, extras)

    def begin(self, order: np.ndarray, position: int) -> None:
        """Take up an epoch's order of the examples, at a batch of it."""
        self.order = jax.device_put(order)

    def at(self, position: int) -> Window:
        """Return the window that holds a batch of the epoch."""
        return Window(self.data, self.order, 0, self.batches.steps)

    def close(self) -> None:
        """End what runs beside the training."""


class Stream:
    """Data that goes to the device by windows; used as `Whole` is.

    All windows have one shape, so that one program serves them: as many full batches as `window_bytes` hold, and the
    rows of the epoch's smaller last batch. The last window ends where the epoch ends, and so may repeat some rows.

    Args:
        batches: the data; arrays that may be mapped files.
        window_bytes: what may be gathered at once (but at least one batch).
    """

    def __init__(self, batches: Batches, window_bytes: int) -> None:
        self.batches = batches
        batch_bytes = nbytes(batches) // batches.n * batches.batch_size
        self.length = min(batches.full, max(1, window_bytes // max(1, batch_bytes)))
        self.rows = self.length * batches.batch_size + batches.n % batches.batch_size
        self.thread = ThreadPoolExecutor(1, "glassnet-stream")
        self.files = jax.tree.map(Mapped, batches.data)
        self.memory = cycle([jax.tree.map(self._room, batches.data) for _ in range(2)])
        self.order = np.empty(0, np.int32)
        self.window: Window | None = None
        self.next: tuple[int, Future[Window]] | None = None

    def program(self, model: keras.Model, state: State, extras: Extras) -> Program:
        """Return the compiled loop over batches of a window."""
        example = Batches(self.batches.slice(0, self.rows), self.rows, self.batches.batch_size)
        return loop_program(model, "train", state, example, extras, gathered=True)

    def begin(self, order: np.ndarray, position: int) -> None:
        """Take up an epoch's order of the examples, at a batch of it; of the same order, what is there stays."""
        if order is not self.order:
            self.order, self.window, self.next = order, None, None
            self._gather_ahead(self._first(position))

    def at(self, position: int) -> Window:
        """Return the window that holds a batch of the epoch, and let the next one be gathered."""
        if self.window is None or not self.window.first <= position < self.window.stop:
            first = self._first(position)
            if self.next is None or self.next[0] != first:
                self._gather_ahead(first)
            assert self.next is not None  # noqa: S101  (for the type checker)
            self.window, self.next = self.next[1].result(), None
            if self.window.stop < self.batches.steps:
                self._gather_ahead(self._first(self.window.stop))
        return self.window

    def close(self) -> None:
        """End what runs beside the training."""
        self.thread.shutdown(cancel_futures=True)
        self.window = self.next = None
        jax.tree.map(Mapped.close, self.files)

    def _room(self, array: np.ndarray) -> np.ndarray:
        """Return memory for the rows of a window, placed so that the device takes it without a copy."""
        shape = (self.rows, *array.shape[1:])
        size = math.prod(shape) * array.dtype.itemsize
        room = np.empty(size + ALIGNMENT, np.uint8)
        start = -room.ctypes.data % ALIGNMENT
        return room[start : start + size].view(array.dtype).reshape(shape)

    def _first(self, position: int) -> int:
        """Return the first batch of the window that holds a batch."""
        return min(position // self.length * self.length, self.batches.full - self.length)

    def _gather_ahead(self, first: int) -> None:
        self.next = first, self.thread.submit(self._gather, self.order, first)

    def _gather(self, order: np.ndarray, first: int) -> Window:
        start = first * self.batches.batch_size
        rows = order[start : start + self.rows]
        places = self.batches.places(rows)
        last = first + self.length == self.batches.full
        jax.tree.map(lambda file: file.read_ahead(places), self.files)
        # The rows are valid; "raise", the default, would gather into memory of its own first and copy from there.
        data = jax.tree.map(
            lambda array, room: np.take(array, places, axis=0, out=room, mode="clip"),
            self.batches.data,
            next(self.memory),  # of the window before the one that is in use: nobody has that any more
        )
        return Window(
            jax.block_until_ready(jax.device_put(data)),
            jax.device_put(rows),
            first,
            self.batches.steps if last else first + self.length,
        )


def feed(batches: Batches, memory_limit: int | None = None) -> Whole | Stream:
    """Return the data as training takes it: all of it on the device, or streamed.

    Args:
        batches: the data.
        memory_limit: bytes from which on it is streamed; half of the memory that is available if None.
    """
    if any(isinstance(array, jax.Array) for array in jax.tree.leaves(batches.data)):
        return Whole(batches)  # it is on the device already
    small = fits(nbytes(batches), memory_limit) or batches.full < 2
    return Whole(batches) if small else Stream(batches, WINDOW_BYTES)


def nbytes(batches: Batches) -> int:
    """Return the size of all examples."""
    return sum(array.nbytes // len(array) * batches.n for array in jax.tree.leaves(batches.data))


def fits(size: int, memory_limit: int | None = None) -> bool:
    """Tell whether so many bytes of data are put on the device as a whole (see `feed`)."""
    return size <= (max(SHARE * available_memory(), WINDOW_BYTES) if memory_limit is None else memory_limit)


def available_memory() -> float:
    """Return how many bytes this process can have: what is free now, and at most the limits that are set to it.

    Of the limits of its control group and its own, what it has already taken is not subtracted: most of that is copies
    of files, which go when memory is needed.
    """
    found: list[float] = [float("inf"), _free_on_windows()]
    with suppress(OSError, ValueError, AttributeError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        found.append(int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) * 1024)
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            base, name = ("memory", "memory.limit_in_bytes") if controllers == "memory" else ("", "memory.max")
            for folder in (f"/sys/fs/cgroup/{base}", f"/sys/fs/cgroup/{base}{group}"):
                with suppress(OSError, ValueError):  # "max" is no number
                    found.append(int((Path(folder) / name).read_text("ascii")))
    with suppress(ImportError):
        import resource

        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            limit = resource.getrlimit(kind)[0]
            if limit != resource.RLIM_INFINITY:
                found.append(limit)
    return min(found)


def _free_on_windows() -> float:
    """Return the physical memory that Windows says is free; elsewhere, it knows of no bound."""
    if sys.platform != "win32":
        return float("inf")
    import ctypes

    class MemoryStatus(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API: two numbers of 32 bits, then seven of 64, the second what is free."""

        _fields_ = [("length", ctypes.c_uint32), ("load", ctypes.c_uint32), ("bytes", ctypes.c_uint64 * 7)]

    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    known = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return float(status.bytes[1]) if known else float("inf")
