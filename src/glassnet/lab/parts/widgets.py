"""Widgets that live in the browser: the drawing board, photos, the loupe, the tour."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from nicegui.element import Element

from glassnet.lab.parts.pictures import sprite


class Board(Element, component="board.js"):
    """Something to draw on, white on black.

    Args:
        hint: what to draw, as long as nothing is drawn.
        on_drawn: is called with the picture, a PNG, while it is being drawn.
        on_cleared: is called when it was cleared with a key.
    """

    def __init__(self, hint: str, on_drawn: Callable[[bytes], Any], on_cleared: Callable[[], Any]) -> None:
        super().__init__()
        self._props["hint"] = hint
        self.on("drawn", lambda event: on_drawn(_decoded(event.args)))
        self.on("cleared", lambda _: on_cleared(), args=[])

    def clear_drawing(self) -> None:
        """Take away what is drawn."""
        self.run_method("clear")

    def answered(self) -> None:
        """Say that the next picture may come."""
        self.run_method("answered")

    def set_hint(self, hint: str) -> None:
        """Say what to draw."""
        self._props["hint"] = hint
        self.update()


class Photos(Element, component="photos.js", esm={"glassnet-camera": "camera"}):
    """Photos from the user's machine: chosen, dropped, pasted, or from the camera.

    Args:
        url: where each is sent, as the body of a request.
        most: how many at once.
        most_bytes: of each.
        tip: what to expect.
    """

    def __init__(self, url: str, most: int, most_bytes: int, tip: str) -> None:
        super().__init__()
        self._props.update({"url": url, "most": most, "most-bytes": most_bytes, "tip": tip})


class Loupe(Element, component="loupe.js"):
    """One image, large, that tells the value of the pixel under the cursor."""

    def show(self, image: np.ndarray, label: str, caption: str = "") -> None:
        """Show `uint8 (height, width[, 3])`; the caption stands below while no pixel is pointed at."""
        height, width = image.shape[:2]
        pixels = base64.b64encode(np.ascontiguousarray(image).tobytes()).decode()
        self._props.update(pixels=pixels, rows=height, columns=width, label=label, caption=caption)
        self.update()


class Grid(Element, component="grid.js"):
    """Many images as one picture, each to be chosen.

    Args:
        label: what they are.
        columns: in a row.
        on_pick: is called with the place of the chosen one.
    """

    def __init__(self, label: str, columns: int, on_pick: Callable[[int], Any]) -> None:
        super().__init__()
        self._props.update(label=label, columns=columns, names=[], selected=-1)
        self.on("pick", lambda event: on_pick(int(event.args)))

    def show(self, images: np.ndarray, names: Sequence[str], *, selected: int = -1) -> None:
        """Show `uint8 (n, height, width[, 3])`, each with what a reader who does not see it is told."""
        source = sprite(images, self._props["columns"]) if len(images) else ""
        self._props.update(src=source, names=list(names), selected=selected)
        self.update()

    def select(self, place: int) -> None:
        """Mark one of them."""
        self._props["selected"] = place
        self.update()


class Tour(Element, component="tour.js"):
    """Steps that a first visitor is shown: title, text and what is framed meanwhile."""

    def __init__(self, steps: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        self._props["steps"] = [{"title": title, "text": text, "target": target} for title, text, target in steps]

    def start(self) -> None:
        """Show it again."""
        self.run_method("start")


def _decoded(url: object) -> bytes:
    """Return the bytes of a data URL; none if it is something else."""
    head, _, body = str(url).partition(",")
    if head != "data:image/png;base64" or len(body) > 1_000_000:
        return b""
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        return b""
