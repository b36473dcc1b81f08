"""Intake: where images of one's own come in, class by class; dropped, chosen, or recorded."""

from collections.abc import Callable
from typing import Any

from nicegui.element import Element

from glassnet.lab.arrivals import MOST_ARCHIVE_BYTES, MOST_BYTES
from glassnet.lab.ownset import MOST_CLASSES, MOST_IMAGES, OwnSet, describe

MOST_THUMBS = 120
"""Of a class; the newest ones."""


class Intake(Element, component="intake.js", esm={"glassnet-camera": "camera"}):
    """The classes of a set as cards, and what brings images into them.

    Args:
        tab_key: the secret name of the tab, with which it sends.
        own: the set.
        on_act: is called with what was asked for: a verb, the key of a class, a value.
    """

    def __init__(self, tab_key: str, own: OwnSet, on_act: Callable[[str, str, str], Any]) -> None:
        super().__init__()
        self.tab_key = tab_key
        self._props.update(
            {
                "most-bytes": MOST_BYTES,
                "most-archive-bytes": MOST_ARCHIVE_BYTES,
                "most-images": MOST_IMAGES,
                "most-classes": MOST_CLASSES,
                "most": MOST_THUMBS,
            }
        )
        self.on("act", lambda event: on_act(*(str(event.args.get(one, "")) for one in ("verb", "label", "value"))))
        self.show(own)

    def show(self, own: OwnSet) -> None:
        """Show a set as it is now."""
        self._props.update(own=describe(own, MOST_THUMBS), url=f"/own/{self.tab_key}/{own.key}")
        self.update()
