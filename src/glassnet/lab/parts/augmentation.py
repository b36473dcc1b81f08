"""Augmentation: how much images are changed while the network learns, and ten of them before and after."""

import secrets
from typing import Any

import numpy as np
from nicegui import ui

from glassnet.augmentation import LIMITS, Augmentation
from glassnet.lab.parts.controls import Control, Plain, button, number, switch
from glassnet.lab.parts.markup import Markup
from glassnet.lab.parts.pictures import sprite
from glassnet.lab.preview import SHOWN, preview
from glassnet.lab.tab import Tab

TIPS = {
    "shift": ("Shift", "Moves each image at random, by at most so many pixels. 2 suits 28 × 28.", 1),
    "rotate": ("Rotate", "Turns each image at random, by at most so many degrees. 10 is plenty for digits.", 1),
    "zoom": ("Zoom", "Makes each image larger or smaller, by at most this share: 0.1 is a tenth.", 0.05),
    "elastic": ("Elastic", "Bends each image like rubber, by about so many pixels. 1 is much for 28 × 28.", 0.1),
    "erase": ("Erase", "Covers a random rectangle, of at most this share of the side, in half of the images.", 0.1),
}
"""Of each setting: title, what to expect, step."""

FLIP = "Mirrors half of the images, left to right. Good for clothes, never for digits."


class AugmentationBox:
    """The settings, closed as long as nothing is changed; what a training step would see is drawn below them."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.seed = 0
        self.shown: tuple[Any, ...] = ()
        plan = tab.state.plan_for_data
        with Plain("details", classes="augmentation", open=plan.augmentation.any or None):
            self.title = Plain("summary", "Change images while learning")
            with ui.element("div").classes("fields"):
                self.controls: dict[str, Control] = {
                    name: number(
                        title, tip, getattr(plan, name), lambda value, name=name: self._change(name, value),
                        min=0, max=LIMITS[name][0], step=step,
                    )
                    for name, (title, tip, step) in TIPS.items()
                }  # fmt: skip
                self.controls["flip"] = switch("Flip", FLIP, plan.flip, lambda one: tab.change(flip=bool(one)))
            self.pictures = Markup(classes="preview")
            tip = "Draws anew: every step of the training sees other changes."
            self.again = button("Other changes", self._draw_again, classes="quiet", tip=tip)
        self.refresh()

    def refresh(self) -> None:
        """Show the settings, and what they make of ten images."""
        plan = self.tab.state.plan_for_data
        for name, control in self.controls.items():
            control.show(getattr(plan, name))
        self.title.set_text(f"Change images while learning: {sum_up(plan.augmentation)}")
        wanted = (self.tab.state.data, plan.augmentation, self.seed)
        self.again.set_visibility(plan.augmentation.any)
        if not plan.augmentation.any:
            self.shown = ()
            self.pictures.show("")
        elif wanted != self.shown:
            self.shown = wanted
            with self.pictures:
                ui.timer(0, self._draw, once=True)

    def _change(self, name: str, value: Any) -> None:
        self.tab.change(**{name: value if isinstance(value, (int, float)) else 0})

    def _draw_again(self) -> None:
        self.seed = secrets.randbelow(2**31)
        self.refresh()

    async def _draw(self) -> None:
        wanted = self.shown
        found = await self.tab.ask(preview, *wanted)
        if found and wanted == self.shown:
            self.pictures.show(draw_preview(*found))


def sum_up(plan: Augmentation) -> str:
    """Say in a few words what is changed.

    Example:
        >>> sum_up(Augmentation(shift=2, flip=True)), sum_up(Augmentation())
        ('shift 2, flip', 'nothing')
    """
    words = [f"{name} {getattr(plan, name):g}" for name in LIMITS if getattr(plan, name)]
    return ", ".join([*words, "flip"] if plan.flip else words) or "nothing"


def draw_preview(before: np.ndarray, after: np.ndarray) -> str:
    """Draw images above what became of them."""
    return (
        f'<figure><img src="{sprite(before, SHOWN)}" alt="Ten training images as they are">'
        f'<img src="{sprite(after, SHOWN)}" alt="The same ten, changed at random">'
        "<figcaption>Above as they are, below as one step may see them</figcaption></figure>"
    )
