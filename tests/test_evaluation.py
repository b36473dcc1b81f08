"""Every number of an evaluation is the one that scikit-learn, SciPy or NumPy computes from the predictions."""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage, stats
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.metrics import pairwise_distances

import glassnet
from glassnet import Dataset, InputError, Run, Split
from glassnet.errors import UnknownNameError
from glassnet.evaluation import (
    CORRUPTIONS,
    Comparison,
    Evaluation,
    compare,
    corrupt,
    evaluate,
    find_mistakes,
    measure_robustness,
    nearest,
    wilson_interval,
)
from glassnet.evaluation.calibration import coverage_points, reliability_bins
from glassnet.evaluation.neighbours import _search
from glassnet.figures import answers
from glassnet.figures import evaluation as figures
from tests.conftest import Said

Command = Callable[..., Said]


@pytest.fixture(scope="module")
def scores(run: Run) -> Evaluation:
    return evaluate(run)


@pytest.fixture(scope="module")
def logits_run(few: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A network of the user's own, convolutional, that gives logits."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(4, 5, 4, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, kernel_regularizer="l2"),
        ]
    )
    return glassnet.train(model, few, epochs=2)


@pytest.fixture(scope="module")
def colours() -> Dataset:
    """Small colour pictures of two classes: red and green on a ground that is not black."""
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=60)
    images = np.full((60, 12, 10, 3), 90, np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[3:9, 3:7, label] = rng.integers(150, 255)
    return Dataset(
        "colours", ("red", "green"), Split("train", images[:40], labels[:40]), Split("test", images[40:], labels[40:])
    )


def test_loss_and_accuracy_are_those_of_the_training_and_of_scikit_learn(run: Run, scores: Evaluation) -> None:
    passport = run.passport
    assert scores.loss == pytest.approx(passport.test_loss, rel=1e-6)
    assert scores.accuracy == passport.test_accuracy
    assert scores.accuracy == metrics.accuracy_score(scores.labels, scores.predicted)
    assert scores.loss == pytest.approx(metrics.log_loss(scores.labels, scores.probabilities), rel=1e-5)
    assert (scores.n, scores.split, scores.dataset, scores.run) == (10_000, "test", "fashion-mnist", str(run.path))
    assert scores.interval == pytest.approx(
        tuple(stats.binomtest(round(scores.accuracy * scores.n), scores.n).proportion_ci(method="wilson"))
    )


def test_loss_of_logits_with_a_penalty_is_keras_own(logits_run: Run, few: Dataset) -> None:
    found = evaluate(logits_run, few)
    expected = logits_run.model.evaluate(few.test.images, few.test.labels, batch_size=500, verbose=0, return_dict=True)  # type: ignore[arg-type]
    assert found.loss == pytest.approx(expected["loss"], rel=1e-5)
    assert found.loss > metrics.log_loss(few.test.labels, found.probabilities, labels=range(10)) + 1e-3
    np.testing.assert_allclose(found.probabilities.sum(-1), 1)


def test_a_penalty_on_what_layers_give_is_part_of_the_loss(few: Dataset) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((28, 28)), layers.Flatten(), layers.Dense(10, "softmax", activity_regularizer="l2")]
    )
    run = glassnet.train(model, few, epochs=1)
    assert evaluate(run, few).loss == pytest.approx(run.passport.test_loss, rel=1e-6)
    without = metrics.log_loss(few.test.labels, evaluate(run, few).probabilities, labels=range(10))
    assert evaluate(run, few).loss != pytest.approx(without, rel=1e-4)


def test_classes_and_confusions_are_those_of_scikit_learn(scores: Evaluation) -> None:
    expected = metrics.confusion_matrix(scores.labels, scores.predicted)
    assert [list(row) for row in scores.confusion] == expected.tolist()
    report: Any = metrics.classification_report(
        scores.labels, scores.predicted, target_names=list(scores.classes), output_dict=True
    )
    for one in scores.per_class:
        found = {"precision": one.precision, "recall": one.recall, "f1-score": one.f1, "support": one.support}
        assert found == pytest.approx(report[one.label])
    off = expected - np.diag(np.diag(expected))
    assert [pair.count for pair in scores.confused] == sorted(off.ravel().tolist(), reverse=True)[:10]
    first = scores.confused[0]
    assert off[scores.classes.index(first.truth), scores.classes.index(first.predicted)] == off.max() == first.count
    assert first.share == first.count / 1000


