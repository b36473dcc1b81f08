"""Why this answer: every method keeps its promise, for every recipe and for convolutional networks."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

import glassnet
from glassnet import Dataset, InputError, Run, Split, figures, recipes
from glassnet._keras import keras, seeded
from glassnet.cli.attributions import explain_why
from glassnet.errors import UnknownNameError
from glassnet.explanation import attribution_methods, randomisation
from glassnet.explanation.attribution_methods import METHODS, Told
from glassnet.explanation.attributions import attribute, methods_for
from glassnet.explanation.differentiable import Differentiable
from glassnet.explanation.flips import smallest_change
from glassnet.explanation.layers import activations, chain, logits_of
from glassnet.figures.attributions import draw_attributions, draw_flip
from glassnet.probabilities import softmax
from glassnet.training.inference import predict
from tests.conftest import RECIPES, part

layers = keras.layers
NETWORKS = [*RECIPES, "stack", "branch"]
LINEAR = ["baseline", "raw-neurons"]


def convolutional() -> keras.Model:
    """Padding, pooling, batch normalisation, dropout; a softmax of its own."""
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(6, 3, padding="same", activation="relu", name="first"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.2),
            layers.Conv2D(8, 3, strides=2, activation="relu", name="second"),
            layers.Flatten(),
            layers.Dense(10),
            layers.Softmax(),
        ],
        name="convolutional",
    )


def colourful() -> keras.Model:
    """A branch past the last convolution, and the mean of each feature map straight into the logits."""
    image = keras.Input((8, 9, 3))
    below = layers.Conv2D(4, 3, padding="same", activation="relu", name="below")(layers.Rescaling(1 / 255)(image))
    last = layers.Conv2D(4, 3, padding="same", activation="relu", name="last")(below)
    means = layers.GlobalAveragePooling2D()(layers.Add(name="both")([below, last]))
    model = keras.Model(image, layers.Dense(3, name="logits")(means), name="colourful")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss=loss, metrics=["accuracy"])
    return model


def coloured_squares() -> Dataset:
    generator = np.random.default_rng(0)
    labels = np.arange(320) % 3
    images = generator.integers(0, 120, (320, 8, 9, 3), np.uint8)
    images[np.arange(320), 2:6, 3:7, labels] += 130
    splits = [
        Split(name, images[rows], labels[rows]) for name, rows in (("train", slice(192)), ("test", slice(192, 320)))
    ]
    return Dataset("squares", ("red", "green", "blue"), *splits)


@pytest.fixture(scope="session")
def stack(fashion: Dataset) -> Run:
    with seeded(0):
        model = convolutional()
    return glassnet.train(model, part(fashion, train=960, test=320), epochs=2)


@pytest.fixture(scope="session")
def branch() -> Run:
    with seeded(0):
        model = colourful()
    run = glassnet.train(model, coloured_squares(), epochs=10)
    assert run.passport.test_accuracy > 0.9
    return run


@pytest.fixture(scope="session", params=NETWORKS)
def one(request: pytest.FixtureRequest, few: Dataset) -> Run:
    """Every recipe and two networks of one's own, trained a little."""
    if request.param in ("stack", "branch"):
        return request.getfixturevalue(request.param)
    return glassnet.train(request.param, few, epochs=2, validation=False)


