"""glassnet explain --why: what pushes for and against an answer, and what would flip it, on the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from glassnet.cli.output import bold, percent, print_json, say
from glassnet.errors import UnknownNameError

if TYPE_CHECKING:
    import numpy as np

    from glassnet.explanation.attributions import Attribution
    from glassnet.explanation.flips import Flip
    from glassnet.runs import Run

ROWS = 14
"""Most rows of a map of characters."""

TOP = 5
"""Pixels that are named."""


def explain_why(
    run: "Run",
    image: "np.ndarray",
    label: str | None,
    methods: list[str],
    neuron: int | None,
    out: Path | None,
    json: bool,
) -> None:
    """Print, and draw, why a run answers as it does.

    Args:
        run: a trained network.
        image: what it is asked about.
        label: the truth, where it is known.
        methods: names of methods, "flip" for the smallest change that flips the answer, or "all".
        neuron: number of the class to ask about, and to flip to if it is not the answer; the predicted one if None.
        out: where to draw; with both maps and a flip, the flip goes beside it as NAME-flip.
        json: print one JSON document instead.

    Raises:
        UnknownNameError: no such method.
        InputError: a method that does not cover the network, or a class that does not exist.
    """
    from glassnet.explanation.attribution_methods import METHODS
    from glassnet.explanation.attributions import attribute, methods_for
    from glassnet.explanation.flips import smallest_change
    from glassnet.prediction import predict

    for name in methods:
        if name not in (*METHODS, "flip", "all"):
            raise UnknownNameError("method", name, [*METHODS, "flip", "all"])
    wanted = [*methods_for(run), "flip"] if "all" in methods else list(dict.fromkeys(methods))
    attributions = [attribute(run, image, name, neuron=neuron) for name in wanted if name != "flip"]
    flip = None
    if "flip" in wanted:
        answer = int(predict(run, image, top=1)[0].probabilities.argmax())
        flip = smallest_change(run, image, target=None if neuron == answer else neuron)
    drawn = _draw(image, attributions, flip, out) if out else []
    if json:
        return print_json(
            {
                "true_label": label,
                "attributions": [one.record() for one in attributions],
                "flip": None if flip is None else flip.record(),
            }
        )
    _print(attributions, flip, label)
    for path in drawn:
        say(f"drawn: {path}")
    return None


def _draw(image: "np.ndarray", attributions: "list[Attribution]", flip: "Flip | None", out: Path) -> list[Path]:
    from glassnet.figures.attributions import draw_attributions, draw_flip
    from glassnet.figures.canvas import save

    drawn = [save(draw_attributions(image, attributions), out)] if attributions else []
    if flip is not None:
        drawn.append(save(draw_flip(flip), out.with_stem(f"{out.stem}-flip") if attributions else out))
    return drawn


def _print(attributions: "list[Attribution]", flip: "Flip | None", label: str | None) -> None:
    truly = f" (truly: {label})" if label is not None else ""
    if attributions:
        asked = attributions[0]
        say("Why ", bold(asked.label), f", logit {asked.logit:.4g}{truly}")
        say("+ and # push for it, - and = against; # and = more than half as much as the strongest square")
    for one in attributions:
        say("\n", bold(one.method), f": {one.meaning}")
        if one.baseline_logit is not None and one.completeness is not None:
            due = one.logit - one.baseline_logit
            say(
                f"sum {one.values.sum():.4g}; logit {one.logit:.4g} minus the baseline's {one.baseline_logit:.4g} is "
                f"{due:.4g}: missed by {percent(one.completeness)}"
            )
        pixels = ", ".join(f"({row}, {column}) {value:+.3g}" for row, column, value in one.largest(TOP))
        say(f"strongest pixels (row, column): {pixels}")
        say(_characters(one.values))
    if flip is not None:
        say(
            f"flip: {flip.before.label} {percent(flip.before.probability)} becomes ",
            bold(flip.after.label),
            " "
            f"{percent(flip.after.probability)}{'' if attributions else truly} when {flip.changed} pixels change "
            f"by at most {flip.largest} of 255 (length {flip.l2:.3g}, brightness 0 to 1)",
        )


def _characters(values: "np.ndarray") -> Text:
    """Draw a map with characters, coarse: each stands for the mean of a square of pixels."""
    import numpy as np

    step = -(-max(values.shape) // ROWS)
    height, width = (-(-size // step) for size in values.shape)
    padded = np.zeros((height * step, width * step))
    padded[: values.shape[0], : values.shape[1]] = values
    coarse = padded.reshape(height, step, width, step).mean((1, 3))
    shares = coarse / (np.abs(coarse).max() or 1)
    picture = Text()
    for row in shares:
        for share in row:
            strength = 0 if abs(share) < 0.1 else 1 if abs(share) < 0.5 else 2
            mark = ((" .", "++", "##") if share > 0 else (" .", "--", "=="))[strength]
            picture.append(mark, style="dim" if not strength else "blue" if share > 0 else "dark_orange3")
        picture.append("\n")
    picture.rstrip()
    return picture
