"""The lab in a real browser, from the first visit to a prediction on a drawn digit."""

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image as Picture

import glassnet
from glassnet.lab.state import PANELS

PATIENCE = 60_000
"""Milliseconds; the machine may be busy."""


class Served(NamedTuple):
    """A lab that runs."""

    url: str
    runs: Path
    process: subprocess.Popen[str]

    def status(self, path: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> int:
        """What the lab answers to a request that no browser makes."""
        request = urllib.request.Request(self.url + path, data, headers or {})
        try:
            with urllib.request.urlopen(request) as response:
                response.read()
                return response.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code


def serve(runs: Path, *options: str) -> Served:
    command = [sys.executable, "-m", "glassnet", "lab", "--port", "0", "--no-browser", "--runs", str(runs), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    assert found, line + (process.stderr.read() if process.stderr else "")
    return Served(found[0], runs, process)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    runs = tmp_path_factory.mktemp("lab") / "runs"
    glassnet.train("digits-32", epochs=2, out=runs / "digits-32")
    served = serve(runs)
    yield served
    served.process.send_signal(signal.SIGINT)
    _, errors = served.process.communicate(timeout=30)
    assert served.process.returncode == 0
    assert errors == ""


@pytest.fixture
def open_page(browser: Any, lab: Served) -> Iterator[Any]:
    """Open the lab; afterwards, nothing was complained of and nothing was asked of another machine."""
    complaints: list[str] = []
    contexts = []

    def open_one(query: str = "", *, tour: bool = False, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        if not tour:
            context.add_init_script("localStorage.setItem('glassnet-lab-tour', 'yes')")
        page = context.new_page()
        page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda one: complaints.append(one.url) if _leaves(one.url, lab.url) else None)
        page.goto(lab.url + query)
        page.wait_for_selector("main .panel:visible h2, main .panel:visible select")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def _leaves(url: str, own: str) -> bool:
    return not url.startswith((own, own.replace("http", "ws"), "data:", "blob:"))


def step(page: Any, name: str) -> None:
    page.click(f"#step-{name}")


def train(page: Any) -> float:
    """Train what is set, and return the accuracy that is told."""
    step(page, "training")
    page.get_by_role("button", name="Train", exact=True).click()
    status = page.get_by_text(re.compile(r"of the test images are right; trained in"))
    status.wait_for()
    return float(re.findall(r"([\d.]+)%", status.inner_text())[0])


def draw(page: Any, *points: tuple[float, float]) -> None:
    box = page.locator(".board canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def test_from_the_first_visit_to_a_drawn_digit(open_page: Any, lab: Served) -> None:
    page = open_page(tour=True)
    tour = page.get_by_role("dialog", name="How the lab works")
    for _ in range(3):
        tour.locator("button.primary").click()
    tour.wait_for(state="detached")
    page.get_by_label("Data set", exact=True).select_option("mnist")
    page.locator(".classes [data-pick='7']").click()
    page.get_by_role("group", name="Training images").get_by_role("button").nth(3).click()
    page.locator(".loupe figcaption", has_text="7: training image").wait_for()
    page.get_by_role("button", name="Build a network").click()
    page.get_by_label("Recipe", exact=True).select_option("digits-32")
    page.locator(".code", has_text="Dense(32").wait_for()
    page.get_by_text("25,450 parameters").wait_for()
    step(page, "training")
    page.get_by_label("Epochs", exact=True).fill("2")
    page.get_by_label("Epochs", exact=True).press("Tab")
    accuracy = train(page)
    assert 90 < accuracy < 99
    assert page.locator(".templates img").count() == 1
    assert "/?" in page.url and "recipe=digits-32" in page.url and "epochs=2" in page.url
    step(page, "tryit")
    draw(page, (0.5, 0.15), (0.5, 0.85))
    page.locator(".said-class", has_text=re.compile("^1 ")).wait_for()
    assert page.locator(".probabilities .best dt").inner_text() == "1"
    page.get_by_role("heading", name="Why 1?").wait_for()
    assert page.locator(".alike span").count() == 8
    assert (lab.runs / "digits-32-2" / "run.json").is_file()


def test_the_keyboard_draws_too(open_page: Any, lab: Served) -> None:
    page = open_page("?run=digits-32&panel=tryit")
    page.locator(".board canvas").focus()
    for key in ("ArrowUp",) * 8 + (" ",) + ("ArrowDown",) * 16:
        page.keyboard.press(key)
    page.locator(".said-class", has_text=re.compile("^1 ")).wait_for()
    page.keyboard.press("Delete")
    page.locator(".said-class", has_text="Draw something").wait_for()


def test_results_cells_and_files(open_page: Any, lab: Served) -> None:
    page = open_page("?run=digits-32&panel=results")
    cell = page.locator(".confusion [data-pick='4,9']")
    cell.click()
    page.get_by_role("heading", name="4 taken for 9").wait_for()
    count = int(cell.inner_text())
    shown = page.get_by_role("group", name="Test images").get_by_role("button")
    page.wait_for_function(
        "(n) => document.querySelectorAll('.results .grid-cells button').length === n", arg=min(count, 40)
    )
    assert "4, taken for 9" in shown.first.get_attribute("aria-label")
    with page.expect_download() as download:
        page.get_by_role("link", name="Model (Keras)").click()
    assert download.value.path().read_bytes() == (lab.runs / "digits-32" / "model.keras").read_bytes()
    with page.expect_download() as download:
        page.get_by_role("link", name="Program (Keras)").click()
    compile(download.value.path().read_text(), "code.py", "exec")
    page.get_by_role("button", name="Report").click()
    with page.context.expect_page() as report:
        page.get_by_role("link", name="Open the report").click()
    report.value.on("console", lambda one: pytest.fail(one.text))
    report.value.get_by_role("heading").first.wait_for()
    assert "%" in report.value.locator("body").inner_text()
    shown.first.click()
    page.locator(".answer .wrong", has_text="Wrong: it is 4.").wait_for()


def test_a_link_restores_everything(open_page: Any) -> None:
    page = open_page(
        "?recipe=digits-32&set=fashion-mnist&layers=20-30&optimizer=sgd&rate=0.05&batch=64&epochs=3&seed=7&scale=0"
        "&panel=training"
    )
    assert page.get_by_label("Optimiser", exact=True).input_value() == "sgd"
    assert page.get_by_label("Learning rate", exact=True).input_value() == "0.05"
    assert page.get_by_label("Batch size", exact=True).input_value() == "64"
    assert page.get_by_label("Epochs", exact=True).input_value() == "3"
    assert page.get_by_label("Seed", exact=True).input_value() == "7"
    assert not page.get_by_label("Scale pixels", exact=True).is_checked()
    step(page, "network")
    page.wait_for_selector(".stepper input")
    assert [one.input_value() for one in page.locator(".stepper input").all()] == ["20", "30"]
    page.get_by_role("button", name="Link").click()
    page.get_by_text("glassnet train digits-32 --data fashion-mnist --hidden 20 --hidden 30").wait_for()
    again = open_page(page.url.split("/", 3)[3])
    again.locator(".stepper input").nth(1).wait_for()


def test_a_link_restores_the_views_too(open_page: Any) -> None:
    page = open_page("?run=digits-32&panel=results&view=worse&worse=rotation:30&lots=3&repeats=2")
    slider = page.get_by_label("How strong")
    slider.wait_for()
    assert page.get_by_label("What makes them worse").input_value() == "rotation"
    assert slider.get_attribute("aria-valuetext") == "30 (degrees)"
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile("worse=rotation:28"))
    page.get_by_role("button", name="Beat the network", exact=True).first.click()
    assert page.get_by_label("Seed of the choice").input_value() == "3"
    page.wait_for_url(re.compile("view=contest"))
    step(page, "training")
    assert page.get_by_label("Repeats", exact=True).input_value() == "2"
    again = open_page(page.url.split("/", 3)[3].replace("panel=training", "panel=results"))
    again.locator(".contest .row p", has_text="Image 1 of").wait_for()
    assert again.get_by_label("Seed of the choice").input_value() == "3"


def test_an_exercise_hides_controls(open_page: Any) -> None:
    page = open_page("?hide=optimizer,epochs,results,code&panel=training")
    assert page.get_by_label("Optimiser", exact=True).count() == page.get_by_label("Epochs", exact=True).count() == 0
    assert page.get_by_label("Batch size", exact=True).count() == 1
    assert page.locator("#step-results").count() == 0
    step(page, "network")
    assert page.locator(".code").count() == 0


def test_nonsense_in_a_link_is_ignored_with_a_word(open_page: Any) -> None:
    page = open_page("?epochs=%3Cscript%3Ealert(1)%3C/script%3E&panel=training")
    page.get_by_text("is ignored: it must be a whole number").wait_for()
    assert page.get_by_label("Epochs", exact=True).input_value() == "5"


def test_two_tabs_are_apart(open_page: Any) -> None:
    first, second = open_page("?panel=training"), open_page("?panel=training")
    first.get_by_label("Epochs", exact=True).fill("9")
    first.get_by_label("Epochs", exact=True).press("Tab")
    first.wait_for_url(re.compile("epochs=9"))
    assert second.get_by_label("Epochs", exact=True).input_value() == "5"
    train(first)
    second.get_by_text("Not trained yet").wait_for()


def test_what_cannot_be_is_said_and_shown_as_it_was(open_page: Any) -> None:
    page = open_page("?panel=training")
    page.get_by_label("Epochs", exact=True).fill("100000")
    page.get_by_label("Epochs", exact=True).press("Tab")
    page.locator(".word", has_text="at most 200").wait_for()
    page.wait_for_function("() => document.querySelector('input[max=\"200\"]').value === '5'")


def test_divergence_is_mended_by_one_click(open_page: Any) -> None:
    page = open_page("?recipe=raw-neurons&optimizer=sgd&rate=1e30&epochs=1&panel=training")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("The weights grew without end").wait_for()
    page.get_by_role("button", name="Scale pixels and train again").click()
    page.wait_for_url(re.compile("scale=1"))


def test_layers_are_changed_on_the_drawing(open_page: Any) -> None:
    page = open_page("?panel=network")
    page.get_by_role("button", name="Add a layer after this one").click()
    page.get_by_text("50,890 parameters").wait_for()
    page.get_by_role("button", name="Hidden 1: twice as many neurons").click()
    page.get_by_text("101,770 parameters").wait_for()
    page.get_by_label("Hidden 1: neurons").fill("16")
    page.get_by_label("Hidden 1: neurons").press("Enter")
    page.get_by_text("12,730 parameters").wait_for()
    page.locator(".code", has_text="Dense(16").wait_for()
    page.get_by_role("button", name="Remove Hidden 1").click()
    page.get_by_text("7,850 parameters").wait_for()


def upload(page: Any, *files: tuple[str, bytes]) -> None:
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )


def test_photos_are_read_and_hostile_ones_told(open_page: Any, lab: Served, tmp_path: Path) -> None:
    page = open_page("?run=digits-32&panel=tryit")
    photo = Picture.new("L", (300, 300), 255)
    photo.paste(0, (140, 40, 165, 260))
    photo.save(tmp_path / "one.png")
    upload(page, ("../../one.png", (tmp_path / "one.png").read_bytes()))
    page.locator(".said-class", has_text=re.compile("^1 ")).wait_for()

    def files() -> set[Path]:
        """What lies there, but for the runs that other tests' trainings may still be writing."""
        own = lab.runs / "digits-32"
        found = set(lab.runs.parent.rglob("*"))
        return {one for one in found if lab.runs not in one.parents or own in (one, *one.parents)}

    before = files()
    for data, words in (
        (b"", "0 bytes"),
        (b"no picture at all", "it is no picture"),
        ((tmp_path / "one.png").read_bytes()[:60], "it is truncated"),
        (bytes(10_000_001), "too large"),
    ):
        upload(page, ("x.png", data))
        page.get_by_text(re.compile(words)).first.wait_for()
    assert files() == before


def test_the_door_for_photos_has_its_own_limits(lab: Served) -> None:
    assert lab.status("photo/unknown", b"x") == 404
    assert lab.status("photo/unknown", b"x", {"Origin": "http://evil.example"}) == 403
    for path in ("runs/..%2f..%2fetc/model.keras", "runs/none/model.keras", "runs/.hidden/report.html"):
        assert lab.status(path) == 404


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("panel", list(PANELS))
def test_nobody_is_left_out(open_page: Any, panel: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(f"?run=digits-32&panel={panel}&compare=digits-32,digits-32", color_scheme=scheme)
    there = {"results": ".confusion button", "experiments": ".pair-sides img", "share": ".share .code:not(:empty)"}
    if panel in there:
        page.wait_for_selector(there[panel])
    page.wait_for_timeout(300)
    found = Axe().run(page).response["violations"]
    serious = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollHeight") <= 800


def test_a_narrow_page_does_not_scroll_sideways(open_page: Any) -> None:
    page = open_page("?run=digits-32", viewport={"width": 390, "height": 844})
    for panel in PANELS:
        step(page, panel)
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_killed_server_leaves_no_process_and_can_go_on(browser: Any, tmp_path: Path) -> None:
    served = serve(tmp_path / "runs")
    page = browser.new_page()
    page.goto(served.url + "?epochs=200&panel=training&run=")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile(r"epoch \d+ of 200, batch")).wait_for(timeout=PATIENCE)
    page.wait_for_timeout(1500)
    children = _children(served.process.pid)
    assert children
    served.process.kill()
    served.process.communicate()
    page.close()
    end = time.monotonic() + 30
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < end, "a worker outlived the lab"
        time.sleep(0.1)
    again = serve(tmp_path / "runs")
    try:
        page = browser.new_page()
        page.goto(again.url + "?panel=training")
        page.get_by_role("button", name="Go on", exact=True).last.click()
        page.get_by_text(re.compile(r"epoch \d+ of 200, batch")).wait_for(timeout=PATIENCE)
        page.close()
    finally:
        again.process.send_signal(signal.SIGINT)
        again.process.communicate(timeout=30)
    assert again.process.returncode == 0


def _children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
        if "resource_tracker" not in Path(f"/proc/{child}/cmdline").read_text()
    ]


def test_a_taken_port_costs_one_line(lab: Served, command: Any) -> None:
    port = lab.url.rsplit(":", 1)[1].strip("/")
    said = command("lab", "--port", port, "--no-browser")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "--port" in said.err
