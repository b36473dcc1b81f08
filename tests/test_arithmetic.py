"""One neuron's arithmetic: the figures add up to the last digit shown, and are the network's own."""

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet
from glassnet import Dataset, InputError, Run, Split
from glassnet.explanation.arithmetic import Arithmetic, explain_neuron
from glassnet.explanation.chains import explain_chain
from glassnet.explanation.decision import FUNCTIONS, JOB_OFFER, Neuron, decide
from glassnet.explanation.rounding import adding_up
from glassnet.explanation.sums import find_class
from glassnet.figures.arithmetic import draw_arithmetic
from glassnet.training import inference
from tests.conftest import RECIPES, Said

Command = Callable[..., Said]


def convolutional(data: Dataset, *layers: Any) -> Run:
    """A network of these layers behind a convolution, trained on data for an epoch."""
    from glassnet._keras import keras

    start = [keras.Input(data.image_shape)]
    start += [keras.layers.Reshape((*data.image_shape, 1))] if len(data.image_shape) == 2 else []
    model = keras.Sequential(
        [*start, *layers, keras.layers.Dense(len(data.classes), name="answer"), keras.layers.Softmax()]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return glassnet.train(model, data, epochs=1, batch_size=100)


@pytest.fixture(scope="module")
def conv(few: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """With everything that a small convolutional network has, and read back from disk."""
    from glassnet._keras import keras

    layers = keras.layers
    run = convolutional(
        few,
        layers.Rescaling(1 / 127.5, offset=-1),
        layers.Conv2D(8, 3, padding="same", activation="relu", name="first"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(3, 2, padding="same", name="pooling"),
        layers.Conv2D(8, 3, strides=2, padding="same", groups=2, activation="elu", use_bias=False, name="second"),
        layers.Dropout(0.2),
        layers.Flatten(),
        layers.Dense(16, activation="gelu", name="hidden"),
    )
    path = tmp_path_factory.mktemp("runs") / "conv"
    run.save(path)
    return Run(glassnet.open_run(path).model, run.passport, path, few)


@pytest.fixture(scope="module", params=[*RECIPES, "conv"])
def any_run(request: pytest.FixtureRequest, few: Dataset) -> Run:
    if request.param == "conv":
        return request.getfixturevalue("conv")
    return glassnet.train(request.param, few, epochs=1, batch_size=100)


def to(number: float | Decimal, decimals: int) -> Decimal:
    return Decimal(number).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def decimals_of(number: Decimal) -> int:
    return -int(number.as_tuple().exponent)


def check_figures(one: Arithmetic) -> None:
    """Everything that a person with a pocket calculator could check, and how far the figures are from the truth."""
    decimals = decimals_of(one.total)
    terms = one.largest_for + one.largest_against
    assert sum(term.product for term in terms) + one.rest + one.bias == one.total
    for term in terms:
        assert to(term.x * term.w, decimals) == term.product
        k = next(k for k, place in enumerate(one.positions) if tuple(place) == term.position)
        assert to(one.products[k], decimals) == term.product
        assert (to(one.inputs[k], decimals_of(term.x)), to(one.weights[k], decimals_of(term.w))) == (term.x, term.w)
    assert all(term.product >= 0 for term in one.largest_for)
    assert all(term.product <= 0 for term in one.largest_against)
    sizes = [abs(term.product) for term in one.largest_for]
    assert sizes == sorted(sizes, reverse=True)
    shown = {term.position for term in terms}
    others = [p for place, p in zip(one.positions.tolist(), one.products, strict=True) if tuple(place) not in shown]
    assert len(others) == one.rest_count
    assert abs(Decimal(math.fsum(others)) - one.rest) <= Decimal(len(terms) + 2) / 2 * Decimal(1).scaleb(-decimals)
    if one.softmax:
        check_softmax(one)
    else:
        expected = FUNCTIONS[one.activation].of(float(one.total))
        assert to(expected, decimals_of(one.value)) == one.value


def check_softmax(one: Arithmetic) -> None:
    assert one.softmax
    classes = one.softmax.classes
    assert sum(each.probability for each in classes) == 1
    assert sum(each.power for each in classes) == one.softmax.powers
    assert max(each.logit for each in classes) == one.softmax.largest
    assert classes[one.number].logit == (one.total if one.activation in ("softmax", "linear") else one.value)
    surest = [each for each in classes if each.logit == one.softmax.largest]  # several, if they look alike when rounded
    for k, each in enumerate(classes):
        digits = decimals_of(each.probability)
        assert to(math.exp(each.logit - one.softmax.largest), decimals_of(each.power)) == each.power
        by_hand = to(each.power / one.softmax.powers, digits)
        if k == one.number or [each] == surest:
            assert by_hand == each.probability
        assert abs(by_hand - each.probability) <= Decimal(1).scaleb(-digits)


def test_figures_add_up_and_are_the_networks_own(any_run: Run, few: Dataset) -> None:
    outputs = inference.predict(any_run.model, few.test.images[:12])
    for k, image in enumerate(few.test.images[:12]):
        one = explain_neuron(any_run, image)
        check_figures(one)
        assert one.softmax
        assert one.number == outputs[k].argmax()
        logits = outputs[k].astype(np.float64)
        if any_run.passport.outputs == "logits":
            np.testing.assert_allclose(
                [float(each.logit) for each in one.softmax.classes], logits, rtol=1e-4, atol=1e-3
            )
            logits = np.exp(logits - logits.max())
            logits /= logits.sum()
        # Half a last digit, and what 32 bits differ; the others may be a whole one off, so that all add up to 1.
        assert float(one.probability or 0) == pytest.approx(logits[one.number], abs=0.5e-4 + 2e-6)
        np.testing.assert_allclose([float(each.probability) for each in one.softmax.classes], logits, atol=1e-4 + 2e-6)
        other = explain_neuron(any_run, image, (one.number + 3) % 10, digits=2, top=3)
        check_figures(other)
        assert len(other.largest_for) <= 3


def test_the_sum_is_that_of_the_pixels(run: Run, few: Dataset) -> None:
    kernel, bias = (np.asarray(weight, np.float64) for weight in run.model.layers[-1].weights)
    for image in few.test.images[:5]:
        one = explain_neuron(run, image, "Sandal")
        inputs = image.astype(np.float64).ravel() / 255
        assert float(one.total) == pytest.approx(inputs @ kernel[:, 5] + bias[5], abs=1e-4)
        for term in one.largest_for:
            assert term.pixel == image[term.position]
            assert float(term.x) == pytest.approx(int(image[term.position]) / 255, abs=1e-4)
            assert term.name == "row {}, column {}".format(*term.position)


def test_pixels_that_are_not_scaled_are_whole_numbers(few: Dataset) -> None:
    raw = glassnet.train("raw-neurons", few, epochs=1, batch_size=100)
    one = explain_neuron(raw, few.test.images[1])
    assert all(str(term.x) == str(term.pixel) for term in one.largest_for)
    assert one.softmax
    assert not one.softmax.inside


def test_a_black_image_leaves_the_bias(run: Run) -> None:
    black = np.zeros((28, 28), np.uint8)
    one = explain_neuron(run, black)
    check_figures(one)
    assert (one.largest_for, one.largest_against, one.rest, one.rest_count) == ((), (), 0, 784)
    assert one.total == one.bias
    assert draw_arithmetic(one, black).axes


@pytest.mark.parametrize("name", ["first", "second", "hidden"])
def test_hidden_neurons_give_what_their_layer_gives(conv: Run, few: Dataset, name: str) -> None:
    image = few.test.images[3]
    given: Any = image[None].astype(np.float32)
    for layer in conv.model.layers:
        given = layer(given)
        if layer.name == name:
            break
    outputs = np.asarray(given)[0]
    places: list[Any] = (
        [None] if outputs.ndim == 1 else [(0, 0), (0, 3), (3, 2), tuple(n - 1 for n in outputs.shape[:2])]
    )
    for number in range(outputs.shape[-1]):
        for at in places:
            one = explain_neuron(conv, image, number, layer=name, at=at, top=4)
            check_figures(one)
            assert float(one.value) == pytest.approx(outputs[(*(at or ()), number)], abs=1e-4)
    strongest = explain_neuron(conv, image, layer=name)
    assert float(strongest.value) == pytest.approx(outputs.max(), abs=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": (5, 2), "strides": (2, 3), "padding": "same"},
        {"kernel_size": 3, "dilation_rate": 2, "padding": "same"},
        {"kernel_size": 4, "strides": 3},
    ],
)
def test_filters_on_colour_images(options: dict[str, Any]) -> None:
    from glassnet._keras import keras

    images = np.random.default_rng(0).integers(0, 256, (60, 11, 14, 3)).astype(np.uint8)
    part = Split("train", images, np.arange(60) % 3)
    data = Dataset("colours", ("red", "green", "blue"), part, Split("test", images[:9], np.arange(9) % 3))
    layers = keras.layers
    inputs = keras.Input((11, 14, 3))
    scaled = layers.Rescaling(1 / 255)(inputs)
    filtered = layers.Conv2D(4, **options, activation="tanh", name="filters")(scaled)
    answer = layers.Dense(3, activation="softmax")(layers.Flatten()(filtered))
    model = keras.Model(inputs, answer)
    model.compile("adam", "sparse_categorical_crossentropy")
    run = glassnet.train(model, data, epochs=1)
    outputs = np.asarray(keras.Model(run.model.inputs[0], run.model.get_layer("filters").output)(images[:1]))[0]
    for row, column in np.ndindex(outputs.shape[:2]):
        one = explain_neuron(run, images[0], 1, layer="filters", at=(row, column))
        assert float(one.value) == pytest.approx(outputs[row, column, 1], abs=1e-4)
        assert all(term.pixel == images[0][term.position] for term in one.largest_for)
        assert one.source == "pixels"
    check_figures(explain_neuron(run, images[0], "green"))


def test_the_way_back_follows_the_largest_products(few: Dataset) -> None:
    run = glassnet.train("fashion-128", few, epochs=1, batch_size=100)
    answer, *units = explain_chain(run, few.test.images[0], "Bag", units=4)
    assert (answer.neuron, answer.source) == ("Bag", "hidden_1")
    order = np.argsort(-np.abs(answer.products))[:4]
    assert [unit.number for unit in units] == order.tolist()
    for unit in units:
        check_figures(unit)
        assert (unit.layer, unit.source) == ("hidden_1", "pixels")
        assert float(unit.value) == pytest.approx(answer.inputs[unit.number], abs=1e-4)


def test_the_way_back_leads_through_pooling_to_pixels(conv: Run, few: Dataset) -> None:
    steps = explain_chain(conv, few.test.images[2], units=2)
    assert [step.layer for step in steps] == ["answer", *["hidden"] * 2, *["second"] * 2, *["first"] * 2]
    for step in steps:
        check_figures(step)
    hidden, second, first = steps[1], steps[3], steps[5]
    # The most influential input of the one is the value that the other gives.
    assert hidden.inputs[np.abs(hidden.products).argmax()] == pytest.approx(float(second.value), abs=1e-4)
    place = second.positions[np.abs(second.products).argmax()]
    assert first.number == place[2]
    assert first.at is not None
    assert all(0 <= high - 2 * low <= 2 for low, high in zip(place[:2].tolist(), first.at, strict=True))
    assert first.source == "pixels"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_those_of_keras(name: str) -> None:
    from glassnet._keras import keras

    values = np.linspace(-8, 8, 81).astype(np.float32)
    own = [FUNCTIONS[name].of(float(value)) for value in values]
    np.testing.assert_allclose(own, np.asarray(keras.activations.get(name)(values)), rtol=1e-5, atol=1e-6)
    assert all(math.isfinite(FUNCTIONS[name].of(value)) for value in (-1e4, 1e4))


@pytest.mark.parametrize(("output", "activation"), [(10, "sigmoid"), (10, "relu"), (10, "mish")])
def test_other_ends(few: Dataset, output: int, activation: str) -> None:
    """Answers without a softmax inside: a sigmoid for each class, or a function that glassnet has to ask Keras for."""
    from glassnet._keras import keras

    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(output),
            keras.layers.Activation(activation),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=activation != "sigmoid"))
    run = glassnet.train(model, few, epochs=1, batch_size=100)
    own = inference.predict(run.model, few.test.images[:1])[0]
    for number in range(10):
        one = explain_neuron(run, few.test.images[0], number)
        assert float(one.value) == pytest.approx(own[number], abs=1e-4)
        assert (one.softmax is None) == (activation == "sigmoid")
        assert one.activation == activation
        if activation != "mish":
            check_figures(one)


