"""Results, two runs side by side, and what is taken away, in a real browser."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import glassnet
from glassnet.evaluation import compare, corrupt
from glassnet.lab import pairs
from glassnet.lab.pages.results import write_facts
from glassnet.lab.parts import worse
from glassnet.lab.parts.contest import ROUNDS, draw_lots
from glassnet.lab.parts.moments import abbreviate, draw_small_confusion
from glassnet.lab.parts.sides import shorten
from glassnet.lab.weights import first_weights
from glassnet.runs import Run
from glassnet.training.inference import predict
from tests.test_lab_jobs import forget_images
from tests.test_lab_page import Served, draw, lab, open_page, step  # noqa: F401  (fixtures)

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


def test_the_calibration_error_is_that_of_the_answers_that_the_lab_gives() -> None:
    facts = {"interval": (0.9, 0.95), "loss": 0.2, "chance": 0.1, "majority": 0.1, "human": None, "accuracy": 0.93}
    record = {**facts, "n": 100, "calibration_error": 0.084}
    assert "<dt>Calibration error</dt><dd>8.4%</dd>" in write_facts({**record, "trust": None})
    assert "<dt>Calibration error</dt><dd>0.8%</dd>" in write_facts({**record, "trust": {"calibration_error": 0.0083}})


def test_worse_images_cost_accuracy(open_page: Any, truth: Any) -> None:
    run, part = truth

    def told(images: np.ndarray) -> str:
        return f"{(predict(run.model, images).argmax(-1) == part.labels[::10]).mean():.1%} of 1,000"

    page = open_view(open_page, "Worse images")
    accuracy = page.locator(".worse .score")
    accuracy.get_by_text(told(part.images[::10])).wait_for()
    page.get_by_label("What makes them worse").select_option("rotation")
    slider = page.get_by_label("How strong")
    for _ in range(20):  # a key may fall between two drawings of a busy page
        slider.focus()
        page.keyboard.press("End")
        page.wait_for_timeout(250)
        if slider.get_attribute("aria-valuetext") == "60 (degrees)":
            break
    accuracy.get_by_text(told(corrupt(part.images[::10], "rotation", 60))).wait_for()
    assert slider.get_attribute("aria-valuetext") == "60 (degrees)"
    # A key that fell between two drawings may have tried one level more; these two were tried in any case.
    spoken = page.locator(".worse-chart svg").get_attribute("aria-label")
    assert re.search(r"% at 0\b.*% at 60\b", spoken), spoken
    page.get_by_label("What makes them worse").select_option("stroke width")
    accuracy.get_by_text(told(part.images[::10])).wait_for()
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


@pytest.fixture(scope="module")
def other(lab: Served) -> Run:
    """Another run on the same data as the lab's first one, without a hidden layer."""
    run = glassnet.train("baseline", "mnist", epochs=1, out=lab.runs / "plain")
    glassnet.train("baseline", epochs=1, out=lab.runs / "clothes")
    return run


def test_two_runs_side_by_side(open_page: Any, lab: Served, truth: Any, other: Run) -> None:
    found = compare(truth[0], other)
    page = open_page("?panel=experiments&compare=digits-32,plain")
    said = page.locator(".pair-scores")
    said.wait_for()
    for accuracy in (found.first_accuracy, found.second_accuracy):
        assert f"{accuracy:.2%}" in said.inner_text()
    assert (
        f"only digits-32 recognises {found.only_first:,}, only plain {found.only_second:,}" in said.inner_text().lower()
    )
    assert f"{100 * found.difference:+.2f} points".replace("-", "−") in said.inner_text()
    assert "p < 0.001" in said.inner_text() and found.p_value < 0.001
    settings = page.locator(".experiments .comparison")
    assert re.search(r"hidden\s+32\s+none", settings.inner_text())
    assert "test loss" in settings.inner_text() and "optimizer" not in settings.inner_text()
    charts = page.locator(".pair .charts svg")
    assert charts.count() == 2
    assert {"digits-32", "plain"} <= {one.split()[0] for one in charts.first.locator(".name").all_text_contents()}
    assert page.locator(".pair-side .template-sheet img").count() == 2
    assert page.locator(".pair-side .small-confusion").count() == 2
    only = page.get_by_role("group", name="Images that only the first recognises").get_by_role("button")
    number = next(one.index for one in found.differing if one.first == one.truth)
    assert only.first.get_attribute("aria-label").startswith(f"test image {number:,}: ")
    only.first.click()
    page.locator(".answer .right", has_text="Right.").wait_for()
    assert "run=digits-32" in page.url


def test_runs_of_other_images_are_not_tested_against_each_other(open_page: Any, other: Run) -> None:
    page = open_page("?panel=experiments&compare=digits-32,clothes")
    page.get_by_text("Not compared image by image: they were measured on other images").wait_for()
    page.get_by_label("Second", exact=True).select_option("plain")
    page.wait_for_url(re.compile("compare=digits-32,plain"))
    page.get_by_text("McNemar").wait_for()
    page.get_by_role("button", name="Repeat with 3 seeds").click()
    assert page.get_by_label("Repeats", exact=True).input_value() == "3"


def test_sets_that_are_only_called_alike_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "_side", lambda run: pairs.Side({}, None, 0))
    facts = {"dataset": "shapes"}
    passports = {k: SimpleNamespace(passport=SimpleNamespace(**facts, dataset_sha256=k)) for k in ("one", "two")}
    monkeypatch.setattr(pairs, "recall", lambda run: passports[run.name])
    found = pairs.pair(Path("one"), Path("two"))
    assert found.comparison is None
    assert found.reason == "they were measured on other images: two sets that are both called shapes"


