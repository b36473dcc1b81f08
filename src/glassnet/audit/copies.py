"""Copies: images whose pixels are equal, within a split, across splits, and under different labels."""

from collections.abc import Iterator

import numpy as np

from glassnet.audit.findings import Example, Finding, counted
from glassnet.audit.survey import Survey

SHOWN = 12
"""Groups that are shown; all are counted."""

IN_A_GROUP = 6
"""Images of a group that are shown."""


def find_copies(survey: Survey) -> np.ndarray:
    """Return, for each image, the number of the first image with equal pixels (its own, where there is none before).

    Example:
        >>> import numpy as np
        >>> from glassnet import Dataset, Split
        >>> from glassnet.audit.survey import survey
        >>> one, other = np.zeros((1, 2, 2), np.uint8), np.ones((1, 2, 2), np.uint8)
        >>> train = Split("train", np.concatenate([one, other, one]), np.array([0, 1, 0]))
        >>> find_copies(survey(Dataset("tiny", ("a", "b"), train, Split("test", other, np.array([1])))))
        array([0, 1, 0, 1])
    """
    _, first, which = np.unique(survey.measures.digest, return_index=True, return_inverse=True)
    return first[which]


def check_copies(survey: Survey, first: np.ndarray) -> Iterator[Finding]:
    """Look for equal images in different splits, within one, and with different labels."""
    groups = grouped(first)
    total = len(survey)
    least = "" if survey.complete else "at least "
    across = [group for group in groups if leaks(survey, group)]
    contradicting = [group for group in groups if len(set(survey.labels[group])) > 1]
    if across:
        held = held_out(survey, across)
        yield Finding(
            "leak",
            "serious",
            f"{least}{counted(held, 'held-out image is', 'held-out images are')} also in the training set, "
            "pixel for pixel",
            "The network has seen their answers: the score measures memory, and will be lower on new images.",
            "take them out of one of the splits, or split again with copies kept on one side",
            {"groups": len(across), "held_out_images": held},
            held / total,
            examples_of(survey, across),
        )
    if contradicting:
        images = sum(map(len, contradicting))
        yield Finding(
            "contradiction",
            "serious",
            f"{least}{counted(len(contradicting), 'picture has', 'pictures have')} copies with different labels",
            "No network can be right about both; which label counts is chance.",
            "look at them and keep the right label, or take all of their copies out",
            {"groups": len(contradicting), "images": images},
            images / total,
            examples_of(survey, contradicting),
        )
    inside, extra, where = repetitions(survey, groups)
    if inside:
        yield Finding(
            "duplicates",
            "warning" if extra / total > 0.01 else "note",
            f"{least}{counted(extra, 'image repeats', 'images repeat')} another{where}, pixel for pixel",
            "They count several times, in training as in the score.",
            "keep one of each, unless the repetition is meant",
            {"groups": len(inside), "extra_images": extra},
            extra / total,
            examples_of(survey, inside),
        )


def grouped(first: np.ndarray) -> list[np.ndarray]:
    """Return the groups of images that have one first image, the largest groups first, single ones left out."""
    order = np.argsort(first, kind="stable")
    starts = np.flatnonzero(np.diff(first[order], prepend=-1))
    groups = [group for group in np.split(order, starts[1:]) if len(group) > 1] if len(order) else []
    return sorted(groups, key=len, reverse=True)


def examples_of(survey: Survey, groups: list[np.ndarray]) -> tuple[Example, ...]:
    """Return the first images of the first groups as examples."""
    return tuple(
        survey.example(int(number), group=place)
        for place, group in enumerate(groups[:SHOWN])
        for number in _spread(survey, group)
    )


def leaks(survey: Survey, group: np.ndarray) -> bool:
    """Tell whether a group has images in the training set and outside of it."""
    splits = survey.split_of[group]
    return bool((splits == 0).any() and (splits > 0).any())


def repetitions(survey: Survey, groups: list[np.ndarray]) -> tuple[list[np.ndarray], int, str]:
    """Return the groups that repeat an image otherwise than by a leak, how many images do, and of which split.

    Each split is counted by itself, in leaks too; where none is in the training set, validation and test together.
    """
    found, extra, between = [], 0, 0
    for group in groups:
        splits = len(np.unique(survey.split_of[group]))
        apart = 0 if leaks(survey, group) else splits - 1
        if number := len(group) - splits + apart:
            found.append(group)
            extra, between = extra + number, between + apart
    return found, extra, f", {between:,} of them between validation and test" if between else " of the same split"


def held_out(survey: Survey, groups: list[np.ndarray]) -> int:
    """Count the images of groups that are outside of the training set."""
    return sum(int((survey.split_of[group] > 0).sum()) for group in groups)


def _spread(survey: Survey, group: np.ndarray) -> np.ndarray:
    """Return a few images of a group, of every label in every split at least one."""
    kinds = survey.split_of[group] * len(survey.data.classes) + survey.labels[group]
    _, firsts = np.unique(kinds, return_index=True)
    rest = np.setdiff1d(np.arange(len(group)), firsts)
    return group[np.sort(np.concatenate([firsts, rest])[:IN_A_GROUP])]
