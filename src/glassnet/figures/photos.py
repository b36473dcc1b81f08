"""The way of a photo into a network, drawn: each step, what the network would see and say, and what it resembles."""

import math
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from glassnet.figures.canvas import BLUE, GRAY, ORANGE, bare, sheet, show_pixels

if TYPE_CHECKING:
    from glassnet.doctor import Examination

WIDEST = 6
"""Steps up to which one row is enough; more stand in rows of five."""


def draw_examination(examination: "Examination") -> Figure:
    """Draw the steps, each with its picture, what the network would see then, and its answer; below, the neighbours.

    The step that changed the answer is orange.

    Args:
        examination: see `glassnet.doctor.examine_photo`.
    """
    findings = examination.findings
    columns = 5 if len(findings) > WIDEST else max(5, len(findings))
    rows = math.ceil(len(findings) / columns)
    figure = sheet(2.5 * columns, 2.75 * rows + 2.1, arranged=False)
    height = 1 / (rows + 0.75)
    for number, finding in enumerate(findings):
        left, top = number % columns / columns, 1 - (number // columns) * height
        decisive = finding.step.name == examination.decisive
        _picture(figure, (left + 0.008, top - 0.76 * height, 0.61 / columns, 0.62 * height), finding.step.image)
        small = _picture(
            figure, (left + 0.68 / columns, top - 0.45 * height, 0.27 / columns, 0.31 * height), finding.step.seen
        )
        small.set_xlabel("seen so far", fontsize=6.5, color=GRAY)
        colour = ORANGE if decisive else "black"
        figure.text(
            left + 0.008, top - 0.085 * height, f"{number + 1}  {finding.step.title}", fontsize=9.5, color=colour
        )
        said = f"{finding.top[0].label}, {finding.top[0].probability:.0%}"
        right = finding.top[0].label == examination.prediction.label
        figure.text(left + 0.008, top - 0.85 * height, said, fontsize=10, weight="bold", color=BLUE if right else GRAY)
        if decisive:
            figure.text(left + 0.008, top - 0.93 * height, "this step changed the answer", fontsize=8, color=ORANGE)
    _draw_end(figure, examination, 0.7 * height)
    return figure


def _draw_end(figure: Figure, examination: "Examination", height: float) -> None:
    """Draw the network's input beside the nearest training images, and write the answer and its warnings."""
    answer = examination.prediction
    pictures = [(answer.image, f"{answer.label}, {answer.probability:.1%}", "what the network sees")]
    pictures += [
        (image, one.label, f"training image {one.index:,}")
        for one, image in zip(examination.neighbours, examination.nearest, strict=True)
    ]
    for number, (image, title, below) in enumerate(pictures):
        axes = _picture(
            figure, (0.01 + 0.125 * number + (0.03 if number else 0), 0.3 * height, 0.1, 0.55 * height), image
        )
        axes.set_title(title, fontsize=9.5, color=BLUE if number == 0 else "black")
        axes.set_xlabel(below, fontsize=8, color=GRAY)
    ranked = "\n".join(f"{one.label}  {one.probability:.1%}" for one in answer.top)
    figure.text(0.62, 0.86 * height, "In the end", fontsize=9.5, weight="bold", va="top")
    figure.text(0.62, 0.7 * height, ranked, fontsize=9.5, va="top")
    if answer.warnings:
        figure.text(0.76, 0.86 * height, "Careful", fontsize=9.5, weight="bold", va="top", color=ORANGE)
        figure.text(0.76, 0.7 * height, "\n".join(_folded(answer.warnings)), fontsize=8.5, va="top")


def _folded(lines: tuple[str, ...], width: int = 44) -> list[str]:
    import textwrap

    return [part for line in lines for part in textwrap.wrap(line, width)]


def _picture(figure: Figure, place: tuple[float, float, float, float], image: Any) -> Any:
    axes = figure.add_axes(place)
    bare(axes)
    show_pixels(axes, image)
    return axes
