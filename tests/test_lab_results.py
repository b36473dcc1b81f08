"""The views of Results in a real browser: each class, worse images, and people against the network."""

import re
from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet.evaluation import corrupt
from glassnet.lab.parts.contest import ROUNDS, draw_lots
from glassnet.training.inference import predict
from tests.test_lab_page import Served, lab, open_page  # noqa: F401  (fixtures)

VIEWS = ("Mistakes", "Each class", "Worse images", "Beat the network")


def open_view(open_page: Any, view: str, **options: Any) -> Any:
    page = open_page("?run=digits-32&panel=results", **options)
    page.get_by_role("button", name=view, exact=True).first.click()
    return page


@pytest.fixture(scope="module")
def truth(lab: Served) -> Any:
    """The run of the lab, and the test images that it is measured on."""
    run = glassnet.open_run(lab.runs / "digits-32")
    return run, run.dataset().test


def test_each_class_has_its_scores(open_page: Any, truth: Any) -> None:
    found = glassnet.evaluate(truth[0])
    page = open_view(open_page, "Each class")
    page.get_by_role("heading", name="Each class").wait_for()
    rows = page.locator(".class-scores tbody tr")
    assert rows.count() == 10
    for row, one in zip(rows.all(), found.per_class, strict=True):
        assert row.inner_text().split() == [
            one.label, f"{one.precision:.1%}", f"{one.recall:.1%}", f"{one.f1:.1%}", f"{one.support:,}",
        ]  # fmt: skip
    assert f"{found.calibration_error:.1%} apart" in page.locator(".reliability").inner_text()
    assert "Guessing" in page.locator(".reliability .probabilities").inner_text()


def test_worse_images_cost_accuracy(open_page: Any, truth: Any) -> None:
    run, part = truth

    def told(images: np.ndarray) -> str:
        return f"{(predict(run.model, images).argmax(-1) == part.labels[:1000]).mean():.1%} of 1,000"

    page = open_view(open_page, "Worse images")
    accuracy = page.locator(".worse .score")
    accuracy.get_by_text(told(part.images[:1000])).wait_for()
    page.get_by_label("What makes them worse").select_option("rotation")
    slider = page.get_by_label("How strong")
    slider.focus()
    page.keyboard.press("End")
    accuracy.get_by_text(told(corrupt(part.images[:1000], "rotation", 60))).wait_for()
    assert slider.get_attribute("aria-valuetext") == "60 (degrees)"
    assert page.locator(".worse-chart circle").count() == 2
    page.get_by_label("What makes them worse").select_option("stroke width")
    accuracy.get_by_text(told(part.images[:1000])).wait_for()
    assert slider.get_attribute("aria-valuetext") == "as they are"


def test_people_play_against_the_network(open_page: Any, truth: Any) -> None:
    run, part = truth
    page = open_view(open_page, "Beat the network")
    page.get_by_label("Seed of the choice").fill("3")
    page.get_by_label("Seed of the choice").press("Tab")
    lots = draw_lots(10_000, 3)
    mine = part.labels[lots].tolist()
    mine[0], mine[1] = (mine[0] + 1) % 10, (mine[1] + 1) % 10
    shown = page.locator(".contest .row p")
    for place, label in enumerate(mine):
        shown.get_by_text(f"Image {place + 1} of {ROUNDS}", exact=True).wait_for()
        if not place:
            page.wait_for_timeout(300)
            assert page.locator(".contest .right, .contest .wrong").count() == 0  # no truth before an answer
            page.locator(".contest-buttons button").nth(label).click()
        else:
            page.keyboard.press(str(label))
    page.get_by_text("All 20 are labelled.").wait_for()
    its = int((predict(run.model, part.images[lots]).argmax(-1) == part.labels[lots]).sum())
    sides = page.locator(".contest-sides section")
    assert f"{ROUNDS - 2} of {ROUNDS} are right" in sides.nth(0).inner_text()
    assert f"{part.labels[lots[0]]} taken for {mine[0]}" in sides.nth(0).inner_text()
    assert f"{its} of {ROUNDS} are right" in sides.nth(1).inner_text()
    page.get_by_role("button", name="Start again").click()
    shown.get_by_text(f"Image 1 of {ROUNDS}", exact=True).wait_for()


def test_keys_are_no_answers_elsewhere(open_page: Any) -> None:
    page = open_view(open_page, "Beat the network")
    page.locator(".contest .row p", has_text="Image 1 of").wait_for()
    page.get_by_role("button", name="Each class", exact=True).click()
    page.get_by_role("heading", name="Each class").wait_for()
    page.keyboard.press("5")
    page.click("#step-data")
    page.keyboard.press("5")
    page.click("#step-results")
    page.get_by_role("button", name="Beat the network", exact=True).click()
    page.wait_for_timeout(200)
    assert page.locator(".contest .row p").inner_text() == f"Image 1 of {ROUNDS}"


def test_the_choice_is_the_same_for_the_same_seed() -> None:
    assert len(set(draw_lots(10_000, 7).tolist())) == ROUNDS
    assert draw_lots(10_000, 7).tolist() == draw_lots(10_000, 7).tolist() != draw_lots(10_000, 8).tolist()
    assert len(draw_lots(5, 0)) == 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_left_out_of_a_view(open_page: Any, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page("?run=digits-32&panel=results", color_scheme=scheme)
    page.wait_for_selector(".confusion button")
    for view in VIEWS:
        page.get_by_role("button", name=view, exact=True).first.click()
        if view == "Worse images":
            page.locator(".worse .score", has_text=re.compile("of 1,000")).wait_for()
        if view == "Beat the network":
            page.locator(".contest .row p", has_text="Image 1 of").wait_for()
            for _ in range(ROUNDS):
                page.keyboard.press("1")
            page.get_by_text("All 20 are labelled.").wait_for()
        page.wait_for_timeout(300)
        found = Axe().run(page, context="main").response["violations"]  # its own requests show a bar at the top
        serious = [
            (one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")
        ]
        assert (view, serious) == (view, [])
        assert page.evaluate("document.documentElement.scrollHeight") <= 800, view
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, view
        page.set_viewport_size({"width": 1280, "height": 800})
