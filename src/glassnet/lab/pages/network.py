"""2 Network: the layers as a drawing that can be changed, and the Keras code beside it."""

from nicegui import ui

from glassnet.lab import answers
from glassnet.lab.parts.controls import Plain, button, choice, number, program, switch
from glassnet.lab.parts.markup import Markup
from glassnet.lab.parts.network import draw_layers, write_arithmetic
from glassnet.lab.sets import set_facts
from glassnet.lab.state import MOST_FILTERS, MOST_LAYERS, MOST_WIDTH
from glassnet.lab.tab import Tab
from glassnet.recipes import ACTIVATIONS, RECIPES

KINDS = {"hidden": (64, MOST_WIDTH), "filters": (16, MOST_FILTERS)}
"""What can be added on the drawing: units of a new layer or block, and the most of one."""


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
                    if tab.shows("norm"):
                        tip = "Brings what each filter gives to mean 0 and spread 1 over the batch: learns sooner."
                        self.norm = switch(
                            "Normalise", tip, tab.state.plan.batch_norm, lambda one: tab.change(batch_norm=bool(one))
                        )
                    if tab.shows("dropout"):
                        tip = "Share of the last layer's inputs left out in each step: against learning by heart."
                        self.dropout = number(
                            "Dropout", tip, tab.state.plan.dropout, self._change_dropout, min=0, max=0.9, step=0.1
                        )
                self.about = Plain("p", classes="quiet small")
                self.drawing = Markup(classes="drawing", on_pick=self._pick, on_field=self._widen)
                self.arithmetic = Markup(classes="arithmetic")
                with ui.element("div").classes("onward"):
                    button("Train this network", tab.train, classes="primary", tip="Starts training at once.")
            if tab.shows("code"):
                self.code = program("The same in Keras", "Keras code")
        self.refresh()

    def refresh(self) -> None:
        """Show the network as it is set."""
        state = self.tab.state
        plan = state.plan
        shown = (plan, state.data, state.seed)
        if self.tab.shows("recipe"):
            self.recipe.show(plan.name)
        if self.tab.shows("activation"):
            self.activation.show(plan.activation, disabled=not (plan.hidden or plan.filters))
        if self.tab.shows("norm"):
            self.norm.show(plan.batch_norm, disabled=not plan.filters)
        if self.tab.shows("dropout"):
            self.dropout.show(plan.dropout)
        if self.tab.shows("scale"):
            self.scale.show(plan.scale)
        if shown == self.drawn:
            return
        self.drawn = shown
        base = RECIPES[plan.name]
        expected = base.expected.get(state.data)
        if plan == base:
            promise = f" Expect {expected[0]:.1f} to {expected[1]:.1f} % of the test images right." if expected else ""
            self.about.set_text(base.about + promise)
        else:
            self.about.set_text(f"The recipe {base.name}, changed.")
        facts = set_facts(state.data)
        classes, size = facts.classes, facts.image_shape
        example = self.tab.data.test.images[0]
        self.drawing.show(draw_layers(plan, size, classes, example, editable=self.tab.shows("layers")))
        self.arithmetic.show(write_arithmetic(self.tab.state.plan_for_data, size, len(classes)))
        if self.tab.shows("code"):
            ui.timer(0, self._write_code, once=True)

    def tick(self) -> None:
        """Nothing here changes while a network is trained."""

    def _change_dropout(self, value: float | str | None) -> None:
        self.tab.change(dropout=value or 0.0)

    async def _write_code(self) -> None:
        state = self.tab.state
        code = await self.tab.ask(answers.draft_code, state.plan_to_train, state.data, state.seed)
        if code and (state.plan, state.data, state.seed) == self.drawn:  # else it was changed meanwhile
            self.code.set_text(code)

    def _pick(self, pick: str) -> None:
        verb, _, rest = pick.partition(":")
        which, _, place = rest.partition(":")
        if which not in KINDS:
            return
        new, most = KINDS[which]
        widths = list(getattr(self.tab.state.plan, which))
        number = int(place) if place.isdecimal() else -1
        if verb == "add" and 0 <= number <= len(widths) < MOST_LAYERS:
            widths.insert(number, new)
        elif not 0 <= number < len(widths):
            return
        elif verb == "remove":
            del widths[number]
        elif verb == "wider":
            widths[number] = min(most, widths[number] * 2)
        elif verb == "narrower":
            widths[number] = max(1, widths[number] // 2)
        self.tab.change(**{which: tuple(widths)})

    def _widen(self, field: str, text: str) -> None:
        which, _, place = field.partition(":")
        if which not in KINDS or not place.isdecimal():
            return
        widths = list(getattr(self.tab.state.plan, which))
        if int(place) < len(widths):
            if text.isascii() and text.isdigit():
                widths[int(place)] = int(text[:9])
                before = self.tab.state
                self.tab.change(**{which: tuple(widths)})
                if self.tab.state is not before:
                    return
            self.drawn = None  # what was typed cannot be: write the old number again
            self.drawing.show("")
            self.refresh()
