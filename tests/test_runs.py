"""The run folder: complete or absent, readable by plain Keras, refused when damaged."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet import Dataset, InputError, Run
from glassnet._keras import keras, seeded
from glassnet.errors import DivergedError, OutputError, RunError
from glassnet.runs import Interruption, Passport, free_name
from glassnet.sharing.command import unchanged
from glassnet.sharing.keras_code import keras_code
from glassnet.training.events import EpochEnded, Progress, TrainingStarted
from glassnet.training.job import NoAssuranceWarning
from glassnet.training.trainer import HandedToKerasWarning
from tests.conftest import part

PLAIN_KERAS = """
import sys
sys.modules["glassnet"] = None  # importing it fails, as where it is not installed
import keras, numpy as np
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""


def test_folder_has_everything(run: Run) -> None:
    assert run.path
    assert {file.name for file in run.path.iterdir()} == {
        "model.keras", "run.json", "history.csv", "curves.png", "predictions.png", "network.png",
    }  # fmt: skip
    passport = json.loads((run.path / "run.json").read_text())
    assert passport["dataset_sha256"] == glassnet.load("fashion-mnist").sha256
    assert passport["settings"]["batch_size"] == 32
    assert set(passport["versions"]) == {"python", "glassnet", "keras", "jax", "jaxlib", "numpy"}
    lines = (run.path / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy"
    assert lines[1].split(",")[2] == str(passport["history"]["accuracy"][0])


def test_opened_run_is_the_saved_one(run: Run) -> None:
    assert run.path
    opened = glassnet.open_run(run.path)
    assert opened.passport == run.passport
    for mine, yours in zip(opened.model.get_weights(), run.model.get_weights(), strict=True):
        assert np.array_equal(mine, yours)
    scores = glassnet.evaluate(opened)
    assert (scores.accuracy, scores.n) == (run.passport.test_accuracy, 10_000)
    assert scores.loss == pytest.approx(run.passport.test_loss, rel=1e-6)


@pytest.mark.parametrize("backend", ["jax"])
def test_plain_keras_gives_the_same_probabilities(run: Run, fashion: Dataset, tmp_path: Path, backend: str) -> None:
    images = fashion.test.images[:100]
    np.save(tmp_path / "images.npy", images)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN_KERAS, run.path / "model.keras", "images.npy", "out.npy"],  # type: ignore[operator]
        check=True,
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    ours = [answer.probabilities for answer in glassnet.predict(run, images)]
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), ours, rtol=0, atol=1e-6)


def test_same_seed_gives_the_same_bits_and_another_seed_others(few: Dataset, tmp_path: Path) -> None:
    def train(seed: int, name: str) -> tuple[Any, Any]:
        glassnet.train("digits-32", few, seed=seed, epochs=2, out=tmp_path / name)
        opened = glassnet.open_run(tmp_path / name)
        return opened.model.get_weights(), opened.passport.history

    first, again, other = train(3, "a"), train(3, "b"), train(4, "c")
    assert all(np.array_equal(x, y) for x, y in zip(first[0], again[0], strict=True))
    assert first[1] == again[1]
    assert not np.array_equal(first[0][0], other[0][0])
    assert first[1] != other[1]


def test_own_model_trains_with_the_same_verb(few: Dataset) -> None:
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)], name="mine")
    run = glassnet.train(model, few, epochs=1, batch_size=50)
    assert run.passport.recipe == "mine"
    assert run.passport.outputs == "logits"
    assert run.model is model
    answer = glassnet.predict(run, few.test.images[0])[0]
    assert answer.probabilities.sum() == pytest.approx(1)
    assert answer.scores.sum() != pytest.approx(1)


def test_own_model_without_accuracy_is_measured_all_the_same(few: Dataset) -> None:
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    run = glassnet.train(model, few, epochs=1)
    answers = glassnet.predict(run, few.test.images, labels=few.test.labels.tolist())
    share = np.mean([answer.label == answer.true_label for answer in answers])
    assert run.passport.test_accuracy == pytest.approx(share)
    assert run.passport.train_accuracy is None


