"""A network that was joined with its mirror image answers with the mean of both, and is a plain network otherwise."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet import Dataset, Run, recipes
from glassnet._keras import seeded
from glassnet.confidence.assurance import ask
from glassnet.explanation.arithmetic import explain_neuron
from glassnet.lab.answers import draft_code
from glassnet.lab.parts.network import write_arithmetic
from glassnet.mirroring import has_twins, joined, joined_weights, one_side
from glassnet.network import summarize
from glassnet.replay import open_replay
from glassnet.sharing.command import command_line
from glassnet.sharing.keras_code import keras_code
from glassnet.training.inference import predict
from tests.conftest import part


@pytest.fixture(scope="module")
def both(few: Dataset) -> Run:
    """A small network of the kind of `strong`, joined."""
    return glassnet.train("strong", few, filters=(4, 8, 8, 8), epochs=2, snapshots=True)


@pytest.mark.parametrize("shape", [(28, 28), (45, 37, 3), (30, 33)])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"depth": 2, "batch_norm": False},
        {"hidden": (8, 6), "dropout": 0.2},
        {"filters": (), "hidden": (8, 6)},
        {"filters": ()},
    ],
    ids=str,
)
def test_it_gives_the_mean_of_both_logits(shape: tuple[int, ...], settings: Any) -> None:
    chosen: Any = {"filters": (4, 6, 8, 8)} | settings
    with seeded(1):
        model = replace(recipes.find("strong"), flip=True, output="logits", **chosen).build(shape, 5)
    rng = np.random.default_rng(0)
    model.set_weights([one + rng.uniform(0, 0.1, one.shape).astype("float32") for one in model.get_weights()])
    images = rng.integers(0, 256, (3, *shape), dtype=np.uint8)
    left, right = predict(model, images), predict(model, images[:, :, ::-1])
    size = np.abs(left).max()
    np.testing.assert_allclose(predict(joined(model), images) / size, (left + right) / 2 / size, atol=1e-5)
    assert np.abs(left - right).max() > 1e-3 * size


def test_a_run_answers_alike_from_both_sides(both: Run, few: Dataset) -> None:
    images = few.test.images[:50]
    answers = predict(both.model, images)
    np.testing.assert_allclose(predict(both.model, images[:, :, ::-1]), answers, atol=1e-5)
    assert not np.allclose(answers, answers.mean(0), atol=0.01)
    assert both.passport.parameters == both.model.count_params()
    assert both.passport.settings["mirrored"]
    measured = (predict(both.model, few.test.images).argmax(1) == few.test.labels).mean()
    assert both.passport.test_accuracy == pytest.approx(measured)


def test_the_twin_of_a_filter_sees_twins_only_and_can_be_explained(both: Run, few: Dataset) -> None:
    twin = explain_neuron(both, few.test.images[0], 8 + 3, layer="conv_3", at=(3, 3))
    assert set(twin.positions[:, 2]) == set(range(8, 16))
    assert float(twin.value) == pytest.approx(twin.network_value, abs=1e-3)
    answer = explain_neuron(both, few.test.images[0])
    assert float(answer.value) == pytest.approx(answer.network_value, abs=1e-3)


def test_it_is_saved_opened_and_replayed(both: Run, few: Dataset, tmp_path: Any) -> None:
    opened = glassnet.open_run(both.save(tmp_path / "both").path)
    answers = predict(both.model, few.test.images)
    np.testing.assert_array_equal(predict(opened.model, few.test.images), answers)
    moments = open_replay(opened).probabilities(few.test.images)
    np.testing.assert_allclose(moments[-1], answers, atol=1e-5)
    assert np.abs(moments[0] - answers).max() > 0.1


def test_its_code_trains_one_side_and_says_so(both: Run) -> None:
    code = keras_code(both)
    assert "keras.layers.Conv2D(4, 3" in code
    assert "groups" not in code
    assert "# The run joined the trained network with its mirror image; this does not." in code


def test_what_is_unlike_the_training_images_is_judged_by_filters_and_twins_together(both: Run, few: Dataset) -> None:
    seen, turned = (ask(both.model, side)[1] for side in (few.test.images, few.test.images[:, :, ::-1]))
    assert [one.shape[1] for one in seen.averages] == [4, 8, 8, 8]
    for one, other in zip(seen.averages, turned.averages, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert has_twins(both.model)
    assert not has_twins(one_side(both))


def test_its_summary_tells_of_the_groups(both: Run) -> None:
    layers = {layer.name: layer for layer in summarize(both.model).layers}
    assert layers["conv_1"].role == "slides 3 × 3 filters over the image"
    assert layers["conv_2"].role == "slides 3 × 3 filters over the image, each over one of 2 groups of channels"
    assert layers["conv_2"].arithmetic == "3 × 3 × 4 × 16 = 576"


def test_the_lab_tells_of_it_before_it_is_trained() -> None:
    plan = recipes.find("strong").adapted("items", 28)
    assert "The run joined the trained network" in draft_code(plan, "fashion-mnist", 0)
    assert "joined with its mirror image" in write_arithmetic(plan, (28, 28), 10)
    assert "mirror" not in write_arithmetic(recipes.find("strong").adapted("drawings", 28), (28, 28), 10)


def test_one_side_is_the_network_that_was_trained(both: Run) -> None:
    alone = one_side(both)
    shapes = [value.shape for value in joined_weights(alone, alone.get_weights())]
    assert shapes == [value.shape for value in both.model.get_weights()]
    # The biases of the classes are there once; conv_3, whose maps of 7 × 7 are pooled, has kernels of 3 × 4.
    assert both.model.count_params() == 2 * alone.count_params() - 10 + 3 * 8 * 16


def test_strokes_are_not_mirrored() -> None:
    run = glassnet.train("strong", part(glassnet.load("mnist"), 600, 100), filters=(4,), epochs=1)
    assert run.model.get_layer("conv_1").filters == 4
    assert "mirror" not in keras_code(run)


def test_it_can_be_left_out(few: Dataset) -> None:
    run = glassnet.train("strong", few, filters=(4,), epochs=1, mirrored=False)
    assert run.model.get_layer("conv_1").filters == 4
    fashion = run.passport.model_copy(update={"dataset": "fashion-mnist"})
    assert str(command_line(fashion)).endswith("--no-mirrored --seed 0")
