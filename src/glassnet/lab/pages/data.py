"""1 Data: the images before anything is learned from them."""

from contextlib import suppress

import numpy as np
from nicegui import run, ui

from glassnet.errors import GlassnetError
from glassnet.lab.looks import Overview, loaded, overview_of
from glassnet.lab.pages.own import OwnImages, open_filled, put_back, use
from glassnet.lab.parts.charts import draw_histogram
from glassnet.lab.parts.controls import Plain, button, choice
from glassnet.lab.parts.findings import write_findings, write_left_out
from glassnet.lab.parts.markup import Markup, escape
from glassnet.lab.parts.pictures import sprite
from glassnet.lab.parts.widgets import Grid, Loupe
from glassnet.lab.remedies import Remedy, find_remedies
from glassnet.lab.sets import copy_set, find_own, is_changed, own_of, set_facts, set_titles
from glassnet.lab.tab import Tab, next_button

COLUMNS, SHOWN = 12, 96


class DataPanel:
    """Pick a set, look at its classes and its images."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.name = ""
        self.label: int | None = None
        self.start = 0
        self.places: list[tuple[str, int]] = []  # split and number of each image in the grid
        self.overview: Overview | None = None
        self.remedies: tuple[Remedy, ...] = ()
        self.own: OwnImages | None = None
        self.intake = ui.element("div")
        with ui.element("div").classes("columns data") as self.look:
            self._build()
        self.refresh()

    def refresh(self) -> None:
        """Show the chosen set, or the one that is being put together."""
        own = find_own(self.tab.state.own) if self.tab.shows("set") else None
        self.look.set_visibility(own is None)
        self.intake.set_visibility(own is not None)
        if own is not None:
            if self.own is None:
                with self.intake:
                    self.own = OwnImages(self.tab, own)
            else:
                self.own.show(own)
            return
        name = self.tab.state.data
        mine = own_of(name)
        self.left_out.show(write_left_out(mine, changed=is_changed(mine, name)) if mine else "")
        if self.tab.shows("set"):
            self.choice.offer([list(pair) for pair in set_titles(name).items()])
            self.choice.show(name)
            self.change.set_text("Add or remove images…" if mine else "Your own images…")
        if name == self.name:
            return
        self.name, self.label, self.start, self.overview, self.remedies = name, None, 0, None, ()
        self.findings.show("")
        facts = set_facts(name)
        credit = f" {facts.credit}." if facts.credit else ""
        measured = f", {facts.validation:,} for validation" if facts.validation else ""
        self.about.set_text(
            f"{facts.train:,} {facts.about} to learn from, {facts.test:,} for the test{measured}.{credit}"
        )
        self._show_classes()
        self._show_images()
        ui.timer(0, self._sum_up, once=True)

    def tick(self) -> None:
        """Nothing here changes while a network is trained."""

    def _build(self) -> None:
        tab = self.tab
        with ui.element("div").classes("side"):
            if tab.shows("set"):
                tip = "The images to learn from, and others for the test."
                self.choice = choice("Data set", tip, set_titles(tab.state.data), tab.state.data, tab.choose_data)
                tip = "Images from files, folders, a zip or the camera become a set of your own."
                self.change = button("Your own images…", self._open_own, tip=tip)
            self.about = Plain("p", classes="quiet small")
            Plain("h2", "Classes")
            self.classes = Markup(classes="classes", on_pick=self._pick_class)
        with ui.element("div").classes("middle"):
            with ui.element("div").classes("row head"):
                self.title = Plain("h2")
                button("Other images", self._turn_page, tip="Shows the next ones of these images.", classes="quiet")
            self.grid = Grid("Training images", COLUMNS, self._pick_image)
            self.findings = Markup(classes="findings", on_pick=self._mend)
            self.left_out = Markup(classes="findings", on_pick=self._put_back)
        with ui.element("div").classes("side"):
            Plain("h2", "One image")
            self.loupe = Loupe()
            self.loupe.show(np.zeros((28, 28), np.uint8), "Nothing yet", " ")
            Plain("h2", "Brightness of all pixels")
            self.histogram = Markup()
            next_button(tab, "Build a network", "network")

    async def _sum_up(self) -> None:
        name = self.name
        found = await run.io_bound(overview_of, name)
        if name == self.name and found:
            self.overview = found
            self._show_classes()
            remedies = await run.io_bound(_find_remedies, name)
            if name != self.name or remedies is None:  # another set was chosen, or the page was closed
                return
            self.remedies = remedies
            source = self.tab.data.source
            self.findings.show(write_findings(remedies, source.problems if source else ()))
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
        if len(numbers) > SHOWN:
            numbers = np.take(numbers, range(self.start, self.start + SHOWN), mode="wrap")
        self._show_places(
            [("train", number) for number in numbers.tolist()],
            "Training images" if self.label is None else data.classes[self.label],
        )

    def _show_places(self, places: list[tuple[str, int]], title: str) -> None:
        data, self.places = self.tab.data, places
        found = [data.split(split).at(number) for split, number in places]
        names = [
            f"{_WORDS[split]} image {number:,}: {data.classes[label]}"
            for (split, number), (_, label) in zip(places, found, strict=True)
        ]
        self.title.set_text(title)
        empty = np.zeros((0, *data.image_shape), np.uint8)
        self.grid.show(np.stack([image for image, _ in found]) if found else empty, names, selected=0)
        if found:
            self._show_one(0)

    def _show_one(self, place: int) -> None:
        data, (split, number) = self.tab.data, self.places[place]
        image, label = data.split(split).at(number)
        size = " × ".join(map(str, image.shape))
        name, kind = data.classes[label], f"{_WORDS[split]} image {number:,}"
        caption = f"{name}: {kind}, {size} pixels. Point at a pixel to read it."
        self.loupe.show(image, f"{kind[:1].upper()}{kind[1:]}: {name}", caption)

    def _pick_class(self, pick: str) -> None:
        self.label = int(pick) if pick.isdigit() and int(pick) < len(self.tab.data.classes) else None
        self.start = 0
        self._show_classes()
        self._show_images()

    def _pick_image(self, place: int) -> None:
        if 0 <= place < len(self.places):
            self.grid.select(place)
            self._show_one(place)

    def _turn_page(self) -> None:
        self.start += SHOWN
        self._show_images()

    def _open_own(self) -> None:
        """Show the set that the images belong to, or an empty one."""
        if mine := own_of(self.tab.state.data):
            self.tab.open("data", own=mine.key)
        else:
            open_filled(self.tab)

    async def _mend(self, pick: str) -> None:
        """Show the images of a finding, or leave them out."""
        what, _, number = pick.partition(":")
        if not number.isdecimal() or int(number) >= len(self.remedies):
            return
        remedy = self.remedies[int(number)]
        if what == "show":
            self._show_places(list(remedy.shown), remedy.title[:1].upper() + remedy.title[1:])
            return
        name = self.name
        try:
            own, images = own_of(name), [one.rpartition("/")[2] for one in remedy.images]
            if own is None:
                self.tab.say("The images are being copied; your files stay as they are…")
                copied = await run.io_bound(copy_set, name, remedy.images)
                if copied is None:
                    return
                own, images = copied
            new = [image for image in images if image not in own.left_out]
            own.leave_out(new, remedy.why)
        except (GlassnetError, OSError) as error:
            self.tab.say(f"{error}.")
            return
        if not await use(self.tab, own):  # too little would be left
            with suppress(GlassnetError, OSError):  # nothing can be written: that was said
                own.put_back_images(new)

    async def _put_back(self, pick: str) -> None:
        if own := own_of(self.name):
            try:
                put_back(own, pick)
            except GlassnetError as error:
                self.tab.say(f"{error}.")
                return
            if pick.startswith("forget"):
                self.left_out.show(write_left_out(own, changed=is_changed(own, self.name)))
            else:
                await use(self.tab, own)


_WORDS = {"train": "training", "test": "test", "validation": "validation"}


def _find_remedies(name: str) -> tuple[Remedy, ...]:
    return find_remedies(loaded(name))
