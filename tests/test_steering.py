"""Steering from another thread, and many trainings at once."""

import signal
import threading
import time
from typing import Any

import jax
import numpy as np
import pytest

import glassnet
from glassnet import Dataset, InputError, Steering, recipes
from glassnet._keras import keras, seeded
from glassnet.errors import DivergedError
from glassnet.runs import Interruption
from glassnet.training import inference
from glassnet.training.events import Progress, TrainingStarted
from glassnet.training.watch import Watch


class Background:
    """A training in a thread of its own, with what it told."""

    def __init__(self, data: Dataset, **settings: Any) -> None:
        self.steering, self.events = Steering(), []
        self.heard = threading.Event()
        with seeded(0):
            self.model = recipes.find("digits-32").build((28, 28), 10)

        def listen(event: Any) -> None:
            self.events.append(event)
            self.heard.set()

        def train() -> None:
            self.history = glassnet.fit(
                self.model, data.train.images, data.train.labels, on_event=listen, steering=self.steering, **settings
            )

        self.thread = threading.Thread(target=train)

    def steps(self) -> int:
        return sum(isinstance(event, Progress) for event in self.events)

    def wait_for(self, steps: int) -> None:
        end = time.monotonic() + 30
        while self.steps() < steps and time.monotonic() < end:
            time.sleep(0.01)
        assert self.steps() >= steps


@pytest.fixture
def background(few: Dataset) -> Any:
    training = Background(few, epochs=100_000)
    yield training
    training.steering.stop()
    training.thread.join(30)
    assert not training.thread.is_alive()


def test_step_by_step_then_stop(background: Background) -> None:
    background.steering.pause()
    background.thread.start()
    before = background.steering.weights().result(30)
    assert background.steps() == 0
    background.steering.step()
    background.wait_for(1)
    time.sleep(0.2)
    assert background.steps() == 1
    (progress,) = [event for event in background.events if isinstance(event, Progress)]
    assert progress.step == 1
    after = background.steering.weights().result(30)
    assert not np.array_equal(before[0], after[0])
    background.steering.step(5)
    background.wait_for(2)
    assert background.steering.paused


def test_pause_holds_and_resume_goes_on(background: Background) -> None:
    background.thread.start()
    background.wait_for(3)
    background.steering.pause()
    background.steering.weights().result(30)  # answered between chunks: from here on it waits
    held = background.steps()
    time.sleep(0.3)
    assert background.steps() == held
    background.steering.resume()
    background.wait_for(held + 3)


def test_learning_rate_changes_between_chunks(background: Background) -> None:
    background.thread.start()
    background.wait_for(1)
    background.steering.set_learning_rate(1e-12)
    background.wait_for(background.steps() + 3)
    first = background.steering.weights().result(30)
    background.wait_for(background.steps() + 3)
    second = background.steering.weights().result(30)
    np.testing.assert_allclose(first[0], second[0], atol=1e-7)
    assert float(background.model.optimizer.learning_rate) == pytest.approx(1e-12)


def test_wishes_that_cannot_be_granted_are_refused() -> None:
    steering = Steering()
    with pytest.raises(InputError, match="number of batches is 0"):
        steering.step(0)
    with pytest.raises(InputError, match="learning rate is -1"):
        steering.set_learning_rate(-1)


def test_many_at_once_are_each_what_they_are_alone(few: Dataset) -> None:
    several = [
        recipes.find("digits-32").changed(epochs=2),
        recipes.find("digits-32").changed(epochs=2, learning_rate=0.01),
        recipes.find("digits-32").changed(epochs=3, scale=False),
        recipes.find("raw-neurons").changed(epochs=2),
    ]
    seeds = [5, 6, 7, 8]
    together = glassnet.train_many(several, few, seeds=seeds)
    for run, recipe, seed in zip(together, several, seeds, strict=True):
        alone = glassnet.train(recipe, few, seed=seed)
        assert run.passport.history == alone.passport.history
        assert run.passport.test_loss == alone.passport.test_loss
        for mine, yours in zip(run.model.get_weights(), alone.model.get_weights(), strict=True):
            assert np.array_equal(mine, yours)


