"""5 Try it: one's own drawing, a photo, a random test image, and what the network says."""

import random
from collections import deque
from dataclasses import replace
from pathlib import Path

import numpy as np
from nicegui import ui

from glassnet.lab import answers, developing, switching
from glassnet.lab.answers import Answer
from glassnet.lab.parts.bars import draw_choices, draw_sureness, say_unlike, say_untold, write_percent
from glassnet.lab.parts.controls import Plain, button, choice
from glassnet.lab.parts.inside import Inside
from glassnet.lab.parts.markup import Markup, escape
from glassnet.lab.parts.picker import RunPicker
from glassnet.lab.parts.widgets import Board, Grid, Loupe, Photos
from glassnet.lab.state import ALL_ANSWERS, ERRORS
from glassnet.lab.tab import Tab
from glassnet.runs import ASSURANCE, read_passport

MOST_PHOTOS, MOST_BYTES = 20, 10_000_000


HINTS = {"mnist": "Draw a digit", "fashion-mnist": "Draw a piece of clothing"}


class TryPanel:
    """Draw or bring a picture, and watch the probabilities."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.run: object = None
        self.shown: Answer | None = None
        self.asked: Answer | None = None  # the same as the network was trained
        self.classes: tuple[str, ...] = ()
        self.accepted = tab.state.max_error  # share of wrong answers
        self.tells = False  # whether held-out images tell how sure the run may be
        self.boards = 0  # how often the board was cleared
        self.tried: deque[Answer] = deque(maxlen=MOST_PHOTOS)
        tab.receive_photo = self._read_photo
        with ui.element("div").classes("columns tryit"):
            with ui.element("div").classes("side"):
                self.picker = RunPicker(tab)
                self.board = Board("", self._ask_drawing, self._clear)
                with ui.element("div").classes("buttons"):
                    button("Clear", self._clear_board, tip="An empty board.")
                    button("Random test image", self._ask_random, tip="An image that it has not learned from.")
                    tip = "Choose, drop or paste photos; at most 10 MB each. They stay on this machine."
                    Photos(f"/photo/{tab.key}", MOST_PHOTOS, MOST_BYTES, tip)
            with ui.element("div").classes("side"):
                Plain("h2", "What the network sees")
                self.loupe = Loupe()
                self.loupe.show(np.zeros((28, 28), np.uint8), "Nothing yet", " ")
                with ui.element("div").classes("tried") as self.past:
                    Plain("h2", "Tried before")
                    self.before = Grid("Pictures tried before", 8, self._pick_before)
                self.past.set_visibility(False)
            with ui.element("div").classes("middle"):
                with ui.element("div").classes("answered"):
                    self.answer = Markup(classes="answer")
                    tip = 'What is less sure becomes "I don\'t know". Held-out images tell how sure it has to be.'
                    shares = {str(error): f"{error:.1%}".replace(".0%", "%") + " of them" for error in ERRORS}
                    options = shares | {str(ALL_ANSWERS): "any of them"}
                    self.max_error = choice("Answers may be wrong", tip, options, str(self.accepted), self._accept)
                self.bars = Markup(on_pick=self._pick_class)
                self.sureness = Markup(classes="sureness")
                self.inside = Inside(tab, self._ask_again)
        self.refresh()

    def refresh(self) -> None:
        """Show the run that the tab shows."""
        self.picker.refresh()
        run = self.tab.run
        if self.accepted != self.tab.state.max_error:
            self.accepted = self.tab.state.max_error
            self.max_error.show(str(self.accepted))
            if self.shown and run == self.run:
                self._write(self.shown)
        if run == self.run and run is not None:
            return
        self.run = run
        self.tells = run is not None and (run / ASSURANCE).is_file()
        self.max_error.set_visibility(self.tells)
        if run is None:
            self.board.set_hint("Train a network first")
            self.inside.show_run(None)
            self.answer.show('<p class="said-class">No network yet</p><p class="quiet">Train one, then draw here.</p>')
            self.bars.show("")
            self.sureness.show("")
            return
        passport = read_passport(run)
        self.board.set_hint(HINTS.get(passport.dataset, "Draw something, or bring a photo"))
        self.shown = self.asked = None
        self.inside.show_run(run)
        self.answer.show('<p class="said-class quiet">Draw something</p>')
        self.classes = passport.classes
        untold = "" if self.tells else say_untold(passport.settings.get("held_out", 0))
        self.sureness.show(f'<p class="quiet small">{escape(untold)}</p>')
        self._show_bars()
        self.tried.clear()
        self._show_tried()
        self.tab.lab.desk.ask(answers.warm_up, run)

    def tick(self) -> None:
        """Nothing here changes while a network is trained."""

    async def ask_image(self, number: int) -> None:
        """Ask about a test image."""
        if run := self.tab.run:
            self.board.clear_drawing()
            await self._keep(run, await self.tab.ask(answers.ask_image, run, "test", number, at_once=True))

    async def _ask_drawing(self, picture: bytes) -> None:
        run, board = self.tab.run, self.boards
        if run and picture:
            answer = await self.tab.ask(answers.ask_picture, run, picture, "your drawing", at_once=True)
            if answer and (run, board) == (self.tab.run, self.boards):  # else another is shown, or it was cleared
                await self._show(replace(answer, picture=picture))
        self.board.answered()

    async def _ask_random(self) -> None:
        if run := self.tab.run:
            await self.ask_image(random.randrange(read_passport(run).n_test))  # noqa: S311  (nothing secret)
        else:
            self.tab.say("Train a network first.")

    async def _read_photo(self, picture: bytes) -> None:
        if run := self.tab.run:
            answer = await self.tab.ask(answers.ask_picture, run, picture, "your photo")
            # The steps are kept, small; a photo may have 10 MB and is not.
            way = await self.tab.ask(developing.show_way, run, picture) if answer else None
            await self._keep(run, answer and replace(answer, way=way))
        else:
            self.tab.say("Train a network first.")

    async def _keep(self, run: Path, answer: Answer | None) -> None:
        """Show what a run answered, unless another one is shown by now."""
        if answer is None or run != self.tab.run:
            return
        if not self.tried or self.tried[0].image.shape == answer.image.shape:
            self.tried.appendleft(answer)
            self._show_tried()
        await self._show(answer)

    async def _show(self, answer: Answer) -> None:
        self.asked = answer
        if (run := self.tab.run) and self.inside.off:
            plain = replace(answer, picture=b"", way=None)
            again = await self.tab.ask(switching.ask_again, run, self.tab.key, self.inside.off, plain, at_once=True)
            if again is None or run != self.tab.run:
                return
            answer = replace(again, picture=answer.picture, way=answer.way)
        self._write(answer)

    def _write(self, answer: Answer) -> None:
        best, sureness = write_percent(max(answer.probabilities)), answer.sureness
        known = sureness is None or sureness.known(self.accepted)
        said, beside = (answer.label, best) if known else ("I don't know", f"perhaps {answer.label}")
        lines = []
        if answer.truth and known:
            right = answer.truth == answer.label
            lines.append(("right" if right else "wrong", "Right." if right else f"Wrong: it is {answer.truth}."))
        elif answer.truth:
            lines.append(("", f"It is {answer.truth}."))
        unlike = say_unlike(sureness) if sureness else ""
        lines += [("wrong small", text) for text in (unlike, *map(_sentence, answer.warnings)) if text]
        self.answer.show(
            f'<p class="said-class" role="status">{escape(said)} <small>{escape(beside)}</small></p>'
            f'<p class="quiet small">{escape(answer.source)}</p>'
            + "".join(f'<p class="{kind}">{escape(text)}</p>' for kind, text in lines)
        )
        height, width = answer.image.shape[:2]
        self.loupe.show(answer.image, f"{answer.source}, as the network sees it", f"{height} × {width} pixels")
        self.shown = answer
        self._show_bars()
        if sureness:
            self.sureness.show(draw_sureness(sureness, answer.classes))
        elif self.tells:
            self.sureness.show('<p class="quiet small">Weights are switched off: not calibrated.</p>')
        self.inside.show(answer)

    def _show_bars(self) -> None:
        shown = self.shown
        probabilities = shown.probabilities if shown else [0.0] * len(self.classes)
        possible = shown.sureness.possible if shown and shown.sureness else ()
        truth = shown.truth if shown else ""
        self.bars.show(draw_choices(self.classes, probabilities, truth, self.inside.picked, possible))

    def _accept(self, error: str) -> None:
        """Accept another share of wrong answers."""
        self.tab.open("tryit", max_error=float(error))

    def _pick_class(self, what: str) -> None:
        number = what.removeprefix("class:")
        if number.isdecimal() and int(number) < len(self.classes):
            self.inside.pick_class(int(number))
            self._show_bars()
            if self.shown is None and self.inside.view != "off":
                self.tab.say("Draw something first, or take a test image.")

    async def _ask_again(self) -> None:
        """Ask about the same image: weights were switched off, or on again."""
        if self.asked:
            await self._show(self.asked)
        self._show_bars()

    def _show_tried(self) -> None:
        """Show what was tried before, if anything was."""
        self.past.set_visibility(bool(self.tried))
        if self.tried:
            names = [f"{one.source}: {one.label}" for one in self.tried]
            self.before.show(np.stack([one.image for one in self.tried]), names)

    async def _pick_before(self, place: int) -> None:
        if 0 <= place < len(self.tried):
            await self._show(self.tried[place])

    def _clear_board(self) -> None:
        self.board.clear_drawing()
        self._clear()

    def _clear(self) -> None:
        self.boards += 1
        self.run = None
        tried = list(self.tried)
        self.refresh()
        self.tried.extend(tried)
        self._show_tried()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
