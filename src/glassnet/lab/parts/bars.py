"""Probabilities as bars, one for each class."""

from collections.abc import Sequence

from glassnet.lab.parts.markup import escape

RIGHT = '<span class="tick">✓ <span class="spoken">right class</span></span>'


def draw_bars(classes: Sequence[str], probabilities: Sequence[float], truth: str = "") -> str:
    """Draw the probability of every class; the most probable one is emphasised, the right one ticked."""
    best = max(probabilities, default=0.0)
    rows = []
    for name, probability in zip(classes, probabilities, strict=True):
        kind = ("best " if probability == best else "") + ("truth" if name == truth else "")
        right = RIGHT if name == truth else ""
        percent = write_percent(probability)
        rows.append(
            f'<div class="{kind}"><dt>{escape(name)}{right}</dt>'
            f'<dd><i style="--share: {probability:.4f}"></i><span>{escape(percent)}</span></dd></div>'
        )
    return f'<dl class="probabilities">{"".join(rows)}</dl>'


def write_percent(probability: float) -> str:
    """Write a probability; what is nearly certain is not written as certain.

    Example:
        >>> write_percent(0.123), write_percent(0.99999)
        ('12.3%', '>99.9%')
    """
    return f"{probability:.1%}" if probability < 0.9995 else ">99.9%"
