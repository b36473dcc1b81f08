"""The arithmetic of a neuron, classes to be clicked, and switches for weights."""

from collections.abc import Sequence
from typing import Any

from glassnet.lab.parts.markup import escape
from glassnet.lab.switching import Effect, Off


def draw_arithmetic(record: dict[str, Any], hidden: Sequence[str] = ()) -> str:
    """Write out a neuron's sum and its function, in the figures of its record; they add up as they stand.

    Args:
        record: of `glassnet.explanation.arithmetic.Arithmetic`.
        hidden: layers whose units can be asked about in turn.
    """
    opened = record["source"] if record["source"] in hidden else ""
    sides = "".join(
        _draw_terms(record[key], title, kind, opened)
        for key, title, kind in (
            ("largest_for", "Pushes for", "for"),
            ("largest_against", "Pushes against", "against"),
        )
    )
    lines = [
        f"<li><span>all {record['rest_count']:,} others</span> {_sign(record['rest'])}</li>",
        f"<li><span>bias</span> {_sign(record['bias'])}</li>",
        f"<li><span>sum</span> <b>{_sign(record['total'])}</b></li>",
        f"<li>{_draw_end(record)}</li>",
    ]
    unit = "" if record["softmax"] else f", of {record['layer']},"
    return (
        f'<section class="neuron"><h2>How {escape(record["neuron"] + unit)} is computed</h2>'
        f'<div class="sides">{sides}</div><ol class="sum">{"".join(lines)}</ol></section>'
    )


def draw_switches(units: Sequence[dict[str, Any]], off: Off) -> str:
    """Draw a switch for each hidden unit."""
    rows = []
    several = len({one["layer"] for one in units}) > 1
    for one in units:
        where = f"{one['layer']}: " if several else ""
        on = (one["layer"], one["unit"]) not in off.units
        said = f"unit {one['unit']}"
        what = f"for {one['pushes_for']}, against {one['pushes_against']}" if one["pushes_for"] else "changes nothing"
        rows.append(
            f'<li><button type="button" role="switch" aria-checked="{str(on).lower()}" '
            f'data-pick="unit:{one["unit"]}:{escape(one["layer"])}" aria-label="{escape(one["layer"])}, {said}">'
            f'<i class="switch-track" aria-hidden="true"></i><b>{said}</b></button>'
            f"<small>{escape(where + what)}</small><span>{one['influence']:.2f}</span></li>"
        )
    return f'<ul class="units">{"".join(rows)}</ul>'


def say_effect(effect: Effect, off: Off) -> str:
    """Say what switching off does to the test images."""
    share = effect.after / effect.images
    if not off:
        return f"{share:.1%} of {effect.images:,} test images are right; nothing is switched off."
    change = effect.after - effect.before
    points = 100 * change / effect.images
    moved = f"{points:+.1f} points, {change:+,} images".replace("-", "−")
    return f"{share:.1%} of {effect.images:,} test images are right: {moved}."


def _draw_terms(terms: Sequence[dict[str, Any]], title: str, kind: str, opened: str) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_name(term, opened)}</th><td>{escape(term["x"])} × {escape(_minus(term["w"]))}</td>'
        f'<td class="{kind}">{_sign(term["product"])}</td></tr>'
        for term in terms
    )
    nothing = '<tr><td colspan="3">nothing</td></tr>'
    return f"<table><caption>{title}: input × weight</caption><tbody>{rows or nothing}</tbody></table>"


def _name(term: dict[str, Any], opened: str) -> str:
    if not opened:
        return escape(term["name"].replace("column", "col"))
    number = term["position"][-1]
    return f'<button type="button" data-pick="neuron:{number}:{escape(opened)}">{escape(term["name"])}</button>'


def _draw_end(record: dict[str, Any]) -> str:
    """Write what becomes of the sum."""
    softmax = record["softmax"]
    if softmax is None:
        return f"<span>{escape(record['formula'])}</span> = <b>{_minus(record['value'])}</b>"
    own = softmax["classes"][record["number"]]
    name = "softmax" if softmax["inside"] else "softmax, added for the answer"
    return (
        f"<span>{name}</span> exp({_minus(own['logit'])} − {_bracketed(softmax['largest'])}) = {escape(own['power'])}; "
        f"÷ {escape(softmax['powers'])}, the same of all classes = <b>{escape(own['probability'])}</b>"
    )


def _bracketed(figure: str) -> str:
    return f"({_minus(figure)})" if figure.startswith("-") else escape(figure)


def _minus(figure: str) -> str:
    return escape(figure.replace("-", "−"))


def _sign(figure: str) -> str:
    return _minus(figure) if figure.startswith("-") else f"+{escape(figure)}"
