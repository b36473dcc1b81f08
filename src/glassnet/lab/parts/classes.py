"""How good a network is on each class, and beside those who do not look or who are people."""

from typing import Any

from glassnet.lab.parts.markup import escape

MEASURES = (
    ("precision", "Precision", "Of the images that are taken for this class, how many are of it"),
    ("recall", "Recall", "Of the images of this class, how many are recognised"),
    ("f1", "F1", "The harmonic mean of both"),
)


def draw_classes(record: dict[str, Any]) -> str:
    """Draw precision, recall and F1 of every class as a table; the lowest of each column is marked."""
    lowest = {key: min(one[key] for one in record["per_class"]) for key, _, _ in MEASURES}
    head = "".join(f'<th scope="col" title="{escape(about)}">{title}</th>' for _, title, about in MEASURES)
    rows = []
    for one in record["per_class"]:
        cells = "".join(
            f'<td class="{"lowest" if one[key] == lowest[key] else ""}" style="--share: {one[key]:.4f}">'
            f"{one[key]:.1%}</td>"
            for key, _, _ in MEASURES
        )
        rows.append(f'<tr><th scope="row">{escape(one["label"])}</th>{cells}<td>{one["support"]:,}</td></tr>')
    return (
        f'<table><thead><tr><th scope="col">Class</th>{head}<th scope="col">Images</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def draw_baselines(record: dict[str, Any]) -> str:
    """Draw the network's accuracy beside that of people, where it is known, and of answers without looking."""
    names = {"This network": record["accuracy"], "People": record["human"]}
    names |= {"Always the same": record["majority"], "Guessing": record["chance"]}
    rows = "".join(
        f'<div class="{"best" if name == "This network" else ""}"><dt>{name}</dt>'
        f'<dd><i style="--share: {share:.4f}"></i><span>{share:.1%}</span></dd></div>'
        for name, share in names.items()
        if share is not None
    )
    return f'<dl class="probabilities">{rows}</dl>'


def write_calibration(record: dict[str, Any]) -> str:
    """Say in words how far confidence is from accuracy."""
    return (
        f'<p class="quiet small">On the thin diagonal, it is right as often as it is sure. On average they are '
        f"<b>{record['calibration_error']:.1%}</b> apart: the calibration error. Larger dots are more images.</p>"
    )
