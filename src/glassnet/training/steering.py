"""Steering: another thread pauses, steps, slows down or ends a training while it runs."""

import threading
from concurrent.futures import Future

import numpy as np

from glassnet._keras import keras
from glassnet.recipe import check_count, check_learning_rate

SECONDS_BETWEEN_LOOKS = 0.1
"""How often a training that waits looks whether something else has stopped it: Ctrl-C, for example."""


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
        self._ended: keras.Model | None = None

    @property
    def paused(self) -> bool:
        """Whether training waits."""
        return self._paused

    def pause(self) -> None:
        """Wait before the next chunk, until `resume`, `step` or `stop`."""
        self._change(paused=True, steps=0)

    def resume(self) -> None:
        """Go on."""
        self._change(paused=False, steps=0)

    def stop(self) -> None:
        """End training as `model.stop_training` does: the running epoch is closed with what it has."""
        self._change(stopped=True)

    def step(self, batches: int = 1) -> None:
        """Train on that many batches, then pause.

        Raises:
            InputError: fewer than one.
        """
        check_count("number of batches", batches)
        with self._changed:
            self._change(paused=True, steps=self._steps + batches)

    def set_learning_rate(self, value: float) -> None:
        """Change the learning rate from the next chunk on; one that follows a schedule or a function stays as it is.

        Raises:
            InputError: not a finite number above 0.
        """
        check_learning_rate(value)
        self._change(learning_rate=value)

    def weights(self) -> Future[list[np.ndarray]]:
        """Ask for a copy of the weights at the end of the running chunk; after the training, of the last ones."""
        request: Future[list[np.ndarray]] = Future()
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
            ended = self._ended
        if ended is not None:
            self._answer(ended)
        return request

    def next_chunk(self, model: keras.Model, length: int) -> int:
        """Called by training: grant all wishes, wait while paused, return how many batches to train on (0: none)."""
        self._ended = None
        while True:
            with self._changed:
                rate, self._learning_rate = self._learning_rate, None
                held = self._paused and not self._steps
                stopped = self._stopped or (held and model.stop_training)
                if held and not stopped and not self._requests and rate is None:
                    self._changed.wait(SECONDS_BETWEEN_LOOKS)
                    continue
                if self._paused and not held and not stopped:
                    length = min(length, self._steps)
                    self._steps -= length
            if rate is not None and (variable := rate_variable(model)) is not None:
                variable.assign(rate)
            self._answer(model)
            if stopped:
                model.stop_training = True
                return 0
            if not held:
                return length

    def end(self, model: keras.Model) -> None:
        """Called by training when it is over, however it went: nobody waits for weights any more."""
        self._ended = model
        self._answer(model)

    def _answer(self, model: keras.Model) -> None:
        """Give everybody who asked for the weights a copy, but for those who changed their mind."""
        with self._changed:
            requests, self._requests = self._requests, []
        for request in requests:
            if request.set_running_or_notify_cancel():
                request.set_result(model.get_weights())

    def _change(self, **wishes: float | bool) -> None:
        with self._changed:
            for name, value in wishes.items():
                setattr(self, f"_{name}", value)
            self._changed.notify_all()


def rate_variable(model: keras.Model) -> keras.Variable | None:
    """Return the variable that is the learning rate; None where it follows a schedule or a function."""
    rate = getattr(model.optimizer, "inner_optimizer", model.optimizer)._learning_rate
    return rate if isinstance(rate, keras.Variable) else None
