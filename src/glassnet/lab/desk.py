"""The desk: a process of its own that answers questions about runs, so that the pages never wait for a network."""

import gc
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from glassnet.errors import GlassnetError
from glassnet.lab.helpers import Helper, Outgoing

P = ParamSpec("P")
T = TypeVar("T")


class DeskError(GlassnetError):
    """The desk's process ended before it had answered, or the answer failed in a way that nobody foresaw."""


class Desk:
    """Questions to a process that has Keras and the runs in memory. Its methods may be called from any thread.

    Args:
        name: of the process.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._numbers = itertools.count()
        self._open: dict[int, Future[Any]] = {}
        self._lock = threading.RLock()
        self._helper: Helper | None = None
        self._closed = False
        self._asked = time.monotonic()

    def start(self) -> None:
        """Start the process, so that the first question does not wait for Keras."""
        with self._lock:
            if self._helper is None and not self._closed:
                self._helper = Helper(self.name, _answer, self._heard, self._ended)

    def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Ask for what a function returns (see `glassnet.lab.answers`); questions are answered one after the other."""
        answer: Future[T] = Future()
        answer.set_running_or_notify_cancel()  # a tab that closes cannot take its question back, nor trip the listener
        with self._lock:
            self.start()
            self._asked = time.monotonic()
            number = next(self._numbers)
            if self._helper:
                self._helper.send((number, question, args, kwargs))
            self._open[number] = answer
        return answer

    def rest(self, seconds: float) -> None:
        """End the process if nothing was asked for so long; the next question starts another one."""
        with self._lock:
            if self._helper and not self._open and time.monotonic() - self._asked >= seconds:
                self._helper.end()

    def close(self) -> None:
        """End the process; what was not answered never is."""
        with self._lock:
            self._closed = True
            if self._helper:
                self._helper.end()

    def _heard(self, message: tuple[int, bool, Any]) -> None:
        number, good, value = message
        with self._lock:
            answer = self._open.pop(number, None)
        if answer:
            if good:
                answer.set_result(value)
            else:
                answer.set_exception(value)

    def _ended(self, code: int) -> None:
        with self._lock:
            self._helper = None
            lost, self._open = self._open, {}
        for answer in lost.values():
            answer.set_exception(DeskError("the process that answers has ended; ask again, and another one will"))


def _answer(connection: Connection) -> None:
    """Answer what comes through the pipe; runs in the desk's process."""
    from glassnet._keras import keras  # noqa: F401  (the first question shall not wait for it)

    gc.collect()
    gc.freeze()  # what is imported stays; without it, the networks that go are found at once
    send = Outgoing(connection)
    while True:
        number, question, args, kwargs = connection.recv()
        try:
            send((number, True, question(*args, **kwargs)))
        except GlassnetError as error:
            send((number, False, _sendable(error)))
        except MemoryError:
            send((number, False, DeskError("there is not enough memory for this")))
        except Exception as error:
            first = str(error).splitlines()[0] if str(error) else ""
            send((number, False, DeskError(f"{type(error).__name__}: {first}")))


def _sendable(error: GlassnetError) -> GlassnetError:
    """Return an error that survives the pipe: some take other arguments than their text."""
    from glassnet.errors import InputError

    return InputError(str(error))
