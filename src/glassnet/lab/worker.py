"""A worker: a process that stays warm, and trains what it is told, one network after the other."""

import contextlib
import gc
import os
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import DivergedError, GlassnetError
from glassnet.lab.counting import count_answers, images_to_count
from glassnet.lab.helpers import Outgoing
from glassnet.lab.messages import Counts, Failed, Finished, Looks, Opened, Order, Ready, Steer
from glassnet.lab.weights import first_weights
from glassnet.training.events import Progress

if TYPE_CHECKING:
    from concurrent.futures import Future

    from glassnet.datasets import Dataset
    from glassnet.training.steering import Steering

SECONDS_BETWEEN_LOOKS = 0.125
MOST_TEMPLATES = 32
SECONDS_BETWEEN_COUNTS = 0.5


NICENESS = 5
"""Trainings give way to the pages: a click needs little of a core, but at once."""


def main(connection: Connection) -> None:
    """Wait for orders, and steer what is being trained, until the lab is gone."""
    if hasattr(os, "nice"):  # Windows has none
        os.nice(NICENESS)
    _rehearse()
    gc.collect()
    gc.freeze()  # what is imported stays; without it, the networks that go are found at once
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
    from glassnet.lab.looks import loaded
    from glassnet.lab.shelf import data_of_unfinished
    from glassnet.training import runner

    try:
        with contextlib.suppress(OSError):  # the lab is gone; the pipe's other thread ends this process
            try:
                # Once for all trainings: each load maps the files anew.
                data = data_of_unfinished(order.out) if order.resume else loaded(order.data)
                send(Opened(data.classes, (data.validation or data.test).name))
                tell = _Reporter(order, data, steering, send)
                if order.resume:
                    run = runner.resume(order.out, data, on_event=tell, steering=steering, checkpoint_seconds=10)
                else:
                    run = runner.train(
                        order.plan,
                        data,
                        seed=order.seed,
                        out=order.out,
                        on_event=tell,
                        steering=steering,
                        checkpoint_seconds=10,
                        snapshots=_fits_snapshots(order, data),
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
    """Passes the events of a training on, and now and then what its neurons look like, and what it takes for what."""

    def __init__(self, order: Order, data: "Dataset", steering: "Steering", send: Outgoing) -> None:
        self.plan, self.data, self.steering, self.send = order.plan, data, steering, send
        self.shape = data.train.images.shape[1:]
        self.last_look = 0.0
        self.next_count = time.monotonic() + SECONDS_BETWEEN_COUNTS / 2  # the first pictures come first
        self.counted = images_to_count(self.plan, self.shape, len(data.classes))

    def __call__(self, event: Any) -> None:
        self.send(event)
        now = time.monotonic()
        if not isinstance(event, Progress) or now - self.last_look >= SECONDS_BETWEEN_LOOKS:
            self.last_look = now
            self.steering.weights().add_done_callback(self._look)

    def _look(self, weights: "Future[list[np.ndarray]]") -> None:
        values = weights.result()
        templates = first_weights(values, self.shape)
        if templates is not None:
            self.send(Looks(templates[:MOST_TEMPLATES], len(templates)))
        if self.counted and time.monotonic() >= self.next_count:
            self.next_count = time.monotonic() + SECONDS_BETWEEN_COUNTS
            self.send(Counts(count_answers(self.plan, values, self.data, self.counted)))


def _fits_snapshots(order: Order, data: "Dataset") -> bool:
    from glassnet.training.snapshots import MOST_BYTES

    return 4 * order.plan.parameters(data.train.images.shape[1:], len(data.classes)) <= MOST_BYTES
