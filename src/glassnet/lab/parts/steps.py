"""The steps of a photo, drawn: what became of it, what the network saw of that, and what it would have said."""

from glassnet.lab.developing import SeenStep, Way
from glassnet.lab.parts.bars import write_percent
from glassnet.lab.parts.markup import escape
from glassnet.lab.parts.pictures import sprite


def draw_way(way: Way) -> str:
    """Draw all steps from left to right, and say which ones changed the answer."""
    warnings = "".join(f'<p class="wrong small">{escape(text)}</p>' for text in way.warnings)
    figures = "".join(
        _draw_step(number, step, changed=number > 0 and step.label != way.steps[number - 1].label)
        for number, step in enumerate(way.steps)
    )
    return f'<section class="way"><p class="small">{escape(say_turns(way))}</p>{warnings}<ol>{figures}</ol></section>'


def say_turns(way: Way) -> str:
    """Say which step changed the answer last; the answers before it are those to photos that are not made ready."""
    steps = way.steps
    turns = [number for number in range(1, len(steps)) if steps[number].label != steps[number - 1].label]
    if not turns:
        return f"{steps[-1].label} from the first step to the last." if steps else ""
    last = turns[-1]
    return f"Step {last + 1}, {steps[last].title}, made {steps[last].label} of {steps[last - 1].label}."


def _draw_step(number: int, step: SeenStep, *, changed: bool) -> str:
    kind = ' class="turn"' if changed else ""
    return (
        f'<li{kind} title="{escape(step.about)}"><b>{number + 1} {escape(step.title)}</b>'
        f'<span class="way-pictures"><img src="{sprite(step.picture[None], 1)}" alt="{escape(step.about)}">'
        f'<img class="seen" src="{sprite(step.seen[None], 1)}" alt="What the network would see"></span>'
        f"<span>{escape(step.label)} <small>{escape(write_percent(step.probability))}</small></span></li>"
    )
