"""Inside an answer in the lab: the arithmetic of what is clicked, and weights that are switched off."""

import hashlib
import io
import multiprocessing
import re
import threading
from collections import deque
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image as Picture

import glassnet
from glassnet._keras import seeded
from glassnet.explanation.layers import chain
from glassnet.explanation.units import KINDS, hidden_layers
from glassnet.lab import answers, developing, switching, worker
from glassnet.lab.answers import Answer
from glassnet.lab.helpers import Outgoing
from glassnet.lab.links import from_query, to_query
from glassnet.lab.messages import Finished, Order, Ready
from glassnet.lab.pages.tryit import TryPanel
from glassnet.lab.parts.bars import draw_choices, draw_sureness, say_possible, say_unlike, say_untold
from glassnet.lab.parts.classes import write_calibration
from glassnet.lab.parts.inside import cut_parts
from glassnet.lab.parts.steps import draw_way, say_turns
from glassnet.lab.state import ALL_ANSWERS, ERRORS, State
from glassnet.lab.sureness import Sureness
from glassnet.lab.switching import Off
from glassnet.mirroring import joined
from glassnet.runs import ASSURANCE, Run
from glassnet.training.inference import predict
from glassnet.training.steering import Steering
from tests.browser import CHROMIUM, SWITCHES, run_apart
from tests.conftest import part
from tests.test_lab_intake import write_folder
from tests.test_lab_page import PATIENCE, Served, draw, lab, open_page  # noqa: F401  (fixtures)


@pytest.fixture(scope="module")
def plain(lab: Served) -> Run:
    """A network without a hidden layer."""
    return glassnet.train("baseline", epochs=1, out=lab.runs / "baseline")


@pytest.fixture(scope="module")
def sure(lab: Served) -> Path:
    """A network that the lab trained with images held out."""
    plan = glassnet.recipes.find("digits-32").changed(held_out=0.05, epochs=1)
    pipe: Any = multiprocessing.Pipe()
    here, there = pipe
    told: list[Any] = []
    listener = threading.Thread(target=lambda: told.extend(iter(here.recv, Ready())))
    listener.start()
    worker._train(Order(plan, "mnist", 0, lab.runs / "sure"), Steering(), Outgoing(there))
    listener.join()
    assert isinstance(told[-1], Finished)
    return lab.runs / "sure"


def png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Picture.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def bring(page: Any, picture: bytes) -> None:
    page.locator("input[type=file]").set_input_files([{"name": "a.png", "mimeType": "image/png", "buffer": picture}])


def asked(run: Path, count: int) -> list[Answer]:
    return [answers.ask_image(run, "test", number) for number in range(count)]


def numbers(text: str) -> list[Decimal]:
    return [Decimal(one.replace("−", "-")) for one in re.findall(r"[−+]?\d+\.\d+", text)]


def ask_random(page: Any) -> None:
    page.get_by_role("button", name="Random test image").click()
    page.locator(".said-class small").wait_for()


def test_a_clicked_class_shows_its_arithmetic(open_page: Any) -> None:
    page = open_page("?run=digits-32&panel=tryit")
    tried = page.get_by_role("heading", name="Tried before")
    assert tried.count() == 0  # there is nothing yet
    ask_random(page)
    tried.wait_for()
    page.get_by_role("button", name="3", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="How 3 is computed").wait_for()
    products = [numbers(one)[-1] for one in page.locator(".neuron td.for, .neuron td.against").all_inner_texts()]
    assert len(products) == 8
    rest, bias, total = (numbers(page.locator(".sum li").nth(row).inner_text())[-1] for row in range(3))
    assert sum(products) + rest + bias == total
    shown = numbers(page.locator(".probabilities .picked dd").inner_text())[0]
    share = numbers(page.locator(".sum b").last.inner_text())[0]
    assert abs(shown - 100 * share) <= Decimal("0.1")
    page.locator(".neuron th button").first.click()
    page.get_by_role("heading", name=re.compile("How unit .* is computed")).wait_for()
    page.get_by_role("button", name="Why", exact=True).click()
    page.get_by_role("heading", name="Why 3?").wait_for()


