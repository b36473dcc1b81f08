"""Probabilities as bars, one for each class, and in words how sure they are."""

from collections.abc import Sequence

from glassnet.lab.parts.markup import escape
from glassnet.lab.sureness import Sureness
from glassnet.recipes import RECIPES

RIGHT = '<span class="tick">✓ <span class="spoken">right class</span></span>'
POSSIBLE = '<span class="spoken">cannot be excluded</span>'

MOST_NAMED = 4
"""Classes that are named one by one."""


def draw_bars(classes: Sequence[str], probabilities: Sequence[float], truth: str = "") -> str:
    """Draw the probability of every class; the most probable one is emphasised, the right one ticked."""
    return _draw(classes, probabilities, [escape(name) for name in classes], truth)


def draw_choices(
    classes: Sequence[str],
    probabilities: Sequence[float],
    truth: str = "",
    picked: int | None = None,
    possible: Sequence[str] = (),
) -> str:
    """Draw the probability of every class; a click on one asks about it, and those that are possible are framed."""
    names = [
        f'<button type="button" class="ask" data-pick="class:{number}" '
        f'aria-pressed="{str(number == picked).lower()}">{escape(name)}</button>'
        for number, name in enumerate(classes)
    ]
    return _draw(classes, probabilities, names, truth, picked, possible)


def write_percent(probability: float) -> str:
    """Write a probability; what is nearly certain is not written as certain.

    Example:
        >>> write_percent(0.123), write_percent(0.99999)
        ('12.3%', '>99.9%')
    """
    return f"{probability:.1%}" if probability < 0.9995 else ">99.9%"


def say_possible(possible: Sequence[str], classes: Sequence[str]) -> str:
    """Say which classes an image can be of.

    Example:
        >>> say_possible(["3", "5"], "0123456789"), say_possible([], "01")
        ('3 or 5', 'none of the classes is likely enough')
    """
    if not possible:
        return "none of the classes is likely enough"
    if len(possible) == len(classes) > 1:
        return "any of the classes"
    if len(possible) > MOST_NAMED:
        return f"one of {len(possible)} classes"
    *others, last = possible
    return f"{', '.join(others)} or {last}" if others else last


def draw_sureness(sureness: Sureness, classes: Sequence[str]) -> str:
    """Write which classes an image can be of, and what the probabilities were calibrated on."""
    tip = f"Of usual images, the right class is among the framed ones for {sureness.coverage:.0%}."
    return (
        f'<p class="small" title="{tip}"><i class="frame" aria-hidden="true"></i> '
        f"<b>{sureness.coverage:.0%}: {escape(say_possible(sureness.possible, classes))}.</b> "
        f'<span class="quiet">Calibrated on {sureness.held_out:,} held-out images.</span></p>'
    )


def say_unlike(sureness: Sureness) -> str:
    """Say that an image is unlike the training images, and what that means; nothing where it is not."""
    if not sureness.unlike:
        return ""
    held_out = f"{sureness.held_out:,} held-out images"
    if not sureness.typicality:
        return f"Unlike anything in training: none of {held_out} is as unusual, so it can only guess."
    return f"Unlike the training images: only {sureness.typicality:.1%} of {held_out} are as unusual."


def say_untold(held_out: float) -> str:
    """Say why a run cannot tell how sure it may be, and how to get one that can.

    Args:
        held_out: share of the training images that was held out.
    """
    able = next(name for name, recipe in RECIPES.items() if recipe.held_out)
    count = "too few" if held_out else "no"
    return f"Not calibrated: {count} images were held out to measure how sure it is. Train {able}, which does that."


def _draw(
    classes: Sequence[str],
    probabilities: Sequence[float],
    names: Sequence[str],
    truth: str,
    picked: int | None = None,
    possible: Sequence[str] = (),
) -> str:
    best = max(probabilities, default=0.0)
    rows = []
    for number, (name, probability) in enumerate(zip(classes, probabilities, strict=True)):
        kinds = {
            "best": probability == best,
            "truth": name == truth,
            "picked": number == picked,
            "possible": name in possible,
        }
        kind = " ".join(word for word, holds in kinds.items() if holds)
        said = (RIGHT if kinds["truth"] else "") + (POSSIBLE if kinds["possible"] else "")
        percent = escape(write_percent(probability))
        rows.append(
            f'<div class="{kind}"><dt>{names[number]}{said}</dt>'
            f'<dd><i style="--share: {probability:.4f}"></i><span>{percent}</span></dd></div>'
        )
    return f'<dl class="probabilities">{"".join(rows)}</dl>'