def test_a_class_that_is_never_named_or_never_there_scores_zero(run: Run, few: Dataset) -> None:
    bags = few.test.labels == 8
    only = Dataset("bags", few.classes, few.train, Split("test", few.test.images[bags], few.test.labels[bags]))
    per_class = {one.label: one for one in evaluate(run, only).per_class}
    assert per_class["Bag"].precision == 1
    assert (per_class["Coat"].recall, per_class["Coat"].support) == (0, 0)


def test_reliability_is_that_of_scikit_learn(scores: Evaluation) -> None:
    accuracy, confidence = calibration_curve(scores.right, scores.confidence.clip(0, 1), n_bins=10)
    assert [one.accuracy for one in scores.reliability] == pytest.approx(accuracy)
    assert [one.confidence for one in scores.reliability] == pytest.approx(confidence)
    assert sum(one.n for one in scores.reliability) == scores.n
    weights = np.array([one.n for one in scores.reliability]) / scores.n
    assert scores.calibration_error == pytest.approx(float(weights @ np.abs(accuracy - confidence)))


def test_coverage_is_the_error_of_the_surest(scores: Evaluation) -> None:
    assert len(scores.coverage) == 20
    for point in scores.coverage:
        answered = scores.confidence >= point.threshold
        assert answered.mean() == pytest.approx(point.coverage)
        assert (~scores.right)[answered].mean() == pytest.approx(point.error)
    assert scores.coverage[-1].coverage == 1
    assert scores.coverage[-1].error == pytest.approx(1 - scores.accuracy)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.7, 1.0]), st.booleans()), min_size=1, max_size=50))
@settings(deadline=None, max_examples=50)
def test_equally_sure_answers_stay_together_and_every_answer_has_a_bin(pairs: list[tuple[float, bool]]) -> None:
    confidence, right = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    for point in coverage_points(confidence, right):
        answered = confidence >= point.threshold
        assert answered.mean() == pytest.approx(point.coverage)
        assert (~right)[answered].mean() == pytest.approx(point.error)
    bins = reliability_bins(confidence, right)
    assert sum(one.n for one in bins) == len(pairs)
    assert all(one.low <= one.confidence <= one.high + 1e-12 for one in bins)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None, max_examples=50)
def test_interval_is_that_of_scipy(counts: tuple[int, int]) -> None:
    assert wilson_interval(*counts) == pytest.approx(
        tuple(stats.binomtest(*counts).proportion_ci(method="wilson")), abs=1e-9
    )


def test_baselines(run: Run, scores: Evaluation, few: Dataset) -> None:
    assert (scores.chance, scores.majority, scores.human) == (0.1, 0.1, 0.835)
    found = evaluate(run, few)
    most = np.bincount(few.train.labels).argmax()
    assert found.majority == pytest.approx((few.test.labels == most).mean())
    assert found.human is None


def test_record_is_plain_and_repr_is_short(run: Run, few: Dataset, scores: Evaluation) -> None:
    record = scores.record()
    assert json.loads(json.dumps(record)) == record
    assert {"probabilities", "labels"}.isdisjoint(record)
    assert len(repr(scores)) < 300
    assert scores in [scores]  # comparing does not look into the arrays
    assert evaluate(run, few) not in [scores, evaluate(run, few)]


def test_a_run_is_not_evaluated_on_what_does_not_fit(run: Run, few: Dataset, colours: Dataset) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'test'"):
        evaluate(run, split="tset")
    with pytest.raises(InputError, match="pass images of that shape"):
        evaluate(run, colours)
    with pytest.raises(InputError, match="pass images of that shape"):
        measure_robustness(run, colours)
    empty = Dataset("none", few.classes, few.train, Split("test", few.test.images[:0], few.test.labels[:0]))
    with pytest.raises(InputError, match="has no images"):
        evaluate(run, empty)
    with pytest.raises(InputError, match="take at least 1"):
        measure_robustness(run, few, images=0)
    with pytest.raises(InputError, match="pass the data that was evaluated"):
        find_mistakes(run, evaluate(run, few))
    with pytest.raises(InputError, match="count is 0"):
        find_mistakes(run, evaluate(run, few), few, count=0)
    with pytest.raises(InputError, match="class 0 of the data is '0', that of this run 'T-shirt/top'; pass data whose"):
        evaluate(run, glassnet.load("mnist"))


