"""2 Network: the layers as a drawing that can be changed, and the Keras code beside it."""

import math
from itertools import pairwise

from nicegui import ui

from glassnet.datasets import EMBEDDED
from glassnet.lab import answers
from glassnet.lab.parts.controls import Plain, button, choice, copy_text_of, switch
from glassnet.lab.parts.markup import Markup
from glassnet.lab.parts.network import draw_layers
from glassnet.lab.state import MOST_LAYERS, MOST_WIDTH
from glassnet.lab.tab import Tab
from glassnet.recipes import ACTIVATIONS, RECIPES

NEW_WIDTH = 64


class NetworkPanel:
    """Start from a recipe; add, remove and widen layers; read the parameters and the code."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.drawn: object = None
        with ui.element("div").classes("columns network"):
            with ui.element("div").classes("wide"):
                with ui.element("div").classes("row controls"):
                    if tab.shows("recipe"):
                        tip = "A network with all its settings, known to work. Everything can be changed from there."
                        names = {name: name for name in RECIPES}
                        self.recipe = choice("Recipe", tip, names, tab.state.plan.name, tab.choose_recipe)
                    if tab.shows("activation"):
                        tip = "What hidden neurons do with their sum. ReLU cuts off what is negative: a good start."
                        names = {name: name for name in ACTIVATIONS}
                        self.activation = choice(
                            "Activation", tip, names, tab.state.plan.activation, lambda one: tab.change(activation=one)
                        )
                    if tab.shows("scale"):
                        tip = "Divides pixels by 255, so that they lie between 0 and 1. Without it training is shaky."
                        self.scale = switch(
                            "Scale pixels", tip, tab.state.plan.scale, lambda one: tab.change(scale=bool(one))
                        )
                self.about = Plain("p", classes="quiet small")
                self.drawing = Markup(classes="drawing", on_pick=self._pick, on_field=self._widen)
                self.arithmetic = Markup(classes="arithmetic")
                with ui.element("div").classes("onward"):
                    button("Train this network", tab.train, classes="primary", tip="Starts training at once.")
            if tab.shows("code"):
                with ui.element("div").classes("code-side"):
                    with ui.element("div").classes("row head"):
                        Plain("h2", "The same in Keras")
                        copy = button("Copy", lambda: None, classes="quiet", tip="Copies the program.")
                    self.code = Plain("pre", classes="code", tabindex=0, role="region", aria_label="Keras code")
                    copy.on("click", js_handler=copy_text_of(self.code))
        self.refresh()

    def refresh(self) -> None:
        """Show the network as it is set."""
        state = self.tab.state
        plan = state.plan
        shown = (plan, state.data, state.seed)
        if self.tab.shows("recipe"):
            self.recipe.show(plan.name)
        if self.tab.shows("activation"):
            self.activation.show(plan.activation, disabled=not plan.hidden)
        if self.tab.shows("scale"):
            self.scale.show(plan.scale)
        if shown == self.drawn:
            return
        self.drawn = shown
        low, high = plan.expected
        base = RECIPES[plan.name]
        if plan == base and state.data == base.dataset:
            self.about.set_text(f"{base.about} Expect {low:.0f}–{high:.0f} % of the test images right.")
        else:
            self.about.set_text(f"The recipe {base.name}, changed.")
        classes = EMBEDDED[state.data].classes
        size = EMBEDDED[state.data].files[0].shape[1:]
        example = self.tab.data.test.images[0]
        self.drawing.show(draw_layers(plan, size, classes, example, editable=self.tab.shows("layers")))
        self.arithmetic.show(_write_arithmetic([math.prod(size), *plan.hidden, len(classes)]))
        if self.tab.shows("code"):
            ui.timer(0, self._write_code, once=True)

    def tick(self) -> None:
        """Nothing here changes while a network is trained."""

    async def _write_code(self) -> None:
        state = self.tab.state
        code = await self.tab.ask(answers.draft_code, state.plan, state.data, state.seed)
        if code and (state.plan, state.data, state.seed) == self.drawn:  # else it was changed meanwhile
            self.code.set_text(code)

    def _pick(self, pick: str) -> None:
        verb, _, place = pick.partition(":")
        hidden = list(self.tab.state.plan.hidden)
        number = int(place) if place.isdigit() else -1
        if verb == "add" and 0 <= number <= len(hidden) < MOST_LAYERS:
            hidden.insert(number, NEW_WIDTH)
        elif not 0 <= number < len(hidden):
            return
        elif verb == "remove":
            del hidden[number]
        elif verb == "wider":
            hidden[number] = min(MOST_WIDTH, hidden[number] * 2)
        elif verb == "narrower":
            hidden[number] = max(1, hidden[number] // 2)
        self.tab.change(hidden=tuple(hidden))

    def _widen(self, place: str, text: str) -> None:
        hidden = list(self.tab.state.plan.hidden)
        if place.isdigit() and int(place) < len(hidden):
            if text.isascii() and text.isdigit():
                hidden[int(place)] = int(text[:9])
                before = self.tab.state
                self.tab.change(hidden=tuple(hidden))
                if self.tab.state is not before:
                    return
            self.drawn = None  # what was typed cannot be: write the old number again
            self.drawing.show("")
            self.refresh()


def _write_arithmetic(widths: list[int]) -> str:
    counts = [inputs * outputs + outputs for inputs, outputs in pairwise(widths)]
    rows = "".join(
        f"<li>{inputs:,} inputs × {outputs:,} neurons + {outputs:,} biases = <b>{count:,}</b></li>"
        for (inputs, outputs), count in zip(pairwise(widths), counts, strict=True)
    )
    total = f"<p><b>{sum(counts):,}</b> parameters: numbers that training finds</p>"
    return f"{total}<ol>{rows}</ol>"
