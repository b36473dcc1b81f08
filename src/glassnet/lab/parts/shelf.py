"""The runs in the folder as a list: what each is, how good, whether its curve is shown, and what can go on."""

from collections.abc import Collection, Sequence

from glassnet.lab.parts.markup import escape
from glassnet.runs import Passport

EMPTY = '<p class="quiet small">Every finished training is kept here, and in the folder of runs.</p>'


def draw_runs(
    runs: Sequence[tuple[str, Passport]], unfinished: Sequence[str], current: str, marked: Collection[str]
) -> str:
    """Draw a list of runs; the picks are `open:NAME`, `mark:NAME` for its curve, and `resume:NAME`.

    Args:
        runs: with their names.
        unfinished: names of trainings that can go on.
        current: the run that is shown.
        marked: the runs whose curves are.
    """
    rows = [
        f'<li class="unfinished"><span>{escape(name)}<small>was not finished</small></span>'
        f'<button type="button" data-pick="resume:{escape(name)}">Go on</button></li>'
        for name in unfinished
    ]
    for name, passport in runs:
        about = f"{passport.dataset}, {say_layers(passport)}, {passport.epochs} epochs"
        here = ' aria-current="true"' if name == current else ""
        rows.append(
            f"<li{here}>"
            f'<button type="button" class="mark" data-pick="mark:{escape(name)}" title="Show its curve" '
            f'aria-pressed="{str(name in marked).lower()}" aria-label="Curve of {escape(name)}"></button>'
            f'<button type="button" class="open" data-pick="open:{escape(name)}" title="Show its results">'
            f"{escape(name)}<small>{escape(about)}</small></button><b>{passport.test_accuracy:.1%}</b></li>"
        )
    return f"<ul>{''.join(rows)}</ul>" if rows else EMPTY


def say_layers(passport: Passport) -> str:
    """Say in a few words how large a run's network is: its widths, or the parameters of a model of one's own."""
    if "hidden" not in passport.settings:
        return f"{passport.parameters:,} parameters"
    widths = [*passport.settings.get("filters", []), *passport.settings["hidden"]]
    return "–".join(map(str, widths)) or "no hidden layer"
