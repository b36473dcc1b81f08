"""Predictions add up, and every picture file gives an answer or one clear line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import glassnet
from glassnet import Dataset, InputError, Run, photos
from glassnet.errors import PhotoError
from glassnet.probabilities import softmax, to_probabilities
from glassnet.replay import open_replay


@pytest.fixture(scope="module")
def digits() -> Run:
    return glassnet.train("digits-128")


def test_first_test_image_is_an_ankle_boot(run: Run, fashion: Dataset) -> None:
    (answer,) = glassnet.predict(run, fashion.test.images[0], labels=[int(fashion.test.labels[0])], top=10)
    assert answer.label == answer.true_label == "Ankle boot"
    assert sum(one.probability for one in answer.top) == pytest.approx(1, abs=1e-6)
    assert [one.probability for one in answer.top] == sorted((one.probability for one in answer.top), reverse=True)
    assert answer.probability == answer.top[0].probability == answer.probabilities.max()


def test_single_image_is_a_batch_of_one(run: Run, fashion: Dataset) -> None:
    many = glassnet.predict(run, fashion.test.images[:5])
    alone = [glassnet.predict(run, image)[0] for image in fashion.test.images[:5]]
    for one, other in zip(many, alone, strict=True):
        assert one.label == other.label
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)
    assert glassnet.predict(run, fashion.test.images[:0]) == []


def test_softmax_is_exact_and_does_not_overflow() -> None:
    logits = np.array([[0.0, np.log(3.0)], [1e4, -1e4]], np.float32)
    np.testing.assert_allclose(softmax(logits), [[0.25, 0.75], [1, 0]], atol=1e-7)


def test_logits_become_probabilities(fashion: Dataset, few: Dataset) -> None:
    run = glassnet.train("fashion-128", few, epochs=1)
    (answer,) = glassnet.predict(run, fashion.test.images[0])
    assert answer.outputs == "logits"
    np.testing.assert_allclose(answer.probabilities, softmax(answer.scores[None])[0])
    assert answer.probabilities.sum() == pytest.approx(1)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("shape", [(1, 20, 28), (28,), (1, 28, 28, 3)])
def test_images_of_another_shape_are_refused(run: Run, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="this run takes uint8"):
        glassnet.predict(run, np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match="this run takes uint8"):
        glassnet.predict(run, np.zeros((1, 28, 28), np.float32))
    with pytest.raises(InputError, match="top is 11"):
        glassnet.predict(run, np.zeros((1, 28, 28), np.uint8), top=11)


def written(tmp_path: Path, pixels: np.ndarray, name: str = "photo.png", **options: Any) -> Path:
    path = tmp_path / name
    Image.fromarray(pixels).save(path, **options)
    return path


def large_digit(number: int, size: int = 400) -> tuple[np.ndarray, str]:
    """A test digit, dark on light, small in one corner of a large picture."""
    data = glassnet.load("mnist")
    image, label = data.test.at(number)
    canvas = np.full((size, size), 235, np.uint8)
    digit = np.asarray(Image.fromarray(image).resize((150, 150)))
    canvas[40:190, 20:170] = 235 - (digit * 0.8).astype(np.uint8)
    return canvas, data.classes[label]


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "gif", "bmp", "tif"])
def test_digits_on_paper_are_read(digits: Run, tmp_path: Path, ending: str) -> None:
    paths, labels = [], []
    for number in range(20):
        pixels, label = large_digit(number)
        paths.append(written(tmp_path, pixels, f"{number}.{ending}"))
        labels.append(label)
    answers = glassnet.predict(digits, paths)
    assert sum(answer.label == label for answer, label in zip(answers, labels, strict=True)) >= 17
    assert answers[0].source == str(paths[0])


def test_forms_of_one_picture_agree(digits: Run, tmp_path: Path) -> None:
    pixels, label = large_digit(0)
    colour = np.stack([pixels] * 3, -1)
    clear = np.dstack([np.zeros_like(colour), 255 - pixels])
    deep = pixels.astype(np.uint16) * 257
    turned = Image.fromarray(np.rot90(pixels).copy())
    exif = turned.getexif()
    exif[0x0112] = 6  # the camera was held upright; the viewer turns the picture clockwise
    turned.save(tmp_path / "turned.jpg", exif=exif)
    paths = [
        written(tmp_path, pixels, "dark.png"),
        written(tmp_path, 255 - pixels, "light.png"),
        written(tmp_path, colour, "colour.png"),
        written(tmp_path, clear, "clear.png"),
        written(tmp_path, deep, "deep.png"),
        tmp_path / "turned.jpg",
    ]
    assert [answer.label for answer in glassnet.predict(digits, paths)] == [label] * len(paths)


def test_picture_in_the_data_sets_own_form_is_not_touched(digits: Run, tmp_path: Path) -> None:
    image = glassnet.load("mnist").test.images[3]
    (answer,) = glassnet.predict(digits, written(tmp_path, image))
    assert np.array_equal(answer.image, image)


def test_subject_sizes_are_those_the_sets_were_made_with(fashion: Dataset) -> None:
    assert photos.subject_size(glassnet.load("mnist").train.images) in (19, 20)
    assert photos.subject_size(fashion.train.images) in (27, 28)
    assert photos.subject_size(np.zeros((3, 28, 28), np.uint8)) == 28


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "folder", "truncated", "header"])
def test_files_that_are_no_picture_are_refused(run: Run, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo.png"
    good = written(tmp_path, large_digit(0)[0], "good.png").read_bytes()
    contents = {"empty": b"", "text": b"hello", "truncated": good[:300], "header": good[:20]}
    if kind in contents:
        path.write_bytes(contents[kind])
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(PhotoError, match=r"photo\.png") as error:
        glassnet.predict(run, path)
    assert "\n" not in str(error.value)


def test_absurdly_large_picture_is_refused_before_it_is_decoded(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (30_000, 30_000)).save(path)
    with pytest.raises(PhotoError, match="make it smaller|no picture"):
        glassnet.predict(run, path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 600), junk=st.binary(max_size=40), ending=st.sampled_from(["png", "jpg", "gif", "bmp"]))
def test_damaged_pictures_never_end_in_another_error(
    run: Run, tmp_path: Path, start: int, junk: bytes, ending: str
) -> None:
    path = written(tmp_path, large_digit(1, 200)[0], f"photo.{ending}")
    raw = path.read_bytes()
    path.write_bytes(raw[:start] + junk + raw[start + len(junk) :])
    try:
        (answer,) = glassnet.predict(run, path)
    except PhotoError as error:
        assert "\n" not in str(error)
    else:
        assert answer.probabilities.sum() == pytest.approx(1, abs=1e-5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "CMYK", "I"]),
)
def test_pictures_of_every_size_and_mode_fit_the_network(tmp_path: Path, width: int, height: int, mode: str) -> None:
    path = tmp_path / "photo.tif"
    noise = np.random.default_rng(width * height).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(noise).convert(mode if mode not in ("LA", "I") else "L").convert(mode).save(path)
    image = photos.read_photo(path, (28, 28), 20)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    colour = photos.read_photo(path, (32, 24, 3), 20)
    assert colour.shape == (32, 24, 3)


def test_sigmoids_become_probabilities_that_sum_to_1(few: Dataset) -> None:
    keras = pytest.importorskip("keras")
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10, "sigmoid")]
    )
    run = glassnet.train(model, few, epochs=1, batch_size=500, snapshots=True)
    answers = glassnet.predict(run, few.test.images[:3], top=10)
    np.testing.assert_allclose([sum(one.probability for one in answer.top) for answer in answers], 1, atol=1e-6)
    for answer in answers:
        np.testing.assert_allclose(answer.probabilities, answer.scores / answer.scores.sum(), rtol=1e-6)
    np.testing.assert_allclose(
        glassnet.evaluate(run).probabilities[:3], [one.probabilities for one in answers], rtol=1e-5
    )
    np.testing.assert_allclose(open_replay(run).probabilities(few.test.images[:3]).sum(-1), 1, atol=1e-6)


def test_softmax_rows_stay_as_they_are_and_nothing_becomes_even() -> None:
    rows = softmax(np.random.default_rng(0).normal(size=(50, 10))).astype(np.float32)
    assert np.array_equal(to_probabilities(rows, "probabilities"), rows)
    assert to_probabilities(np.zeros((1, 4), np.float32), "probabilities").tolist() == [[0.25] * 4]
    assert np.isnan(to_probabilities(np.full((1, 4), np.nan, np.float32), "probabilities")).all()


def test_labels_and_sources_are_those_of_the_images(run: Run, fashion: Dataset, tmp_path: Path) -> None:
    images = fashion.test.images[:3]
    with pytest.raises(InputError, match="^2 labels for 3 images; pass one for each$"):
        glassnet.predict(run, images, labels=[1, 2])
    with pytest.raises(InputError, match="^4 sources for 3 images; pass one for each$"):
        glassnet.predict(run, images, sources=list("abcd"))
    with pytest.raises(InputError, match="^labels run from -1 to 10; with 10 classes they must be 0 to 9$"):
        glassnet.predict(run, images, labels=[-1, 10, 3])
    with pytest.raises(InputError, match="^2 labels for 1 images"):
        glassnet.predict(run, written(tmp_path, large_digit(0)[0]), labels=[1, 2])
