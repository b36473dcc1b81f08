"""Why an answer was given: the pixels that push for and against it, and the training images most like it."""

from glassnet.lab.parts.markup import escape
from glassnet.lab.parts.pictures import sprite, templates_sprite
from glassnet.lab.switching import Reasons

COLUMNS = 4


def draw_reasons(reasons: Reasons) -> str:
    """Draw the pixels that push for (blue) and against (orange) the answer, and its nearest training images."""
    parts = []
    if reasons.values is not None:
        about = f"Pixels that push for {reasons.label} are blue, those against it orange"
        source = templates_sprite(reasons.values[None], 1)
        parts.append(
            f'<section><h2>Why {escape(reasons.label)}?</h2><img class="heat" src="{source}" alt="{escape(about)}">'
            '<p class="quiet small">Blue pixels push for it, orange ones against.</p></section>'
        )
    names = "".join(f"<span>{escape(label)}</span>" for label in reasons.labels)
    rows = -(-len(reasons.labels) // COLUMNS)
    parts.append(
        f'<section><h2>Most alike in training</h2><div class="alike" style="--columns: {COLUMNS}; --rows: {rows}">'
        f'<img src="{sprite(reasons.nearest, COLUMNS)}" alt=""><div>{names}</div></div></section>'
    )
    return "".join(parts)