def test_networks_that_compute_otherwise_are_refused(few: Dataset) -> None:
    from glassnet._keras import keras

    keras.utils.set_random_seed(0)  # and pixels from 0 to 1: answers that are sure are 1 in any precision
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax", dtype="mixed_bfloat16")]
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Rescaling(1 / 255), *layers])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    run = glassnet.train(model, few, epochs=1, batch_size=100)
    with pytest.raises(InputError, match="covered is what computes in float32, and this does in bfloat16"):
        for image in few.test.images:
            explain_neuron(run, image)


@pytest.mark.usefixtures("unchecked")
def test_what_does_not_exist_is_named(run: Run, conv: Run, few: Dataset) -> None:
    image = few.test.images[0]

    def ask(text: str, asked: Run, *neuron: Any, **options: Any) -> None:
        with pytest.raises(InputError, match=re.escape(text)):
            explain_neuron(asked, options.pop("image", image), *neuron, **options)

    ask("did you mean 'Ankle boot'", run, "ankle bot")
    ask("no class 10; they are numbered 0 to 9: T-shirt", run, 10)
    ask("no Dense or Conv2D layer named 'flatten'", run, layer="flatten")
    ask("no unit 16; they are numbered 0 to 15 in hidden", conv, "16", layer="hidden")
    ask("no neuron 'Bag' in the layer 'hidden'", conv, "Bag", layer="hidden")
    ask("no filter -1", conv, -1, layer="first")
    ask("no column 28", conv, 0, layer="first", at=(0, 28))
    ask("has no rows and columns", run, 0, at=(0, 0))
    ask("digits is 8", run, digits=8)
    ask("top is 0", run, top=0)
    ask("trained on", run, image=image[1:])
    ask("expected uint8", run, image=image / 255)
    with pytest.raises(InputError, match="units is 0"):
        explain_chain(run, image, units=0)
    assert find_class(("1", "0"), "1") == 0
    assert find_class(("1", "0"), 1) == 1