def test_units_are_switched_off_for_this_tab_only(open_page: Any, lab: Served) -> None:
    model = lab.runs / "digits-32" / "model.keras"
    before = hashlib.sha256(model.read_bytes()).hexdigest()
    page, other = open_page("?run=digits-32&panel=tryit"), open_page("?run=digits-32&panel=tryit")
    ask_random(page)
    source = page.locator(".said-class + p")
    while ">99.9%" in page.locator(".probabilities").inner_text():  # such bars may stay as they are, to the last figure
        before_it = source.inner_text()
        page.get_by_role("button", name="Random test image").click()
        page.wait_for_function("(old) => document.querySelector('.said-class + p').innerText !== old", arg=before_it)
        page.wait_for_timeout(200)  # the bars are drawn after the words
    said = page.locator(".probabilities").inner_text()
    page.get_by_role("button", name="Switch weights off").click()
    switches = page.get_by_role("switch")
    switches.first.wait_for()
    assert switches.count() == 12
    effect = page.locator(".switches [role=status]")
    page.get_by_text("nothing is switched off").wait_for()
    whole = float(numbers(effect.inner_text().replace(",", ""))[0])
    for place in range(6):
        switches.nth(place).click()
        page.wait_for_function("(n) => document.querySelectorAll('[aria-checked=false]').length === n", arg=place + 1)
    page.get_by_text(re.compile(r"right: [−+]\d")).wait_for()
    assert float(numbers(effect.inner_text())[0]) < whole - 2
    assert page.locator(".probabilities").inner_text() != said
    other.get_by_role("button", name="Switch weights off").click()
    other.get_by_text(f"{whole:.1f}% of 10,000 test images are right; nothing").wait_for()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_text(f"{whole:.1f}% of 10,000 test images are right; nothing").wait_for()
    page.wait_for_function("(said) => document.querySelector('.probabilities').innerText === said", arg=said)
    assert hashlib.sha256(model.read_bytes()).hexdigest() == before


def test_a_template_is_erased_in_parts(open_page: Any, plain: Run) -> None:
    page = open_page("?run=baseline&panel=tryit")
    page.get_by_role("button", name="Switch weights off").click()
    page.get_by_text("nothing is switched off").wait_for()
    page.get_by_role("button", name="Sneaker", exact=True).click()
    page.get_by_text("The weights of Sneaker").wait_for()
    parts = page.get_by_role("group", name="Parts of the template").get_by_role("button")
    assert parts.count() == 49
    parts.nth(24).click()
    page.get_by_role("button", name=re.compile("rows 12–15, columns 12–15: erased")).wait_for()
    page.get_by_text(re.compile("of 10,000 test images are right: ")).wait_for()


def photo_of_a_one() -> bytes:
    picture = Picture.new("RGB", (400, 300), (205, 200, 190))
    picture.paste((20, 30, 90), (190, 50, 208, 250))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def test_a_photo_shows_its_way_to_the_network(open_page: Any, lab: Served) -> None:
    page = open_page("?run=digits-32&panel=tryit")
    page.get_by_role("button", name="From photo to input").click()
    ask_random(page)
    page.get_by_text("A test image goes in as it is.").wait_for()
    page.locator("input[type=file]").set_input_files(
        [{"name": "one.png", "mimeType": "image/png", "buffer": photo_of_a_one()}]
    )
    page.locator(".said-class", has_text=re.compile("^1 ")).wait_for()
    steps = page.locator(".way li")
    steps.first.wait_for()
    titles = steps.locator("b").all_inner_texts()
    assert titles[0].startswith("1 ") and len(titles) > 3
    assert steps.last.inner_text().strip().split("\n")[-1].startswith("1 ")  # the answer to the network's input
    photo = steps.first.locator("img").first.get_attribute("src")
    draw(page, (0.5, 0.15), (0.5, 0.85))
    page.locator(".answer", has_text="your drawing").wait_for()
    page.wait_for_function("(photo) => document.querySelector('.way img').src !== photo", arg=photo)


def test_the_way_ends_with_the_answer(plain: Run, lab: Served) -> None:
    run = lab.runs / "digits-32"
    answer = answers.ask_picture(run, photo_of_a_one(), "your photo")
    way = developing.show_way(run, photo_of_a_one())
    assert (way.steps[-1].seen == answer.image).all()
    assert way.steps[-1].label == answer.label
    assert way.steps[-1].probability == pytest.approx(max(answer.probabilities), abs=1e-5)
    assert all(max(step.picture.shape[:2]) <= developing.SIDE for step in way.steps)
    drawn = draw_way(way)
    assert drawn.count("<li") == len(way.steps)
    one = developing.SeenStep("t", "<why>", way.steps[0].picture, answer.image, "4", 0.5)
    two = developing.SeenStep("u", "", way.steps[0].picture, answer.image, "1", 0.9)
    assert say_turns(developing.Way((one, two, two), ())) == "Step 2, u, made 1 of 4."
    assert "&lt;why&gt;" in draw_way(developing.Way((one,), ("It is <dark>.",)))


