"""Trainings in processes of their own: live, steered, queued, killed."""

import io
import json
import os
import pickle
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

import glassnet
from glassnet import recipes
from glassnet.datasets import Preparation
from glassnet.errors import InputError
from glassnet.lab import answers
from glassnet.lab.advice import advise
from glassnet.lab.desk import Desk, DeskError
from glassnet.lab.jobs import MOST_WAITING, Crew, Job
from glassnet.lab.memory import recall
from glassnet.lab.messages import Finished, Opened, Order
from glassnet.lab.pages.training import measured_line
from glassnet.lab.shelf import data_of_unfinished, find_run, find_unfinished, list_runs, list_unfinished
from glassnet.lab.turns import next_of
from glassnet.locks import held
from glassnet.runs import Run
from glassnet.training.events import EpochEnded
from glassnet.training.unfinished import Plan, lock_of
from tests.test_lab_intake import write_folder

PATIENCE = 90


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def order(crew: Crew, recipe: str = "baseline", **settings: Any) -> Order:
    plan = recipes.find(recipe).changed(**{"epochs": 1, **settings})
    return Order(plan, "fashion-mnist", 0, crew.folder / plan.name)


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    crew = Crew(tmp_path_factory.mktemp("lab") / "runs", workers=1)
    crew.start()
    yield crew
    crew.close()


@pytest.fixture
def job(crew: Crew) -> Iterator[Job]:
    """A long training that has begun."""
    job = crew.submit("me", order(crew, epochs=200))
    wait_for(lambda: len(job.epochs) >= 1)
    yield job
    crew.steer(job, "stop")
    wait_for(lambda: not job.active)


def test_a_training_tells_how_it_goes_and_leaves_a_run(crew: Crew) -> None:
    job = crew.submit("me", order(crew, epochs=2))
    wait_for(lambda: not job.active)
    assert job.state == "finished"
    assert [round(x, 6) for x, _ in job.points] == sorted({round(x, 6) for x, _ in job.points})
    assert job.points[-1][0] == 2
    assert len(job.epochs) == 2
    assert job.finished
    run = glassnet.open_run(job.finished.out)
    assert run.passport.test_accuracy == job.finished.test_accuracy > 0.8
    assert advise(job) is None
    assert run.passport.history["accuracy"] == [logs["accuracy"] for _, logs in job.epochs]
    assert list_runs(crew.folder)[0] == (job.name, run.passport)
    assert job.looks is not None
    weights = run.model.get_weights()[0]
    assert job.looks.templates.shape == (10, 28, 28)
    # The last picture is of the last chunk but one, or later; by then it looks like the network that was saved.
    seen, kept = job.looks.templates.reshape(-1), weights.T.reshape(-1)
    assert np.corrcoef(seen, kept)[0, 1] > 0.9


