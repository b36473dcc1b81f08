"""What can be taken away from a run: its report, its model file, its Keras program."""

from pathlib import Path

from nicegui import ui

from glassnet.lab import answers
from glassnet.lab.parts.controls import Plain, button
from glassnet.lab.parts.markup import Markup, escape
from glassnet.lab.tab import Tab

REPORT = "One file with everything about this run, to read or to mail. It takes some seconds."
MODEL = "Loads in plain Keras, where glassnet is not installed."
PROGRAM = "Builds and trains the same network in plain Keras."


class TakeAway:
    """Links to the files of the run that the tab shows, and the report that is written on demand.

    Args:
        tab: whose page it is on.
        explained: with a sentence on what each file is good for.
    """

    def __init__(self, tab: Tab, *, explained: bool = False) -> None:
        self.tab, self.explained = tab, explained
        self.name = ""
        with ui.element("div").classes("downloads") as self.place:
            Plain("h2", "Take it away")
            self.files = Markup()
            self.report = button("Report", self._write_report, tip="" if explained else REPORT)
            if explained:
                Plain("p", REPORT, "quiet small")
            self.written = Markup()
        self.refresh()

    def refresh(self) -> None:
        """Offer the files of the run that the tab shows."""
        run = self.tab.run
        self.place.set_visibility(run is not None)
        if run is None:
            return
        self.written.show(self._link(run) if (run / "report.html").is_file() else "")
        if run.name == self.name:
            return
        self.name = run.name
        address, words = f"/runs/{escape(run.name)}", escape(run.name)
        self.files.show(
            f'<a href="{address}/model.keras" download="{words}.keras">Model (Keras)</a>{self._explain(MODEL)}'
            f'<a href="{address}/code.py" download="{words}.py">Program (Keras)</a>{self._explain(PROGRAM)}'
        )

    async def _write_report(self) -> None:
        run = self.tab.run
        if run is None:
            return
        self.report.set(disabled=True)
        self.report.set_text("Writing …")
        path = await self.tab.ask(answers.report, run)
        self.report.set(disabled=None)
        self.report.set_text("Report")
        if path:
            self.tab.say("The report is written.")
            self.refresh()

    def _link(self, run: Path) -> str:
        return f'<a href="/runs/{escape(run.name)}/report.html" target="_blank">Open the report</a>'

    def _explain(self, text: str) -> str:
        return f'<p class="quiet small">{text}</p>' if self.explained else ""