def test_what_is_switched_off_is_what_the_network_would_say(plain: Run) -> None:
    assert plain.path
    images = plain.dataset().test.images
    answer = answers.ask_image(plain.path, "test", 3)
    weights, bias = (np.array(one) for one in plain.model.get_weights())
    part = weights.reshape(28, 28, 10)
    part[4:8, 8:12, 7] = 0
    off = Off(tiles=frozenset({(7, 1 * 7 + 2)}))
    logits = images.reshape(-1, 784) / 255 @ part.reshape(784, 10) + bias
    right = int((logits.argmax(-1) == plain.dataset().test.labels).sum())
    effect = switching.measure_off(plain.path, "tab", off)
    assert abs(effect.after - right) <= 2
    powers = np.exp(logits[3] - logits[3].max())
    said = switching.ask_again(plain.path, "tab", off, answer).probabilities
    np.testing.assert_allclose(said, powers / powers.sum(), atol=1e-5)
    assert (predict(plain.model, images[:9]) == predict(glassnet.open_run(plain.path).model, images[:9])).all()
    switching.forget("tab")
    assert switching.ask_again(plain.path, "tab", Off(), answer).probabilities == answer.probabilities


def said_without(model: Any, name: str, unit: int, images: Any) -> np.ndarray:
    """What a network gives if the maps of a unit are 0 where the next layer with weights takes them."""
    layers = chain(model)
    own = [one.name for one in layers].index(name)
    taken = next(k for k, one in enumerate(layers) if k > own and type(one).__name__ in (*KINDS, "Flatten"))
    for k, one in enumerate(layers):
        images = one(np.where(np.arange(images.shape[-1]) == unit, 0, images) if k == taken else images)
    return np.asarray(images)


@pytest.mark.parametrize(
    ("recipe", "settings", "both_ways"),
    [
        ("cnn", {"filters": (3, 4), "hidden": (5, 4)}, False),
        ("strong", {"filters": (3, 4)}, True),
        ("record", {"filters": (2, 3)}, False),
        ("record", {"filters": (2, 3)}, True),
    ],
)
def test_a_unit_that_is_off_is_one_whose_maps_are_zero(recipe: str, settings: Any, both_ways: bool) -> None:
    """Also where convolutions have groups: twins see twins, and members themselves."""
    with seeded(1):
        model = glassnet.recipes.find(recipe).changed(**settings).build((12, 12), 5)
    model = joined(model) if both_ways else model
    rng = np.random.default_rng(0)
    model.set_weights([one + rng.uniform(0, 0.1, one.shape) for one in model.get_weights()])
    images, trained = rng.uniform(0, 255, (3, 12, 12)).astype(np.float32), model.get_weights()
    whole = np.asarray(model(images))
    for name in hidden_layers(model):
        changes = 0.0
        for unit in range(model.get_layer(name).output.shape[-1]):
            expected = said_without(model, name, unit, images)
            switching._silence(model, name, unit)
            np.testing.assert_allclose(model(images), expected, atol=1e-5)
            model.set_weights(trained)
            changes = max(changes, np.abs(expected - whole).max())
        assert changes > 1e-3


def test_the_template_of_colour_images_is_shown_and_erased_in_parts(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "shapes", 24)
    run = glassnet.train("baseline", str(folder), epochs=1, out=tmp_path / "runs" / "baseline").path
    assert run
    weights = np.array(glassnet.open_run(run).model.get_weights()[0])[:, 1].reshape(16, 16, 3)
    whole = switching.inner(run, "tab", Off(), 1, 12)
    assert whole.template is not None
    np.testing.assert_allclose(whole.template, weights.mean(-1), rtol=1e-4, atol=1e-6)
    assert cut_parts(whole.template, whole.tiles).shape == (64, 2, 2, 3)
    off = switching.inner(run, "tab", Off(tiles=frozenset({(1, 8 + 3)})), 1, 12)
    switching.forget("tab")
    assert off.template is not None
    assert (off.template[2:4, 6:8] == 0).all()
    assert (cut_parts(off.template, off.tiles)[8 + 3] == 255).all()
    assert (cut_parts(off.template, off.tiles).reshape(64, -1) < 255).any(1).sum() == 63


def test_a_training_of_the_lab_keeps_what_held_out_images_say(sure: Path) -> None:
    assert (sure / ASSURANCE).is_file()
    assert answers.ask_image(sure, "test", 0).sureness is not None