def test_a_network_without_a_sum_at_its_end_names_its_sums(few: Dataset) -> None:
    from glassnet._keras import keras

    layers = keras.layers
    reshape, filters = layers.Reshape((28, 28, 1)), layers.Conv2D(10, 9, strides=4, name="filters")
    end = [layers.GlobalAveragePooling2D(), layers.Softmax()]
    model = keras.Sequential([keras.Input((28, 28)), reshape, filters, *end])
    model.compile("adam", "sparse_categorical_crossentropy")
    run = glassnet.train(model, few, epochs=1, batch_size=100)
    with pytest.raises(
        InputError, match="GlobalAveragePooling2D layer, whose numbers are no weighted sums; .*: filters"
    ):
        explain_neuron(run, few.test.images[0])
    check_figures(explain_neuron(run, few.test.images[0], 3, layer="filters"))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30).filter(lambda parts: sum(parts) > 1e-6), st.integers(1, 7))
def test_shares_add_up_to_one(parts: list[float], digits: int) -> None:
    shares = (np.array(parts) / math.fsum(parts)).tolist()
    kept = int(np.argmax(shares))
    shown = adding_up(shares, digits, {kept})
    assert sum(shown) == 1
    assert all(abs(Decimal(a) - b) <= Decimal(1).scaleb(-digits) for a, b in zip(shares, shown, strict=True))
    assert shown[kept] == to(shares[kept], digits)


