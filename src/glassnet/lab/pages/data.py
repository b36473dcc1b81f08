"""1 Data: the images before anything is learned from them."""

import numpy as np
from nicegui import run, ui

from glassnet.datasets import EMBEDDED
from glassnet.lab.looks import Overview, overview_of
from glassnet.lab.parts.charts import draw_histogram
from glassnet.lab.parts.controls import Plain, button, choice
from glassnet.lab.parts.markup import Markup, escape
from glassnet.lab.parts.pictures import sprite
from glassnet.lab.parts.widgets import Grid, Loupe
from glassnet.lab.tab import Tab, next_button

COLUMNS, SHOWN = 12, 96


class DataPanel:
    """Pick a set, look at its classes and its images."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.name = ""
        self.label: int | None = None
        self.start = 0
        self.numbers = np.zeros(0, int)
        self.overview: Overview | None = None
        with ui.element("div").classes("columns data"):
            with ui.element("div").classes("side"):
                if tab.shows("set"):
                    titles = {name: one.title for name, one in EMBEDDED.items()}
                    tip = "The images to learn from. Both sets have 60,000 for training and 10,000 for the test."
                    self.choice = choice("Data set", tip, titles, tab.state.data, tab.choose_data)
                self.about = Plain("p", classes="quiet small")
                Plain("h2", "Classes")
                self.classes = Markup(classes="classes", on_pick=self._pick_class)
            with ui.element("div").classes("middle"):
                with ui.element("div").classes("row head"):
                    self.title = Plain("h2")
                    button("Other images", self._turn_page, tip="Shows the next ones of these images.", classes="quiet")
                self.grid = Grid("Training images", COLUMNS, self._pick_image)
            with ui.element("div").classes("side"):
                Plain("h2", "One image")
                self.loupe = Loupe()
                Plain("h2", "Brightness of all pixels")
                self.histogram = Markup()
                next_button(tab, "Build a network", "network")
        self.refresh()

    def refresh(self) -> None:
        """Show the chosen set."""
        name = self.tab.state.data
        if name == self.name:
            return
        self.name, self.label, self.start, self.overview = name, None, 0, None
        if self.tab.shows("set"):
            self.choice.show(name)
        facts = EMBEDDED[name]
        n_train, n_test = facts.files[0].shape[0], facts.files[2].shape[0]
        self.about.set_text(f"{n_train:,} {facts.about} to learn from, {n_test:,} for the test. {facts.credit}.")
        self._show_classes()
        self._show_images()
        ui.timer(0, self._sum_up, once=True)

    def tick(self) -> None:
        """Nothing here changes while a network is trained."""

    async def _sum_up(self) -> None:
        name = self.name
        found = await run.io_bound(overview_of, name)
        if name == self.name and found:
            self.overview = found
            self._show_classes()
            pixels = sum(found.histogram)
            dark, bright = found.histogram[0] / pixels, found.histogram[-1] / pixels
            about = f"Histogram of brightness: {dark:.0%} of the pixels are nearly black, {bright:.0%} nearly white"
            self.histogram.show(draw_histogram(found.histogram, about))

    def _show_classes(self) -> None:
        classes = self.tab.data.classes
        means = sprite(self.overview.means, len(classes)) if self.overview else ""
        style = f' style="--sprite: url({means}); --count: {len(classes)}"' if means else ""
        rows = [
            f'<button type="button" data-pick="all" aria-pressed="{self._pressed(None)}">'
            '<span class="class-name">All classes</span></button>'
        ]
        for label, name in enumerate(classes):
            count = f"{self.overview.counts[label]:,}" if self.overview else ""
            rows.append(
                f'<button type="button" data-pick="{label}" aria-pressed="{self._pressed(label)}" '
                f'title="The mean of all training images of {escape(name)}">'
                f'<i class="class-mean" style="--place: {label}"></i><span class="class-name">{escape(name)}</span>'
                f'<span class="class-count">{count}</span></button>'
            )
        self.classes.show(f"<div{style}>{''.join(rows)}</div>")

    def _pressed(self, label: int | None) -> str:
        return "true" if label == self.label else "false"

    def _show_images(self) -> None:
        data = self.tab.data
        labels = data.train.labels
        numbers = np.arange(len(labels)) if self.label is None else np.flatnonzero(labels == self.label)
        self.numbers = np.take(numbers, range(self.start, self.start + SHOWN), mode="wrap")
        names = [f"training image {number:,}: {data.classes[labels[number]]}" for number in self.numbers]
        kind = "Training images" if self.label is None else data.classes[self.label]
        self.title.set_text(kind)
        self.grid.show(data.train.images[self.numbers], names, selected=0)
        self._show_one(0)

    def _show_one(self, place: int) -> None:
        data, number = self.tab.data, int(self.numbers[place])
        image, label = data.train.at(number)
        size = " × ".join(map(str, image.shape))
        name = data.classes[label]
        caption = f"{name}: training image {number:,}, {size} pixels. Point at a pixel to read it."
        self.loupe.show(image, f"Training image {number}: {name}", caption)

    def _pick_class(self, pick: str) -> None:
        self.label = int(pick) if pick.isdigit() and int(pick) < len(self.tab.data.classes) else None
        self.start = 0
        self._show_classes()
        self._show_images()

    def _pick_image(self, place: int) -> None:
        if 0 <= place < len(self.numbers):
            self.grid.select(place)
            self._show_one(place)

    def _turn_page(self) -> None:
        self.start += SHOWN
        self._show_images()
