"""Units: their weights as images, their influence, what excites them, checked against NumPy and Keras."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import glassnet
from glassnet import Dataset, InputError, Run
from glassnet._keras import keras
from glassnet.errors import UnknownNameError
from glassnet.explanation.exciting import Exciting, most_exciting, unit_values
from glassnet.explanation.influence import UnitInfluence, influence
from glassnet.explanation.layers import logits_of
from glassnet.explanation.units import feature_maps, filters, hidden_layers, templates
from glassnet.figures.units import draw_feature_maps, draw_filters, draw_templates, draw_units
from tests.conftest import Said


@pytest.fixture(scope="module")
def dense(few: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return glassnet.train("digits-32", few, epochs=1, out=tmp_path_factory.mktemp("runs") / "dense")


@pytest.fixture(scope="module")
def conv(few: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(4, 3, padding="same", name="edges"),
            layers.BatchNormalization(name="normal"),
            layers.ReLU(name="positive"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(6, (3, 2), strides=2, padding="same", activation="relu", name="shapes"),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(12, activation="tanh", name="mix"),
            layers.Dense(10, activation="softmax", name="answer"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return glassnet.train(model, few, epochs=1, out=tmp_path_factory.mktemp("runs") / "conv")


@pytest.fixture(scope="module")
def residual(few: Dataset) -> Run:
    """A network that branches."""
    inputs = keras.Input((28, 28, 1))
    first = keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="first")(inputs)
    joined = keras.layers.Add()([first, keras.layers.Conv2D(3, 1, name="aside")(inputs)])
    outputs = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(joined))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    parts = {
        part.name: glassnet.Split(part.name, part.images[:64, ..., None], part.labels[:64])
        for part in (few.train, few.test)
    }
    return glassnet.train(model, Dataset("one-channel", few.classes, **parts), epochs=1)


def part_of(run: Run, layer: str) -> keras.Model:
    """The network up to a layer."""
    return keras.Model(run.model.inputs[0], run.model.get_layer(layer).output)


def saved(run: Run) -> Path:
    assert run.path is not None
    return run.path


@pytest.mark.parametrize("recipe", ["baseline", "raw-neurons"])
def test_templates_times_brightness_plus_bias_are_the_logits(few: Dataset, recipe: str) -> None:
    run = glassnet.train(recipe, few, epochs=1)
    found = templates(run)
    assert found.names == few.classes
    assert found.weights.shape == (10, 28, 28)
    brightness = few.test.images[:50] / 255
    logits = np.einsum("nhw,uhw->nu", brightness, found.weights.astype(np.float64)) + found.biases
    np.testing.assert_allclose(logits, logits_of(run.model)(few.test.images[:50]), rtol=2e-4, atol=2e-3)


def test_everything_that_scales_pixels_is_folded_in(few: Dataset) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((6, 5, 3)), layers.Rescaling(1 / 127.5, offset=-1), layers.BatchNormalization(), layers.Flatten(),
         layers.Dropout(0.5), layers.Dense(7, activation="relu", name="first"), layers.Dense(10)]
    )  # fmt: skip
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in model.get_weights()])
    found = templates(model)
    assert found.weights.shape == (7, 6, 5, 3)
    assert found.names[:2] == ("unit 0", "unit 1")
    images = rng.integers(0, 256, (20, 6, 5, 3), np.uint8)
    sums = np.einsum("nhwc,uhwc->nu", images / 255, found.weights.astype(np.float64)) + found.biases
    first = keras.Model(model.inputs[0], model.get_layer("first").output)
    np.testing.assert_allclose(np.maximum(sums, 0), np.asarray(first(images.astype("float32"))), rtol=1e-4, atol=1e-3)
    assert len(draw_templates(found).axes) == 2


def test_templates_of_other_networks_are_refused_with_what_is_covered(conv: Run) -> None:
    with pytest.raises(InputError, match=r"edges \(Conv2D\).*filters.*covered for a Dense layer") as error:
        templates(conv)
    assert "\n" not in str(error.value)
    rows = keras.Sequential([keras.Input((28, 28)), keras.layers.Dense(4), keras.layers.Flatten()])
    with pytest.raises(InputError, match="that sees all pixels"):
        templates(rows)
    with pytest.raises(InputError, match="missing"):
        templates(keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten()]))


def ablated(run: Run, unit: int, **weights: str) -> keras.Model:
    """A copy of the network whose weights of a unit are zero: `layer=names of weights`, along the last axis."""
    copy = keras.models.clone_model(run.model)
    copy.set_weights(run.model.get_weights())
    for layer, names in weights.items():
        for name in names.split():
            variable = getattr(copy.get_layer(layer), name)
            values = np.array(variable.value)
            values[..., unit] = 0
            variable.assign(values)
    return copy


@pytest.mark.parametrize(
    ("which", "layer", "switched"),
    [
        ("dense", "hidden_1", {"hidden_1": "kernel bias"}),
        ("conv", "edges", {"normal": "gamma beta"}),
        ("conv", "shapes", {"shapes": "kernel bias"}),
        ("conv", "mix", {"mix": "kernel bias"}),
    ],
)
def test_influence_is_what_happens_when_the_weights_of_a_unit_are_zeroed(
    request: pytest.FixtureRequest, few: Dataset, which: str, layer: str, switched: dict[str, str]
) -> None:
    run = request.getfixturevalue(which)
    found = influence(run, layer=layer, images=1000)  # there are 500: all
    assert [one.influence for one in found] == sorted((one.influence for one in found), reverse=True)
    assert sorted(one.unit for one in found) == list(range(run.model.get_layer(layer).output.shape[-1]))
    assert {one.images for one in found} == {500}
    whole = np.asarray(logits_of(run.model)(few.test.images), np.float64)
    alive = [one for one in found if one.influence]
    for one in (alive[0], alive[len(alive) // 2], alive[-1]):
        adds = whole - np.asarray(logits_of(ablated(run, one.unit, **switched))(few.test.images))
        adds -= adds.mean(1, keepdims=True)
        assert one.influence == pytest.approx(np.abs(adds).mean(), rel=1e-4, abs=1e-6)
        mean = adds.mean(0)
        assert one.pushes_for == few.classes[mean.argmax()]
        assert one.pushes_against == few.classes[mean.argmin()]
        assert (one.raises, one.lowers) == pytest.approx((mean.max(), mean.min()), rel=1e-3, abs=1e-6)
    end = "positive" if layer == "edges" else layer
    values = np.asarray(part_of(run, end)(few.test.images.astype("float32")))
    active = (values > 0).reshape(500, -1, values.shape[-1]).any(1).mean(0)
    assert [one.active for one in found] == pytest.approx([active[one.unit] for one in found])


def test_influence_before_the_last_layer_is_activation_times_outgoing_weights(dense: Run, few: Dataset) -> None:
    values = np.asarray(part_of(dense, "hidden_1")(few.test.images.astype("float32")), np.float64)
    kernel = np.asarray(dense.model.get_layer("softmax").get_weights()[0], np.float64)
    expected = np.abs(values).mean(0) * np.abs(kernel - kernel.mean(1, keepdims=True)).mean(1)
    for one in influence(dense):
        assert one.influence == pytest.approx(expected[one.unit], rel=1e-3, abs=1e-6)


def test_a_dead_unit_changes_nothing(dense: Run, few: Dataset) -> None:
    dead = ablated(dense, 5, hidden_1="kernel bias")
    found = influence(Run(dead, dense.passport, data=few))
    (one,) = (one for one in found if one.unit == 5)
    assert (one.influence, one.active, one.pushes_for, one.pushes_against) == (0, 0, None, None)
    assert found[0].influence > 0


def test_influence_is_the_same_for_the_same_seed_and_leaves_the_model_alone(conv: Run) -> None:
    before = [weight.copy() for weight in conv.model.get_weights()]
    first = influence(conv, layer="shapes", images=50)
    assert first == influence(conv, layer="shapes", images=50)
    assert first != influence(conv, layer="shapes", images=50, seed=1)
    assert all(np.array_equal(*pair) for pair in zip(before, conv.model.get_weights(), strict=True))


def test_layers_that_have_no_influence_are_refused(run: Run, dense: Run, residual: Run) -> None:
    with pytest.raises(InputError, match="no hidden Dense or Conv2D layer"):
        influence(run)
    with pytest.raises(InputError, match=r"softmax is the last layer.*hidden_1"):
        influence(dense, layer="softmax")
    with pytest.raises(UnknownNameError, match="did you mean 'hidden_1'"):
        influence(dense, layer="hiden_1")
    with pytest.raises(InputError, match="images is 0"):
        influence(dense, images=0)
    with pytest.raises(InputError, match="no plain stack"):
        influence(residual)


@pytest.mark.parametrize("layer", ["hidden_1", "softmax"])
def test_neurons_are_most_excited_where_keras_says_so(dense: Run, few: Dataset, layer: str) -> None:
    values = np.asarray(part_of(dense, "hidden_1")(few.test.images.astype("float32")))
    if layer == "softmax":  # the logits, as probabilities saturate
        kernel, bias = dense.model.get_layer("softmax").get_weights()
        values = values @ kernel + bias
    found = most_exciting(dense, layer=layer, count=4)
    assert [one.unit for one in found] == list(range(values.shape[1]))
    for one in found:
        best = np.sort(values[:, one.unit])[::-1][:4]
        np.testing.assert_allclose(one.values, best, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(values[list(one.indexes), one.unit], best, rtol=1e-4, atol=1e-4)
        assert one.positions is None
        assert one.boxes is None
    np.testing.assert_allclose(unit_values(dense, few.test.images[7], layer), values[7], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("layer", "end"), [("edges", "positive"), ("shapes", "shapes")])
def test_filters_are_most_excited_where_their_map_is_highest(conv: Run, few: Dataset, layer: str, end: str) -> None:
    maps = np.asarray(part_of(conv, end)(few.test.images[:100].astype("float32")))
    for one in most_exciting(conv, layer=layer, count=3, images=100):
        best = np.sort(maps[..., one.unit].max((1, 2)))[::-1][:3]
        np.testing.assert_allclose(one.values, best, rtol=1e-4, atol=1e-5)
        assert one.positions is not None
        for index, value, (row, column) in zip(one.indexes, one.values, one.positions, strict=True):
            assert maps[index, row, column, one.unit] == pytest.approx(value, rel=1e-4, abs=1e-5)
    highest = maps[9].max((0, 1))
    np.testing.assert_allclose(unit_values(conv, few.test.images[9], layer), highest, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", ["edges", "shapes"])
def test_a_filter_sees_exactly_its_box(conv: Run, layer: str) -> None:
    """Where no unit is cut off by an activation, a pixel counts if and only if it is in the box."""
    model = keras.models.clone_model(conv.model)
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 1, weight.shape) for weight in model.get_weights()])
    body = keras.Model(model.inputs[0], model.get_layer(layer).output)
    black = np.asarray(body(np.zeros((1, 28, 28), "float32")))[0]
    spots = np.eye(784, dtype="float32").reshape(784, 28, 28) * 255
    counts = np.asarray(body(spots)).reshape(28, 28, *black.shape)[..., 0] - black[..., 0] > 1e-4
    height, width = black.shape[:2]
    data = Dataset("spots", conv.passport.classes, *[
        glassnet.Split(name, (spots * 1).astype(np.uint8), np.zeros(784, np.int64)) for name in ("train", "test")
    ])  # fmt: skip
    positions = set()
    (one,) = most_exciting(Run(model, conv.passport, data=data), layer=layer, unit=0, count=784)
    assert one.positions is not None
    assert one.boxes is not None
    for position, (top, left, high, wide) in zip(one.positions, one.boxes, strict=True):
        box = np.zeros((28, 28), bool)
        box[top : top + high, left : left + wide] = True
        assert np.array_equal(counts[:, :, *position], box), position
        positions.add(position)
    assert len(positions) > height * width / 2


def test_feature_maps_are_what_keras_gives(conv: Run, residual: Run, few: Dataset) -> None:
    image = few.test.images[3]
    maps = feature_maps(conv, image)
    assert maps.shape == (4, 28, 28)
    expected = np.asarray(part_of(conv, "positive")(image[None].astype("float32")))[0]
    np.testing.assert_allclose(maps, np.moveaxis(expected, -1, 0), rtol=1e-5, atol=1e-5)
    assert feature_maps(conv, image, "shapes").shape == (6, 7, 7)
    assert feature_maps(residual, image[..., None], "aside").shape == (3, 28, 28)
    (one, *_) = most_exciting(residual, layer="first", count=1)
    assert one.positions is not None
    assert one.boxes is None  # where the network branches, it is not known what a position sees
    with pytest.raises(UnknownNameError, match="did you mean 'shapes'"):
        feature_maps(conv, image, "shape")
    with pytest.raises(InputError, match="images have shape"):
        feature_maps(conv, image[:20])


def test_filters_are_the_kernels(conv: Run, dense: Run) -> None:
    found = filters(conv, "shapes")
    kernel, bias = conv.model.get_layer("shapes").get_weights()
    assert found.weights.shape == (6, 3, 2, 4)
    assert np.array_equal(found.weights[5, :, :, 2], kernel[:, :, 2, 5])
    assert np.array_equal(found.biases, bias)
    assert filters(conv).layer == "edges"
    with pytest.raises(InputError, match=r"no Conv2D layer \(it has .*Dense"):
        filters(dense)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"unit": 32}, "no unit 32 in layer hidden_1; its units are numbered 0 to 31"),
        ({"unit": -1}, "no unit -1"),
        ({"count": 0}, "number of images for each unit is 0"),
        ({"images": 0}, "images is 0"),
        ({"split": "tset"}, "did you mean 'test'"),
        ({"layer": "hidden_2"}, "did you mean 'hidden_1'"),
        ({"layer": "flatten"}, "no Dense or Conv2D layer named 'flatten'"),
    ],
)
def test_what_does_not_exist_is_named(dense: Run, options: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        most_exciting(dense, **({"layer": "hidden_1"} | options))


def test_hidden_layers_are_those_before_the_last(run: Run, conv: Run) -> None:
    assert hidden_layers(run.model) == []
    assert hidden_layers(conv.model) == ["edges", "shapes", "mix"]


def shown(figure: Figure, axes: int = 0) -> list[np.ndarray]:
    """The pictures in a figure."""
    return [np.asarray(picture.get_array()) for picture in figure.axes[axes].images]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_drawn_templates_are_the_weights_on_one_symmetric_scale(run: Run) -> None:
    found = templates(run)
    figure = draw_templates(found)
    pictures = shown(figure)
    assert all(np.array_equal(*pair) for pair in zip(pictures, found.weights, strict=True))
    assert words(figure) == list(found.names)
    limits = {picture.get_clim() for picture in figure.axes[0].images}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high
    assert len(figure.axes) == 2  # one colour bar


def test_drawn_filters_and_maps(conv: Run, few: Dataset) -> None:
    assert len(shown(draw_filters(filters(conv)))) == 4
    assert len(shown(draw_filters(filters(conv, "shapes")))) == 6 * 4
    maps = feature_maps(conv, few.test.images[0])
    figure = draw_feature_maps(few.test.images[0], maps)
    assert np.array_equal(shown(figure)[0], few.test.images[0])
    assert all(np.array_equal(*pair) for pair in zip(shown(figure, 1), maps, strict=True))
    with pytest.raises(InputError, match="no feature maps"):
        draw_feature_maps(few.test.images[0], maps[:0])


def test_table_of_units_shows_weights_images_and_influence(dense: Run, few: Dataset) -> None:
    found, exciting = influence(dense)[:3], most_exciting(dense, layer="hidden_1", count=4)
    figure = draw_units(found, exciting, few.test.images, templates(dense))
    pictures = shown(figure)
    assert len(pictures) == 3 * (1 + 4)
    assert np.array_equal(pictures[0], templates(dense).weights[found[0].unit])
    assert np.array_equal(pictures[1], few.test.images[exciting[found[0].unit].indexes[0]])
    assert f"{found[0].influence:.2f}" in words(figure)
    assert any(text.startswith(f"for {found[1].pushes_for} +") for text in words(figure))
    with pytest.raises(InputError, match="cannot draw 0 units"):
        draw_units([], exciting, few.test.images)
    with pytest.raises(InputError, match="no exciting images for unit"):
        draw_units(found, [one for one in exciting if one.unit != found[2].unit], few.test.images)


def test_a_dead_unit_is_drawn_as_one(few: Dataset) -> None:
    dead = UnitInfluence("hidden", 3, 0.0, 0.0, None, 0.0, None, 0.0, 10)
    exciting = Exciting("hidden", 3, "test", (0, 1), (0.0, 0.0), None, None)
    assert "changes nothing" in words(draw_units([dead], [exciting], few.test.images))


def width(path: Path) -> int:
    with Image.open(path) as picture:
        return picture.width


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch, few: Dataset) -> None:
    """Runs that are opened again find the data that they were trained on."""
    monkeypatch.setattr(Run, "dataset", lambda run: few)


@pytest.mark.usefixtures("at_hand")
def test_command_lists_hidden_units_by_influence(command: Callable[..., Said], dense: Run, tmp_path: Path) -> None:
    said = command("units", saved(dense), "--top", 3, "--index", 4, "--out", "units.png", "--json")
    assert (said.code, said.err) == (0, "")
    expected = influence(dense)[:3]
    assert [(one["unit"], one["influence"]) for one in said.json["shown"]] == [
        (one.unit, pytest.approx(one.influence)) for one in expected
    ]
    best = most_exciting(dense, layer="hidden_1", unit=expected[0].unit, count=8)[0]
    assert [one["index"] for one in said.json["shown"][0]["exciting"]] == list(best.indexes)
    values = unit_values(dense, dense.dataset().test.images[4], "hidden_1")
    assert said.json["shown"][0]["on_image"] == pytest.approx(float(values[expected[0].unit]))
    assert width(tmp_path / "units.png") > 800
    text = command("units", saved(dense), "--top", 3)
    assert "3 of 32 units" in text.out
    assert f"{expected[0].influence:.3f}" in text.out


@pytest.mark.usefixtures("at_hand")
def test_command_shows_classes_where_nothing_is_hidden(command: Callable[..., Said], run: Run, tmp_path: Path) -> None:
    said = command("units", saved(run), "--out", "templates.svg", "--json")
    assert [one["name"] for one in said.json["shown"]] == list(run.passport.classes)
    assert said.json["shown"][0]["influence"] is None
    assert [one["bias"] for one in said.json["shown"]] == pytest.approx(templates(run).biases.tolist())
    assert "<svg" in (tmp_path / "templates.svg").read_text()
    assert "Ankle boot" in command("units", saved(run), "--index", 0).out


@pytest.mark.usefixtures("at_hand")
def test_command_draws_filters_and_maps(command: Callable[..., Said], conv: Run, tmp_path: Path) -> None:
    for options in ([], ["--weights"], ["--index", 0], ["--layer", "shapes"], ["--layer", "mix"]):
        out = tmp_path / f"picture-{'-'.join(map(str, options))}.png"
        said = command("units", saved(conv), *options, "--top", 2, "--out", out)
        assert (said.code, said.err) == (0, "")
        assert width(out) > 300


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--layer", "hidden1"], "did you mean 'hidden_1'?"),
        (["--layer", "softmax"], "softmax is the last layer"),
        (["--index", 500], "no test image 500; they are numbered 0 to 499"),
        (["--top", 0], "--top"),
        (["--weights"], "add --out"),
        (["--out", "units.txt"], "must end in"),
    ],
)
def test_command_says_mistakes_on_one_line(
    command: Callable[..., Said], dense: Run, options: list[Any], text: str
) -> None:
    said = command("units", saved(dense), *options)
    assert said.code == 2
    assert text in said.err
    assert said.err.count("\n") == 1
