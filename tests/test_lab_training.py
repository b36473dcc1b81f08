"""Training in the lab: back in time, the live confusion matrix, repeats."""

import re
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet.augmentation import Augmentation
from glassnet.lab import answers, looks, worker
from glassnet.lab.counting import COUNTED, count_answers, images_to_count
from glassnet.lab.helpers import Outgoing
from glassnet.lab.messages import Counts
from glassnet.lab.pages.training import say_spread
from glassnet.lab.parts.augmentation import draw_preview
from glassnet.lab.parts.moments import draw_small_confusion
from glassnet.lab.parts.shelf import draw_runs
from glassnet.lab.parts.templates import draw_templates, name_templates
from glassnet.lab.past import ask_past, replay
from glassnet.lab.preview import preview
from glassnet.lab.stages import stages_of
from glassnet.recipes import Recipe, find
from glassnet.replay import open_replay
from glassnet.runs import Passport, open_run
from glassnet.training.inference import predict
from glassnet.training.steering import Steering
from tests.test_lab_page import Served, draw, lab, open_page, step, train  # noqa: F401  (fixtures)


def test_the_worker_keeps_moments_and_counts_live(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(worker, "SECONDS_BETWEEN_COUNTS", 0.0)
    said: list[Any] = []

    class Kept(Outgoing):
        def __call__(self, message: Any) -> None:
            said.append(message)

    order = worker.Order(find("baseline").changed(epochs=1), "fashion-mnist", 3, tmp_path / "run")
    worker._train(order, Steering(), Kept(Pipe()[0]))  # pyright: ignore[reportArgumentType]
    assert len(open_replay(open_run(order.out)).moments) > 5
    counts = [one.counts for one in said if isinstance(one, Counts)]
    assert counts and all(one.sum() == COUNTED for one in counts)
    past = replay(order.out, 32)
    assert past is not None
    assert past.names[0] == "start" and past.names[-1] == "epoch 1"
    assert past.templates.shape == (len(past.names), 10, 28, 28)
    assert past.confusion.shape == (len(past.names), 10, 10)
    image = glassnet.load("fashion-mnist").test.images[0]
    said_then = ask_past(order.out, image)
    assert said_then.shape == (len(past.names), 10)
    now = answers.ask_image(order.out, "test", 0)
    np.testing.assert_allclose(said_then[-1], now.probabilities, atol=1e-5)


PLANS = (
    find("baseline"),
    find("fashion-128"),
    find("digits-32").changed(hidden=(9, 8), activation="tanh"),
    find("cnn").changed(filters=(4, 5, 6, 7, 3), hidden=(8,), dropout=0.3),
    find("cnn").changed(filters=(4, 5), batch_norm=False, activation="sigmoid", scale=False),
    find("tiny").changed(filters=(3, 4, 5, 6)),
    find("tiny").changed(filters=(3, 4), depth=3, batch_norm=False, members=2),
    find("tiny").changed(filters=(3, 4, 5), members=3),
)


@pytest.mark.parametrize("plan", PLANS)
def test_stages_are_those_of_keras(plan: Recipe) -> None:
    for shape in ((28, 28), (30, 41, 3)):
        stages = stages_of(plan, shape, 10)
        assert sum(stage.parameters for stage in stages) == plan.parameters(shape, 10)
        model = plan.build(shape, 10)
        assert sum(stage.parameters for stage in stages) == model.count_params()
        flat = model.get_layer("flatten")
        assert next(stage.width for stage in stages if stage.kind == "flatten") == flat.output.shape[-1]
        for stage in stages:
            words = re.sub(r"[^\d+×]+", "", stage.arithmetic.replace(",", ""))
            products = [np.prod([int(one) for one in term.split("×")]) for term in words.split("+")] if words else [0]
            assert sum(products) == stage.parameters
            if stage.kind == "block":
                number = 1 + stage.number * plan.depth
                layer = model.get_layer(f"{'pool' if stage.pooled else 'conv'}_{number}")
                assert (*stage.shape[:2], plan.members * stage.width) == tuple(layer.output.shape[1:])


def test_live_counts_are_those_of_keras(fashion: glassnet.Dataset) -> None:
    rng = np.random.default_rng(0)
    for plan in PLANS:
        model = plan.build((28, 28), 10)
        model.set_weights([value + 0.1 * rng.random(value.shape) for value in model.get_weights()])
        counts = count_answers(plan, model.get_weights(), fashion, 200)
        expected = np.zeros((10, 10), int)
        np.add.at(expected, (fashion.test.labels[:200], predict(model, fashion.test.images[:200]).argmax(1)), 1)
        assert np.abs(counts - expected).sum() <= 2  # two outputs that differ in the last bit


def test_large_networks_are_not_asked_while_they_learn() -> None:
    assert images_to_count(find("cnn"), (28, 28), 10) < images_to_count(find("baseline"), (28, 28), 10)
    assert images_to_count(find("cnn").changed(filters=(128, 128)), (28, 28), 10) == 0


def test_a_preview_is_what_the_setting_says(fashion: glassnet.Dataset) -> None:
    before, after = preview("fashion-mnist", Augmentation(), 0)
    assert (before == fashion.train.images[:10]).all() and (after == before).all()
    _, flipped = preview("fashion-mnist", Augmentation(flip=True), 1)
    kinds = {
        (one == was).all() or ((one == was[:, ::-1]).all() and "mirrored")
        for one, was in zip(flipped, before, strict=True)
    }
    assert kinds == {True, "mirrored"}
    _, moved = preview("fashion-mnist", Augmentation(shift=3, rotate=20, elastic=1.0, erase=0.5), 1)
    assert moved.shape == before.shape and moved.dtype == np.uint8 and (moved != before).any((1, 2)).all()
    assert "Ten training images" in draw_preview(before, moved)


def test_a_convolutional_network_is_built_on_its_drawing(open_page: Any) -> None:
    page = open_page("?panel=network&recipe=cnn")
    page.locator(".code", has_text="Conv2D(64").wait_for()
    page.get_by_text("55,002 parameters").wait_for()
    assert page.locator(".layers rect.map").count() == 18
    assert "14 × 14 × 16" in page.locator(".cells").inner_text()
    page.get_by_role("button", name="Remove Convolution 3").click()
    page.wait_for_url(re.compile("filters=16-32"))  # what is typed while the drawing is made anew would be lost
    page.get_by_role("button", name="Convolution 2: half as many filters").click()
    page.wait_for_url(re.compile("filters=16-16"))
    page.get_by_label("Convolution 1: filters").fill("4")
    page.get_by_label("Convolution 1: filters").press("Enter")
    page.wait_for_url(re.compile("filters=4-16"))
    page.locator(".code", has_text="Conv2D(4,").wait_for()
    plan = find("cnn").changed(filters=(4, 16))
    page.get_by_text(f"{plan.parameters((28, 28), 10):,} parameters").wait_for()
    page.get_by_label("Normalise", exact=True).focus()
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("norm=0"))
    page.get_by_text(f"{plan.changed(batch_norm=False).parameters((28, 28), 10):,} parameters").wait_for()


