"""The audit and the plan check: every flaw is found where it was put, and nothing where there is none."""

import io
import json
import re
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import glassnet
from glassnet import Dataset, InputError, Run, Split, recipes
from glassnet.audit import SEVERITIES, Audit, audit, check_plan, glance
from glassnet.audit.copies import find_copies
from glassnet.audit.doubts import doubt_labels
from glassnet.audit.inspection import KINDS
from glassnet.audit.lookalikes import RADIUS, find_near_copies
from glassnet.audit.origin import check_origin
from glassnet.audit.survey import survey
from glassnet.datasets import Problem, Source
from glassnet.datasets.preparation import Preparation
from glassnet.sharing.audit_page import render_audit
from tests.conftest import part


@pytest.fixture(scope="module")
def known() -> dict[str, Audit]:
    start = time.process_time()
    found = {name: audit(glassnet.load(name)) for name in ("mnist", "fashion-mnist")}
    assert time.process_time() - start < 30  # about 4 s for each on an idle core
    return found


@pytest.fixture(scope="module")
def clean(fashion: Dataset) -> Dataset:
    return part(fashion, 1500, 400)


def changed(data: Dataset, **splits: tuple[np.ndarray, np.ndarray]) -> Dataset:
    """The data set with other images and labels in some splits, and without the name of an embedded one."""
    made = {name: Split(name, *arrays) for name, arrays in splits.items()}
    return replace(data, name="changed", known_sha256=None, **made)


def arrays(split: Split) -> tuple[np.ndarray, np.ndarray]:
    return split.images.copy(), split.labels.copy()


def kinds(data: Dataset) -> list[str]:
    return [one.kind for one in audit(data).findings]


# -- the embedded sets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_copies_of_the_embedded_sets_by_another_method(known: dict[str, Audit], name: str) -> None:
    data = glassnet.load(name)
    rows = np.concatenate([split.images.reshape(len(split), -1) for split in data.splits])
    _, counts = np.unique(rows.view("V784"), return_counts=True)
    repeated = int((counts - 1).sum())
    found = sum(one.counts["extra_images"] for one in known[name].find("duplicates"))
    found += sum(one.counts["held_out_images"] for one in known[name].find("leak"))
    assert found == repeated == 0
    assert {"leak", "duplicates", "contradiction"} <= set(known[name].checked)


def test_near_copies_of_the_embedded_sets_by_another_method(known: dict[str, Audit]) -> None:
    """All pairs that the plain correlation of a part of the images finds, and no others."""
    assert not known["mnist"].find("near leak")
    assert not known["mnist"].find("near duplicates")
    data = glassnet.load("fashion-mnist")
    looked = survey(data)
    near, radius = find_near_copies(looked, find_copies(looked))
    assert radius == RADIUS
    held = known["fashion-mnist"].find("near leak")[0].counts["held_out_images"]
    inside = known["fashion-mnist"].find("near duplicates")[0].counts["extra_images"]
    assert held > 0
    assert inside > 0
    grouped = {int(number) - 60_000 for number in np.flatnonzero((near < 60_000) & (looked.split_of == 1))}
    assert len(grouped) == held
    suspects = np.array(sorted(grouped | set(range(0, 10_000, 20))))  # those that were found, and others

    def without_light(images: np.ndarray) -> np.ndarray:
        rows = images.reshape(len(images), -1).astype(np.float32)
        rows -= rows.mean(1, keepdims=True)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    correlation = without_light(data.train.images) @ without_light(data.test.images[suspects]).T
    assert set(suspects[correlation.max(0) > 1 - RADIUS**2 / 2].tolist()) == grouped


def test_mnist_has_nothing_but_a_few_heavy_digits(known: dict[str, Audit]) -> None:
    assert [(one.kind, one.severity) for one in known["mnist"].findings] == [("brightness", "note")]
    assert all(example.label == "0" or example.label for example in known["mnist"].findings[0].examples)


# -- flaws that were put there -----------------------------------------------------------------------------------------


def test_nothing_is_found_where_nothing_is(clean: Dataset) -> None:
    assert kinds(clean) == []
    assert glance(clean) == ()


