"""3 Training: the settings, what happens while the network learns, and what happened when it is over."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from nicegui import ui

from glassnet.lab.advice import advise
from glassnet.lab.jobs import Job
from glassnet.lab.parts.charts import draw_curves
from glassnet.lab.parts.comparison import draw_settings
from glassnet.lab.parts.controls import Plain, button
from glassnet.lab.parts.knobs import Knobs
from glassnet.lab.parts.markup import Markup
from glassnet.lab.parts.moments import draw_small_confusion, write_then
from glassnet.lab.parts.shelf import draw_runs
from glassnet.lab.parts.templates import draw_templates, name_templates
from glassnet.lab.parts.timeline import Timeline
from glassnet.lab.past import Past, ask_past, replay
from glassnet.lab.shelf import list_runs, list_unfinished
from glassnet.lab.tab import Tab
from glassnet.lab.worker import MOST_TEMPLATES
from glassnet.runs import Passport
from glassnet.sharing.charts import Line

FAINT = 4
"""Earlier runs on the chart from the start."""


class TrainingPanel:
    """Set the knobs, train, watch; earlier runs stay as faint curves."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.marked: set[str] | None = None  # runs on the chart; None: the newest
        self.earlier: list[tuple[str, Passport]] = []  # those that are on it, besides what trains now
        self.looks: object = None  # the templates that are shown
        self.replayed: Path | None = None  # the run that the slider goes back in
        self.past: Past | None = None
        self.moment = 0
        self.own: np.ndarray | None = None  # one's own last picture, and what was made of it at every moment
        self.said: np.ndarray | None = None
        with ui.element("div").classes("columns training"):
            with ui.element("div").classes("side"):
                self._build_controls()
            with ui.element("div").classes("middle"):
                self._build_live()
            if tab.shows("runs"):
                with ui.element("div").classes("side"):
                    Plain("h2", "Runs")
                    self.runs = Markup(classes="runs", on_pick=self._pick_run)
                    with ui.element("div").classes("comparison") as self.together:
                        Plain("h2", "Side by side")
                        self.comparison = Markup()
                        tip = "Their curves, scores, weights and confusions beside each other."
                        self.compare = button("Compare these two", self._compare, tip=tip)
        self.refresh()

    def _build_controls(self) -> None:
        tab = self.tab
        with ui.element("div").classes("buttons"):
            tip = "Starts with random weights, and learns from all training images."
            self.train = button("Train", tab.train, classes="primary", tip=tip)
            self.pause = button("Pause", self._pause, tip="Holds training still; go on whenever you like.")
            self.step = button("Step", lambda: tab.steer("step"), tip="Learns from one batch of images, then waits.")
            self.stop = button("Stop", lambda: tab.steer("stop"), tip="Ends here and keeps what was learned.")
            self.reset = button("Reset", tab.reset, tip="Forgets this training; saved runs stay.")
        self.knobs = Knobs(tab)

    def _build_live(self) -> None:
        self.status = Plain("p", classes="status", role="status")
        self.spread = Plain("p", classes="spread")
        with ui.element("div").classes("advice-box") as self.advice_box:
            self.advice = Plain("p")
            self.fix = button("", self._fix, classes="primary")
        self.bar = Markup(classes="bar")
        with ui.element("div").classes("charts"):
            self.accuracy = Markup()
            self.loss = Markup()
        with ui.element("div").classes("replay") as self.replay:
            self.timeline = Timeline("Go back in time:", self._go_to)
            self.then = Markup(classes="then")
        with ui.element("div").classes("looks"):
            with ui.element("div").classes("neurons"):
                with ui.element("div").classes("row head"):
                    self.looks_title = Plain("h2", "What each neuron looks for")
                    Markup('<span class="scale" aria-hidden="true"><i></i>against<b></b>for</span>')
                self.templates = Markup(classes="templates")
            self.matrix = Markup()

    def refresh(self) -> None:
        """Show the settings, the buttons and the runs."""
        self.knobs.refresh()
        runs = list_runs(self.tab.lab.folder)
        self.earlier = self._earlier(runs)
        if self.tab.shows("runs"):
            self._show_runs(runs)
        self._open_replay()
        self.tick()

    def tick(self) -> None:
        """Show the training as it is by now."""
        job = self.tab.job
        self._show_buttons(job)
        self._show_status(job)
        self._show_curves(job)
        if job and job.active:
            self._close_replay()
        self.replay.set_visibility(self.past is not None)
        if self.past:
            self._show_moment(self.past)
        else:
            self._show_live(job)

    def _show_buttons(self, job: Job | None) -> None:
        state = job.state if job and job.active else ""
        active, moving, paused = bool(state), state in ("running", "paused"), state == "paused"
        self.train.set(disabled=active or None)
        self.pause.set_text("Go on" if paused else "Pause")
        self.pause.set(disabled=not moving or None)
        self.step.set(disabled=not moving or None)
        self.stop.set(disabled=not active or None)
        self.reset.set(disabled=job is None or None)

    def _show_status(self, job: Job | None) -> None:
        self.status.set_text(say_status(self.tab, job))
        spread = say_spread([one.finished.test_accuracy for one in self.tab.series if one.finished], self.tab.to_come)
        self.spread.set_text(spread)
        self.spread.set_visibility(bool(spread))
        advice = advise(job) if job else None
        self.advice_box.set_visibility(advice is not None)
        if advice:
            self.advice.set_text(advice.text)
            self.fix.set_text(advice.button)
        self.fix.set_visibility(bool(advice and advice.button))
        share = 0.0
        if job and job.finished:
            share = 1.0
        elif job and job.last:
            share = (job.last.epoch + job.last.step / job.last.steps) / job.order.plan.epochs
        self.bar.show(f'<progress max="1" value="{share:.3f}" aria-label="Training so far"></progress>')

    def _show_curves(self, job: Job | None) -> None:
        longest = [len(passport.history.get("loss", [])) for _, passport in self.earlier]
        own = (job.order.plan if job else self.tab.state.plan_to_train).epochs
        epochs = max([own, *longest])
        for metric, place in (("accuracy", self.accuracy), ("loss", self.loss)):
            lines = [_over_epochs(passport.history.get(metric, [])) for _, passport in self.earlier]
            if job:
                lines.append(Line("training", [(x, logs[metric]) for x, logs in job.points if metric in logs], "for"))
                lines.append(measured_line(job, metric))
            place.show(draw_curves(metric, lines, epochs))

    def _show_live(self, job: Job | None) -> None:
        """Show the neurons and the confusion matrix of what trains now."""
        looks = job.looks if job else None
        classes = job.opened.classes if job and job.opened else ()
        if job is None or looks is None:
            self.looks = None
            self.looks_title.set_text("What each neuron looks for")
            self.templates.show('<p class="quiet">The weights of each neuron appear here as a picture.</p>')
        elif looks is not self.looks:
            self.looks = looks
            self._show_templates(
                looks.templates, looks.neurons, bool(job.order.plan.hidden or job.order.plan.filters), classes
            )
        counts = job.counts.counts if job and job.counts else None
        self.matrix.show("" if counts is None else draw_small_confusion(counts, classes, "What is taken for what"))

    def _show_templates(self, templates: np.ndarray, neurons: int, hidden: bool, classes: Sequence[str]) -> None:
        if not len(templates):
            self.looks_title.set_text("Its first layer sees no pixels")
            self.templates.show("")
            return
        self.looks_title.set_text(name_templates(templates, neurons, hidden=hidden))
        self.templates.show(draw_templates(templates, () if hidden else classes))

    def _open_replay(self) -> None:
        """Fetch the moments of the run that is shown, once it is finished; ask about one's own newest picture."""
        run, job = self.tab.run, self.tab.job
        if job and job.active:
            return
        if run != self.replayed:
            self._close_replay()
            self.replayed = run
            if run:
                ui.timer(0, self._fetch_past, once=True)
        elif self.past and self._last_picture() is not self.own:
            ui.timer(0, self._ask_past, once=True)

    def _close_replay(self) -> None:
        self.replayed = self.past = self.own = self.said = self.looks = None

    async def _fetch_past(self) -> None:
        run = self.replayed
        if run is None:
            return
        past = await self.tab.ask(replay, run, MOST_TEMPLATES)
        if past and run == self.replayed:
            self.past, self.moment = past, len(past.names) - 1
            self.timeline.show(past.names, self.moment)
            self.tick()
            await self._ask_past()

    async def _ask_past(self) -> None:
        run, own = self.replayed, self._last_picture()
        if run is None or own is None or self.past is None or own.shape != self.past.image_shape:
            return
        said = await self.tab.ask(ask_past, run, own)
        if run == self.replayed:
            self.own, self.said = own, said
            self.tick()

    def _last_picture(self) -> np.ndarray | None:
        """Return what was last drawn or tried in this tab."""
        panel = self.tab.panels.get("tryit")
        answer = getattr(panel, "shown", None)
        return answer.image if answer else None

    def _go_to(self, moment: int) -> None:
        self.moment = moment
        if self.past:
            self._show_moment(self.past)

    def _show_moment(self, past: Past) -> None:
        """Show the neurons, the confusion matrix and the answer of the moment where the slider stands."""
        number = self.moment
        if self.looks != (id(past), number):
            self.looks = id(past), number
            self._show_templates(past.templates[number], past.neurons, past.hidden, past.classes)
            self.matrix.show(draw_small_confusion(past.confusion[number], past.classes, "What is taken for what"))
        counts = past.confusion[number]
        label, probability, own = "", 0.0, None
        if self.said is not None:
            best = int(self.said[number].argmax())
            label, probability, own = past.classes[best], float(self.said[number][best]), self.own
        self.then.show(write_then(float(np.trace(counts) / counts.sum()), own, label, probability))

    def _show_runs(self, runs: list[tuple[str, Passport]]) -> None:
        training = self.tab.job.name if self.tab.job and self.tab.job.active else ""
        taken = {name for name, _ in runs} | {job.name for job in self.tab.lab.crew.jobs()}
        unfinished = [name for name in list_unfinished(self.tab.lab.folder) if name not in taken]
        shown = [(name, passport) for name, passport in runs if name != training]
        marked = {name for name, _ in self.earlier}
        self.runs.show(draw_runs(shown, unfinished, self.tab.state.run, marked))
        two = self.marked is not None and len(self.earlier) == 2
        self.together.set_visibility(two)
        self.compare.set_visibility(self.tab.shows("experiments"))
        if two:
            self.comparison.show(draw_settings(self.earlier))

    def _earlier(self, runs: list[tuple[str, Passport]]) -> list[tuple[str, Passport]]:
        """Return the runs whose curves are shown: those that were marked, or the newest on the same data."""
        job = self.tab.job
        runs = [(name, one) for name, one in runs if not (job and name == job.name)]
        series = {one.name for one in self.tab.series}
        if self.marked is not None:
            return [(name, one) for name, one in runs if name in self.marked | series]
        return [(name, one) for name, one in runs if _data_name(one) == self.tab.state.data][:FAINT]

    def _compare(self) -> None:
        """Show the two runs that are marked, the older one first."""
        names = [name for name, _ in self.earlier]
        if len(names) == 2:
            self.tab.open("experiments", pair=(names[1], names[0]))

    def _pick_run(self, pick: str) -> None:
        verb, _, name = pick.partition(":")
        if verb == "open":
            self.tab.show_run(name)
        elif verb == "resume":
            self.tab.resume(name)
        elif verb == "mark":
            self.marked = {name} if self.marked is None else {one for one, _ in self.earlier} ^ {name}
            self.refresh()

    def _pause(self) -> None:
        if self.tab.job:
            self.tab.steer("resume" if self.tab.job.state == "paused" else "pause")

    def _fix(self) -> None:
        job = self.tab.job
        advice = advise(job) if job else None
        if job and advice:
            if advice.resume:
                self.tab.resume(job.name)
                return
            self.tab.change(**advice.settings)
            self.tab.train()