@pytest.mark.usefixtures("unchecked")  # the checker draws from the generator that the network's start is drawn from
def test_the_same_training_as_without_the_lab(crew: Crew) -> None:
    job = crew.submit("me", order(crew))
    wait_for(lambda: not job.active)
    assert job.finished
    alone = glassnet.train("baseline", epochs=1)
    run = glassnet.open_run(job.finished.out)
    for mine, its in zip(alone.model.get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_pause_step_and_go_on(crew: Crew, job: Job) -> None:
    crew.steer(job, "pause")
    time.sleep(0.5)
    held = job.last
    time.sleep(0.3)
    assert job.last == held
    assert job.state == "paused"
    crew.steer(job, "step")
    wait_for(lambda: job.last != held)
    assert job.last and held
    done = (job.last.epoch * job.last.steps + job.last.step) - (held.epoch * held.steps + held.step)
    assert done == 1
    crew.steer(job, "resume")
    wait_for(lambda: job.last and job.last.epoch > held.epoch + 1)
    assert job.state == "running"


def test_stop_keeps_what_was_learned(crew: Crew, job: Job) -> None:
    crew.steer(job, "stop")
    wait_for(lambda: not job.active)
    assert job.state == "finished"
    assert find_run(crew.folder, job.name)


def test_a_killed_worker_costs_one_job_which_can_go_on(crew: Crew, job: Job) -> None:
    waiting = crew.submit("other", order(crew))
    os.kill(crew._workers[0].helper.pid, signal.SIGKILL)
    wait_for(lambda: not job.active)
    assert job.state == "lost"
    told = advise(job)
    assert told and told.resume
    assert "killed by signal 9" in told.text
    assert list_unfinished(crew.folder) == [job.name]
    again = crew.submit("me", Order(job.order.plan, job.order.data, 0, job.order.out, resume=True))
    wait_for(lambda: waiting.state == "finished")  # another worker took over
    wait_for(lambda: len(again.points) > 0)
    assert again.points[0][0] > len(job.epochs) - 1
    crew.steer(again, "stop")
    wait_for(lambda: not again.active)
    assert again.state == "finished"
    assert list_unfinished(crew.folder) == []


def test_the_queue_has_an_end_and_can_be_left(crew: Crew, job: Job) -> None:
    waiting = [crew.submit("me", order(crew)) for _ in range(MOST_WAITING)]
    assert len({one.name for one in [job, *waiting]}) == MOST_WAITING + 1
    assert [crew.place(one) for one in waiting] == list(range(1, MOST_WAITING + 1))
    with pytest.raises(InputError, match="waiting already"):
        crew.submit("me", order(crew))
    crew.steer(waiting[0], "stop")
    assert waiting[0].state == "failed"
    crew.leave("me")
    assert crew.jobs() == [job]


def test_divergence_is_told_with_a_fix(crew: Crew) -> None:
    job = crew.submit("me", order(crew, "raw-neurons", optimizer="sgd", learning_rate=1e30))
    wait_for(lambda: not job.active)
    told = advise(job)
    assert job.state == "failed"
    assert told and told.settings == {"scale": True}
    assert list_unfinished(crew.folder) == []


@pytest.mark.parametrize(("rate", "fix"), [(1e6, 1e5), (1e-9, None)])
def test_a_training_that_learns_nothing_gets_advice(crew: Crew, rate: float, fix: float | None) -> None:
    """A softmax hides divergence: the loss stays a number."""
    job = crew.submit("me", order(crew, optimizer="sgd", learning_rate=rate))
    wait_for(lambda: not job.active)
    assert job.state == "finished"
    told = advise(job)
    assert told and told.settings == {"learning_rate": fix}


def test_the_desk_answers_and_survives(crew: Crew, tmp_path: Path) -> None:
    name, passport = list_runs(crew.folder)[0]
    desk = Desk("test-desk")
    try:
        answer = desk.ask(answers.ask_image, crew.folder / name, "test", 0).result(PATIENCE)
        assert answer.truth == "Ankle boot"
        assert sum(answer.probabilities) == pytest.approx(1, abs=1e-5)
        said = glassnet.predict(glassnet.open_run(crew.folder / name), answer.image)[0]
        np.testing.assert_allclose(answer.probabilities, said.probabilities, rtol=1e-4, atol=1e-6)
        scores = desk.ask(answers.score, crew.folder / name).result(PATIENCE)
        assert scores.record["accuracy"] == passport.test_accuracy
        for bad in (b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(100)):
            with pytest.raises(InputError) as caught:
                desk.ask(answers.ask_picture, crew.folder / name, bad, "x").result(PATIENCE)
            assert "/tmp" not in str(caught.value)
        with pytest.raises(InputError, match="no longer there"):
            desk.ask(answers.ask_image, tmp_path / "none", "test", 0).result(PATIENCE)
        taken_back = desk.ask(time.sleep, 0.1)  # by a tab that was closed
        taken_back.cancel()
        assert desk.ask(answers.ask_image, crew.folder / name, "test", 0).result(PATIENCE).truth == "Ankle boot"
        assert desk._helper
        lost = desk.ask(time.sleep, 60)
        os.kill(desk._helper.pid, signal.SIGKILL)
        with pytest.raises(DeskError, match="ask again"):
            lost.result(PATIENCE)
        assert desk.ask(answers.ask_image, crew.folder / name, "test", 1).result(PATIENCE).truth == "Pullover"
    finally:
        desk.close()


@pytest.mark.parametrize(
    ("classes", "accuracy", "learned"),
    [
        (2, 0.95, True),
        (2, 0.6, True),
        (2, 0.55, False),
        (3, 0.6, True),
        (3, 0.4, False),
        (10, 0.21, True),
        (10, 0.19, False),
    ],
)
def test_who_learned_next_to_nothing_is_told_by_chance(classes: int, accuracy: float, learned: bool) -> None:
    out = Path("runs/baseline")
    job = Job("me", Order(recipes.find("baseline"), "own", 0, out), state="finished", points=[(1.0, {"loss": 0.1})])
    job.opened, job.finished = Opened(("a",) * classes, "test"), Finished(out, accuracy, 1.0)
    assert (advise(job) is None) == learned


def test_asking_never_waits_for_the_desk() -> None:
    """Not for a desk that is busy, nor for one that is writing a long answer: each is more than a pipe holds."""
    desk, asked = Desk("test-desk"), Future[Future[int]]()
    try:
        desk.ask(abs, -1).result(PATIENCE)
        busy, long_answer = desk.ask(time.sleep, 2), desk.ask(bytes, 1_000_000)
        photo = bytes(1_000_000)
        threading.Thread(target=lambda: asked.set_result(desk.ask(len, photo)), daemon=True).start()
        after = asked.result(PATIENCE / 6)
        assert not busy.done()
        assert len(long_answer.result(PATIENCE)) == after.result(PATIENCE) == len(photo)
        order = [desk.ask(time.monotonic_ns) for _ in range(20)]
        assert sorted(one.result(PATIENCE) for one in order) == [one.result() for one in order]
        with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):  # told to who asks
            desk.ask(len, (one for one in "a generator"))
    finally:
        if desk._helper:
            desk._helper.end()
    desk.close()


