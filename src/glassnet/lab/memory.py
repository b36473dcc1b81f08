"""Runs that stay in memory, in the desk's process, and are read again when others were written to their places."""

from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.errors import GlassnetError, InputError
from glassnet.lab.shelf import written_at

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
    opened = replace(opened, held_out=opened.assurance)
    with suppress(GlassnetError):  # its images are gone: drawings and photos need none, and who asks for one is told
        opened = replace(opened, data=opened.dataset())
    return opened


@lru_cache(MOST_RUNS)
def _evaluated(run: Path, stamp: int) -> "Evaluation":
    from glassnet.evaluation import evaluate

    return evaluate(recall(run))


def stamp_of(run: Path) -> int:
    """Tell a run from another one that was written to its place later."""
    if not (stamp := written_at(run)):
        raise InputError(f"the run {run.name} is no longer there; train it again")
    return stamp
