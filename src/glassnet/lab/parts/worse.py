"""Worse images: a corruption, its level, an example, and the accuracy that is left."""

import random
from pathlib import Path

import numpy as np
from nicegui import ui

from glassnet.evaluation.robustness import CORRUPTIONS, Corruption
from glassnet.lab import answers
from glassnet.lab.answers import Worsened
from glassnet.lab.levels import levels_of, untouched
from glassnet.lab.parts.bars import draw_bars, write_percent
from glassnet.lab.parts.controls import Plain, button, choice
from glassnet.lab.parts.markup import Markup, escape
from glassnet.lab.parts.slider import Slider
from glassnet.lab.parts.widgets import Loupe
from glassnet.lab.tab import Tab
from glassnet.runs import read_passport
from glassnet.sharing.charts import Axis, Line, chart, whole

MOST_IMAGES = 1000


class WorseImages:
    """Sliders that make test images worse. Nothing is computed before it is shown."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.run: Path | None = None
        self.name, self.level = tab.state.worse
        self.index = 0
        self.wanted: tuple[Path, str, float, int] | None = None
        self.busy = False
        self.accuracies: dict[str, dict[float, float]] = {}  # of this run, by corruption and level
        with ui.element("div").classes("worse"):
            with ui.element("div").classes("worse-controls"):
                names = {name: name.capitalize() for name in CORRUPTIONS}
                self.kind = choice("What makes them worse", _TIP_OF_KIND, names, self.name, self._choose)
                self.slider = Slider("How strong", _TIP_OF_SLIDER, self._move)
                button("Another image", self._take_another, tip="Another one of these test images.")
                self.accuracy = Markup(classes="score")
                self.chart = Markup(classes="worse-chart")
            with ui.element("div").classes("worse-example"):
                Plain("h2", "What the network sees")
                self.loupe = Loupe()
                self.loupe.show(np.zeros((28, 28), np.uint8), "Nothing yet", " ")
            with ui.element("div").classes("worse-answer"):
                self.answer = Markup(classes="answer")
                self.bars = Markup()
        self._offer()

    def show(self, run: Path | None) -> None:
        """Show what becomes of a run, at the level that the tab is set to."""
        worse = self.tab.state.worse
        if (run, worse) == (self.run, (self.name, self.level)):
            return
        if run != self.run:
            self.run, self.accuracies = run, {}
            if run and self.index >= _count(run):
                self.index = 0
        self.name, self.level = worse
        self._offer()
        self._ask()

    def _choose(self, name: str) -> None:
        self.tab.open("results", worse=untouched(name))

    def _move(self, place: int) -> None:
        self.tab.open("results", worse=(self.name, levels_of(self.name)[place]))

    def _take_another(self) -> None:
        if self.run:
            self.index = random.randrange(_count(self.run))  # noqa: S311
            self._ask()

    def _offer(self) -> None:
        """Offer the levels of the corruption, and stand at the chosen one."""
        one = CORRUPTIONS[self.name]
        levels = levels_of(self.name)
        self.kind.show(self.name)
        self.slider.offer([_write_level(one, level) for level in levels], levels.index(self.level))

    def _ask(self) -> None:
        if self.run is None:
            return
        self.wanted = self.run, self.name, self.level, self.index
        if not self.busy:
            self.busy = True
            with self.chart:
                ui.timer(0, self._answer, once=True)

    async def _answer(self) -> None:
        """Answer what was asked last, until nothing newer was asked meanwhile."""
        try:
            while self.wanted:
                asked, self.wanted = self.wanted, None
                run, name, level, index = asked
                found = await self.tab.ask(answers.worsen, run, name, level, index, MOST_IMAGES)
                if found and run == self.run:
                    self.accuracies.setdefault(name, {})[level] = found.right / found.n
                    if name == self.name:
                        self._show(found, level)
        finally:
            self.busy = False

    def _show(self, found: Worsened, level: float) -> None:
        answer, one = found.answer, CORRUPTIONS[self.name]
        self.accuracy.show(f"<b>{found.right / found.n:.1%}</b> of {found.n:,} such test images are right")
        best = write_percent(max(answer.probabilities))
        right = answer.truth == answer.label
        verdict = "Right." if right else f"Wrong: it is {answer.truth}."
        self.answer.show(
            f'<p class="said-class" role="status">{escape(answer.label)} <small>{escape(best)}</small></p>'
            f'<p class="quiet small">{escape(answer.source)}</p>'
            f'<p class="{"right" if right else "wrong"}">{escape(verdict)}</p>'
        )
        self.bars.show(draw_bars(answer.classes, answer.probabilities, answer.truth))
        told = f"{self.name}: {_write_level(one, level)}"
        self.loupe.show(answer.image, f"{answer.source}, made worse; {told}", told)
        points = sorted(self.accuracies[self.name].items())
        self.chart.show(_draw(self.name, points, level, 1 / len(answer.classes)))


def _count(run: Path) -> int:
    """Return how many test images are made worse."""
    return min(MOST_IMAGES, read_passport(run).n_test)


def _write_level(one: Corruption, level: float) -> str:
    return "as they are" if level == one.untouched else f"{level:g} ({one.unit})"


def _draw(name: str, points: list[tuple[float, float]], level: float, chance: float) -> str:
    """Draw the accuracy at the levels that were tried, and the line of guessing."""
    one = CORRUPTIONS[name]
    low, high = min(one.levels), max(one.levels)
    x = Axis(one.unit, float(low), float(high), tuple(float(tick) for tick in sorted(one.levels)))
    sizes = [5.5 if tried == level else 3.0 for tried, _ in points]
    lines = [
        Line("", [(low, chance), (high, chance)], "quiet"),
        Line("", points, "for", sizes),
    ]
    spoken = ", ".join(f"{accuracy:.1%} at {tried:g}" for tried, accuracy in points)
    about = f"Accuracy under {name} at the levels that you tried ({one.unit}): {spoken}; the lower line is guessing."
    return str(chart(lines, x, whole("accuracy at the levels tried"), about=about, size=(330, 210)))


_TIP_OF_KIND = "Seven ways in which pictures are bad in the world. A network that only saw good ones may fail."
_TIP_OF_SLIDER = "Release it, and up to 1,000 test images are changed and asked about. Expect it to fall."
