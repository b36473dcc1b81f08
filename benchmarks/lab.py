"""Measure the lab in a real browser, from the click to what is seen, and hold it against its targets; write lab.md.

python benchmarks/lab.py [--only start|train|drawing|overhead|tabs|memory] [--trainings 200] [--tabs 30]

It takes about five minutes and wants a quiet machine; with --only it prints and writes nothing.
"""

import argparse
import itertools
import json
import math
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, sync_playwright

from glassnet.atomic import new_file
from glassnet.benchmark.machine import describe

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.browser import CHROMIUM, SWITCHES

TARGET = Path(__file__).with_suffix(".md")
PATIENCE = 60_000
"""Milliseconds until a page counts as dead."""

# Thirty people look at thirty pages; in one browser all but one would be in the background, and slowed down by it.
AWAKE = (
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)
STROKES, REPEATS, CLICKS, WARM = 50, 5, 4, 20


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, against which target, in which unit."""

    what: str
    value: float
    most: float | None
    unit: str
    note: str = ""


@dataclass
class Scene:
    """A lab that runs, a browser, and what its pages complained of or asked elsewhere."""

    browser: Any
    folder: Path
    url: str
    process: subprocess.Popen[str]
    complaints: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)
    requests: int = 0

    def open(self, query: str = "", context: Any = None) -> Any:
        """Open a tab and wait until its panel is there and the server listens to it."""
        page = (context or self.browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script("localStorage.setItem('glassnet-lab-tour', 'yes')")
        page.on("console", lambda one: self.complaints.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note)
        page.goto(self.url + query)
        page.wait_for_selector("main .panel:visible h2, main .panel:visible select")
        return page

    def _note(self, request: Any) -> None:
        self.requests += 1
        if not request.url.startswith((self.url, self.url.replace("http", "ws"), "data:", "blob:")):
            self.abroad.append(request.url)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=MEASURES)
    parser.add_argument("--trainings", type=int, default=200)
    parser.add_argument("--tabs", type=int, default=30)
    wanted = parser.parse_args()
    rows: list[Row] = []
    complaints: list[str] = []
    abroad: list[str] = []
    requests = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*SWITCHES, *AWAKE])
        for name, measure in MEASURES.items():
            if wanted.only not in (None, name):
                continue
            with running(browser, Path(folder) / name) as scene:
                began = time.monotonic()
                for row in measure(scene, wanted):
                    rows.append(row)
                    print(write_row(row), flush=True)
                print(f"({name}: {time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
            complaints += scene.complaints
            abroad += scene.abroad
            requests += scene.requests
        browser.close()
    last = (
        Row("requests to other machines", len(abroad), 0, "", f"of {requests:,}"),
        Row("errors and warnings in the console", len(complaints), 0, "", "; ".join(sorted(set(complaints)))[:200]),
    )
    for row in last:
        rows.append(row)
        print(write_row(row))
    if not wanted.only:
        with new_file(TARGET) as beside:
            beside.write_text(write_page(rows), "utf-8")
    if failed := [row.what for row in rows if not fits(row)]:
        raise SystemExit(f"beyond the target: {'; '.join(failed)}")


# -- what is measured --------------------------------------------------------------------------------------------------


def measure_start(scene: Scene, wanted: argparse.Namespace) -> Iterator[Row]:
    """From the command to a page that has answered a click."""
    seconds = []
    for number in range(REPEATS):
        began = time.monotonic()
        with running(scene.browser, scene.folder / str(number)) as other:
            page = other.open()
            page.click("#step-training")
            page.get_by_role("button", name="Train", exact=True).wait_for()
            seconds.append(time.monotonic() - began)
            page.context.close()
            scene.complaints += other.complaints
            scene.abroad += other.abroad
            scene.requests += other.requests
    yield Row("`glassnet lab` → a page that has answered a click", statistics.median(seconds), 2, "s", spread(seconds))


def measure_train(scene: Scene, wanted: argparse.Namespace) -> Iterator[Row]:
    """From the click on Train to the first live update and to the final accuracy, as the page shows them."""
    page = scene.open("?panel=training")
    train(page)  # the first one warms the worker
    told = [train(page) for _ in range(REPEATS)]
    ends, firsts = ([one[name] / 1000 for one in told] for name in ("end", "first"))
    yield Row("Train → final accuracy (`baseline`, 5 epochs)", statistics.median(ends), 2, "s", spread(ends))
    yield Row("Train → first live update", statistics.median(firsts), 0.5, "s", spread(firsts))


def measure_drawing(scene: Scene, wanted: argparse.Namespace) -> Iterator[Row]:
    """From the pen on the board to the answer in the page."""
    page = scene.open("?panel=training")
    train(page)
    page.click("#step-tryit")
    page.wait_for_selector(".board canvas")
    page.wait_for_timeout(2000)
    box = page.locator(".board canvas").bounding_box()
    page.evaluate(WATCH_ANSWERS)
    taken = []
    for number in range(STROKES + 5):
        if number % 10 == 0:
            page.get_by_role("button", name="Clear").click()
            page.wait_for_timeout(400)
        angle = 2 * math.pi * 0.618 * number
        x, y = 0.5 + 0.35 * math.cos(angle), 0.5 + 0.35 * math.sin(angle)
        # From the middle out: a speck beside the subject would be taken for dirt, and change nothing.
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.wait_for_timeout(250)
        page.evaluate("window.stroke = {}")
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.mouse.up()
        page.wait_for_function("window.stroke.answered")
        taken.append(page.evaluate("window.stroke.answered - window.stroke.drawn"))
        page.wait_for_timeout(300)  # the reasons of the answer come after it
    taken = taken[5:]
    yield Row(f"stroke → prediction, median of {STROKES}", statistics.median(taken), 60, "ms", spread(taken))
    yield Row(f"stroke → prediction, 95th percentile of {STROKES}", percentile(taken, 0.95), 60, "ms")


def measure_overhead(scene: Scene, wanted: argparse.Namespace) -> Iterator[Row]:
    """The seconds of training that the lab's run records, against those of the command line's, in turns."""
    page = scene.open("?panel=training")
    train(page)  # the first one warms the worker
    mine, its = [], []
    for number in range(2 * REPEATS):
        out = scene.folder / f"alone-{number}"
        command = [sys.executable, "-m", "glassnet", "train", "baseline", "--out", str(out)]
        subprocess.run(command, check=True, capture_output=True)
        its.append(seconds_of(out))
        before = set(runs_of(scene))
        train(page)
        mine.append(seconds_of(next(run for run in runs_of(scene) if run not in before)))
    share = 100 * (statistics.median(mine) / statistics.median(its) - 1)
    note = f"median {statistics.median(mine):.3f} s against {statistics.median(its):.3f} s of {len(its)} in turns"
    yield Row("training time beyond that of `glassnet train` (`baseline`)", share, 15, "%", note)


def measure_tabs(scene: Scene, wanted: argparse.Namespace) -> Iterator[Row]:
    """Clicks of many people while six of them train."""
    context = scene.browser.new_context(viewport={"width": 1280, "height": 800})
    pages = [scene.open("?recipe=digits-128&epochs=200", context) for _ in range(wanted.tabs)]
    for page in pages[:6]:
        page.click("#step-training")
        page.get_by_role("button", name="Train", exact=True).click()
    pages[0].get_by_text(re.compile(r"epoch \d+ of 200, batch")).wait_for()
    taken = []
    for panel in itertools.islice(itertools.cycle(("network", "data", "tryit", "training")), CLICKS):
        for page in pages:
            taken.append(click_step(page, panel))
            time.sleep(0.1)
    states = [page.locator(".panel-training .status").inner_text() for page in pages[:6]]
    waiting = sum(state.startswith("Waiting") for state in states)
    context.close()
    note = f"median {statistics.median(taken):.0f} ms, largest {max(taken):.0f} ms; {waiting} of the trainings wait"
    what = f"click on a step, {wanted.tabs} open tabs, {len(states)} trainings at once: 95th percentile"
    yield Row(f"{what} of {len(taken)}", percentile(taken, 0.95), 300, "ms", f"{note} for a core")


def measure_memory(scene: Scene, wanted: argparse.Namespace) -> Iterator[Row]:
    """What the server with its processes, and the page, hold more after many trainings in one tab."""
    page = scene.open("?epochs=1&panel=training")
    session = page.context.new_cdp_session(page)
    heaps, sizes = [], []
    for number in range(wanted.trainings + 1):
        if number in (min(WARM, wanted.trainings // 2), wanted.trainings):
            time.sleep(2)
            sizes.append(memory_of(scene.process.pid))
            session.send("HeapProfiler.collectGarbage")
            heaps.append(page.evaluate("performance.memory.usedJSHeapSize") / 1e6)
        if number < wanted.trainings:
            train(page)
    warm = f"after {min(WARM, wanted.trainings // 2)}"
    note = f"from {sizes[0]:.0f} MB {warm} to {sizes[-1]:.0f} MB"
    what = f"memory of server, workers and desks after {wanted.trainings} trainings in one tab"
    yield Row(what, sizes[-1] - sizes[0], 100, "MB", note)
    note = f"from {heaps[0]:.1f} MB {warm} to {heaps[-1]:.1f} MB"
    yield Row("the page's own memory (JavaScript) over the same trainings", heaps[-1] - heaps[0], 20, "MB", note)


MEASURES: dict[str, Callable[[Scene, argparse.Namespace], Iterator[Row]]] = {
    "start": measure_start,
    "train": measure_train,
    "drawing": measure_drawing,
    "overhead": measure_overhead,
    "tabs": measure_tabs,
    "memory": measure_memory,
}

# -- how ---------------------------------------------------------------------------------------------------------------


@contextmanager
def running(browser: Any, folder: Path) -> Iterator[Scene]:
    """Start the lab as people do, and end it with Ctrl-C."""
    command = [sys.executable, "-m", "glassnet", "lab", "--port", "0", "--no-browser", "--runs", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
        assert found, "the lab did not start"
        try:
            yield Scene(browser, folder, found[0], process)
        finally:
            for context in browser.contexts:
                context.close()
            process.send_signal(signal.SIGINT)


def train(page: Any) -> dict[str, float]:
    """Click Train; return the milliseconds until the first live update and until the accuracy at the end."""
    return page.evaluate(CLICK_TRAIN)


def click_step(page: Any, panel: str) -> float:
    """Click a step; return the milliseconds until its panel is there, without end if the page had to be loaded anew."""
    try:
        return page.evaluate(CLICK_STEP, panel)
    except Error:
        page.wait_for_selector(f"#step-{panel}")
        return math.inf


def runs_of(scene: Scene) -> list[Path]:
    return [path.parent for path in scene.folder.glob("*/run.json")]


def seconds_of(run: Path) -> float:
    return json.loads((run / "run.json").read_text("utf-8"))["seconds"]["train"]


def memory_of(pid: int) -> float:
    """Return the resident megabytes of a process and all below it."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return pages * 4096 / 1e6 + sum(memory_of(child) for child in children)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def spread(values: list[float]) -> str:
    form = ".2f" if max(values) < 10 else ".0f"
    return f"{min(values):{form}} to {max(values):{form}}"


