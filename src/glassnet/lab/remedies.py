"""Remedies: what is wrong with a set, which images show it, and which would have to go so that it is right."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glassnet.audit import Finding, audit, glance
from glassnet.audit.copies import find_copies, grouped, leaks
from glassnet.audit.findings import counted
from glassnet.audit.inspection import is_embedded
from glassnet.audit.light import BLANK
from glassnet.audit.survey import Survey, survey
from glassnet.datasets import Dataset

MOST_IMAGES = 5_000
"""Of a set that is looked at as a whole, with near copies; of larger ones, a sample is glanced at."""

MOST_SHOWN = 96

COPIES, BLANKS, CONTRADICTIONS = "copies", "blank", "contradictions"
"""Why images are left out."""

_REASONS = {"leak": COPIES, "duplicates": COPIES, "blank": BLANKS, "contradiction": CONTRADICTIONS}


@dataclass(frozen=True)
class Remedy:
    """A finding, and what one click can do about it.

    Args:
        kind: of the finding.
        severity: of the finding.
        title: what was found.
        advice: what to do, in words.
        shown: images that show it: split and number.
        images: names, in the source, of those to leave out; none where no click helps.
        button: what the click does, with their number; "" where there is none.
        why: the reason under which they are left out.
    """

    kind: str
    severity: str
    title: str
    advice: str
    shown: tuple[tuple[str, int], ...] = ()
    images: tuple[str, ...] = ()
    button: str = ""
    why: str = ""


def find_remedies(data: Dataset) -> tuple[Remedy, ...]:
    """Look at a set of one's own, the gravest finding first; notes that no click mends are left to the audit."""
    if data.source is None or is_embedded(data):
        return ()
    small = sum(map(len, data.splits)) <= MOST_IMAGES
    looked = survey(data)
    findings = audit(data).findings if small else glance(data)
    plain = [one for one in findings if one.kind not in ("unreadable", "split")]  # the page names what these sum up
    cures = dict(_cures(looked)) if small else {}
    return tuple(
        _remedy(looked, one, cures.get(one.kind, np.zeros(0, int)))
        for one in plain
        if one.severity != "note" or one.kind in cures
    )


def _cures(looked: Survey) -> Iterator[tuple[str, np.ndarray]]:
    """Yield, for each kind of finding that images can be left out for, the numbers of these images."""
    contradicting: list[np.ndarray] = []
    extra: dict[str, list[np.ndarray]] = {"leak": [], "duplicates": []}
    for group in grouped(find_copies(looked)):
        if len(set(looked.labels[group].tolist())) > 1:
            contradicting.append(group)
        else:  # the first is kept: one for training, if there is one
            extra["leak" if leaks(looked, group) else "duplicates"].append(group[1:])
    for kind, found in (("contradiction", contradicting), *extra.items()):
        if found:
            yield kind, np.concatenate(found)
    if len(blank := np.flatnonzero(looked.measures.spread < BLANK)):
        yield "blank", blank


def _remedy(looked: Survey, finding: Finding, numbers: np.ndarray) -> Remedy:
    names = [name for number in numbers.tolist() if (name := looked.example(number).name)]
    shown = [(one.split, one.index) for one in finding.examples]
    if finding.kind == "contradiction":
        shown = [(one.split, one.index) for number in numbers[:MOST_SHOWN].tolist() for one in [looked.example(number)]]
    what = {
        "leak": ("copy", "copies"),
        "duplicates": ("copy", "copies"),
        "blank": ("blank image", "blank images"),
        "contradiction": ("image with two labels", "images with two labels"),
    }.get(finding.kind, ("image", "images"))
    return Remedy(
        finding.kind,
        finding.severity,
        finding.title,
        finding.advice,
        tuple(shown[:MOST_SHOWN]),
        tuple(names),
        f"Leave out {counted(len(names), *what)}" if names else "",
        _REASONS.get(finding.kind, ""),
    )