# -- a neuron of one's own ---------------------------------------------------------------------------------------------

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8), numbers, st.sampled_from(["step", "sigmoid"]))
def test_decisions_are_the_weighted_sum(pairs: list[tuple[float, float]], bias: float, activation: str) -> None:
    weights = {f"w{k}": weight for k, (weight, _) in enumerate(pairs)}
    decision = decide(Neuron(weights, bias, activation), {f"w{k}": x for k, (_, x) in enumerate(pairs)})
    total = math.fsum([*(weight * x for weight, x in pairs), bias])
    size = sum(abs(weight * x) for weight, x in pairs) + abs(bias)
    assert float(decision.total) == pytest.approx(total, abs=1e-12 * size)
    assert decision.yes == (decision.total > 0)
    assert 0 <= decision.value <= 1
    if activation == "step":
        assert decision.value == decision.yes
    elif abs(total) < 500:
        assert float(decision.value) == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-6)


def test_a_tenth_is_a_tenth() -> None:
    decision = decide(Neuron({"a": 0.1, "b": 0.2}, bias=-0.3), {"a": 1, "b": 1})
    assert (decision.total, decision.yes) == (0, False)
    assert decision.sentence() == "1 × 0.1 + 1 × 0.2 + (-0.3) = 0; step gives 0, as 0 is not above 0: no"
    assert decide(Neuron({"a": 1e308}), {"a": 1e308}).yes


