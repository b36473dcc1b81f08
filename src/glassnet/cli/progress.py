"""A progress bar that listens to training."""

from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from glassnet.cli.output import say, terminal
from glassnet.training import events


class ProgressBar:
    """Shows epoch, loss, accuracy, images per second and the time left; silent where there is no terminal.

    A context manager and a listener for `glassnet.train(on_event=…)`. Each finished epoch leaves a line.
    """

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[facts]}"))
        self._bar = Progress(*columns, TimeRemainingColumn(), console=terminal, transient=True)
        self._bar.disable = not terminal.is_terminal
        self._epochs, self._first = 0, 0

    def __enter__(self) -> "ProgressBar":
        self._bar.start()
        self._task = self._bar.add_task("compiling", total=None, facts="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, event: events.Event) -> None:
        """Show an event."""
        if isinstance(event, events.TrainingStarted):
            self._epochs, self._first = event.epochs, event.first_epoch
            total = (event.epochs - event.first_epoch) * event.steps
            self._bar.reset(self._task, total=total, description="training")
        elif isinstance(event, events.Progress):
            done = (event.epoch - self._first) * event.steps + event.step
            facts = f"{_metrics(event.logs)}  {event.images_per_second:,.0f} images/s"
            self._bar.update(self._task, completed=done, description=self._name(event.epoch), facts=facts)
        elif isinstance(event, events.EpochEnded) and not self._bar.disable:
            say(f"{self._name(event.epoch)}  {_metrics(event.logs)}  {event.seconds:.2f} s", to=terminal)

    def _name(self, epoch: int) -> str:
        return f"epoch {epoch + 1}/{self._epochs}"


def _metrics(logs: dict[str, float]) -> str:
    names = sorted(logs, key=lambda name: (name.startswith("val_"), not name.endswith("loss")))
    return "  ".join(f"{name} {logs[name]:.4f}" for name in names)
