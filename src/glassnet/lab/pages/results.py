"""4 Results: how good the network is on images that it has not seen, and what it gets wrong."""

import numpy as np
from nicegui import ui

from glassnet.lab import answers
from glassnet.lab.answers import Scores
from glassnet.lab.looks import data_of
from glassnet.lab.parts.classes import draw_baselines, draw_classes, write_calibration
from glassnet.lab.parts.confusion import draw_confusion
from glassnet.lab.parts.contest import Contest
from glassnet.lab.parts.controls import Plain, button
from glassnet.lab.parts.markup import Markup
from glassnet.lab.parts.picker import RunPicker
from glassnet.lab.parts.takeaway import TakeAway
from glassnet.lab.parts.widgets import Grid
from glassnet.lab.parts.worse import WorseImages
from glassnet.lab.tab import Tab
from glassnet.runs import read_passport

COLUMNS, MOST_IMAGES = 8, 40

TITLES = {
    "mistakes": ("Mistakes", "What is taken for what, and the mistakes that it was surest of."),
    "classes": ("Each class", "How good it is on each class, and whether it knows how sure it may be."),
    "worse": ("Worse images", "What is left of its accuracy when images are noisy, blurred, turned or hidden."),
    "contest": ("Beat the network", "Label some test images yourself, then see who was better."),
}
"""What the panel can show of a run: title, and what to expect."""