def test_a_process_that_reads_nothing_can_still_end() -> None:
    desk = Desk("test-desk")
    desk.ask(abs, -1).result(PATIENCE)
    lost = [desk.ask(time.sleep, 60), desk.ask(len, bytes(1_000_000)), desk.ask(abs, -1)]
    assert desk._helper
    desk._helper.end()
    for one in lost:
        with pytest.raises(DeskError, match="ask again"):
            one.result(PATIENCE)
    assert desk.ask(abs, -2).result(PATIENCE) == 2
    desk.close()
    wait_for(lambda: not [one for one in threading.enumerate() if one.name.startswith("test-desk")])


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.integers(1, 4))
def test_no_owner_waits_for_the_many_of_another(owners: list[str], cores: int) -> None:
    """While an owner waits, no other one gets two turns more."""
    waiting = [SimpleNamespace(owner=owner) for owner in owners]
    running: list[Any] = []
    served: Counter[str] = Counter()
    while waiting:
        if len(running) == cores:
            running.pop(0)
        chosen = next_of(waiting, running, served)
        assert chosen is next(one for one in waiting if one.owner == chosen.owner)  # one's own stay in order
        waiting.remove(chosen)
        served[chosen.owner] += 1
        running.append(chosen)
        for owner in {one.owner for one in waiting}:
            assert all(served[owner] >= served[other] - 2 for other in served)


def test_what_is_no_run_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "run.json").write_text("{")
    assert list_runs(tmp_path) == []
    assert list_runs(tmp_path / "none") == []
    assert find_run(tmp_path, "empty") is None
    assert find_run(tmp_path / "empty", "../damaged") is None
    assert find_run(tmp_path, "damaged") is None