def fits(row: Row) -> bool:
    return row.most is None or row.value <= row.most


def write_row(row: Row) -> str:
    form = ",.2f" if row.unit == "s" else ",.1f" if row.unit in ("%", "MB") else ",.0f"
    most = "" if row.most is None else f"{row.most:,g} {row.unit}".strip()
    measured = f"{row.value:{form}} {row.unit}".strip()
    return f"| {row.what} | ≤ {most} | {measured} | {'yes' if fits(row) else 'NO'} | {row.note} |"


def write_page(rows: list[Row]) -> str:
    machine = describe()
    return "\n".join(
        [
            "# The lab, from the click to what is seen",
            "",
            "`python benchmarks/lab.py`: the real server, and Chromium without a window on the same machine; medians, "
            "measured in the page.",
            f"{machine.processor}, {machine.cores} cores, {machine.system}, Python {machine.python}, "
            f"load at the end {machine.load or 0:.1f}.",
            "",
            "| what | target | measured | within | note |",
            "| --- | --- | --- | --- | --- |",
            *(write_row(row) for row in rows),
            "",
        ]
    )


# -- in the page -------------------------------------------------------------------------------------------------------

CLICK_TRAIN = """() => new Promise((done) => {
  const status = document.querySelector('.panel-training .status'), began = performance.now();
  let first = null, left = !/trained in/.test(status.innerText);
  const look = () => {
    const text = status.innerText, now = performance.now() - began;
    if (first === null && /, batch /.test(text)) first = now;
    if (!/trained in/.test(text)) left = true;
    if (left && /trained in/.test(text)) { watch.disconnect(); done({ first: first ?? now, end: now }); }
  };
  const watch = new MutationObserver(look);
  watch.observe(status, { childList: true, subtree: true, characterData: true });
  [...document.querySelectorAll('.panel-training button')].find((one) => one.innerText === 'Train').click();
})"""

CLICK_STEP = """(name) => new Promise((done) => {
  const began = performance.now();
  const look = () => {
    const panel = document.querySelector(`.panel-${name}`);
    if (!panel?.offsetParent || !panel.querySelector('h2, select, button')) return;
    watch.disconnect();
    done(performance.now() - began);
  };
  const watch = new MutationObserver(look);
  watch.observe(document.body, { childList: true, subtree: true, attributes: true });
  document.querySelector(`#step-${name}`).click();
})"""

WATCH_ANSWERS = """() => {
  window.stroke = {};
  document.querySelector('.board canvas').addEventListener('pointermove', (event) => {
    window.stroke.drawn ??= event.timeStamp;
  }, true);
  new MutationObserver(() => {
    if (window.stroke.drawn) window.stroke.answered ??= performance.now();
  }).observe(document.querySelector('.panel-tryit .middle'), { childList: true, subtree: true, characterData: true });
}"""


if __name__ == "__main__":
    main()