def test_own_model_that_does_not_fit_is_refused(few: Dataset) -> None:
    layers = keras.layers
    small = keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(10)])
    with pytest.raises(InputError, match=r"takes images of shape \(8, 8\)"):
        glassnet.train(small, few)
    one_hot = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
    one_hot.compile("adam", "categorical_crossentropy")
    with pytest.raises(InputError, match="sparse_categorical_crossentropy"):
        glassnet.train(one_hot, few)
    with pytest.raises(InputError, match="hidden cannot be changed"):
        glassnet.train(one_hot, few, hidden=[3])
    with pytest.raises(InputError, match="say what to train"):
        glassnet.train(one_hot)


def test_divergence_names_the_epoch_and_leaves_nothing(few: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"epoch 1: the loss is (nan|inf).*learning rate"):
        glassnet.train(
            "raw-neurons", few, hidden=[64], optimizer="sgd", learning_rate=1e30, epochs=3, out=tmp_path / "run"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"recipe": "baselin"}, "did you mean 'baseline'"),
        ({"recipe": 3}, "cannot train 3"),
        ({"data": "mnst"}, "did you mean 'mnist'"),
        ({"batch_size": 2001}, "only 2000 training images"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
    ],
)
def test_arguments_that_cannot_work_are_refused(few: Dataset, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        glassnet.train(**({"recipe": "baseline", "data": few} | arguments))


def test_places_that_cannot_take_a_run(few: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    for place, text in (("file", "is a file"), ("file/below", "is a file"), ("full", "not empty")):
        with pytest.raises(OutputError, match=text):
            glassnet.train("baseline", few, out=tmp_path / place)
        with pytest.raises(OutputError, match=text):
            glassnet.train("baseline", few, out=tmp_path / place, replace=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "full"]
    assert (tmp_path / "full" / "letter.txt").read_text() == "mine"


def test_replace_leaves_only_the_new_run(few: Dataset, tmp_path: Path) -> None:
    place = tmp_path / "run"
    glassnet.train("baseline", few, epochs=1, out=place)
    with pytest.raises(OutputError, match="not empty"):
        glassnet.train("baseline", few, epochs=2, out=place)
    glassnet.train("baseline", few, epochs=2, out=place, replace=True)
    assert len(glassnet.open_run(place).passport.history["loss"]) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Path:
    """A run folder to damage."""
    return run.save(tmp_path / "copy").path or tmp_path


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign", "gone", "another", "folder"])
def test_damaged_model_is_refused_in_one_line(copy: Path, few: Dataset, damage: str) -> None:
    model = copy / "model.keras"
    raw = model.read_bytes()
    model.unlink()
    if damage == "truncated":
        model.write_bytes(raw[: len(raw) // 2])
    elif damage == "empty":
        model.touch()
    elif damage == "foreign":
        model.write_text("Dear Keras,")
    elif damage == "another":
        glassnet.train("baseline", few, epochs=1).model.save(model)
    elif damage == "folder":
        model.mkdir()
    with pytest.raises(RunError) as error:
        glassnet.open_run(copy)
    assert "\n" not in str(error.value)
    assert "model.keras" in str(error.value)


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"format": 2}', "\xff"])
def test_damaged_passport_is_refused(copy: Path, text: str) -> None:
    (copy / "run.json").write_text(text, "latin-1")
    with pytest.raises(RunError, match="run.json"):
        glassnet.open_run(copy)


def test_folders_that_are_no_run(tmp_path: Path, run: Run) -> None:
    with pytest.raises(RunError, match="is no run"):
        glassnet.open_run(tmp_path)
    with pytest.raises(RunError, match="train one first"):
        glassnet.open_run(tmp_path / "nowhere")
    assert run.path
    for name in ("baseline", ".baseline-left-over"):
        (tmp_path / name).symlink_to(run.path)
    with pytest.raises(RunError, match=r"there are \S*/baseline$"):
        glassnet.open_run(tmp_path / "bseline")


def test_a_run_is_not_measured_on_another_data_set(run: Run, few: Dataset) -> None:
    opened = glassnet.open_run(run.path)  # type: ignore[arg-type]
    other = opened.passport.model_copy(update={"dataset_sha256": "0" * 64})
    with pytest.raises(InputError, match="another fashion-mnist"):
        Run(opened.model, other, opened.path).dataset()
    with pytest.raises(InputError, match="is none that glassnet knows"):
        Run(opened.model, opened.passport.model_copy(update={"dataset": "own"}), opened.path).dataset()
    assert glassnet.evaluate(opened, few, split="train").n == 2000


def test_interrupted_training_keeps_what_was_learned(few: Dataset, tmp_path: Path) -> None:
    def interrupt(event: Any) -> None:
        if isinstance(event, Progress) and event.epoch == 1:
            os.kill(os.getpid(), 2)

    run = glassnet.train("baseline", few, epochs=50, out=tmp_path / "run", on_event=interrupt)
    stop = run.passport.interrupted
    assert stop
    assert stop.epoch == 2
    assert 0 < stop.step <= stop.steps == 63
    assert len(run.passport.history["loss"]) == (2 if stop.step == stop.steps else 1)
    assert glassnet.open_run(tmp_path / "run").passport.interrupted == stop


def test_names_count_up(tmp_path: Path) -> None:
    assert free_name("baseline", tmp_path) == tmp_path / "baseline"
    (tmp_path / "baseline").mkdir()
    (tmp_path / "baseline-2").mkdir()
    assert free_name("baseline", tmp_path) == tmp_path / "baseline-3"


def test_passport_round_trips(run: Run) -> None:
    assert Passport.model_validate_json(run.passport.model_dump_json(by_alias=True)) == run.passport


def test_a_model_of_ones_own_may_end_in_a_network_or_a_function(few: Dataset) -> None:
    image = keras.Input((28, 28))
    flat = keras.layers.Flatten()(image / 255)
    classifier = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, "softmax")])
    for output in (classifier(flat), keras.ops.softmax(keras.layers.Dense(10)(flat))):
        run = glassnet.train(keras.Model(image, output), few, epochs=1)
        assert not run.model.loss.from_logits
        assert run.passport.outputs == "probabilities"
        answers = glassnet.predict(run, few.test.images[:5])
        given = run.model.predict(few.test.images[:5], verbose=0)
        np.testing.assert_allclose([one.probabilities for one in answers], given, atol=1e-5)


