"""A moment of a training: a small confusion matrix, and what was answered then."""

import math
from collections.abc import Sequence

import numpy as np

from glassnet.lab.parts.markup import escape
from glassnet.lab.parts.pictures import sprite

CELL = 10


def draw_small_confusion(counts: np.ndarray, classes: Sequence[str], title: str) -> str:
    """Draw what is taken for what without numbers: rows are the truth, columns the answers; a cell says its own.

    The shade follows the square root of the share of the row, so that rare mistakes are seen too.
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
        f'<svg viewBox="0 0 {side} {side}" role="img" aria-label="{about}">{"".join(cells)}</svg>'
        f"<p>{share:.1%} of {counts.sum():,} test images</p></figure>"
    )


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
