"""Knobs: the settings of a training, beside its buttons."""

from nicegui import ui

from glassnet.audit.findings import counted
from glassnet.lab.parts.augmentation import AugmentationBox
from glassnet.lab.parts.controls import Control, Plain, choice, number, switch
from glassnet.lab.sets import set_facts
from glassnet.lab.state import MOST_EPOCHS, MOST_REPEATS, State
from glassnet.lab.tab import Tab
from glassnet.recipes import OPTIMIZERS, SCHEDULES


class Knobs:
    """How the next training goes: what the link does not hide of it."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        plan = tab.state.plan
        self.controls: dict[str, Control] = {}
        with ui.element("div").classes("fields"):
            if tab.shows("optimizer"):
                tip = "How weights follow the error downhill. Adam adapts its steps, and is a good start."
                self.controls["optimizer"] = choice(
                    "Optimiser", tip, {name: name for name in OPTIMIZERS}, plan.optimizer,
                    lambda one: tab.change(optimizer=one),
                )  # fmt: skip
            if tab.shows("rate"):
                tip = "How large each step is. Too small learns slowly, too large never settles. Empty: the usual one."
                self.controls["learning_rate"] = number(
                    "Learning rate", tip, plan.learning_rate, self._change_rate, placeholder="usual", min=0, step="any"
                )
            if tab.shows("schedule"):
                tip = "Constant, or one cycle: steps grow at first, then shrink to nothing. Often ends higher."
                self.controls["schedule"] = choice(
                    "Schedule", tip, {name: name for name in SCHEDULES}, plan.schedule,
                    lambda one: tab.change(schedule=one),
                )  # fmt: skip
            if tab.shows("batch"):
                tip = "Images per step. Small batches step more often; large ones are calmer and faster."
                self.controls["batch_size"] = number(
                    "Batch size", tip, plan.batch_size, lambda one: tab.change(batch_size=one), min=1, step=1
                )
            if tab.shows("epochs"):
                tip = f"How often all images are seen, at most {MOST_EPOCHS}. More helps, until it learns by heart."
                self.controls["epochs"] = number(
                    "Epochs", tip, plan.epochs, lambda one: tab.change(epochs=one), min=1, max=MOST_EPOCHS, step=1
                )
            if tab.shows("seed"):
                tip = "Start of the random numbers. Another seed shows how much of a result is luck."
                self.controls["seed"] = number("Seed", tip, tab.state.seed, tab.set_seed, min=0, step=1)
                tip = f"Trains so many times, at most {MOST_REPEATS}, each with the next seed: how much of it is luck?"
                self.controls["repeats"] = number(
                    "Repeats", tip, tab.state.repeats, tab.set_repeats, min=1, max=MOST_REPEATS, step=1
                )
        self.fitted = Plain("p", classes="quiet small")
        with ui.element("div").classes("fields"):
            if tab.shows("scale"):
                tip = "Divides pixels by 255. Turn it off to see why everybody does it."
                self.controls["scale"] = switch(
                    "Scale pixels", tip, plan.scale, lambda one: tab.change(scale=bool(one))
                )
            if tab.shows("validation"):
                tip = (
                    "Measures images that it does not learn from after every epoch, those for validation or else for "
                    "the test: a second curve."
                )
                self.controls["validation"] = switch(
                    "Validate", tip, plan.validation, lambda one: tab.change(validation=bool(one))
                )
        self.augmentation = AugmentationBox(tab) if tab.shows("augmentation") else None

    def refresh(self) -> None:
        """Show what is set."""
        state, job = self.tab.state, self.tab.job
        # What follows a schedule cannot be changed on its way; before and afterwards it is the schedule's largest rate.
        follows = job is not None and job.active and job.order.plan.schedule != "constant"
        for name, control in self.controls.items():
            value = {"seed": state.seed, "repeats": state.repeats}.get(name, getattr(state.plan, name, None))
            control.show("" if value is None else value, disabled=follows and name == "learning_rate")
        self.fitted.set_text(say_fitted(state))
        self.fitted.set_visibility(bool(self.fitted.text))
        if self.augmentation:
            self.augmentation.refresh()

    def _change_rate(self, value: float | str | None) -> None:
        """Change the learning rate; what trains now takes it up at once."""
        rate = None if value in ("", None) else value
        before = self.tab.state.plan.learning_rate
        self.tab.change(learning_rate=rate)
        job = self.tab.job
        if job and job.active and isinstance(rate, (int, float)) and self.tab.state.plan.learning_rate != before:
            self.tab.steer("set_learning_rate", float(rate))


def say_fitted(state: State) -> str:
    """Say what a training makes of the batch size and the epochs because of few images; nothing if it leaves them."""
    plan, fitted = state.plan, state.plan_to_train
    if (plan.batch_size, plan.epochs) == (fitted.batch_size, fitted.epochs):
        return ""
    images = counted(set_facts(state.data).train, "training image")
    return f"With {images}, it trains {counted(fitted.epochs, 'epoch')} in batches of {fitted.batch_size}."
