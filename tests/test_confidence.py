"""How sure a network is: temperature, sets, refusal, novelty; learned from images that it did not learn from."""

import gc
import io
import weakref
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture
from sklearn.metrics import log_loss

import glassnet
from glassnet import Dataset, InputError, Run, Split
from glassnet.confidence import distances, fit_assurance, judge, read_assurance
from glassnet.confidence.assurance import ask, look
from glassnet.confidence.novelty import Novelty
from glassnet.confidence.refusal import answer_threshold
from glassnet.confidence.sets import conformity_scores, set_threshold
from glassnet.confidence.temperature import calibrated, fit_temperature, to_logits
from glassnet.errors import RunError
from glassnet.training.job import hold_out
from tests.conftest import part

Command = Callable[..., Any]


def drawn(n: int, temperature: float, spread: float = 2) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too sure by a known factor, and labels drawn from what they should say."""
    rng = np.random.default_rng(5)
    honest = rng.normal(0, spread, (n, 10))
    labels = np.array([rng.choice(10, p=row) for row in calibrated(honest, 1)])
    return honest * temperature, labels


@pytest.fixture(scope="module")
def judged(fashion: Dataset) -> Run:
    """A dense network that kept a part of its images for this."""
    data = part(fashion, train=12_000, test=3000)
    recipe = glassnet.recipes.find("fashion-128").changed(epochs=8, held_out=0.25)
    return glassnet.train(recipe, data)


@pytest.mark.parametrize("temperature", [0.5, 1, 3])
def test_the_temperature_is_found(temperature: float) -> None:
    logits, labels = drawn(20_000, temperature)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(temperature, rel=0.05)
    losses = [log_loss(labels, calibrated(logits, found * factor), labels=range(10)) for factor in (0.97, 1, 1.03)]
    assert losses[1] == min(losses)


def test_probabilities_serve_as_logits() -> None:
    logits, labels = drawn(2000, 2)
    outputs = calibrated(logits, 1)
    np.testing.assert_allclose(calibrated(to_logits(outputs, "probabilities"), 1), outputs, atol=1e-9)
    assert fit_temperature(to_logits(outputs, "probabilities"), labels) == pytest.approx(
        fit_temperature(logits, labels), rel=1e-3
    )


@pytest.mark.parametrize("error", [0.01, 0.05, 0.2])
def test_sets_hold_the_right_class_as_often_as_asked(error: float) -> None:
    logits, labels = drawn(40_000, 1.7)
    probabilities = calibrated(logits, 1)
    threshold = set_threshold(conformity_scores(probabilities[:20_000], labels[:20_000]), error)
    covered = 1 - probabilities[20_000:][np.arange(20_000), labels[20_000:]] <= threshold
    assert covered.mean() == pytest.approx(1 - error, abs=0.01)


def test_few_images_make_sets_of_everything() -> None:
    assert set_threshold(np.linspace(0, 0.5, 20), 0.01) == 1


@pytest.mark.parametrize("max_error", [0.02, 0.1])
def test_answers_stay_within_the_error(max_error: float) -> None:
    logits, labels = drawn(40_000, 1, spread=6)
    probabilities = calibrated(logits, 1)
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    threshold = answer_threshold(confidence[:20_000], right[:20_000], max_error)
    given = confidence[20_000:] >= threshold
    assert 0.1 < given.mean() < 1
    assert 1 - right[20_000:][given].mean() == pytest.approx(max_error, abs=0.006)


def test_no_answer_is_sure_enough_where_all_are_wrong() -> None:
    assert answer_threshold(np.array([0.9, 0.8]), np.array([False, False]), 0.01) == float("inf")


@pytest.mark.parametrize("rate", [0, 1, -0.1, float("nan"), True])
def test_a_rate_that_is_no_share(rate: float) -> None:
    with pytest.raises(InputError, match="it must be a share between 0 and 1"):
        set_threshold(np.array([0.5]), rate)
    with pytest.raises(InputError, match="it must be a share between 0 and 1"):
        answer_threshold(np.array([0.5]), np.array([True]), rate)


def test_images_are_held_out_by_class_and_alike_for_every_seed(few: Dataset) -> None:
    learned, held_out = hold_out(few, 0.1)
    assert held_out is not None and len(learned) + len(held_out) == len(few.train)
    counts = np.bincount(few.train.labels)
    np.testing.assert_array_equal(np.bincount(held_out.labels), np.round(0.1 * counts).astype(int))
    both = np.concatenate([learned.images, held_out.images]).reshape(len(few.train), -1)
    assert {one.tobytes() for one in both} == {one.tobytes() for one in few.train.images}
    np.testing.assert_array_equal(hold_out(few, 0.1)[0].images, learned.images)
    assert hold_out(few, 0) == (few.train, None)


def test_a_validation_part_is_what_is_held_out(few: Dataset) -> None:
    part = Split("validation", few.test.images[:50], few.test.labels[:50])
    data = Dataset(name="x", classes=few.classes, train=few.train, test=few.test, validation=part)
    assert hold_out(data, 0.5) == (few.train, part)


def test_calibration_helps_on_the_test_images(judged: Run) -> None:
    from glassnet.evaluation.calibration import calibration_error, reliability_bins
    from glassnet.training.inference import predict

    assert judged.assurance is not None and 2990 < judged.assurance.n < 3010
    test = judged.dataset().test
    logits = predict(judged.model, test.images).astype(float)
    errors = []
    for temperature in (1, judged.assurance.temperature):
        probabilities = calibrated(logits, temperature)
        bins = reliability_bins(probabilities.max(1), probabilities.argmax(1) == test.labels)
        errors.append(calibration_error(bins))
    assert errors[1] < errors[0] and errors[1] < 0.03


def test_foreign_images_are_unlike_and_usual_ones_are_not(judged: Run) -> None:
    assert judged.assurance is not None
    test = judged.dataset().test.images[:1000]
    foreign = {
        "digits": glassnet.load("mnist").test.images[:500],
        "noise": np.random.default_rng(5).integers(0, 256, (200, 28, 28)).astype(np.uint8),
        "blank": np.zeros((5, 28, 28), np.uint8),
        "white": np.full((5, 28, 28), 255, np.uint8),
    }
    alarms = np.mean([one.unlike for one in judge(judged.model, judged.assurance, test)])
    assert 0.02 < alarms < 0.09
    for name, images in foreign.items():
        flagged = np.mean([one.unlike for one in judge(judged.model, judged.assurance, images)])
        assert flagged > 0.8, name


def test_verdicts_agree_with_their_parts(judged: Run) -> None:
    assert judged.assurance is not None
    test = judged.dataset().test
    verdicts = judge(judged.model, judged.assurance, test.images, set_error=0.1, max_error=0.05)
    covered = np.mean([label in one.classes for one, label in zip(verdicts, test.labels, strict=True)])
    assert covered == pytest.approx(0.9, abs=0.025)
    given = [
        (one.probabilities.argmax() == label) for one, label in zip(verdicts, test.labels, strict=True) if one.known
    ]
    assert 0.3 < len(given) / len(test) < 0.95 and 1 - np.mean(given) < 0.075
    first = verdicts[0]
    assert first.probabilities.sum() == pytest.approx(1)
    assert list(first.classes) == sorted(first.classes, key=lambda k: -first.probabilities[k])
    assert all(one.known for one in judge(judged.model, judged.assurance, test.images[:50]))
    assert judge(judged.model, judged.assurance, test.images[:0]) == []


def test_a_run_keeps_it(judged: Run, tmp_path: Path) -> None:
    saved = judged.save(tmp_path / "run")
    opened = glassnet.open_run(saved.path)
    images = judged.dataset().test.images[:20]
    before, after = (
        judge(run.model, run.assurance, images, max_error=0.05) for run in (judged, opened) if run.assurance
    )
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)
        assert (one.classes, one.unlike, one.known) == (other.classes, other.unlike, other.known)
    (saved.path / "assurance.npz").write_bytes(b"PK")
    with pytest.raises(RunError, match="assurance.npz cannot be read"):
        _ = glassnet.open_run(saved.path).assurance
    with pytest.raises(RunError, match="no\\.npz cannot be read"):
        read_assurance(tmp_path / "no.npz")


def test_a_run_from_before_averages_were_looked_at_is_read(judged: Run) -> None:
    assert judged.assurance is not None
    kept = judged.assurance.novelty
    record = {name: value for name, value in kept.record().items() if not name.startswith("averages")}
    record["usual"] = np.delete(record["usual"], 4, axis=0)
    before = Novelty.of_record(record)
    seen = ask(judged.model, judged.dataset().test.images[:20])[1]
    assert before.averages == () and kept.averages
    assert before.typicality(seen).shape == (20,)


def test_too_few_held_out_images_say_nothing(judged: Run, few: Dataset) -> None:
    with pytest.raises(InputError, match="^3 held-out images; how sure a network may be needs at least 20$"):
        fit_assurance(judged.model, "logits", few.train, Split("test", few.test.images[:3], few.test.labels[:3]))
    assert glassnet.train("baseline", few, epochs=1).assurance is None


def test_evaluation_says_what_its_certainty_is_worth(judged: Run, run: Run) -> None:
    scores = glassnet.evaluate(judged)
    trust = scores.trust
    assert trust is not None and judged.assurance is not None and trust.held_out == judged.assurance.n
    assert trust.calibration_error < scores.calibration_error
    assert trust.set_coverage == pytest.approx(0.95, abs=0.02) and trust.set_size > 1
    assert trust.answered_error is not None and trust.answered_error < 0.025 and trust.answered > 0.2
    verdicts = judge(judged.model, judged.assurance, judged.dataset().test.images, max_error=trust.max_error)
    assert trust.answered == pytest.approx(np.mean([one.known for one in verdicts]))
    assert scores.record()["trust"]["temperature"] == judged.assurance.temperature
    assert glassnet.evaluate(run).record()["trust"] is None


def test_predictions_say_how_sure_they_are(judged: Run, run: Run) -> None:
    test = judged.dataset().test
    answers = glassnet.predict(judged, test.images[:300], max_error=0.02)
    assert judged.assurance is not None
    for answer, verdict in zip(
        answers, judge(judged.model, judged.assurance, test.images[:300], max_error=0.02), strict=True
    ):
        assert answer.probability == pytest.approx(verdict.probabilities.max())
        assert answer.known == verdict.known
        assert answer.possible == tuple(judged.passport.classes[k] for k in verdict.classes)
        assert {"known", "possible", "typicality", "unlike"} <= set(answer.record())
    assert 0 < sum(answer.known for answer in answers) < 300
    plain = glassnet.predict(run, test.images[:1])[0]
    assert plain.known and plain.possible is None and "known" not in plain.record()
    with pytest.raises(InputError, match="^max_error needs a run that held images out from its training"):
        glassnet.predict(run, test.images[:1], max_error=0.02)


def test_the_command_line_says_i_do_not_know(command: Command, judged: Run, tmp_path: Path) -> None:
    path = judged.save(tmp_path / "run").path
    digits = []
    for number, image in enumerate(glassnet.load("mnist").test.images[:20]):
        digits.append(tmp_path / f"{number}.png")
        Picture.fromarray(image).save(digits[-1])
    said = command("predict", path, *digits, "--max-error", 0.01)
    assert len(said.out.splitlines()) > 20
    assert "I don't know (perhaps" in said.out and "unlike the training images" in said.out


def test_distance_from_the_nearest_class_counts_how_far_its_images_spread() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([2, 7], 5000)  # class numbers with gaps
    spread = np.array([5.0, 0.2, 0.0])
    middles = np.array([[0.0, 0.0, 1.0], [40.0, 0.0, 1.0]])
    vectors = middles[(labels == 7).astype(int)] + spread * rng.normal(size=(10_000, 3))
    space = distances.average_space(vectors, labels)
    along, across, nearer_to_the_other = distances.from_nearest(
        space, np.array([[2.0, 0.0, 1.0], [0.0, 2.0, 1.0], [38.0, 0.0, 1.0]])
    )
    assert along == pytest.approx(2 / 5, abs=0.15)
    assert across > 5 * along
    assert nearer_to_the_other == pytest.approx(along, abs=0.15)


def test_classes_whose_images_are_all_alike_are_told_apart_without_overflow() -> None:
    labels = np.arange(40) % 2
    vectors = np.stack([100.0 * labels, np.full(40, 3.0)], 1)
    assert distances.from_nearest(distances.average_space(vectors, labels), vectors).tolist() == [0] * 40
    vectors += 1e-5 * np.random.default_rng(0).normal(size=vectors.shape)
    near, far = distances.from_nearest(distances.average_space(vectors, labels), np.array([[100.0, 3.0], [50.0, 3.0]]))
    assert near < 5
    assert 1e6 < far < np.inf


def test_averages_are_those_of_the_maps_that_each_convolution_ends_in(fashion: Dataset) -> None:
    from glassnet._keras import keras

    model = glassnet.recipes.find("cnn").changed(filters=(3, 4), hidden=(6,)).build((28, 28), 10)
    images = fashion.test.images[:5]
    seen = ask(model, images)[1]
    ends = keras.Model(model.inputs, [model.get_layer(f"activation_{number}").output for number in (1, 2)])
    for averages, maps in zip(seen.averages, ends.predict(images, verbose=0), strict=True):
        np.testing.assert_allclose(averages, maps.mean((1, 2)), atol=1e-5)
    assert seen.features.shape == (5, 6)

    deep = glassnet.recipes.find("tiny").build((28, 28), 10)  # five convolutions: four are looked at, the last is one
    assert [len(averages[0]) for averages in ask(deep, images)[1].averages] == [8, 16, 18, 18]

    dense = glassnet.recipes.find("digits-32").build((28, 28), 10)
    seen = ask(dense, images)[1]
    np.testing.assert_array_equal(seen.averages, [seen.features])


def small_network() -> Any:
    """A convolutional network as others make it: the layers hang in a graph of their own."""
    from glassnet._keras import keras

    image = keras.Input((28, 28, 1))
    maps = keras.layers.Conv2D(3, 5, strides=3, activation="relu")(image)
    features = keras.layers.Dense(6, "relu")(keras.layers.Flatten()(maps))
    return keras.Model(image, keras.layers.Dense(10)(features))


@pytest.mark.parametrize("form", ["a network within it", "layers of another one", "a function at its end"])
def test_a_network_of_ones_own_is_seen_through(fashion: Dataset, form: str) -> None:
    from glassnet._keras import keras

    inner, images = small_network(), fashion.test.images[:5]
    before = [keras.layers.Rescaling(1 / 255), keras.layers.Reshape((28, 28, 1))]
    ends = [inner] if form == "a network within it" else [*inner.layers[1:-1], keras.layers.Dense(10)]
    model: Any = keras.Sequential([keras.Input((28, 28)), *before, *ends])
    if form == "a function at its end":
        model = keras.Model(model.inputs, keras.ops.softmax(model.outputs[0]))
    given, seen = ask(model, images)
    np.testing.assert_allclose(given, model.predict(images, verbose=0), atol=1e-5)
    scaled = images[..., None] / 255
    maps, features = (
        keras.Model(inner.inputs, inner.layers[number].output).predict(scaled, verbose=0) for number in (1, 3)
    )
    np.testing.assert_allclose(seen.features, features, atol=1e-5)
    (averages,) = seen.averages
    np.testing.assert_allclose(averages, maps.mean((1, 2)), atol=1e-5)


def test_questions_leave_nothing_behind(fashion: Dataset) -> None:
    model = small_network()
    ask(model, fashion.test.images[:5, ..., None])
    convolution = model.layers[1]
    calls = len(convolution._outbound_nodes)
    ask(model, fashion.test.images[:5, ..., None])
    assert len(convolution._outbound_nodes) == calls
    gone = weakref.ref(model)
    del model, convolution
    gc.collect()
    assert gone() is None


def test_a_layer_that_was_put_on_since_is_seen(fashion: Dataset) -> None:
    from glassnet._keras import keras

    model: Any = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    assert ask(model, fashion.test.images[:5])[1].features.shape == (5, 784)
    model.add(keras.layers.Dense(10))
    outputs, seen = ask(model, fashion.test.images[:5])
    assert seen.features.shape == (5, 10)
    np.testing.assert_allclose(outputs, model.predict(fashion.test.images[:5], verbose=0), rtol=1e-4)


def test_large_features_are_looked_at_piece_by_piece(judged: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged.assurance is not None
    images, pieces = judged.dataset().test.images[:600], []
    whole = look(judged.model, images, judged.assurance.novelty.typicality)

    def typicality(seen: Any) -> np.ndarray:
        pieces.append(len(seen.features))
        return judged.assurance.novelty.typicality(seen)  # type: ignore[union-attr]

    monkeypatch.setattr("glassnet.confidence.assurance.MOST_BYTES", 1000)
    for one, other in zip(look(judged.model, images, typicality), whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)
    assert pieces == [256, 256, 88]


def test_few_held_out_images_do_not_call_usual_ones_unlike(judged: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged.assurance is not None
    novelty, rng = judged.assurance.novelty, np.random.default_rng(0)
    far = novelty.distances(ask(judged.model, judged.dataset().test.images)[1])
    monkeypatch.setattr(Novelty, "distances", lambda self, seen: far[:, seen.peak])

    def alarms(n: int) -> float:
        order = rng.permutation(far.shape[1])
        others = distances.Seen(np.empty(0), np.empty(0), [], order[n:])
        return float((novelty.beside(far[:, order[:n]]).typicality(others) <= 0.05).mean())

    for n, most in ((20, 0.13), (50, 0.08), (200, 0.06), (600, 0.06)):
        assert 0.03 < np.mean([alarms(n) for _ in range(15)]) < most, n


def test_a_damaged_file_is_one_line(judged: Run, tmp_path: Path) -> None:
    assert judged.assurance is not None
    path = tmp_path / "assurance.npz"
    judged.assurance.write(path)
    whole = path.read_bytes()
    damaged = [whole[: len(whole) // 2], whole[:200] + bytes(400) + whole[600:], whole[:-40] + bytes(40)]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("outputs.npy", b"\x93NUMPY\x01\x00\x0a\x00{'descr': (")
    for one in (*damaged, content.getvalue()):
        path.write_bytes(one)
        with pytest.raises(RunError, match=r"assurance\.npz cannot be read .*; restore the file or train again"):
            read_assurance(path)


def test_a_validation_part_is_no_proof_of_what_was_learned_from_it(judged: Run, few: Dataset) -> None:
    held_out = Split("validation", few.test.images[:200], few.test.labels[:200])
    data = Dataset("x", few.classes, few.train, few.test, validation=held_out)
    run = replace(judged, passport=judged.passport.model_copy(update={"dataset_sha256": data.sha256}), data=data)
    assert glassnet.evaluate(run).trust is not None
    assert glassnet.evaluate(run, split="validation").trust is None
    others = Dataset("y", few.classes, few.train, held_out, validation=few.test)
    assert glassnet.evaluate(run, others, split="validation").trust is not None


def test_large_gray_images_may_have_an_axis_of_one_channel() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 48)).astype(np.uint8)
    np.testing.assert_array_equal(distances.shrunk(images[..., None]), distances.shrunk(images))


def test_too_few_images_are_not_held_out_and_no_class_is_emptied(few: Dataset) -> None:
    little = part(few, 200, 10)
    assert hold_out(little, 0.05) == (little.train, None)
    counts = np.bincount(few.train.labels)
    np.testing.assert_array_equal(np.bincount(hold_out(few, 0.9999)[0].labels), np.ones_like(counts))
