"""Finding: one thing that is wrong, what it means, what to do about it, and the images that show it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from glassnet.datasets import Dataset

SEVERITIES = ("serious", "warning", "note")
"""Results would be wrong or misleading; they would be worse than they need be; it is good to know."""


@dataclass(frozen=True)
class Example:
    """An image that shows a finding.

    Args:
        split: "train", "test" or "validation".
        index: its number in the split.
        label: the name of its class.
        group: images of equal number belong together (copies of one picture).
        note: what is particular about it, in a few words.
        name: its file in the source; "" where that is not known.
    """

    split: str
    index: int
    label: str
    group: int = 0
    note: str = ""
    name: str = ""

    def record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in ("split", "index", "label", "group", "note", "name")}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        kind: what was looked for, such as "duplicates"; the same word in every language and version.
        severity: one of `SEVERITIES`.
        title: what was found, with its number, as one line.
        meaning: what it does to training or to the scores.
        advice: what to do.
        counts: the numbers behind it.
        share: the part of the data that is concerned, 0 to 1; ranks findings of equal severity.
        examples: images that show it, the clearest first, not always all.
        details: further lines (names of files, of classes).
    """

    kind: str
    severity: str
    title: str
    meaning: str
    advice: str
    counts: dict[str, int | float] = field(default_factory=dict)
    share: float = 0.0
    examples: tuple[Example, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The finding and what to do, as one line."""
        return f"{self.title}: {self.advice}"

    def record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        names = ("kind", "severity", "title", "meaning", "advice", "counts", "share")
        return {name: getattr(self, name) for name in names} | {
            "examples": [one.record() for one in self.examples],
            "details": list(self.details),
        }


@dataclass(frozen=True)
class Audit:
    """What was found in a data set.

    Args:
        dataset: its name.
        images: the number of images of each split.
        classes: for each class, the number of images in each split.
        findings: the gravest first.
        checked: the kinds that were looked for, whether found or not.
        run: the run whose answers were used; "" if none.
    """

    dataset: str
    images: dict[str, int]
    classes: dict[str, dict[str, int]]
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    run: str = ""

    def find(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of a kind."""
        return tuple(one for one in self.findings if one.kind == kind)

    def record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "dataset": self.dataset,
            "images": self.images,
            "classes": self.classes,
            "findings": [one.record() for one in self.findings],
            "checked": list(self.checked),
            "run": self.run,
        }


def example_of(data: Dataset, split: str, index: int, *, group: int = 0, note: str = "") -> Example:
    """Return an image of a data set as an example, with its class and, where that is known, its name in the source."""
    names = data.source.names.get(split, []) if data.source else []
    label = data.classes[int(data.split(split).labels[index])]
    return Example(split, index, label, group, note, names[index] if index < len(names) else "")


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with the gravest first; of equal gravity, those that concern more of the data."""
    return tuple(sorted(findings, key=lambda one: (SEVERITIES.index(one.severity), -one.share)))


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    Example:
        >>> counted(1, "image"), counted(1200, "image"), counted(2, "class", "classes")
        ('1 image', '1,200 images', '2 classes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