def test_where_try_it_is_hidden_a_mistake_leads_nowhere(open_page: Any) -> None:
    page = open_page("?run=digits-32&panel=results&hide=tryit")
    page.get_by_role("group", name="Test images").get_by_role("button").first.click()
    page.locator(".confusion [data-pick='4,9']").click()
    page.get_by_role("heading", name="4 taken for 9").wait_for()
    assert "panel=results" in page.url
    assert page.get_by_text("Pick one to ask").count() == 0


def test_a_run_whose_images_are_gone_says_so_and_takes_drawings(open_page: Any, lab: Served) -> None:
    gone = forget_images(lab.runs / "digits-32", lab.runs / "gone")
    try:
        page = open_page("?run=gone&panel=results")
        page.get_by_text("This run could not be measured on its test images.").wait_for()
        step(page, "tryit")
        draw(page, (0.5, 0.15), (0.5, 0.85))
        page.locator(".said-class", has_text=re.compile("^1 ")).wait_for()
    finally:
        shutil.rmtree(gone)


def test_an_image_is_not_asked_for_that_another_run_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        worse, "read_passport", lambda run: SimpleNamespace(n_test={"large": 900, "small": 40}[run.name])
    )
    images, asked = worse.WorseImages.__new__(worse.WorseImages), []
    images.tab = cast(Any, SimpleNamespace(state=SimpleNamespace(worse=("noise", 0.0))))
    images.run, images.name, images.level, images.index = Path("large"), "noise", 0.0, 39
    monkeypatch.setattr(images, "_offer", lambda: None)
    monkeypatch.setattr(images, "_ask", lambda: asked.append(images.index))
    images.show(Path("small"))
    images.index = 800
    images.show(Path("large"))
    images.show(Path("small"))
    assert asked == [39, 800, 0]  # the same image of both, where both have it


def test_two_marked_runs_are_compared(open_page: Any, other: Run) -> None:
    page = open_page("?panel=training&set=mnist")
    for name in ("digits-32", "plain"):
        page.locator(f".runs [data-pick='mark:{name}']").click()
        page.locator(f".runs [data-pick='mark:{name}'][aria-pressed=true]").wait_for()
    page.get_by_role("button", name="Compare these two").click()
    page.get_by_text("McNemar").wait_for()
    assert page.get_by_label("First", exact=True).input_value() == "digits-32"


def test_what_the_desk_says_about_a_pair(lab: Served, truth: Any, other: Run) -> None:
    assert other.path
    found = pairs.pair(lab.runs / "digits-32", other.path)
    expected = compare(truth[0], other).record()
    differing = expected.pop("differing")
    assert found.comparison is not None
    assert found.comparison | {"first": "", "second": ""} == expected | {"first": "", "second": ""}
    for side, wanted in zip(found.sides, (True, False), strict=True):
        numbers = [one["index"] for one in differing if (one["first"] == one["truth"]) is wanted]
        assert list(side.only) == numbers[: pairs.MOST_IMAGES]
    assert found.sides[1].weights is not None
    np.testing.assert_allclose(found.sides[1].weights[3].ravel(), other.model.get_weights()[0][:, 3])
    assert (found.sides[0].units, found.sides[1].units) == (32, 10)
    assert pairs.pair(other.path, lab.runs / "clothes").comparison is None


def test_share_offers_what_there_is(open_page: Any, lab: Served) -> None:
    page = open_page("?run=digits-32&panel=share&epochs=7")
    page.locator(".share .code", has_text="Dense(32").wait_for()
    page.get_by_text("glassnet train digits-32 --epochs 2 --seed 0", exact=True).wait_for()
    page.locator(".share").get_by_text("glassnet train baseline --epochs 7", exact=True).wait_for()
    page.get_by_label("The link opens").select_option("results")
    page.locator(".share").get_by_text("/?epochs=7&panel=results&run=digits-32", exact=True).wait_for()
    with page.expect_download() as download:
        page.locator(".share").get_by_role("link", name="Model (Keras)").click()
    assert download.value.path().read_bytes() == (lab.runs / "digits-32" / "model.keras").read_bytes()
    page.locator(".share").get_by_role("button", name="Report").click()
    page.locator(".share").get_by_role("link", name="Open the report").wait_for()
    step(page, "results")
    page.locator(".results").get_by_role("link", name="Open the report").wait_for()


def test_weights_as_pictures() -> None:
    kernel = np.arange(2 * 3 * 1 * 4, dtype=np.float32).reshape(2, 3, 1, 4)
    filters = first_weights([np.ones(3, np.float32), kernel], (28, 28))
    assert filters is not None and filters.shape == (4, 2, 3)
    assert (filters[1] == kernel[:, :, 0, 1]).all()
    assert first_weights([np.ones((5, 2))], (28, 28)) is None


def test_small_confusions_are_labelled() -> None:
    drawn = draw_small_confusion(np.eye(2, dtype=int), ("Ankle boot", "<Bag>"), "T")
    assert drawn.count(">Ankl<title>Ankle boot</title>") == 2
    assert drawn.count("&lt;Bag<title>&lt;Bag&gt;</title>") == 2
    assert abbreviate(("one more", "one less", "one more")) == ["more", "less", "more"]
    assert abbreviate(("same a x", "same b x")) == ["0", "1"]
    assert shorten("a" * 40) == "a" * 9 + "…" + "a" * 6