@pytest.mark.parametrize("label", [None, "Bag"])
def test_nearest_are_those_of_scikit_learn(few: Dataset, label: str | None) -> None:
    found = nearest(few, few.test.images[:20], count=4, label=label)
    numbers = np.flatnonzero(few.train.labels == 8) if label else np.arange(len(few.train))
    flat = [images.reshape(len(images), -1) / 255 for images in (few.test.images[:20], few.train.images[numbers])]
    distances = pairwise_distances(*flat)
    order = distances.argsort(-1)[:, :4]
    assert [[one.index for one in near] for near in found] == numbers[order].tolist()
    np.testing.assert_allclose(
        [[one.distance for one in near] for near in found], np.take_along_axis(distances, order, -1), rtol=1e-9
    )
    assert all(one.label == few.classes[few.train.labels[one.index]] for near in found for one in near)
    assert nearest(few, few.test.images[0], count=4, label=label) == found[:1]


def test_nearest_in_small_pieces_are_the_same(few: Dataset) -> None:
    images, numbers, queries = few.train.images, np.arange(len(few.train)), few.test.images[:9]
    whole = _search(images, numbers, queries, 5, len(images))
    for length in (3, 7, 1999):
        assert _search(images, numbers, queries, 5, length) == whole


def test_nearest_of_what_does_not_fit(few: Dataset, colours: Dataset) -> None:
    assert nearest(few, few.test.images[:0]) == []
    assert len(nearest(colours, colours.test.images[0], count=1000)[0]) == 40
    with pytest.raises(InputError, match=r"has uint8 \(n, 28, 28\): pass"):
        nearest(few, colours.test.images)
    with pytest.raises(UnknownNameError, match="did you mean 'Ankle boot'"):
        nearest(few, few.test.images, label="Ankle boots")
    with pytest.raises(InputError, match="count is 0"):
        nearest(few, few.test.images, count=0)


@pytest.mark.parametrize("split", ["test", "train"])
def test_mistakes_are_the_surest_wrong_answers(run: Run, few: Dataset, split: str) -> None:
    scores = evaluate(run, few, split=split)
    found = find_mistakes(run, scores, few, count=8)
    wrong = {index: scores.confidence[index] for index in np.flatnonzero(scores.predicted != scores.labels)}
    assert [one.index for one in found] == sorted(wrong, key=lambda index: -wrong[index])[:8]
    for one in found:
        image, label = few.split(split).at(one.index)
        (answer,) = glassnet.predict(run, image, labels=[label])
        assert (one.truth, one.predicted) == (answer.true_label, answer.label)
        assert one.probability == pytest.approx(answer.probability, rel=1e-5)
        assert one.true_probability == pytest.approx(float(answer.probabilities[label]), rel=1e-4)
        near = nearest(few, image, count=4, label=one.truth)[0]
        assert list(one.nearest_true) == [each for each in near if split == "test" or each.index != one.index][:3]
        assert one.nearest_predicted == nearest(few, image, count=3, label=one.predicted)[0]
        assert one.understandable == (one.nearest_predicted[0].distance < one.nearest_true[0].distance)
    assert json.loads(json.dumps(found[0].record())) == found[0].record()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruptions_keep_shape_and_kind_and_change_what_they_should(name: str, few: Dataset, colours: Dataset) -> None:
    for images in (few.test.images[:20], colours.test.images):
        before = images.copy()
        for level in CORRUPTIONS[name].levels:
            changed = corrupt(images, name, level, seed=3)
            assert (changed.shape, changed.dtype) == (images.shape, np.uint8)
            assert np.array_equal(changed, images) == (level == CORRUPTIONS[name].untouched)
            assert np.array_equal(changed, corrupt(images, name, level, seed=3))
        assert np.array_equal(images, before)
    assert len(CORRUPTIONS[name].levels) == 6
    assert corrupt(few.test.images[:0], name, 3).shape == (0, 28, 28)


@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_corruptions_take_images_of_any_size(images: np.ndarray, level: int) -> None:
    for name in CORRUPTIONS:
        assert corrupt(images, name, level).shape == images.shape


