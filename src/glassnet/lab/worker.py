"""A worker: a process that stays warm, and trains what it is told, one network after the other."""

import contextlib
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import DivergedError, GlassnetError
from glassnet.lab.helpers import Outgoing
from glassnet.lab.messages import Failed, Finished, Looks, Order, Ready, Steer
from glassnet.training.events import Progress

if TYPE_CHECKING:
    from concurrent.futures import Future

    from glassnet.training.steering import Steering

SECONDS_BETWEEN_LOOKS = 0.125
MOST_TEMPLATES = 32


def main(connection: Connection) -> None:
    """Wait for orders, and steer what is being trained, until the lab is gone."""
    _rehearse()
    send = Outgoing(connection)
    send(Ready())

    from glassnet.training.steering import Steering

    steering = Steering()
    while True:
        message = connection.recv()
        if isinstance(message, Order):
            steering = Steering()
            threading.Thread(target=_train, args=(message, steering, send), daemon=True).start()
        elif isinstance(message, Steer):
            with contextlib.suppress(GlassnetError):  # a number that makes no sense changes nothing
                method = getattr(steering, message.verb)
                method() if message.value is None else method(message.value)


def _rehearse() -> None:
    """Import and compile everything that the first training needs, by a training that is stopped before it starts."""
    import glassnet
    from glassnet.training.steering import Steering

    steering = Steering()
    steering.stop()
    with tempfile.TemporaryDirectory() as folder:
        glassnet.train("baseline", epochs=1, out=Path(folder) / "rehearsal", steering=steering)


def _train(order: Order, steering: "Steering", send: Outgoing) -> None:
    """Train one network, and tell how it goes."""
    from glassnet.training import runner

    tell = _Reporter(order, steering, send)
    try:
        with contextlib.suppress(OSError):  # the lab is gone; the pipe's other thread ends this process
            try:
                if order.resume:
                    run = runner.resume(order.out, on_event=tell, steering=steering, checkpoint_seconds=10)
                else:
                    run = runner.train(
                        order.plan,
                        order.data,
                        seed=order.seed,
                        out=order.out,
                        on_event=tell,
                        steering=steering,
                        checkpoint_seconds=10,
                    )
                send(Finished(order.out, run.passport.test_accuracy, run.passport.seconds.train))
            except GlassnetError as error:
                send(Failed(str(error), isinstance(error, DivergedError)))
            except MemoryError:
                send(Failed("there is not enough memory for this network; make it smaller", diverged=False))
            except Exception as error:
                send(Failed(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", False))
    finally:
        with contextlib.suppress(OSError):
            send(Ready())


class _Reporter:
    """Passes the events of a training on, and now and then what its neurons look like."""

    def __init__(self, order: Order, steering: "Steering", send: Outgoing) -> None:
        self.steering, self.send = steering, send
        self.shape = _image_shape(order.data)
        self.last_look = 0.0

    def __call__(self, event: Any) -> None:
        self.send(event)
        now = time.monotonic()
        if not isinstance(event, Progress) or now - self.last_look >= SECONDS_BETWEEN_LOOKS:
            self.last_look = now
            self.steering.weights().add_done_callback(self._look)

    def _look(self, weights: "Future[list[np.ndarray]]") -> None:
        first = weights.result()[0]
        if first.ndim == 2 and first.shape[0] == self.shape[0] * self.shape[1]:
            templates = first[:, :MOST_TEMPLATES].T.reshape(-1, *self.shape)
            self.send(Looks(np.ascontiguousarray(templates, np.float32), first.shape[1]))


def _image_shape(data: str) -> tuple[int, ...]:
    from glassnet.datasets import EMBEDDED

    return EMBEDDED[data].files[0].shape[1:]
