"""Streaming: training by windows leaves the bits that training on the whole leaves, and memory stays small."""

import ctypes
import mmap
import sys
import threading
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

import glassnet
from glassnet import Dataset, Steering, recipes
from glassnet._keras import keras, seeded
from glassnet.augmentation import Augmentation
from glassnet.training import mapped, streaming
from glassnet.training.batches import batches
from glassnet.training.checkpoints import Checkpoints
from glassnet.training.events import Progress
from glassnet.training.job import Job


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of ten batches, so that an epoch has several."""
    monkeypatch.setattr(streaming, "WINDOW_BYTES", 10 * 32 * (28 * 28 + 1))


def trained(few: Dataset, recipe: str, n: int, memory_limit: int | None, **options: Any) -> tuple[keras.Model, dict]:
    with seeded(3):
        plan = recipes.find(recipe)
        model = (plan.changed(filters=(4,)) if plan.filters else plan).build((28, 28), 10, examples=n)
    history = glassnet.fit(
        model,
        few.train.images[:n],
        few.train.labels[:n],
        epochs=2,
        batch_size=32,
        memory_limit=memory_limit,
        rng=np.random.RandomState(5),
        **options,
    )
    return model, history.history


def same_bits(one: keras.Model, other: keras.Model) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


@pytest.mark.parametrize("n", [640, 1000, 1285])
def test_streaming_leaves_the_same_bits_as_training_on_the_whole(few: Dataset, n: int) -> None:
    whole, history = trained(few, "digits-32", n, None)
    streamed, streamed_history = trained(few, "digits-32", n, 0)
    assert same_bits(whole, streamed)
    assert history == streamed_history


def test_also_for_a_convolutional_network_with_changed_images(few: Dataset) -> None:
    plan = Augmentation(shift=2, rotate=10)
    whole, _ = trained(few, "cnn", 500, None, augmentation=plan)
    streamed, _ = trained(few, "cnn", 500, 0, augmentation=plan)
    other, _ = trained(few, "cnn", 500, 0)
    assert same_bits(whole, streamed)
    assert not same_bits(other, streamed)


def begun(few: Dataset, n: int, size: int, *, batches_in_window: int) -> tuple[streaming.Stream, np.ndarray]:
    """A stream of n images at the start of an epoch, and its order."""
    data = batches(few.train.images[:n], few.train.labels[:n], batch_size=size)
    stream = streaming.Stream(data, batches_in_window * size * (28 * 28 + 1))
    order = np.random.default_rng(0).permutation(n).astype(np.int32)
    stream.begin(order, 0)
    return stream, order


def test_windows_follow_the_order_and_cover_the_epoch_once(few: Dataset) -> None:
    size = 32
    stream, order = begun(few, 1285, size, batches_in_window=7)
    position, seen = 0, []
    while position < stream.batches.steps:
        window = stream.at(position)
        assert window.first <= position < window.stop
        assert len(window.data[0]) == stream.rows
        start = (position - window.first) * size
        stop = min((window.stop - window.first) * size, stream.rows)
        assert np.array_equal(np.asarray(window.data[0])[start:stop], few.train.images[window.order[start:stop]])
        seen.append(np.asarray(window.order)[start:stop])
        position = window.stop
    stream.close()
    assert np.array_equal(np.concatenate(seen), order)


def test_windows_take_turns_in_memory_that_the_device_uses_as_it_is(few: Dataset) -> None:
    size = 32
    stream, order = begun(few, 640, size, batches_in_window=5)
    places = [stream.at(position).data[0].unsafe_buffer_pointer() for position in range(0, 20, 5)]
    assert places[0] != places[1]
    assert places[2:] == places[:2]
    window = stream.at(17)
    stream.begin(order, 18)  # an epoch that goes on in the same order
    assert stream.at(18) is window
    stream.begin(order.copy(), 0)
    assert np.array_equal(np.asarray(stream.at(0).data[0]), few.train.images[order[: stream.rows]])
    stream.close()


def test_the_system_is_told_exactly_which_pages_of_a_file_are_next(tmp_path: Path) -> None:
    page, row, before = mmap.PAGESIZE, 3 * mmap.PAGESIZE + 100, 5000
    path = tmp_path / "images.u8"
    path.write_bytes(np.random.default_rng(0).bytes(before + 50 * row))
    images = np.memmap(path, np.uint8, "r")[before:].reshape(50, row)
    file = mapped.Mapped(images)
    assert isinstance(mapped.file_of(images), mmap.mmap)
    assert mapped.file_of(np.zeros(3)) is None
    told: list[tuple[int, int]] = []

    class Told:
        def madvise(self, advice: int, start: int = 0, length: int = 0) -> None:
            told.append((start, start + length))

    file.file = Told()  # pyright: ignore[reportAttributeAccessIssue]
    rows = np.array([7, 3, 40, 8, 3, 49], np.int32)
    file.read_ahead(rows)
    assert len(told) == 4  # 7 and 8 touch, 3 is there twice
    pages = {one for start, stop in told for one in range(start // page, -(-stop // page))}
    wanted = {one // page for k in rows.tolist() for one in range(before + k * row, before + (k + 1) * row)}
    assert pages == wanted
    for real in (mapped.Mapped(images), mapped.Mapped(images[20:]), mapped.Mapped(np.zeros((9, row)))):
        real.read_ahead(np.array([4, 1]))
        real.close()


def test_a_streamed_training_goes_on_after_a_kill_to_the_same_end(few: Dataset, tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def kill(event: object) -> None:
        if isinstance(event, Progress) and event.epoch == 1 and event.step > 14:
            raise KilledError

    whole, _ = trained(few, "digits-32", 1000, None)
    with pytest.raises(KilledError):
        trained(few, "digits-32", 1000, 0, checkpoints=Checkpoints(tmp_path, seconds=0), on_event=kill)
    resumed, _ = trained(few, "digits-32", 1000, 0, checkpoints=Checkpoints(tmp_path))
    assert same_bits(whole, resumed)


def test_single_steps_are_counted_across_windows(few: Dataset) -> None:
    steering = Steering()
    seen: list[int] = []

    def listen(event: object) -> None:
        if isinstance(event, Progress):
            seen.append(event.step)
            if event.step >= 14:
                steering.stop()

    steering.pause()
    steering.step(14)  # across the end of the first window, which is after ten
    timer = threading.Timer(20, steering.stop)  # a step that is counted twice would wait for ever
    timer.start()
    trained(few, "digits-32", 1000, 0, on_event=listen, steering=steering)
    timer.cancel()
    assert seen[-1] == 14
    assert 10 in seen


def test_what_fits_is_not_streamed_and_what_is_on_the_device_stays(few: Dataset) -> None:
    data = batches(few.train.images, few.train.labels, batch_size=32)
    assert isinstance(streaming.feed(data), streaming.Whole)
    stream = streaming.feed(data, 1000)
    assert isinstance(stream, streaming.Stream)
    assert stream.length == 10
    assert isinstance(streaming.feed(data, streaming.nbytes(data)), streaming.Whole)
    there = batches(jax.device_put(few.train.images), few.train.labels, batch_size=32)
    assert isinstance(streaming.feed(there, 0), streaming.Whole)


def test_limits_of_the_process_count_as_memory() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    assert streaming.available_memory() > 1e8
    resource.setrlimit(resource.RLIMIT_DATA, (3_000_000_000, before[1]))
    try:
        assert streaming.available_memory() <= 3_000_000_000
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def test_a_part_of_the_rows_is_trained_on_as_if_it_were_all(few: Dataset) -> None:
    x, y, rows = few.train.images, few.train.labels, np.flatnonzero(np.arange(2000) % 3)

    def fit(*arrays: Any, **options: Any) -> keras.Model:
        with seeded(3):
            model = recipes.find("digits-32").build((28, 28), 10)
        glassnet.fit(model, *arrays, rng=np.random.RandomState(5), augmentation=Augmentation(shift=1), **options)
        return model

    expected = fit(x[rows], y[rows])
    assert same_bits(fit(x, y, rows=rows), expected)
    assert same_bits(fit(x, y, rows=rows, memory_limit=0), expected)


def test_holding_images_out_does_not_copy_the_others(fashion: Dataset) -> None:
    job = Job(recipes.find("quick").changed(filters=[4]), None, 0, 0.0, 0.0)
    tracemalloc.start()
    job.prepare(fashion, None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(job.learned) < len(fashion.train)
    assert peak < fashion.train.images.nbytes / 2


def test_many_trainings_stream_what_does_not_fit(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = glassnet.train("baseline", few, seed=1, epochs=1)
    monkeypatch.setattr(streaming, "available_memory", lambda: 0.0)
    monkeypatch.setattr(streaming, "Whole", None)
    first, second = glassnet.train_many("baseline", few, seeds=[1, 2], epochs=1)
    assert same_bits(first.model, alone.model) and not same_bits(second.model, alone.model)


def test_windows_is_asked_for_its_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(status: Any) -> int:
        assert status._obj.length == 64  # of MEMORYSTATUSEX
        status._obj.bytes[:2] = 8_000_000, 3_000_000  # all, and what is free
        return 1

    kernel = SimpleNamespace(GlobalMemoryStatusEx=told)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    assert streaming.available_memory() == 3_000_000