def say_status(tab: Tab, job: Job | None) -> str:
    """Say in one line how the training goes."""
    if job is None:
        return "Not trained yet. Press Train: a first network takes a few seconds."
    plan, last = job.order.plan, job.last
    if job.state == "waiting":
        place = tab.lab.crew.place(job)
        return f"Waiting for a free processor core: number {place} in the queue."
    if job.state == "finished" and job.finished:
        right = f"{job.finished.test_accuracy:.2%} of the test images are right"
        return f"{job.name}: {right}; trained in {job.finished.seconds:.1f} s."
    if job.state in ("failed", "lost"):
        return f"{job.name}: {'stopped' if job.state == 'failed' else 'lost'}."
    if last is None:
        return "Paused before the first batch." if job.state == "paused" else "Getting ready …"
    where = f"epoch {last.epoch + 1} of {plan.epochs}, batch {last.step:,} of {last.steps:,}"
    speed = "paused" if job.state == "paused" else f"{last.images_per_second:,.0f} images a second"
    accuracy = f"{last.logs.get('accuracy', 0):.1%} right"
    return f"{where}: {accuracy}, loss {last.logs['loss']:.3f}; {speed}."


def say_spread(accuracies: Sequence[float], to_come: Sequence[object] = ()) -> str:
    """Say how far repeats lie apart; nothing if there are none.

    Example:
        >>> say_spread([0.83, 0.85])
        '2 seeds: 84.0% of the test images are right on average, from 83.0% to 85.0%.'
    """
    if not accuracies or len(accuracies) + len(to_come) < 2:
        return ""
    mean, n = float(np.mean(accuracies)), len(accuracies)
    wait = f" {len(to_come)} more to come." if to_come else ""
    low, high = min(accuracies), max(accuracies)
    return (
        f"{n} seed{'s' if n > 1 else ''}: {mean:.1%} of the test images are right on average, "
        f"from {low:.1%} to {high:.1%}.{wait}"
    )


def measured_line(job: Job, metric: str) -> Line:
    """Return the curve of the images that a training measures after every epoch, named after their split."""
    points = [(epoch, logs[f"val_{metric}"]) for epoch, logs in job.epochs if f"val_{metric}" in logs]
    return Line(job.opened.measured if job.opened else "", points, "against", [3.0] * len(points))


def _over_epochs(values: list[float]) -> Line:
    return Line("", list(enumerate(values, 1)), "quiet", [3.0] * len(values) if len(values) == 1 else [])


def _data_name(passport: Passport) -> str:
    return passport.source.path if passport.source else passport.dataset
