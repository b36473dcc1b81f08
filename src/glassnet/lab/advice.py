"""Advice: what went wrong with a training, in words, and what to do about it with one click."""

import math
from dataclasses import dataclass, field
from typing import Any

from glassnet.lab.jobs import Job
from glassnet.lab.messages import Failed

USUAL_RATES = {"adam": 0.001, "sgd": 0.01}

LEAST_LEARNED = 1 / 9
"""Of the way from guessing to all right: twice as good as guessing among ten classes, 56 % among two."""


@dataclass(frozen=True)
class Advice:
    """What happened and what can be done.

    Args:
        text: for people.
        button: what the click does; empty if nothing can be done.
        settings: of the recipe, for the next training.
        resume: go on instead of training anew.
    """

    text: str
    button: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    resume: bool = False


def advise(job: Job) -> Advice | None:
    """Return advice for a training that did not end well; None for the others."""
    if job.failed and not job.active:
        return _explain_end(job, job.failed)
    if job.state != "finished" or not job.finished or not job.points or not job.opened:
        return None
    classes = len(job.opened.classes)
    if job.points[-1][1]["loss"] > 1.5 * math.log(classes):  # guessing has the logarithm of the number of classes
        return _calm_down(job, "The loss is worse than that of guessing, for it errs with full confidence")
    chance = 1 / classes
    if job.finished.test_accuracy - chance < LEAST_LEARNED * (1 - chance):
        text = "It learned next to nothing: its steps are too small, or too few."
        return Advice(text, "Train again with the usual learning rate", {"learning_rate": None})
    return None


def _explain_end(job: Job, failed: Failed) -> Advice:
    """Advise on a training that did not reach its end."""
    if failed.diverged:
        return _calm_down(job, "The weights grew without end, until the loss was no longer a number")
    what = f"{failed.text[:1].upper()}{failed.text[1:]}."
    if job.state == "failed":
        return Advice(what)
    if job.can_resume:
        return Advice(f"{what} What it had learned is kept.", "Go on from there", resume=True)
    return Advice(f"{what} It had not kept anything yet.", "Train again")


def _calm_down(job: Job, what: str) -> Advice:
    """Advise on a training whose steps are too large."""
    plan = job.order.plan
    if not plan.scale:
        text = f"{what}: pixels from 0 to 255 make the steps too large. Scaled to 0 to 1 they are not."
        return Advice(text, "Scale pixels and train again", {"scale": True})
    rate = plan.learning_rate or USUAL_RATES.get(plan.optimizer, 0.001)
    text = f"{what}: each step overshot its goal. Steps ten times as small are calmer."
    return Advice(text, f"Train again with learning rate {rate / 10:g}", {"learning_rate": rate / 10})
