"""The state of a tab as a link and as a command, each to be copied."""

from nicegui import ui

from glassnet.lab.links import to_command, to_query
from glassnet.lab.parts.controls import Plain, button, copy_text_of
from glassnet.lab.state import State
from glassnet.lab.tab import Tab


class Address:
    """The link that opens what is set, and the command that trains it.

    Args:
        tab: whose page it is on.
        title: above the link.
    """

    def __init__(self, tab: Tab, title: str) -> None:
        Plain("h2", title)
        with ui.element("div").classes("row"):
            self.link = Plain("code")
            copy = button("Copy link", lambda: tab.say("The link is copied."), tip="To send it, or to keep it.")
            # Only the path is known here: the browser knows under which name it reached this machine.
            path = f"getHtmlElement({self.link.id}).innerText"
            copy.on("click", js_handler=f"() => navigator.clipboard.writeText(location.origin + {path})")
        Plain("h2", "The same training as a command")
        with ui.element("div").classes("row"):
            self.command = Plain("code")
            other = button("Copy command", lambda: tab.say("The command is copied."))
            other.on("click", js_handler=copy_text_of(self.command))
        Plain(
            "p", "For an exercise, add hide=optimizer,epochs to the link: those controls are left away.", "quiet small"
        )

    def show(self, state: State) -> None:
        """Show the link and the command of a state."""
        query = to_query(state)
        self.command.set_text(to_command(state))
        self.link.set_text("/" + (f"?{query}" if query else ""))
