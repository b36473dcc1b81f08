"""Weights of a first layer as one sheet of pictures, neurons or filters."""

from collections.abc import Sequence

import numpy as np

from glassnet.lab.parts.markup import escape
from glassnet.lab.parts.pictures import templates_sprite

SMALL = 8
"""Pictures with at most so many pixels a side are filters, not templates of whole images."""


def draw_templates(templates: np.ndarray, names: Sequence[str] = (), *, columns: int = 0) -> str:
    """Draw weights `(n, height, width)`, blue where they push for, orange where against.

    Args:
        templates: one picture for each unit; one scale of colour for all.
        names: of the units, where they are classes.
        columns: in a row; as it fits if 0.
    """
    n = len(templates)
    columns = columns if columns and n > columns else _fitting(n)
    kind = "filters" if is_filters(templates) else "neurons"
    about = f"Weights of {n} {kind} as pictures: blue pixels push for, orange ones against"
    written = "".join(f"<span>{escape(name)}</span>" for name in names[:n])
    return (
        f'<div class="template-sheet {kind}" style="--columns: {columns}; --rows: {-(-n // columns)}">'
        f'<img src="{templates_sprite(templates, columns)}" alt="{about}">{f"<div>{written}</div>" if written else ""}'
        "</div>"
    )


def name_templates(templates: np.ndarray, units: int, *, hidden: bool) -> str:
    """Say what the pictures are, and that there are more where not all are shown."""
    kind = "filter" if is_filters(templates) else "hidden neuron" if hidden else "neuron"
    more = f", the first {len(templates)} of {units}" if units > len(templates) else ""
    return f"What each {kind} looks for{more}"


def is_filters(templates: np.ndarray) -> bool:
    """Tell whether pictures of weights are those of filters, which are smaller than any image."""
    return max(templates.shape[1:3], default=0) <= SMALL


def _fitting(n: int) -> int:
    """Return how many of n pictures stand in a row: as few gaps at the end as can be."""
    most = 5 if n <= 10 else 10 if n <= 20 else 16
    return most if n % most == 0 else next((k for k in range(most, most // 2, -1) if n % k == 0), most)
