"""Figures show the values that they were given."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import glassnet
from glassnet import Dataset, InputError, Run, figures, network, recipes
from glassnet.confidence import Verdict
from glassnet.errors import OutputError
from glassnet.figures.evaluation import draw_confusion
from glassnet.figures.run import draw_run


def texts(figure: Any) -> list[str]:
    """Every text in a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_look_draws_the_image_with_label_and_colour_bar(few: Dataset) -> None:
    figure = glassnet.look(few, 3, split="test")
    picture, bar = figure.axes
    assert np.array_equal(picture.images[0].get_array(), few.test.images[3])
    assert few.classes[few.test.labels[3]] in picture.get_title()
    assert bar.get_ylabel() == "brightness, 0 to 255"


def test_grid_has_every_label(few: Dataset) -> None:
    figure = glassnet.look(few)
    assert texts(figure) == [few.classes[label] for label in few.train.labels[:25]]
    mosaic = np.asarray(figure.axes[0].images[0].get_array())
    assert mosaic.sum(where=mosaic < 255) == few.train.images[:25].sum(where=few.train.images[:25] < 255)
    with pytest.raises(InputError, match="one title for each"):
        figures.draw_grid(few.train.images[:3], ["one"])
    with pytest.raises(InputError, match="no split named"):
        glassnet.look(few, split="trian")


def test_curves_are_the_history() -> None:
    history = {"loss": [3.0, 2.0, 1.0], "accuracy": [0.1, 0.2, 0.3], "val_loss": [4.0, 3.0, 2.0]}
    loss, accuracy = figures.draw_curves(history).axes
    assert [list(line.get_ydata()) for line in loss.lines] == [history["loss"], history["val_loss"]]
    assert list(loss.lines[0].get_xdata()) == [1, 2, 3]
    assert len(accuracy.lines) == 1
    with pytest.raises(InputError, match="no complete epoch"):
        figures.draw_curves({"loss": []})


def test_prediction_bars_are_its_probabilities(run: Run, few: Dataset) -> None:
    predictions = glassnet.predict(run, few.test.images[:2], labels=few.test.labels[:2].tolist())
    figure = figures.draw_predictions(predictions)
    assert len(figure.axes) == 4
    widths = [bar.get_width() for bar in figure.axes[1].patches]
    np.testing.assert_allclose(widths, predictions[0].probabilities)
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == list(few.classes)
    with pytest.raises(InputError, match="cannot draw 0"):
        figures.draw_predictions([])


def test_logits_get_a_panel_of_their_own(few: Dataset) -> None:
    run = glassnet.train("raw-neurons", few, epochs=1)
    predictions = glassnet.predict(run, few.test.images[0])
    _, raw, probabilities = figures.draw_predictions(predictions).axes
    np.testing.assert_allclose([bar.get_width() for bar in raw.patches], predictions[0].scores)
    np.testing.assert_allclose([bar.get_width() for bar in probabilities.patches], predictions[0].probabilities)


def test_network_diagram_names_layers_shapes_and_arithmetic() -> None:
    summary = network.summarize(recipes.find("fashion-128").build((28, 28), 10))
    words = texts(figures.draw_network(summary))
    assert "input\n28 × 28" in words
    assert "Dense (relu)\n128" in words
    assert "784 × 128 + 128\n= 100,480 parameters" in words
    assert "fashion_128: 101,770 parameters" in words


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_saved_files_are_of_their_kind_and_equal_for_equal_values(few: Dataset, tmp_path: Path, ending: str) -> None:
    paths = [figures.save(glassnet.look(few, 0), tmp_path / f"{name}.{ending}") for name in "ab"]
    first = paths[0].read_bytes()
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert first.startswith(start)
    if ending == "svg":
        assert paths[1].read_bytes() == first
    if ending == "png":
        with Image.open(paths[0]) as picture:
            assert min(picture.size) > 400
        assert paths[1].read_bytes() == first
    assert len(list(tmp_path.iterdir())) == 2


def test_places_that_cannot_take_a_picture(few: Dataset, tmp_path: Path) -> None:
    figure = glassnet.look(few, 0)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    for name, text in (
        ("look.txt", "must end in"),
        ("folder.png", "it is a folder"),
        ("file/look.png", "cannot write"),
    ):
        with pytest.raises(OutputError, match=text):
            figures.save(figure, tmp_path / name)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "folder.png"]


def test_of_many_predictions_the_first_are_drawn(run: Run, few: Dataset) -> None:
    figure = figures.draw_predictions(glassnet.predict(run, few.test.images[:22]))
    assert len(figure.axes) == 40
    assert "the first 20 of 22 images" in texts(figure)


@pytest.mark.parametrize(("outputs", "own"), [("logits", " (their softmax)"), ("probabilities", "")])
def test_calibrated_probabilities_are_called_so(run: Run, few: Dataset, outputs: Any, own: str) -> None:
    plain = replace(glassnet.predict(run, few.test.images[0])[0], outputs=outputs)
    judged = replace(plain, verdict=Verdict(plain.probabilities, (0,), typicality=0.5, unlike=False, known=True))
    for answer, said in ((plain, own), (judged, " (calibrated)")):
        assert figures.draw_predictions([answer]).axes[-1].get_title() == f"probabilities{said}"


def test_names_are_drawn_as_they_stand(run: Run, few: Dataset, tmp_path: Path) -> None:
    names = ("$$", "$x", "_hidden", "靴子", *few.classes[4:])
    named = replace(run, passport=run.passport.model_copy(update={"classes": names}), data=replace(few, classes=names))
    draw_run(named, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"curves.png", "predictions.png", "network.png"}
    scores = glassnet.evaluate(named)
    svg = figures.save(draw_confusion(scores), tmp_path / "confusion.svg").read_text()
    assert all(f">{name}<" in svg for name in names[:4])


def test_a_picture_that_cannot_be_drawn_is_left_out(
    run: Run, few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glassnet.figures.run.draw_network", lambda summary: 1 / 0)
    run.save(tmp_path / "run")
    assert (tmp_path / "run" / "curves.png").exists() and not (tmp_path / "run" / "network.png").exists()
    (tmp_path / "curves.png").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        draw_run(run, tmp_path)


def test_unusual_layers_are_described() -> None:
    keras = pytest.importorskip("keras")
    layers = keras.layers
    image = keras.Input((8, 6, 3))
    scaled = layers.Rescaling([0.1, 0.2, 0.3], [0.0, 0.0, 1.0])(image)
    rows, *_ = layers.LSTM(4, return_state=True)(layers.Reshape((8, 18))(scaled))
    summary = network.summarize(keras.Model(image, layers.Dense(2)(rows)))
    found = {layer.kind: layer for layer in summary.layers}
    assert found["Rescaling"].role == "scales and shifts every pixel"
    assert found["LSTM"].output_shape == (4,)
    assert texts(figures.draw_network(summary))
