"""Two runs side by side, drawn: scores and what chance has to do with them, curves, weights, confusions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.lab.pairs import Pair, Side
from glassnet.lab.parts.charts import draw_curves
from glassnet.lab.parts.markup import escape
from glassnet.lab.parts.moments import draw_small_confusion
from glassnet.lab.parts.templates import draw_templates, is_filters
from glassnet.runs import Passport
from glassnet.sharing.charts import Line

LOOKS = ("for", "against")
MOST_LETTERS = 16
SIZE = 440, 180
COLUMNS = 5
CHANCE = 0.05


def write_scores(pair: Pair, names: Sequence[str]) -> str:
    """Write both accuracies with their intervals, the difference, and whether chance explains it."""
    cards = "".join(
        f'<section class="pair-score {look}"><h2>{escape(name)}</h2><p><b>{side.record["accuracy"]:.2%}</b>of '
        f"{side.record['n']:,} test images right</p>"
        f'<p class="quiet small">95 % interval: {_span(side.record["interval"])}</p></section>'
        for name, side, look in zip(names, pair.sides, LOOKS, strict=True)
    )
    return f"{cards}<section>{_write_difference(pair, names)}</section>"


def draw_pair_curves(runs: Sequence[tuple[str, Passport]]) -> list[str]:
    """Draw accuracy and loss of both runs over their epochs: lines while they learned, dots where validated."""
    epochs = max((len(passport.history.get("loss", [])) for _, passport in runs), default=1)
    charts = []
    for metric in ("accuracy", "loss"):
        lines = []
        for (name, passport), look in zip(runs, LOOKS, strict=True):
            tested = list(enumerate(passport.history.get(f"val_{metric}", []), 1))
            lines.append(Line("", tested, look, [3.5] * len(tested), joined=False))
            learned = list(enumerate(passport.history.get(metric, []), 1))
            lines.append(Line(shorten(name), learned, look, [3.0] * len(learned) if len(learned) == 1 else []))
        charts.append(draw_curves(metric, lines, epochs, size=SIZE))
    return charts


def draw_side(side: Side, classes: Sequence[str]) -> str:
    """Draw the weights of a run's first layer and its confusion matrix."""
    if side.weights is None:
        shown = '<p class="quiet small">The weights of its first layer are no pictures.</p>'
    else:
        kind = "filters" if is_filters(side.weights) else "neurons"
        more = f"{len(side.weights)} of {side.units} {kind}" if side.units > len(side.weights) else f"{kind}"
        shown = f'<p class="quiet small">Its first layer: {more}</p>{draw_templates(side.weights, columns=COLUMNS)}'
    matrix = draw_small_confusion(np.asarray(side.record["confusion"]), classes, "What is taken for what")
    return f"<div>{shown}</div>{matrix}"


def shorten(name: str) -> str:
    """Shorten a run's name in its middle: its end tells one run of a recipe from the other.

    Example:
        >>> shorten("baseline-2"), shorten("a-very-long-name-of-mine-12")
        ('baseline-2', 'a-very-lo…ine-12')
    """
    return name if len(name) <= MOST_LETTERS else f"{name[:9]}…{name[-(MOST_LETTERS - 10) :]}"


def _write_difference(pair: Pair, names: Sequence[str]) -> str:
    found = pair.comparison
    if found is None:
        return f'<h2>Difference</h2><p class="quiet">Not compared image by image: {escape(pair.reason)}.</p>'
    points = f"{100 * found['difference']:+.2f}".replace("-", "−")
    low, high = (f"{100 * one:+.2f}".replace("-", "−") for one in found["interval"])
    first, second = (escape(name) for name in names)
    return (
        f"<h2>Difference, second minus first</h2><p><b>{points} points</b></p>"
        f'<p class="quiet small">95 % interval: {low} to {high} points</p>'
        f'<p class="small">Only {first} recognises {found["only_first"]:,}, only {second} {found["only_second"]:,} '
        f"images. {_judge(found)}</p>"
    )


def _judge(found: dict[str, Any]) -> str:
    p = found["p_value"]
    written = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    verdict = "chance hardly explains it" if p < CHANCE else "it may well be chance"
    return f"McNemar's test: {written}, {verdict}."


def _span(interval: Sequence[float]) -> str:
    return f"{interval[0]:.1%} to {interval[1]:.1%}"
