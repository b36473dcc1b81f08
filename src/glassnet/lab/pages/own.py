"""1 Data, images of one's own: classes as cards, filled from files, folders, archives and the camera."""

from dataclasses import replace

from nicegui import run, ui

from glassnet.audit.findings import counted
from glassnet.errors import GlassnetError
from glassnet.lab.looks import loaded
from glassnet.lab.ownset import REMOVED, OwnSet
from glassnet.lab.parts.controls import Plain, button, choice
from glassnet.lab.parts.findings import write_left_out
from glassnet.lab.parts.intake import Intake
from glassnet.lab.parts.markup import Markup
from glassnet.lab.sets import list_own, own_of, own_sets
from glassnet.lab.state import State
from glassnet.lab.tab import Tab
from glassnet.recipes import find

RECIPE = "cnn"
"""What a tab that has set nothing yet trains on images of one's own."""


class OwnImages:
    """Put a set together, and use it."""

    def __init__(self, tab: Tab, own: OwnSet) -> None:
        self.tab, self.own = tab, own
        self.asked_to_delete = False
        with ui.element("div").classes("own"):
            with ui.element("div").classes("row own-bar"):
                Plain("h2", "Your own images")
                tip = "The sets that were put together here. Everybody who can open this lab can use them."
                self.sets = choice("Set of images", tip, {}, own.key, self._open)
                button("New set", self._make, tip="An empty set, with two classes to begin with.")
                button("Back", lambda: tab.open("data", own=""), classes="quiet", tip="Back to the images.")
            Plain(
                "p",
                "Make a class for each thing to be told apart, and give each at least 20 images, as different as they "
                "will be later. A folder or a zip with a folder for each class can be dropped anywhere on this page. "
                "Images stay on the machine of this lab, made smaller, without place or date.",
                classes="quiet small",
            )
            self.intake = Intake(tab.key, own, self._act)
            self.left_out = Markup(classes="findings", on_pick=self._put_back)
            with ui.element("div").classes("row own-bar"):
                self.delete = button(
                    "Delete this set…", self._delete, classes="quiet", tip="For good, on this machine."
                )
                self.reason = Plain("p", classes="quiet", role="status")
                tip = "Divides the images into those to learn from and those for the test, and looks at them."
                self.use = button("Use these images", self._use, classes="primary", tip=tip)
        self.show(own)

    def show(self, own: OwnSet) -> None:
        """Show a set as it is now."""
        self.own = own
        self._ask_to_delete(False)
        several = list_own()
        self.sets.offer([[one.key, one.title] for one in several])
        self.sets.show(own.key)
        self.sets.set_visibility(len(several) > 1)
        self.intake.show(own)
        self.left_out.show(write_left_out(own))
        reason = own.why_not()
        used = sum(len(own.used(one.key)) for one in own.shown)
        self.reason.set_text(f"{reason[:1].upper()}{reason[1:]}." if reason else f"{counted(used, 'image')} to use.")
        self.use.set(disabled="" if reason else None)

    def _act(self, verb: str, label: str, value: str) -> None:
        """Do what the cards ask for; what cannot be is said, and shown as it was."""
        own = self.own
        try:
            if verb == "title":
                own.rename(value)
            elif verb == "add-class":
                own.add_class()
            elif verb == "rename":
                own.rename_class(label, value)
            elif verb == "remove-class":
                own.remove_class(label)
            elif verb == "remove":
                own.leave_out([value], REMOVED)
        except GlassnetError as error:
            self.tab.say(f"{error}.")
        self.show(own)

    def _put_back(self, pick: str) -> None:
        try:
            put_back(self.own, pick)
        except GlassnetError as error:
            self.tab.say(f"{error}.")
        self.show(self.own)

    def _open(self, key: str) -> None:
        self.tab.open("data", own=key)

    def _make(self) -> None:
        open_new(self.tab)

    def _ask_to_delete(self, asked: bool) -> None:
        self.asked_to_delete = asked
        images = counted(sum(map(len, self.own.images.values())), "image")
        self.delete.set_text(f"Really delete {self.own.title} with {images}?" if asked else "Delete this set…")

    async def _delete(self) -> None:
        sets = own_sets()
        if not self.asked_to_delete or sets is None:
            self._ask_to_delete(True)
            return
        of_this = own_of(self.tab.state.data) is self.own
        await run.io_bound(sets.delete, self.own.key)
        data = State().data if of_this else self.tab.state.data
        self.tab.state = replace(self.tab.state, own="", data=data)
        self.tab.refresh()

    async def _use(self) -> None:
        await use(self.tab, self.own)


def open_filled(tab: Tab) -> None:
    """Show the newest set with images that nobody has open, or an empty one."""
    filled = (one for one in _closed(tab) if any(one.images.values()))
    if one := next(filled, None):
        tab.open("data", own=one.key)
    else:
        open_new(tab)


def open_new(tab: Tab) -> None:
    """Show an empty set: one that was made before and not touched, or a new one."""
    sets = own_sets()
    if sets is None:
        return
    try:
        untouched = (one for one in _closed(tab) if one.is_untouched)
        tab.open("data", own=(next(untouched, None) or sets.create()).key)
    except (GlassnetError, OSError) as error:
        tab.say(f"{error}.")


def _closed(tab: Tab) -> list[OwnSet]:
    """Return the sets that no tab is putting together, the newest first: many people may share the lab."""
    opened = {one.state.own for one in tab.lab.tabs.values()}
    return [one for one in list_own() if one.key not in opened]


def put_back(own: OwnSet, pick: str) -> None:
    """Do what a click on a line of what is left out asks for.

    Raises:
        InputError: a class cannot come back, because another one has its name.
    """
    what, _, which = pick.partition(":")
    if what == "back":
        own.put_back(which)
    elif what == "class":
        own.remove_class(which, removed=False)
    elif what == "forget":
        own.forget_refused()


async def use(tab: Tab, own: OwnSet) -> bool:
    """Make the set, as it is now, the tab's data set; tell whether that worked."""
    tab.say("The images are being prepared…")
    try:
        name = await run.io_bound(_prepare, own)
    except (GlassnetError, OSError) as error:
        tab.say(f"{error}.")
        return False
    if name is None:  # the lab is being closed
        return False
    state = replace(tab.state, data=name, own="", panel="data")
    said = f"{own.title} is chosen."
    if state.plan == State().plan:
        state = replace(state, plan=find(RECIPE))
        said += f" So is the recipe {RECIPE}, which is made for images of one's own."
    tab.say(said)
    tab.state = state
    tab.refresh()
    return True


def _prepare(own: OwnSet) -> str:
    name = str(own.write_version())
    loaded(name)  # decodes and packs the images, once
    return name
