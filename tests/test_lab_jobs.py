"""Trainings in processes of their own: live, steered, queued, killed."""

import os
import pickle
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

import glassnet
from glassnet import recipes
from glassnet.errors import InputError
from glassnet.lab import advice, answers
from glassnet.lab.advice import advise
from glassnet.lab.desk import Desk, DeskError
from glassnet.lab.jobs import MOST_WAITING, Crew, Job
from glassnet.lab.messages import Finished, Order
from glassnet.lab.shelf import find_run, list_runs, list_unfinished
from glassnet.lab.turns import next_of

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
    assert run.passport.history["accuracy"] == [logs["accuracy"] for logs in job.epochs]
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
def test_who_learned_next_to_nothing_is_told_by_chance(
    monkeypatch: pytest.MonkeyPatch, classes: int, accuracy: float, learned: bool
) -> None:
    monkeypatch.setattr(advice, "set_facts", lambda _: SimpleNamespace(classes=("a",) * classes))
    out = Path("runs/baseline")
    job = Job("me", Order(recipes.find("baseline"), "own", 0, out), state="finished", points=[(1.0, {"loss": 0.1})])
    job.finished = Finished(out, accuracy, 1.0)
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