@pytest.mark.usefixtures("unchecked")
def test_neurons_that_cannot_be() -> None:
    text_for_number: Any = "1"
    for text, call in [
        ("no weights", lambda: Neuron({})),
        ("weight of a is nan", lambda: Neuron({"a": math.nan})),
        ("bias is inf", lambda: Neuron({"a": 1}, math.inf)),
        ("did you mean 'sigmoid'", lambda: Neuron({"a": 1}, 0, "sigmod")),
        ("did you mean 'salary'", lambda: decide(JOB_OFFER, {"salery": 1})),
        ("no input for kind team", lambda: decide(JOB_OFFER, {"salary": 1})),
        ("the input a is '1'", lambda: decide(Neuron({"a": 1}), {"a": text_for_number})),
    ]:
        with pytest.raises(InputError, match=re.escape(text)):
            call()


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_the_picture_shows_the_products_and_leads_to_the_sum(run: Run, conv: Run, few: Dataset) -> None:
    image = few.test.images[0]
    one = explain_neuron(run, image, top=12)
    figure = draw_arithmetic(one, image)
    maps: dict[str, Any] = {axes.get_title(): axes for axes in figure.axes}
    assert np.array_equal(np.asarray(maps["image"].images[0].get_array()), image)
    np.testing.assert_allclose(maps["input × weight"].images[0].get_array(), one.products.reshape(28, 28))
    np.testing.assert_allclose(maps["weights"].images[0].get_array(), one.weights.reshape(28, 28))
    bars = maps["Ankle boot: blue pushes for it, orange against"].patches
    assert len(bars) == 23
    assert bars[-1].get_width() == pytest.approx(float(one.total))
    assert sum(bar.get_width() for bar in bars[:-1]) == pytest.approx(float(one.total))
    for layer in ("first", "second", "hidden"):
        assert draw_arithmetic(explain_neuron(conv, image, layer=layer), image).findobj()


# -- on the command line -----------------------------------------------------------------------------------------------


def numbers_of(line: str) -> list[Decimal]:
    return [Decimal(text) for text in re.findall(r"[+-]?\d+\.\d+", line)]


