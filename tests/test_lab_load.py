"""The lab under load and abuse: idle pages, floods of files, hostile pictures, a server that goes and comes back."""

import base64
import io
import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

import glassnet
from glassnet.lab import app, idle
from glassnet.lab.desk import Desk
from glassnet.lab.jobs import Crew, Job
from glassnet.lab.messages import Finished
from glassnet.lab.state import State
from glassnet.lab.tab import Lab, Tab
from tests.browser import CHROMIUM, SWITCHES, run_apart
from tests.test_lab_jobs import order, wait_for
from tests.test_lab_page import PATIENCE, Served, lab, open_page, serve, step, upload  # noqa: F401  (fixtures)

# -- what is idle ------------------------------------------------------------------------------------------------------


def make_tab(lab: Lab, key: str, **facts: Any) -> Tab:
    """A tab without a page."""
    tab = Tab.__new__(Tab)
    tab.lab, tab.key, tab.job = lab, key, None
    tab.touch()
    for name, value in facts.items():
        setattr(tab, name, value)
    lab.tabs[key] = tab
    return tab


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    crew = Crew(tmp_path / "runs", workers=1)
    yield crew
    crew.close()


def make_lab(crew: Crew) -> Lab:
    return Lab(crew.folder, crew, Desk("glassnet-desk"), Desk("glassnet-study"))


def test_a_page_that_watches_a_training_is_not_idle(crew: Crew) -> None:
    tab = make_tab(make_lab(crew), "one")
    assert not tab.is_idle(1000)
    tab._touched -= 2000
    assert tab.is_idle(1000)
    tab.job = SimpleNamespace(active=True, state="running")  # pyright: ignore[reportAttributeAccessIssue]
    assert not tab.is_idle(1000)
    tab.job = None
    assert not tab.is_idle(1000)  # the time counts from the end of the training
    tab._touched -= 2000
    tab.job = SimpleNamespace(active=True, state="paused")  # pyright: ignore[reportAttributeAccessIssue]
    assert tab.is_idle(1000)


def test_what_a_page_trains_passes_to_another_one_that_watches_it(crew: Crew) -> None:
    lab = make_lab(crew)
    one, other = make_tab(lab, "one"), make_tab(lab, "other")
    kept, lost = crew.submit("one", order(crew)), crew.submit("one", order(crew))
    other.job = kept
    one.leave()
    assert crew.jobs() == [kept]
    assert (kept.owner, lost.owner) == ("other", "one")
    other.leave()
    assert crew.jobs() == []
    assert lab.tabs == {}


@pytest.mark.usefixtures("unchecked")  # there is no page behind these tabs
def test_a_page_that_is_loaded_again_goes_on_with_its_repeats(crew: Crew) -> None:
    nothing: Any = SimpleNamespace(ask=lambda *_: None, run_javascript=lambda *_: None)
    lab = Lab(crew.folder, crew, nothing, nothing)
    crew.close()  # what is submitted waits until this test ends it

    def end(job: Job) -> None:
        crew._waiting.remove(job)
        job.hear(Finished(job.order.out, 0.9, 1.0))

    before = Tab(lab, State(repeats=3), nothing)
    before.train()
    first = before.job
    assert first
    again = Tab(lab, State(run=first.name), nothing)
    end(first)
    before.tick()  # a page that has gone is heard of only after some seconds
    second = before.job
    again.tick()
    assert again.job is second is not first
    before.leave()
    assert second and second.owner == again.key
    end(second)
    again.tick()
    again.tick()
    assert [one.order.seed for one in again.series] == [0, 1, 2]
    assert again.job in crew.jobs()
    again.steer("stop")
    again.tick()
    assert crew.jobs() == [] and len(again.series) == 3


