"""Runs that stay in memory, in the desk's process, and are read again when others were written to their places."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.errors import InputError

if TYPE_CHECKING:
    from glassnet.evaluation import Evaluation
    from glassnet.runs import Run

MOST_RUNS = 8
"""Networks that stay in memory."""


def recall(run: Path) -> "Run":
    """Return a run; it stays in memory, and is read again if another one was written to its place."""
    return _open(run, stamp_of(run))


def recall_scores(run: Path) -> "Evaluation":
    """Return a run's scores on its test images; they stay in memory too."""
    return _evaluated(run, stamp_of(run))


@lru_cache(MOST_RUNS)
def _open(run: Path, stamp: int) -> "Run":
    from glassnet.runs import open_run

    opened = open_run(run)
    # What is read and converted here is so once, not with every question.
    return replace(opened, data=opened.dataset(), held_out=opened.assurance)


@lru_cache(MOST_RUNS)
def _evaluated(run: Path, stamp: int) -> "Evaluation":
    from glassnet.evaluation import evaluate

    return evaluate(recall(run))


def stamp_of(run: Path) -> int:
    """Tell a run from another one that was written to its place later."""
    try:
        return (run / "run.json").stat().st_mtime_ns
    except OSError:
        raise InputError(f"the run {run.name} is no longer there; train it again") from None
