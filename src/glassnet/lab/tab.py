"""Tab: one browser tab with its own state; the panels show it, and change it through here."""

import asyncio
import secrets
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from nicegui import ui
from nicegui.client import Client

from glassnet.datasets import EMBEDDED, Dataset
from glassnet.errors import GlassnetError, InputError
from glassnet.lab import answers
from glassnet.lab.desk import Desk
from glassnet.lab.jobs import Crew, Job
from glassnet.lab.links import to_query
from glassnet.lab.looks import loaded
from glassnet.lab.messages import Order
from glassnet.lab.sets import set_facts, set_names
from glassnet.lab.shelf import find_run, find_unfinished
from glassnet.lab.state import MOST_REPEATS, State
from glassnet.recipe import AUGMENTATIONS
from glassnet.recipes import find

T = TypeVar("T")


@dataclass
class Lab:
    """What all tabs share.

    Args:
        folder: where runs are written and found.
        crew: trains.
        desk: answers at once, for drawings.
        study: answers what takes longer.
        tabs: by their secret name.
    """

    folder: Path
    crew: Crew
    desk: Desk
    study: Desk
    tabs: "dict[str, Tab]" = field(default_factory=dict)


class Panel(Protocol):
    """One of the panels."""

    def refresh(self) -> None:
        """Show the state anew: it has changed."""

    def tick(self) -> None:
        """Show how the training goes on."""