@pytest.mark.parametrize("index", [0, 4, 23])
def test_printed_lines_add_up(command: Command, run: Run, index: int) -> None:
    said = command("explain", run.path, "--index", index)
    assert (said.code, said.err) == (0, "")
    rows = said.out.splitlines()
    products = [numbers_of(row) for row in rows if "×" in row]
    assert len(products) == 20
    for x, w, product in products:
        assert to(x * w, decimals_of(product)) == product
    (rest,), (bias,), (total,) = (
        numbers_of(next(row for row in rows if row.startswith(start))) for start in ("the other", "bias", "sum (logit)")
    )
    assert sum(row[2] for row in products) + rest + bias == total
    first = next(k for k, row in enumerate(rows) if row.startswith("class "))
    table = [numbers_of(row) for row in rows[first + 1 : first + 11]]
    powers, ones = numbers_of(rows[first + 12])
    assert (sum(row[1] for row in table), sum(row[2] for row in table)) == (powers, ones)
    assert ones == 1
    assert total in [row[0] for row in table]
    (answer,) = command("predict", run.path, "--index", index, "--json").json
    asked = next(row for row in rows if row.startswith(f"{answer['label']}: "))
    assert float(asked.rsplit("= ", 1)[1]) == pytest.approx(answer["probability"], abs=0.5e-4 + 2e-6)


def test_explain_as_json_and_picture(command: Command, run: Run) -> None:
    said = command("explain", run.path, "--index", 1, "--neuron", "Coat", "--digits", 6, "--out", "coat.png", "--json")
    record = said.json
    assert (record["neuron"], record["source"], record["true_label"]) == ("Coat", "pixels", "Pullover")
    assert record["image"] == "fashion-mnist test image 1"
    parts = [Decimal(term["product"]) for term in record["largest_for"] + record["largest_against"]]
    assert sum(parts) + Decimal(record["rest"]) + Decimal(record["bias"]) == Decimal(record["total"])
    assert sum(Decimal(one["probability"]) for one in record["softmax"]["classes"]) == 1
    assert len(record["value"].split(".")[1]) == 6
    assert Path("coat.png").stat().st_size > 20_000
    every = command("explain", run.path, "--photo", "coat.png", "--all", "--json").json
    assert (every["image"], every["true_label"]) == ("coat.png", None)
    assert [one["layer"] for one in every["neurons"]] == ["softmax"]


def test_the_job_offer(command: Command) -> None:
    said = command("neuron")
    products = [int(row.rsplit("=", 1)[1]) for row in said.out.splitlines() if "×" in row]
    assert sum(products) + JOB_OFFER.bias == 1
    assert "step gives 1, as 1 is above 0: yes" in said.out
    assert ": no" in command("neuron", "--input", "salary=0").out
    own = command(
        "neuron", "--weight", "rain=2", "--weight", "wind=-0.5", "--bias", -1, "--activation", "sigmoid", "--json"
    )
    assert own.json["sum"] == "0.5"
    assert float(own.json["value"]) == pytest.approx(1 / (1 + math.exp(-0.5)), abs=1e-6)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("explain RUN", "nothing to explain"),
        ("explain RUN --index 0 --photo a.png", "one of them"),
        ("explain RUN --index 10000", "numbered 0 to 9999"),
        ("explain RUN --index 0 --split tset", "did you mean 'test'"),
        ("explain RUN --index 0 --neuron Sandall", "did you mean 'Sandal'"),
        ("explain RUN --index 0 --layer sotfmax", "did you mean 'softmax'"),
        ("explain RUN --index 0 --layer scale", "known: softmax"),
        ("explain RUN --index 0 --at five", "--at is 'five'"),
        ("explain RUN --index 0 --at 1,2,3", "--at is '1,2,3'"),
        ("explain RUN --index 0 --all --layer softmax", "leave --layer and --at away"),
        ("explain RUN --index 0 --digits 0", "digits is 0"),
        ("explain RUN --photo missing.png", "no picture missing.png"),
        ("explain RUN --index 0 --out a.doc", "must end in"),
        ("explain nowhere --index 0", "no run at nowhere"),
        ("neuron --weight salary", "--weight is 'salary'"),
        ("neuron --weight =3", "a name and a number"),
        ("neuron --input luck=1", "no input named 'luck'"),
        ("neuron --input salary=nan", "must be a finite number"),
        ("neuron --activation relu", "no activation named 'relu'"),
    ],
)
def test_mistakes_cost_one_line(command: Command, run: Run, line: str, text: str) -> None:
    said = command(*(str(run.path) if word == "RUN" else word for word in line.split()))
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert text.lower() in said.err.lower()
