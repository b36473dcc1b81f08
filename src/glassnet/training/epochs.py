"""Epochs: one after the other, in chunks that are as long as nobody needs to hear from them."""

import time
from typing import Any

import jax
import numpy as np

from glassnet._keras import keras
from glassnet.training.batches import permutation
from glassnet.training.checkpoints import Checkpoints, Place
from glassnet.training.events import LearningRateChanged, Listener, Progress
from glassnet.training.inference import floats, plain
from glassnet.training.programs import Program
from glassnet.training.state import get_state, set_state
from glassnet.training.steering import Steering, rate_variable
from glassnet.training.streaming import Stream, Whole, Window

SECONDS_BETWEEN_EVENTS = 0.1
"""How often listeners hear of progress."""

SECONDS_BETWEEN_CHECKS = 0.5
"""How often training looks up when nobody listens, so that Ctrl-C is answered."""


class Epochs:
    """The epochs of one call of `fit`: the order of the examples, the place in it, and how long chunks are.

    Attributes:
        rates: the learning rates that were set through steering.
        every_batch: a callback wants to hear of every batch, so chunks are one batch long.
        wants_logs: somebody wants loss and metrics after every chunk.
    """

    on_event: Listener | None = None
    steering: Steering | None = None
    checkpoints: Checkpoints | None = None
    every_batch = False
    wants_logs = False

    def __init__(
        self,
        model: keras.Model,
        source: Whole | Stream,
        program: Program,
        hooks: keras.callbacks.CallbackList,
        shuffle: bool | str,
        steps_per_epoch: int | None,
        rng: np.random.RandomState,
    ) -> None:
        self.model, self.source, self.program, self.hooks = model, source, program, hooks
        self.batches = batches = source.batches
        self.shuffle, self.steps_per_epoch, self.rng = shuffle, steps_per_epoch, rng
        self.steps = min(steps_per_epoch or batches.steps, batches.steps)
        self.order = np.empty(0, np.int32)
        self.position = batches.steps
        self.rates: list[LearningRateChanged] = []
        self.resumed = False
        self.chunk = 8

    def run(self, epoch: int) -> bool:
        """Train one epoch, or what is left of it; False if it was stopped before its last batch."""
        if self.resumed:
            self.resumed = False
        else:
            self.model.reset_metrics()
            if self.steps_per_epoch is None or self.position >= self.batches.steps:
                self.order = permutation(self.rng, self.batches.n, self.batches.batch_size, self.shuffle)
                self.position = 0
        self.source.begin(self.order, self.position)
        first = self.position - self.position % self.steps
        last = min(first + self.steps, self.batches.steps)
        while self.position < last:
            window = self.source.at(self.position)
            # Who stops a training before an epoch gets one batch of it, as in Keras.
            short = self.every_batch or self.model.stop_training
            length = min(1 if short else self.chunk, min(last, window.stop) - self.position)
            if self.steering:
                length = self._granted(self.steering, length, epoch * self.steps + self.position - first)
                if not length:
                    break
            start, stop = self.position, self.position + length
            self.hooks.on_train_batch_begin(start - first)
            seconds = self._train(window, start, stop)
            self.position = stop
            logs = plain(self.model.get_metrics_result()) if self.wants_logs else {}
            self.hooks.on_train_batch_end(stop - first - 1, logs)
            if self.on_event:
                images = min(stop * self.batches.batch_size, self.batches.n) - start * self.batches.batch_size
                self.on_event(Progress(epoch, stop - first, last - first, floats(logs), images / seconds))
            if self.model.stop_training:
                break
            if self.checkpoints and self.position < last and self.checkpoints.due():
                self.save(epoch)
        return self.position == last

    def save(self, epoch: int) -> None:
        """Write a checkpoint from which `epoch` comes next, or goes on."""
        within = self.position < self.batches.steps
        position, order = (self.position, self.order) if within else (0, self.order[:0])
        place = Place(epoch, position, order, self._history(), self.rates)
        if self.checkpoints:
            self.checkpoints.save(self.model, place, self.rng)

    def go_on_from(self, place: Place) -> int:
        """Take up the place of a checkpoint; return the epoch that comes next."""
        self.model.history.history = {
            name: [np.asarray(one, np.float32) if isinstance(one, list) else one for one in values]
            for name, values in place.history.items()
        }
        self.model.history.epoch = list(range(place.epoch))
        self.rates = place.rates
        if len(place.order):
            self.order, self.position = place.order, place.position
            self.resumed = place.position % self.steps != 0
        return place.epoch

    def _granted(self, steering: Steering, length: int, done: int) -> int:
        """Ask how many of so many batches may be trained on; a learning rate that is set meanwhile is told."""
        before = self._rate()
        length = steering.next_chunk(self.model, length)
        after = self._rate()
        if before is not None and after is not None and after != before:
            self.rates.append(LearningRateChanged(done, before, after))
            if self.on_event:
                self.on_event(self.rates[-1])
        return length

    def _rate(self) -> float | None:
        """Return the learning rate, if it is one that can be set, with the digits that float32 holds."""
        rate = rate_variable(self.model)
        return None if rate is None else float(f"{float(rate.value):.7g}")

    def _history(self) -> dict[str, list[Any]]:
        past = self.model.history.history
        return {name: [np.asarray(one).tolist() for one in values] for name, values in past.items()}

    def _train(self, window: Window, start: int, stop: int) -> float:
        """Train on the batches from `start` up to `stop`; return the seconds, and choose the next chunk by them."""
        before = time.perf_counter()
        bounds = np.int32(start - window.first), np.int32(stop - window.first)
        state = self.program(get_state(self.model, "train"), window.data, window.order, *bounds)
        set_state(self.model, "train", jax.block_until_ready(state))
        seconds = time.perf_counter() - before
        listened = self.on_event or self.steering
        wanted = SECONDS_BETWEEN_EVENTS if listened else SECONDS_BETWEEN_CHECKS
        self.chunk = max(1, min(int((stop - start) * wanted / seconds), 8 * self.chunk))
        return seconds
