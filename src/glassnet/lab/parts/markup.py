"""Markup: HTML that Python writes, whose clicks come back."""

import html
from collections.abc import Callable
from typing import Any

from nicegui.elements.html import Html


def escape(text: object) -> str:
    """Return a text that is safe inside HTML and its attributes."""
    return html.escape(str(text), quote=True)


class Markup(Html):
    """A piece of HTML; what a click on an element with `data-pick` gives back is the value of that attribute.

    One element for a table of a hundred buttons: each as an element of its own would cost the page its speed.

    Args:
        content: trusted HTML, foreign text in it escaped.
        classes: of the style sheet.
        on_pick: is called with the `data-pick` of what was clicked.
        on_field: is called with the `data-field` of what was changed, and its new value.
        tag: the element around it.
    """

    def __init__(
        self,
        content: str = "",
        classes: str = "",
        *,
        on_pick: Callable[[str], Any] | None = None,
        on_field: Callable[[str, str], Any] | None = None,
        tag: str = "div",
    ) -> None:
        super().__init__(content, sanitize=False, tag=tag)
        self._classes.extend(classes.split())
        if on_pick:
            self.on(
                "click",
                lambda event: on_pick(str(event.args)),
                js_handler="(e) => { const one = e.target.closest('[data-pick]'); if (one) emit(one.dataset.pick); }",
            )
        if on_field:
            self.on(
                "change",
                lambda event: on_field(str(event.args[0]), str(event.args[1])),
                js_handler="(e) => { if (e.target.dataset.field) emit([e.target.dataset.field, e.target.value]); }",
            )

    def show(self, content: str) -> None:
        """Replace the content, if it is another; a focused `data-pick` keeps the focus."""
        if content == self.content:
            return
        self.content = content
        self.client.run_javascript(_KEEP_FOCUS.replace("ID", str(self.html_id)))


# The new content comes with the next frame; whoever works with the keyboard stays where they are.
_KEEP_FOCUS = """
(() => {
  const one = document.activeElement;
  const key = one?.closest?.('#ID') && (one.dataset.pick ? 'pick' : one.dataset.field ? 'field' : null);
  if (!key) return;
  const value = one.dataset[key];
  setTimeout(() => {
    if (document.activeElement === document.body)
      document.querySelector(`#ID [data-${key}="${CSS.escape(value)}"]`)?.focus();
  }, 60);
})()
"""
