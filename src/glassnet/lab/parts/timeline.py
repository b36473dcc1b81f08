"""A slider over the moments of a training, for hand and keyboard."""

from collections.abc import Callable, Sequence
from typing import Any

from nicegui.element import Element


class Timeline(Element, component="timeline.js"):
    """A slider that is heard while it moves.

    Args:
        label: what it moves through.
        on_move: is called with the number of the moment.
    """

    def __init__(self, label: str, on_move: Callable[[int], Any]) -> None:
        super().__init__()
        self._props.update(label=label, names=["start"], value=0, revision=0)

        def move(place: object) -> None:
            if isinstance(place, int) and 0 <= place < len(self._props["names"]):
                self._props["value"] = place  # the browser shows it already
                on_move(place)

        self.on("moved", lambda event: move(event.args))

    def show(self, names: Sequence[str], place: int) -> None:
        """Offer these moments, and stand at one."""
        self._props.update(names=list(names), value=place, revision=self._props["revision"] + 1)
        self.update()