def test_a_training_that_is_steered_to_its_end_is_one_that_was_stopped(few: Dataset) -> None:
    steering = glassnet.Steering()

    def stop(event: Any) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 1:
            steering.stop()

    run = glassnet.train("baseline", few, epochs=20, on_event=stop, steering=steering)
    assert len(run.passport.history["loss"]) == 2
    assert run.passport.interrupted == Interruption(epoch=2, step=63, steps=63)
    assert run.passport.train_accuracy == run.passport.history["accuracy"][-1]
    assert not unchanged(run.passport)
    assert "# The run was stopped in epoch 2; this goes to the end." in keras_code(run)
    steering = glassnet.Steering()
    steering.stop()
    run = glassnet.train("baseline", few, epochs=2, steering=steering)
    assert run.passport.interrupted == Interruption(epoch=1, step=0, steps=63)
    assert run.passport.train_accuracy is None


def test_a_training_that_is_stopped_after_its_last_batch_went_to_its_end(few: Dataset) -> None:
    def interrupt(event: Any) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 1:
            os.kill(os.getpid(), signal.SIGINT)

    run = glassnet.train("baseline", few, epochs=2, on_event=interrupt)
    assert len(run.passport.history["loss"]) == 2
    assert run.passport.interrupted is None


def test_what_keras_trains_has_a_history(few: Dataset) -> None:
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    with pytest.warns(HandedToKerasWarning):
        run = glassnet.train(model, few, epochs=2, batch_size=500)
    assert len(run.passport.history["loss"]) == 2
    assert run.passport.interrupted is None
    assert run.passport.train_accuracy == run.passport.history["accuracy"][-1]


