"""A training that is killed at any moment goes on to exactly the same end."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet import Dataset, InputError, Run, recipes
from glassnet._keras import keras, seeded
from glassnet.errors import DivergedError, OutputError, RunError
from glassnet.training.checkpoints import Checkpoints
from glassnet.training.events import EpochEnded, Progress

# Trains in a process of its own, slowed down by small chunks so that a kill falls inside an epoch as often as between.
TRAIN = """
import sys
from pathlib import Path
import glassnet
from glassnet import Dataset, Split
from glassnet.training import epochs, runner
epochs.SECONDS_BETWEEN_EVENTS = 0.01
full = glassnet.load("fashion-mnist")
data = Dataset("a-few", full.classes, Split("train", full.train.images[:6000], full.train.labels[:6000]),
               Split("test", full.test.images[:500], full.test.labels[:500]))
if runner.unfinished_of(Path("run")).exists():
    glassnet.resume("run", data, checkpoint_seconds=0.02)
else:
    settings = {"epochs": int(sys.argv[1]), "validation": True}
    glassnet.train("digits-32", data, seed=3, out="run", checkpoint_seconds=0.02, **settings)
"""


class Killed(BaseException):
    """Stands for a kill inside this process: nothing below catches it."""


def assert_same(first: Run, second: Run) -> None:
    assert first.passport.history == second.passport.history
    assert first.passport.test_loss == second.passport.test_loss
    weights = zip(first.model.get_weights(), second.model.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in weights)


@pytest.mark.parametrize("at", [(0, 1), (0, 40), (1, 63), (2, 20)])
def test_resumed_run_is_the_uninterrupted_one(few: Dataset, tmp_path: Path, at: tuple[int, int]) -> None:
    expected = glassnet.train("digits-32", few, seed=3, epochs=4, validation=True)

    def kill(event: Any) -> None:
        if isinstance(event, Progress) and (event.epoch, event.step) >= at:
            raise Killed

    with pytest.raises(Killed):
        glassnet.train(
            "digits-32",
            few,
            seed=3,
            epochs=4,
            validation=True,
            out=tmp_path / "run",
            on_event=kill,
            checkpoint_seconds=0,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["run.unfinished"]
    with pytest.raises(InputError, match="--resume"):
        glassnet.train("digits-32", few, out=tmp_path / "run")
    events: list[Any] = []
    resumed = glassnet.resume(tmp_path / "run", few, on_event=events.append)
    assert_same(resumed, expected)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert {event.epoch for event in events if isinstance(event, EpochEnded)} <= set(range(at[0], 4))
    assert_same(glassnet.open_run(tmp_path / "run"), expected)


def test_random_layers_and_batch_statistics_resume_exactly(few: Dataset, tmp_path: Path) -> None:
    def make() -> keras.Model:
        layers = keras.layers
        with seeded(1):
            model = keras.Sequential(
                [
                    keras.Input((28, 28)),
                    layers.Flatten(),
                    layers.BatchNormalization(),
                    layers.Dropout(0.5),
                    layers.Dense(10, "softmax"),
                ]
            )
            model.compile("nadam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit(model: keras.Model, checkpoints: Checkpoints | None, kill_at: int | None) -> keras.Model:
        def listen(event: Any) -> None:
            if isinstance(event, Progress) and event.epoch == kill_at:
                raise Killed

        rng = np.random.RandomState(4)
        x, y = few.train.images, few.train.labels
        glassnet.fit(model, x, y, epochs=3, rng=rng, checkpoints=checkpoints, on_event=listen, steps_per_epoch=20)
        return model

    expected = fit(make(), None, None)
    checkpoints = Checkpoints(tmp_path, seconds=0)
    with pytest.raises(Killed):
        fit(make(), checkpoints, kill_at=1)
    resumed = fit(make(), checkpoints, None)
    assert all(
        np.array_equal(one, other) for one, other in zip(resumed.get_weights(), expected.get_weights(), strict=True)
    )
    assert resumed.history.history == expected.history.history
    assert len(list(tmp_path.glob("checkpoint-*.npz"))) <= checkpoints.keep


def test_killed_processes_resume_to_the_same_bits(tmp_path: Path) -> None:
    """SIGKILL at random moments, as often as it takes; the wide version with 20 kills is `make kills`."""
    wanted = int(os.environ.get("GLASSNET_KILLS", "3"))
    code = [sys.executable, "-c", TRAIN, str(20 * wanted)]
    (tmp_path / "whole").mkdir()
    subprocess.run(code, check=True, cwd=tmp_path / "whole")
    expected = glassnet.open_run(tmp_path / "whole" / "run")

    draw = random.Random(int(os.environ.get("GLASSNET_KILL_SEED", "0")))
    kills = 0
    for _ in range(20 * wanted):
        process = subprocess.Popen(code, cwd=tmp_path)
        before = set(tmp_path.glob("run.unfinished/checkpoint-*"))
        while process.poll() is None and set(tmp_path.glob("run.unfinished/checkpoint-*")) <= before:
            time.sleep(0.01)  # until it has got further than the one before it
        if kills < wanted:
            time.sleep(draw.uniform(0.0, 0.25))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
        process.wait()
        if (tmp_path / "run").exists():
            break
    assert kills == wanted
    assert_same(glassnet.open_run(tmp_path / "run"), expected)
    assert not (tmp_path / "run.unfinished").exists()


def test_damaged_checkpoint_falls_back_to_the_one_before(few: Dataset, tmp_path: Path) -> None:
    expected = glassnet.train("baseline", few, epochs=4)

    def kill(event: Any) -> None:
        if isinstance(event, Progress) and event.epoch == 3:
            raise Killed

    with pytest.raises(Killed):
        glassnet.train("baseline", few, epochs=4, out=tmp_path / "run", on_event=kill)
    newest = max((tmp_path / "run.unfinished").glob("checkpoint-*"))
    newest.write_bytes(newest.read_bytes()[:500])
    assert_same(glassnet.resume(tmp_path / "run", few), expected)


def test_what_cannot_be_resumed_is_refused(few: Dataset, fashion: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no unfinished training"):
        glassnet.resume(tmp_path / "run")
    glassnet.train("baseline", few, epochs=1, out=tmp_path / "run")
    with pytest.raises(RunError, match="it is complete"):
        glassnet.resume(tmp_path / "run")

    def kill(event: Any) -> None:
        raise Killed

    with pytest.raises(Killed):
        glassnet.train("baseline", few, epochs=1, out=tmp_path / "other", on_event=kill)
    with pytest.raises(InputError, match="another a-few"):
        glassnet.resume(tmp_path / "other", fashion)
    plan = tmp_path / "other.unfinished" / "plan.json"
    for text in ("", "{}", '{"recipe": {"name": 3}}', json.dumps({"recipe": {}, "seed": 1})):
        plan.write_text(text)
        with pytest.raises(RunError, match="plan.json cannot be read"):
            glassnet.resume(tmp_path / "other", few)
    run = glassnet.train("baseline", few, epochs=1, out=tmp_path / "other", replace=True)
    assert run.path == tmp_path / "other"
    assert not (tmp_path / "other.unfinished").exists()


def test_killed_in_its_last_moments(few: Dataset, tmp_path: Path) -> None:
    def kill(event: Any) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 1:
            raise Killed

    expected = glassnet.train("baseline", few, epochs=2, out=tmp_path / "whole")
    with pytest.raises(Killed):
        glassnet.train("baseline", few, epochs=2, out=tmp_path / "run", on_event=kill)
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "run.unfinished", kept)
    resumed = glassnet.resume(tmp_path / "run", few)
    assert_same(resumed, expected)
    assert resumed.passport.train_accuracy == expected.passport.train_accuracy
    kept.rename(tmp_path / "run.unfinished")  # as if killed after the run was in its place
    assert_same(glassnet.resume(tmp_path / "run", few), expected)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "whole"]


def test_checkpoint_of_another_network_is_refused(few: Dataset, tmp_path: Path) -> None:
    x, y = few.train.images, few.train.labels
    checkpoints = Checkpoints(tmp_path)
    glassnet.fit(recipes.find("baseline").build((28, 28), 10), x, y, checkpoints=checkpoints)
    with pytest.raises(RunError, match="another network|of this network"):
        glassnet.fit(recipes.find("digits-32").build((28, 28), 10), x, y, epochs=2, checkpoints=checkpoints)


def test_place_that_cannot_be_written_is_refused_before_training(few: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        glassnet.train("baseline", few, out=tmp_path / "file" / "run")


def test_a_killed_replacement_goes_on_and_then_replaces(few: Dataset, tmp_path: Path) -> None:
    settings = {"epochs": 3, "validation": True}
    expected = glassnet.train("digits-32", few, seed=3, **settings)
    old = glassnet.train("baseline", few, epochs=1, out=tmp_path / "run")

    def kill(event: Any) -> None:
        if isinstance(event, Progress) and event.epoch == 1:
            raise Killed

    with pytest.raises(Killed):
        glassnet.train("digits-32", few, seed=3, out=tmp_path / "run", replace=True, on_event=kill, **settings)
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "run.unfinished", kept)
    assert glassnet.open_run(tmp_path / "run").passport == old.passport  # until the new one is complete
    epochs: list[int] = []
    resumed = glassnet.resume(tmp_path / "run", few, on_event=lambda event: epochs.append(getattr(event, "epoch", 1)))
    assert_same(resumed, expected)
    assert set(epochs) == {1, 2}
    assert_same(glassnet.open_run(tmp_path / "run"), expected)
    kept.rename(tmp_path / "run.unfinished")  # as if killed after the new run was in its place
    assert glassnet.resume(tmp_path / "run", few).passport == glassnet.open_run(tmp_path / "run").passport
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("kind", [RuntimeError, OSError, RunError])
def test_an_error_after_training_keeps_what_was_learned(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    expected = glassnet.train("baseline", few, epochs=2)

    def fail(*_: Any) -> None:
        raise kind("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("glassnet.figures.run.draw_run", fail)
        with pytest.raises(OutputError if kind is OSError else kind, match="no space left") as error:
            glassnet.train("baseline", few, epochs=2, out=tmp_path / "run")
        told = "\n".join([str(error.value), *getattr(error.value, "__notes__", [])])
        assert f"go on with glassnet train --resume {tmp_path / 'run'}, or start anew with --replace" in told
        assert "\n" not in str(error.value)
        with pytest.raises(Exception, match="no space left"):  # once more, and it is kept once more
            glassnet.resume(tmp_path / "run", few)
    assert [path.name for path in tmp_path.iterdir()] == ["run.unfinished"]
    assert_same(glassnet.resume(tmp_path / "run", few), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_error_that_leaves_nothing_to_go_on_from_leaves_nothing(few: Dataset, tmp_path: Path) -> None:
    def fail(event: Any) -> None:
        raise RuntimeError("too early")

    with pytest.raises(RuntimeError, match="too early"):
        glassnet.train("baseline", few, epochs=2, out=tmp_path / "runs" / "run", on_event=fail)
    assert not list(tmp_path.iterdir())

    def diverge(event: Any) -> None:
        if isinstance(event, Progress) and event.epoch == 1:
            raise DivergedError("the loss is nan")

    with pytest.raises(DivergedError, match="the loss is nan$"):
        glassnet.train("baseline", few, epochs=2, out=tmp_path / "run", on_event=diverge)
    assert not list(tmp_path.iterdir())


def test_a_learning_rate_that_was_changed_before_a_kill_is_remembered(few: Dataset, tmp_path: Path) -> None:
    def train(name: str, kill_at: int | None) -> Run:
        steering = glassnet.Steering()

        def listen(event: Any) -> None:
            if isinstance(event, EpochEnded) and event.epoch == 0:
                steering.set_learning_rate(0.02)
            if isinstance(event, Progress) and event.epoch == kill_at:
                raise Killed

        options = {"epochs": 3, "batch_size": 500, "checkpoint_seconds": 0}
        return glassnet.train("baseline", few, out=tmp_path / name, on_event=listen, steering=steering, **options)

    expected = train("whole", None)
    with pytest.raises(Killed):
        train("run", 2)
    resumed = glassnet.resume(tmp_path / "run", few)
    assert_same(resumed, expected)
    assert resumed.passport.learning_rates == expected.passport.learning_rates == ((0, 0.001), (4, 0.02))


def test_a_data_set_from_python_is_asked_for_by_its_name(few: Dataset, tmp_path: Path) -> None:
    def kill(event: Any) -> None:
        raise Killed

    with pytest.raises(Killed):
        glassnet.train("baseline", few, epochs=1, out=tmp_path / "my run", on_event=kill)
    with pytest.raises(InputError, match="trained on 'a-few', a data set from Python; pass that data set"):
        glassnet.resume(tmp_path / "my run")
    with pytest.raises(InputError, match=r"glassnet train --resume '\S+/my run', or"):
        glassnet.train("baseline", few, out=tmp_path / "my run")
