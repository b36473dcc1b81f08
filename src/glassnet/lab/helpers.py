"""Helper: a process of its own at the other end of a pipe, that ends when the lab ends, however it ends."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from queue import SimpleQueue
from typing import Any


class Helper:
    """A process that runs `main(connection)`; what it sends is heard, and what it is sent is written, in threads.

    Args:
        name: of the process.
        main: a function of a module that can be imported; it runs in the new process.
        on_message: is called with everything that it sends.
        on_end: is called once, when the process has ended, with how: its exit code, negative for a signal.
    """

    def __init__(
        self,
        name: str,
        main: Callable[[Connection], None],
        on_message: Callable[[Any], None],
        on_end: Callable[[int], None],
    ) -> None:
        # spawn: a fork of a process with threads may hang, and JAX has many.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_begin, args=(main, theirs), name=name, daemon=True)
        self._process.start()
        theirs.close()
        self._on_message, self._on_end = on_message, on_end
        self._outbox: SimpleQueue[memoryview | None] = SimpleQueue()  # None is the last
        self._writer = threading.Thread(target=self._write, name=f"{name}-writer", daemon=True)
        self._writer.start()
        threading.Thread(target=self._listen, name=f"{name}-listener", daemon=True).start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid or 0

    def send(self, message: Any) -> None:
        """Send something, without waiting; if the process has ended, nothing happens here, and `on_end` tells.

        A process that is busy does not read, and then a pipe takes no more: who waited here with a lock would stop
        the listener too, and with it the process, for good.
        """
        self._outbox.put(ForkingPickler.dumps(message))  # what cannot be sent fails here, where it is passed

    def end(self) -> None:
        """End the process at once."""
        self._process.kill()

    def _listen(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                break
            self._on_message(message)
        self._process.join()
        self._outbox.put(None)
        self._writer.join()  # not for long: nobody has the other end any more, so that writing fails
        self._connection.close()
        self._on_end(self._process.exitcode or 0)

    def _write(self) -> None:
        while (message := self._outbox.get()) is not None:
            with contextlib.suppress(OSError, ValueError):
                self._connection.send_bytes(message)


def _begin(main: Callable[[Connection], None], connection: Connection) -> None:
    """Run in the new process, until the pipe is closed at the other end."""
    # Ctrl-C goes to every process of the terminal; the lab decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with contextlib.suppress(EOFError, BrokenPipeError):
            main(connection)
    finally:
        os._exit(0)  # other threads may still train; there is nobody left to train for


class Outgoing:
    """The sending end of a pipe, for several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, threading.Lock()

    def __call__(self, message: Any) -> None:
        """Send something.

        Raises:
            OSError: the other end is gone.
        """
        with self._lock:
            self._connection.send(message)
