"""7 Share: the files of a run, its program, and the link to what is set."""

from dataclasses import replace

from nicegui import ui

from glassnet.lab import answers
from glassnet.lab.parts.address import Address
from glassnet.lab.parts.controls import Plain, button, choice, copy_text_of, program
from glassnet.lab.parts.picker import RunPicker
from glassnet.lab.parts.takeaway import TakeAway
from glassnet.lab.state import PANELS
from glassnet.lab.tab import Tab
from glassnet.runs import read_passport
from glassnet.sharing.command import command_line


class SharePanel:
    """What others get: files, a program, a command, a link."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.run: object = None
        self.opens = "training"
        with ui.element("div").classes("columns share"):
            with ui.element("div").classes("side"):
                self.picker = RunPicker(tab)
                self.facts = Plain("p", classes="quiet small")
                self.files = TakeAway(tab, explained=True)
            with ui.element("div").classes("middle"):
                with ui.element("div").classes("again") as self.again:
                    Plain("h2", "Train this run again")
                    with ui.element("div").classes("row"):
                        self.command = Plain("code")
                        copy = button("Copy", lambda: tab.say("The command is copied."))
                        copy.on("click", js_handler=copy_text_of(self.command))
                tip = "What whoever follows the link sees first. Everything else is as it is set here."
                shown = {name: title for name, title in PANELS.items() if tab.shows(name) and name != "share"}
                self.opens = self.opens if self.opens in shown else next(iter(shown), "data")
                self.choice = choice("The link opens", tip, shown, self.opens, self._choose)
                self.address = Address(tab, "What is set now, as a link")
            if tab.shows("code"):
                self.code = program("The run as a Keras program", "Keras program")
        self.refresh()

    def refresh(self) -> None:
        """Show the run that the tab shows, and what is set."""
        self.picker.refresh()
        self.files.refresh()
        self.address.show(replace(self.tab.state, panel=self.opens))
        run = self.tab.run
        if run == self.run and run is not None:
            return
        self.run = run
        passport = read_passport(run) if run else None
        command = command_line(passport) if passport else None
        self.again.set_visibility(command is not None)
        self.command.set_text(command or "")
        self.facts.set_text(
            f"{passport.dataset}, {passport.parameters:,} parameters, "
            f"{passport.test_accuracy:.2%} of {passport.n_test:,} test images right."
            if passport
            else "Train a network first; what can be taken away from it appears here."
        )
        if self.tab.shows("code"):
            self.code.set_text("" if run else "No network yet.")
            if run:
                ui.timer(0, self._write_code, once=True)

    def tick(self) -> None:
        """Nothing here changes while a network is trained."""

    def _choose(self, panel: str) -> None:
        self.opens = panel
        self.choice.show(panel)
        self.refresh()

    async def _write_code(self) -> None:
        run = self.tab.run
        code = await self.tab.ask(answers.code, run) if run else None
        if code and run == self.run:
            self.code.set_text(code)
