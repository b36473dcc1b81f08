"""A moment of a training: a small confusion matrix, and what was answered then."""

import math
from collections.abc import Sequence

import numpy as np

from glassnet.lab.parts.markup import escape
from glassnet.lab.parts.pictures import sprite

CELL = 10
LETTERS = 4
MARGIN = 19
"""For the labels, to the left and above."""


def draw_small_confusion(counts: np.ndarray, classes: Sequence[str], title: str) -> str:
    """Draw what is taken for what without numbers: rows are the truth, columns the answers; a cell says its own.

    The shade follows the square root of the share of the row, so that rare mistakes are seen too. Classes are
    abbreviated on the axes; on hover they tell their whole name.
    """
    totals = np.maximum(counts.sum(1), 1)
    cells = [
        f'<rect x="{column * CELL}" y="{row * CELL}" width="{CELL}" height="{CELL}" '
        f'class="{"hit" if row == column else "miss"}" '
        f'style="opacity: {math.sqrt(counts[row, column] / totals[row]):.2f}">'
        f"<title>{escape(_say(classes, row, column, int(counts[row, column])))}</title></rect>"
        for row in range(len(classes))
        for column in range(len(classes))
        if counts[row, column]
    ]
    side = CELL * len(classes)
    share = np.trace(counts) / max(1, counts.sum())
    about = f"Confusion matrix of {counts.sum():,} test images: {share:.1%} are right"
    return (
        f'<figure class="small-confusion"><figcaption><b>{escape(title)}</b></figcaption>'
        f'<svg viewBox="{-MARGIN} {-MARGIN} {side + MARGIN} {side + MARGIN}" role="img" aria-label="{about}">'
        f'<rect class="ground" width="{side}" height="{side}"/>{"".join(cells)}{_draw_names(classes)}</svg>'
        f"<p>{share:.1%} of {counts.sum():,} test images; rows are the truth</p></figure>"
    )


def abbreviate(classes: Sequence[str]) -> list[str]:
    """Shorten names so that they stay apart: a few letters of the first word that tells one from the others.

    Example:
        >>> abbreviate(["T-shirt/top", "Trouser", "Ankle boot", "7"])
        ['T-sh', 'Trou', 'Ankl', '7']
        >>> abbreviate(["left hand", "left foot"])
        ['hand', 'foot']
    """
    short = [name[:LETTERS] for name in classes]
    if len(set(short)) == len(set(classes)):
        return short
    words = [name.split() or [name] for name in classes]
    last = [one[-1][:LETTERS] for one in words]
    return last if len(set(last)) == len(set(classes)) else [str(number) for number in range(len(classes))]


def _draw_names(classes: Sequence[str]) -> str:
    """Write the classes at the rows and, upright, above the columns."""
    parts = []
    for number, (short, name) in enumerate(zip(abbreviate(classes), classes, strict=True)):
        middle = (number + 0.5) * CELL
        text = f"{escape(short)}<title>{escape(name)}</title>"
        parts.append(f'<text x="-2" y="{middle + 2.3}" text-anchor="end">{text}</text>')
        parts.append(f'<text transform="translate({middle + 2.3} -2) rotate(-90)">{text}</text>')
    return "".join(parts)


def write_then(accuracy: float, image: np.ndarray | None, label: str, probability: float) -> str:
    """Write how good it was at a moment, and what it said to one's own picture."""
    text = f"<p><b>{accuracy:.1%}</b> of the test images right</p>"
    if image is not None:
        text += (
            f'<p class="own"><img src="{sprite(image[None], 1)}" alt="Your last picture">'
            f"<span>taken for <b>{escape(label)}</b> {probability:.0%}</span></p>"
        )
    return text


def _say(classes: Sequence[str], row: int, column: int, count: int) -> str:
    if row == column:
        return f"{classes[row]} recognised: {count}"
    return f"{classes[row]} taken for {classes[column]}: {count}"