def test_corruptions_are_what_their_names_say(few: Dataset, colours: Dataset) -> None:
    images = few.test.images[:50]
    one = np.zeros((40, 9, 9), np.uint8)
    one[:, 4, 4] = 200
    moved = {tuple(np.argwhere(image)[0].tolist()) for image in corrupt(one, "shift", 2)}
    assert moved == {(2, 4), (6, 4), (4, 2), (4, 6)}
    turned = corrupt(images, "rotation", 30)
    for before, after in zip(images.astype(float), turned.astype(float), strict=True):
        ways = [ndimage.rotate(before, angle, reshape=False, order=1) for angle in (30, -30)]
        assert min(np.abs(after - way).max() for way in ways) <= 1
    noise = corrupt(np.full((20, 28, 28), 128, np.uint8), "noise", 20).astype(float)
    assert noise.std() == pytest.approx(20, rel=0.05)
    assert noise.mean() == pytest.approx(128, abs=1)
    blurred = ndimage.gaussian_filter(images[0].astype(float), 1.5, mode="nearest")
    assert np.abs(corrupt(images, "blur", 1.5)[0] - blurred).max() <= 0.51
    faint = corrupt(images, "contrast", 0.4).astype(float)
    assert faint.std(axis=(1, 2)) == pytest.approx(0.4 * images.std(axis=(1, 2)), rel=0.02)
    assert faint.mean(axis=(1, 2)) == pytest.approx(images.mean(axis=(1, 2)), abs=0.5)
    bright = np.full((30, 10, 10), 255, np.uint8)
    bright[:, 0], bright[:, -1], bright[:, :, 0], bright[:, :, -1] = 0, 0, 0, 0
    assert ((bright != corrupt(bright, "occlusion", 4)).sum(axis=(1, 2)) <= 16).all()
    hidden = corrupt(colours.test.images, "occlusion", 12)
    assert (hidden[:, :10] == 90).any()
    stroke = np.zeros((1, 9, 9), np.uint8)
    stroke[:, :, 3:6] = 255
    widths = [int((corrupt(stroke, "stroke width", level)[0, 4] > 0).sum()) for level in (-2, -1, 0, 1, 2, 3)]
    assert widths == [1, 2, 3, 4, 5, 6]
    with pytest.raises(UnknownNameError, match="did you mean 'noise'"):
        corrupt(images, "nose", 1)


def test_robustness_is_the_accuracy_on_the_changed_images(run: Run, few: Dataset) -> None:
    curves = measure_robustness(run, few, images=120, seed=4)
    spread = np.arange(120) * 500 // 120
    chosen, labels = few.test.images[spread], few.test.labels[spread]
    assert [curve.name for curve in curves] == list(CORRUPTIONS)
    for curve in curves:
        assert curve.n == 120
        for point in (curve.points[0], curve.points[-1]):
            changed = corrupt(chosen, curve.name, point.level, seed=4)
            answers_ = glassnet.predict(run, changed, labels=labels.tolist())
            right = sum(answer.label == answer.true_label for answer in answers_)
            assert point.accuracy == right / 120
            assert point.interval == wilson_interval(right, 120)
        (untouched,) = [point for point in curve.points if point.level == curve.untouched]
        assert untouched.accuracy == metrics.accuracy_score(labels, evaluate(run, few).predicted[spread])
    assert curves == measure_robustness(run, few, images=120, seed=4)
    assert measure_robustness(run, few, images=10_000)[0].n == 500
    assert json.loads(json.dumps(curves[0].record())) == curves[0].record()


def test_robustness_is_that_of_all_classes_where_images_lie_in_their_order(run: Run, few: Dataset) -> None:
    order = np.argsort(few.test.labels, kind="stable")
    ordered = Dataset("x", few.classes, few.train, Split("test", few.test.images[order], few.test.labels[order]))
    (untouched, *_), *_ = (curve.points for curve in measure_robustness(run, ordered, images=50))
    right = evaluate(run, ordered).right
    assert right[:50].mean() != right[::10].mean() == untouched.accuracy


def test_colour_images_go_through_all_of_it(colours: Dataset) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((12, 10, 3)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(2, "softmax")]
    )
    run = glassnet.train(model, colours, epochs=1)
    scores = evaluate(run)
    assert scores.accuracy == metrics.accuracy_score(colours.test.labels, scores.predicted)
    assert len(find_mistakes(run, scores)) == min(10, round((1 - scores.accuracy) * 20))
    assert len(measure_robustness(run)) == 7


def paired(run: Run, other: Run, few: Dataset) -> tuple[Comparison, Evaluation, Evaluation]:
    return compare(run, other, few), evaluate(run, few), evaluate(other, few)


def test_comparison_counts_the_images(run: Run, logits_run: Run, few: Dataset) -> None:
    found, one, other = paired(run, logits_run, few)
    table = metrics.confusion_matrix(~one.right, ~other.right).tolist()
    assert [[found.both_right, found.only_first], [found.only_second, found.both_wrong]] == table
    assert (found.first_accuracy, found.second_accuracy) == (one.accuracy, other.accuracy)
    assert found.difference == pytest.approx(other.accuracy - one.accuracy)
    for differing in found.differing:
        label = few.test.labels[differing.index]
        assert one.right[differing.index] != other.right[differing.index]
        expected = [few.classes[k] for k in (label, one.predicted[differing.index], other.predicted[differing.index])]
        assert [differing.truth, differing.first, differing.second] == expected
    assert len(found.differing) == found.only_first + found.only_second
    assert json.loads(json.dumps(found.record())) == found.record()


