"""The report: its numbers, its code, and the page in a real browser."""

import ast
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

import glassnet
from glassnet import Dataset, InputError, Run, recipes
from glassnet.audit import audit
from glassnet.datasets import Preparation, Source
from glassnet.lab.answers import draft_code
from glassnet.runs import Interruption
from glassnet.sharing.audit_page import render_audit
from glassnet.sharing.charts import Line, axis, chart, counts, whole
from glassnet.sharing.command import command_line
from glassnet.sharing.keras_code import compile_code, keras_code, model_code
from glassnet.sharing.numbers import FORMS
from glassnet.sharing.report import render_report, write_report
from glassnet.sharing.sprites import Sprite, coloured
from glassnet.training.inference import predict
from glassnet.training.job import hold_out
from tests.conftest import part


class Parsed(HTMLParser):
    """The numbers, addresses and tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.numbers: list[tuple[dict[str, str], str]] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self._open: dict[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        facts = dict(attrs)
        self.tags.append(tag)
        self.addresses += [facts[name] for name in ("href", "src", "action", "xlink:href") if facts.get(name)]
        if tag == "data":
            self._open = facts

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open is not None:
            self.numbers.append((self._open, data))
            self._open = None


def at(record: Any, key: str) -> Any:
    for step in key.split("."):
        record = record[int(step) if isinstance(record, list) else step]
    return record


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return render_report(run)


@pytest.fixture(scope="module")
def report(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(run, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def small(few: Dataset) -> Dataset:
    return part(few, 300, 60)


@pytest.fixture(scope="module")
def convolutional(small: Dataset) -> Run:
    """A small convolutional network on small colour images, with validation."""
    from glassnet._keras import keras

    layers = keras.layers
    parts = [keras.Input((14, 14, 3)), layers.Conv2D(4, 3, strides=2), layers.Flatten(), layers.Dense(10)]
    return glassnet.train(
        keras.Sequential(parts, name="convolutional"), coloured_data(small), epochs=1, validation=True
    )


def conv_model() -> Any:
    from glassnet._keras import keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, padding="same", kernel_initializer="he_normal", kernel_regularizer="l2"),
            layers.BatchNormalization(momentum=0.9),
            layers.LeakyReLU(negative_slope=0.2),
            layers.MaxPooling2D((2, 4), strides=2),
            layers.Dropout(0.25),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ],
        name='"odd" name',
    )


def coloured_data(data: Dataset) -> Dataset:
    splits = [
        glassnet.Split(one.name, np.repeat(one.images[:, ::2, ::2, None], 3, axis=-1), one.labels)
        for one in (data.train, data.test)
    ]
    return Dataset("in-colour", data.classes, *splits)


# -- numbers -----------------------------------------------------------------------------------------------------------


def test_every_number_is_that_of_evaluate(page: str, run: Run) -> None:
    evaluation = glassnet.evaluate(run)
    record = json.loads(json.dumps(evaluation.record()))
    numbers = [one for one in Parsed(page).numbers if not one[0]["data-key"].startswith(("mistakes", "robustness"))]
    assert len(numbers) > 150
    for facts, text in numbers:
        value = at(record, facts["data-key"])
        assert float(facts["value"]) == value, facts
        assert text == FORMS[facts["data-form"]](value)
    shown = {facts["data-key"] for facts, _ in numbers}
    assert {"accuracy", "loss", "n", "interval.0", "interval.1", "human", "majority", "chance"} <= shown
    assert {f"per_class.{k}.{name}" for k in range(10) for name in ("precision", "recall", "f1", "support")} <= shown


def test_the_command_line_prints_the_same_numbers(page: str, run: Run, command: Any) -> None:
    said = command("evaluate", run.path, "--report", "--json")
    assert said.code == 0
    numbers = Parsed(page).numbers
    assert {facts["data-key"].split(".")[0] for facts, _ in numbers} >= {"mistakes", "robustness", "accuracy"}
    for facts, text in numbers:
        value = at(said.json, facts["data-key"])
        assert float(facts["value"]) == pytest.approx(value, rel=1e-12)
        assert text == FORMS[facts["data-form"]](value)


def test_numbers_against_scikit_learn(page: str, run: Run) -> None:
    test = run.dataset().test
    probabilities = predict(run.model, test.images).astype(np.float64)
    probabilities /= probabilities.sum(-1, keepdims=True)
    answers = probabilities.argmax(-1)
    precision, recall, f1, _ = precision_recall_fscore_support(test.labels, answers, zero_division=0)
    texts = {facts["data-key"]: text for facts, text in Parsed(page).numbers}
    assert texts["accuracy"] == f"{100 * accuracy_score(test.labels, answers):.2f} %"
    assert float(texts["loss"]) == pytest.approx(log_loss(test.labels, probabilities), abs=1e-3)
    counted = confusion_matrix(test.labels, answers)
    for k in range(10):
        assert texts[f"per_class.{k}.precision"] == f"{100 * precision[k]:.2f} %"
        assert texts[f"per_class.{k}.recall"] == f"{100 * recall[k]:.2f} %"
        assert texts[f"per_class.{k}.f1"] == f"{100 * f1[k]:.2f} %"
        for j in np.flatnonzero(counted[k]):
            assert texts[f"confusion.{k}.{j}"] == f"{counted[k, j]:,}"


def test_cells_show_their_own_images(run: Run, page: str) -> None:
    evaluation = glassnet.evaluate(run)
    cells = re.findall(r'id="cell-(\d+)-(\d+)">(.*?)</ul>', page, re.DOTALL)
    assert len(cells) == np.count_nonzero(evaluation.confusion)
    for truth, predicted, inside in cells:
        numbers = [int(number) for number in re.findall(r"Test image (\d+)", inside)]
        assert 0 < len(numbers) == min(12, evaluation.confusion[int(truth)][int(predicted)])
        assert set(evaluation.labels[numbers]) == {int(truth)}
        assert set(evaluation.predicted[numbers]) == {int(predicted)}


# -- the file ----------------------------------------------------------------------------------------------------------


def test_it_needs_nothing_else_and_is_small(report: Path) -> None:
    text = report.read_text("utf-8")
    assert len(text) < 2_000_000
    assert all(address.startswith(("#", "data:")) for address in Parsed(text).addresses)
    assert not re.search(r"url\((?!data:|#)|@import|<link|<iframe", text)


def test_the_same_run_gives_the_same_bytes(report: Path, run: Run) -> None:
    assert report.read_text("utf-8") == render_report(run)
    assert run.path is not None
    assert render_report(glassnet.open_run(run.path)) == report.read_text("utf-8")


def test_names_are_foreign(few: Dataset) -> None:
    evil = "<script>alert(1)</script>\"'"
    data = part(few, 200, 40)
    named = Dataset(evil, (evil, *data.classes[1:]), data.train, data.test)
    page = render_report(glassnet.train("raw-neurons", named, epochs=1))
    assert Parsed(page).tags.count("script") == 1
    assert "alert(1)" in Parsed(page).text
    assert not re.search(r'="[^"]*<script', page)


def test_a_convolutional_network_on_colours(convolutional: Run) -> None:
    page = render_report(convolutional)
    text = " ".join(Parsed(page).text.split())
    assert "The filters of “conv2d" in text
    assert "14 × 14 pixels of 3 colours" in text
    assert "validation" in text
    assert "glassnet train" not in text
    assert "people (published)" not in text


def test_the_place(run: Run, few: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        write_report(run, tmp_path / "file" / "report.html")
    with pytest.raises(InputError, match="only in memory"):
        write_report(glassnet.train("baseline", part(few, 100, 20), epochs=1))


def test_the_command(run: Run, command: Any, tmp_path: Path) -> None:
    said = command("report", run.path, "--out", tmp_path / "mine.html", "--json")
    assert said.code == 0
    assert said.json["bytes"] == (tmp_path / "mine.html").stat().st_size
    assert command("train", "baseline", "--epochs", 1, "--batch-size", 6000, "--out", "told", "--report").code == 0
    first = Path("told/report.html").read_bytes()
    said = command("report", "told")
    assert said.code == 0
    assert "told/report.html" in said.out
    # It makes no difference whether the run is still in memory or was opened again.
    assert Path("told/report.html").read_bytes() == first
    assert command("report", tmp_path / "none").code == 2


# -- the code that repeats it ------------------------------------------------------------------------------------------


def nameless(model: Any) -> dict[str, Any]:
    config = model.get_config()
    config["layers"] = [one for one in config["layers"] if one["class_name"] != "InputLayer"]
    return config


@pytest.mark.parametrize("name", [*recipes.RECIPES, "convolutional"])
def test_keras_code_builds_the_same_network(name: str, unchecked: None) -> None:
    from glassnet._keras import keras

    model = conv_model() if name == "convolutional" else recipes.find(name).build((28, 28), 10)
    if name == "convolutional":
        schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(schedule, momentum=0.9), loss, metrics=["accuracy"])
    rooms: dict[str, Any] = {"keras": keras}
    exec(f"{model_code(model)}\n{compile_code(model)}", rooms)
    twin = rooms["model"]
    assert nameless(twin) == nameless(model)
    assert twin.input_shape == model.input_shape
    assert twin.count_params() == model.count_params()
    assert type(twin.optimizer) is type(model.optimizer)
    assert float(twin.optimizer.learning_rate) == pytest.approx(float(model.optimizer.learning_rate))
    assert twin.loss.get_config() == model.loss.get_config()


def test_keras_code_of_a_branching_network(unchecked: None) -> None:
    from glassnet._keras import keras

    layers = keras.layers
    start = keras.Input((28, 28), name="start")
    pixels = layers.Flatten()(start)
    both = layers.Concatenate()([layers.Dense(4)(pixels), layers.Dense(5, use_bias=False)(pixels)])
    model = keras.Model(start, layers.Dense(10, "softmax")(both), name="branching")
    rooms: dict[str, Any] = {"keras": keras}
    exec(model_code(model), rooms)
    assert rooms["model"].get_config() == model.get_config()


def test_keras_code_admits_what_it_cannot_write() -> None:
    from glassnet._keras import keras

    class Own(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    code = model_code(keras.Sequential([keras.Input((2,)), Own(), keras.layers.Dense(2)]))
    assert code.startswith("# Own is not Keras's own")
    assert 'load_model("model.keras")' in code


@pytest.mark.parametrize("settings", [{}, {"label_smoothing": 0.2, "weight_decay": 0.1}])
def test_keras_code_gives_the_same_network_after_training(
    small: Dataset,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unchecked: None,
) -> None:
    from glassnet._keras import keras

    data = Dataset("mnist", small.classes, small.train, small.test)
    run = glassnet.train("digits-32", data, epochs=1, seed=5, **settings)
    arrays = (data.train.images, data.train.labels), (data.test.images, data.test.labels)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: arrays)
    rooms: dict[str, Any] = {}
    exec(keras_code(run), rooms)
    for theirs, ours in zip(rooms["model"].get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-5)
    measured = ast.literal_eval(capsys.readouterr().out.splitlines()[-1])
    assert measured["loss"] == pytest.approx(run.passport.test_loss, rel=1e-4)


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_the_lab_writes_the_code_of_every_recipe_before_it_is_trained(name: str) -> None:
    code = draft_code(recipes.find(name), "mnist", 7)
    compile(code, name, "exec")
    assert "keras.utils.set_random_seed(7)" in code
    assert "model.fit(" in code


def test_keras_code_says_what_it_does_not_do(small: Dataset, unchecked: None) -> None:
    run = glassnet.train("cnn", small, filters=[4], epochs=1, shift=2, flip=True, held_out=0.1)
    code = keras_code(run)
    assert "# The run changed every image at random in each step (shift 2, flip); this does not." in code
    assert "# The run kept 10% of the training images to learn how sure it may be; this does not." in code
    assert "# The run" not in keras_code(glassnet.train("baseline", small, epochs=1))


@pytest.mark.parametrize(
    ("recipe", "data", "settings", "expected"),
    [
        ("baseline", None, {}, "glassnet train baseline --seed 3"),
        (
            "digits-128",
            "fashion-mnist",
            {"hidden": [8, 4], "scale": False, "validation": True, "learning_rate": 0.01},
            "glassnet train digits-128 --data fashion-mnist --hidden 8 --hidden 4 --learning-rate 0.01 --no-scale "
            "--validation --seed 3",
        ),
        ("digits-32", None, {"hidden": []}, None),
        (
            "digits-32",
            None,
            {"weight_decay": 0.05, "label_smoothing": 0.1},
            "glassnet train digits-32 --weight-decay 0.05 --label-smoothing 0.1 --seed 3",
        ),
        ("strong", None, {}, "glassnet train strong --seed 3"),
        ("strong", "fashion-mnist", {"epochs": 2}, "glassnet train strong --data fashion-mnist --epochs 2 --seed 3"),
        ("strong", None, {"zoom": 0.2}, "glassnet train strong --shift 0 --zoom 0.2 --seed 3"),
        ("strong", None, {"shift": 0}, "glassnet train strong --shift 0 --seed 3"),
    ],
)
def test_command_line(run: Run, recipe: str, data: str | None, settings: Any, expected: str | None) -> None:
    plan = recipes.find(recipe).changed(**settings)
    name = data or plan.dataset
    facts = {"kind": "drawings" if name == "mnist" else "items"}
    plan = plan.adapted(facts["kind"], 28)
    changed = {"recipe": recipe, "dataset": name, "settings": plan.settings(), "seed": 3, "data_facts": facts}
    assert command_line(run.passport.model_copy(update=changed)) == expected


def test_no_command_line_for_ones_own(convolutional: Run) -> None:
    assert command_line(convolutional.passport) is None


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_a_sprite_holds_every_image_at_its_place() -> None:
    import base64
    import io

    from PIL import Image

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 6, 4), np.uint8)
    sprite = Sprite((6, 4))
    places = [sprite.put(number, image) for number, image in enumerate(images)]
    assert sprite.put(7, images[7]) == places[7]
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(sprite.uri().split(",")[1]))))
    for image, place in zip(images, places, strict=True):
        tile = sheet[place.row * 6 : place.row * 6 + 6, place.column * 4 : place.column * 4 + 4]
        np.testing.assert_array_equal(tile, image)


def test_large_images_become_small_tiles() -> None:
    sprite = Sprite((200, 100))
    sprite.put(0, np.full((200, 100, 3), 9, np.uint8))
    assert sprite.tile == (64, 32)
    assert len(sprite.uri()) < 5000


def test_weights_have_the_colours_of_the_figures() -> None:
    from glassnet.figures.canvas import PUSH

    values = np.linspace(-3, 3, 25).reshape(1, 5, 5)
    expected = PUSH((values + 3) / 6)[..., :3] * 255
    np.testing.assert_allclose(coloured(values), expected, atol=2)


def test_a_chart_puts_values_in_their_place() -> None:
    drawn = chart([Line("up", [(0, 0), (1, 1)], "for", [3, 3])], whole("x"), whole("y"), about="a <line>")
    assert 'aria-label="a &lt;line&gt;"' in drawn
    (x0, y0), (x1, y1) = [tuple(map(float, one)) for one in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn)]
    assert x0 < x1
    assert y0 > y1


@pytest.mark.parametrize("values", [[0.1, 0.5], [0.82, 0.86], [0.3], [0.0], [2000.0, 9000.0], [1e-5, 3e-5]])
def test_an_axis_holds_its_values(values: list[float]) -> None:
    found = axis("y", values)
    assert found.low <= min(values) <= max(values) <= found.high
    assert 2 <= len(found.ticks) <= 8
    assert counts("epoch", 100).ticks[0] == 1


# -- what is not as usual ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def steered(small: Dataset) -> Run:
    """A run that held images out, and whose learning rate was changed at its start."""
    steering = glassnet.Steering()
    steering.set_learning_rate(0.02)
    return glassnet.train("digits-32", small, epochs=1, held_out=0.1, steering=steering)


def test_it_says_what_was_held_out_and_changed_by_hand(steered: Run, small: Dataset) -> None:
    named = Run(steered.model, steered.passport.model_copy(update={"run": "my runs/1"}), data=small)
    text = " ".join(Parsed(render_report(named)).text.split())
    held_out = len(hold_out(small, 0.1)[1] or ())
    assert held_out >= 20
    assert f"learned from {300 - held_out} images" in text
    assert f"{held_out} of them were not learned from but held out" in text
    assert "learning rate0.001, 0.02" in text
    assert "given another learning rate on its way" in text
    assert "bit for bit" not in text
    assert "glassnet explain 'my runs/1' --index" in text


def test_a_run_that_was_stopped_is_not_said_to_come_again(steered: Run, small: Dataset) -> None:
    stop = Interruption(epoch=1, step=3, steps=9)
    changed = steered.passport.model_copy(update={"learning_rates": (), "interrupted": stop})
    text = " ".join(Parsed(render_report(Run(steered.model, changed, data=small))).text.split())
    assert "This training was stopped before its end" in text
    assert "bit for bit" not in text


def test_keras_code_tells_a_validation_part_and_counts_the_classes(steered: Run, small: Dataset) -> None:
    settings = steered.passport.settings | {"label_smoothing": 0.1}
    passport = steered.passport.model_copy(update={"settings": settings})
    code = keras_code(Run(steered.model, passport, data=small))
    assert "to_categorical(train_labels, 10)" in code
    assert "# The run kept 10% of the training images" in code
    validated = Dataset("a-few", small.classes, small.train, small.test, validation=small.test)
    assert "# The run kept" not in keras_code(Run(steered.model, passport, data=validated))


def test_classes_without_training_images(few: Dataset) -> None:
    rest, bags = few.train.labels > 0, few.test.labels == 0
    train = glassnet.Split("train", few.train.images[rest][:300], few.train.labels[rest][:300])
    test = glassnet.Split("test", few.test.images[bags], few.test.labels[bags])
    page = render_report(glassnet.train("raw-neurons", Dataset("no-shirts", few.classes, train, test), epochs=1))
    told = re.findall(r'<span class="label">([^<]+)<br><span class="quiet">(\d+)</span>', page)
    counts = np.bincount(train.labels)
    assert dict(told) == {few.classes[label]: str(counts[label]) for label in range(1, 10)}
    assert f"There are no training images of “{few.classes[0]}” to compare it with." in page


def test_very_many_classes_do_not_make_an_endless_table() -> None:
    images = np.random.default_rng(0).integers(0, 256, (100, 8, 8), np.uint8)
    labels = np.arange(100) % 50
    splits = glassnet.Split("train", images, labels), glassnet.Split("test", images[:99], labels[:99])
    data = Dataset("many", tuple(f"kind {k}" for k in range(50)), *splits)
    run = glassnet.train("raw-neurons", data, epochs=1)
    page = render_report(run)
    assert page.count('<th scope="col"><span>kind') == 40
    assert "The 40 of 50 classes that most mistakes are about." in page
    confusion = json.loads(json.dumps(glassnet.evaluate(run).confusion))
    for facts, text in Parsed(page).numbers:
        if facts["data-key"].startswith("confusion."):
            assert int(text) == at(confusion, facts["data-key"].removeprefix("confusion."))


def test_the_audit_says_where_the_images_are(small: Dataset) -> None:
    source = Source("my pictures", "a folder", Preparation())
    data = Dataset("my-pictures", small.classes, small.train, small.test, source=source)
    assert "glassnet audit 'my pictures' --run RUN" in Parsed(render_audit(audit(data), data)).text


# -- in a browser ------------------------------------------------------------------------------------------------------


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Any]:
    """Open the report with a width and a colour scheme; nothing may leave the machine or be complained about."""
    contexts, complaints, requests = [], [], []

    def open_page(width: int = 1280, scheme: str = "light", **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        contexts.append(context)
        opened = context.new_page()
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: requests.append(request.url))
        opened.goto(report.as_uri())
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(url.startswith(("file:", "data:")) for url in requests)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_accessible_and_fits(visit: Any, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened = visit(width, scheme)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    for summary in opened.locator("summary").all():
        summary.click()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(opened).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, json.dumps(serious, indent=1)[:3000]


def test_a_click_on_a_cell_shows_its_images(visit: Any) -> None:
    opened = visit()
    for truth, predicted in ((0, 0), (6, 0)):
        opened.click(f'a[href="#cell-{truth}-{predicted}"]')
        cell = opened.locator(f"#cell-{truth}-{predicted}")
        assert cell.is_visible()
        assert cell.locator(".tile").count() > 0
        assert cell.locator(".tile").first.bounding_box()["width"] == 56
        assert opened.locator(".cell:visible").count() == 1


def test_the_keyboard_reaches_the_cells(visit: Any) -> None:
    opened = visit()
    for _ in range(60):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.closest('.confusion') !== null"):
            break
    start = opened.evaluate("document.activeElement.hash")
    assert start.startswith("#cell-")
    opened.keyboard.press("ArrowRight" if not start.endswith("-9") else "ArrowLeft")
    now = opened.evaluate("document.activeElement.hash")
    assert now != start
    assert opened.locator(now).is_visible()
    assert opened.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_without_scripts_it_can_be_read(visit: Any) -> None:
    opened = visit(java_script_enabled=False)
    assert opened.locator(".hint").is_visible()
    opened.click('a[href="#cell-6-0"]')
    assert opened.locator("#cell-6-0").is_visible()
    assert not opened.locator(".hint").is_visible()


def test_it_prints_on_white_paper(visit: Any) -> None:
    opened = visit(scheme="dark")
    pdf = opened.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    opened.emulate_media(media="print", color_scheme="dark")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not opened.locator("nav").is_visible()


@pytest.mark.parametrize("axis", [None, -1, (1, 2)])
def test_keras_code_keeps_what_a_layer_was_adapted_to(
    axis: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glassnet._keras import keras

    images = np.random.default_rng(0).normal(100, 30, (50, 7, 7)).astype("float32")
    adapted = keras.layers.Normalization(axis=axis)
    model = keras.Sequential([keras.Input((7, 7)), adapted, keras.layers.Flatten(), keras.layers.Dense(2)])
    adapted.adapt(images)
    monkeypatch.chdir(tmp_path)
    model.save("model.keras")
    code, rooms = model_code(model), {"keras": keras}
    exec(code, rooms)
    built: Any = rooms["model"]
    np.testing.assert_array_equal(built.layers[0](images), adapted(images))
    assert ("model.keras" in code) == (axis == (1, 2))  # 49 means and variances would be too long to read
    assert not np.array_equal(built.layers[-1].kernel, model.layers[-1].kernel)


def test_keras_code_admits_a_schedule_that_cannot_be_written() -> None:
    from glassnet._keras import keras

    class Own(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> float:
            return 0.01

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(Own()), "mse")
    code = compile_code(model)
    assert code.startswith("# Learning rate schedule 'Own'")
    assert "\n" not in code
