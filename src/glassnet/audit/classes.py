"""Classes: how many images each has, and where it has none."""

from collections.abc import Iterator

import numpy as np

from glassnet.audit.findings import Finding, counted
from glassnet.datasets import Dataset

UNEVEN, VERY_UNEVEN = 3, 10
"""How many times as many images the largest class may have as the smallest before it is said, and warned of."""

FEW = 20
"""Training images of a class below which its score is a matter of luck."""

NAMED = 12
"""Classes that a finding names."""


def count_classes(data: Dataset) -> dict[str, dict[str, int]]:
    """Return, for each class, its number of images in each split."""
    counts = {split.name: np.bincount(split.labels, minlength=len(data.classes)) for split in data.splits}
    return {name: {split: int(counts[split][k]) for split in counts} for k, name in enumerate(data.classes)}


def check_classes(data: Dataset) -> Iterator[Finding]:
    """Look for a single class, classes without images, and uneven or small ones."""
    counts = count_classes(data)
    train = {name: one["train"] for name, one in counts.items()}
    present = {name: number for name, number in train.items() if number}
    if len(present) < 2:
        yield Finding(
            "one class",
            "serious",
            f"all {len(data.train):,} training images are of {', '.join(present) or 'no class'}",
            "There is nothing to tell apart: the network answers with the one class that it knows, always.",
            "add images of at least a second class, or check where the labels come from",
            {"classes": len(present)},
            1.0,
        )
        return
    yield from _missing(data, counts)
    smallest, largest = min(present, key=present.__getitem__), max(present, key=present.__getitem__)
    ratio = present[largest] / present[smallest]
    if ratio >= UNEVEN:
        always = present[largest] / len(data.train)
        yield Finding(
            "imbalance",
            "warning" if ratio >= VERY_UNEVEN else "note",
            f"{largest} has {ratio:.1f} times as many training images as {smallest} "
            f"({present[largest]:,} and {present[smallest]:,})",
            f"Always answering {largest} is already right for {100 * always:.1f} % of the training images, so accuracy "
            "says little; rare classes are learned last.",
            "judge it by the recall of each class, and collect more images of the rare ones",
            {"largest": present[largest], "smallest": present[smallest], "ratio": round(ratio, 3)},
            1 - present[smallest] / present[largest],
            details=_named(present),
        )
    few = {name: number for name, number in present.items() if number < FEW}
    if few:
        yield Finding(
            "few images",
            "warning",
            f"{counted(len(few), 'class has', 'classes have')} fewer than {FEW} training images",
            "So few images show little of what a class can look like; its score is a matter of luck.",
            f"collect at least {FEW} images of each, or join classes that may count as one",
            {"classes": len(few), "smallest": min(few.values())},
            len(few) / len(present),
            details=_named(few),
        )


def _missing(data: Dataset, counts: dict[str, dict[str, int]]) -> Iterator[Finding]:
    for split in data.splits:
        missing = [name for name, one in counts.items() if one[split.name] == 0]
        if not missing or not len(split):
            continue
        if split.name == "train":
            meaning = "The network can never answer with a class that it never saw; its test images are all errors."
            advice = "add training images of it, or take the class out"
        else:
            meaning = f"The {split.name} score says nothing about a class that it does not hold."
            advice = f"add {split.name} images of it, or split the data again, stratified by class"
        yield Finding(
            "missing class",
            "serious" if split.name == "train" else "warning",
            f"{counted(len(missing), 'class has', 'classes have')} no {split.name} images: "
            f"{', '.join(missing[:NAMED])}{', …' if len(missing) > NAMED else ''}",
            meaning,
            advice,
            {"classes": len(missing)},
            len(missing) / len(data.classes),
        )


def _named(counts: dict[str, int]) -> tuple[str, ...]:
    """Return the classes with their counts, the smallest first."""
    smallest = sorted(counts, key=counts.__getitem__)[:NAMED]
    return tuple(f"{name}: {counts[name]:,}" for name in smallest)
