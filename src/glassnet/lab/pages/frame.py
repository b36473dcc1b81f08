"""The frame of a page: the steps above, the open panel below, what is said, the link, the tour."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from nicegui import ui

from glassnet.lab.links import from_query
from glassnet.lab.pages.data import DataPanel
from glassnet.lab.pages.experiments import ExperimentsPanel
from glassnet.lab.pages.network import NetworkPanel
from glassnet.lab.pages.results import ResultsPanel
from glassnet.lab.pages.share import SharePanel
from glassnet.lab.pages.training import TrainingPanel
from glassnet.lab.pages.tryit import TryPanel
from glassnet.lab.parts.address import Address
from glassnet.lab.parts.controls import Plain, button
from glassnet.lab.parts.widgets import Tour
from glassnet.lab.sets import set_facts
from glassnet.lab.stages import stages_of
from glassnet.lab.state import PANELS
from glassnet.lab.tab import Lab, Panel, Tab

STYLE = "\n".join(
    Path(__file__).parent.parent.joinpath(name).read_text("utf-8") for name in ("tokens.css", "design.css")
)
BUILDERS: dict[str, Callable[[Tab], Panel]] = {
    "data": DataPanel,
    "network": NetworkPanel,
    "training": TrainingPanel,
    "results": ResultsPanel,
    "tryit": TryPanel,
    "experiments": ExperimentsPanel,
    "share": SharePanel,
}
LATER = ("experiments", "share")
"""What comes after a network is understood: quiet in the row of steps."""

TOUR = (
    (
        "Pick images",
        "Thousands of labelled pictures are here already. Look at a few, then go on to the right.",
        ".steps",
    ),
    ("Train", "Build a network, press Train, and watch what its neurons learn: it takes seconds.", "#step-training"),
    ("Try it yourself", "Draw something or bring a photo: the answer follows your pen.", "#step-tryit"),
)
SECONDS_BETWEEN_TICKS = 0.125
SECONDS_OF_A_WORD = 8.0


def build_page(lab: Lab, query: Mapping[str, str]) -> None:
    """Build the page of a new tab, as its link asks for it."""
    state, notes = from_query(query)
    tab = Tab(lab, state, ui.context.client)
    ui.context.client.on_delete(tab.leave)
    ui.add_css(STYLE)
    frame = _Frame(tab)
    tab.on_change = frame.refresh
    tab.refresh()
    if notes:
        tab.say(" ".join(f"{note[:1].upper()}{note[1:]}." for note in notes))
    ui.timer(SECONDS_BETWEEN_TICKS, tab.tick)


class _Frame:
    """Everything around the panels."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.shown = [name for name in PANELS if tab.shows(name)]
        ui.query(".nicegui-content").classes("lab")
        ui.run_javascript("document.documentElement.lang = 'en'")
        with ui.element("header").classes("top"):
            Plain("h1", "glassnet", classes="brand")
            with ui.element("nav").classes("steps").props('aria-label="Steps"'):
                self.steps = {name: self._build_step(number, name) for number, name in enumerate(self.shown, 1)}
            with ui.element("div").classes("tools"):
                self.link = button("Link", self._show_link, classes="quiet", tip="All that is set now, as a link.")
                theme = button("Theme", lambda: None, classes="quiet", tip="Light or dark.")
                theme.on("click", js_handler=_SWITCH_THEME)
                button("Tour", self._start_tour, classes="quiet", tip="Three steps, to begin with.")
        self.word = Plain("p", classes="word", role="status")
        self.word.set_visibility(False)
        self.spoken = 0
        tab.say = self.say
        with ui.element("section").classes("link-box").props('aria-label="Link and command"') as self.link_box:
            self.address = Address(tab, "This page as it is set now")
        self.link_box.set_visibility(False)
        with ui.element("main").classes("panels"):
            self.places = {name: self._build_place(name) for name in self.shown}
        self.tour = Tour(TOUR)

    def refresh(self) -> None:
        """Show which step is open, and what each has come to."""
        state = self.tab.state
        if state.panel not in self.shown and self.shown:
            state = replace(state, panel=self.shown[0])
            self.tab.state = state
        words = _sum_up(self.tab)
        for name, (step, text) in self.steps.items():
            step.set(aria_current="step" if name == state.panel else None)
            text.set_text(words[name])
        for name, place in self.places.items():
            place.set_visibility(name == state.panel)
            if name == state.panel and name not in self.tab.panels:
                with place:
                    self.tab.panels[name] = BUILDERS[name](self.tab)
        self.address.show(state)

    def say(self, text: str) -> None:
        """Say something for some seconds."""
        self.spoken += 1
        number = self.spoken

        def be_silent() -> None:
            if self.spoken == number:
                self.word.set_visibility(False)

        self.word.set_text(text)
        self.word.set_visibility(True)
        with self.word:
            ui.timer(SECONDS_OF_A_WORD, be_silent, once=True)

    def _build_step(self, number: int, name: str) -> tuple[Plain, Plain]:
        step = Plain("button", type="button", id=f"step-{name}", classes="later" if name in LATER else "")
        step.on("click", lambda _, name=name: self.tab.open(name), args=[])
        with step:
            Plain("span", str(number), classes="step-number", aria_hidden="true")
            Plain("span", PANELS[name], classes="step-title")
            text = Plain("span", "", classes="step-word")
        return step, text

    def _build_place(self, name: str) -> ui.element:
        place = ui.element("section").classes(f"panel panel-{name}")
        place.props(f'aria-label="{PANELS[name]}"')
        return place

    def _start_tour(self) -> None:
        self.tour.start()

    def _show_link(self) -> None:
        shown = not self.link_box.visible
        self.link_box.set_visibility(shown)
        self.link.set(aria_expanded=str(shown).lower())


_SWITCH_THEME = """() => {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === 'dark' ||
    (getComputedStyle(root).colorScheme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.style.colorScheme = dark ? 'light' : 'dark';
}"""


def _sum_up(tab: Tab) -> dict[str, str]:
    """Say in a few words what each step has come to."""
    state, job = tab.state, tab.job
    facts = set_facts(state.data)
    stages = stages_of(state.plan, facts.image_shape, len(facts.classes))
    widths = [stage.width for stage in stages if stage.kind not in ("image", "flatten")]
    inputs = math.prod(stages[0].shape)
    training = f"{state.plan_to_train.epochs} epochs"
    if job and job.state == "waiting":
        training = "waiting"
    elif job and job.active:
        training = f"epoch {job.last.epoch + 1} of {job.order.plan.epochs}" if job.last else "starting"
    elif job and job.finished:
        training = f"{job.finished.test_accuracy:.1%} right"
    return {
        "data": facts.title,
        "network": " → ".join(f"{width:,}" for width in (inputs, *widths)),
        "training": training,
        "results": state.run if tab.run else "after training",
        "tryit": "draw or photo",
        "experiments": "",
        "share": "",
    }