def test_images_that_are_changed_are_shown_before_and_after(open_page: Any) -> None:
    page = open_page("?panel=training")
    page.get_by_text("Change images while learning: nothing").click()
    assert page.locator(".preview img").count() == 0
    page.get_by_label("Rotate", exact=True).fill("30")
    page.get_by_label("Rotate", exact=True).press("Tab")
    page.get_by_text("Change images while learning: rotate 30").wait_for()
    page.wait_for_url(re.compile("rotate=30"))
    after = page.locator(".preview img").nth(1)
    after.wait_for()
    source = after.get_attribute("src")
    assert source != page.locator(".preview img").first.get_attribute("src")
    page.get_by_role("button", name="Other changes").click()
    page.wait_for_function("(src) => document.querySelectorAll('.preview img')[1].src !== src", arg=source)
    again = open_page("?panel=training&rotate=30&erase=2")
    again.get_by_text("erase is 2.0; it must be a number from 0 to 1").wait_for()
    again.locator(".preview img").first.wait_for()  # it is open, for something is set


def test_going_back_in_a_convolutional_training(tmp_path: Path, few: glassnet.Dataset) -> None:
    plan = find("cnn").changed(filters=(3,), epochs=1)
    run = glassnet.train(plan, "mnist", out=tmp_path / "cnn", snapshots=True)
    past = replay(tmp_path / "cnn", 32)
    assert past is not None and past.hidden
    assert past.templates.shape == (len(past.names), 3, 3, 3) and past.image_shape == (28, 28)
    np.testing.assert_allclose(past.templates[-1], run.model.get_weights()[0][:, :, 0].transpose(2, 0, 1), atol=1e-6)
    assert "filters" in draw_templates(past.templates[-1])
    assert name_templates(past.templates[-1], 3, hidden=True) == "What each filter looks for"


def test_runs_without_moments_and_large_networks(tmp_path: Path, few: glassnet.Dataset) -> None:
    run = glassnet.train("baseline", few, epochs=1)
    large = worker.Order(find("baseline").changed(hidden=(2048,) * 4), "fashion-mnist", 0, tmp_path)
    assert not worker._fits_snapshots(large, few)
    assert worker._fits_snapshots(worker.Order(find("baseline"), "fashion-mnist", 0, tmp_path), few)
    assert run.snapshots is None


def test_words_and_drawing() -> None:
    assert say_spread([0.8]) == ""
    assert say_spread([0.8], [1, 2]).endswith("2 more to come.")
    drawn = draw_small_confusion(np.array([[3, 1], [0, 2]]), ("<a>", "b"), "T")
    assert (
        drawn.count('class="hit"') == 2
        and drawn.count('class="miss"') == 1
        and "&lt;a&gt; taken for b: 1" in drawn
        and "83.3%" in drawn
    )