def test_how_sure_an_answer_is_agrees_with_the_library(sure: Path) -> None:
    opened = glassnet.open_run(sure)
    images = np.concatenate([opened.dataset().test.images[:150], np.full((1, 28, 28), 255, np.uint8)])
    found = [*asked(sure, 150), answers._ask(sure, images[150], None, "white")]
    alone = [glassnet.predict(opened, image)[0] for image in images]  # the last bits depend on what is asked together
    for one, expected in zip(found, alone, strict=True):
        np.testing.assert_allclose(one.probabilities, expected.probabilities, atol=1e-6)
    for error in ERRORS:
        said = glassnet.predict(opened, images, max_error=error)
        for one, expected in zip(found, said, strict=True):
            assert one.sureness
            assert expected.verdict
            assert one.sureness.known(error) == expected.known
            assert one.sureness.possible == expected.possible
            assert one.sureness.unlike == expected.verdict.unlike
    assert all(one.sureness and one.sureness.known(ALL_ANSWERS) for one in found)
    shares = [np.mean([one.sureness is not None and one.sureness.known(error) for one in found]) for error in ERRORS]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]
    white = found[150].sureness
    assert white
    assert white.unlike
    assert not white.known(ERRORS[-1])


def test_results_show_the_confidence_that_answers_have(sure: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = answers.recall(sure)
    found = glassnet.evaluate(opened, part(opened.dataset(), train=200, test=200))
    monkeypatch.setattr(answers, "recall_scores", lambda run: found)
    scores = answers.score(sure)
    for number, one in enumerate(asked(sure, 20)):
        assert scores.confidence[number] == pytest.approx(max(one.probabilities), abs=1e-5)
    record = scores.record
    assert record["calibration_error"] == pytest.approx(record["trust"]["calibration_error"], abs=1e-6)
    assert f"{record['calibration_error']:.1%}</b> apart" in write_calibration(record)


def test_an_answer_of_the_run_before_is_not_shown_under_another_one() -> None:
    panel = TryPanel.__new__(TryPanel)
    answer = Answer(np.zeros((28, 28), np.uint8), "1", [0.1, 0.9], ("0", "1"), "", "your photo")
    tab: Any = SimpleNamespace(run=Path("before"))

    async def ask(*_: Any, **__: Any) -> Answer:
        tab.run = Path("after")  # it was chosen while this one was asked
        return answer

    tab.ask = ask
    panel.tab, panel.board, panel.boards = tab, cast(Any, SimpleNamespace(clear_drawing=int, answered=int)), 0
    panel.tried, panel.shown, panel.asked = deque(), None, None
    for question in (panel.ask_image(0), panel._ask_drawing(b"picture"), panel._read_photo(b"picture")):
        tab.run = Path("before")
        run_apart(question)
    assert (list(panel.tried), panel.shown, panel.asked) == ([], None, None)


def test_nobody_is_filmed_behind_another_panel(lab: Served) -> None:
    api = pytest.importorskip("playwright.async_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    switches = [*SWITCHES, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

    async def film() -> list[str]:
        async with api.async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
            page = await chromium.new_page()
            page.set_default_timeout(PATIENCE)
            await page.add_init_script("localStorage.setItem('glassnet-lab-tour', 'yes')")
            await page.add_init_script(KEEP_STREAMS)
            await page.goto(f"{lab.url}?run=digits-32&panel=tryit")
            await page.get_by_role("button", name="Camera", exact=True).evaluate(
                "(one) => { one.click(); one.click(); }"
            )
            await page.get_by_role("button", name="Take it").wait_for()
            await page.wait_for_function("() => document.querySelector('.photos video')?.videoWidth > 0")
            await page.get_by_role("button", name="Take it").click()
            await page.get_by_text("your photo", exact=True).wait_for()
            first = await page.evaluate(LIVE)
            await page.click("#step-network")
            await page.locator(".photos video").wait_for(state="detached")
            last = await page.evaluate(LIVE)
            await chromium.close()
            return [first, last]

    assert run_apart(film()) == [1, 0]


KEEP_STREAMS = """(() => {
  const media = navigator.mediaDevices, real = media.getUserMedia.bind(media);
  window.streams = [];
  media.getUserMedia = async (wish) => { const one = await real(wish); window.streams.push(one); return one; };
})()"""
LIVE = "() => window.streams.flatMap((one) => one.getTracks()).filter((one) => one.readyState === 'live').length"


def test_a_changed_network_is_not_taken_for_a_calibrated_one(sure: Path) -> None:
    answer = answers.ask_image(sure, "test", 3)
    off = Off(units=frozenset({("hidden_1", 0)}))
    assert switching.ask_again(sure, "tab", off, answer).sureness is None
    assert switching.ask_again(sure, "tab", Off(), answer).sureness == answer.sureness
    switching.forget("tab")


def test_what_can_be_is_said_in_words() -> None:
    digits = list("0123456789")
    assert say_possible(["3"], digits) == "3"
    assert say_possible(["3", "5", "8"], digits) == "3, 5 or 8"
    assert say_possible(digits[:6], digits) == "one of 6 classes"
    assert say_possible(digits, digits) == "any of the classes"
    assert "none" in say_possible([], digits)
    one = Sureness(("3", "5"), 0.95, 0.021, unlike=True, least_error=0.02, held_out=3000)
    assert say_unlike(one) == "Unlike the training images: only 2.1% of 3,000 held-out images are as unusual."
    assert "none of 3,000" in say_unlike(Sureness((), 0.95, 0.0, unlike=True, least_error=1.0, held_out=3000))
    assert say_unlike(Sureness(("3",), 0.95, 0.5, unlike=False, least_error=0.01, held_out=3000)) == ""
    assert (one.known(0.02), one.known(0.01)) == (True, False)
    assert "95%: 3 or 5." in draw_sureness(one, digits)
    assert "no images were held out" in say_untold(0.0)
    assert "too few images" in say_untold(0.05)
    drawn = draw_choices(["<a>", "b"], [0.9, 0.1], "b", 1, ["<a>"])
    assert re.findall(r'<div class="([^"]*)"', drawn) == ["best possible", "truth picked"]
    assert "&lt;a&gt;" in drawn
    assert "<a>" not in drawn


def test_the_accepted_error_stands_in_the_link() -> None:
    assert to_query(State(max_error=0.05)) == "error=0.05"
    for error in (*ERRORS, ALL_ANSWERS):
        assert from_query({"error": to_query(State(max_error=error)).removeprefix("error=") or "0.01"}) == (
            State(max_error=error),
            [],
        )
    for text in ("0.03", "nan", "-1", "a"):
        state, (note,) = from_query({"error": text})
        assert note.startswith(f"error={text} is ignored: it must be ")
        assert state == State()


def test_i_do_not_know_at_the_accepted_error(open_page: Any, sure: Path) -> None:
    images = answers.recall(sure).dataset().test.images
    doubtful = next(
        (image, one)
        for image, one in zip(images, asked(sure, 400), strict=False)
        if one.sureness and 0.01 < one.sureness.least_error < ALL_ANSWERS and len(one.sureness.possible) > 1
    )
    image, answer = doubtful
    assert answer.sureness
    page = open_page("?run=sure&panel=tryit")
    bring(page, png(image))  # in the training images' own form, so that the network sees it as it is
    page.locator(".said-class", has_text=f"I don't know perhaps {answer.label}").wait_for()
    assert page.locator(".probabilities .possible").count() == len(answer.sureness.possible)
    page.get_by_text(f"95%: {say_possible(answer.sureness.possible, answer.classes)}.").wait_for()
    page.get_by_text("Calibrated on 3,000 held-out images.").wait_for()
    page.locator(".alike span").first.wait_for()  # the nearest training images
    page.get_by_label("Answers may be wrong").select_option(label="any of them")
    page.locator(".said-class", has_text=re.compile(f"^{answer.label} ")).wait_for()
    page.wait_for_url("**error=1")
    page.get_by_label("Answers may be wrong").select_option(label="0.1% of them")
    page.locator(".said-class", has_text="I don't know").wait_for()
    page.wait_for_url("**error=0.001")


def test_what_is_unlike_and_what_is_doubtful_is_said(open_page: Any, sure: Path) -> None:
    page = open_page("?run=sure&panel=tryit")
    bring(page, png(np.full((300, 400), 230, np.uint8)))
    page.get_by_text("none of 3,000 held-out images is as unusual").wait_for()
    page.get_by_text("Nothing stands out from the ground: it looks blank.").wait_for()
    assert page.locator(".said-class", has_text="I don't know").count() == 1
    ask_random(page)
    page.get_by_role("button", name="Switch weights off").click()
    page.get_by_role("switch").first.click()
    page.get_by_text("Weights are switched off: not calibrated.").wait_for()
    assert page.locator(".probabilities .possible").count() == 0


def test_a_run_that_held_nothing_out_says_how_to_get_one(open_page: Any) -> None:
    page = open_page("?run=digits-32&panel=tryit&error=0.05")
    page.get_by_text("Not calibrated: no images were held out").wait_for()
    assert not page.get_by_label("Answers may be wrong").is_visible()
    ask_random(page)
    page.get_by_text("Not calibrated: no images were held out").wait_for()
    assert page.locator(".said-class", has_text="I don't know").count() == 0
