"""Training in the lab: back in time, the live confusion matrix, repeats."""

import re
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np

import glassnet
from glassnet.lab import answers, worker
from glassnet.lab.helpers import Outgoing
from glassnet.lab.messages import Counts
from glassnet.lab.pages.training import say_spread
from glassnet.lab.parts.moments import draw_small_confusion
from glassnet.recipes import find
from glassnet.replay import open_replay
from glassnet.runs import open_run
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
    assert counts and all(one.sum() == worker.COUNTED for one in counts)
    past = answers.replay(order.out, 32)
    assert past is not None
    assert past.names[0] == "start" and past.names[-1] == "epoch 1"
    assert past.templates.shape == (len(past.names), 10, 28, 28)
    assert past.confusion.shape == (len(past.names), 10, 10)
    image = glassnet.load("fashion-mnist").test.images[0]
    said_then = answers.ask_past(order.out, image)
    assert said_then.shape == (len(past.names), 10)
    now = answers.ask_image(order.out, "test", 0)
    np.testing.assert_allclose(said_then[-1], now.probabilities, atol=1e-5)


def test_live_counts_are_those_of_keras(fashion: glassnet.Dataset) -> None:
    for plan in (find("baseline"), find("fashion-128"), find("digits-32").changed(hidden=(9, 8), activation="tanh")):
        model = plan.build((28, 28), 10)
        counts = worker.count_answers(plan, model.get_weights(), fashion, 200)
        expected = np.zeros((10, 10), int)
        np.add.at(expected, (fashion.test.labels[:200], predict(model, fashion.test.images[:200]).argmax(1)), 1)
        assert np.abs(counts - expected).sum() <= 2  # two outputs that differ in the last bit


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
    assert drawn.count("<rect") == 3 and "&lt;a&gt; taken for b: 1" in drawn and "83.3%" in drawn


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
