"""What differs in the settings of two runs, as a table."""

from collections.abc import Sequence
from dataclasses import MISSING, fields

from glassnet.lab.parts.markup import escape
from glassnet.recipes import Recipe
from glassnet.runs import Passport

USUAL = {one.name: one.default for one in fields(Recipe) if one.default is not MISSING}
"""What a recipe has if it does not say otherwise."""


def draw_settings(runs: Sequence[tuple[str, Passport]]) -> str:
    """Write a table of two runs with the rows in which they differ, and their accuracy."""
    facts = [_facts(passport) for _, passport in runs]
    keys = list(dict.fromkeys(key for one in facts for key in one))
    rows = [(key, [one.get(key, "–") for one in facts]) for key in keys]
    different = [(key, values) for key, values in rows if len(set(values)) > 1 or key == "test accuracy"]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name, _ in runs)
    body = "".join(
        f'<tr><th scope="row">{escape(key)}</th>{"".join(f"<td>{escape(value)}</td>" for value in values)}</tr>'
        for key, values in different
    )
    return f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"


def _facts(passport: Passport) -> dict[str, str]:
    # A run from before a setting was there was trained without it.
    usual = USUAL if "hidden" in passport.settings else {}
    settings = {name.replace("_", " "): _written(value) for name, value in (usual | passport.settings).items()}
    return {
        "test accuracy": f"{passport.test_accuracy:.2%}",
        "test loss": f"{passport.test_loss:.4f}",
        "data": passport.dataset,
        "parameters": f"{passport.parameters:,}",
        **settings,
        "seed": str(passport.seed),
        "seconds": f"{passport.seconds.train:.1f}",
    }


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return " – ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "usual" if value is None else str(value)