def test_copies_within_and_across_splits_and_under_other_labels(clean: Dataset) -> None:
    (train, labels), (test, truths) = arrays(clean.train), arrays(clean.test)
    train[10:13] = train[20]
    labels[10:13] = labels[20]
    test[5:7] = train[30:32]
    truths[5] = labels[30]
    truths[6] = (labels[31] + 1) % 10
    found = audit(changed(clean, train=(train, labels), test=(test, truths)))
    assert [one.kind for one in found.findings] == ["leak", "contradiction", "duplicates"]
    leak, contradiction, duplicates = found.findings
    assert leak.counts == {"groups": 2, "held_out_images": 2}
    assert {(one.split, one.index) for one in leak.examples} == {("train", 30), ("test", 5), ("train", 31), ("test", 6)}
    assert contradiction.counts == {"groups": 1, "images": 2}
    assert {one.label for one in contradiction.examples} == {clean.classes[labels[31]], clean.classes[truths[6]]}
    assert duplicates.counts == {"groups": 1, "extra_images": 3}
    assert "pixel for pixel" in leak.line


def jpeg(image: np.ndarray) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=90)
    return np.asarray(Image.open(stream))


@pytest.mark.parametrize(
    "change",
    [
        lambda image: np.rint(image * 0.7 + 30).astype(np.uint8),
        jpeg,
        lambda image: np.clip(image + np.random.default_rng(0).normal(0, 3, image.shape), 0, 255).astype(np.uint8),
    ],
    ids=["darker", "jpeg", "noise"],
)
def test_near_copies_are_found_and_others_are_not(clean: Dataset, change: Any) -> None:
    test, truths = arrays(clean.test)
    chosen = np.arange(100, 140)
    test[:40] = [change(image) for image in clean.train.images[chosen]]
    truths[:40] = clean.train.labels[chosen]
    found = audit(changed(clean, test=(test, truths))).find("near leak")[0]
    assert found.counts["held_out_images"] == 40
    pairs: dict[int, set[tuple[str, int]]] = {}
    for one in found.examples:
        pairs.setdefault(one.group, set()).add((one.split, one.index))
    assert all(pair == {("test", k), ("train", 100 + k)} for pair in pairs.values() for k in [min(pair)[1]])


def test_many_frames_of_one_film_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch, clean: Dataset) -> None:
    monkeypatch.setattr("glassnet.audit.lookalikes.MOST_PAIRS", 1000)
    train, labels = arrays(clean.train)
    noise = np.random.default_rng(0).normal(0, 0.7, train[:500].shape)
    train[:500] = np.clip(train[700] + noise, 0, 255).astype(np.uint8)
    looked = survey(changed(clean, train=(train, labels)))
    near, radius = find_near_copies(looked, find_copies(looked))
    assert radius < RADIUS
    assert (near[:500] <= np.arange(500)).all()


def test_blank_and_unusual_images(clean: Dataset) -> None:
    train, labels = arrays(clean.train)
    train[3], train[4] = 0, 200
    test, truths = arrays(clean.test)
    test //= 4
    train //= 4
    test[7] = 255 - test[7]
    found = audit(changed(clean, train=(train, labels), test=(test, truths)))
    assert {(one.split, one.index) for one in found.find("blank")[0].examples} == {("train", 3), ("train", 4)}
    assert [(one.split, one.index) for one in found.find("brightness")[0].examples] == [("test", 7)]