class ResultsPanel:
    """Scores, confusions and mistakes, each class, worse images, a contest, files to take away."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.run: object = None
        self.scores: Scores | None = None
        self.cell: tuple[int, int] | None = None
        with ui.element("div").classes("columns results"):
            with ui.element("div").classes("side"):
                self.picker = RunPicker(tab)
                self.facts = Markup(classes="facts")
                self.files = TakeAway(tab)
            with ui.element("div").classes("result-views"):
                with ui.element("div").classes("buttons").props('role="group" aria-label="View"') as self.switch:
                    self.tabs = {
                        name: button(title, lambda name=name: self._open(name), classes="quiet view-button", tip=tip)
                        for name, (title, tip) in TITLES.items()
                    }
                self.places = {name: ui.element("div").classes(f"result-view view-{name}") for name in TITLES}
                self._build_views()
        self.numbers = np.zeros(0, int)
        self.refresh()

    def _build_views(self) -> None:
        with self.places["mistakes"]:
            with ui.element("div").classes("middle"):
                Plain("h2", "What is taken for what")
                self.hint = Plain("p", classes="quiet small")
                self.matrix = Markup(classes="confusion", on_pick=self._pick_cell)
            with ui.element("div").classes("side wide-side"):
                with ui.element("div").classes("row head"):
                    self.title = Plain("h2")
                    self.back = button("Mistakes", self._show_mistakes, classes="quiet", tip="Back to the surest ones.")
                self.about = Plain("p", classes="quiet small")
                self.grid = Grid("Test images", COLUMNS, self._pick_image)
        with self.places["classes"]:
            self.classes = Markup(classes="class-scores")
            self.reliability = Markup(classes="reliability")
        with self.places["worse"]:
            self.worse = WorseImages(self.tab)
        with self.places["contest"]:
            self.contest = Contest(self.tab)

    def _open(self, view: str) -> None:
        self.tab.open("results", view=view)

    def _show_view(self) -> None:
        measured = self.scores is not None
        self.switch.set_visibility(measured)
        shown = self.tab.state.view if measured else "mistakes"
        for name, place in self.places.items():
            place.set_visibility(name == shown)
            self.tabs[name].set(aria_pressed=str(name == shown).lower())
        if self.scores and shown == "worse":
            self.worse.show(self.tab.run)
        if self.scores and shown == "contest":
            self.contest.show(self.scores)
        self._listen()

    def _listen(self) -> None:
        """Keys are answers only while the contest is to be seen."""
        state = self.tab.state
        self.contest.listen(self.scores is not None and (state.panel, state.view) == ("results", "contest"))

    def refresh(self) -> None:
        """Show the run that the tab shows."""
        self.picker.refresh()
        self.files.refresh()
        run = self.tab.run
        if run != self.run:
            self.run, self.scores, self.cell = run, None, None
            self._show()
            if run:
                with self.switch:
                    ui.timer(0, self._measure, once=True)
        self._show_view()

    def tick(self) -> None:
        """Nothing here changes while a network is trained."""

    async def _measure(self) -> None:
        run = self.tab.run
        if run is None:
            return
        scores = await self.tab.ask(answers.score, run)
        if run == self.run:
            self.scores = scores
            self._show()
            if scores is None:
                self.hint.set_text("This run could not be measured on its test images.")

    def _show(self) -> None:
        run, scores = self.tab.run, self.scores
        self._show_view()
        self.back.set_visibility(False)
        if run is None or scores is None:
            wait = "Measuring on the test images …" if run else "Train a network first; its results appear here."
            self.hint.set_text(wait)
            for place in (self.facts, self.matrix, self.classes, self.reliability):
                place.show("")
            self.title.set_text("")
            self.about.set_text("")
            self.grid.show(np.zeros((0, 1, 1), np.uint8), [])
            return
        self.hint.set_text("Rows: what it is. Columns: what the network says. Pick a cell to see its images.")
        self.facts.show(write_facts(scores.record))
        self.classes.show(f"<h2>Each class</h2>{draw_classes(scores.record)}")
        self.reliability.show(
            f"<h2>How often it is right, by how sure it is</h2>{scores.reliability}"
            f"{write_calibration(scores.record)}<h2>Beside others</h2>{draw_baselines(scores.record)}"
        )
        self._show_mistakes()

    def _show_matrix(self) -> None:
        if self.scores:
            record = self.scores.record
            self.matrix.show(draw_confusion(record["confusion"], record["classes"], self.cell))

    def _show_mistakes(self) -> None:
        scores = self.scores
        if scores is None:
            return
        self.cell = None
        self._show_matrix()
        wrong = np.flatnonzero(scores.predicted != scores.labels)
        surest = wrong[np.argsort(-scores.confidence[wrong], kind="stable")][:MOST_IMAGES]
        self.title.set_text("The most confident mistakes")
        self.about.set_text(f"Of {len(wrong):,} mistakes, those that the network was surest of.{self._offer('why')}")
        self.back.set_visibility(False)
        self._show_images(surest)

    def _pick_cell(self, pick: str) -> None:
        truth, _, said = pick.partition(",")
        scores = self.scores
        if scores is None or not (truth.isdigit() and said.isdigit()):
            return
        classes = scores.record["classes"]
        row, column = int(truth), int(said)
        if max(row, column) >= len(classes):
            return
        self.cell = row, column
        self._show_matrix()
        found = np.flatnonzero((scores.labels == row) & (scores.predicted == column))
        found = found[np.argsort(-scores.confidence[found], kind="stable")]
        wrong = f"{classes[row]} taken for {classes[column]}"
        self.title.set_text(wrong if row != column else f"{classes[row]}, recognised")
        more = f", the {MOST_IMAGES} surest of them" if len(found) > MOST_IMAGES else ""
        self.about.set_text(f"{len(found):,} test images{more}.{self._offer('the network about it')}")
        self.back.set_visibility(True)
        self._show_images(found[:MOST_IMAGES])

    def _show_images(self, numbers: np.ndarray) -> None:
        scores = self.scores
        passport = read_passport(self.tab.run) if self.tab.run else None
        if scores is None or passport is None:
            return
        self.numbers = numbers
        classes = scores.record["classes"]
        names = [
            f"test image {number:,}: {classes[scores.labels[number]]}, taken for {classes[scores.predicted[number]]} "
            f"({scores.confidence[number]:.0%})"
            for number in numbers
        ]
        self.grid.show(data_of(passport).test.images[numbers], names)

    async def _pick_image(self, place: int) -> None:
        if 0 <= place < len(self.numbers):
            await self.tab.try_image(int(self.numbers[place]))

    def _offer(self, question: str) -> str:
        return f" Pick one to ask {question}." if self.tab.shows("tryit") else ""


def write_facts(record: dict) -> str:
    """Write how good a network is, from the record of its evaluation."""
    low, high = record["interval"]
    rows = [
        ("Test loss", f"{record['loss']:.4f}"),
        ("Guessing", f"{record['chance']:.0%}"),
        ("Always the same", f"{record['majority']:.0%}"),
    ]
    if record["human"] is not None:
        rows.append(("People", f"{record['human']:.1%}"))
    answered = record["trust"] or record  # the lab's answers are calibrated where the run can do it
    rows.append(("Calibration error", f"{answered['calibration_error']:.1%}"))
    body = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return (
        f'<p class="score"><b>{record["accuracy"]:.2%}</b> of {record["n"]:,} test images are right</p>'
        f'<p class="quiet small">With other test images: {low:.1%} to {high:.1%} (95 % interval)</p><dl>{body}</dl>'
    )
