"""6 Experiments: two runs side by side, and the way to repeats."""

import numpy as np
from nicegui import ui

from glassnet.lab import pairs
from glassnet.lab.looks import data_of
from glassnet.lab.pairs import Pair
from glassnet.lab.parts.comparison import draw_settings
from glassnet.lab.parts.controls import Plain, button, choice
from glassnet.lab.parts.markup import Markup
from glassnet.lab.parts.sides import draw_pair_curves, draw_side, write_scores
from glassnet.lab.parts.widgets import Grid
from glassnet.lab.shelf import find_run, list_runs
from glassnet.lab.tab import Tab
from glassnet.runs import Passport, read_passport

COLUMNS, REPEATS = 12, 3
DIM = "quiet small"
SOON = "Whole series of trainings will be planned here: one thing changed at a time, each choice with several seeds."
NONE_YET = "Train two networks, then they can be compared here."


class ExperimentsPanel:
    """What can be learned from more than one training."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.shown: tuple[str, ...] = ()
        self.pair: Pair | None = None
        with ui.element("div").classes("columns experiments"):
            with ui.element("div").classes("side"):
                Plain("h2", "Two runs side by side")
                tip = "Two trained networks: what was set differently, and what came of it."
                self.choices = [
                    choice(title, tip, {}, "", lambda name, place=place: self._choose(place, name))
                    for place, title in enumerate(("First", "Second"))
                ]
                self.settings = Markup(classes="comparison")
                Plain("h2", "How much is luck?")
                tip = "Opens Training, set to train with three seeds, one after the other."
                button(
                    f"Repeat with {REPEATS} seeds", lambda: tab.open("training", repeats=REPEATS), classes="", tip=tip
                )
                Plain("p", SOON, DIM)
            with ui.element("div").classes("middle"):
                self.status = Plain("p", classes="quiet", role="status")
                with ui.element("div").classes("pair") as self.place:
                    self.scores = Markup(classes="pair-scores")
                    with ui.element("div").classes("charts"):
                        self.curves = [Markup(), Markup()]
                    Plain("p", "Lines: while they learned. Dots: where validated, on images not learned from.", DIM)
                    with ui.element("div").classes("pair-sides"):
                        self.sides = [self._build_side(place) for place in (0, 1)]
        self.refresh()

    def _build_side(self, place: int) -> tuple[Plain, Markup, Plain, Grid]:
        with ui.element("section").classes("pair-side"):
            title = Plain("h2")
            pictures = Markup(classes="pair-pictures")
            words = Plain("p", classes=DIM)
            grid = Grid(
                "Images that only the first recognises" if not place else "Images that only the second recognises",
                COLUMNS,
                lambda number, place=place: self._pick(place, number),
            )
        return title, pictures, words, grid

    def refresh(self) -> None:
        """Show the two runs that the tab has side by side; the newest two if it has none."""
        runs = dict(list_runs(self.tab.lab.folder))
        names = self._names(runs)
        options = [[name, f"{name} · {passport.test_accuracy:.1%}"] for name, passport in runs.items()]
        options += [[name, name] for name in names if name not in runs]
        for control, name in zip(self.choices, names or ("", ""), strict=True):
            control.offer(options if names else [["", "none yet"]])
            control.show(name, disabled=not names)
        if not names:
            self.status.set_text(NONE_YET)
            self.place.set_visibility(False)
            self.settings.show("")
        elif names != self.shown:
            self.shown, self.pair = names, None
            self.status.set_text("Measuring both on their test images …")
            self.place.set_visibility(False)
            self.settings.show(draw_settings([(name, self._passport(name)) for name in names]))
            with self.status:
                ui.timer(0, self._measure, once=True)

    def tick(self) -> None:
        """Nothing here changes while a network is trained."""

    def _names(self, runs: dict[str, Passport]) -> tuple[str, ...]:
        """Return the names of the two runs; none if there are not two."""
        wanted = self.tab.state.pair
        if all(find_run(self.tab.lab.folder, name) for name in wanted):
            return wanted
        newest = list(runs)[:2]
        return (newest[1], newest[0]) if len(newest) == 2 else ()

    def _passport(self, name: str) -> Passport:
        return read_passport(self.tab.lab.folder / name)

    def _choose(self, place: int, name: str) -> None:
        names = list(self.shown)
        names[place] = name
        if find_run(self.tab.lab.folder, name):
            self.tab.open("experiments", pair=tuple(names))

    async def _measure(self) -> None:
        names = self.shown
        first, second = (self.tab.lab.folder / name for name in names)
        found = await self.tab.ask(pairs.pair, first, second)
        if names != self.shown:
            return
        self.status.set_text("" if found else "These two could not be measured.")
        self.place.set_visibility(found is not None)
        if found:
            self._show(found)

    def _show(self, found: Pair) -> None:
        self.pair = found
        self.scores.show(write_scores(found, self.shown))
        for place, drawing in zip(
            self.curves, draw_pair_curves([(name, self._passport(name)) for name in self.shown]), strict=True
        ):
            place.show(drawing)
        for (title, pictures, words, grid), name, side in zip(self.sides, self.shown, found.sides, strict=True):
            title.set_text(name)
            classes = side.record["classes"]
            pictures.show(draw_side(side, classes))
            words.set_text(f"Only {name} recognises:" if side.only else "")
            numbers = np.asarray(side.only[:COLUMNS], int)
            images = data_of(self._passport(name)).test
            names = [f"test image {number:,}: {classes[images.labels[number]]}" for number in numbers]
            grid.show(images.images[numbers], names)

    async def _pick(self, place: int, number: int) -> None:
        """Ask the run that recognises an image about it."""
        side = self.pair.sides[place] if self.pair else None
        if side is None or not 0 <= number < len(side.only[:COLUMNS]):
            return
        await self.tab.try_image(side.only[number], self.shown[place])
