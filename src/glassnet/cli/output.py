"""How commands speak: JSON for programs, tables and lines for people."""

import dataclasses
import json
import math
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from glassnet.errors import InputError
from glassnet.sharing.numbers import percent  # noqa: F401  (commands take all of their words from here)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
"""Standard output: what a command was asked for. Texts are printed as they are: brackets in names are no markup."""

terminal = Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True)
"""Standard error: what is told on the way."""


def say(*parts: Any, to: Console = console) -> None:
    """Print texts, one right after the other, or a table, and end the line."""
    to.print(*parts, sep="")


def bold(value: object) -> Text:
    """Return a value as bold text."""
    return styled(value, "bold")


def styled(value: object, style: str) -> Text:
    """Return a value as text of a style of rich's, such as "yellow"."""
    return Text(str(value), style)


def refuse(reason: str, **given: Any) -> None:
    """Refuse options that were given and would not be heeded.

    Args:
        reason: when they would be, such as "is for photos".
        **given: the options, by their names; None, False or empty where they were not given.

    Raises:
        InputError: one of them was given; the text is its name and the reason.
    """
    for name, value in given.items():
        if value is not None and value is not False and value != []:
            raise InputError(f"--{name.replace('_', '-')} {reason}")


def print_json(value: Any) -> None:
    """Print a value as one JSON document; dataclasses become objects, and what is no number null."""
    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()  # elsewhere characters would be lost
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=ascii_only, indent=2, allow_nan=False) + "\n")


def table(*columns: str, title: str = "", right: tuple[str, ...] = ()) -> Table:
    """Return an empty table; the columns named in `right` are aligned to the right."""
    result = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        result.add_column(column, justify="right" if column in right else "left")
    return result


def start_keras() -> None:
    """Import Keras without what it imports only to offer it: the command line uses none of that.

    Keras looks for scikit-learn and Matplotlib, to wrap the one and to draw galleries with the other; importing them
    would take as long as the rest of Keras.
    """
    absent = {name: None for name in ("sklearn", "matplotlib", "matplotlib.pyplot") if name not in sys.modules}
    sys.modules.update(absent)  # pyright: ignore[reportCallIssue, reportArgumentType]  (None: the import fails)
    try:
        import glassnet._keras  # noqa: F401
    finally:
        for name in absent:
            del sys.modules[name]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