def test_a_run_of_a_model_of_ones_own_is_listed_with_its_size() -> None:
    facts = {"dataset": "mnist", "parameters": 7850, "epochs": 3, "test_accuracy": 0.9}
    own, plain = (
        Passport.model_construct(**facts, settings=settings)
        for settings in ({"optimizer": "adam"}, find("baseline").settings())
    )
    drawn = draw_runs([("mine", own), ("baseline", plain)], ["lost"], "baseline", {"mine"})
    assert "mnist, 7,850 parameters, 3 epochs" in drawn
    assert "mnist, no hidden layer, 3 epochs" in drawn
    assert re.findall(r'data-pick="(\w+:[\w-]+)"', drawn) == [
        "resume:lost", "mark:mine", "open:mine", "mark:baseline", "open:baseline",
    ]  # fmt: skip
    assert "every finished training" in draw_runs([], [], "", ()).lower()


def test_only_neurons_that_are_shown_are_named() -> None:
    assert draw_templates(np.zeros((2, 28, 28), np.float32), ["a", "b", "c"]).count("<span>") == 2


def test_a_set_is_summed_up_part_by_part(few: glassnet.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "SLICE", 300)
    found = looks.overview(replace(few, classes=(*few.classes, "without images")))
    images, labels = few.train.images, few.train.labels
    assert found.counts == (*np.bincount(labels, minlength=10).tolist(), 0)
    for label in range(10):
        np.testing.assert_array_equal(found.means[label], np.rint(images[labels == label].mean(0)))
    assert not found.means[10].any()
    assert list(found.histogram) == np.histogram(images, bins=32, range=(0, 256))[0].tolist()


def test_a_rate_that_follows_a_schedule_cannot_be_changed_on_its_way(open_page: Any) -> None:
    page = open_page("?schedule=one-cycle&epochs=200&panel=training")
    rate = page.get_by_label("Learning rate", exact=True)
    assert rate.is_enabled()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector("input:disabled")
    assert rate.is_disabled()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function("() => !document.querySelector('input:disabled')")
    assert rate.is_enabled()


def test_back_in_time_with_ones_own_drawing(open_page: Any, lab: Served) -> None:
    page = open_page("?recipe=digits-32&epochs=1&panel=training")
    last = train(page)
    slider = page.get_by_label("Go back in time:")
    slider.wait_for()
    assert slider.get_attribute("aria-valuetext") == "epoch 1"
    assert slider.input_value() == slider.get_attribute("max")
    final = page.locator(".templates img").get_attribute("src")
    shown = page.locator(".then b").first
    shown.wait_for()
    assert abs(float(shown.inner_text().strip("%")) - last) < 4  # on 1,000 images
    slider.focus()
    page.keyboard.press("Home")
    page.get_by_text("Go back in time: start").wait_for()
    page.wait_for_function("(src) => document.querySelector('.templates img').src !== src", arg=final)
    assert slider.get_attribute("aria-valuetext") == "start"
    page.wait_for_function("() => parseFloat(document.querySelector('.then b').textContent) < 40")
    page.keyboard.press("ArrowRight")
    page.get_by_text("Go back in time: batch 1").wait_for()
    step(page, "tryit")
    draw(page, (0.5, 0.15), (0.5, 0.85))
    page.locator(".said-class", has_text=re.compile("^1 ")).wait_for()
    step(page, "training")
    page.locator(".own img").wait_for()
    slider.focus()
    page.keyboard.press("End")
    page.locator(".own b", has_text=re.compile("^1$")).wait_for()
    page.locator(".runs [data-pick='open:digits-32']").click()  # one that kept no moments
    slider.wait_for(state="hidden")


def test_repeats_train_one_seed_after_the_other(open_page: Any, lab: Served) -> None:
    page = open_page("?epochs=1&seed=5&panel=training")
    page.get_by_label("Repeats", exact=True).fill("9")
    page.get_by_label("Repeats", exact=True).press("Tab")
    page.locator(".word", has_text="from 1 to 5").wait_for()
    page.get_by_label("Repeats", exact=True).fill("3")
    page.get_by_label("Repeats", exact=True).press("Tab")
    page.wait_for_timeout(300)
    before = set(lab.runs.iterdir())
    page.get_by_role("button", name="Train", exact=True).click()
    said = page.locator(".spread", has_text=re.compile("^3 seeds: "))
    said.wait_for()
    new = [one for one in set(lab.runs.iterdir()) - before if (one / "run.json").is_file()]
    passports = [open_run(one).passport for one in new]
    assert sorted(one.seed for one in passports) == [5, 6, 7]
    mean = np.mean([one.test_accuracy for one in passports])
    assert f"{mean:.1%} of the test images" in said.inner_text()
    assert page.locator(".charts .dot.quiet").count() >= 4  # one epoch is a dot
