"""Two runs side by side: what differs in their settings, and in their scores."""

from collections.abc import Sequence

from glassnet.lab.parts.markup import escape
from glassnet.runs import Passport


def compare(runs: Sequence[tuple[str, Passport]]) -> str:
    """Write a table of two runs with the rows in which they differ, and their scores."""
    facts = [_facts(passport) for _, passport in runs]
    keys = list(dict.fromkeys(key for one in facts for key in one))
    rows = [(key, [one.get(key, "–") for one in facts]) for key in keys]
    different = [(key, values) for key, values in rows if len(set(values)) > 1 or key == "test accuracy"]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name, _ in runs)
    body = "".join(
        f'<tr><th scope="row">{escape(key)}</th>{"".join(f"<td>{escape(value)}</td>" for value in values)}</tr>'
        for key, values in different
    )
    return f"<h2>Side by side</h2><table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"


def _facts(passport: Passport) -> dict[str, str]:
    settings = {name.replace("_", " "): _written(value) for name, value in passport.settings.items()}
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
    return "usual" if value is None else str(value)