def test_many_share_one_program(few: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    jax.config.update("jax_log_compiles", True)
    try:
        runs = glassnet.train_many("digits-32", few, seeds=range(6), hidden=[17], epochs=1)
    finally:
        jax.config.update("jax_log_compiles", False)
    loops = [one for one in caplog.messages if one.startswith("Finished XLA compilation of jit(loop)")]
    assert len(loops) == 2  # one that trains, one that tests
    assert len({run.passport.test_loss for run in runs}) == 6


def test_many_that_cannot_work_are_refused(few: Dataset) -> None:
    with pytest.raises(InputError, match="2 recipes and 3 seeds"):
        glassnet.train_many(["baseline", "baseline"], few, seeds=[1, 2, 3])
    with pytest.raises(InputError, match="different data sets"):
        glassnet.train_many(["baseline", "digits-32"], seeds=[1, 2])
    with pytest.raises(InputError, match="0 seeds"):
        glassnet.train_many("baseline", few, seeds=[])


def test_twins_differ_where_the_arithmetic_does(few: Dataset) -> None:
    """Models that share a program must compute the same: each of these would be wrong with the other's program."""
    x, y = few.train.images[:200], few.train.labels[:200]

    def make(**changes: Any) -> keras.Model:
        options = {"activation": "relu", "momentum": 0.0, "dropout": 0.0, "smoothing": 0.0} | changes
        model = keras.Sequential(
            [
                keras.Input((28, 28)),
                keras.layers.Rescaling(1 / 255),
                keras.layers.Flatten(),
                keras.layers.Dense(5, options["activation"]),
                keras.layers.Dropout(options["dropout"], seed=1),
                keras.layers.Dense(10, "softmax"),
            ]
        )
        optimizer = keras.optimizers.SGD(0.1, momentum=options["momentum"])
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    for changes in ({}, {"activation": "tanh"}, {"momentum": 0.9}, {"dropout": 0.5}, {}):
        with seeded(1):
            ours = make(**changes)
            glassnet.fit(ours, x, y, epochs=2)
        with seeded(1):
            theirs = make(**changes)
            theirs.fit(x, y, epochs=2, verbose=0)
        for mine, yours in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(mine, yours, atol=1e-6, err_msg=str(changes))


def test_a_wish_for_a_learning_rate_does_not_break_a_schedule(few: Dataset) -> None:
    steering = Steering()
    steering.set_learning_rate(0.5)
    model = (
        recipes.find("digits-32").changed(schedule="one-cycle", epochs=2).build((28, 28), 10, examples=len(few.train))
    )
    glassnet.fit(model, few.train.images, few.train.labels, epochs=2, steering=steering)
    assert float(model.optimizer.learning_rate) < 1e-5


def test_twins_differ_in_what_their_layers_were_adapted_to(few: Dataset) -> None:
    """What Normalization found in its data is neither a variable of the step nor a setting."""
    x, y = few.train.images[:200].reshape(200, -1).astype("float32"), few.train.labels[:200]

    def make(scale: float) -> tuple[keras.Model, Any]:
        adapted = keras.layers.Normalization(axis=None)
        model = keras.Sequential([keras.Input((784,)), adapted, keras.layers.Dense(10, "softmax")])
        adapted.adapt(x * scale)
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model, adapted

    for scale in (1.0, 100.0):
        with seeded(1):
            ours, adapted = make(scale)
        with seeded(1):
            theirs, _ = make(scale)
        np.testing.assert_allclose(inference.predict(ours, x), theirs.predict(x, verbose=0), atol=1e-5)
        assert inference.evaluate(ours, x, y)["loss"] == pytest.approx(theirs.evaluate(x, y, verbose=0), abs=1e-5)
        with seeded(1):
            glassnet.fit(ours, x, y)
        with seeded(1):
            theirs.fit(x, y, verbose=0)
        for mine, yours in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(mine, yours, atol=1e-5, err_msg=str(scale))

    class Own(keras.layers.Dense):
        """With a part that is not Keras's own, a model has programs for itself alone."""

    model = keras.Sequential([keras.Input((784,)), adapted, Own(10)])
    for scale in (1.0, 100.0):
        adapted.adapt(x * scale)
        np.testing.assert_allclose(inference.predict(model, x), model(x), rtol=1e-5, atol=1e-5)


def test_ctrl_c_stops_trainings_that_wait_for_their_turn(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[Watch] = []
    tell = Watch.__call__

    def press(watch: Watch, event: Any) -> None:
        tell(watch, event)
        if isinstance(event, Progress) and not first:
            first.append(watch)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # type: ignore[arg-type]

    monkeypatch.setattr(Watch, "__call__", press)
    runs = glassnet.train_many("digits-32", few, seeds=[1, 2, 3], threads=1, epochs=30)
    stops = [run.passport.interrupted for run in runs]
    assert all(stops)
    assert [stop.step for stop in stops[1:] if stop] == [1, 1]
    assert all(run.passport.history["loss"] == [] for run in runs[1:])


def test_a_pause_ends_the_steps_that_were_asked_for(background: Background) -> None:
    background.steering.step(1_000_000)
    background.thread.start()
    background.wait_for(2)
    background.steering.pause()
    background.steering.weights().result(30)
    held = background.steps()
    time.sleep(0.3)
    assert background.steps() == held


def test_whoever_asks_for_weights_gets_them_after_the_end_too(background: Background) -> None:
    background.thread.start()
    background.wait_for(1)
    background.steering.stop()
    early = background.steering.weights()
    background.thread.join(30)
    last = background.model.get_weights()
    for request in (early, background.steering.weights()):
        assert all(np.array_equal(one, other) for one, other in zip(request.result(5), last, strict=True))


def test_whoever_no_longer_wants_the_weights_does_not_end_the_training(background: Background) -> None:
    assert background.steering.weights().cancel()
    background.thread.start()
    background.wait_for(2)


def test_ctrl_c_ends_a_training_that_waits(few: Dataset) -> None:
    steering = Steering()
    steering.pause()
    timers = [
        threading.Timer(0.3, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]),
        threading.Timer(20, steering.stop),  # so that this test would end
    ]

    def listen(event: Any) -> None:
        if isinstance(event, TrainingStarted):
            for timer in timers:
                timer.start()

    run = glassnet.train("baseline", few, epochs=2, on_event=listen, steering=steering)
    assert timers[1].is_alive()
    timers[1].cancel()
    assert run.passport.interrupted == Interruption(epoch=1, step=0, steps=63)


def test_a_learning_rate_that_is_a_function_stays_as_it_is(few: Dataset) -> None:
    steering = Steering()
    steering.set_learning_rate(0.5)
    model = recipes.find("digits-32").build((28, 28), 10)
    model.compile(keras.optimizers.SGD(lambda: 0.25), "sparse_categorical_crossentropy")
    glassnet.fit(model, few.train.images, few.train.labels, steering=steering)
    assert float(model.optimizer.learning_rate) == 0.25


def test_one_that_diverges_stops_the_others(few: Dataset) -> None:
    endless = recipes.find("digits-32").changed(epochs=10**6)
    wild = recipes.find("raw-neurons").changed(hidden=[64], optimizer="sgd", learning_rate=1e30)
    with pytest.raises(DivergedError, match="epoch 1"):
        glassnet.train_many([endless, wild], few, seeds=[1, 2], threads=2)
