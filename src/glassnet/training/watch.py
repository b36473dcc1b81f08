"""A watch over a training: keeps what the passport needs, ends what has diverged, and answers Ctrl-C."""

import math
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from glassnet.errors import DivergedError
from glassnet.runs import Interruption
from glassnet.training.events import EpochEnded, Event, LearningRateChanged, Listener, Progress, TrainingStarted

if TYPE_CHECKING:
    import keras


class Watch:
    """Listens to one training, and passes its events on.

    Args:
        model: what is trained.
        listener: who else listens.

    Attributes:
        complete_epochs: those that went to their end, with what was done before a kill.
        rates: the learning rates that were set by hand.
    """

    def __init__(self, model: "keras.Model", listener: Listener | None) -> None:
        self.model, self.listener = model, listener
        self.compile_seconds = 0.0
        self.epochs = 0
        self.complete_epochs = 0
        self.rates: list[LearningRateChanged] = []
        self.logs: dict[str, float] = {}
        self.last: Progress | None = None
        self.stopped = False

    def __call__(self, event: Event) -> None:
        """Take note of an event.

        Raises:
            DivergedError: the loss is no longer a number.
        """
        if isinstance(event, TrainingStarted):
            self.compile_seconds = event.compile_seconds
            self.epochs, self.complete_epochs = event.epochs, event.first_epoch
            self.last = Progress(event.first_epoch, 0, event.steps, {}, 0.0)
            if self.stopped:  # while it waited for its turn or was compiled; `fit` begins as if nothing were
                self.stop()
        elif isinstance(event, LearningRateChanged):
            self.rates.append(event)
        elif not self._is_empty(event):
            self.logs = event.logs
            check_converged(f"in epoch {event.epoch + 1}: the loss", event.logs.get("loss", 0.0))
        if isinstance(event, Progress):
            self.last = event
        if isinstance(event, EpochEnded) and event.complete:
            self.complete_epochs = event.epoch + 1
        if self.listener:
            self.listener(event)

    def stop(self) -> None:
        """End the training after the running chunk."""
        self.stopped = self.model.stop_training = True

    def _is_empty(self, event: Event) -> bool:
        """Tell whether an epoch ends that was stopped before its first step: its logs are of nothing."""
        last = self.last
        return isinstance(event, EpochEnded) and (last is None or last.epoch < event.epoch or not last.step)

    def interruption(self) -> Interruption | None:
        """Where training was stopped before its end, by whatever; a stop after the last step comes too late."""
        if self.last is None or self.complete_epochs == self.epochs:
            return None
        return Interruption(epoch=self.last.epoch + 1, step=self.last.step, steps=self.last.steps)

    def learning_rates(self) -> tuple[tuple[int, float], ...]:
        """Those that were set by hand, each with the batches done before, after that of the start; none if none was."""
        start = [(0, self.rates[0].before)] if self.rates else []
        return (*start, *((one.step, one.learning_rate) for one in self.rates))


def check_converged(what: str, loss: float) -> None:
    """Raise DivergedError unless a loss is a finite number; the text says which one."""
    if not math.isfinite(loss):
        raise DivergedError(
            f"training diverged {what} is {loss}; likely causes: a learning rate that is too large, pixels that are "
            "not scaled, or bad values in the data"
        )


@contextmanager
def stopped_by_ctrl_c(watches: Sequence[Watch]) -> Iterator[None]:
    """Inside, Ctrl-C ends the trainings after their running chunks, with the weights of that moment.

    The second Ctrl-C interrupts at once. Only the main thread of a program can listen for it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        for watch in watches:
            watch.stop()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