def test_metrics_of_several_values_do_not_end_a_training(few: Dataset, tmp_path: Path) -> None:
    class EachClass(keras.metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="each_class")
            self.seen = self.add_weight(shape=(10,), initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.seen.assign_add(keras.ops.sum(y_pred, axis=0))

        def result(self) -> Any:
            return self.seen + 0

    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", EachClass()])
    run = glassnet.train(model, few, epochs=1, validation=True)
    assert list(run.passport.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert Passport.model_validate_json(run.passport.model_dump_json(by_alias=True)) == run.passport


def test_what_explodes_in_its_last_step_has_diverged(few: Dataset, tmp_path: Path) -> None:
    settings = {"optimizer": "sgd", "learning_rate": 3e38, "batch_size": 2000}
    with pytest.raises(DivergedError, match="at its end: the loss on the test images is (nan|inf).*learning rate"):
        glassnet.train("raw-neurons", few, epochs=1, out=tmp_path / "run", **settings)
    assert list(tmp_path.iterdir()) == []


def test_a_metric_that_is_no_number_does_not_spoil_the_passport(few: Dataset, tmp_path: Path) -> None:
    def undefined(y_true: Any, y_pred: Any) -> Any:
        return 0 * y_pred[:, 0] / 0

    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", undefined])
    run = glassnet.train(model, few, epochs=1)
    assert list(run.passport.history) == ["loss", "accuracy"]
    assert Passport.model_validate_json(run.passport.model_dump_json(by_alias=True)) == run.passport


def flat(build: Any = keras.Sequential, shape: tuple[int | None, ...] = (28, 28), **compiled: Any) -> keras.Model:
    """The smallest network, always from the same start."""
    with seeded(1):
        model = build([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.compile(
        **{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **compiled}
    )
    return model


class OwnStep(keras.Sequential):
    """Keras must train it."""

    def train_step(self, *arguments: Any) -> Any:
        return super().train_step(*arguments)


def test_a_model_whose_inputs_nobody_knows_is_refused(few: Dataset) -> None:
    class Subclassed(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(InputError, match=r"is a Subclassed with no known inputs; .*glassnet\.fit takes any"):
        glassnet.train(Subclassed(), few)
    first, second = keras.Input((28, 28)), keras.Input((28, 28))
    two = keras.Model([first, second], keras.layers.Dense(10)(keras.layers.Flatten()(first + second)))
    with pytest.raises(InputError, match="with 2 inputs"):
        glassnet.train(two, few)


@pytest.mark.parametrize("shape", [(28, 28, 1), (None, None, 1)])
def test_a_model_that_takes_a_last_axis_of_one_takes_gray_images(
    few: Dataset, tmp_path: Path, shape: tuple[int | None, ...]
) -> None:
    layers = keras.layers
    parts = [layers.Conv2D(2, 3, strides=3), layers.GlobalAveragePooling2D(), layers.Dense(10, "softmax")]
    run = glassnet.train(keras.Sequential([keras.Input(shape), *parts]), few, epochs=1, out=tmp_path / "run")
    opened = glassnet.open_run(tmp_path / "run")
    answers = [one.probabilities for one in glassnet.predict(opened, few.test.images[:3])]
    given = run.model.predict(few.test.images[:3, ..., None], verbose=0)
    np.testing.assert_allclose(answers, given, atol=1e-5)


def test_what_keras_trains_has_a_seed_and_tells_its_events(few: Dataset) -> None:
    def train(seed: int, listen: Any = None) -> Run:
        with pytest.warns(HandedToKerasWarning, match="left to keras.Model.fit: OwnStep has a train_step"):
            return glassnet.train(flat(OwnStep), few, seed=seed, epochs=2, batch_size=500, on_event=listen)

    events: list[Any] = []
    first, again, other = train(3, events.append), train(3), train(4)
    assert np.array_equal(first.model.get_weights()[0], again.model.get_weights()[0])
    assert not np.array_equal(first.model.get_weights()[0], other.model.get_weights()[0])
    assert events[0] == TrainingStarted(epochs=2, first_epoch=0, steps=4, compile_seconds=0.0)
    ends = [event for event in events if isinstance(event, EpochEnded)]
    assert [(one.epoch, one.complete) for one in ends] == [(0, True), (1, True)]
    assert [one.logs["loss"] for one in ends] == first.passport.history["loss"]
    assert [one.step for one in events if isinstance(one, Progress) and one.epoch == 1][-1] == 4


def test_what_keras_trains_says_where_it_was_stopped_and_what_it_lacks(few: Dataset) -> None:
    def interrupt(event: Any) -> None:
        if isinstance(event, EpochEnded):
            os.kill(os.getpid(), signal.SIGINT)

    steering = glassnet.Steering()
    with pytest.warns(HandedToKerasWarning, match=r"Model\.fit, without pausing, steps and snapshots: OwnStep"):
        run = glassnet.train(flat(OwnStep), few, epochs=50, batch_size=500, on_event=interrupt, steering=steering)
    assert run.passport.interrupted == Interruption(epoch=1, step=4, steps=4)
    assert len(run.passport.history["loss"]) == 1
    assert np.array_equal(steering.weights().result(5)[0], run.model.get_weights()[0])
    with pytest.warns(HandedToKerasWarning), pytest.raises(DivergedError, match="epoch 1: the loss is"):
        glassnet.train(flat(OwnStep, optimizer=keras.optimizers.SGD(3e38)), few, epochs=2, batch_size=500)


def test_a_learning_rate_that_was_changed_on_the_way_is_kept(few: Dataset) -> None:
    steering = glassnet.Steering()

    def change(event: Any) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 0:
            steering.set_learning_rate(0.02)

    run = glassnet.train("baseline", few, epochs=2, batch_size=500, on_event=change, steering=steering)
    assert run.passport.learning_rates == ((0, 0.001), (4, 0.02))
    assert Passport.model_validate_json(run.passport.model_dump_json(by_alias=True)) == run.passport
    assert not unchanged(run.passport)
    code = keras_code(run)
    assert "learning_rate=0.001" in code
    assert "# The run's learning rate was changed while it trained" in code


def test_the_learning_rate_of_ones_own_model_is_that_of_its_start(few: Dataset) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.25, 4)
    run = glassnet.train(flat(optimizer=keras.optimizers.SGD(schedule)), few, epochs=1, batch_size=500)
    assert run.passport.settings["learning_rate"] == 0.25


def test_one_s_own_model_replaces_what_was_left_unfinished(few: Dataset, tmp_path: Path) -> None:
    glassnet.train(flat(), few, epochs=1, out=tmp_path / "run")
    left = tmp_path / "run.unfinished"
    left.mkdir()
    (left / "plan.json").touch()
    glassnet.train(flat(), few, epochs=1, out=tmp_path / "run", replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_data_set_without_test_images_is_refused(few: Dataset) -> None:
    with pytest.raises(InputError, match="a-few has no test images"):
        glassnet.train("baseline", part(few, 100, 0))


def test_what_cannot_be_learned_of_its_certainty_does_not_lose_a_run(
    few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("The layer has several inputs.\nAnd more.")

    monkeypatch.setattr("glassnet.confidence.assurance.fit_assurance", fail)
    with pytest.warns(NoAssuranceWarning, match=r"\(The layer has several inputs\.\); the run says nothing about it$"):
        run = glassnet.train("baseline", few, epochs=1, held_out=0.1)
    assert run.assurance is None
