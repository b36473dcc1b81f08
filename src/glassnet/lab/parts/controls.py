"""Controls: a choice, a number, a switch, a button; each with a name and a word on what to expect."""

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

Change = Callable[[Any], None]


class Control(Element, component="control.js"):
    """One control: its name above, its explanation on hover and focus.

    Args:
        kind: "select", "number" or "switch".
        label: its name.
        tip: what it does, and what to expect.
        value: what it is set to.
        on_change: is called with the new value.
        settings: options of a choice; min, max, step and placeholder of a number.
    """

    def __init__(self, kind: str, label: str, tip: str, value: Any, on_change: Change, **settings: Any) -> None:
        super().__init__()
        self._props.update(kind=kind, label=label, tip=tip, value=value, revision=0, **settings)
        self.on("change", lambda event: on_change(event.args) if self._can_be(event.args) else self._show_again())

    def offer(self, options: list[list[str]]) -> None:
        """Offer other values, as pairs of value and text."""
        if options != self._props["options"]:
            self._props["options"] = options
            self.update()

    def show(self, value: Any, *, disabled: bool = False) -> None:
        """Set it, also where the user has typed something else."""
        if (self._props["value"], self._props.get("disabled", False)) == (value, disabled):
            self._props["revision"] += 1
        self._props["value"], self._props["disabled"] = value, disabled
        self.update()

    def _show_again(self) -> None:
        self.show(self._props["value"], disabled=self._props.get("disabled", False))

    def _can_be(self, value: Any) -> bool:
        """Tell whether a value is one that the control can have; what comes from a page can be anything."""
        kind = self._props["kind"]
        if kind == "select":
            return any(value == one for one, _ in self._props["options"])
        return isinstance(value, bool) if kind == "switch" else value == "" or isinstance(value, (int, float))


def choice(label: str, tip: str, options: Mapping[str, str], value: str, on_change: Change) -> Control:
    """Offer one of several; options map values to what is shown."""
    return Control("select", label, tip, value, on_change, options=[list(pair) for pair in options.items()])


def number(
    label: str, tip: str, value: float | None, on_change: Change, *, placeholder: str = "", **limits: float | str
) -> Control:
    """Ask for a number; empty means None."""
    shown = "" if value is None else value
    return Control("number", label, tip, shown, on_change, placeholder=placeholder, **limits)


def switch(label: str, tip: str, value: bool, on_change: Change) -> Control:
    """Turn something on or off."""
    return Control("switch", label, tip, value, on_change)


class Plain(TextElement):
    """A plain HTML element with text.

    Args:
        tag: such as "h2".
        text: inside it.
        classes: of the style sheet.
        attributes: of the element; underscores become dashes.
    """

    def __init__(self, tag: str, text: str = "", classes: str = "", **attributes: Any) -> None:
        super().__init__(tag=tag, text=text)
        self._classes.extend(classes.split())
        self.set(**attributes)

    def set(self, **attributes: Any) -> "Plain":
        """Change attributes; None takes one away."""
        for name, value in attributes.items():
            key = name.rstrip("_").replace("_", "-")
            if value is None:
                self._props.pop(key, None)
            else:
                self._props[key] = value
        self.update()
        return self


def copy_text_of(element: Element) -> str:
    """Return the handler of a click that copies an element's text; it runs in the browser."""
    return f"() => navigator.clipboard.writeText(getHtmlElement({element.id}).innerText)"


def button(text: str, on_click: Callable[[], Any], *, tip: str = "", classes: str = "", **attributes: Any) -> Plain:
    """A button; `tip` says what happens on a click."""
    if tip:
        attributes["data_tip"] = tip
        attributes["aria_description"] = tip
    result = Plain("button", text, classes, type="button", **attributes)
    result.on("click", lambda _: on_click(), args=[])
    return result


def program(title: str, label: str) -> Plain:
    """A column with a program and a button that copies it; return the element that shows the text."""
    with ui.element("div").classes("code-side"):
        with ui.element("div").classes("row head"):
            Plain("h2", title)
            copy = button("Copy", lambda: None, classes="quiet", tip="Copies the program.")
        code = Plain("pre", classes="code", tabindex=0, role="region", aria_label=label)
        copy.on("click", js_handler=copy_text_of(code))
    return code
