"""Findings about a set as lines: what is wrong, what to do, what one click does about it, and what was left out."""

from collections.abc import Sequence

from glassnet.audit.findings import counted
from glassnet.datasets import Problem
from glassnet.lab.ownset import REMOVED, OwnSet
from glassnet.lab.parts.markup import escape
from glassnet.lab.remedies import BLANKS, CONTRADICTIONS, COPIES, Remedy

MOST_NAMED = 3

_WORDS = {
    COPIES: ("copy is", "copies are"),
    BLANKS: ("blank image is", "blank images are"),
    CONTRADICTIONS: ("image with two labels is", "images with two labels are"),
    REMOVED: ("image that you removed is", "images that you removed are"),
}


def write_findings(remedies: Sequence[Remedy], problems: Sequence[Problem]) -> str:
    """Return what is wrong, each line with what to do; the picks are `show:NUMBER` and `fix:NUMBER`."""
    lost, kept = [[one for one in problems if one.left_out is wanted] for wanted in (True, False)]
    lines = [_line(f"left out: {one.name}: {one.reason}", "mend or remove the file", "") for one in lost[:MOST_NAMED]]
    lines += [_line(f"{one.name}: {one.reason}", "", "", "warning") for one in kept[:MOST_NAMED]]
    for others, what in ((lost[MOST_NAMED:], " left out"), (kept[MOST_NAMED:], "")):
        if more := sum(one.count for one in others):
            lines.append(_line(f"and {more:,} more{what}", "glassnet look --json names them all", ""))
    for number, one in enumerate(remedies):
        buttons = ""
        if one.button:
            buttons += f'<button type="button" data-pick="fix:{number}">{escape(one.button)}</button>'
        if one.shown:
            label = escape(f"Show: {one.title}")
            buttons += (
                f'<button type="button" class="quiet" data-pick="show:{number}" aria-label="{label}">Show</button>'
            )
        lines.append(_line(one.title, one.advice, buttons, one.severity))
    return "".join(lines)


def write_left_out(own: OwnSet, *, changed: bool = False) -> str:
    """Return what is left out of a set, each with what puts it back; the picks are `back:REASON` and the like.

    Args:
        own: the set.
        changed: whether it is another one by now than the version that is shown.
    """
    lines = []
    if changed:
        button = '<button type="button" data-pick="renew:">Use the images as they are now</button>'
        lines.append(_line("the set was changed since", "", button))
    hidden = {image for one in own.classes.values() if one.removed for image in own.images[one.key]}
    reasons = [why for image, why in own.left_out.items() if image not in hidden]
    for why in dict.fromkeys(reasons):
        text = counted(reasons.count(why), *_WORDS.get(why, ("image is", "images are")))
        lines.append(_line(f"{text} left out", "", _button(f"back:{why}", "Put back", text)))
    for one in own.classes.values():
        if one.removed and own.images[one.key]:
            text = f"the class {one.name} is left out, with {counted(len(own.images[one.key]), 'image')}"
            lines.append(_line(text, "", _button(f"class:{one.key}", "Put back", f"the class {one.name}")))
    if own.refused:
        named = "; ".join(f"{name}: {reason}" for name, reason in own.refused[:MOST_NAMED])
        more = f"; and {len(own.refused) - MOST_NAMED:,} more" if len(own.refused) > MOST_NAMED else ""
        count = counted(len(own.refused), "file")
        text = f"{count} could not be used and {'is' if len(own.refused) == 1 else 'are'} left out"
        lines.append(_line(text, named + more, _button("forget:", "Forget", count)))
    return "".join(lines)


def _button(pick: str, text: str, of: str) -> str:
    label = escape(f"{text}: {of}")
    return f'<button type="button" class="quiet" data-pick="{escape(pick)}" aria-label="{label}">{text}</button>'


def _line(what: str, advice: str, buttons: str, severity: str = "note") -> str:
    text = f"<b>{escape(what[:1].upper() + what[1:])}</b> {escape(advice)}"
    row = f'<span class="buttons">{buttons}</span>' if buttons else ""
    return f'<div class="finding {severity}"><p class="quiet small">{text}</p>{row}</div>'
