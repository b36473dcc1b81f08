"""The map of the images: projections against scikit-learn, and what is drawn."""

import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

import glassnet
from glassnet import Dataset, InputError, Run
from glassnet._keras import keras
from glassnet.errors import UnknownNameError
from glassnet.explanation.layers import activations
from glassnet.explanation.plane import pca, project
from glassnet.figures.plane import CLASS_COLOURS, MARKERS, draw_plane
from tests.conftest import Said


@pytest.fixture(scope="module")
def hidden(few: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return glassnet.train("fashion-128", few, epochs=2, out=tmp_path_factory.mktemp("runs") / "hidden")


@pytest.mark.parametrize("shape", [(60, 9), (9, 60), (30, 2), (30, 1)])
def test_pca_is_that_of_scikit_learn_up_to_sign(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=shape) * np.arange(1, shape[1] + 1)
    points, explained = pca(values)
    reference = PCA(min(2, shape[1]), svd_solver="full").fit(values)
    expected = reference.transform(values)
    for k in range(expected.shape[1]):
        sign = np.sign(points[:, k] @ expected[:, k])
        np.testing.assert_allclose(points[:, k], sign * expected[:, k], atol=1e-9)
    np.testing.assert_allclose(explained[: expected.shape[1]], reference.explained_variance_ratio_, rtol=1e-9)
    assert not points[:, expected.shape[1] :].any()
    flipped, _ = pca(-values)  # the sign follows the directions, not the order of the rows
    np.testing.assert_allclose(np.abs(flipped), np.abs(points), atol=1e-9)
    again, _ = pca(values[::-1])
    np.testing.assert_allclose(again[::-1], points, atol=1e-9)


def test_pca_of_equal_images_is_one_point() -> None:
    points, explained = pca(np.ones((5, 7), np.float32))
    assert not points.any()
    assert not explained.any()


def test_a_plane_projects_what_enters_the_last_layer(hidden: Run, few: Dataset) -> None:
    plane = project(hidden, images=200)
    assert plane.points.shape == (200, 2)
    assert plane.points.dtype == np.float32
    assert (plane.layer, plane.features) == ("input of logits", 128)
    assert len(set(plane.indexes.tolist())) == 200
    assert np.array_equal(plane.labels, few.test.labels[plane.indexes])
    chosen = few.test.images[plane.indexes]
    values = activations(hidden.model, chosen, ["hidden_1"])["hidden_1"]
    np.testing.assert_allclose(plane.points, pca(values)[0], rtol=1e-4, atol=1e-4)
    assert np.array_equal(plane.predicted, np.asarray(hidden.model(chosen.astype("float32"))).argmax(1))
    assert plane.explained is not None
    assert 0 < plane.explained[1] <= plane.explained[0] < 1
    named = project(hidden, images=200, layer="hidden_1")
    assert np.array_equal(named.points, plane.points)


def test_without_a_hidden_layer_it_projects_pixels(run: Run, few: Dataset) -> None:
    plane = project(run, few, images=1000)
    assert (plane.layer, plane.features, len(plane.points)) == ("pixels", 784, 500)
    np.testing.assert_allclose(plane.points, pca(few.test.images.reshape(500, -1) / 255)[0], rtol=1e-3, atol=1e-3)


def test_a_convolution_that_sees_the_input_and_answers_alone(few: Dataset) -> None:
    layers = [keras.Input((28, 28, 1)), keras.layers.Conv2D(10, 28), keras.layers.Flatten(), keras.layers.Softmax()]
    model = keras.Sequential(layers)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    parts = {
        part.name: glassnet.Split(part.name, part.images[:64, ..., None], part.labels[:64])
        for part in (few.train, few.test)
    }
    run = glassnet.train(model, Dataset("one-channel", few.classes, **parts), epochs=1)
    assert project(run).layer == "pixels"


def test_the_same_seed_gives_the_same_plane(hidden: Run) -> None:
    first, same, other = (project(hidden, images=100, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.points, same.points)
    assert not np.array_equal(first.indexes, other.indexes)
    train = project(hidden, images=100, split="train")
    assert train.indexes.max() > 500


def test_t_sne_keeps_classes_together_and_repeats_itself(hidden: Run) -> None:
    plane = project(hidden, images=150, method="t-sne")
    assert plane.explained is None
    assert np.isfinite(plane.points).all()
    assert np.array_equal(plane.points, project(hidden, images=150, method="t-sne").points)
    neighbours = KNeighborsClassifier(6).fit(plane.points, plane.predicted)
    assert neighbours.score(plane.points, plane.predicted) > 0.6
    assert len(project(hidden, images=6, method="t-sne").points) == 6


def test_umap_is_optional(hidden: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install umap-learn"):
        project(hidden, images=50, method="umap")


def test_umap_gets_the_principal_components_and_the_seed(hidden: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class UMAP:
        def __init__(self, **settings: Any) -> None:
            asked.update(settings)

        def fit_transform(self, values: np.ndarray) -> np.ndarray:
            asked["shape"] = values.shape
            return values[:, :2].astype(np.float32)

    module = types.ModuleType("umap")
    module.UMAP = UMAP  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "umap", module)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    plane = project(hidden, images=60, method="umap", seed=4)
    assert asked == {"n_components": 2, "n_neighbors": 15, "random_state": 4, "n_jobs": 1, "shape": (60, 50)}
    np.testing.assert_allclose(plane.points, project(hidden, images=60, seed=4).points, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"method": "tsne"}, "did you mean 't-sne'"),
        ({"layer": "hiden_1"}, "did you mean 'hidden_1'"),
        ({"split": "validation"}, "no split named"),
        ({"images": 0}, "images is 0"),
        ({"images": 4}, "pass at least 5"),
    ],
)
def test_what_cannot_be_projected_is_said(hidden: Run, options: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        project(hidden, **options)


def test_record_has_a_point_for_each_image(hidden: Run) -> None:
    plane = project(hidden, images=20)
    record = plane.record()
    assert [one["index"] for one in record["points"]] == plane.indexes.tolist()
    assert [one["label"] for one in record["points"]] == [plane.classes[label] for label in plane.labels]
    assert [(one["x"], one["y"]) for one in record["points"]] == [tuple(point) for point in plane.points.tolist()]


def test_drawn_points_and_pictures_are_those_of_the_plane(hidden: Run, few: Dataset) -> None:
    plane = project(hidden, images=300)
    (axes,) = draw_plane(plane, few.test.images).axes
    drawn = np.concatenate([np.asarray(points.get_offsets()) for points in axes.collections])
    order = np.argsort(plane.labels, kind="stable")
    np.testing.assert_allclose(drawn, plane.points[order])
    assert {text.get_text() for text in axes.texts} >= set(few.classes)
    assert len(axes.images) >= 5
    places = {tuple(np.round(point, 3)): index for point, index in zip(plane.points, plane.indexes, strict=True)}
    boxes = []
    for picture in axes.images:
        left, right, bottom, top = picture.get_extent()
        at = min(places, key=lambda one: abs(one[0] - (left + right) / 2) + abs(one[1] - (bottom + top) / 2))
        assert np.array_equal(np.asarray(picture.get_array()), few.test.images[places[at]])
        assert not any(left < r and l < right and bottom < t and b < top for l, r, b, t in boxes)  # noqa: E741
        boxes.append((left, right, bottom, top))
    with pytest.raises(InputError, match="pass all images of that split"):
        draw_plane(plane, few.test.images[:10])


def test_classes_differ_in_colour_and_shape() -> None:
    assert len(set(CLASS_COLOURS)) == 10
    pairs = {(CLASS_COLOURS[k % len(CLASS_COLOURS)], MARKERS[k % len(MARKERS)]) for k in range(110)}
    assert len(pairs) == 110


def width(path: Path) -> int:
    with Image.open(path) as picture:
        return picture.width


def test_command_maps_and_draws(
    command: Callable[..., Said], hidden: Run, few: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Run, "dataset", lambda run: few)
    said = command("map", hidden.path, "--images", 100, "--out", "map.png", "--json")
    assert (said.code, said.err) == (0, "")
    plane = project(hidden, images=100)
    np.testing.assert_allclose([(one["x"], one["y"]) for one in said.json["points"]], plane.points, rtol=1e-5)
    assert width(tmp_path / "map.png") > 1000
    text = command("map", hidden.path, "--images", 100, "--method", "t-sne")
    assert "100 test images by t-sne" in text.out
    wrong = command("map", hidden.path, "--method", "umpa")
    assert wrong.code == 2
    assert "did you mean 'umap'" in wrong.err
    with pytest.raises(UnknownNameError):
        project(hidden, method="umpa")


def test_layers_that_another_network_had_first_are_projected(hidden: Run, few: Dataset) -> None:
    image = keras.Input((28, 28))
    rows = keras.layers.Dense(7, "relu", name="rows")(keras.layers.Flatten()(image))
    other = keras.Model(image, keras.layers.Dense(3)(rows))
    mine = keras.Sequential([keras.Input((28, 28)), *other.layers[1:-1], keras.layers.Dense(10, name="last")])
    run = replace(hidden, model=mine)
    plane = project(run, few, images=20)
    assert (plane.layer, plane.features) == ("input of last", 7)
    given = keras.Model(other.inputs, rows).predict(few.test.images[plane.indexes], verbose=0)
    np.testing.assert_allclose(activations(mine, few.test.images[plane.indexes], ["rows"])["rows"], given, rtol=1e-5)
    np.testing.assert_allclose(plane.points, pca(given)[0], atol=1e-2)
    assert project(run, few, images=20, layer="rows").features == 7


def test_classes_that_begin_with_an_underscore_are_in_the_legend(hidden: Run, few: Dataset) -> None:
    names = ("_one", "$two$", *few.classes[2:])
    figure = draw_plane(replace(project(hidden, few, images=200), classes=names), few.test.images)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == list(names)
