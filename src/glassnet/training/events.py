"""What training tells while it runs: the terminal, the lab and the run folder listen to the same events."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingStarted:
    """The network is compiled and the first step comes next.

    Args:
        epochs: passes over the data in all.
        first_epoch: the epoch that comes first, from 0.
        steps: batches in one epoch.
        compile_seconds: how long tracing and compiling took.
    """

    epochs: int
    first_epoch: int
    steps: int
    compile_seconds: float


@dataclass(frozen=True)
class Progress:
    """Some batches were trained on.

    Args:
        epoch: the running epoch, from 0.
        step: batches done in this epoch.
        steps: batches in this epoch.
        logs: loss and metrics over this epoch so far.
        images_per_second: speed since the event before.
    """

    epoch: int
    step: int
    steps: int
    logs: dict[str, float]
    images_per_second: float


@dataclass(frozen=True)
class EpochEnded:
    """An epoch is done, with its validation.

    Args:
        epoch: its number, from 0.
        logs: loss and metrics of this epoch; those of the validation begin with "val_".
        seconds: how long it took.
        complete: False if training was stopped before the last batch.
    """

    epoch: int
    logs: dict[str, float]
    seconds: float
    complete: bool


@dataclass(frozen=True)
class LearningRateChanged:
    """Somebody changed the learning rate while the network learned.

    Args:
        step: batches done so far, in all epochs.
        before: the learning rate until then.
        learning_rate: the one from here on.
    """

    step: int
    before: float
    learning_rate: float


Event = TrainingStarted | Progress | LearningRateChanged | EpochEnded
Listener = Callable[[Event], None]
