"""The frame of a page: the five steps above, the open panel below, what is said, the link, the tour."""

from collections.abc import Callable, Mapping
from pathlib import Path

from nicegui import ui

from glassnet.datasets import EMBEDDED
from glassnet.lab.pages.data import DataPanel
from glassnet.lab.pages.network import NetworkPanel
from glassnet.lab.pages.results import ResultsPanel
from glassnet.lab.pages.training import TrainingPanel
from glassnet.lab.pages.tryit import TryPanel
from glassnet.lab.parts.controls import Plain, button, copy_text_of
from glassnet.lab.parts.widgets import Tour
from glassnet.lab.state import PANELS, State, from_query, to_command, to_query
from glassnet.lab.tab import Lab, Panel, Tab

STYLE = "\n".join(
    Path(__file__).parent.parent.joinpath(name).read_text("utf-8") for name in ("tokens.css", "design.css")
)
TITLES = {"data": "Data", "network": "Network", "training": "Training", "results": "Results", "tryit": "Try it"}
BUILDERS: dict[str, Callable[[Tab], Panel]] = {
    "data": DataPanel,
    "network": NetworkPanel,
    "training": TrainingPanel,
    "results": ResultsPanel,
    "tryit": TryPanel,
}
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
            self._build_link()
        self.link_box.set_visibility(False)
        with ui.element("main").classes("panels"):
            self.places = {name: self._build_place(name) for name in self.shown}
        self.tour = Tour(TOUR)

    def refresh(self) -> None:
        """Show which step is open, and what each has come to."""
        state = self.tab.state
        if state.panel not in self.shown and self.shown:
            state = State(state.plan, state.data, state.seed, self.shown[0], state.run, state.hide)
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
        query = to_query(state)
        self.command.set_text(to_command(state))
        self.address.set_text("/" + (f"?{query}" if query else ""))

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
        step = Plain("button", type="button", id=f"step-{name}")
        step.on("click", lambda _, name=name: self.tab.open(name), args=[])
        with step:
            Plain("span", str(number), classes="step-number", aria_hidden="true")
            Plain("span", TITLES[name], classes="step-title")
            text = Plain("span", "", classes="step-word")
        return step, text

    def _build_place(self, name: str) -> ui.element:
        place = ui.element("section").classes(f"panel panel-{name}")
        place.props(f'aria-label="{TITLES[name]}"')
        return place

    def _build_link(self) -> None:
        Plain("h2", "This page as it is set now")
        with ui.element("div").classes("row"):
            self.address = Plain("code")
            copy = button("Copy link", lambda: self.say("The link is copied."), tip="To send it, or to keep it.")
            copy.on("click", js_handler="() => navigator.clipboard.writeText(location.href)")
        Plain("h2", "The same training on the command line")
        with ui.element("div").classes("row"):
            self.command = Plain("code")
            other = button("Copy command", lambda: self.say("The command is copied."))
            other.on("click", js_handler=copy_text_of(self.command))
        Plain(
            "p", "For an exercise, add hide=optimizer,epochs to the link: those controls are left away.", "quiet small"
        )

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
    facts = EMBEDDED[state.data]
    pixels = facts.files[0].shape[1] * facts.files[0].shape[2]
    widths = [pixels, *state.plan.hidden, len(facts.classes)]
    training = f"{state.plan.epochs} epochs"
    if job and job.state == "waiting":
        training = "waiting"
    elif job and job.active:
        training = f"epoch {job.last.epoch + 1} of {job.order.plan.epochs}" if job.last else "starting"
    elif job and job.finished:
        training = f"{job.finished.test_accuracy:.1%} right"
    return {
        "data": facts.title,
        "network": " → ".join(f"{width:,}" for width in widths),
        "training": training,
        "results": state.run if tab.run else "after training",
        "tryit": "draw, or a photo",
    }