@pytest.mark.usefixtures("unchecked")
def test_stopping_ends_the_repeats_of_every_page(crew: Crew) -> None:
    nothing: Any = SimpleNamespace(ask=lambda *_: None, run_javascript=lambda *_: None)
    lab = Lab(crew.folder, crew, nothing, nothing)
    crew.close()
    one = Tab(lab, State(repeats=3), nothing)
    one.train()
    assert one.job
    other = Tab(lab, State(run=one.job.name), nothing)
    one.steer("stop")
    for tab in (one, other):
        tab.tick()
    assert crew.jobs() == []


def test_processes_that_nobody_needs_end_and_come_back(crew: Crew) -> None:
    lab = make_lab(crew)
    crew.start()
    assert lab.desk.ask(abs, -1).result(60) == 1
    assert lab.study.ask(abs, -1).result(60) == 1
    wait_for(lambda: crew._workers[0].ready)
    make_tab(lab, "one")
    idle.tidy(lab, 1e9)
    assert len(crew._workers) == 1
    assert lab.desk._helper
    crew.rest(0.0, keep=1)
    assert len(crew._workers) == 1
    lab.tabs.clear()
    pids = [crew._workers[0].helper.pid, lab.desk._helper.pid]
    idle.tidy(lab, 0.0)
    assert crew._workers == []
    wait_for(lambda: lab.desk._helper is None and lab.study._helper is None)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    job = crew.submit("me", order(crew))
    assert lab.desk.ask(abs, -2).result(60) == 2
    wait_for(lambda: not job.active)
    assert job.state == "finished"
    lab.desk.close()


@given(st.dictionaries(st.sampled_from(["epochs", "panel", "run", "x"]) | st.text(), st.text()))
def test_the_page_in_its_place_leads_nowhere_else(query: dict[str, str]) -> None:
    page = idle.write_away(query)
    (link,) = re.findall(r'href="([^"]*)"', page)
    assert link.startswith("/") and not link.startswith("//")
    assert page.count("<a ") == page.count("</a>") == 1
    assert "<script" not in page


def test_the_time_is_told_in_words() -> None:
    assert [idle._say(one) for one in (7200, 3600, 120, 60, 3)] == [
        "2 hours", "1 hour", "2 minutes", "1 minute", "3 seconds",
    ]  # fmt: skip


