"""The diagram of a network: to scale, complete, without overlaps, on one slide."""

import itertools
import math
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.patches import Circle, PathPatch, Rectangle
from matplotlib.text import Text

from glassnet import figures, network, recipes
from glassnet._keras import keras
from glassnet.figures.canvas import BLUE, GRAY
from glassnet.figures.diagram import draw_network
from glassnet.figures.stages import Scale

layers = keras.layers


def small() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, "relu"),
            layers.Dropout(0.5),
            layers.Dense(10, "softmax"),
        ],
        name="small",
    )


def large() -> keras.Model:
    """Like VGG, with 13 layers that are drawn."""
    stack: list[Any] = [keras.Input((32, 32, 3)), layers.Rescaling(1 / 255)]
    for filters in (64, 128, 256):
        for _ in range(2):
            stack += [layers.Conv2D(filters, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]
        stack += [layers.MaxPooling2D(), layers.Dropout(0.3)]
    stack += [layers.Conv2D(512, 3, padding="same", activation="relu"), layers.GlobalAveragePooling2D()]
    stack += [layers.Dense(256, "relu"), layers.Dropout(0.5), layers.Dense(10), layers.Softmax()]
    return keras.Sequential(stack, name="large")


def vgg16() -> keras.Model:
    stack: list[Any] = [keras.Input((224, 224, 3))]
    for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        stack += [layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(count)]
        stack += [layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(512, "relu"), layers.Dense(512, "relu"), layers.Dense(1000, "softmax")]
    return keras.Sequential(stack, name="vgg16")


def deep() -> keras.Model:
    return recipes.find("digits-32").changed(hidden=(256, 128, 64, 32, 16)).build((28, 28), 10)


def price() -> keras.Model:
    return keras.Sequential([keras.Input((784,)), layers.Dense(300), layers.Dense(1)], name="from_$5_to_$6")


MODELS = [small, large, vgg16, deep, price]
MODELS += [lambda name=name: recipes.find(name).build((28, 28), 10) for name in recipes.RECIPES]


def drawn(model: keras.Model) -> Any:
    return draw_network(network.summarize(model))


def texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def squares(figure: Any) -> list[Rectangle]:
    return [one for one in figure.axes[0].patches if isinstance(one, Rectangle) and one.get_width() > 0.12]


@pytest.mark.parametrize("make", MODELS)
def test_a_slide_holds_it_and_no_two_texts_touch(make: Any) -> None:
    figure = drawn(make())
    width, height = figure.get_size_inches()
    assert width <= 12.8
    assert height < 7.21
    figure.canvas.draw()  # texts are as wide as they are drawn
    renderer = figure.canvas.get_renderer()
    shown = [text for text in figure.findobj(Text) if text.get_text()]
    boxes = [text.get_window_extent(renderer) for text in shown]
    for box in boxes:
        assert 0 <= box.x0 <= box.x1 <= figure.bbox.width
        assert 0 <= box.y0 <= box.y1 <= figure.bbox.height
    for (one, first), (other, second) in itertools.combinations(zip(boxes, shown, strict=True), 2):
        touch = min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
        assert min(touch) <= 0, (first.get_text(), second.get_text())
    assert min(text.get_fontsize() for text in shown) >= 8


@pytest.mark.parametrize("make", MODELS)
def test_every_layer_and_every_parameter_is_named(make: Any) -> None:
    summary = network.summarize(make())
    words = "\n".join(texts(draw_network(summary)))
    counts = re.findall(r"= ([\d,]+)", words)
    assert sum(int(count.replace(",", "")) for count in counts) == summary.parameters
    short = {"BatchNormalization": "BatchNorm", "Activation": "relu"}
    for kind in {layer.kind for layer in summary.layers}:
        found = len(re.findall(rf"^{short.get(kind, kind)}\b", words, re.MULTILINE))
        assert found == sum(layer.kind == kind for layer in summary.layers), kind


def test_feature_maps_are_to_scale() -> None:
    stack = [keras.Input((64, 64, 1)), layers.MaxPooling2D(4), layers.Conv2D(32, 1), layers.GlobalMaxPooling2D()]
    figure = drawn(keras.Sequential(stack))
    sides = [one.get_width() for one in squares(figure) if one.get_facecolor()[:3] == (1, 1, 1) and one.get_fill()]
    assert len(sides) == 1 + 1 + 6  # one channel, one channel, 32 channels
    assert sides[1] / sides[0] == pytest.approx(0.5)  # 16 pixels by 64
    assert sides[2] == pytest.approx(sides[1])
    scale = Scale(zone=2, unit=2, largest=28)
    assert scale.side(28) / scale.side(7) == pytest.approx(2)
    assert [scale.sheets(channels) for channels in (1, 2, 32, 512)] == [1, 2, 6, 10]


def test_kernels_lie_on_their_maps_in_the_map_s_scale() -> None:
    stack = [keras.Input((20, 20, 1)), layers.Conv2D(3, 5, padding="same"), layers.AveragePooling2D(4)]
    figure = drawn(keras.Sequential(stack))
    sheets = [one for one in squares(figure) if one.get_fill() and one.get_alpha() is None]
    kernels = {one.get_edgecolor(): one for one in squares(figure) if not one.get_fill()}
    weights, patch = kernels[mpl.colors.to_rgba(BLUE)], kernels[mpl.colors.to_rgba(GRAY)]
    side = sheets[0].get_width()
    assert weights.get_width() / side == pytest.approx(5 / 20)
    assert patch.get_height() / side == pytest.approx(4 / 20)
    assert sheets[0].get_bbox().x0 <= weights.get_bbox().x0 <= weights.get_bbox().x1 <= sheets[0].get_bbox().x1
    assert {"5 × 5", "4 × 4"} <= set(texts(figure))


def test_neurons_are_circles_with_a_gap_beyond_ten() -> None:
    for units, shown in ((1, 1), (10, 10), (20, 11), (40, 12), (100_000, 16)):
        figure = drawn(keras.Sequential([keras.Input((4,)), layers.Dense(units)]))
        circles = [one for one in figure.axes[0].patches if isinstance(one, Circle)]
        assert len(circles) == shown
        assert texts(figure).count("⋮") == (units > 10)
        (lines,) = [one for one in figure.axes[0].patches if isinstance(one, PathPatch)]
        assert len(lines.get_path().vertices) == 2 * 9 * shown
    assert math.isclose(circles[0].get_center()[0], circles[-1].get_center()[0])


def test_what_changes_no_shape_is_a_label_between_the_others() -> None:
    figure = drawn(small())
    places = {text.get_text(): text.get_window_extent().x0 for text in figure.findobj(Text)}
    label = "BatchNorm\n4 × 32 = 128\nrelu"
    assert places["Conv2D\n26 × 26 × 32"] < places[label] < places["MaxPooling2D\n13 × 13 × 32"]
    assert "Dropout\nFlatten" in places
    assert figure.findobj(lambda one: isinstance(one, Text) and one.get_text() == "Softmax") == []
    assert "Softmax" in texts(drawn(large()))


def test_branches_are_said_to_be_drawn_one_after_the_other() -> None:
    start = keras.Input((8, 8, 2))
    branch = layers.Conv2D(2, 3, padding="same")(start)
    model = keras.Model(start, layers.Dense(3)(layers.Flatten()(layers.Add()([start, branch]))))
    assert any("branches are drawn one after the other" in text for text in texts(drawn(model)))


def test_svg_has_text_that_can_be_read_and_equal_files(tmp_path: Path) -> None:
    with mpl.rc_context({"svg.fonttype": "none"}):
        for name in "ab":
            figures.save(drawn(price()), tmp_path / f"{name}.svg")
    svg = (tmp_path / "a.svg").read_text()
    assert svg == (tmp_path / "b.svg").read_text()
    assert re.search(r"<text[^>]*>from_\$5_to_\$6: 235,801 parameters</text>", svg)
