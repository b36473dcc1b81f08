"""Telling: a callback by which listeners hear of a training that Keras does, as they hear of any other."""

import time
from typing import Any

from glassnet._keras import keras
from glassnet.training.epochs import SECONDS_BETWEEN_EVENTS
from glassnet.training.events import EpochEnded, Listener, Progress, TrainingStarted
from glassnet.training.inference import floats


class Telling(keras.callbacks.Callback):
    """Tells a listener the events of a training.

    Args:
        listener: is called with every event, about ten times a second.
        first_epoch: the number of the first epoch.
        batch_size: examples per step; 0 where that is not known.
    """

    def __init__(self, listener: Listener, first_epoch: int, batch_size: int) -> None:
        super().__init__()
        self.listener, self.first_epoch, self.batch_size = listener, first_epoch, batch_size
        self.epoch = self.step = self.told = 0
        self.epoch_started = self.last = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Tell that the first step comes next; compiling is part of it."""
        self.listener(TrainingStarted((self.params or {})["epochs"], self.first_epoch, self._steps, 0.0))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin to count."""
        self.epoch, self.step, self.told = epoch, 0, 0
        self.epoch_started = self.last = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count the batch, and tell of it if the last event was long enough ago."""
        self.step = batch + 1
        if time.perf_counter() - self.last >= SECONDS_BETWEEN_EVENTS:
            self._tell(logs or {})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell how far the epoch came, and that it is over."""
        logs = logs or {}
        if self.step > self.told:
            self._tell({name: value for name, value in logs.items() if not name.startswith("val_")})
        # Only Ctrl-C or a callback ends an epoch early; how many batches a generator has, nobody knows before.
        complete = self.step == self._steps or not (self.model and self.model.stop_training)
        self.listener(EpochEnded(epoch, floats(logs), time.perf_counter() - self.epoch_started, complete))

    @property
    def _steps(self) -> int:
        """Batches of an epoch; 0 where that is not known."""
        return (self.params or {}).get("steps") or 0

    def _tell(self, logs: dict[str, Any]) -> None:
        now = time.perf_counter()
        speed = (self.step - self.told) * self.batch_size / max(now - self.last, 1e-9)
        self.listener(Progress(self.epoch, self.step, max(self.step, self._steps), floats(logs), speed))
        self.told, self.last = self.step, now
