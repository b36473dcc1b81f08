"""Beat the network: people label a few test images, then see how both did on them."""

from collections import Counter
from typing import Any

import numpy as np
from nicegui import ui
from nicegui.events import KeyEventArguments

from glassnet.datasets import Dataset
from glassnet.lab.answers import Scores
from glassnet.lab.looks import data_of
from glassnet.lab.parts.controls import Plain, button, number
from glassnet.lab.parts.markup import Markup, escape
from glassnet.lab.parts.pictures import sprite
from glassnet.lab.parts.widgets import Loupe
from glassnet.lab.tab import Tab
from glassnet.runs import read_passport

ROUNDS, COLUMNS = 20, 10


def draw_lots(n: int, seed: int) -> np.ndarray:
    """Return which test images are asked about: the same ones for everybody with the same seed.

    Example:
        >>> draw_lots(10_000, 0)[:3] == draw_lots(10_000, 0)[:3]
        array([ True,  True,  True])
    """
    return np.random.default_rng(seed).permutation(n)[:ROUNDS]


class Contest:
    """Some images, one after the other; what they are is not sent to the page before they are labelled."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.scores: Scores | None = None
        self.data: Dataset | None = None
        self.seed = tab.state.lots
        self.lots = np.zeros(0, int)
        self.said: list[int] = []
        self.keys = ui.keyboard(self._press, active=False, repeating=False, ignore=["input", "select", "textarea"])
        with ui.element("div").classes("contest"):
            with ui.element("div").classes("row contest-head"):
                tip = "Who has the same seed is asked about the same images, in the same order."
                self.control = number("Seed of the choice", tip, self.seed, self._choose, min=0, max=2**32 - 1, step=1)
                button("Start again", self.start, tip="The same images, from the first on.")
                self.count = Plain("p", classes="quiet", role="status")
            with ui.element("div").classes("contest-round") as self.round:
                self.loupe = Loupe()
                self.loupe.show(np.zeros((28, 28), np.uint8), "Nothing yet", " ")
                with ui.element("div").classes("contest-ask"):
                    Plain("h2", "What is this?")
                    self.buttons = Markup(classes="contest-buttons", on_pick=self._pick)
                    Plain("p", "Or press a key from 0 to 9.", "quiet small")
                    self.last = Markup(classes="contest-last")
            self.end = Markup(classes="contest-end")

    def show(self, scores: Scores) -> None:
        """Play against a run; what is labelled already counts against it too, if it is the same data."""
        self.scores = scores
        if self.tab.run is None:
            return
        data, seed = data_of(read_passport(self.tab.run)), self.tab.state.lots
        if data is not self.data or seed != self.seed:
            self.data, self.seed = data, seed
            self.control.show(self.seed)
            self.start()
        else:
            self._show()

    def listen(self, on: bool) -> None:
        """Take keys as answers, or leave them alone."""
        if self.keys.active != on:
            self.keys.active = on

    def start(self) -> None:
        """Begin with the first image."""
        if self.scores:
            self.said = []
            self.lots = draw_lots(len(self.scores.labels), self.seed)
            self._show()

    def _choose(self, value: Any) -> None:
        if isinstance(value, int) and 0 <= value < 2**32:
            self.tab.open("results", lots=value)
        else:
            self.tab.say(f"The seed must be a whole number from 0 to {2**32 - 1}.")
            self.control.show(self.seed)

    def _press(self, event: KeyEventArguments) -> None:
        key = str(event.key.name)
        plain = not (event.modifiers.ctrl or event.modifiers.alt or event.modifiers.meta)
        if event.action.keydown and plain and len(key) == 1 and key in "0123456789":
            self._answer(len(self.said), int(key))

    def _pick(self, pick: str) -> None:
        place, _, label = pick.partition(":")
        if place.isdigit() and label.isdigit():
            self._answer(int(place), int(label))

    def _answer(self, place: int, label: int) -> None:
        """Take an answer; a second click on what was answered already changes nothing."""
        if self.scores is None or place != len(self.said) or place >= len(self.lots):
            return
        if label < len(self.scores.record["classes"]):
            self.said.append(label)
            self._show()

    def _show(self) -> None:
        scores, place = self.scores, len(self.said)
        if scores is None or self.data is None:
            return
        classes, asked = scores.record["classes"], len(self.lots)
        going = place < asked
        self.round.set_visibility(going)
        self.end.set_visibility(not going)
        self.count.set_text(f"Image {place + 1} of {asked}" if going else f"All {asked} are labelled.")
        if going:
            image = self.data.test.images[self.lots[place]]
            self.loupe.show(image, f"Image {place + 1} of {asked}, to be labelled by you", " ")
            self.buttons.show(
                "".join(
                    f'<button type="button" data-pick="{place}:{label}">{escape(_write_choice(label, name))}</button>'
                    for label, name in enumerate(classes)
                )
            )
            self.last.show(self._write_last())
        else:
            self.end.show(self._write_end())

    def _write_last(self) -> str:
        """Say how the image before went, now that it is labelled."""
        if not self.said or self.scores is None:
            return ""
        classes, image = self.scores.record["classes"], self.lots[len(self.said) - 1]
        truth, yours, its = int(self.scores.labels[image]), self.said[-1], int(self.scores.predicted[image])
        return (
            f'<p class="quiet small">The one before is {escape(classes[truth])}.</p>'
            f"<p>{_judge('You', yours, truth, classes)}</p><p>{_judge('The network', its, truth, classes)}</p>"
        )

    def _write_end(self) -> str:
        scores = self.scores
        if scores is None or self.data is None:
            return ""
        classes = scores.record["classes"]
        truth = [int(one) for one in scores.labels[self.lots]]
        its = [int(one) for one in scores.predicted[self.lots]]
        yours = self.said
        sides = "".join(
            f'<section><h2>{who}</h2><p class="score"><b>{_right(said, truth) / len(truth):.0%}</b> '
            f"{_right(said, truth)} of {len(truth)} are right</p>{_write_confusions(said, truth, classes)}</section>"
            for who, said in (("You", yours), ("The network", its))
        )
        cells = "".join(
            f'<figure><div class="contest-image" style="{_place(k)}" role="img" '
            f'aria-label="Image {k + 1}: {escape(classes[truth[k]])}"></div><figcaption>{escape(classes[truth[k]])}'
            f"<br>{_judge('you', yours[k], truth[k], classes)}<br>{_judge('it', its[k], truth[k], classes)}"
            "</figcaption></figure>"
            for k in range(len(truth))
        )
        source = sprite(self.data.test.images[self.lots], COLUMNS)
        sheet = f'<div class="contest-sheet" style="--sprite: url({source})">{cells}</div>'
        return f'<div class="contest-sides">{sides}</div><h2>What it is, what you said, what it said</h2>{sheet}'


def _write_choice(label: int, name: str) -> str:
    return name if name == str(label) else f"{label}  {name}"


def _judge(who: str, said: int, truth: int, classes: list[str]) -> str:
    """Write an answer with a mark that does not live by colour alone."""
    right = said == truth
    kind, mark, word = ("right", "✓", "right") if right else ("wrong", "✗", "wrong")
    return (
        f'<span class="{kind}"><span aria-hidden="true">{mark}</span> {who}: {escape(classes[said])}'
        f'<span class="spoken">, {word}</span></span>'
    )


def _right(said: list[int], truth: list[int]) -> int:
    return sum(one == other for one, other in zip(said, truth, strict=True))


def _write_confusions(said: list[int], truth: list[int], classes: list[str]) -> str:
    """List what was taken for what, most often first."""
    wrong = Counter((t, s) for t, s in zip(truth, said, strict=True) if t != s)
    if not wrong:
        return '<p class="quiet small">Nothing was confused.</p>'
    rows = "".join(
        f"<li>{escape(classes[t])} taken for {escape(classes[s])}{f' ({count} times)' if count > 1 else ''}</li>"
        for (t, s), count in wrong.most_common()
    )
    return f'<ul class="small">{rows}</ul>'


def _place(number: int) -> str:
    return f"--x: {number % COLUMNS}; --y: {number // COLUMNS}"