def test_ranges(clean: Dataset) -> None:
    test, truths = arrays(clean.test)
    found = audit(changed(clean, test=(test // 255, truths))).find("range")[0]
    assert found.severity == "serious"
    assert found.counts == {"brightest_train": 255, "brightest_test": 1}
    both = changed(clean, train=(clean.train.images // 255, clean.train.labels), test=(test // 255, truths))
    assert "no pixel is brighter than 1 of 255" in audit(both).find("range")[0].title
    darker = audit(changed(clean, test=(test // 3, truths))).find("range")[0]
    assert darker.severity == "warning"
    assert "darker than the training images" in darker.title


def test_classes(clean: Dataset) -> None:
    train, labels = arrays(clean.train)
    keep = (labels != 3) & ~((labels == 5) & (np.arange(len(labels)) > 100))
    (found,) = [audit(changed(clean, train=(train[keep], labels[keep])))]
    assert found.findings[0].kind == "missing class"
    assert found.findings[0].severity == "serious"
    assert "Dress" in found.findings[0].title
    counts = np.bincount(labels[keep], minlength=10)
    smallest, largest = int(counts[counts > 0].min()), int(counts.max())
    assert found.find("imbalance")[0].counts == {
        "largest": largest,
        "smallest": smallest,
        "ratio": round(largest / smallest, 3),
    }
    assert found.find("few images")[0].details == (f"Sandal: {smallest}",)
    assert found.classes["Dress"] == {"train": 0, "test": int((clean.test.labels == 3).sum())}
    test, truths = arrays(clean.test)
    held = audit(changed(clean, test=(test[truths != 2], truths[truths != 2]))).findings
    assert [(one.kind, one.severity) for one in held] == [("missing class", "warning")]
    only = audit(changed(clean, train=(train[labels == 1], labels[labels == 1]))).findings
    assert only[0].kind == "one class"
    assert "all" in only[0].title and "Trouser" in only[0].title


def test_files_and_sizes_of_a_source(clean: Dataset) -> None:
    sizes = {split.name: np.full((len(split), 2), 100, np.int32) for split in clean.splits}
    sizes["train"][8] = 1000, 100
    sizes["test"][9] = 8, 8
    names = {split.name: [f"{split.name}/{k}.png" for k in range(len(split))] for split in clean.splits}
    problems = tuple(Problem(f"broken {k}.png", "is no picture") for k in range(30))
    source = Source("photos", "a folder for each class", Preparation(), problems, names, sizes)
    found = audit(replace(clean, source=source))
    assert [one.kind for one in found.findings] == ["unreadable", "odd shape", "odd size"]
    unreadable, shape, size = found.findings
    assert unreadable.details[0] == "broken 0.png: is no picture"
    assert unreadable.details[-1] == "… and 10 more"
    assert [(one.split, one.index, one.name, one.note) for one in shape.examples] == [
        ("train", 8, "train/8.png", "1000 × 100")
    ]
    assert [(one.split, one.index, one.note) for one in size.examples] == [("test", 9, "8 × 8")]


def test_what_is_used_otherwise_than_was_meant_is_not_called_left_out(clean: Dataset) -> None:
    problems = (
        Problem("labels.csv", "its column of splits says 'fold 7' in 3 rows", 3, left_out=False),
        Problem("pixels.csv", "950 more lines like these", 950),
        Problem("cat.png", "is no picture"),
    )
    data = replace(clean, source=Source("photos", "a table", Preparation(), problems))
    unreadable, split = check_origin(data)
    assert (unreadable.kind, unreadable.counts) == ("unreadable", {"files": 951})
    assert not any("labels.csv" in line for line in unreadable.details)
    assert (split.kind, split.details) == ("split", ("labels.csv: its column of splits says 'fold 7' in 3 rows",))
    assert split.meaning.startswith("Nothing is left out")
    assert {unreadable.kind, split.kind} < set(KINDS)


def test_images_of_one_colour_are_blank_and_no_copies_of_each_other(
    monkeypatch: pytest.MonkeyPatch, clean: Dataset
) -> None:
    monkeypatch.setattr("glassnet.audit.lookalikes.MOST_PAIRS", 10)
    noise = np.random.default_rng(0).integers(0, 256, (60, 12, 12, 3), np.uint8)
    noise[:20] = np.arange(60, dtype=np.uint8).reshape(20, 1, 1, 3) * 4
    noise[20:22, ..., 0] = noise[20:22, ..., 1] = 255  # blue alone varies: not blank
    labels = np.arange(60) % 10
    found = audit(
        Dataset("tiles", clean.classes, Split("train", noise[:50], labels[:50]), Split("test", noise[50:], labels[50:]))
    )
    assert found.find("blank")[0].counts["images"] == 20
    assert not found.find("near duplicates")


def test_one_picture_under_many_brightnesses_comes_to_an_end(monkeypatch: pytest.MonkeyPatch, clean: Dataset) -> None:
    monkeypatch.setattr("glassnet.audit.lookalikes.MOST_PAIRS", 10)
    one = np.random.default_rng(0).integers(0, 2, (8, 8), np.uint8) * 128
    train = one + np.arange(100, dtype=np.uint8)[:, None, None]  # equal to the last bit, but for their brightness
    looked = survey(changed(clean, train=(train, np.arange(100) % 10), test=(train[:1], np.zeros(1, int))))
    assert find_near_copies(looked, find_copies(looked))[1] == 0


@pytest.mark.parametrize("shape", [(65, 1), (3, 99), (1, 99), (99, 1, 3), (70, 40)])
def test_images_of_any_shape_are_compared(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, *shape), np.uint8)
    images[3] = images[2] // 2 + 50
    data = Dataset(
        "strips", ("a", "b"), Split("train", images, np.arange(30) % 2), Split("test", images[:0], np.zeros(0, int))
    )
    looked = survey(data)
    near, _ = find_near_copies(looked, find_copies(looked))
    assert near.tolist() == [0, 1, 2, 2, *range(4, 30)]


def test_large_images_are_compared_and_measured_in_pieces(monkeypatch: pytest.MonkeyPatch, clean: Dataset) -> None:
    import scipy.spatial  # noqa: F401  (what it takes itself is not measured)

    monkeypatch.setattr("glassnet.audit.survey.PIECE_BYTES", 1 << 19)
    images = np.random.default_rng(0).integers(0, 256, (150, 160, 160, 3), np.uint8)
    data = Dataset(
        "photos",
        clean.classes,
        Split("train", images, np.arange(150) % 10),
        Split("test", images[:1], np.zeros(1, int)),
    )
    looked = survey(data)
    first = find_copies(looked)
    tracemalloc.start()
    find_near_copies(looked, first)
    virtual = np.broadcast_to(images[0], (10_000, *images.shape[1:]))  # takes no memory by itself
    large = replace(data, train=Split("train", virtual, np.arange(10_000) % 10))
    monkeypatch.setattr("glassnet.audit.plan.SAMPLE_BYTES", 500_000)
    check_plan(recipes.find("baseline"), large)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6  # all images have 11.5 MB, and four times as much as numbers


def test_copies_are_counted_in_each_split_by_itself(clean: Dataset) -> None:
    (train, labels), (test, truths) = arrays(clean.train), arrays(clean.test)
    train[10], labels[10] = train[11], labels[11]
    test[5], truths[5] = train[11], labels[11]  # a leak, and a repetition in training
    validation = Split("validation", test[20:23], truths[20:23])  # as many copies between validation and test
    found = audit(replace(changed(clean, train=(train, labels), test=(test, truths)), validation=validation))
    assert found.find("leak")[0].counts == {"groups": 1, "held_out_images": 1}
    (duplicates,) = found.find("duplicates")
    assert duplicates.counts == {"groups": 4, "extra_images": 4}
    assert duplicates.title == "4 images repeat another, 3 of them between validation and test, pixel for pixel"


def test_validation_and_colour(clean: Dataset) -> None:
    def colour(split: Split, name: str) -> Split:
        return Split(name, np.repeat(split.images[..., None], 3, axis=-1), split.labels)

    train, test = colour(clean.train, "train"), colour(clean.test, "test")
    validation = Split("validation", train.images[:20], train.labels[:20])
    data = Dataset("in-colour", clean.classes, train, test, validation=validation)
    found = audit(data)
    assert found.find("leak")[0].counts["held_out_images"] == 20
    assert found.images == {"train": 1500, "test": 400, "validation": 20}
    assert "Validation image 0, " in render_audit(found, data)


# -- before every training ---------------------------------------------------------------------------------------------


def test_a_glance_is_quick_and_looks_at_a_sample(fashion: Dataset) -> None:
    assert glance(fashion) == ()
    test, truths = arrays(fashion.test)
    test[:5000] = fashion.train.images[:5000]
    data = changed(fashion, test=(test, truths))
    glance(data)
    start = time.process_time()
    found = glance(data)
    assert time.process_time() - start < 2  # about 0.2 s of an idle core
    assert {one.kind for one in found} == {"leak", "contradiction"}
    assert all(one.title.startswith("at least ") for one in found)


# -- labels ------------------------------------------------------------------------------------------------------------


def confident_joint(labels: np.ndarray, probabilities: np.ndarray) -> set[int]:
    """The rule, image by image."""
    classes = probabilities.shape[1]
    thresholds = [probabilities[labels == k, k].mean() if (labels == k).any() else np.inf for k in range(classes)]
    found = set()
    for number, (label, row) in enumerate(zip(labels, probabilities, strict=True)):
        reached = [k for k in range(classes) if row[k] >= thresholds[k]]
        if reached and max(reached, key=lambda k: row[k]) != label and row.argmax() != label:
            found.add(number)
    return found


def test_doubtful_labels_follow_the_rule() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(5, 0.3), 400)
    labels = np.where(rng.random(400) < 0.8, probabilities.argmax(1), rng.integers(0, 4, 400))
    doubted = doubt_labels(labels, probabilities)
    assert set(doubted.tolist()) == confident_joint(labels, probabilities)
    margin = probabilities[doubted].max(1) - probabilities[doubted, labels[doubted]]
    assert (np.diff(margin) <= 1e-12).all()


def test_a_label_that_is_the_networks_own_answer_is_not_doubted() -> None:
    labels = np.array([0, 0, 1])
    probabilities = np.array([[0.98, 0.01, 0.01], [0.5, 0.4, 0.1], [0.4, 0.3, 0.3]])
    assert doubt_labels(labels, probabilities).tolist() == []
    assert doubt_labels(labels, probabilities[:, [1, 0, 2]]).tolist() == [0, 1]


def test_a_run_for_other_classes_says_nothing_about_labels(run: Run) -> None:
    with pytest.raises(InputError, match="class 0 of the data is '0', that of this run 'T-shirt/top'"):
        audit(part(glassnet.load("mnist"), 100, 100), run)


def test_wrong_labels_are_among_the_doubtful_ones(run: Run, fashion: Dataset) -> None:
    test, truths = arrays(fashion.test)
    test, truths = test[:1000], truths[:1000]
    wrong = np.flatnonzero(np.isin(truths, (1, 8, 9)))[:60]  # clothes that the network knows well
    truths[wrong] = 4
    found = audit(changed(part(fashion, 200, 1000), test=(test, truths)), run)
    assert "doubtful labels" in found.checked
    (doubts,) = found.find("doubtful labels")
    assert doubts.meaning.endswith("It was trained on other data, perhaps on some of these images with these labels.")
    first = {one.index for one in doubts.examples}
    assert len(first & set(wrong.tolist())) > 0.8 * len(first)
    assert 0 < doubts.counts["images"] < 1000
    assert re.fullmatch(r".+ \d+ %", doubts.examples[0].note)


# -- the plan ----------------------------------------------------------------------------------------------------------


def test_plans_of_the_recipes(fashion: Dataset) -> None:
    for name in ("baseline", "digits-32", "digits-128", "fashion-128"):
        assert check_plan(recipes.find(name), fashion) == ()
    raw = recipes.find("raw-neurons")
    assert [(one.kind, one.severity) for one in check_plan(raw, fashion)] == [("pixel scale", "warning")]
    sgd = check_plan(raw.changed(optimizer="sgd"), fashion)
    assert [(one.kind, one.severity) for one in sgd] == [("pixel scale", "serious")]
    large = check_plan(recipes.find("baseline").changed(learning_rate=0.5), fashion)
    assert [one.kind for one in large] == ["learning rate"]
    assert check_plan(recipes.find("baseline").changed(optimizer="sgd", learning_rate=0.1), fashion) == ()


def test_a_plan_that_is_called_wild_is_wild(few: Dataset) -> None:
    """What the check says would happen, happens; and what it lets pass works."""
    raw = recipes.find("raw-neurons").changed(optimizer="sgd", epochs=1, validation=False)
    assert check_plan(raw, few)
    assert not check_plan(recipes.find("baseline").changed(optimizer="sgd"), few)
    calm = glassnet.train("baseline", few, optimizer="sgd", epochs=1).passport
    try:
        wild = glassnet.train(raw, few).passport.test_loss
    except glassnet.GlassnetError:
        wild = float("inf")
    assert calm.test_loss < 2.4
    assert wild > 100


def model(*layers: Any, loss: Any = None, optimizer: Any = "adam") -> Any:
    from glassnet._keras import keras

    built = keras.Sequential([keras.Input((28, 28)), *layers])
    if loss is not None:
        built.compile(optimizer, loss)
    return built


def test_endings_and_losses(clean: Dataset) -> None:
    from glassnet._keras import keras

    dense, flatten, scale = keras.layers.Dense, keras.layers.Flatten, keras.layers.Rescaling(1 / 255)
    logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def found(*layers: Any, loss: Any) -> list[str]:
        return [one.kind for one in check_plan(model(scale, flatten(), *layers, loss=loss), clean)]

    assert found(dense(10), loss=logits) == []
    assert found(dense(10, "softmax"), loss="sparse_categorical_crossentropy") == []
    assert found(dense(10), keras.layers.Softmax(), loss="sparse_categorical_crossentropy") == []
    assert found(dense(10, "softmax"), loss=logits) == ["loss"]
    assert found(dense(10), loss="sparse_categorical_crossentropy") == ["loss"]
    assert found(dense(10, "relu"), loss=logits) == ["output layer"]
    assert found(dense(10, "softmax"), loss="categorical_crossentropy") == ["labels"]
    assert found(dense(5), loss=logits) == ["outputs"]
    assert set(found(dense(1, "softmax"), loss="sparse_categorical_crossentropy")) == {"outputs", "output layer"}


def test_scales_of_models_of_ones_own(clean: Dataset) -> None:
    from glassnet._keras import keras

    layers = keras.layers
    logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    raw = model(layers.Flatten(), layers.Dense(10), loss=logits)
    assert [one.kind for one in check_plan(raw, clean)] == ["pixel scale"]
    assert not check_plan(model(layers.BatchNormalization(), layers.Flatten(), layers.Dense(10), loss=logits), clean)
    assert not check_plan(raw, clean, learning_rate=1e-6)
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-6, 10, 0.9)
    calm = model(layers.Flatten(), layers.Dense(10), loss=logits, optimizer=keras.optimizers.Adam(schedule))
    assert not check_plan(calm, clean)
    black = changed(clean, train=(clean.train.images // 255, clean.train.labels))
    twice = model(layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10), loss=logits)
    assert [one.kind for one in check_plan(twice, black)] == ["scaled twice"]
    assert [one.kind for one in check_plan(recipes.find("baseline"), black)] == ["scaled twice"]


def test_a_sorted_tail(clean: Dataset) -> None:
    order = np.argsort(clean.train.labels, kind="stable")
    data = changed(clean, train=(clean.train.images[order], clean.train.labels[order]))
    (finding,) = check_plan(recipes.find("baseline"), data, validation_split=0.1)
    assert finding.kind == "sorted tail"
    assert finding.counts["classes_never_learned"] == 1
    assert "Ankle boot" in finding.meaning
    assert check_plan(recipes.find("baseline"), clean, validation_split=0.2) == ()
    assert check_plan(recipes.find("baseline"), clean, validation_split=0.002) == ()  # three images, unsorted
    assert check_plan(recipes.find("baseline"), data) == ()


# -- what people see ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spoiled(clean: Dataset) -> Dataset:
    (train, labels), (test, truths) = arrays(clean.train), arrays(clean.test)
    test[:3] = train[5:8]
    train[9] = 0
    evil = "<script>alert(1)</script>\"'"
    return replace(
        changed(clean, train=(train, labels), test=(test, truths)), name=evil, classes=(evil, *clean.classes[1:])
    )


def test_findings_are_ranked_and_plain(spoiled: Dataset) -> None:
    found = audit(spoiled)
    record = json.loads(json.dumps(found.record()))
    grades = [SEVERITIES.index(one["severity"]) for one in record["findings"]]
    assert grades == sorted(grades)
    assert len(grades) >= 2
    for one in found.findings:
        assert one.title and one.meaning.endswith(".") and one.advice and not one.advice.endswith(".")
        assert "\n" not in one.line
        assert 0 <= one.share <= 1
        for example in one.examples:
            assert spoiled.classes[spoiled.split(example.split).labels[example.index]] == example.label


def test_the_page(spoiled: Dataset, tmp_path: Path) -> None:
    page = render_audit(audit(spoiled), spoiled)
    assert page == render_audit(audit(spoiled), spoiled)
    assert "<script" not in page
    assert "alert(1)" in page
    assert not re.search(r"url\((?!data:|#)|@import|<link|<iframe", page)
    assert "are also in the training set, pixel for pixel" in page


def test_the_page_in_a_browser(spoiled: Dataset, browser: Any, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    (tmp_path / "audit.html").write_text(render_audit(audit(spoiled), spoiled), "utf-8")
    for scheme, width in (("light", 1280), ("dark", 390)):
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        requests: list[str] = []
        page.on("request", lambda request, to=requests: to.append(request.url))
        page.goto((tmp_path / "audit.html").as_uri())
        assert [one["id"] for one in Axe().run(page).response["violations"]] == []
        assert all(url.startswith(("file:", "data:")) for url in requests)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], run: Run) -> None:
    from glassnet.cli.audit import audit as command
    from glassnet.cli.audit import tell

    command("mnist", out=tmp_path / "page.html")
    out = capsys.readouterr().out
    assert "60,000 train, 10,000 test images, 10 classes" in out
    assert "what to do: " in out
    assert (tmp_path / "page.html").stat().st_size > 10_000
    with pytest.raises(InputError):
        command("nist")
    tell(check_plan(recipes.find("raw-neurons"), glassnet.load("fashion-mnist")))
    said = capsys.readouterr().err
    assert said.startswith("warning the pixels go in as 0 to 255")
    assert said.count("\n") == 1