def test_steps_that_rise_as_the_logit_does_come_nearer_to_it(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, missed = 512, []
    monkeypatch.setattr(attribution_methods, "MOST_STEPS", steps)
    network = Differentiable.of(glassnet.train("cnn", few, epochs=2))
    for number in range(4):
        image = few.test.images[number].astype(np.float64)
        black, logit = network.logits(np.stack([np.zeros_like(image), image]))[:, 3]
        told = attribution_methods.integrated_gradients(network, image, 3, tolerance=0)
        points = ((np.arange(steps) + 0.5) / steps)[:, None, None] * image
        plain = image * network.slopes(points, 3)[1].mean(0)
        missed.append([abs(values.sum() - (logit - black)) for values in (told.values, plain)])
        assert told.settings["steps"] == steps
        assert np.corrcoef(told.values.ravel(), plain.ravel())[0, 1] > 0.999
    nearer, far = np.sum(missed, axis=0)
    assert nearer < 0.7 * far


def noise(run: Run, seed: int = 0) -> np.ndarray:
    """An image without two equal values side by side, so that no maximum is taken of equals."""
    return np.random.default_rng(seed).integers(1, 255, run.passport.image_shape, np.uint8)


def test_integrated_gradients_sum_to_the_difference_of_the_logits(one: Run) -> None:
    network = Differentiable.of(one)
    for number, neuron in ((0, None), (1, None), (2, 0), (3, 2)):
        image = one.dataset().test.images[number]
        why = attribute(one, image, neuron=neuron)
        black, logit = network.logits(np.stack([np.zeros_like(image), image]))[:, why.neuron]
        assert (why.logit, why.baseline_logit) == pytest.approx((logit, black), rel=1e-5)
        assert abs(why.values.sum() - (logit - black)) <= 0.0101 * abs(logit - black)
        assert why.completeness is not None
        assert why.completeness <= 0.01
    mean = attribute(one, image, baseline="mean")
    start = network.logits(one.dataset().train.images.mean(0)[None])[0, mean.neuron]
    assert mean.baseline_logit == pytest.approx(start, rel=1e-4)
    assert abs(mean.values.sum() - (mean.logit - start)) <= 0.0101 * abs(mean.logit - start) + 1e-4


def test_logits_are_those_of_the_answer(one: Run) -> None:
    image = one.dataset().test.images[4]
    (answer,) = glassnet.predict(one, image)
    why = attribute(one, image, "gradient-input")
    logits = Differentiable.of(one).logits(image[None])[0]
    assert why.label == answer.label
    assert why.logit == pytest.approx(logits[why.neuron], rel=1e-5)
    powers = np.exp(logits - logits.max())
    own = answer.scores if answer.outputs == "probabilities" else softmax(answer.scores[None])[0]  # not calibrated
    np.testing.assert_allclose(powers / powers.sum(), own, atol=1e-5)


def test_slopes_are_those_of_finite_differences(one: Run) -> None:
    network, image = Differentiable.of(one), noise(one).astype(float)
    _, (slopes,) = network.slopes(image[None], 1)
    generator = np.random.default_rng(1)
    size = np.abs(slopes).sum()
    for _ in range(4):
        direction = generator.choice([-1.0, 1.0], image.shape)
        ends = network.logits(np.stack([image + 0.02 * direction, image - 0.02 * direction]))[:, 1]
        assert (ends[0] - ends[1]) / 0.04 == pytest.approx((slopes * direction).sum(), abs=0.01 * size)


@pytest.mark.parametrize("name", [name for name, one in recipes.RECIPES.items() if not one.filters])
def test_slopes_of_dense_networks_are_those_of_numpy_in_double_precision(name: str, few: Dataset) -> None:
    run = glassnet.train(name, few, epochs=1, validation=False)
    weights = [weight.astype(float) for weight in run.model.get_weights()]
    scale = 1 / 255 if recipes.find(name).scale else 1.0

    def logit(image: np.ndarray) -> float:
        row = image.ravel() * scale
        for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            row = np.maximum(row @ kernel + bias, 0)
        return float((row @ weights[-2] + weights[-1])[6])

    image = few.test.images[0].astype(float)
    _, (slopes,) = Differentiable.of(run).slopes(image[None], 6)
    for row, column in ((0, 0), (5, 14), (13, 13), (20, 9), (27, 27)):
        step = np.zeros_like(image)
        step[row, column] = 1e-4
        expected = (logit(image + step) - logit(image - step)) / 2e-4
        assert slopes[row, column] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_gradient_times_input_and_smoothgrad_are_made_of_slopes(one: Run) -> None:
    image = one.dataset().test.images[5]
    network, neuron = Differentiable.of(one), 2
    _, (slopes,) = network.slopes(image[None], neuron)
    product = attribute(one, image, "gradient-input", neuron=neuron)
    np.testing.assert_allclose(product.values, _pixels(image * slopes), atol=1e-5 * np.abs(product.values).max())

    smooth = attribute(one, image, "smoothgrad", neuron=neuron, samples=40, noise=0.2, seed=9)
    generator = np.random.default_rng(9)
    copies = [image + generator.normal(0, 0.2 * np.ptp(image), image.shape) for _ in range(40)]
    expected = 255 * np.mean([network.slopes(copy[None], neuron)[1][0] for copy in copies], 0)
    np.testing.assert_allclose(smooth.values, _pixels(expected), atol=1e-4 * np.abs(expected).max())
    again = attribute(one, image, "smoothgrad", neuron=neuron, samples=40, noise=0.2, seed=9)
    other = attribute(one, image, "smoothgrad", neuron=neuron, samples=40, noise=0.2, seed=10)
    assert np.array_equal(again.values, smooth.values)
    assert one.passport.recipe in LINEAR or not np.array_equal(other.values, smooth.values)
    assert smooth.settings == {"samples": 40, "noise": 0.2, "seed": 9}


def _pixels(values: np.ndarray) -> np.ndarray:
    return values.sum(-1) if values.ndim == 3 else values


@pytest.mark.parametrize("fill", ["black", "mean"])
def test_occlusion_is_the_mean_fall_of_the_logit(one: Run, fill: str) -> None:
    image = one.dataset().test.images[6]
    why = attribute(one, image, "occlusion", neuron=1, patch=4, stride=3, fill=fill)
    height, width = image.shape[:2]
    falls: list[list[list[float]]] = [[[] for _ in range(width)] for _ in range(height)]
    network = Differentiable.of(one)
    whole = network.logits(image[None])[0, 1]
    for row in sorted({*range(0, height - 3, 3), height - 4}):
        for column in sorted({*range(0, width - 3, 3), width - 4}):
            covered = image.astype(float)
            square = covered[row : row + 4, column : column + 4]
            square[:] = 0 if fill == "black" else square.mean(axis=(0, 1))
            fall = whole - network.logits(covered[None])[0, 1]
            for r in range(row, row + 4):
                for c in range(column, column + 4):
                    falls[r][c].append(fall)
    expected = np.array([[np.mean(cell) for cell in row] for row in falls])
    np.testing.assert_allclose(why.values, expected, atol=1e-4 * np.abs(expected).max())
    assert why.channels is None


def enlarged(coarse: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Bilinear: centres of cells on centres of pixels, borders repeated."""
    for axis in (0, 1):
        n = coarse.shape[axis]
        at = np.clip((np.arange(size[axis]) + 0.5) * n / size[axis] - 0.5, 0, n - 1)
        low = np.floor(at).astype(int)
        share = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        coarse = coarse.take(low, axis) * (1 - share) + coarse.take(np.minimum(low + 1, n - 1), axis) * share
    return coarse


def test_grad_cam_of_a_stack_is_that_computed_by_hand(stack: Run) -> None:
    run, image = stack, stack.dataset().test.images[0]
    seen = 0.0
    for name in ("first", "second"):
        (features,) = activations(run.model, image[None], [name])[name]
        above = run.model.layers[[layer.name for layer in run.model.layers].index(name) + 1 : -1]

        def logits(features: Any, above: Any = above) -> Any:
            values = features[None]
            for layer in above:
                values = layer(values, training=False) if layer.name.startswith(("batch", "dropout")) else layer(values)
            return values[0]

        slopes = np.asarray(jax.jacrev(logits)(jnp.asarray(features)), float)
        for neuron in range(10):
            weights = slopes[neuron].mean((0, 1))
            coarse = np.maximum(sum(weights[k] * features[..., k] for k in range(len(weights))), 0)
            why = attribute(run, image, "grad-cam", neuron=neuron, layer=name)
            np.testing.assert_allclose(why.values, enlarged(coarse, (28, 28)), atol=1e-6)
            seen = max(seen, coarse.max())
    assert seen > 1e-3
    assert attribute(run, image, "grad-cam").settings == {"layer": "second"}


def test_grad_cam_where_a_branch_leads_past_the_convolution(branch: Run) -> None:
    run, data = branch, branch.dataset()
    image = data.test.images[0]
    (features,) = activations(run.model, image[None], ["last"])["last"]
    kernel = run.model.get_layer("logits").get_weights()[0].astype(float)
    seen = 0.0
    for neuron, label in enumerate(data.classes):
        # The mean over 8 × 9 cells, then weights: the slope on every cell is the weight / 72.
        expected = np.maximum((features * kernel[:, neuron] / 72).sum(-1), 0)
        why = attribute(run, image, "grad-cam", neuron=label)
        assert (why.neuron, why.settings) == (neuron, {"layer": "last"})
        np.testing.assert_allclose(why.values, expected, atol=1e-6)
        seen = max(seen, expected.max())
    assert seen > 1e-3
    both = attribute(run, image, "grad-cam", neuron="blue", layer="both")
    assert not np.allclose(both.values, why.values)
    assert "call" not in vars(run.model.get_layer("last"))


def test_channels_of_colour_images_are_kept_and_summed(branch: Run) -> None:
    run, data = branch, branch.dataset()
    for method in METHODS:
        why = attribute(run, data.test.images[0], method)
        assert why.values.shape == (8, 9)
        if method in ("gradient-input", "integrated-gradients", "smoothgrad"):
            assert why.channels is not None
            np.testing.assert_allclose(why.channels.sum(-1), why.values)
        else:
            assert why.channels is None


def test_maps_change_when_the_weights_are_drawn_anew(one: Run) -> None:
    before = [weight.copy() for weight in one.model.get_weights()]
    images = one.dataset().test.images[:3]
    for method in methods_for(one):
        scores = [randomisation.randomisation_check(one, image, method, seed=k) for k, image in enumerate(images)]
        assert np.abs(scores).max() < 0.95, method
        assert np.abs(scores).mean() < 0.5, method
    cascade = randomisation.randomisation_cascade(one, images[0], seed=0)
    with_weights = [layer.name for layer in one.model.layers if layer.get_weights()]
    assert list(cascade) == with_weights[::-1]
    assert cascade[with_weights[0]] == randomisation.randomisation_check(one, images[0], seed=0)
    for weight, old in zip(one.model.get_weights(), before, strict=True):
        assert np.array_equal(weight, old)


def test_the_check_would_notice_a_map_that_ignores_the_weights(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def edges(network: Any, image: np.ndarray, neuron: int) -> Told:
        return Told(np.abs(np.gradient(image)[0]), "edges")

    monkeypatch.setitem(METHODS, "edges", edges)
    image = run.dataset().test.images[0]
    assert randomisation.randomisation_check(run, image, "edges") == pytest.approx(1)
    monkeypatch.setitem(METHODS, "edges", lambda *_: Told(np.zeros((28, 28)), "nothing"))
    assert randomisation.randomisation_check(run, image, "edges") == 0


def test_black_image_is_explained_by_nothing(one: Run) -> None:
    why = attribute(one, np.zeros(one.passport.image_shape, np.uint8))
    assert not why.values.any()
    assert why.completeness == 0
    assert why.logit == pytest.approx(why.baseline_logit)


def test_equal_calls_give_equal_maps_and_records_are_json(one: Run) -> None:
    image = one.dataset().test.images[7]
    for method in methods_for(one):
        why = attribute(one, image, method)
        assert np.array_equal(attribute(one, image, method).values, why.values)
        record = json.loads(json.dumps(why.record(), allow_nan=False))
        np.testing.assert_allclose(record["values"], why.values, rtol=1e-3)
        top = record["largest"][0]
        assert abs(why.values[top["row"], top["column"]]) == np.abs(why.values).max()
        assert {"method", "neuron", "label", "logit", "baseline_logit", "completeness", "settings"} <= set(record)


def test_weights_may_change_afterwards(few: Dataset) -> None:
    run = glassnet.train("baseline", few, epochs=1)
    image = few.test.images[0]
    before = attribute(run, image, neuron=0)
    run.model.set_weights([2 * weight for weight in run.model.get_weights()])
    np.testing.assert_allclose(attribute(run, image, neuron=0).values, 2 * before.values, rtol=1e-4, atol=1e-6)


def test_flip_flips_the_real_answer_and_says_what_it_did(one: Run) -> None:
    for number in range(3):
        image = one.dataset().test.images[number]
        flip = smallest_change(one, image)
        before, after = (glassnet.predict(one, each)[0] for each in (image, flip.image))
        assert (flip.before.label, flip.after.label) == (before.label, after.label)
        assert before.label != after.label
        assert flip.after.probability == pytest.approx(after.probability, rel=1e-5)
        assert np.array_equal(flip.image, (image.astype(int) + flip.difference).astype(np.uint8))
        assert np.array_equal(flip.original, image)
        assert flip.l2 == pytest.approx(np.sqrt((flip.difference.astype(float) ** 2).sum()) / 255)
        assert flip.largest == np.abs(flip.difference).max()
        assert flip.changed == (_pixels(np.abs(flip.difference.astype(int))) > 0).sum()
        assert json.loads(json.dumps(flip.record()))["difference"] == flip.difference.tolist()
    assert np.array_equal(smallest_change(one, image).image, flip.image)


def test_flip_is_not_larger_than_blends_and_steps_along_the_slope(one: Run) -> None:
    test = one.dataset().test
    for number in range(2):
        image = test.images[number].astype(float)
        (before,) = glassnet.predict(one, test.images[number])
        flip = smallest_change(one, test.images[number])
        own = one.passport.classes.index(before.label)
        others = test.images[:100][predict(one.model, test.images[:100]).argmax(1) != own]
        nearest = others[np.linalg.norm((others - image).reshape(len(others), -1), axis=1).argsort()[:3]]
        _, slopes = Differentiable.of(one).slopes(np.repeat(image[None], 4, 0), [0, 1, 2, own])
        ways = [*(nearest - image), *(500 * np.sign(slope - slopes[3]) for slope in slopes[:3])]
        found = 0
        for way in ways:
            blends = np.clip(np.rint(image + np.linspace(0, 1, 400).reshape(-1, *[1] * image.ndim) * way), 0, 255)
            (flipped,) = np.nonzero(predict(one.model, blends.astype(np.uint8)).argmax(1) != own)
            if len(flipped):
                found += 1
                assert flip.l2 <= np.linalg.norm(blends[flipped[0]] - image) / 255
        assert found >= 3


def exact_distance(gain: np.ndarray, lead: float, start: np.ndarray) -> float:
    """Length of the shortest change within 0 to 255 that makes up for the lead, by the condition of its dual."""

    def change(factor: float) -> np.ndarray:
        return np.clip(factor * gain, -start, 255 - start)

    most = 1e7
    if gain @ change(most) < lead:
        return np.inf
    return float(np.linalg.norm(change(brentq(lambda factor: gain @ change(factor) - lead, 0, most, xtol=1e-9)))) / 255


@pytest.mark.parametrize("name", LINEAR)
def test_flip_of_a_linear_network_is_the_exact_distance(name: str, few: Dataset) -> None:
    run = glassnet.train(name, few, epochs=2, validation=False)
    kernel, bias = (weight.astype(float) for weight in run.model.get_weights())
    kernel = kernel / 255 if recipes.find(name).scale else kernel
    for number in range(5):
        image = few.test.images[number].ravel().astype(float)
        logits = image @ kernel + bias
        own = logits.argmax()
        exact = [
            exact_distance(kernel[:, k] - kernel[:, own], logits[own] - logits[k], image) if k != own else np.inf
            for k in range(10)
        ]
        flip = smallest_change(run, few.test.images[number])
        # Whole steps of brightness cost a little, most where the change is small.
        assert min(exact) * 0.999 <= flip.l2 <= min(exact) * 1.02 + 0.02
        targeted = smallest_change(run, few.test.images[number], target=int(np.argsort(exact)[1]))
        assert targeted.l2 >= flip.l2 * 0.99


def test_flip_to_a_target(one: Run) -> None:
    image = one.dataset().test.images[8]
    (before,) = glassnet.predict(one, image)
    lengths = []
    for number, name in enumerate(one.passport.classes[:5]):
        if name != before.label:
            flip = smallest_change(one, image, target=number)
            assert flip.target == flip.after.label == name == glassnet.predict(one, flip.image)[0].label
            lengths.append(flip.l2)
    assert smallest_change(one, image).l2 <= 1.02 * min(lengths) + 0.02


@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_explained_is_told_in_one_line(run: Run, stack: Run, few: Dataset) -> None:
    image = few.test.images[0]
    (answer,) = glassnet.predict(run, image)
    wrong: list[tuple[Callable[[], object], str]] = [
        (lambda: attribute(run, image, "integrated-gradient"), "did you mean 'integrated-gradients'"),
        (lambda: attribute(run, image, neuron="Sneeker"), "did you mean 'Sneaker'"),
        (lambda: attribute(run, image, neuron=10), "10"),
        (lambda: attribute(run, image, "smoothgrad", sample=3), "no option of smoothgrad .* did you mean 'samples'"),
        (lambda: attribute(run, image, "smoothgrad", samples=0), "samples is 0"),
        (lambda: attribute(run, image, "smoothgrad", noise=-1.0), "noise is -1"),
        (lambda: attribute(run, image, "occlusion", patch=29), "patch is 29"),
        (lambda: attribute(run, image, "occlusion", stride=9), "stride is 9"),
        (lambda: attribute(run, image, "occlusion", fill="back"), "did you mean 'black'"),
        (lambda: attribute(run, image, baseline="men"), "did you mean 'mean'"),
        (lambda: attribute(run, image, baseline=np.zeros((3, 3))), "the baseline has shape"),
        (lambda: attribute(run, image[:20]), "this run was trained on"),
        (lambda: attribute(run, image.astype(np.float32)), "the image is float32; pass uint8"),
        (lambda: attribute(run, image, "grad-cam"), "needs a convolution.*integrated-gradients.*occlusion"),
        (lambda: attribute(stack, image, "grad-cam", layer="secnd"), "did you mean 'second'"),
        (lambda: smallest_change(run, image, target=answer.label), f"answers '{answer.label}' already"),
        (lambda: smallest_change(run, image, target="Bags"), "did you mean 'Bag'"),
    ]
    for call, text in wrong:
        with pytest.raises(InputError, match=text) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert "grad-cam" not in methods_for(run)
    assert methods_for(stack) == tuple(METHODS)


def test_network_that_always_answers_the_same_cannot_be_flipped(few: Dataset) -> None:
    run = glassnet.train("baseline", few, epochs=1)
    run.model.set_weights([np.zeros((784, 10)), np.arange(10)])
    with pytest.raises(InputError, match="no change of this image was found .* anything else instead of 'Ankle boot'"):
        smallest_change(run, few.test.images[0])


def test_a_network_of_one_class_has_nothing_else_to_answer(run: Run, few: Dataset) -> None:
    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(1)])
    passport = run.passport.model_copy(update={"classes": ("Bag",), "outputs": "logits"})
    with pytest.raises(InputError, match="^the network knows no class but 'Bag'"):
        smallest_change(replace(run, model=model, passport=passport), few.test.images[0])


def test_figures_show_the_maps_and_the_flip(run: Run, few: Dataset) -> None:
    image = few.test.images[0]
    several = [attribute(run, image, method) for method in methods_for(run)]
    figure = draw_attributions(image, several)
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 3 * len(several)
    for number, why in enumerate(several):
        picture, plain, over = panels[3 * number : 3 * number + 3]
        assert np.array_equal(picture.images[0].get_array(), image)
        assert np.array_equal(plain.images[0].get_array(), why.values)
        assert np.array_equal(over.images[1].get_array(), why.values)
        low, high = plain.images[0].get_clim()
        assert low == -high < 0
        assert why.method in plain.get_title()
        assert why.label in plain.get_title()
    flip = smallest_change(run, image)
    before, change, after = (axes for axes in draw_flip(flip).axes if axes.images)
    assert np.array_equal(before.images[0].get_array(), image)
    assert np.array_equal(change.images[0].get_array(), flip.difference)
    assert np.array_equal(after.images[0].get_array(), flip.image)
    assert flip.after.label in after.get_title()
    with pytest.raises(InputError, match="no attribution to draw"):
        draw_attributions(image, [])


def test_figures_of_colour_images(branch: Run, tmp_path: Path) -> None:
    run, data = branch, branch.dataset()
    image = data.test.images[0]
    figures.save(draw_attributions(image, [attribute(run, image, "grad-cam")]), tmp_path / "why.png")
    figures.save(draw_flip(smallest_change(run, image)), tmp_path / "flip.png")


def test_answers_are_printed(run: Run, few: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, out = few.test.images[0], tmp_path / "why.png"
    explain_why(run, image, "Ankle boot", ["all"], None, out, False)
    said = capsys.readouterr().out
    why = attribute(run, image)
    assert f"Why {why.label}, logit {why.logit:.4g} (truly: Ankle boot)" in said
    assert f"sum {why.values.sum():.4g}; logit" in said
    row, column, value = why.largest(1)[0]
    assert f"({row}, {column}) {value:+.3g}" in said
    assert all(f"\n{method}: " in said for method in methods_for(run))
    assert "flip: Ankle boot" in said
    assert out.is_file()
    assert (tmp_path / "why-flip.png").is_file()
    marks = "".join(line for line in said.splitlines() if len(line) == 28 and set(line) <= set(" .+-#="))
    assert {"+", "-", "#"} <= set(marks)


def test_answers_as_json(run: Run, few: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    image = few.test.images[0]
    explain_why(run, image, None, ["occlusion", "flip", "occlusion"], 3, None, True)
    told = json.loads(capsys.readouterr().out)
    assert told["true_label"] is None
    assert told["attributions"] == [attribute(run, image, "occlusion", neuron=3).record()]
    assert told["flip"] == smallest_change(run, image, target=3).record()
    with pytest.raises(UnknownNameError, match="did you mean 'occlusion'"):
        explain_why(run, image, None, ["oclusion"], None, None, False)


def test_command_explains_why(command: Callable[..., Any], run: Run, few: Dataset) -> None:
    said = command("explain", run.path, "--index", 0, "--why", "integrated-gradients", "--why", "flip", "--json")
    assert said.code == 0, said.err
    assert said.json["true_label"] == "Ankle boot"
    assert said.json["attributions"][0]["completeness"] <= 0.01
    assert said.json["flip"]["before"]["label"] == glassnet.predict(run, few.test.images[0])[0].label
    said = command("explain", run.path, "--index", 0, "--why", "all", "--out", "why.png")
    assert said.code == 0, said.err
    assert Path("why.png").is_file()
    said = command("explain", run.path, "--index", 0, "--why", "grad-cam")
    assert said.code != 0
    assert "needs a convolution" in said.err
    said = command("explain", run.path, "--index", 0, "--why", "oclusion")
    assert said.code != 0
    assert "did you mean 'occlusion'" in said.err


def test_logits_before_a_softmax_that_is_no_layer() -> None:
    image = keras.Input((6, 6))
    scores = keras.layers.Dense(3)(keras.layers.Flatten()(image))
    model, before = keras.Model(image, keras.ops.softmax(scores)), keras.Model(image, scores)
    images = np.random.default_rng(0).integers(0, 256, (4, 6, 6)).astype("uint8")
    np.testing.assert_allclose(logits_of(model)(images), before(images.astype("float32")), rtol=1e-5, atol=1e-4)
    with pytest.raises(InputError, match="is no plain stack of layers"):
        chain(model)
    classifier = keras.Sequential([keras.Input((36,)), keras.layers.Dense(3, "softmax")], name="classifier")
    with pytest.raises(
        InputError, match="ends in a softmax inside of the network 'classifier'; logits are known"
    ) as told:
        logits_of(keras.Sequential([keras.Input((6, 6)), keras.layers.Flatten(), classifier]))
    assert "\n" not in str(told.value)
