"""A slider over a few values, each with its words."""

from collections.abc import Callable, Sequence
from typing import Any

from nicegui.element import Element


class Slider(Element, component="slider.js"):
    """A slider that is heard when it is released, or moved by a key.

    Args:
        label: its name.
        tip: what it does, and what to expect.
        on_change: is called with the place of the new value.
    """

    def __init__(self, label: str, tip: str, on_change: Callable[[int], Any]) -> None:
        super().__init__()
        self._props.update(label=label, tip=tip, texts=[""], value=0)
        self.on("change", lambda event: on_change(event.args) if self._can_be(event.args) else None)

    def offer(self, texts: Sequence[str], place: int) -> None:
        """Offer other values, and stand at one of them."""
        self._props.update(texts=list(texts), value=place)
        self.update()

    def _can_be(self, place: object) -> bool:
        return isinstance(place, int) and 0 <= place < len(self._props["texts"])