@pytest.fixture
def serve_for(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start labs with other settings than the command line offers."""
    started: list[subprocess.Popen[str]] = []

    def start(**settings: Any) -> Served:
        runs = tmp_path / "runs"
        program = (
            "from pathlib import Path; from glassnet.lab import app\n"
            f"app.MOST_TABS = {settings.pop('most_tabs', app.MOST_TABS)}\n"
            f"app.serve('127.0.0.1', runs=Path({str(runs)!r}), on_ready=lambda one: print(one.url, flush=True), "
            f"**{settings!r})"
        )
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        return Served(process.stdout.readline().strip(), runs, process)

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_an_idle_page_is_put_away_and_comes_back(browser: Any, serve_for: Callable[..., Served]) -> None:
    served = serve_for(port=0, idle_seconds=7)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(served.url + "?epochs=3&panel=training")
    for _ in range(8):  # whoever uses it keeps it
        page.wait_for_timeout(1000)
        page.keyboard.press("Shift")
    assert "/away" not in page.url
    page.wait_for_url(re.compile("/away"))
    page.get_by_text("Nobody had used it for 7 seconds").wait_for()
    page.get_by_role("link", name="Go on where I was").click()
    page.get_by_label("Epochs", exact=True).wait_for()
    assert page.get_by_label("Epochs", exact=True).input_value() == "3"
    page.close()


def test_too_many_pages_are_refused_in_words(serve_for: Callable[..., Served]) -> None:
    served = serve_for(port=0, most_tabs=2)
    for _ in range(2):
        with urllib.request.urlopen(served.url) as response:
            assert response.status == 200
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(served.url)
    with caught.value as refused:
        assert refused.code == 503
        assert refused.read().decode() == "2 pages of the lab are open already; close some, then load this."


# -- abuse -------------------------------------------------------------------------------------------------------------


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG file that claims a size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def saved(picture: Picture.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def memory_of(pid: int) -> float:
    """Megabytes of its own that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1000


def test_thousands_of_files_at_once_cost_one_line(open_page: Any, lab: Served) -> None:
    page = open_page("?run=digits-32&panel=tryit")
    page.locator(".said-class", has_text="Draw something").wait_for()
    before, sent = memory_of(lab.process.pid), []
    page.on("request", lambda one: sent.append(one.url) if "/photo/" in one.url else None)
    page.evaluate(
        """(body) => {
          const bytes = Uint8Array.from(atob(body), (one) => one.charCodeAt(0)), all = new DataTransfer();
          for (let k = 0; k < 5000; k++) all.items.add(new File([bytes], `../../${k}.png`, { type: "image/png" }));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: all, bubbles: true, cancelable: true }));
        }""",
        base64.b64encode(saved(Picture.new("L", (28, 28), 255), "PNG")).decode(),
    )
    page.locator(".photos .said", has_text="The first 20 of 5,000 files are read.").wait_for()
    page.wait_for_function("() => document.querySelectorAll('.tryit .grid-cells button').length === 20")
    assert len(sent) == 20
    assert page.locator(".photos .said").inner_text() == "The first 20 of 5,000 files are read."
    step(page, "data")
    page.get_by_label("Data set", exact=True).wait_for()
    assert memory_of(lab.process.pid) - before < 60


def test_hostile_pictures_are_told_and_change_nothing(open_page: Any, lab: Served) -> None:
    page = open_page("?run=digits-32&panel=tryit")
    page.locator(".said-class", has_text="Draw something").wait_for()
    whole = saved(Picture.radial_gradient("L"), "JPEG")
    hostile = {
        "a bomb": png(30_000, 30_000, bytes(1_000_000)),
        "a header that lies": png(2**31 - 1, 2**31 - 1),
        "no pixels": png(0, 0),
        "fewer rows than it says": png(500, 500, bytes(100)),
        "truncated": whole[: len(whole) // 2],
        "a program": b"#!/bin/sh\nrm -rf /\n",
        "a page": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    }
    before = set(lab.runs.parent.rglob("*"))
    for name, data in hostile.items():
        with page.expect_response(re.compile("/photo/")):
            upload(page, (f"../../{name}.png", data))
        page.wait_for_timeout(150)
        said = page.locator(".word").inner_text()
        assert said.endswith("."), name
        assert "Traceback" not in said and "/tmp" not in said and "Error" not in said, (name, said)
        assert page.locator(".said-class").inner_text() == "Draw something", name
    assert set(lab.runs.parent.rglob("*")) == before
    frames = [Picture.new("L", (40, 40), 255 - 20 * k) for k in range(4)]
    upload(page, ("moving.gif", saved(frames[0], "GIF", save_all=True, append_images=frames[1:])))
    page.wait_for_function(
        "() => document.querySelectorAll('.tryit .grid-cells button').length === 1 ||"
        " /frame|animat|moving/i.test(document.querySelector('.word').textContent)"
    )


def test_a_camera_is_a_photo_too(lab: Served) -> None:
    api = pytest.importorskip("playwright.async_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    switches = [*SWITCHES, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

    async def look() -> tuple[str, bool]:
        async with api.async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
            page = await chromium.new_page()
            page.set_default_timeout(PATIENCE)
            await page.add_init_script("localStorage.setItem('glassnet-lab-tour', 'yes')")
            await page.goto(lab.url + "?run=digits-32&panel=tryit")
            await page.get_by_role("button", name="Camera").click()
            await page.wait_for_function("() => document.querySelector('.photos video')?.videoWidth > 0")
            await page.get_by_role("button", name="Take it").click()
            await page.locator(".said-class small").wait_for()
            source = await page.locator(".answer .small").first.inner_text()
            await page.get_by_role("button", name="Close", exact=True).last.click()
            ended = await page.locator(".photos video").count() == 0
            await chromium.close()
            return source, ended

    assert run_apart(look()) == ("your photo", True)


def test_nonsense_for_an_address_never_ends_in_an_error(lab: Served) -> None:
    for path in (
        "?" + "&".join(f"x{k}=1" for k in range(2000)),
        "?epochs=" + "9" * 5000,
        "?layers=" + "-".join("1" * 900),
        "?epochs=1&epochs=2&run=%00&seed=%F0%9F%98%80&hide=%22%3E%3Cscript%3E",
        "away?run=../../etc&epochs=%3Cscript%3E",
    ):
        assert lab.status(path) == 200, path[:60]
    assert lab.status("away/../../etc/passwd") == 404


def test_a_server_that_was_stopped_has_finished_runs_and_offers_the_others(
    browser: Any, serve_for: Callable[..., Served]
) -> None:
    served = serve_for(port=0)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(served.url + "?epochs=1&panel=training")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile("of the test images are right; trained in")).wait_for()
    page.mouse.move(0, 0)  # a tip is a part of the name of the button that it belongs to
    done = served.runs / "baseline" / "run.json"
    accuracy = json.loads(done.read_text())["test_accuracy"]
    page.get_by_label("Epochs", exact=True).fill("200")
    page.get_by_label("Epochs", exact=True).press("Tab")
    page.wait_for_url(re.compile("epochs=200"))
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile(r"epoch \d+ of 200, batch")).wait_for()
    wait_for(lambda: any((served.runs / "baseline-2.unfinished").glob("*")))
    time.sleep(1.0)
    served.process.send_signal(signal.SIGTERM)
    served.process.communicate(timeout=30)
    again = serve_for(port=int(served.url.rsplit(":", 1)[1].strip("/")))
    # The page that was open finds the new server by itself, and is set as it was.
    page.get_by_role("button", name="Go on", exact=True).wait_for()
    assert page.get_by_label("Epochs", exact=True).input_value() == "200"
    page.get_by_text(f"{accuracy:.1%}").first.wait_for()
    page.get_by_role("button", name="Go on", exact=True).click()
    page.get_by_text(re.compile(r"epoch \d+ of 200, batch")).wait_for()
    assert json.loads(done.read_text())["test_accuracy"] == accuracy
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text(re.compile("baseline-2: .* of the test images are right")).wait_for()
    assert (again.runs / "baseline-2" / "run.json").is_file()
    page.close()


def test_images_of_ones_own_come_in_by_the_command_and_by_no_link(browser: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for label in ("dark", "bright"):
        folder = tmp_path / "shades" / label
        folder.mkdir(parents=True)
        for number in range(60):
            low = 20 if label == "dark" else 160
            pixels = generator.integers(low, low + 60, (24 + number % 3, 24, 3)).astype(np.uint8)
            Picture.fromarray(pixels).save(folder / f"{number}.png")
    (tmp_path / "shades" / "dark" / "broken.png").write_bytes(b"no picture")
    served = serve(tmp_path / "runs", "--data", str(tmp_path / "shades"))
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(PATIENCE)
        page.add_init_script("localStorage.setItem('glassnet-lab-tour', 'yes')")
        page.goto(served.url)
        page.get_by_label("Data set").select_option(label="shades")
        page.get_by_text("84 images of your own (a folder for each class)").wait_for()
        page.locator(".findings", has_text="broken.png").wait_for()
        page.get_by_role("button", name="bright 42").wait_for()
        page.goto(f"{served.url}?set={tmp_path / 'shades'}&recipe=cnn&panel=training")
        page.get_by_role("button", name="Train", exact=True).click()
        wait_for(lambda: (served.runs / "cnn" / "run.json").exists())
        assert glassnet.open_run(served.runs / "cnn").passport.source is not None
        page.goto(f"{served.url}?set=/etc")
        page.get_by_text("no data set named").wait_for()
        page.close()
    finally:
        served.process.send_signal(signal.SIGINT)
        served.process.communicate(timeout=30)