def test_comparison_interval_and_test_are_sound(run: Run, logits_run: Run, few: Dataset) -> None:
    found, one, other = paired(run, logits_run, few)
    # McNemar's exact test from its definition: twice the smaller tail of fair coin tosses.
    n, least = len(found.differing), min(found.only_first, found.only_second)
    tail = sum(math.comb(n, k) for k in range(least + 1)) / 2**n
    assert found.p_value == pytest.approx(min(1, 2 * tail))
    # The interval beside that of the bootstrap over images.
    each = other.right.astype(float) - one.right
    rng = np.random.default_rng(0)
    resampled = [each[rng.integers(len(each), size=len(each))].mean() for _ in range(4000)]
    assert found.interval == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])), abs=0.006)
    same = compare(run, run, few)
    assert (same.difference, same.p_value, same.differing) == (0, 1, ())
    assert same.interval[0] < 0 < same.interval[1]
    with pytest.raises(InputError, match="no difference to draw"):
        answers.draw_comparison(same, few)


def test_runs_that_do_not_fit_are_not_compared(run: Run, few: Dataset, colours: Dataset) -> None:
    digits = Run(run.model, run.passport.model_copy(update={"classes": tuple("0123456789")}), data=few)
    with pytest.raises(InputError, match="compare runs of one data set"):
        compare(run, digits)
    with pytest.raises(InputError, match="pass images of that shape"):
        compare(run, run, colours)


def test_figures_show_the_numbers(run: Run, logits_run: Run, few: Dataset) -> None:
    scores = evaluate(run, few)
    matrix = figures.draw_confusion(scores)
    cells = {
        (round(text.get_position()[1]), round(text.get_position()[0])): int(text.get_text())
        for text in matrix.axes[0].texts
    }
    assert cells == {(i, j): n for i, row in enumerate(scores.confusion) for j, n in enumerate(row) if n}
    assert [tick.get_text() for tick in matrix.axes[0].get_yticklabels()] == list(few.classes)
    comparison = compare(run, logits_run, few)
    drawn = answers.draw_comparison(comparison, few).axes[0].images
    assert np.array_equal(drawn[0].get_array(), few.test.images[comparison.differing[0].index])
    assert len(drawn) == 15


def test_evaluate_on_the_command_line(command: Command, run: Run, scores: Evaluation) -> None:
    said = command("evaluate", run.path, "--json")
    assert said.json == scores.record()
    line = command("evaluate", run.path, "--out", "confusion.png").out
    assert f"{100 * scores.accuracy:.2f} %" in line
    assert f"{100 * scores.interval[0]:.2f} %" in line
    assert Path("confusion.png").stat().st_size > 10_000
    found = command("evaluate", run.path, "--report", "--json").json
    assert found["mistakes"] == [one.record() for one in find_mistakes(run, scores)]
    assert found["robustness"] == [one.record() for one in measure_robustness(run)]
    report = command("evaluate", run.path, "--report").out
    for text in ("precision", "Most confused", "Calibration error", "people 83.50 %", "stroke width", "a person too?"):
        assert text in report
    assert str(found["mistakes"][0]["index"]) in report
    assert "did you mean 'test'" in command("evaluate", run.path, "--split", "tset").err


def test_compare_on_the_command_line(command: Command, run: Run, few: Dataset) -> None:
    other = glassnet.train("baseline", epochs=1, seed=1, out="other")
    found = command("compare", run.path, "other", "--json", "--out", "differing.svg").json
    assert found == compare(run, other).record() | {"second": "other"}
    assert Path("differing.svg").read_text().startswith("<?xml")
    said = command("compare", run.path, "other").out
    assert f"{100 * found['first_accuracy']:.2f} %" in said
    assert "McNemar" in said
    assert f"{len(found['differing']):,}" in said
    assert command("compare", run.path, "nowhere").code == 2


def test_one_class_can_be_drawn(run: Run, few: Dataset) -> None:
    shirts = dataclasses.replace(
        evaluate(run, few), classes=("Shirt",), labels=np.zeros(3, int), probabilities=np.ones((3, 1))
    )
    (cell,) = figures.draw_confusion(shirts).axes[0].texts
    assert cell.get_text() == "3"
