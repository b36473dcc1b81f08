"""Inside an answer: why, the arithmetic of a neuron, and weights to switch off."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
from nicegui import ui

from glassnet.lab import developing, switching
from glassnet.lab.answers import Answer
from glassnet.lab.parts.controls import Plain, button
from glassnet.lab.parts.markup import Markup, escape
from glassnet.lab.parts.neurons import draw_arithmetic, draw_switches, say_effect
from glassnet.lab.parts.reasons import draw_reasons
from glassnet.lab.parts.steps import draw_way
from glassnet.lab.parts.widgets import Grid
from glassnet.lab.switching import Inner, Off
from glassnet.lab.tab import Tab
from glassnet.sharing.sprites import coloured

SECONDS_OF_REST = 0.3
TERMS, UNITS = 4, 12
VIEWS = {"why": "Why", "arithmetic": "Arithmetic", "off": "Switch weights off", "way": "From photo to input"}


class Inside:
    """What lies behind the answer that is shown, of one class or one neuron.

    Args:
        tab: whose page it is on.
        on_off: is called when something is switched off or on again.
    """

    def __init__(self, tab: Tab, on_off: Callable[[], Awaitable[None]]) -> None:
        self.tab, self.on_off = tab, on_off
        self.run: Path | None = None
        self.answer: Answer | None = None
        self.picked: int | None = None
        self.neuron: tuple[str, int] | None = None
        self.off = Off()
        self.view = "why"
        self.inner: Inner | None = None
        self.thinking = False
        self.done: Any = None
        with ui.element("div").classes("row views").props('role="group" aria-label="Inside the answer"'):
            self.buttons = {
                name: button(text, lambda name=name: self.open(name), classes="quiet") for name, text in VIEWS.items()
            }
        self.words = Markup(classes="reasons", on_pick=self._pick)
        with ui.element("div").classes("switches") as self.place:
            with ui.element("div").classes("row head"):
                self.effect = Plain("p", role="status")
                self.reset = button("Reset", self._reset, tip="Everything on again, as it was trained.")
            self.hint = Plain("p", classes="quiet small")
            with ui.element("div").classes("row erasing"):
                self.tiles = Grid("Parts of the template", 1, self._toggle_tile)
            self.units = Markup(on_pick=self._pick)
        tab.client.on_delete(self._leave)
        self._arrange()

    def show_run(self, run: Path | None) -> None:
        """Show another run, as it was trained."""
        if run != self.run:
            self.run, self.off, self.inner = run, Off(), None
            self.picked = self.neuron = None
        self.show(None)
        if self.view == "off":
            self._think()

    def show(self, answer: Answer | None) -> None:
        """Show what lies behind an answer."""
        self.answer = answer
        if answer is None:
            self.words.show("")
        self._think()

    def pick_class(self, number: int) -> None:
        """Ask about a class: how its probability is computed, and which pixels push for it."""
        self.picked, self.neuron = number, None
        self.open("arithmetic" if self.view == "why" else self.view)

    def open(self, view: str) -> None:
        """Show another view."""
        self.view = view
        self._arrange()
        self._think()

    @property
    def number(self) -> int:
        """The class that is asked about: the one that was clicked, else the most probable one."""
        if self.picked is not None:
            return self.picked
        return int(np.argmax(self.answer.probabilities)) if self.answer else 0

    def _arrange(self) -> None:
        for name, one in self.buttons.items():
            one.set(aria_pressed=str(name == self.view).lower())
        self.words.set_visibility(self.view != "off")
        self.place.set_visibility(self.view == "off" and self.run is not None)

    def _think(self) -> None:
        self._arrange()
        if not self.thinking:
            self.thinking = True
            with self.words:
                ui.timer(SECONDS_OF_REST, self._answer, once=True)

    def _wanted(self) -> tuple[Any, ...]:
        return self.run, self.answer, self.picked, self.neuron, self.off, self.view

    async def _answer(self) -> None:
        """Find out what is wanted, once the pen has come to rest; again if something else is wanted by then."""
        try:
            while self.run and (wanted := self._wanted()) != self.done:
                self.done = wanted
                if self.view == "off":
                    await self._show_switches(self.run)
                elif self.answer:
                    ways = {"why": self._show_reasons, "arithmetic": self._show_arithmetic, "way": self._show_way}
                    await ways[self.view](self.run, self.answer)
        finally:
            self.thinking = False

    async def _show_reasons(self, run: Path, answer: Answer) -> None:
        wanted = self._wanted()
        arguments = (run, self.tab.key, self.off, answer.image, self.number)
        reasons = await self.tab.ask(switching.explain_class, *arguments)
        if reasons and wanted == self._wanted():
            self.words.show(draw_reasons(reasons))

    async def _show_arithmetic(self, run: Path, answer: Answer) -> None:
        wanted, hidden = self._wanted(), await self._inner(run)
        layer, number = self.neuron or (None, self.number)
        arguments = (run, self.tab.key, self.off, answer.image, layer, number, TERMS)
        found = await self.tab.ask(switching.ask_neuron, *arguments)
        if found is None or wanted != self._wanted():
            return
        if isinstance(found, str):
            self.words.show(f'<p class="quiet">This arithmetic cannot be written out: {escape(found)}.</p>')
        else:
            layers = {one["layer"] for one in hidden.units} if hidden else ()
            self.words.show(draw_arithmetic(found, sorted(layers)))

    async def _show_way(self, run: Path, answer: Answer) -> None:
        """Show the steps from a photo or a drawing to what the network sees."""
        wanted, way = self._wanted(), answer.way
        if way is None and answer.picture:
            way = await self.tab.ask(developing.show_way, run, answer.picture)
        if wanted == self._wanted():
            nothing = '<p class="quiet">A test image goes in as it is. Draw, or bring a photo.</p>'
            self.words.show(draw_way(way) if way else nothing)

    async def _inner(self, run: Path) -> Inner | None:
        """Return what can be switched off."""
        arguments = (run, self.tab.key, self.off, self.number, UNITS)
        found = await self.tab.ask(switching.inner, *arguments)
        if run == self.run:
            self.inner = found
        return found

    async def _show_switches(self, run: Path) -> None:
        wanted, found = self._wanted(), await self._inner(run)
        if found is None or wanted != self._wanted():
            return
        self.reset.set(disabled=None if self.off else True)
        self.tiles.set_visibility(found.template is not None)
        if found.template is None:
            self.hint.set_text("The hidden units that matter most; the figure is how far each moves the classes' sums.")
            self.units.show(draw_switches(found.units, self.off))
        else:
            self.hint.set_text(
                f"The weights of {found.label}; a click on a part erases them. Another class: click its bar."
            )
            self.units.show("")
            self._show_tiles(found.template, found.tiles)
        effect = await self.tab.ask(switching.measure_off, run, self.tab.key, self.off)
        if effect and wanted[4] is self.off:
            self.effect.set_text(say_effect(effect, self.off))

    def _show_tiles(self, template: np.ndarray, tiles: int) -> None:
        parts = cut_parts(template, tiles)
        high, wide = parts.shape[1:3]
        names = [
            f"rows {row * high}–{row * high + high - 1}, columns {column * wide}–{column * wide + wide - 1}: "
            + ("erased" if (self.number, row * tiles + column) in self.off.tiles else "weights on")
            for row in range(tiles)
            for column in range(tiles)
        ]
        self.tiles._props["columns"] = tiles
        self.tiles.show(parts, names)

    async def _pick(self, what: str) -> None:
        kind, _, rest = what.partition(":")
        number, _, layer = rest.partition(":")
        known = self.inner.units if self.inner else []
        if not number.isdecimal() or layer not in {one["layer"] for one in known}:
            return  # what comes from a page can be anything
        if kind == "neuron":
            self.neuron = (layer, int(number))
            self._think()
        elif kind == "unit" and any((one["layer"], one["unit"]) == (layer, int(number)) for one in known):
            await self._change(Off(self.off.units ^ {(layer, int(number))}, self.off.tiles))

    async def _toggle_tile(self, tile: int) -> None:
        if self.inner and 0 <= tile < self.inner.tiles**2:
            await self._change(Off(self.off.units, self.off.tiles ^ {(self.number, tile)}))

    async def _reset(self) -> None:
        await self._change(Off())

    async def _change(self, off: Off) -> None:
        if self.picked is None and self.answer:
            self.picked = self.number  # the answer may become another; the weights that are shown stay
        self.off = off
        self._think()
        await self.on_off()

    def _leave(self) -> None:
        """Drop the changed network with the tab."""
        for desk in (self.tab.lab.desk, self.tab.lab.study):
            desk.ask(switching.forget, self.tab.key)


def cut_parts(template: np.ndarray, tiles: int) -> np.ndarray:
    """Colour a template, and cut it into `uint8 (parts, height, width, 3)`, row by row, so many in a row."""
    picture = coloured(np.nan_to_num(template)[None])[0]
    high, wide = picture.shape[0] // tiles, picture.shape[1] // tiles
    return picture.reshape(tiles, high, tiles, wide, 3).swapaxes(1, 2).reshape(-1, high, wide, 3)
