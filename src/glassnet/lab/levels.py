"""Levels: how much worse the slider of worse images can make them."""

import math

from glassnet.errors import InputError, UnknownNameError
from glassnet.evaluation.robustness import CORRUPTIONS

STEPS = {"noise": 20, "blur": 30, "shift": 6, "rotation": 30, "contrast": 18, "occlusion": 20, "stroke width": 5}
"""Places of the slider beside the first; others than these get ten."""


def levels_of(corruption: str) -> list[float]:
    """Return the levels that the slider has, from the first to the last that are measured elsewhere.

    Example:
        >>> levels_of("shift")
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    """
    first, last = CORRUPTIONS[corruption].levels[0], CORRUPTIONS[corruption].levels[-1]
    steps = STEPS.get(corruption, 10)
    return [round(first + (last - first) * k / steps, 6) for k in range(steps + 1)]


def untouched(corruption: str) -> tuple[str, float]:
    """Return a corruption with the level that leaves images as they are."""
    return corruption, float(CORRUPTIONS[corruption].untouched)


def write_level(worse: tuple[str, float]) -> str:
    """Write a corruption and its level as they stand in a link.

    Example:
        >>> write_level(("rotation", 30.0))
        'rotation:30'
    """
    name, level = worse
    return f"{name}:{level:g}"


def read_level(text: str) -> tuple[str, float]:
    """Read what `write_level` wrote; a level between two places of the slider becomes the nearer one.

    Raises:
        InputError: there is no such corruption, or no number.
    """
    name, _, written = text.partition(":")
    if name not in CORRUPTIONS:
        raise UnknownNameError("corruption", name[:40], CORRUPTIONS)
    try:
        level = float(written)
    except ValueError:
        level = math.nan
    if math.isnan(level):
        raise InputError("it must be a corruption and its level, such as rotation:30")
    return name, min(levels_of(name), key=lambda one: abs(one - level))
