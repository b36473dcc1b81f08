"""The confusion matrix as a table of buttons."""

import math
from collections.abc import Sequence

from glassnet.lab.parts.markup import escape


def draw_confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], selected: tuple[int, int] | None) -> str:
    """Draw how many images of each class (rows) are taken for which (columns); blue is right, orange wrong.

    The shade follows the square root of the share of the row, so that rare mistakes are seen too.
    """
    head = "".join(f'<th scope="col"><span>{escape(name)}</span></th>' for name in classes)
    body = []
    for row, (name, line) in enumerate(zip(classes, counts, strict=True)):
        total = sum(line) or 1
        cells = "".join(
            _cell(row, column, count, total, classes, pressed=(row, column) == selected)
            for column, count in enumerate(line)
        )
        body.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _cell(row: int, column: int, count: int, total: int, classes: Sequence[str], *, pressed: bool) -> str:
    share = math.sqrt(count / total)
    kind = "right" if row == column else "wrong"
    strong = " strong" if share > 0.62 else ""
    if not count:
        return "<td></td>"
    said = f"{classes[row]} taken for {classes[column]}" if row != column else f"{classes[row]} recognised"
    return (
        f'<td><button type="button" class="{kind}{strong}" style="--share: {share:.2f}" data-pick="{row},{column}" '
        f'aria-pressed="{str(pressed).lower()}" aria-label="{escape(said)}: {count} images">{count}</button></td>'
    )
