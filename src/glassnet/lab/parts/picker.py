"""Which run is shown: a choice of those in the folder."""

from glassnet.lab.parts.controls import choice
from glassnet.lab.shelf import list_runs
from glassnet.lab.tab import Tab


class RunPicker:
    """A choice of the runs in the folder, newest first."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        tip = "Which trained network is shown here. Every finished training is kept."
        self.control = choice("Network", tip, {}, "", tab.show_run)

    def refresh(self) -> None:
        """Show what runs there are by now."""
        runs = list_runs(self.tab.lab.folder)
        options = [[name, f"{name} · {passport.test_accuracy:.1%}"] for name, passport in runs]
        shown = self.tab.run.name if self.tab.run else ""
        if not shown:
            options.insert(0, ["", "none yet" if not runs else "choose one"])
        elif shown not in dict(runs):  # older than those that are listed
            options.append([shown, shown])
        self.control.offer(options)
        self.control.show(shown, disabled=not runs)
