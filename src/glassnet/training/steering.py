"""Steering: another thread pauses, steps, slows down or ends a training while it runs."""

import threading
from concurrent.futures import Future
from contextlib import suppress

import numpy as np

from glassnet._keras import keras
from glassnet.recipe import check_count, check_learning_rate


class Steering:
    """The hand on a running training; its methods may be called from any thread.

    Training looks at it between chunks, so every wish is granted within a tenth of a second or one batch, whichever
    takes longer.

    Example:
        >>> import glassnet
        >>> steering = glassnet.Steering()
        >>> steering.stop()
        >>> data = glassnet.load("mnist")
        >>> model = glassnet.recipes.find("digits-32").build((28, 28), 10)
        >>> history = glassnet.fit(model, data.train.images, data.train.labels, epochs=100, steering=steering)
        >>> len(history.epoch)
        1
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = False
        self._steps = 0
        self._stopped = False
        self._learning_rate: float | None = None
        self._requests: list[Future[list[np.ndarray]]] = []

    @property
    def paused(self) -> bool:
        """Whether training waits."""
        return self._paused

    def pause(self) -> None:
        """Wait before the next chunk, until `resume`, `step` or `stop`."""
        self._change(paused=True)

    def resume(self) -> None:
        """Go on."""
        self._change(paused=False)

    def stop(self) -> None:
        """End training as `model.stop_training` does: the running epoch is closed with what it has."""
        self._change(stopped=True)

    def step(self, batches: int = 1) -> None:
        """Train on that many batches, then pause.

        Raises:
            InputError: fewer than one.
        """
        check_count("number of batches", batches)
        self._change(paused=True, steps=self._steps + batches)

    def set_learning_rate(self, value: float) -> None:
        """Change the learning rate from the next chunk on; one that follows a schedule stays as it is.

        Raises:
            InputError: not a finite number above 0.
        """
        check_learning_rate(value)
        self._change(learning_rate=value)

    def weights(self) -> Future[list[np.ndarray]]:
        """Ask for a copy of the weights at the end of the running chunk."""
        request: Future[list[np.ndarray]] = Future()
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        return request

    def next_chunk(self, model: keras.Model, length: int) -> int:
        """Called by training: grant all wishes, wait while paused, return how many batches to train on (0: none)."""
        while True:
            with self._changed:
                requests, self._requests = self._requests, []
                rate, self._learning_rate = self._learning_rate, None
                wait = self._paused and not self._steps and not self._stopped and not requests and rate is None
                if wait:
                    self._changed.wait()
                    continue
                ready = not self._paused or self._steps > 0 or self._stopped
                if ready and self._paused and not self._stopped:
                    length = min(length, self._steps)
                    self._steps -= length
            if rate is not None:
                with suppress(TypeError):  # Keras's answer where the rate follows a schedule
                    model.optimizer.learning_rate = rate
            for request in requests:
                request.set_result(model.get_weights())
            if self._stopped:
                model.stop_training = True
                return 0
            if ready:
                return length

    def _change(self, **wishes: float | bool) -> None:
        with self._changed:
            for name, value in wishes.items():
                setattr(self, f"_{name}", value)
            self._changed.notify_all()