# -- going on ----------------------------------------------------------------------------------------------------------


def leave_unfinished(out: Path, data: glassnet.Dataset) -> None:
    """What a killed training leaves, before its first checkpoint."""
    Plan.of(recipes.find("baseline"), data, 0).write(out)


def test_what_is_being_trained_is_not_offered_to_be_gone_on_with(tmp_path: Path, few: glassnet.Dataset) -> None:
    leave_unfinished(tmp_path / "mine", few)
    leave_unfinished(tmp_path / "not mine", few)  # no link can name it
    with held(lock_of(tmp_path / "mine"), wait=False):  # as a training of another process does
        assert list_unfinished(tmp_path) == []
    assert list_unfinished(tmp_path) == ["mine"]


def test_the_same_training_is_not_gone_on_with_twice(tmp_path: Path, few: glassnet.Dataset) -> None:
    leave_unfinished(tmp_path / "mine", few)
    order, crew = find_unfinished(tmp_path, "mine"), Crew(tmp_path)
    assert order is not None
    crew.close()  # what is submitted waits for ever
    job = crew.submit("me", order)
    with pytest.raises(InputError, match="mine is being trained already; wait for its end"):
        crew.submit("other", order)
    assert crew.jobs() == [job]
    assert advise(job) is None


def test_going_on_prepares_the_images_as_before(tmp_path: Path) -> None:
    data = glassnet.load(write_folder(tmp_path / "shapes"), Preparation(size=(9, 7), colour="gray"))
    out = tmp_path / "runs" / "mine"
    leave_unfinished(out, data)
    again = data_of_unfinished(out)
    assert (again.image_shape, again.sha256) == ((9, 7), data.sha256)
    shutil.rmtree(tmp_path / "shapes")
    order = find_unfinished(tmp_path / "runs", "mine")
    assert order is not None
    assert advise(Job("me", order)) is None  # the worker will say that the images are gone, not the page


def test_what_is_measured_after_an_epoch_stands_at_that_epoch() -> None:
    job = Job("me", Order(recipes.find("baseline"), "own", 0, Path("runs/baseline"), resume=True))
    job.hear(Opened(("a", "b"), "validation"))
    job.hear(EpochEnded(3, {"accuracy": 0.9, "val_accuracy": 0.8}, 1.0, complete=True))
    line = measured_line(job, "accuracy")
    assert (line.name, list(line.points)) == ("validation", [(4, 0.8)])


def test_a_training_that_has_ended_cannot_be_paused(tmp_path: Path) -> None:
    crew, out = Crew(tmp_path), tmp_path / "baseline"
    job, sent = Job("me", Order(recipes.find("baseline"), "mnist", 0, out)), []
    job.hear(Finished(out, 0.9, 1.0))
    busy: Any = SimpleNamespace(job=job, helper=SimpleNamespace(send=sent.append))  # until it says that it is ready
    crew._workers.append(busy)
    crew.steer(job, "pause")
    assert (job.state, sent) == ("finished", [])


def test_a_run_whose_images_are_gone_still_answers(tmp_path: Path, run: Run, fashion: glassnet.Dataset) -> None:
    assert run.path
    gone = forget_images(run.path, tmp_path / "gone")
    picture = io.BytesIO()
    Picture.fromarray(fashion.test.images[0]).save(picture, "PNG")
    assert answers.ask_picture(gone, picture.getvalue(), "your drawing").label == "Ankle boot"
    assert "Dense(10" in answers.code(gone)
    with pytest.raises(InputError, match="none that glassnet knows"):
        answers.ask_image(gone, "test", 0)
    assert recall(gone).data is None


def forget_images(run: Path, copy: Path) -> Path:
    """Copy a run, as if its data set were one that is no longer there."""
    shutil.copytree(run, copy)
    facts = json.loads((copy / "run.json").read_text("utf-8"))
    (copy / "run.json").write_text(json.dumps({**facts, "dataset": "gone"}), "utf-8")
    return copy
