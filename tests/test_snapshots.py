"""A training that keeps snapshots is the same training, and can be watched again exactly as it was."""

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence
from sklearn.metrics import confusion_matrix

import glassnet
from glassnet import Dataset, InputError, Run, Steering, recipes
from glassnet._keras import keras, seeded
from glassnet.errors import OutputError, RunError
from glassnet.figures.replay import animate, draw_replay
from glassnet.replay import Replay, open_replay
from glassnet.training import inference
from glassnet.training.events import Progress
from glassnet.training.snapshots import MOST_BYTES, MOST_MOMENTS, choose_moments
from tests.conftest import Said

Command = Callable[..., Said]


class Killed(BaseException):
    """Stands for a kill inside this process: nothing below catches it."""


@pytest.fixture(scope="module")
def kept(few: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs of the baseline on a few images, with snapshots."""
    out = tmp_path_factory.mktemp("snapshots") / "kept"
    return glassnet.train("baseline", few, epochs=2, snapshots=True, out=out)


@pytest.fixture(scope="module")
def again(kept: Run) -> Replay:
    return open_replay(kept)


def convolutional() -> keras.Model:
    layers = keras.layers
    with seeded(3):
        return keras.Sequential(
            [
                keras.Input((28, 28)),
                layers.Reshape((28, 28, 1)),
                layers.Rescaling(1 / 255),
                layers.Conv2D(4, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.MaxPooling2D(),
                layers.Dropout(0.5, seed=1),
                layers.Flatten(),
                layers.Dense(10),
            ]
        )


def weights_after(data: Dataset, batches: int) -> list[np.ndarray]:
    """The weights of a training that was stopped there."""
    steering = Steering()
    steering.step(batches)

    def stop(event: Any) -> None:
        if isinstance(event, Progress) and event.step == batches:
            steering.stop()

    return glassnet.train("baseline", data, epochs=2, steering=steering, on_event=stop).model.get_weights()


@given(st.integers(1, 3000), st.integers(1, 300), st.integers(2, MOST_MOMENTS))
def test_moments_are_few_and_have_both_ends(steps: int, epochs: int, most: int) -> None:
    moments = choose_moments(steps, epochs, most)
    assert moments == sorted(set(moments))
    assert (moments[0], moments[-1]) == (0, steps * epochs)
    assert len(moments) <= most


def test_snapshots_change_no_bit_and_are_the_weights_of_their_moments(few: Dataset, kept: Run, again: Replay) -> None:
    plain = glassnet.train("baseline", few, epochs=2)
    assert plain.passport.history == kept.passport.history
    for mine, yours in zip(plain.model.get_weights(), kept.model.get_weights(), strict=True):
        assert np.array_equal(mine, yours)
    assert [moment.batches for moment in again.moments] == [0, 1, 2, 5, 10, 20, 50, 63, 126]
    assert [moment.name for moment in again.moments][::4] == ["start", "batch 10", "epoch 2"]
    assert (again.moments[7].epoch, again.moments[7].batch, again.moments[7].fraction) == (1, 63, 0.5)
    for number, batches in ((3, 5), (5, 20)):
        for value, weight in zip(again.values, weights_after(few, batches), strict=True):
            assert np.array_equal(value[number], weight)
    for value, weight in zip(again.values, kept.model.get_weights(), strict=True):
        assert np.array_equal(value[-1], weight)


def test_random_layers_and_batch_statistics_are_not_disturbed(few: Dataset) -> None:
    plain = glassnet.train(convolutional(), few, epochs=2, batch_size=100)
    run = glassnet.train(convolutional(), few, epochs=2, batch_size=100, snapshots=True)
    for mine, yours in zip(plain.model.get_weights(), run.model.get_weights(), strict=True):
        assert np.array_equal(mine, yours)
    watched = open_replay(run)
    images = few.test.images[:50]
    for number in (0, len(watched.moments) - 1):
        other = convolutional()
        other.set_weights([value[number] for value in watched.values])
        expected = keras.ops.softmax(other.predict(images, verbose=0))
        np.testing.assert_allclose(watched.probabilities(images)[number], expected, atol=1e-5)
    with pytest.raises(InputError, match="a Conv2D layer first; templates are the weights of a Dense layer"):
        watched.templates()


def test_larger_networks_are_kept_in_half_precision_and_too_large_ones_not_at_all(few: Dataset) -> None:
    run = glassnet.train("digits-128", few, epochs=3, snapshots=True)
    assert run.snapshots
    assert {value.dtype.name for value in run.snapshots.values} == {"float16"}
    assert sum(value.nbytes for value in run.snapshots.values) < MOST_BYTES
    answers = [one.probabilities for one in glassnet.predict(run, few.test.images)]
    np.testing.assert_allclose(open_replay(run).probabilities(few.test.images)[-1], answers, atol=5e-3)
    with pytest.raises(InputError, match=r"parameters, and at most 5,000,000 fit; train it without snapshots"):
        glassnet.train("baseline", few, hidden=[6500], snapshots=True)


def test_what_float16_cannot_hold_stays_exact(few: Dataset) -> None:
    with seeded(0):
        model = keras.Sequential(
            [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(200), keras.layers.Dense(10)]
        )
    model.layers[-1].bias.assign([1e6] * 10)
    run = glassnet.train(model, few, epochs=2, snapshots=True)
    assert run.snapshots
    assert [value.dtype.name for value in run.snapshots.values] == ["float16", "float16", "float16", "float32"]
    assert np.isfinite(run.snapshots.values[-1]).all()


def test_folder_keeps_them_and_so_does_a_copy_of_it(kept: Run, again: Replay, few: Dataset, tmp_path: Path) -> None:
    assert kept.path
    assert np.load(kept.path / "snapshots.npz", allow_pickle=False)["batches"].tolist()[:3] == [0, 1, 2]
    copy = glassnet.open_run(kept.path).save(tmp_path / "copy")
    assert copy.path
    read = open_replay(glassnet.open_run(copy.path))
    assert read.moments == again.moments
    for mine, yours in zip(read.values, again.values, strict=True):
        assert np.array_equal(mine, yours)
    with pytest.raises(InputError, match=r"no snapshots of its training; train again with --snapshots"):
        open_replay(glassnet.train("baseline", few, epochs=1))


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign", "another", "pickle"])
def test_damaged_snapshots_are_refused_in_one_line(kept: Run, few: Dataset, tmp_path: Path, damage: str) -> None:
    assert kept.path
    folder = tmp_path / "run"
    shutil.copytree(kept.path, folder)
    file = folder / "snapshots.npz"
    raw = file.read_bytes()
    if damage == "truncated":
        file.write_bytes(raw[: len(raw) // 2])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "foreign":
        np.savez(file, weights=np.zeros(3))
    elif damage == "pickle":
        np.savez(file, batches=np.array([{}], dtype=object), steps=1, epochs=1)
    else:
        glassnet.train("digits-32", few, epochs=1, snapshots=True, out=tmp_path / "other")
        shutil.copy(tmp_path / "other" / "snapshots.npz", file)
    with pytest.raises(RunError, match=r"snapshots\.npz") as error:
        open_replay(glassnet.open_run(folder))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("at", [(0, 1), (0, 15), (1, 20)])
def test_a_killed_training_has_the_same_snapshots_in_the_end(few: Dataset, tmp_path: Path, at: tuple[int, int]) -> None:
    expected = glassnet.train("digits-32", few, seed=3, epochs=2, snapshots=True).snapshots

    def kill(event: Any) -> None:
        if isinstance(event, Progress) and (event.epoch, event.step) >= at:
            raise Killed

    settings: Any = {"seed": 3, "epochs": 2, "out": tmp_path / "run", "checkpoint_seconds": 0}
    with pytest.raises(Killed):
        glassnet.train("digits-32", few, snapshots=True, on_event=kill, **settings)
    found = glassnet.resume(tmp_path / "run", few).snapshots
    assert expected
    assert found
    assert found.batches == expected.batches
    for mine, yours in zip(found.values, expected.values, strict=True):
        assert np.array_equal(mine, yours)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_steering_still_steers_and_the_last_moment_is_the_end(few: Dataset) -> None:
    steering = Steering()

    def stop(event: Any) -> None:
        if isinstance(event, Progress) and event.epoch == 1:
            steering.stop()

    run = glassnet.train("baseline", few, epochs=500, snapshots=True, steering=steering, on_event=stop)
    watched = open_replay(run)
    assert 63 < watched.moments[-1].batches < 500 * 63
    assert np.array_equal(watched.values[0][-1], run.model.get_weights()[0])
    assert len(watched.moments) <= MOST_MOMENTS


def test_replay_is_what_the_network_said_then(kept: Run, again: Replay, few: Dataset) -> None:
    before = [weight.copy() for weight in kept.model.get_weights()]
    images, labels = few.test.images, few.test.labels
    probabilities = again.probabilities(images)
    assert probabilities.shape == (9, 500, 10)
    for number in (0, 4, 8):
        with seeded(1):
            other = recipes.find("baseline").build((28, 28), 10)
        other.set_weights([value[number] for value in again.values])
        np.testing.assert_allclose(probabilities[number], inference.predict(other, images), atol=1e-6)
    np.testing.assert_allclose(again.probabilities(images[7])[:, 0], probabilities[:, 7], atol=1e-6)
    counts = again.confusion(images=500)
    for number, answers in enumerate(probabilities.argmax(-1)):
        assert np.array_equal(counts[number], confusion_matrix(labels, answers, labels=range(10)))
    np.testing.assert_allclose(again.accuracy(), (probabilities.argmax(-1) == labels).mean(-1))
    assert again.accuracy()[-1] == kept.passport.test_accuracy
    spread = again.confusion(split="train", images=10)
    assert np.array_equal(spread[0].sum(1), np.bincount(few.train.labels[::200], minlength=10))
    for mine, yours in zip(kept.model.get_weights(), before, strict=True):
        assert np.array_equal(mine, yours)


@pytest.mark.parametrize("recipe", ["baseline", "raw-neurons"])
def test_templates_times_brightness_are_the_logits(few: Dataset, recipe: str) -> None:
    run = glassnet.train(recipe, few, epochs=1, snapshots=True)
    watched = open_replay(run)
    templates = watched.templates()
    assert templates.shape == (len(watched.moments), 10, 28, 28)
    assert watched.units() == few.classes
    brightness = few.test.images[:20] / 255
    logits = np.einsum("uhw,nhw->nu", templates[-1], brightness) + run.model.get_weights()[1]
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    expected = powers / powers.sum(-1, keepdims=True)
    np.testing.assert_allclose(watched.probabilities(few.test.images[:20])[-1], expected, atol=1e-4)


@pytest.mark.parametrize("what", ["templates", "confusion", "image"])
@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_animation_has_a_frame_for_every_moment(again: Replay, tmp_path: Path, what: str, ending: str) -> None:
    path = tmp_path / "deep" / f"{what}.{ending}"
    drawn = animate(again, path, what=what, index=3, milliseconds=80)
    assert drawn.record()["bytes"] == path.stat().st_size
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    with Image.open(path) as picture:
        assert picture.format == {"gif": "GIF", "png": "PNG", "webp": "WEBP"}[ending]
        assert getattr(picture, "n_frames", 1) == drawn.frames == len(again.moments)
        assert picture.size == (drawn.width, drawn.height)
        assert picture.info["loop"] == 0
        frames = [np.asarray(frame.convert("RGB"), np.int16) for frame in ImageSequence.Iterator(picture)]
    assert all(abs(one - other).max() > 50 for one, other in pairwise(frames))
    assert (frames[0][0, 0] == 255).all()


def test_animated_templates_are_the_weights(again: Replay, tmp_path: Path) -> None:
    animate(again, tmp_path / "t.webp")
    with Image.open(tmp_path / "t.webp") as picture:
        picture.seek(len(again.moments) - 1)
        frame = np.asarray(picture.convert("RGB"), np.int16)
    tile = frame[58 : 58 + 112, 16 : 16 + 112]
    assert all(np.array_equal(tile[::4, ::4], tile[k::4, k::4]) for k in range(4))  # crisp pixels
    blue_minus_red = (tile[::4, ::4, 2] - tile[::4, ::4, 0]).ravel()
    weights = again.templates()[-1, 0].ravel()
    assert np.corrcoef(blue_minus_red, weights)[0, 1] > 0.95
    assert (np.sign(blue_minus_red) == np.sign(weights))[abs(weights) > 0.02].all()


def test_hidden_units_and_colours_are_drawn(few: Dataset, tmp_path: Path) -> None:
    run = glassnet.train("digits-32", few, epochs=1, snapshots=True)
    assert open_replay(run).units()[:2] == ("unit 0", "unit 1")
    assert animate(open_replay(run), tmp_path / "hidden.png").frames == len(open_replay(run).moments)
    parts = [
        glassnet.Split(part.name, np.stack([part.images[:200, :12, :9]] * 3, -1), part.labels[:200])
        for part in (few.train, few.test)
    ]
    colour = Dataset("colour", few.classes, *parts)
    own = open_replay(glassnet.train("baseline", colour, epochs=1, snapshots=True))
    assert own.templates().shape[1:] == (10, 12, 9, 3)
    for what in ("templates", "confusion", "image"):
        animate(own, tmp_path / f"{what}.gif", what=what)
        draw_replay(own, what=what)


def test_strips_show_the_values(again: Replay, few: Dataset) -> None:
    picture, lines = draw_replay(again, what="image", index=3).axes
    assert np.array_equal(picture.images[0].get_array(), few.test.images[3])
    drawn = np.stack([line.get_ydata() for line in lines.lines], -1)
    np.testing.assert_allclose(drawn, again.probabilities(few.test.images[3])[:, 0])
    assert any(text.get_text().startswith(few.classes[few.test.labels[3]]) for text in lines.texts)
    panels = draw_replay(again, what="confusion").axes
    assert panels[-1].get_title() == f"epoch 2\n{again.accuracy()[-1]:.1%} right"
    (axes,) = draw_replay(again, what="templates").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == list(few.classes)


def test_what_cannot_be_drawn_is_refused(again: Replay, tmp_path: Path) -> None:
    for call, text in (
        (lambda: animate(again, tmp_path / "a.jpg"), r"must end in \.gif, \.png, \.webp"),
        (lambda: animate(again, tmp_path / "a.gif", what="template"), "did you mean 'templates'"),
        (lambda: animate(again, tmp_path / "a.gif", what="image", index=500), "no test image 500"),
        (lambda: animate(again, tmp_path / "a.gif", milliseconds=1), "20 to 10,000"),
        (lambda: draw_replay(again, what="imag"), "did you mean 'image'"),
        (lambda: again.confusion(images=0), "number of images is 0"),
        (lambda: again.probabilities(np.zeros((2, 5, 5), np.uint8)), "this run was trained on"),
    ):
        with pytest.raises(InputError, match=text):
            call()
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        animate(again, tmp_path / "folder.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.gif"]


def test_command(command: Command, run: Run) -> None:
    assert command("train", "baseline", "--epochs", 1, "--snapshots", "--out", "kept").code == 0
    said = command("replay", "kept", "--index", 3, "--out", "kept.gif")
    assert (said.code, said.err) == (0, "")
    assert "batch 1,000" in said.out
    assert "13 moments" not in said.out
    assert "12 moments, 640 × 350 pixels" in said.out
    found = command("replay", "kept", "--what", "confusion", "--out", "kept.svg", "--json").json
    assert (found["n"], found["split"], found["index"], found["true_label"]) == (1000, "test", 0, "Ankle boot")
    assert [moment["batches"] for moment in found["moments"]][-3:] == [500, 1000, 1875]
    watched = open_replay(glassnet.open_run("kept"))
    assert [moment["accuracy"] for moment in found["moments"]] == watched.accuracy().tolist()
    assert Path("kept.svg").read_text().startswith("<?xml")
    for arguments, text in (
        ((run.path,), "has no snapshots of its training"),
        (("kept", "--what", "template"), "did you mean 'templates'"),
        (("kept", "--index", 10_000), "no test image 10000"),
        (("kept", "--out", "a.txt"), "must end in"),
    ):
        said = command("replay", *arguments)
        assert (said.code, said.out) == (2, "")
        assert text in said.err
        assert said.err.count("\n") == 1