class Tab:
    """One browser tab.

    Args:
        lab: what it shares with the others.
        state: what the link asked for.
        client: of NiceGUI.
    """

    def __init__(self, lab: Lab, state: State, client: Client) -> None:
        self.lab, self.state, self.client = lab, state, client
        self.key = secrets.token_urlsafe(12)
        self.job: Job | None = None
        self.series: list[Job] = []  # of the last Train: one training for each seed
        self.to_come: list[Order] = []
        self.panels: dict[str, Panel] = {}
        self.say: Callable[[str], None] = lambda text: None
        self.on_change: Callable[[], None] = lambda: None
        self.receive_photo: Callable[[bytes], Any] | None = None
        self._seen: object = None
        self._touched = time.monotonic()
        for job in lab.crew.jobs():  # the page was loaded again while it trained
            if state.run and job.name == state.run:
                self.job = job
                for other in lab.tabs.values():  # they share what comes after it, too
                    if other.job is job:
                        self.series, self.to_come = other.series, other.to_come
        lab.tabs[self.key] = self

    @property
    def data(self) -> Dataset:
        """The data set that is chosen."""
        return loaded(self.state.data)

    @property
    def run(self) -> Path | None:
        """The folder of the run that is shown."""
        return find_run(self.lab.folder, self.state.run) if self.state.run else None

    def shows(self, control: str) -> bool:
        """Tell whether the link leaves a control to be seen."""
        return control not in self.state.hide

    def change(self, **settings: Any) -> None:
        """Change settings of the recipe; what cannot work is said, and shown as it was."""
        if self.state.plan.adapts and AUGMENTATIONS & set(settings):  # the others stay as they are shown
            settings = asdict(self.state.plan_for_data.augmentation) | settings
        try:
            self.state = self.state.changed(**settings)
        except InputError as error:
            self.say(f"{error}.")
        self.refresh()

    def choose_recipe(self, name: str) -> None:
        """Start from a recipe, on its own data; images of the user's own stay."""
        plan = find(name)
        kept = self.state.data not in EMBEDDED
        self.state = replace(self.state, plan=plan, data=self.state.data if kept else plan.dataset)
        self.refresh()

    def choose_data(self, name: str) -> None:
        """Use another data set, with the recipe as it is."""
        if name in set_names():
            self.state = replace(self.state, data=name, own="")
            self.refresh()

    def set_seed(self, value: Any) -> None:
        """Change the seed."""
        if isinstance(value, int) and 0 <= value < 2**32:
            self.state = replace(self.state, seed=value)
        else:
            self.say(f"The seed must be a whole number from 0 to {2**32 - 1}.")
        self.refresh()

    def open(self, panel: str, **places: Any) -> None:
        """Show a panel, or another part of it: a view, a level, a pair of runs."""
        self.state = replace(self.state, panel=panel, **places)
        self.refresh()

    def show_run(self, name: str) -> None:
        """Show another run in Results and Try it."""
        if find_run(self.lab.folder, name):
            self.state = replace(self.state, run=name)
            self.refresh()

    def train(self) -> None:
        """Train what the tab is set to, one seed after the other if it shall be repeated."""
        if self.job and self.job.active:
            self.say("It is training already; stop it first.")
            return
        state, out = self.state, self.lab.folder / self.state.plan.name
        seeds = [(state.seed + number) % 2**32 for number in range(state.repeats)]
        self.series = []
        plan, images = state.plan_to_train, set_facts(state.data).train
        if plan.batch_size == images < state.plan.batch_size:  # few images of one's own
            self.say(f"The batch size is {images}: there are no more training images.")
        first, *self.to_come = [Order(plan, state.data, seed, out) for seed in seeds]
        self._submit(first)

    def set_repeats(self, value: Any) -> None:
        """Change how many seeds are trained, one after the other."""
        if isinstance(value, int) and 1 <= value <= MOST_REPEATS:
            self.state = replace(self.state, repeats=value)
        else:
            self.say(f"Repeats must be a whole number from 1 to {MOST_REPEATS}.")
        self.refresh()

    def resume(self, name: str) -> None:
        """Go on with a training that was killed."""
        order = find_unfinished(self.lab.folder, name)
        if order is None:
            self.say(f"Nothing is left of {name}; train it again.")
        elif not (self.job and self.job.active):
            self.series, self.to_come = [], []
            self._submit(order)
        else:
            self.say("It is training already; stop it first.")

    def _submit(self, order: Order) -> None:
        try:
            self.job = self.lab.crew.submit(self.key, order)
        except GlassnetError as error:
            self.say(f"{error}.")
            self.to_come.clear()
            return
        self.series.append(self.job)
        self.state = replace(self.state, panel="training")
        self._follow(self.job)

    def _follow(self, job: Job) -> None:
        """Watch a training, and show its run."""
        self.job, self._seen = job, None
        self.state = replace(self.state, run=job.name)
        self.refresh()

    def steer(self, verb: str, value: float | None = None) -> None:
        """Pause, resume, step or stop the training, or change its learning rate."""
        if verb == "stop":
            self.to_come.clear()  # it may be shared: a page that was loaded again goes on with the same
        if self.job:
            self.lab.crew.steer(self.job, verb, value)

    def reset(self) -> None:
        """Stop, and forget the training that is shown."""
        if self.job and self.job.active:
            self.steer("stop")
        self.job, self.series, self.to_come = None, [], []
        self.refresh()

    async def try_image(self, number: int, run: str = "") -> None:
        """Ask a run, the shown one if none is named, about a test image in Try it; not where the link hides that."""
        if not self.shows("tryit"):
            return
        if run:
            self.show_run(run)
        self.open("tryit")
        await self.panels["tryit"].ask_image(number)  # pyright: ignore[reportAttributeAccessIssue]

    async def ask(self, question: Callable[..., T], *arguments: Any, at_once: bool = False) -> T | None:
        """Ask for what a function returns (see `glassnet.lab.desk`); what goes wrong is said, and None is returned."""
        desk = self.lab.desk if at_once else self.lab.study
        answer: Future[T] = desk.ask(question, *arguments)
        try:
            return await asyncio.wrap_future(answer)
        except GlassnetError as error:
            self.say(f"{error}.")
            return None

    def refresh(self) -> None:
        """Show the state in all panels that are there, and in the address."""
        self.on_change()
        for panel in self.panels.values():
            panel.refresh()
        query = to_query(self.state)
        self.client.run_javascript(f"history.replaceState(history.state, '', '/' + {'?' + query if query else ''!r})")

    def tick(self) -> None:
        """Look whether the training has news; called some times a second."""
        job = self.job
        news = None if job is None else (job.version, self.lab.crew.place(job))
        if job is None or news == self._seen:
            return
        ended = not job.active
        self._seen = news
        if ended and job.finished:
            self.lab.desk.ask(answers.warm_up, job.finished.out)
        if ended:
            self.refresh()
        else:
            self.on_change()
        if panel := self.panels.get(self.state.panel):  # the others show it all when they are opened
            panel.tick()
        if ended and self.series and self.series[-1] is not job:  # another page went on with the same repeats
            self._follow(self.series[-1])
        elif ended and job.finished and self.to_come:
            self._submit(self.to_come.pop(0))
        elif ended:
            self.to_come.clear()

    def touch(self) -> None:
        """Note that somebody is using the page."""
        self._touched = time.monotonic()

    def is_idle(self, seconds: float) -> bool:
        """Tell whether nobody has used the page for so long, and it is not watching a training either."""
        if self.job and self.job.active and self.job.state != "paused":
            self.touch()
        return time.monotonic() - self._touched >= seconds

    def leave(self) -> None:
        """The browser tab is gone; what it trains belongs to another one that watches it, if there is one."""
        self.lab.tabs.pop(self.key, None)
        for job in self.lab.crew.jobs():
            heir = next((tab for tab in self.lab.tabs.values() if tab.job is job), None)
            if job.owner == self.key and heir:
                job.owner = heir.key
        self.lab.crew.leave(self.key)


def next_button(tab: Tab, text: str, panel: str) -> None:
    """A button that leads to the next panel."""
    from glassnet.lab.parts.controls import button

    with ui.element("div").classes("onward"):
        button(text, lambda: tab.open(panel), classes="onward-button")
